//! Looking: remembers what ran when, and gives it as text, as a Chrome trace, or as it is.
//!
//! Knows nothing of pools and executors. It hears of jobs, tasks and children as any observer does, through
//! the line of a program that says `.observer(timeline.observer())`. What is not observed pays nothing.
//!
//! What must always hold: an observer of ours runs on the threads that it observes, so it takes one lock
//! for the time of one entry, and never draws, writes or waits under it; and it remembers what is not
//! over, and a limited number of what is.
//!
//! ```text
//!                                              ┌─► spans, for a picture of your own
//!   events (in any order) ──► Span ─► Timeline ┼─► text
//!                                              └─► Chrome trace
//! ```

pub(crate) mod span;
pub(crate) mod text;
pub(crate) mod trace;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::prims::{self, Mutex};
use crate::trace_event::TraceEvent;

use span::{Lives, Picture, Span};

/// Draws what ran when, on which worker, and what waited; and tasks and children beside that.
///
/// When to use it: to see why a program takes as long as it does. For numbers alone (how many jobs, and
/// how long they waited, at the median and at worst), the example `docs/examples/meter` remembers less. A
/// clone is another handle of the same timeline.
///
/// ```
/// use handspun::{ThreadPool, Timeline};
///
/// let timeline = Timeline::new();
/// let pool = ThreadPool::builder().threads(1).observer(timeline.observer()).build()?;
/// let busy = pool.submit(|| std::thread::sleep(std::time::Duration::from_millis(2)));
/// pool.submit(|| ()).join()?;
/// busy.join()?;
///
/// println!("{timeline}"); // 80 columns wide
/// assert!(format!("{timeline:60}").contains("Job returned: 2")); // 60 columns wide
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The second job waits for the first, which is job 0:
///
/// ```text
///          │0         │500µs     │1ms       │1.5ms      │2ms
/// worker 0 ··0██████████████████████████████████████████████▆    94%
/// queued   ▅█▇▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅      2
/// ```
///
/// One timeline may hold pools and executors, in one drawing with one axis of time. A task has a row
/// of its own, from its spawn to its end:
///
/// ```
/// use handspun::{Executor, ThreadPool, Timeline, spawn_named};
///
/// let timeline = Timeline::new();
/// let pool = ThreadPool::builder().threads(1).observer(timeline.observer()).build()?;
/// let executor = Executor::builder().observer(timeline.observer()).build();
/// let job = pool.submit(|| 6 * 7);
/// executor.run(async { spawn_named("asks", job).await })??;
/// assert!(timeline.to_string().ends_with("Job returned: 1\nTask returned: 1\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **What it costs**: each event takes one lock, which all workers share. A flood of empty jobs takes
/// two to five times as long; to a job of a millisecond it is nothing. A job or a task takes up some 150
/// bytes. It remembers what is not over, and of what has settled the last 100,000; the picture says how many it forgot.
/// **Where it stops**: it sees when a job began and ended, not whether its thread
/// had a processor meanwhile; and a worker has a row when it has run a job. A task's times
/// are those of its executor's [clock](crate::Clock), and a job's are the machine's: beside a task that sleeps for an
/// hour under a clock that jumps, the job that it awaits is a moment at the beginning.
///
/// The rows are those of a Gantt chart, and the idea of one for a program's own threads is that of
/// Chrome's tracing.
#[derive(Clone, Default)]
#[doc(alias = "Gantt")]
pub struct Timeline {
    shared: Arc<Mutex<Record>>,
}

/// How many that have settled are remembered.
const AT_MOST: usize = 100_000;

#[derive(Default)]
struct Record {
    n_sources: usize,
    lives: Lives,
    /// The last that settled, in the order in which they did.
    settled: VecDeque<Span>,
    n_forgotten: usize,
}

