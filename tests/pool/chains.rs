//! Nothing takes the stack that grows with a chain of jobs, nor with the size of a closure.

use std::mem;
use std::sync::Arc;
use std::thread;

use handspun::{
    Cancel, CancelOnDrop, CancellationToken, JoinHandle, ScopedHandle, Shutdown, ThreadPool,
};

use crate::setup::{Held, busy, gated, in_a_process_of_its_own};
use crate::support::{Count, CountsDrop, Gate, panic_quietly, watched};

const MANY: usize = 100_000;

/// Queued jobs, of which each holds the next one's handle, whose drop cancels it. The first of them.
fn chain(pool: &ThreadPool, n_dropped: &Count) -> JoinHandle<()> {
    let mut next: Option<CancelOnDrop<JoinHandle<()>>> = None;
    for _ in 1..MANY {
        let (held, counts) = (next.take(), CountsDrop(n_dropped.clone()));
        next = Some(pool.submit(move || drop((held, counts))).cancel_on_drop());
    }
    let (held, counts) = (next, CountsDrop(n_dropped.clone()));
    pool.submit(move || drop((held, counts)))
}

#[test]
fn a_chain_of_jobs_is_cancelled_at_its_head() {
    in_a_process_of_its_own("chains::a_chain_of_jobs_is_cancelled_at_its_head", || {
        let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
        let _gate = busy(&pool);
        let head = chain(&pool, &n_dropped);
        assert_eq!(head.cancel(), Cancel::Dequeued);
        assert_eq!(n_dropped.get(), MANY, "all of it is over when `cancel` returns");
        assert_eq!(pool.stats().queued, 0);
    });
}

#[test]
fn a_chain_of_jobs_is_cancelled_with_its_pool() {
    in_a_process_of_its_own("chains::a_chain_of_jobs_is_cancelled_with_its_pool", || {
        let (pool, n_dropped) = (Arc::new(ThreadPool::new(1)), Count::default());
        let gate = busy(&pool);
        let head = chain(&pool, &n_dropped);
        let closer = thread::spawn({
            let pool = pool.clone();
            move || pool.shutdown(Shutdown::Cancel).unwrap()
        });
        assert!(head.join().is_err());
        n_dropped.reach(MANY);
        gate.open();
        closer.join().unwrap();
    });
}

#[test]
fn a_chain_of_jobs_is_cancelled_by_the_token_of_its_head() {
    in_a_process_of_its_own(
        "chains::a_chain_of_jobs_is_cancelled_by_the_token_of_its_head",
        || {
            let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
            let _gate = busy(&pool);
            let (token, head) =
                (CancellationToken::new(), chain(&pool, &n_dropped).cancel_on_drop());
            let first = pool.submit_with(&token, move |_| drop(head));
            token.cancel();
            assert!(first.join().is_err());
            assert_eq!(n_dropped.get(), MANY);
        },
    );
}

/// Cancels a job of a scope when it is dropped.
struct CancelsNext<'scope>(ScopedHandle<'scope, ()>);

impl Drop for CancelsNext<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[test]
fn a_chain_of_jobs_of_a_scope_is_cancelled_at_its_head() {
    in_a_process_of_its_own("chains::a_chain_of_jobs_of_a_scope_is_cancelled_at_its_head", || {
        let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
        let gate = busy(&pool);
        pool.scope(|s| {
            let mut next: Option<CancelsNext<'_>> = None;
            for _ in 0..MANY {
                let (held, counts) = (next.take(), CountsDrop(n_dropped.clone()));
                next = Some(CancelsNext(s.submit(move || drop((held, counts)))));
            }
            drop(next);
        });
        assert_eq!(n_dropped.get(), MANY);
        gate.open();
    });
}

/// The last link of a chain opens a scope when it is dropped, and cancels the scope's job.
struct Link {
    next: Option<CancelOnDrop<JoinHandle<()>>>,
    scopes: Option<(Arc<ThreadPool>, Count)>,
}

