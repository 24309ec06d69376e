//! One program about time: tasks, jobs and threads that wait with deadlines, in an executor that runs several times.
//!
//! Knows nothing of how often. What must always hold: every wait ends; none ends before its time; and what ends in
//! less than a minute of real time never loses against a timeout of an hour, whatever clock there is.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use handspun::{
    AsCompleted, CancellationToken, Clock, Executor, JoinError, JoinHandle, ThreadPool,
    as_completed, block_on, join_all, run, sleep, sleep_until, spawn, timeout, yield_now,
};

use crate::rng::Rng;

const HOUR: Duration = Duration::from_secs(3600);

type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// What outlives the runs: futures that have been polled in one, and are waited for in the next or outside.
type Shelf = AsCompleted<Boxed>;

struct World {
    pool: Arc<ThreadPool>,
    clock: Clock,
}

/// Runs the program of this seed.
///
/// # Panics
///
/// If anything is wrong.
pub(crate) fn run_program(seed: u64) {
    let mut rng = Rng::of_seed(seed);
    let clock = if rng.one_in(2) { Clock::jumping() } else { Clock::real() };
    let mut builder = Executor::builder().clock(clock.clone());
    if rng.one_in(2) {
        builder = builder.seed(rng.throw());
    }
    let (executor, pool) = (builder.build(), Arc::new(ThreadPool::new(1 + rng.below(3))));
    let world = Rc::new(World { pool: pool.clone(), clock: clock.clone() });
    let mut shelf = Shelf::new();
    for _ in 0..1 + rng.below(3) {
        let before = submitted_elsewhere(&pool, &mut rng);
        let leftover = executor.spawn(act(&world, &mut rng, 1));
        shelf = executor.run(a_run(world.clone(), rng.split(), shelf, before));
        if rng.one_in(2) {
            drop(leftover);
        }
        if clock.is_real_in_tests() && rng.one_in(2) {
            shelf.join_next(); // The alarm has the timers.
        }
    }
    let rest = rng.one_in(2).then_some(executor);
    if clock.is_real_in_tests() {
        shelf.by_ref().for_each(drop);
    } else if let Some(executor) = &rest {
        executor.run(async { while shelf.next().await.is_some() {} });
    }
}

/// Whether time passes by itself; a clock does not say, but for its name.
trait IsReal {
    fn is_real_in_tests(&self) -> bool;
}

impl IsReal for Clock {
    fn is_real_in_tests(&self) -> bool {
        format!("{self:?}").contains("real")
    }
}

/// A job that no executor has seen: of this thread, of another, or of another job.
fn submitted_elsewhere(pool: &Arc<ThreadPool>, rng: &mut Rng) -> JoinHandle<()> {
    let n_yields = rng.below(200);
    let job = move || (0..n_yields).for_each(|_| thread::yield_now());
    let submits = pool.clone();
    match rng.below(4) {
        0 => pool.submit(job),
        1 => thread::spawn(move || submits.submit(job)).join().unwrap(),
        2 => pool.submit(move || submits.submit(job)).join().unwrap(),
        _ => handspun::thread::spawn(job),
    }
}

async fn a_run(world: Rc<World>, mut rng: Rng, mut shelf: Shelf, before: JoinHandle<()>) -> Shelf {
    let tasks: Vec<_> = (0..1 + rng.below(5)).map(|_| spawn(act(&world, &mut rng, 2))).collect();
    assert!(timeout(HOUR, before).await.is_ok(), "an hour has passed for a job");
    for _ in 0..rng.below(4) {
        shelf.add(timed(&mut rng));
    }
    while rng.one_in(2) && shelf.unfinished() > 0 {
        // A wait that is shorter than what its member waits for, again and again.
        let _ = timeout(micros(&mut rng), shelf.next()).await;
    }
    if rng.one_in(2) {
        join_all(tasks).await.into_iter().for_each(|ended| ended.unwrap());
    }
    shelf
}

