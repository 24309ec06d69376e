//! Counts: how many jobs came to which end, how long they waited, and how long they ran.
//!
//! Knows nothing of workers. What must always hold: whoever has a job's result finds the job
//! counted, since the last event of a job is told before its handle settles.

use std::fmt;
use std::sync::Arc;

use crate::event::{Ending, Event, What};
use crate::prims::Mutex;

use super::histogram::Histogram;
use super::span::{Lives, Span};

/// Counts what a pool does: jobs by their ending, waits and run times.
///
/// When to use it: for numbers to log or to show while a program goes on. To see what ran when,
/// there is a [`Timeline`](crate::Timeline). A clone is another handle of the same meter, and pools
/// that share one are added up.
///
/// ```
/// use handspun::{Meter, ThreadPool};
///
/// let meter = Meter::new();
/// let pool = ThreadPool::builder().threads(2).observer(meter.observer()).build()?;
/// let handles = pool.submit_all((0..100_u32).map(|n| move || n * n));
/// handles.into_iter().try_for_each(|handle| handle.join().map(drop))?;
///
/// let tally = meter.read();
/// assert_eq!((tally.returned, tally.panicked), (100, 0));
/// assert_eq!(tally.run_time.n(), 100);
/// println!("{tally}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Jobs only: what an executor tells it of its tasks, it ignores.
///
/// It remembers a job until it settles, and of those that have settled only the counts. Each event
/// takes a lock for a fraction of a microsecond. To observe with two things at once, call both:
///
/// ```
/// use handspun::{Meter, ThreadPool, Timeline};
///
/// let (meter, timeline) = (Meter::new(), Timeline::new());
/// let (count, draw) = (meter.observer(), timeline.observer());
/// let pool = ThreadPool::builder().observer(move |event| { count(event); draw(event) }).build()?;
/// pool.submit(|| ()).join()?;
/// assert_eq!((meter.read().returned, timeline.spans().len()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[doc(alias = "Counters")]
pub struct Meter {
    shared: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    lives: Lives,
    /// But for the jobs that are queued and running.
    tally: Tally,
}

/// What a [`Meter`] has counted, at one moment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that have begun and are not over.
    pub running: usize,
    /// Jobs that returned.
    pub returned: usize,
    /// Jobs that panicked.
    pub panicked: usize,
    /// Jobs that never ran.
    pub cancelled: usize,
    /// From the submission to the beginning, of those that ran and have settled.
    pub queue_wait: Histogram,
    /// From the beginning to the end. A job that waits for others counts their time too.
    pub run_time: Histogram,
}

impl Meter {
    /// A meter that has counted nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a pool is to tell of its jobs; for [`Builder::observer`](crate::Builder::observer).
    ///
    /// Call it once for each pool: job 0 of one pool is not job 0 of another.
    pub fn observer(&self) -> impl Fn(&Event<'_>) + Send + Sync + use<> + 'static {
        let shared = self.shared.clone();
        let pool = shared.lock().lives.add_source();
        move |event| {
            if event.what == What::Job {
                shared.lock().hear(pool, event);
            }
        }
    }

    /// What has been counted so far. It takes a look at each job that is queued or runs.
    pub fn read(&self) -> Tally {
        let books = self.shared.lock();
        let mut tally = books.tally.clone();
        for span in books.lives.open() {
            *(if span.run.is_some() { &mut tally.running } else { &mut tally.queued }) += 1;
        }
        tally
    }
}

impl Books {
    fn hear(&mut self, pool: usize, event: &Event<'_>) {
        let Some(Span { submitted, run, settled: Some((settled, ending)), .. }) =
            self.lives.hear(pool, event)
        else {
            return; // There is more to come of this job.
        };
        let tally = &mut self.tally;
        *match ending {
            Ending::Returned => &mut tally.returned,
            Ending::Panicked => &mut tally.panicked,
            Ending::Cancelled | Ending::Killed => &mut tally.cancelled,
        } += 1;
        if let Some(run) = run {
            tally.queue_wait.record(run.began.saturating_duration_since(submitted));
            tally.run_time.record(settled.saturating_duration_since(run.began));
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Meter").field(&self.read()).finish()
    }
}

/// Three lines, for a log or a terminal.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queued, running, returned, panicked, cancelled, queue_wait, run_time } = self;
        writeln!(
            f,
            "jobs: {queued} queued, {running} running, \
             {returned} returned, {panicked} panicked, {cancelled} cancelled"
        )?;
        writeln!(f, "queue wait: {queue_wait}")?;
        write!(f, "run time:   {run_time}")
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observe::made_up::Film;

    #[test]
    fn every_ending_has_its_count() {
        let (film, meter) = (Film::new(), Meter::new());
        let tell = meter.observer();
        (0..6).for_each(|job| tell(&film.submitted(0, job)));
        (0..4).for_each(|job| tell(&film.began(10, job, job)));
        tell(&film.returned(30, 0));
        tell(&film.returned(40, 1));
        tell(&film.settled(50, 2, Ending::Panicked));
        tell(&film.settled(50, 4, Ending::Cancelled));
        let tally = meter.read();
        assert_eq!((tally.queued, tally.running), (1, 1));
        assert_eq!((tally.returned, tally.panicked, tally.cancelled), (2, 1, 1));
        assert_eq!((tally.queue_wait.n(), tally.run_time.n()), (3, 3));
        assert_eq!(tally.queue_wait.mean(), Some(Duration::from_millis(10)));
        assert_eq!(tally.run_time.mean(), Some(Duration::from_millis(30)));
    }

    #[test]
    fn a_task_is_not_counted_as_a_job() {
        let (film, meter) = (Film::new(), Meter::new());
        let tell = meter.observer();
        film.task(0, "", 0, 1, Ending::Returned).iter().for_each(&tell);
        film.job(0, 0, 0, 1).iter().for_each(&tell);
        assert_eq!((meter.read().returned, meter.read().queued), (1, 0));
    }

    #[test]
    fn two_pools_with_the_same_numbers_are_added_up() {
        let (film, meter) = (Film::new(), Meter::new());
        let tells = [meter.observer(), meter.observer()];
        for step in 0..3 {
            tells.iter().for_each(|tell| tell(&film.job(0, 0, 1, 2)[step]));
        }
        assert_eq!(meter.read().returned, 2);
    }
}
