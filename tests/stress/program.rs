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
use crate::books::{Books, EXIT_PANICS, Number, Payload};
use crate::dice::Dice;
use crate::jobs::{House, WORKERS};
use crate::support::{panic_quietly, threads_named, until};

/// Runs the program of this seed, and gives its books.
///
/// # Panics
///
/// If anything is wrong.
pub(crate) fn run(seed: u64) -> Arc<Books> {
    let (mut dice, books, heard): (_, _, Arc<Heard>) =
        (Dice::of_seed(seed), Books::new(), Arc::default());
    let house = Arc::new(build(&mut dice, &books, &heard));
    let (has_deadlines, outlives) = (house.has_deadlines, dice.one_in(2));

    let root = CancellationToken::new();
    let n_users = 1 + dice.below(4);
    let ends_early = dice.one_in(2);
    let users: Vec<_> =
        (0..n_users).map(|_| Actor::outside(house.clone(), &root, dice.split())).collect();
    let kept = outlives.then_some(house);
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

    if let Some(house) = kept {
        house.pool.shutdown(Shutdown::Drain).expect("we are not on a worker");
        if has_deadlines {
            // The alarm's thread may be in the middle of cancelling.
            until(|| Arc::strong_count(&house) == 1 && is_all_over(&books, &heard));
        }
        let stats = house.pool.stats();
        assert_eq!(Arc::strong_count(&house), 1, "a job has been left");
        assert_eq!((stats.queued, stats.running), (0, 0), "{stats:?}");
        assert_eq!((stats.threads, stats.idle), (0, 0), "{stats:?}");
        assert_eq!(stats.submitted, n_submitted(&books), "{stats:?}");
        assert_eq!(stats.settled, stats.submitted, "{stats:?}");
        assert!(matches!(house.pool.submit(|| ()).join(), Err(JoinError::Cancelled(_))));
        books.submitted.add(1);
    } else {
        // Its last owner may have been a job of its own, and nobody can join the workers then.
        until(|| books.payloads_left() == 0 && is_all_over(&books, &heard));
    }
    if has_deadlines {
        // The alarm's thread lets go of the last job a moment after that has settled.
        until(|| books.payloads_left() == 0);
    }
    // A thread that has been joined is on the system's list for a moment still.
    until(|| threads_named(WORKERS).is_empty());
    assert_eq!(books.payloads_left(), 0, "somebody still has what was handed to the pool");
    check(&books, &heard);
    books
}

fn build(dice: &mut Dice, books: &Arc<Books>, heard: &Arc<Heard>) -> House {
    let most = 1 + dice.below(8);
    let mut builder = ThreadPool::builder().threads(most).name(WORKERS);
    let is_bounded = dice.one_in(3);
    if is_bounded {
        builder = builder.queue_limit(1 + dice.below(6));
    }
    if dice.one_in(2) {
        builder = builder.spin(Duration::ZERO);
    }
    if dice.one_in(2) {
        let (books, payload) = (books.clone(), Payload::new(books));
        let panics_at = if dice.one_in(4) { dice.below(most) } else { usize::MAX };
        builder = builder.on_start(move |number| {
            let _ = &payload;
            if number == panics_at {
                books.note("on_start panicked");
                panic_quietly("on_start");
            }
            books.note("on_start");
        });
    }
    if dice.one_in(2) {
        let (books, panics_at) = (books.clone(), dice.below(2 * most));
        builder = builder.on_exit(move |number| {
            books.note("on_exit");
            if number == panics_at {
                books.exits_panicked.add(1);
                panic_quietly(EXIT_PANICS);
            }
        });
    }
    let (hears, payload) = (books.clone(), Payload::new(books));
    builder = builder.panic_hook(move |panic| {
        // What the hook keeps is dropped with the pool's last part.
        let _ = &payload;
        hears.hear(panic);
    });
    let pool = builder.observer(observer(books.clone(), heard.clone())).build().unwrap();
    House { pool, books: books.clone(), is_bounded, has_deadlines: dice.one_in(2) }
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

fn observer(books: Arc<Books>, heard: Arc<Heard>) -> impl Fn(&TraceEvent) + Send + Sync + 'static {
    move |event| match event.step {
        Step::Submitted(at) => {
            if at.file().ends_with("maps.rs") {
                books.in_maps.add(1);
            }
            heard.submitted.add(1);
        }
        Step::Began { .. } => heard.began.add(1),
        Step::Settled(Ending::Returned) => heard.returned.add(1),
        Step::Settled(Ending::Panicked) => heard.panicked.add(1),
        Step::Settled(Ending::Cancelled) => heard.cancelled.add(1),
        step @ (Step::Settled(_) | Step::SlowPoll { .. } | _) => {
            books.complain(format!("a job has no such step: {step:?}"))
        }
    }
}

fn n_submitted(books: &Books) -> usize {
    books.submitted.get() - books.turned_away.get() + books.in_maps.get()
}

fn is_all_over(books: &Books, heard: &Heard) -> bool {
    books.callbacks.get() == books.callbacks_called.get()
        && heard.submitted.get() == n_submitted(books)
        && heard.n_settled() == n_submitted(books)
}

fn check(books: &Books, heard: &Heard) {
    assert_eq!(books.complaints(), [""; 0]);
    assert_eq!(
        (heard.submitted.get(), heard.n_settled()),
        (n_submitted(books), n_submitted(books))
    );
    assert_eq!(heard.began.get(), heard.returned.get() + heard.panicked.get());
    assert_eq!(heard.panicked.get(), books.panicked.get());
    let returned_in_maps = heard.returned.get() - books.returned.get();
    assert!(returned_in_maps <= books.in_maps.get(), "{returned_in_maps}");

    let noticed = books.panics_read.get() + books.panics_heard.get();
    let at_least = books.panicked.get().saturating_sub(books.lost_at_most.get());
    assert!((at_least..=books.panicked.get()).contains(&noticed), "{noticed} noticed");
    assert_eq!(books.call_panics_noticed.get(), books.calls_panicked.get());
    assert_eq!(books.callbacks_called.get(), books.callbacks.get());
    assert_eq!(books.callback_panics_heard.get(), books.callbacks_panicked.get());
    assert_eq!(books.exit_panics_heard.get(), books.exits_panicked.get());
}
