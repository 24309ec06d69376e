//! Answers of servers, byte by byte: where a page ends, and what is refused.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;
use std::time::Duration;

use handspun::CancellationToken;

use crate::http_probe::http::{Page, fetch};
use crate::http_probe::incoming::Incoming;
use crate::http_probe::trouble::Trouble;
use crate::http_probe::{body, head};

/// What comes of an answer that is these bytes.
fn fetched(answer: &'static [u8]) -> Result<Page, Trouble> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // A reader that has seen enough hangs up, and may do so before all is written.
        let written = stream.write_all(answer).and_then(|()| stream.shutdown(Shutdown::Write));
        drop(written.and_then(|()| stream.read_to_end(&mut Vec::new())));
    });
    let page = fetch(&url, &CancellationToken::with_timeout(Duration::from_secs(30)));
    server.join().unwrap();
    page
}

/// How long the pages are, and `None` where an answer is refused.
fn lengths<const N: usize>(answers: [&'static str; N]) -> [Option<u64>; N] {
    answers.map(|answer| fetched(answer.as_bytes()).ok().map(|page| page.n_bytes))
}

#[test]
fn a_page_ends_where_it_says_so() {
    let fine: [(&[u8], u64); 5] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd", 2),
        (b"HTTP/1.0 200\n\nto the end", 10),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 10),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", 1),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 0),
    ];
    for (answer, n_bytes) in fine {
        assert_eq!(fetched(answer).unwrap().n_bytes, n_bytes);
    }
}

#[test]
fn an_answer_that_breaks_the_rules_is_an_error() {
    let broken: [&[u8]; 8] = [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 9999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ];
    for answer in broken {
        assert!(fetched(answer).is_err(), "{}", String::from_utf8_lossy(answer));
    }
}

#[test]
fn a_length_is_digits_and_all_that_are_said_agree() {
    let fine = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length:2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length:\t 2 \t\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 0002\r\n\r\nabcd",
    ];
    assert_eq!(lengths(fine), [Some(2); 4]);
    let refused = [
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 2,\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: \u{a0}2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 2 2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabcd",
    ];
    assert_eq!(lengths(refused), [None; 10]);
}

#[test]
fn chunked_is_one_word_in_any_case_and_what_else_is_refused() {
    let fine = [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:, chunked ,\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\nContent-Length: 9\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ];
    assert_eq!(lengths(fine), [Some(2); 4]);
    let refused = [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: notchunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;q=1\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ];
    assert_eq!(lengths(refused), [None; 8]);
}

#[test]
fn a_folded_header_is_read_as_one_line() {
    let folded = [
        "HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\nContent-Length: 2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 2,\r\n\t2\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ];
    assert_eq!(lengths(folded), [Some(2); 4]);
    let refused = [
        "HTTP/1.1 200 OK\r\n Content-Length: 2\r\n\r\nabcd", // Folds nothing.
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\nabcd", // It is `1 2`.
    ];
    assert_eq!(lengths(refused), [None; 2]);
}

#[test]
fn a_chunk_has_a_size_of_its_own_and_ends_with_it() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let page = |chunks: &str| {
        let answer: &'static str = Box::leak(format!("{HEAD}{chunks}").into());
        lengths([answer])[0]
    };
    assert_eq!(page("00000000000002\r\nab\r\n0\r\n\r\n"), Some(2));
    assert_eq!(page("2 ; a=\"b\"\r\nab\r\n0;last\r\nTrailer: x\r\n\r\n"), Some(2));
    assert_eq!(page("0\r\n"), Some(0), "it is complete; what would follow is not of the page");
    for broken in [
        "",
        "\r\n",
        ";x\r\n",
        " 2\r\nab\r\n0\r\n\r\n",
        "+2\r\nab\r\n0\r\n\r\n",
        "-0\r\n\r\n",
        "0x2\r\nab\r\n0\r\n\r\n",
        "2\nab\n0\n\n",
        "2\r\nab0\r\n\r\n",
        "2\r\nab\r\n", // The last one is missing.
        "3\r\nab",
        "ffffffffffffffff\r\nab\r\n0\r\n\r\n",
        "10000000000000002\r\nab\r\n0\r\n\r\n",
    ] {
        assert_eq!(page(broken), None, "{broken:?}");
    }
}

#[test]
fn what_never_ends_is_given_up_long_before_memory_is() {
    let endless = |unit: &str| -> &'static [u8] {
        Box::leak(format!("HTTP/1.1 200 OK\r\n{}", unit.repeat(100_000)).into_bytes().into())
    };
    for unit in ["x", "X: y\r\n", "X: y\r\n "] {
        assert!(matches!(fetched(endless(unit)), Err(Trouble::NotHttp(_))), "{unit:?}");
    }
    let early: &'static str = Box::leak("HTTP/1.1 103 Early\r\n\r\n".repeat(100_000).into());
    assert!(matches!(fetched(early.as_bytes()), Err(Trouble::NotHttp(_))));
}

#[test]
fn a_change_of_protocol_that_was_not_asked_for_is_refused() {
    let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(lengths([switched]), [None]);
}

/// Gives a byte at a time, and is interrupted before each.
struct ByteByByte<'a>(&'a [u8], bool);

impl Read for ByteByByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.0.read(&mut buffer[..1])
    }
}

#[test]
fn an_answer_may_come_byte_by_byte() {
    let answer = b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3;x\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
    let (mut incoming, mut n_bytes) = (Incoming::new(ByteByByte(answer, false)), 0);
    let head = incoming.parse(1_000, head::parse).unwrap();
    body::read(&mut incoming, head.body, &mut n_bytes).unwrap();
    assert_eq!((head.status, n_bytes), (200, 4));
}
