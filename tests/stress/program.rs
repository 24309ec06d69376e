//! One program: a pool, some threads that use it at random, and the sums that must come out.
//!
//! Knows nothing of how often and for how long. What must always hold: all that is decided beforehand
//! is decided by the seed. How the threads take turns is not, and so two runs of one program may
//! differ in what they come to, never in the sums.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use handspun::{CancellationToken, Ending, JoinError, Shutdown, Step, ThreadPool, TraceEvent};

use crate::actor::Actor;
use crate::jobs::{Fixture, WORKERS};
use crate::records::{Number, Payload, Records};
use crate::rng::Rng;
use crate::support::{panic_quietly, threads_named, until};

/// Runs the program of this seed, and gives its records.
///
/// # Panics
///
/// If anything is wrong.
pub(crate) fn run(seed: u64) -> Arc<Records> {
    let (mut rng, records, heard): (_, _, Arc<Heard>) =
        (Rng::of_seed(seed), Records::new(), Arc::default());
    let fixture = Arc::new(build(&mut rng, &records, &heard));
    let (has_deadlines, outlives) = (fixture.has_deadlines, rng.one_in(2));

    let root = CancellationToken::new();
    let n_users = 1 + rng.below(4);
    let ends_early = rng.one_in(2);
    let users: Vec<_> =
        (0..n_users).map(|_| Actor::outside(fixture.clone(), &root, rng.split())).collect();
    let kept = outlives.then_some(fixture);
    thread::scope(|scope| {
        for (number, mut user) in users.into_iter().enumerate() {
            scope.spawn(move || {
                user.act(5, 40);
                if ends_early && number == 0 {
                    user.end_the_pool();
                    user.act(1, 10);
                }
                drop(user.leave());
            });
        }
    });

    if let Some(fixture) = kept {
        fixture.pool.shutdown(Shutdown::Drain).expect("we are not on a worker");
        if has_deadlines {
            // The alarm's thread may be in the middle of cancelling.
            until(|| Arc::strong_count(&fixture) == 1 && is_all_over(&records, &heard));
        }
        let stats = fixture.pool.stats();
        assert_eq!(Arc::strong_count(&fixture), 1, "a job has been left");
        assert_eq!((stats.queued, stats.running), (0, 0), "{stats:?}");
        assert_eq!((stats.threads, stats.idle), (0, 0), "{stats:?}");
        assert_eq!(stats.submitted, n_submitted(&records), "{stats:?}");
        assert_eq!(stats.settled, stats.submitted, "{stats:?}");
        assert!(matches!(fixture.pool.submit(|| ()).join(), Err(JoinError::Cancelled(_))));
        records.submitted.add(1);
    } else {
        // Its last owner may have been a job of its own, and nobody can join the workers then.
        until(|| records.payloads_left() == 0 && is_all_over(&records, &heard));
    }
    if has_deadlines {
        // The alarm's thread lets go of the last job a moment after that has settled.
        until(|| records.payloads_left() == 0);
    }
    // A thread that has been joined is on the system's list for a moment still.
    until(|| threads_named(WORKERS).is_empty());
    assert_eq!(records.payloads_left(), 0, "somebody still has what was handed to the pool");
    check(&records, &heard);
    records
}

fn build(rng: &mut Rng, records: &Arc<Records>, heard: &Arc<Heard>) -> Fixture {
    let most = 1 + rng.below(8);
    let mut builder = ThreadPool::builder().threads(most).name(WORKERS);
    if rng.one_in(3) {
        builder = builder.queue_limit(1 + rng.below(6));
    }
    if rng.one_in(2) {
        builder = builder.spin_limit(Duration::ZERO);
    }
    if rng.one_in(2) {
        let (records, payload) = (records.clone(), Payload::new(records));
        let panics_at = if rng.one_in(4) { rng.below(most) } else { usize::MAX };
        builder = builder.on_start(move |number| {
            let _ = &payload;
            if number == panics_at {
                records.note("on_start panicked");
                panic_quietly("on_start");
            }
            records.note("on_start");
        });
    }
    let (hears, payload) = (records.clone(), Payload::new(records));
    builder = builder.panic_hook(move |panic| {
        // What the hook keeps is dropped with the pool's last part.
        let _ = &payload;
        hears.hear(panic);
    });
    let pool = builder.observer(observer(records.clone(), heard.clone())).build().unwrap();
    Fixture { pool, records: records.clone(), has_deadlines: rng.one_in(2) }
}

/// How many jobs the observer has heard of, by what became of them.
#[derive(Default)]
struct Heard {
    submitted: Number,
    began: Number,
    returned: Number,
    panicked: Number,
    cancelled: Number,
}

impl Heard {
    fn n_settled(&self) -> usize {
        self.returned.get() + self.panicked.get() + self.cancelled.get()
    }
}

fn observer(
    records: Arc<Records>,
    heard: Arc<Heard>,
) -> impl Fn(&TraceEvent) + Send + Sync + 'static {
    move |event| match event.step {
        Step::Submitted(at) => {
            if at.file().ends_with("maps.rs") {
                records.in_maps.add(1);
            }
            heard.submitted.add(1);
        }
        Step::Began { .. } => heard.began.add(1),
        Step::Settled(Ending::Returned) => heard.returned.add(1),
        Step::Settled(Ending::Panicked) => heard.panicked.add(1),
        Step::Settled(Ending::Cancelled) => heard.cancelled.add(1),
        step @ (Step::Settled(_) | _) => {
            records.complain(format!("a job has no such step: {step:?}"))
        }
    }
}

fn n_submitted(records: &Records) -> usize {
    records.submitted.get() + records.in_maps.get()
}

fn is_all_over(records: &Records, heard: &Heard) -> bool {
    heard.submitted.get() == n_submitted(records) && heard.n_settled() == n_submitted(records)
}

fn check(records: &Records, heard: &Heard) {
    assert_eq!(records.complaints(), [""; 0]);
    assert_eq!(
        (heard.submitted.get(), heard.n_settled()),
        (n_submitted(records), n_submitted(records))
    );
    assert_eq!(heard.began.get(), heard.returned.get() + heard.panicked.get());
    assert_eq!(heard.panicked.get(), records.panicked.get());
    let returned_in_maps = heard.returned.get() - records.returned.get();
    assert!(returned_in_maps <= records.in_maps.get(), "{returned_in_maps}");

    let noticed = records.panics_read.get() + records.panics_heard.get();
    let at_least = records.panicked.get().saturating_sub(records.lost_at_most.get());
    assert!((at_least..=records.panicked.get()).contains(&noticed), "{noticed} noticed");
    assert_eq!(records.call_panics_noticed.get(), records.calls_panicked.get());
}
