//! What a server sends, as it comes: a socket that looks at the token, and a buffer in front of it.
//!
//! Knows nothing of HTTP. What must always hold: no read waits for longer than a moment without a look at the
//! token. A socket that blocks cannot be woken by one, so it is asked with a short timeout, again and again.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use handspun::CancellationToken;

use super::trouble::Trouble;

/// How long a read may block before the token is looked at.
const A_MOMENT: Duration = Duration::from_millis(20);
const BLOCK: usize = 16 << 10;

/// A stream whose reads end when the token is cancelled.
pub(crate) struct Patient<'t> {
    stream: TcpStream,
    token: &'t CancellationToken,
}

impl<'t> Patient<'t> {
    pub(crate) fn new(stream: TcpStream, token: &'t CancellationToken) -> io::Result<Self> {
        stream.set_read_timeout(Some(A_MOMENT))?;
        Ok(Self { stream, token })
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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

/// A source, and what has come of it and is not used yet.
pub(crate) struct Incoming<R> {
    source: R,
    buffer: Vec<u8>,
    n_used: usize,
}

impl<R: Read> Incoming<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), n_used: 0 }
    }

    /// Reads until `parse` knows what it is and how long, and uses that up.
    ///
    /// `parse` gives `None` as long as there is not enough; that ends at `most` bytes.
    pub(crate) fn parse<T>(
        &mut self,
        most: usize,
        parse: impl Fn(&[u8]) -> Result<Option<(usize, T)>, Trouble>,
    ) -> Result<T, Trouble> {
        loop {
            if let Some((len, parsed)) = parse(self.unused())? {
                self.n_used += len;
                return Ok(parsed);
            }
            if self.unused().len() >= most {
                return Err(Trouble::not_http("a part that should be short does not end"));
            }
            if !self.read_more()? {
                return Err(Trouble::Broken(io::Error::other("it was closed too early")));
            }
        }
    }

    /// Uses up what is there, at most so much; waits if there is nothing. At the end that is 0.
    pub(crate) fn skip(&mut self, most: u64) -> Result<u64, Trouble> {
        if self.unused().is_empty() && !self.read_more()? {
            return Ok(0);
        }
        let n = most.min(self.unused().len() as u64);
        self.n_used += n as usize;
        Ok(n)
    }

    fn unused(&self) -> &[u8] {
        &self.buffer[self.n_used..]
    }

    /// False at the end.
    fn read_more(&mut self) -> Result<bool, Trouble> {
        self.buffer.drain(..self.n_used);
        self.n_used = 0;
        let n_kept = self.buffer.len();
        self.buffer.resize(n_kept + BLOCK, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[n_kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(n_kept + read.as_ref().map_or(0, |n| *n));
        read.map(|n| n > 0).map_err(Trouble::Broken)
    }
}