/// A task: a few deeds, and sometimes tasks of its own.
fn act(world: &Rc<World>, rng: &mut Rng, depth: usize) -> Boxed {
    let (world, mut rng) = (world.clone(), rng.split());
    Box::pin(async move {
        for _ in 0..1 + rng.below(4) {
            match rng.below(if depth > 0 { 10 } else { 9 }) {
                0 => yield_now().await,
                1 => sleeps(&world, &mut rng).await,
                2 => blocks_for_sleeps(&mut rng),
                3 => awaits_a_job(&world, &mut rng).await,
                4 => has_a_deadline(&world, &mut rng).await,
                5 => ticks(&mut rng).await,
                6 => timed(&mut rng).await,
                7 => block_on(timed(&mut rng)),
                8 => wakes_from_a_run_of_its_own(&world, &mut rng).await,
                _ => drop(timeout(micros(&mut rng), act(&world, &mut rng, depth - 1)).await),
            }
        }
    })
}

fn micros(rng: &mut Rng) -> Duration {
    Duration::from_micros(rng.below(400) as u64)
}

async fn sleeps(world: &World, rng: &mut Rng) {
    let (began, length) = (world.clock.now(), micros(rng));
    if rng.one_in(2) {
        sleep(length).await
    } else {
        sleep_until(began + length).await
    }
    assert!(world.clock.now() >= began + length, "a sleep was over before its time");
}

fn blocks_for_sleeps(rng: &mut Rng) {
    let mut sleeps = as_completed((0..3).map(|_| sleep(micros(rng))));
    if rng.one_in(2) {
        let mut timed = sleeps.timeout(micros(rng));
        let _ = timed.next();
        sleeps = timed.into_inner();
    }
    sleeps.for_each(drop);
}

async fn awaits_a_job(world: &World, rng: &mut Rng) {
    let job = submitted_elsewhere(&world.pool, rng);
    match rng.below(3) {
        0 => assert!(timeout(HOUR, job).await.is_ok(), "an hour has passed for a job"),
        1 => job.join().unwrap(),
        _ => drop(timeout(micros(rng), job).await),
    }
}

/// A job that is queued, runs or has ended when its token's time is over.
async fn has_a_deadline(world: &World, rng: &mut Rng) {
    let token = CancellationToken::with_timeout(micros(rng));
    // Between two runs a jumping clock stands still, and so would the job.
    let naps = rng.one_in(2) && world.clock.is_real_in_tests();
    let job = world.pool.submit_with(&token, move |token| {
        while naps && token.check().is_ok() {
            let _ = token.sleep(Duration::from_micros(50));
        }
    });
    let ended = if rng.one_in(2) { job.await } else { job.join() };
    match ended {
        Ok(()) => {}
        Err(JoinError::Cancelled(_)) => assert!(token.is_cancelled(), "cancelled by nothing else"),
        Err(JoinError::Panicked(panic)) => panic.resume(),
    }
}

async fn ticks(rng: &mut Rng) {
    let period = Duration::from_micros(1 + rng.below(100) as u64);
    let (clock, mut next) = (Clock::current(), Clock::current().now());
    for _ in 0..rng.below(4) {
        let _ = timeout(micros(rng), sleep_until(next)).await;
        next += period;
    }
    sleep_until(next).await;
    assert!(clock.now() >= next);
}

/// Something that is over in time: timeouts in timeouts, a token, or a sleep.
fn timed(rng: &mut Rng) -> Boxed {
    let (length, outer, inner) = (micros(rng), micros(rng), micros(rng));
    match rng.below(4) {
        0 => Box::pin(sleep(length)),
        1 => Box::pin(async move {
            let _ = timeout(outer, timeout(inner, std::future::pending::<()>())).await;
        }),
        2 => {
            let token = CancellationToken::with_timeout(length);
            Box::pin(async move { drop(timeout(outer, token.cancelled()).await) })
        }
        _ => Box::pin(async move {
            let _ = timeout(outer, join_all([sleep(length), sleep(inner)])).await;
        }),
    }
}

/// Another thread runs an executor, and tells a task here when it is done.
async fn wakes_from_a_run_of_its_own(world: &World, rng: &mut Rng) {
    let length = micros(rng);
    let (send, done) = mpsc::channel();
    let there = thread::spawn(move || {
        let began = Instant::now();
        run(sleep(length));
        assert!(began.elapsed() >= length, "a sleep was over before its time");
        send.send(()).unwrap();
    });
    let told = world.pool.submit(move || done.recv());
    assert!(timeout(HOUR, told).await.is_ok(), "an hour has passed for a job");
    there.join().unwrap();
}
