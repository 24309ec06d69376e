//! The head of an answer: its status, and where its body will end.
//!
//! Knows nothing of sockets. `httparse` takes the head apart; what the headers mean for the length of the body
//! is RFC 9112, section 6.3. What must always hold: a length that could be read in two ways is refused. Where
//! two programs read it differently, one of them takes a part of a page for the next answer.

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

use super::trouble::Trouble;

/// More than that is not the head of a page.
const MOST_HEADERS: usize = 256;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// How the end of a body is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Length(u64),
    /// In pieces, each with its length.
    Chunked,
    /// It goes on until the connection is closed.
    ToTheEnd,
}

/// The head that these bytes begin with, and its length; `None` if it is not all there yet.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, Trouble> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut answer = Response::new(&mut headers);
    let mut config = ParserConfig::default();
    // A server may still fold a header, and its reader has to put up with it.
    config.allow_obsolete_multiline_headers_in_responses(true);
    let parsed = config.parse_response(&mut answer, bytes);
    let Status::Complete(len) = parsed.map_err(|error| Trouble::not_http(error.to_string()))?
    else {
        return Ok(None);
    };
    let (Some(status @ 100..=599), Some(minor)) = (answer.code, answer.version) else {
        return Err(Trouble::not_http("it has no status"));
    };
    let body = match status {
        101 => {
            return Err(Trouble::not_http("it changes the protocol, though it was not asked to"));
        }
        // Answers without a body, whatever their headers say.
        100..200 | 204 | 304 => Body::Length(0),
        _ => body(minor, answer.headers)?,
    };
    Ok(Some((len, Head { status, body })))
}

fn body(minor: u8, headers: &[Header<'_>]) -> Result<Body, Trouble> {
    if headers.iter().any(|header| header.name.eq_ignore_ascii_case("transfer-encoding")) {
        let codings = list(headers, "transfer-encoding").filter(|coding| !coding.is_empty());
        let codings: Vec<_> = codings.map(|coding| coding.to_ascii_lowercase()).collect();
        return match &codings[..] {
            // There were no chunks in 1.0: a proxy may have passed on a header that it does not know.
            _ if minor == 0 => Err(Trouble::not_http("HTTP/1.0 has no transfer coding")),
            // It is what counts, even beside a length.
            [coding] if coding == "chunked" => Ok(Body::Chunked),
            // We have not said that we know any other.
            _ => Err(Trouble::not_http("its transfer coding is not `chunked`")),
        };
    }
    let mut length = None;
    for text in list(headers, "content-length") {
        // `parse` alone would take a sign.
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(number) = text.parse::<u64>().ok().filter(|_| is_number) else {
            return Err(Trouble::not_http("its length is no number"));
        };
        if length.replace(number).is_some_and(|other| other != number) {
            return Err(Trouble::not_http("it has two lengths"));
        }
    }
    Ok(length.map_or(Body::ToTheEnd, Body::Length))
}

/// What stands between the commas of all headers of this name. To say a header twice is to go on with a list.
fn list(headers: &[Header<'_>], name: &str) -> impl Iterator<Item = String> {
    let named = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    let values = named.map(|header| String::from_utf8_lossy(header.value));
    values.flat_map(|value| {
        let unfolded = value.replace(['\r', '\n'], " ");
        // Not `trim`: to Unicode there are more blanks than these two.
        let elements = unfolded.split(',').map(|element| element.trim_matches([' ', '\t']));
        elements.map(str::to_owned).collect::<Vec<_>>()
    })
}
