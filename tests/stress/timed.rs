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
    as_completed, block_on, interval, join_all, run, sleep, sleep_until, spawn, timeout, yield_now,
};

use crate::dice::Dice;

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
    let mut dice = Dice::of_seed(seed);
    let clock = if dice.one_in(2) { Clock::jumping() } else { Clock::real() };
    let mut builder = Executor::builder().clock(clock.clone());
    if dice.one_in(2) {
        builder = builder.seed(dice.throw());
    }
    let (executor, pool) = (builder.build(), Arc::new(ThreadPool::new(1 + dice.below(3))));
    let world = Rc::new(World { pool: pool.clone(), clock: clock.clone() });
    let mut shelf = Shelf::new();
    for _ in 0..1 + dice.below(3) {
        let before = submitted_elsewhere(&pool, &mut dice);
        let leftover = executor.spawn(act(&world, &mut dice, 1));
        shelf = executor.run(a_run(world.clone(), dice.split(), shelf, before));
        if dice.one_in(2) {
            drop(leftover);
        }
        if clock.is_real_in_tests() && dice.one_in(2) {
            shelf.join_next(); // The alarm has the timers.
        }
    }
    let rest = dice.one_in(2).then_some(executor);
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
fn submitted_elsewhere(pool: &Arc<ThreadPool>, dice: &mut Dice) -> JoinHandle<()> {
    let n_yields = dice.below(200);
    let job = move || (0..n_yields).for_each(|_| thread::yield_now());
    let submits = pool.clone();
    match dice.below(4) {
        0 => pool.submit(job),
        1 => thread::spawn(move || submits.submit(job)).join().unwrap(),
        2 => pool.submit(move || submits.submit(job)).join().unwrap(),
        _ => handspun::thread::spawn(job),
    }
}

async fn a_run(
    world: Rc<World>,
    mut dice: Dice,
    mut shelf: Shelf,
    before: JoinHandle<()>,
) -> Shelf {
    let tasks: Vec<_> = (0..1 + dice.below(5)).map(|_| spawn(act(&world, &mut dice, 2))).collect();
    assert!(timeout(HOUR, before).await.is_ok(), "an hour has passed for a job");
    for _ in 0..dice.below(4) {
        shelf.add(timed(&mut dice));
    }
    while dice.one_in(2) && shelf.unfinished() > 0 {
        // A wait that is shorter than what its member waits for, again and again.
        let _ = timeout(micros(&mut dice), shelf.next()).await;
    }
    if dice.one_in(2) {
        join_all(tasks).await.into_iter().for_each(|ended| ended.unwrap());
    }
    shelf
}

/// A task: a few deeds, and sometimes tasks of its own.
fn act(world: &Rc<World>, dice: &mut Dice, depth: usize) -> Boxed {
    let (world, mut dice) = (world.clone(), dice.split());
    Box::pin(async move {
        for _ in 0..1 + dice.below(4) {
            match dice.below(if depth > 0 { 10 } else { 9 }) {
                0 => yield_now().await,
                1 => sleeps(&world, &mut dice).await,
                2 => blocks_for_sleeps(&mut dice),
                3 => awaits_a_job(&world, &mut dice).await,
                4 => has_a_deadline(&world, &mut dice).await,
                5 => ticks(&mut dice).await,
                6 => timed(&mut dice).await,
                7 => block_on(timed(&mut dice)),
                8 => wakes_from_a_run_of_its_own(&world, &mut dice).await,
                _ => drop(timeout(micros(&mut dice), act(&world, &mut dice, depth - 1)).await),
            }
        }
    })
}

fn micros(dice: &mut Dice) -> Duration {
    Duration::from_micros(dice.below(400) as u64)
}

async fn sleeps(world: &World, dice: &mut Dice) {
    let (began, length) = (world.clock.now(), micros(dice));
    if dice.one_in(2) {
        sleep(length).await
    } else {
        sleep_until(began + length).await
    }
    assert!(world.clock.now() >= began + length, "a sleep was over before its time");
}

fn blocks_for_sleeps(dice: &mut Dice) {
    let mut sleeps = as_completed((0..3).map(|_| sleep(micros(dice))));
    if dice.one_in(2) {
        let _ = sleeps.join_next_timeout(micros(dice));
    }
    sleeps.for_each(drop);
}

async fn awaits_a_job(world: &World, dice: &mut Dice) {
    let job = submitted_elsewhere(&world.pool, dice);
    match dice.below(3) {
        0 => assert!(timeout(HOUR, job).await.is_ok(), "an hour has passed for a job"),
        1 => job.join().unwrap(),
        _ => drop(timeout(micros(dice), job).await),
    }
}

/// A job that is queued, runs or has ended when its token's time is over.
async fn has_a_deadline(world: &World, dice: &mut Dice) {
    let token = CancellationToken::with_timeout(micros(dice));
    // Between two runs a jumping clock stands still, and so would the job.
    let naps = dice.one_in(2) && world.clock.is_real_in_tests();
    let job = world.pool.submit_with(&token, move |token| {
        while naps && token.check().is_ok() {
            let _ = token.sleep(Duration::from_micros(50));
        }
    });
    let ended = if dice.one_in(2) { job.await } else { job.join() };
    match ended {
        Ok(()) => {}
        Err(JoinError::Cancelled(_)) => assert!(token.is_cancelled(), "cancelled by nothing else"),
        Err(JoinError::Panicked(panic)) => panic.resume(),
    }
}

async fn ticks(dice: &mut Dice) {
    let mut ticks = interval(Duration::from_micros(1 + dice.below(100) as u64));
    let first = ticks.tick().await;
    for _ in 0..dice.below(4) {
        let _ = timeout(micros(dice), ticks.tick()).await;
    }
    assert!(ticks.tick().await >= first);
}

/// Something that is over in time: timeouts in timeouts, a token, or a sleep.
fn timed(dice: &mut Dice) -> Boxed {
    let (length, outer, inner) = (micros(dice), micros(dice), micros(dice));
    match dice.below(4) {
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
async fn wakes_from_a_run_of_its_own(world: &World, dice: &mut Dice) {
    let length = micros(dice);
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
