//! Counts what a pool does: how many jobs came to which end, how long they were queued and how long they ran.
//!
//! Knows nothing of the jobs. What must always hold: a meter remembers a job until it has settled, and then
//! its counts only; and the caller that has a job's result finds the job counted, since a job's last event
//! is emitted before its handle settles.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use handspun::{Ending, Step, TraceEvent, What};
use hdrhistogram::Histogram;

/// A clone is another handle of the same meter.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    shared: Arc<Mutex<Counts>>,
}

/// What a meter has counted.
#[derive(Clone)]
pub(crate) struct Counts {
    /// What is known of the jobs that are not over, by their numbers.
    open: HashMap<usize, Life>,
    pub(crate) returned: usize,
    pub(crate) panicked: usize,
    pub(crate) cancelled: usize,
    /// From the submission to the beginning, of the jobs that ran, in nanoseconds.
    pub(crate) queued: Histogram<u64>,
    /// From the beginning to the end.
    pub(crate) ran: Histogram<u64>,
}

/// Events of different threads come in any order: a job may begin before its submission is heard of.
#[derive(Clone, Copy, Default)]
struct Life {
    submitted: Option<Instant>,
    began: Option<Instant>,
    settled: Option<(Instant, Ending)>,
}

impl Meter {
    /// The callback for `Builder::observer`. Job 0 of one pool is not job 0 of another, so each pool needs
    /// a meter of its own.
    pub(crate) fn observer(&self) -> impl Fn(&TraceEvent<'_>) + Send + Sync + use<> + 'static {
        let meter = self.clone();
        move |event| {
            if event.what == What::Job {
                // Nothing in `hear` panics halfway, so what another thread left behind is whole.
                meter.shared.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
            }
        }
    }

    /// A copy of what has been counted so far.
    pub(crate) fn read(&self) -> Counts {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Counts {
    fn default() -> Self {
        // Two digits are right, of a nanosecond and of an hour; what it takes up grows with the longest.
        let histogram = || Histogram::new(2).expect("up to five digits are possible");
        let (queued, ran) = (histogram(), histogram());
        Self { open: HashMap::new(), returned: 0, panicked: 0, cancelled: 0, queued, ran }
    }
}

impl Counts {
    fn hear(&mut self, event: &TraceEvent<'_>) {
        let life = self.open.entry(event.number).or_default();
        match event.step {
            Step::Submitted(_) => life.submitted = Some(event.when),
            Step::Began { .. } => life.began = Some(event.when),
            Step::Settled(ending) => life.settled = Some((event.when, ending)),
            _ => {} // Not known here.
        }
        let Life { submitted: Some(submitted), began, settled: Some((settled, ending)) } = *life
        else {
            return; // There is more to come of this job.
        };
        self.open.remove(&event.number);
        *match ending {
            Ending::Returned => &mut self.returned,
            Ending::Panicked => &mut self.panicked,
            Ending::Cancelled | Ending::Killed | _ => &mut self.cancelled,
        } += 1;
        if let Some(began) = began {
            record(&mut self.queued, began.saturating_duration_since(submitted));
            record(&mut self.ran, settled.saturating_duration_since(began));
        }
    }

    /// How many jobs are queued, and how many run.
    pub(crate) fn unfinished(&self) -> (usize, usize) {
        let n_running = self.open.values().filter(|life| life.began.is_some()).count();
        (self.open.len() - n_running, n_running)
    }
}

fn record(times: &mut Histogram<u64>, time: Duration) {
    let nanos = time.as_nanos() as u64; // Centuries fit into it.
    times.record(nanos).expect("a histogram grows as it needs to");
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use handspun::{Builder, Executor, ThreadPool};

    use super::*;

    fn observed(meter: &Meter) -> Builder {
        ThreadPool::builder().threads(2).observer(meter.observer())
    }

    #[test]
    fn a_job_that_was_joined_has_been_counted() {
        let meter = Meter::default();
        let pool = observed(&meter).build().expect("two threads can be started");
        for n in 1..=1000 {
            assert!(pool.submit(|| ()).join().is_ok());
            assert_eq!((meter.read().returned, meter.read().unfinished()), (n, (0, 0)));
        }
    }

    #[test]
    fn a_flood_is_counted_exactly() {
        let meter = Meter::default();
        let pool = observed(&meter).panic_hook(|_| ()).build().expect("two threads can be started");
        let fail = || std::panic::resume_unwind(Box::new("the last of a thousand"));
        let jobs = (0..10_000).map(|n| {
            move || {
                if n % 1000 == 999 {
                    fail()
                }
            }
        });
        let handles = pool.submit_all(jobs.collect::<Vec<_>>());
        let n_ok = handles.into_iter().filter_map(|handle| handle.join().ok()).count();
        let counts = meter.read();
        assert_eq!((n_ok, counts.returned), (9_990, 9_990));
        assert_eq!((counts.panicked, counts.cancelled), (10, 0));
        assert_eq!((counts.queued.len(), counts.ran.len()), (10_000, 10_000));
    }

    #[test]
    fn what_is_queued_and_what_runs_is_seen_while_it_does() {
        let meter = Meter::default();
        let pool = observed(&meter).threads(1).build().expect("a thread can be started");
        let (begin, has_begun) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let first = pool.submit(move || begin.send(()).is_ok() && gate.recv().is_ok());
        let [second, third] = [(); 2].map(|()| pool.submit(|| ()));
        assert!(has_begun.recv().is_ok());
        assert_eq!(meter.read().unfinished(), (2, 1));
        assert_eq!(third.cancel(), handspun::Cancel::Dequeued);
        assert_eq!((meter.read().unfinished(), meter.read().cancelled), ((1, 1), 1));
        assert!(open.send(()).is_ok());
        assert!(first.join().is_ok_and(|is_well| is_well) && second.join().is_ok());
        assert_eq!((meter.read().returned, meter.read().queued.len()), (2, 2));
    }

    #[test]
    fn a_job_is_queued_until_it_begins_and_runs_until_it_settles() {
        let (meter, zero) = (Meter::default(), Instant::now());
        let emit = meter.observer();
        let at_made_up_times = move |event: &TraceEvent<'_>| {
            let ms = match event.step {
                Step::Submitted(_) => 0,
                Step::Began { .. } => 10,
                Step::Settled(_) => 30,
                _ => unreachable!("it is a job"),
            };
            let mut event = *event;
            event.when = zero + Duration::from_millis(ms);
            emit(&event);
        };
        let pool = ThreadPool::builder().threads(1).observer(at_made_up_times).build();
        let jobs = pool.expect("a thread can be started").submit_all([|| (), || ()]);
        assert!(jobs.into_iter().all(|job| job.join().is_ok()));
        let counts = meter.read();
        let at_most = |times: &Histogram<u64>| times.value_at_quantile(0.999) / 100_000;
        assert_eq!((at_most(&counts.queued), at_most(&counts.ran)), (100, 200));
        assert_eq!((counts.queued.len(), counts.ran.len()), (2, 2));
    }

    #[test]
    fn a_task_is_not_counted_as_a_job() {
        let meter = Meter::default();
        let executor = Executor::builder().observer(meter.observer()).build();
        assert!(executor.run(async { handspun::spawn(async {}).await }).is_ok());
        assert_eq!((meter.read().returned, meter.read().unfinished()), (0, (0, 0)));
    }
}
