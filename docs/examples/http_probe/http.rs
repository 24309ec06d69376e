//! One page, by blocking sockets. This is what a job of the pool runs.
//!
//! Knows nothing of tasks. What must always hold: no read waits for longer than a moment without a look at the
//! token. A socket that blocks cannot be woken by one, so it is asked with a short timeout, again and again.
//! To connect takes no longer than the token has time left. A name is the exception to both: the system resolves
//! it in its own time, and cannot be asked to stop.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use handspun::CancellationToken;

use super::url::Url;

/// A page that was fetched to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// How long its body is.
    pub(crate) n_bytes: u64,
}

/// What went wrong with a try.
#[derive(Debug)]
pub(crate) enum Trouble {
    NoConnection(io::Error),
    /// The connection broke, or ended too early.
    Broken(io::Error),
    /// What came is not HTTP.
    NotHttp(&'static str),
    /// Time was over, or nobody wants it any more; so much had come by then.
    GivenUp {
        n_bytes: u64,
    },
}

/// How long a read may block before the token is looked at.
const A_MOMENT: Duration = Duration::from_millis(20);
/// More than that is not a page: nobody is to fill our memory, or our time.
const LONGEST_HEADER: u64 = 64 << 10;
const LONGEST_PAGE: u64 = 64 << 20;

/// Fetches a page. The token says for how long.
pub(crate) fn fetch(url: &Url, token: &CancellationToken) -> Result<Page, Trouble> {
    let mut n_bytes = 0;
    let page = ask(url, token, &mut n_bytes);
    page.map_err(|trouble| match token.is_cancelled() {
        true => Trouble::GivenUp { n_bytes },
        false => trouble,
    })
}

fn ask(url: &Url, token: &CancellationToken, n_bytes: &mut u64) -> Result<Page, Trouble> {
    let mut stream = connect(url, token).map_err(Trouble::NoConnection)?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: http_probe\r\nConnection: close\r\n\r\n",
        url.path, url.authority,
    );
    stream.set_write_timeout(Some(A_MOMENT)).map_err(Trouble::NoConnection)?;
    // A request is so short that the system takes it at once, or something is wrong.
    stream.write_all(request.as_bytes()).map_err(Trouble::Broken)?;
    let status = Answer { lines: BufReader::new(Patient { stream, token }), n_bytes }.read()?;
    Ok(Page { status, n_bytes: *n_bytes })
}

/// Tries one address after another: a name may have several.
fn connect(url: &Url, token: &CancellationToken) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the name has no address");
    for address in (url.host.as_str(), url.port).to_socket_addrs()? {
        token.check().map_err(io::Error::other)?;
        let left = token.remaining().unwrap_or(Duration::from_secs(60));
        match TcpStream::connect_timeout(&address, left.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A stream whose reads end when the token is cancelled.
struct Patient<'t> {
    stream: TcpStream,
    token: &'t CancellationToken,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(A_MOMENT))?;
        loop {
            self.token.check().map_err(io::Error::other)?;
            match self.stream.read(buffer) {
                // The two names that systems have for a read that took too long.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                read => return read,
            }
        }
    }
}

/// An answer that is being read.
struct Answer<'n, R> {
    lines: BufReader<R>,
    /// How much of the body has come. It outlives the answer: how far we came is worth telling.
    n_bytes: &'n mut u64,
}

/// How the end of a body is known.
enum Length {
    Said(u64),
    /// In pieces, each with its length.
    Chunked,
    /// It goes on until the connection is closed.
    ToTheEnd,
}

