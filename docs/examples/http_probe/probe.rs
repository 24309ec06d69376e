//! Many pages: who tries when, for how long, and how often.
//!
//! Knows nothing of HTTP but that a page has a status. A page is a task, and each of its tries a job:
//!
//! ```text
//! task   ── waits for a permit ─▶ await ───────────────────▶ backs off, without a permit ─▶ …
//! job                             └─▶ connect, write, read ─┘
//! ```

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handspun::{
    BuildError, CancellationToken, JoinError, Semaphore, ThreadPool, as_completed, keyed, run,
    sleep, spawn, timeout,
};

use super::http::{Page, fetch};
use super::trouble::Trouble;
use super::url::{Url, UrlError};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How many pages are fetched at a time.
    pub(crate) limit: usize,
    /// How long a try may take.
    pub(crate) timeout: Duration,
    /// How often a page is tried again.
    pub(crate) retries: u32,
    /// How long to wait before that, at first; then twice as long each time.
    pub(crate) backoff: Duration,
    /// How long all of it may take.
    pub(crate) within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limit: 8,
            timeout: Duration::from_secs(1),
            retries: 2,
            backoff: Duration::from_millis(100),
            within: Duration::MAX,
        }
    }
}

/// What came of one page.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) url: String,
    /// How often it was tried.
    pub(crate) n_tries: u32,
    /// From the first time that it had a permit. Not at all, if it never had one, or is not finished.
    pub(crate) took: Option<Duration>,
    pub(crate) outcome: Result<Page, Reason>,
}

/// Why a page is not there.
#[derive(Debug)]
pub(crate) enum Reason {
    BadUrl(UrlError),
    /// The server has answered, but not with a page.
    Refused(Page),
    Trouble(Trouble),
    /// A mistake of ours: the job panicked.
    Mistake(JoinError),
    /// Time was over for all of it.
    NotFinished,
}

/// Fetches them all, in any order, and gives a row for each in theirs.
///
/// `one_is_done` is called whenever there is one row more.
pub(crate) fn probe(
    urls: &[String],
    settings: &Settings,
    one_is_done: impl Fn(),
) -> Result<Vec<Row>, BuildError> {
    let pool = ThreadPool::builder().threads(settings.limit).name("fetch").build()?;
    let mut rows: Vec<_> = urls.iter().map(|url| Row::not_finished(url)).collect();
    let prober =
        Rc::new(Prober { pool, permits: Semaphore::new(settings.limit), settings: *settings });
    run(async {
        let pages = urls.iter().enumerate().map(|(n, url)| {
            let (prober, url) = (prober.clone(), url.clone());
            keyed(n, spawn(async move { prober.page(url).await }))
        });
        let mut pages = as_completed(pages.collect::<Vec<_>>());
        let all = async {
            while let Some((n, row)) = pages.next().await {
                rows[n] = row.unwrap_or_else(|mistake| Row::mistake(&urls[n], mistake));
                one_is_done();
            }
        };
        // If time is over first, the rows that are there are kept. The others' tasks are dropped at the end
        // of `run`, and their jobs hear of it.
        let _ = timeout(settings.within, all).await;
    });
    Ok(rows)
}

/// What the tasks share.
struct Prober {
    pool: ThreadPool,
    permits: Semaphore,
    settings: Settings,
}

impl Prober {
    async fn page(&self, text: String) -> Row {
        let mut row = Row::not_finished(&text);
        let url = match text.parse() {
            Ok(url) => Arc::new(url),
            Err(error) => {
                row.outcome = Err(Reason::BadUrl(error));
                return row;
            }
        };
        let mut backoff = self.settings.backoff;
        let mut began = None;
        loop {
            let permit = self.permits.acquire().await.expect("nobody closes it");
            let began = *began.get_or_insert_with(Instant::now);
            row.outcome = self.try_once(&url).await;
            row.took = Some(began.elapsed());
            row.n_tries += 1;
            drop(permit);
            if row.n_tries > self.settings.retries || !row.is_worth_a_retry() {
                return row;
            }
            // Whoever waits here needs no permit: others go on meanwhile.
            sleep(backoff).await;
            backoff = backoff.saturating_mul(2);
        }
    }

    /// The bridge: a task awaits what blocks a thread, and both have the same time.
    async fn try_once(&self, url: &Arc<Url>) -> Result<Page, Reason> {
        let token = CancellationToken::with_timeout(self.settings.timeout);
        // If this future is dropped, the job is told.
        let _guard = token.drop_guard();
        let url = url.clone();
        let job = self.pool.submit_with(&token, move |token| fetch(&url, token));
        // The job sees for itself that its time is over, and says how far it came. But the system may take
        // longer over a name, and does not look at tokens.
        let Ok(finished) = timeout(self.settings.timeout * 2, job).await else {
            return Err(Reason::Trouble(Trouble::GivenUp { n_bytes: 0 }));
        };
        let page = match finished {
            Ok(tried) => tried.map_err(Reason::Trouble)?,
            // Its time was over in the queue: all threads are busy with names that are hard to resolve.
            Err(JoinError::Cancelled(_)) => {
                return Err(Reason::Trouble(Trouble::GivenUp { n_bytes: 0 }));
            }
            Err(mistake @ JoinError::Panicked(_)) => return Err(Reason::Mistake(mistake)),
        };
        if page.status < 400 { Ok(page) } else { Err(Reason::Refused(page)) }
    }
}

impl Row {
    fn not_finished(url: &str) -> Self {
        let outcome = Err(Reason::NotFinished);
        Self { url: url.to_owned(), n_tries: 0, took: None, outcome }
    }

    fn mistake(url: &str, mistake: JoinError) -> Self {
        Self { outcome: Err(Reason::Mistake(mistake)), ..Self::not_finished(url) }
    }

    /// Whether it could be better next time.
    fn is_worth_a_retry(&self) -> bool {
        match &self.outcome {
            Err(Reason::Trouble(_)) => true,
            // What the server has against itself may pass; what it has against the request does not.
            Err(Reason::Refused(page)) => page.status >= 500,
            Err(Reason::BadUrl(_) | Reason::Mistake(_) | Reason::NotFinished) | Ok(_) => false,
        }
    }
}
