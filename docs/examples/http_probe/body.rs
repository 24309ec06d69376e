//! The body of an answer, read to its end and counted.
//!
//! Knows nothing of headers. What must always hold: a body that ends before its end is an error, and one that
//! does not end is given up.

use std::io::{self, Read};

use httparse::{Status, parse_chunk_size};

use super::head::Body;
use super::incoming::Incoming;
use super::trouble::Trouble;

/// More than that is not a page: no server is to take all our time.
const LONGEST_PAGE: u64 = 64 << 20;
/// The line with the size of a chunk, whatever else stands in it.
const LONGEST_LINE: usize = 4 << 10;

/// Counts into `n_bytes` as it goes: how far it came is worth telling if it is given up.
pub(crate) fn read<R: Read>(
    incoming: &mut Incoming<R>,
    body: Body,
    n_bytes: &mut u64,
) -> Result<(), Trouble> {
    match body {
        Body::Length(length) => skip(incoming, length, n_bytes),
        Body::Chunked => loop {
            match incoming.parse(LONGEST_LINE, size_of_chunk)? {
                // The body is complete. Trailers may follow, and the connection is closed after them.
                0 => return Ok(()),
                size => skip(incoming, size, n_bytes)?,
            }
            incoming.parse(2, end_of_chunk)?;
        },
        Body::ToTheEnd => {
            while skip_some(incoming, u64::MAX, n_bytes)? > 0 {}
            Ok(())
        }
    }
}

/// Reads a part of which the length is known.
fn skip<R: Read>(
    incoming: &mut Incoming<R>,
    mut length: u64,
    n_bytes: &mut u64,
) -> Result<(), Trouble> {
    while length > 0 {
        match skip_some(incoming, length, n_bytes)? {
            0 => return Err(Trouble::Broken(io::Error::other("it ended before its end"))),
            n => length -= n,
        }
    }
    Ok(())
}

fn skip_some<R: Read>(
    incoming: &mut Incoming<R>,
    most: u64,
    n_bytes: &mut u64,
) -> Result<u64, Trouble> {
    let n = incoming.skip(most)?;
    *n_bytes += n;
    if *n_bytes > LONGEST_PAGE {
        return Err(Trouble::not_http("it is longer than a page"));
    }
    Ok(n)
}

fn size_of_chunk(bytes: &[u8]) -> Result<Option<(usize, u64)>, Trouble> {
    // To the parser, a line without any digit is a size of 0.
    if bytes.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
        return Err(Trouble::not_http("a piece of it has no size"));
    }
    match parse_chunk_size(bytes) {
        Ok(Status::Complete(found)) => Ok(Some(found)),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(Trouble::not_http("a piece of it has no size")),
    }
}

fn end_of_chunk(bytes: &[u8]) -> Result<Option<(usize, ())>, Trouble> {
    match bytes {
        [b'\r', b'\n', ..] => Ok(Some((2, ()))),
        [] | [b'\r'] => Ok(None),
        _ => Err(Trouble::not_http("a piece of it is longer than it says")),
    }
}
