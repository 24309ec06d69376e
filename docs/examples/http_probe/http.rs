//! One page, by blocking sockets. This is what a job of the pool runs.
//!
//! Knows nothing of tasks. What must always hold: it ends soon after the token does, but for a name: the
//! system resolves it in its own time.

use std::io::Write;
use std::time::Duration;

use handspun::CancellationToken;

use super::body;
use super::connect::connect;
use super::head;
use super::incoming::{Incoming, Patient};
use super::trouble::Trouble;
use super::url::Url;

/// A page that was fetched to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// How long its body is.
    pub(crate) n_bytes: u64,
}

/// How long the system may take over a request. It is so short that there is room for it at once, or
/// something is wrong.
const A_WRITE: Duration = Duration::from_millis(20);
/// More than that is not the head of a page, and of none are there so many heads.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_HEADS: usize = 16;

/// Fetches a page. The token says for how long.
pub(crate) fn fetch(url: &Url, token: &CancellationToken) -> Result<Page, Trouble> {
    let mut n_bytes = 0;
    match ask(url, token, &mut n_bytes) {
        Ok(status) => Ok(Page { status, n_bytes }),
        Err(_) if token.is_cancelled() => Err(Trouble::GivenUp { n_bytes }),
        Err(trouble) => Err(trouble),
    }
}

fn ask(url: &Url, token: &CancellationToken, n_bytes: &mut u64) -> Result<u16, Trouble> {
    let mut stream = connect(&url.host, url.port, token).map_err(Trouble::NoConnection)?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: http_probe\r\nConnection: close\r\n\r\n",
        url.path, url.authority,
    );
    stream.set_write_timeout(Some(A_WRITE)).map_err(Trouble::Broken)?;
    stream.write_all(request.as_bytes()).map_err(Trouble::Broken)?;
    let mut incoming = Incoming::new(Patient::new(stream, token).map_err(Trouble::Broken)?);
    for _ in 0..MOST_HEADS {
        let head = incoming.parse(LONGEST_HEAD, head::parse)?;
        if head.status >= 200 {
            body::read(&mut incoming, head.body, n_bytes)?;
            return Ok(head.status);
        }
        // It says only that the answer is going to come.
    }
    Err(Trouble::not_http("it is always going to come, and never does"))
}