impl Drop for Link {
    fn drop(&mut self) {
        drop(self.next.take());
        if let Some((pool, n_scopes)) = self.scopes.take() {
            pool.scope(|s| assert_eq!(s.submit(|| ()).cancel(), Cancel::Dequeued));
            n_scopes.add_one();
        }
    }
}

/// As deep as that, what is to be dropped is put aside for this very thread, which waits for it.
#[test]
fn a_scope_that_is_opened_deep_in_a_chain_ends() {
    watched(|| {
        let (pool, n_scopes) = (Arc::new(ThreadPool::new(1)), Count::default());
        let gate = busy(&pool);
        let mut head = Link { next: None, scopes: Some((pool.clone(), n_scopes.clone())) };
        for _ in 0..100 {
            let next = pool.submit(move || drop(head)).cancel_on_drop();
            head = Link { next: Some(next), scopes: None };
        }
        drop(head);
        assert_eq!(n_scopes.get(), 1);
        gate.open();
    });
}

/// Each link panics while it is dropped, and cancels the next one before that.
struct Panics(Option<CancelOnDrop<JoinHandle<()>>>, Count);

impl Drop for Panics {
    fn drop(&mut self) {
        drop(self.0.take());
        self.1.add_one();
        panic_quietly("a closure that does not like to be dropped");
    }
}

#[test]
fn a_chain_whose_drops_all_panic_is_cancelled_to_its_end() {
    in_a_process_of_its_own(
        "chains::a_chain_whose_drops_all_panic_is_cancelled_to_its_end",
        || {
            let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
            let _gate = busy(&pool);
            let mut next = None;
            for _ in 0..1000 {
                let link = Panics(next.take(), n_dropped.clone());
                next = Some(pool.submit(move || mem::forget(link)).cancel_on_drop());
            }
            drop(next);
            assert_eq!(n_dropped.get(), 1000);
        },
    );
}

/// A closure that cancels another as it is dropped finds it dropped, as a thread would.
#[test]
fn a_cancel_inside_a_drop_has_dropped_the_closure_when_it_returns() {
    in_a_process_of_its_own(
        "chains::a_cancel_inside_a_drop_has_dropped_the_closure_when_it_returns",
        || {
            struct Looks(JoinHandle<()>, Count);
            impl Drop for Looks {
                fn drop(&mut self) {
                    self.0.cancel();
                    assert_eq!(self.1.get(), 1);
                    self.1.add_one();
                }
            }
            let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
            let _gate = busy(&pool);
            let counts = CountsDrop(n_dropped.clone());
            let looks = Looks(pool.submit(move || drop(counts)), n_dropped.clone());
            pool.submit(move || drop(looks)).cancel();
            assert_eq!(n_dropped.get(), 2);
        },
    );
}

/// Each job submits its successor, and only then returns.
fn succeed(pool: Arc<ThreadPool>, n_left: usize, n_ran: Count) {
    n_ran.add_one();
    if let Some(n_left) = n_left.checked_sub(1) {
        let of_the_next = pool.clone();
        drop(pool.submit(move || succeed(of_the_next, n_left, n_ran)));
    }
}

#[test]
fn jobs_of_a_full_pool_that_submit_their_successors_take_no_stack() {
    in_a_process_of_its_own(
        "chains::jobs_of_a_full_pool_that_submit_their_successors_take_no_stack",
        || {
            let pool = ThreadPool::builder().threads(1).queue_limit(1).build().unwrap();
            let (pool, n_ran, gate) = (Arc::new(pool), Count::default(), Gate::closed());
            let first = pool.submit({
                let (pool, gate, n_ran) = (pool.clone(), gate.clone(), n_ran.clone());
                move || {
                    gate.pass();
                    // A leaf that fills the queue, for as long as this job runs.
                    drop(pool.submit(|| ()));
                    succeed(pool, MANY, n_ran);
                }
            });
            gate.open();
            first.join().unwrap();
            n_ran.reach(MANY + 1);
        },
    );
}