impl Timeline {
    /// A timeline that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a pool is to tell of its jobs, an executor of its tasks, or a command of its children; for
    /// [`Builder::observer`](crate::Builder::observer),
    /// [`ExecutorBuilder::observer`](crate::ExecutorBuilder::observer) and, on Unix,
    /// `process::Command::observer`.
    ///
    /// Call it once for each, and each has rows of its own. Two pools that share one observer,
    /// because their builder was cloned, have the same numbers for their jobs and workers, and
    /// their lives are mixed up.
    pub fn observer(&self) -> impl Fn(&TraceEvent<'_>) + Send + Sync + use<> + 'static {
        let shared = self.shared.clone();
        let source = {
            let mut record = shared.lock();
            record.n_sources += 1;
            record.n_sources - 1
        };
        move |event| {
            let record = &mut *shared.lock();
            record.settled.extend(record.lives.hear(source, event));
            if record.settled.len() > AT_MOST {
                record.settled.pop_front();
                record.n_forgotten += 1;
            }
        }
    }

    /// All that it remembers: what has settled in that order, then the rest.
    ///
    /// ```
    /// use handspun::{Ending, ThreadPool, Timeline};
    ///
    /// let timeline = Timeline::new();
    /// let pool = ThreadPool::builder().threads(1).observer(timeline.observer()).build()?;
    /// pool.submit(|| 6 * 7).join()?;
    ///
    /// let span = &timeline.spans()[0];
    /// let (ended, ending) = span.settled.expect("it has been joined");
    /// let run = span.run.expect("it has returned");
    /// assert_eq!((span.number, run.worker, ending), (0, 0, Ending::Returned));
    /// assert_eq!(span.submitted_at.file(), file!());
    /// assert!(span.submitted <= run.began && run.began <= ended);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spans(&self) -> Vec<Span> {
        let record = self.shared.lock();
        record.settled.iter().cloned().chain(record.lives.open()).collect()
    }

    /// Writes a Chrome trace, which <https://ui.perfetto.dev> opens.
    ///
    /// Each pool is a process there and each worker a thread; an executor is a process whose tasks have a
    /// track each. All say where they were submitted, how long they waited and how they ended. A job that
    /// never began is not in it.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written to.
    ///
    /// ```
    /// use handspun::{ThreadPool, Timeline};
    ///
    /// let timeline = Timeline::new();
    /// let pool = ThreadPool::builder().observer(timeline.observer()).build()?;
    /// pool.submit(|| ()).join()?;
    ///
    /// let mut trace = Vec::new(); // or a `BufWriter` of a file
    /// timeline.write_chrome_trace(&mut trace)?;
    /// assert!(String::from_utf8(trace)?.contains(r#""name":"job 0""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "perfetto")]
    pub fn write_chrome_trace(&self, out: impl io::Write) -> io::Result<()> {
        trace::write(&self.picture(), out)
    }

    fn picture(&self) -> Picture {
        Picture::new(self.spans(), prims::now())
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").field("n_spans", &self.spans().len()).finish_non_exhaustive()
    }
}

/// A row for each worker, task and child, and one for the queue, in lines of at most 80 columns, or of as many as the
/// format asks for (`{timeline:100}`).
///
/// The fuller a column is (`▁▄█`), the longer the worker was busy in it, and `3` is where job 3 begins;
/// `▒` is a job on top of the one that waits for it. `━` is a task or a child, from its start to its
/// end. At the end of what did not just return is a sign, which the last line explains. Behind a row is
/// how long the worker was busy, or how long the task or the child was there, and how many jobs waited where the
/// queue is `█`.
///
/// The first 32 tasks of an executor have rows. What is narrower than 40 columns is drawn as wide as 40.
/// Needs a font with block characters.
impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_forgotten = self.shared.lock().n_forgotten;
        f.write_str(&text::draw(&self.picture(), n_forgotten, f.width().unwrap_or(80)))
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use span::made_up::Film;

    #[test]
    fn a_million_events_leave_the_last_jobs_only() {
        let (film, timeline) = (Film::new(), Timeline::new());
        let tell = timeline.observer();
        for job in 0..333_334 {
            film.job(job, job % 4, job as u64, job as u64 + 3).iter().for_each(&tell);
        }
        let spans = timeline.spans();
        assert_eq!((spans.len(), spans[0].number), (AT_MOST, 333_334 - AT_MOST));
        assert!(timeline.to_string().contains("older ones forgotten: 233334"));
    }

    #[test]
    fn each_observer_tells_of_a_pool_of_its_own() {
        let (film, timeline) = (Film::new(), Timeline::new());
        let tells = [timeline.observer(), timeline.observer()];
        for step in 0..3 {
            tells.iter().for_each(|tell| tell(&film.job(0, 0, 10, 30)[step]));
        }
        let text = timeline.to_string();
        for source in ["source 0", "source 1"] {
            assert!(text.contains(&format!("\n{source}\nworker 0 ")), "{text}");
        }
        assert!(text.ends_with("Job returned: 2\n"), "{text}");
    }

    #[test]
    fn two_pools_with_one_observer_are_mixed_up_and_harm_nobody() {
        let (film, timeline) = (Film::new(), Timeline::new());
        let tell = timeline.observer();
        for event in film.job(0, 0, 10, 30) {
            (0..2).for_each(|_| tell(&event));
        }
        assert!(!timeline.to_string().is_empty());
        timeline.write_chrome_trace(io::sink()).unwrap();
    }
}
