//! A server on this machine with all that can go wrong, to try the probe on.
//!
//! Knows nothing of the probe. Each connection has a thread of its own, which waits by the token of the
//! server: so a page that hangs hangs until the server is dropped, and no longer.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handspun::{CancellationToken, JoinHandle, thread};

/// Pages, and what is wrong with each.
const ODD_PAGES: [&str; 9] = [
    "/chunked", // Fine, but sent in pieces.
    "/slow",    // Fine, but late.
    "/flaky",   // Fine at the third time.
    "/missing", // 404.
    "/garbage", // Not HTTP.
    "/close",   // Closed without a word.
    "/short",   // Closed in the middle.
    "/trickle", // Begun, and never finished.
    "/hang",    // Never begun.
];
const N_PLAIN_PAGES: usize = 24;

pub(crate) struct Server {
    address: SocketAddr,
    token: CancellationToken,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of this machine.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, token) = (listener.local_addr()?, CancellationToken::new());
        let desk = Arc::new(Desk { token: token.clone(), n_visits: Mutex::default() });
        let accepting = Some(thread::spawn(move || accept(&listener, &desk)));
        Ok(Self { address, token, accepting })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All the pages that there are.
    pub(crate) fn urls(&self) -> Vec<String> {
        let plain = (0..N_PLAIN_PAGES).map(|n| self.url(&format!("/page/{n}")));
        plain.chain(ODD_PAGES.map(|path| self.url(path))).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.token.cancel();
        // It looks at the token when somebody comes. If nobody can, it is not there any more.
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

fn accept(listener: &TcpListener, desk: &Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept() {
        if desk.token.is_cancelled() {
            return;
        }
        let desk = desk.clone();
        // Whoever hangs up on us has what it wanted, or not: the server goes on.
        drop(thread::spawn(move || drop(desk.serve(stream))));
    }
}

/// What the threads of the server share.
struct Desk {
    token: CancellationToken,
    /// How often a page was asked for.
    n_visits: Mutex<HashMap<String, u32>>,
}

impl Desk {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut request = BufReader::new(&stream).lines();
        let first = request.next().transpose()?.unwrap_or_default();
        for line in request {
            if line?.is_empty() {
                break;
            }
        }
        self.answer(first.split(' ').nth(1).unwrap_or("/"), stream)
    }

    fn answer(&self, path: &str, mut stream: TcpStream) -> io::Result<()> {
        match path {
            "/chunked" => stream.write_all(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
            ),
            "/slow" => {
                self.pass(Duration::from_millis(150))?;
                stream.write_all(&page("200 OK", "late"))
            }
            "/flaky" if self.visit(path) < 3 => {
                stream.write_all(&page("503 Service Unavailable", "not yet"))
            }
            "/missing" => stream.write_all(&page("404 Not Found", "no such page")),
            "/garbage" => stream.write_all(b"\x16\x03\x01\xff\xfe what is this?\n"),
            "/close" => Ok(()),
            "/short" => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nand then"),
            "/trickle" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")?;
                loop {
                    stream.write_all(b".")?;
                    self.pass(Duration::from_millis(10))?;
                }
            }
            "/hang" => self.pass(Duration::MAX),
            plain => stream.write_all(&page("200 OK", &plain.repeat(plain.len()))),
        }
    }

    /// How often this page has been asked for, this time included.
    fn visit(&self, path: &str) -> u32 {
        let mut visits = self.n_visits.lock().unwrap_or_else(PoisonError::into_inner);
        let n = visits.entry(path.to_owned()).or_default();
        *n += 1;
        *n
    }

    /// Lets time pass, unless the server ends first.
    fn pass(&self, time: Duration) -> io::Result<()> {
        self.token.sleep(time).map_err(io::Error::other)
    }
}

fn page(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