/// A leaf and the successor, as a crawler has it.
fn crawl(pool: &Arc<ThreadPool>, n_left: usize, n_ran: &Count) {
    n_ran.add_one();
    if let Some(n_left) = n_left.checked_sub(1) {
        drop(pool.submit(|| ()));
        let (of_the_next, n_ran) = (pool.clone(), n_ran.clone());
        drop(pool.submit(move || crawl(&of_the_next, n_left, &n_ran)));
    }
}

#[test]
fn a_crawler_on_a_full_pool_takes_no_stack() {
    in_a_process_of_its_own("chains::a_crawler_on_a_full_pool_takes_no_stack", || {
        let pool = ThreadPool::builder().threads(1).queue_limit(1).build().unwrap();
        let (pool, n_ran) = (Arc::new(pool), Count::default());
        crawl(&pool, 1, &n_ran);
        let of_the_first = (pool.clone(), n_ran.clone());
        pool.submit(move || crawl(&of_the_first.0, MANY, &of_the_first.1)).join().unwrap();
        n_ran.reach(MANY + 2);
    });
}

/// The stack that std gives a thread, for the submitter and for the worker.
const STACK: usize = 2 << 20;
const LARGE: usize = 512 << 10;

/// A closure of that size, made where it takes no room of its submitter's own.
#[inline(never)]
fn large() -> impl FnOnce() -> usize + Send {
    let bytes = [1_u8; LARGE];
    move || bytes.len()
}

#[inline(never)]
fn large_with_token() -> impl FnOnce(&CancellationToken) -> usize + Send {
    let bytes = [1_u8; LARGE];
    move |_| bytes.len()
}

fn on_a_usual_stack<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, body);
        spawned.unwrap().join().unwrap()
    })
}

#[test]
fn a_large_closure_is_submitted_from_a_usual_stack() {
    in_a_process_of_its_own("chains::a_large_closure_is_submitted_from_a_usual_stack", || {
        let pool = ThreadPool::builder().threads(1).stack_size(STACK).build().unwrap();
        let length = on_a_usual_stack(|| pool.submit(large()).join().unwrap());
        assert_eq!(length, LARGE);
    });
}

#[test]
fn a_large_closure_with_a_token_is_submitted_from_a_usual_stack() {
    in_a_process_of_its_own(
        "chains::a_large_closure_with_a_token_is_submitted_from_a_usual_stack",
        || {
            let pool = ThreadPool::builder().threads(1).stack_size(STACK).build().unwrap();
            let length = on_a_usual_stack(|| {
                let token = CancellationToken::new();
                pool.submit_with(&token, large_with_token()).join().unwrap()
            });
            assert_eq!(length, LARGE);
        },
    );
}

#[test]
fn a_large_closure_of_a_scope_is_submitted_from_a_usual_stack() {
    in_a_process_of_its_own(
        "chains::a_large_closure_of_a_scope_is_submitted_from_a_usual_stack",
        || {
            let pool = ThreadPool::builder().threads(1).stack_size(STACK).build().unwrap();
            let length = on_a_usual_stack(|| pool.scope(|s| s.submit(large()).join().unwrap()));
            assert_eq!(length, LARGE);
        },
    );
}

#[test]
fn a_large_closure_on_a_thread_of_its_own_is_submitted_from_a_usual_stack() {
    in_a_process_of_its_own(
        "chains::a_large_closure_on_a_thread_of_its_own_is_submitted_from_a_usual_stack",
        || {
            let length = on_a_usual_stack(|| handspun::thread::spawn(large()).join().unwrap());
            assert_eq!(length, LARGE);
        },
    );
}

#[test]
fn a_large_closure_is_cancelled_on_a_usual_stack() {
    in_a_process_of_its_own("chains::a_large_closure_is_cancelled_on_a_usual_stack", || {
        let pool = ThreadPool::new(1);
        let gate: (Held, JoinHandle<()>) = gated(&pool, ());
        on_a_usual_stack(|| {
            let handle = pool.submit(large());
            assert_eq!(handle.cancel(), Cancel::Dequeued);
        });
        drop(gate);
    });
}
