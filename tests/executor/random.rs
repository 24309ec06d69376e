//! Random programs: tasks that spawn, sleep, cancel, panic and wait for each other, as rng decide.
//!
//! Knows nothing of what a program is good for. What must always hold: it ends; everything that was born in it is
//! dropped once; and the same seed gives the same program, whose run is the same where no threads take part.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{self, Sender};
use std::task::Waker;
use std::thread;

use handspun::{
    Clock, Executor, JoinError, Remote, TaskGroup, as_completed, map_concurrent, sleep, spawn,
    timeout, yield_now,
};

use crate::rng::Rng;
use crate::setup::{Log, OnDrop, Tally, hands_out, millis};
use crate::support::{panic_quietly, watched};

/// What all tasks of one program share.
struct World {
    born: Tally,
    gone: Tally,
    /// Who did what, and when by the clock.
    log: Log<(u64, usize, std::time::Instant)>,
    /// Those who wake from other threads, and spawn from there; if they take part.
    afar: Option<(Sender<Waker>, Remote)>,
}

type Act = Pin<Box<dyn Future<Output = u64>>>;

/// A task with a name, rng of its own, and so many generations to come.
fn act(world: &Rc<World>, rng: &mut Rng, depth: usize) -> Act {
    let (world, mut rng) = (world.clone(), rng.split());
    world.born.add_one();
    let gone = world.gone.clone();
    let leaves = OnDrop(move || gone.add_one());
    Box::pin(async move {
        let _leaves = leaves;
        let name = rng.throw();
        for _ in 0..1 + rng.below(4) {
            let deed = rng.below(if depth > 0 { 10 } else { 4 });
            world.log.add((name, deed, Clock::current().now()));
            match deed {
                0 => yield_now().await,
                1 => sleep(millis(rng.below(5) as u64)).await,
                2 => wake_from_afar(&world, &mut rng).await,
                3 if rng.one_in(4) => panic_quietly("as the rng have it"),
                _ => with_children(&world, &mut rng, depth - depth.min(1), deed).await,
            }
        }
        name
    })
}

async fn wake_from_afar(world: &World, rng: &mut Rng) {
    let Some((wakers, remote)) = &world.afar else { return };
    if rng.one_in(2) {
        return hands_out(wakers.clone(), 1 + rng.below(3)).await;
    }
    let task = remote.spawn(|| async { 7 });
    let is_unwanted = rng.one_in(3) && task.cancel();
    match task.await {
        Ok(n) => assert_eq!((n, is_unwanted), (7, false)),
        Err(error) => assert!(is_unwanted && matches!(error, JoinError::Cancelled(_))),
    }
}

async fn with_children(world: &Rc<World>, rng: &mut Rng, depth: usize, deed: usize) {
    let children: Vec<_> = (0..1 + rng.below(3)).map(|_| act(world, rng, depth)).collect();
    match deed {
        4 => children.into_iter().map(spawn).for_each(drop),
        5 => {
            let mut completed = as_completed(children.into_iter().map(spawn));
            while completed.next().await.is_some() {}
        }
        6 => {
            let tasks: Vec<_> = children.into_iter().map(spawn).collect();
            sleep(millis(rng.below(3) as u64)).await;
            let over = tasks.iter().filter(|task| !task.cancel()).count();
            assert_eq!(
                tasks.iter().filter(|task| task.is_finished()).count(),
                tasks.len(),
                "{over}"
            );
        }
        7 => {
            let group = if rng.one_in(2) { TaskGroup::new() } else { TaskGroup::supervising() };
            let members: Vec<_> = children.into_iter().map(|child| group.spawn(child)).collect();
            if rng.one_in(3) {
                drop(group);
            } else if let Ok(ended) = timeout(millis(rng.below(9) as u64), group.join()).await {
                drop(ended);
            }
            assert!(members.iter().all(|member| !member.cancel()), "all are over");
        }
        8 => {
            let all = handspun::join_all(children.into_iter().map(spawn));
            drop(timeout(millis(rng.below(6) as u64), all).await);
        }
        _ => {
            let mut names = map_concurrent(children, 1 + rng.below(2), async |child| child.await);
            while names.next().await.is_some() && !rng.one_in(4) {}
        }
    }
}

/// Who did what, in a run of the program of that seed.
fn trace_of(seed: u64, with_threads: bool) -> Vec<(u64, usize, u128)> {
    let clock = Clock::jumping();
    let began = clock.now();
    let executor = Executor::builder().clock(clock).seed(seed).panic_hook(|_| ()).build();
    let (sender, wakers) = mpsc::channel::<Waker>();
    let waking = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
    let afar = with_threads.then(|| (sender, executor.remote()));
    let (born, gone, log) = (Tally::default(), Tally::default(), Log::new());
    let world = Rc::new(World { born: born.clone(), gone: gone.clone(), log: log.clone(), afar });
    let mut rng = Rng::of_seed(seed);
    let ended = executor.try_run(async {
        let tasks: Vec<_> = (0..10).map(|_| spawn(act(&world, &mut rng, 3))).collect();
        handspun::join_all(tasks).await;
    });
    ended.unwrap();
    drop((executor, world));
    waking.join().unwrap();
    assert_eq!(born.get(), gone.get(), "what was born has gone");
    log.take()
        .into_iter()
        .map(|(name, deed, when)| (name, deed, (when - began).as_nanos()))
        .collect()
}

/// Runs it in a thread that is called after its seed, so that a failure and a hang say which it was.
fn each_seed(seeds: std::ops::Range<u64>, run: fn(u64)) {
    for seed in seeds {
        let named = thread::Builder::new().name(format!("the random program of seed {seed}"));
        let ended = named.spawn(move || watched(|| run(seed))).unwrap().join();
        assert!(ended.is_ok(), "seed {seed} has failed");
    }
}

/// A26, A41, A59.
#[test]
fn random_programs_end_leave_nothing_and_can_be_repeated() {
    each_seed(0..150, |seed| assert_eq!(trace_of(seed, false), trace_of(seed, false)));
}

/// A14, A16, A17.
#[test]
fn random_programs_that_are_woken_from_afar_end_and_leave_nothing() {
    each_seed(1000..1150, |seed| assert!(!trace_of(seed, true).is_empty()));
}