impl<R: Read> Answer<'_, R> {
    /// Reads it to its end, and gives its status.
    fn read(mut self) -> Result<u16, Trouble> {
        let (status, length) = loop {
            let (status, length) = (self.status()?, self.headers()?);
            if status >= 200 {
                break (status, length);
            }
            // It says only that the answer is going to come.
        };
        match length {
            // Answers without a body, whatever their headers say.
            _ if matches!(status, 204 | 304) => {}
            Length::Said(length) => self.skip(length)?,
            Length::Chunked => self.skip_chunks()?,
            Length::ToTheEnd => drop(self.skip_at_most(LONGEST_PAGE)?),
        }
        Ok(status)
    }

    /// `HTTP/1.1 200 OK`
    fn status(&mut self) -> Result<u16, Trouble> {
        let line = self.line()?;
        let mut words = line.split(' ');
        if !words.next().is_some_and(|word| word.starts_with("HTTP/1.")) {
            return Err(Trouble::NotHttp("the answer does not begin like one"));
        }
        let status = words.next().and_then(|word| word.parse().ok());
        let known = status.filter(|status| (100..=599).contains(status));
        known.ok_or(Trouble::NotHttp("it has no status"))
    }

    fn headers(&mut self) -> Result<Length, Trouble> {
        let (mut length, mut n_bytes) = (Length::ToTheEnd, 0);
        loop {
            let line = self.line()?;
            n_bytes += line.len() as u64;
            if line.is_empty() {
                return Ok(length);
            }
            if n_bytes > LONGEST_HEADER {
                return Err(Trouble::NotHttp("its headers do not end"));
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(Trouble::NotHttp("a header has no colon"));
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("transfer-encoding") && value.ends_with("chunked") {
                length = Length::Chunked;
            } else if name.eq_ignore_ascii_case("content-length")
                && !matches!(length, Length::Chunked)
            {
                let said = value.parse();
                length = Length::Said(said.map_err(|_| Trouble::NotHttp("its length is none"))?);
            }
        }
    }

    /// `1a` and so many bytes, again and again, until `0`.
    fn skip_chunks(&mut self) -> Result<(), Trouble> {
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or(&line).trim();
            let length = u64::from_str_radix(digits, 16);
            match length.map_err(|_| Trouble::NotHttp("a piece of it has no length"))? {
                0 => return Ok(()), // The connection is closed after it: what follows may stay unread.
                length => self.skip(length)?,
            }
            if !self.line()?.is_empty() {
                return Err(Trouble::NotHttp("a piece of it is longer than it says"));
            }
        }
    }

    /// Reads a part of the body of which the length is known.
    fn skip(&mut self, length: u64) -> Result<(), Trouble> {
        if self.skip_at_most(length)? == length {
            return Ok(());
        }
        Err(Trouble::Broken(io::Error::other("it ended before its end")))
    }

    /// Reads so much, or less if the connection is closed before. Counts as it goes.
    fn skip_at_most(&mut self, most: u64) -> Result<u64, Trouble> {
        let mut n_read = 0;
        while n_read < most {
            let here = match self.lines.fill_buf() {
                Ok([]) => break,
                Ok(bytes) => (bytes.len() as u64).min(most - n_read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Trouble::Broken(error)),
            };
            self.lines.consume(here as usize);
            n_read += here;
            *self.n_bytes += here;
            if *self.n_bytes >= LONGEST_PAGE {
                return Err(Trouble::NotHttp("it does not end"));
            }
        }
        Ok(n_read)
    }

    /// A line without its end. It need not be text: what is not, is replaced.
    fn line(&mut self) -> Result<String, Trouble> {
        let mut line = Vec::new();
        let mut lines = (&mut self.lines).take(LONGEST_HEADER);
        lines.read_until(b'\n', &mut line).map_err(Trouble::Broken)?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()),
            Some(_) if line.len() as u64 + 1 == LONGEST_HEADER => {
                Err(Trouble::NotHttp("a line does not end"))
            }
            Some(_) | None => Err(Trouble::Broken(io::Error::other("it was closed too early"))),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(error) => write!(f, "no connection: {error}"),
            Self::Broken(error) => write!(f, "broken off: {error}"),
            Self::NotHttp(why) => write!(f, "not HTTP: {why}"),
            Self::GivenUp { n_bytes: 0 } => f.write_str("nothing came in time"),
            Self::GivenUp { n_bytes } => write!(f, "only {n_bytes} bytes came in time"),
        }
    }
}

impl Error for Trouble {}
