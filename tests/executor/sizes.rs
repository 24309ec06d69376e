//! What a task takes: one allocation of about the size of its future, and no time that grows with the others.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::future::{pending, ready};
use std::hint::black_box;
use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use handspun::{Executor, TaskGroup, block_on, join_all, map_concurrent, sleep, spawn, yield_now};

use crate::setup::{hands_out, in_order, millis};
use crate::support::{poll, watched};

/// The system's allocator, which counts what each thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(grown: isize, asked: usize) {
    // A thread that is ending may have lost its locals, and counts no more.
    let _ = ASKED.try_with(|sum| sum.set(sum.get() + asked));
    let _ = HELD.try_with(|sum| sum.set(sum.get() + grown));
}

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: all is done by the system's allocator, with the arguments that we were given.
unsafe impl GlobalAlloc for Counting {
    /// # Safety
    ///
    /// As the trait says; the layout goes on to the system as it came.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize, layout.size());
        // SAFETY: our caller keeps the same promises.
        unsafe { System.alloc(layout) }
    }

    /// # Safety
    ///
    /// As the trait says: all memory here is the system's.
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize), 0);
        // SAFETY: our caller keeps the same promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How many bytes this thread asks for meanwhile.
fn asked(code: impl FnOnce()) -> usize {
    let before = ASKED.get();
    code();
    ASKED.get() - before
}

const LARGE: usize = 4096;

async fn try_large() -> Result<(), String> {
    large().await;
    Ok(())
}

/// A future of a little more than 4 KiB.
async fn large() {
    let bytes = black_box([1_u8; LARGE]);
    yield_now().await;
    black_box(&bytes);
}

#[test]
fn a_large_future_is_allocated_once() {
    watched(|| {
        assert!(size_of_val(&large()) < LARGE + 64, "the yardstick is right");
        let executor = in_order();
        let remote = executor.remote();
        executor.run(async {
            let group = TaskGroup::new();
            drop(join_all([spawn(ready(()))]).await); // What is allocated once in a life is.
            let sizes = [
                ("spawn", asked(|| drop(spawn(large())))),
                ("TaskGroup::spawn", asked(|| drop(group.spawn(large())))),
                ("try_spawn", asked(|| drop(group.try_spawn(try_large())))),
            ];
            for (what, bytes) in sizes {
                assert!(bytes < LARGE + 1024, "{what} of {LARGE} bytes asks for {bytes}");
            }
        });
        let before = HELD.get();
        let task = remote.spawn(large);
        executor.run(yield_now());
        let bytes = (HELD.get() - before) as usize;
        assert!(bytes < LARGE + 1024, "a task of {LARGE} bytes from afar holds {bytes}");
        drop(task);
    });
}

#[test]
fn a_task_of_a_map_is_as_large_as_its_work() {
    watched(|| {
        in_order().run(async {
            let before = HELD.get();
            let mut map = map_concurrent(0..4, 4, async |_| large().await);
            assert!(poll(&mut Box::pin(map.next()), Waker::noop()).is_pending());
            yield_now().await;
            let bytes = (HELD.get() - before) as usize;
            assert!(bytes < 4 * (LARGE + 1024), "four tasks of {LARGE} bytes hold {bytes}");
            while map.next().await.is_some() {}
        });
    });
}

/// A hundred thousand tasks at a time, and then one.
#[test]
fn tasks_that_are_over_give_their_memory_back() {
    watched(|| {
        let executor = in_order();
        executor.run(async {
            let before = HELD.get();
            let stays = spawn(pending::<()>());
            let many: Vec<_> = (0..100_000).map(|_| spawn(yield_now())).collect();
            drop(join_all(many).await);
            drop((0..100).map(|_| spawn(ready(()))).collect::<Vec<_>>());
            yield_now().await; // They are polled, and the memory is given back in the turn after that.
            yield_now().await;
            let bytes = HELD.get() - before;
            assert!(bytes < 3 << 20, "one task is left, and {bytes} bytes with it");
            stays.cancel();
        });
    });
}

/// How long this thread has been on a processor, as the system counts it.
fn on_processor() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Each wake from elsewhere would be followed by a look at all of them, if that were not put off.
#[test]
fn a_wake_from_afar_costs_no_look_at_every_task() {
    watched(|| {
        const N_WAKES: usize = 200;
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || {
            for waker in wakers {
                // Longer than a look at all tasks takes, and far shorter than the quiet period before one.
                block_on(sleep(millis(10)));
                waker.wake();
            }
        });
        let executor = Executor::new();
        let took = executor.run(async {
            let mut last = spawn(pending::<()>());
            for _ in 0..100_000 {
                let before = last;
                last = spawn(async move { before.await.unwrap() });
            }
            yield_now().await;
            let began = on_processor();
            spawn(hands_out(sender, N_WAKES)).await.unwrap();
            on_processor() - began
        });
        waking.join().unwrap();
        assert!(took < Duration::from_millis(300), "{N_WAKES} wakes took {took:?}");
    });
}

#[test]
fn many_that_are_spawned_from_afar_are_cancelled_before_they_arrive() {
    watched(|| {
        let executor = in_order();
        let remote = executor.remote();
        let tasks: Vec<_> = (0..40_000).map(|_| remote.spawn(pending::<()>)).collect();
        for task in &tasks {
            assert!(task.cancel());
        }
        let began = Instant::now();
        executor.run(yield_now());
        let took = began.elapsed();
        assert!(tasks.iter().all(|task| task.is_finished()));
        assert!(took < Duration::from_secs(2), "40,000 cancels took {took:?}");
    });
}
