//! An observer hears every step of every job, and disturbs nobody.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use handspun::{Builder, Cancel, CancellationToken, Ending, Shutdown, Step, ThreadPool};

use crate::setup::gated;
use crate::support::{panic_quietly, watched};

/// The steps of each job by its number, in the order in which they happened.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<Told>>>);

/// When, to which job, and what.
type Told = (Instant, usize, Step);

impl Diary {
    fn kept_by(&self, builder: Builder) -> ThreadPool {
        let events = self.0.clone();
        builder
            .observer(move |event| {
                events.lock().unwrap().push((event.when, event.number, event.step));
            })
            .build()
            .unwrap()
    }

    fn steps_of(&self, job: usize) -> Vec<Step> {
        let mut events = self.0.lock().unwrap().clone();
        events.sort_by_key(|told| told.0);
        events.iter().filter(|told| told.1 == job).map(|told| told.2).collect()
    }
}

#[test]
fn a_job_is_submitted_then_begun_then_settled() {
    watched(|| {
        let diary = Diary::default();
        let pool = diary.kept_by(ThreadPool::builder().threads(1));
        pool.submit(|| ()).join().unwrap();
        assert!(pool.submit(|| panic_quietly("on purpose")).join().is_err());
        drop(pool);

        for (job, ending) in [(0, Ending::Returned), (1, Ending::Panicked)] {
            let steps = diary.steps_of(job);
            assert!(matches!(steps[0], Step::Submitted(at) if at.file() == file!()));
            assert_eq!(steps[1..], [Step::Began { worker: 0 }, Step::Settled(ending)]);
        }
    });
}

#[test]
fn a_job_that_never_runs_is_settled_without_having_begun() {
    watched(|| {
        let diary = Diary::default();
        let pool = diary.kept_by(ThreadPool::builder().threads(1));
        let (gate, _first) = gated(&pool, ());
        assert_eq!(pool.submit(|| ()).cancel(), Cancel::Dequeued);
        let _shut_down = pool.submit(|| ());
        let _ = pool.shutdown_timeout(Shutdown::Cancel, std::time::Duration::ZERO);
        let _too_late = pool.submit(|| ());
        gate.open();
        drop(pool);

        for job in 1..=3 {
            let steps = diary.steps_of(job);
            assert_eq!(steps.len(), 2, "{steps:?}");
            assert!(matches!(steps[0], Step::Submitted(_)));
            assert_eq!(steps[1], Step::Settled(Ending::Cancelled));
        }
    });
}

#[test]
fn a_job_that_is_taken_back_begins_on_the_worker_that_waits_for_it() {
    watched(|| {
        let diary = Diary::default();
        let pool = Arc::new(diary.kept_by(ThreadPool::builder().threads(1)));
        let outer = pool.submit({
            let pool = pool.clone();
            move || pool.submit(|| 7).join().unwrap()
        });
        assert_eq!(outer.join().unwrap(), 7);
        assert_eq!(diary.steps_of(1)[1], Step::Began { worker: 0 });
    });
}

#[test]
fn an_observer_that_panics_disturbs_nobody() {
    watched(|| {
        let builder = ThreadPool::builder().threads(1);
        let pool = builder.observer(|_| panic_quietly("a bad observer")).build().unwrap();
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
        assert_eq!(pool.submit(|| 8).join().unwrap(), 8);
    });
}

#[test]
fn a_job_whose_token_keeps_it_from_beginning_is_not_said_to_have_begun() {
    watched(|| {
        let diary = Diary::default();
        let pool = diary.kept_by(ThreadPool::builder().threads(1));
        let token = CancellationToken::new();
        token.cancel();
        assert!(pool.submit_with(&token, |_| ()).join().is_err());
        assert_eq!(diary.steps_of(0)[1..], [Step::Settled(Ending::Cancelled)]);
    });
}
