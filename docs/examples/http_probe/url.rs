//! A URL, as far as plain HTTP needs one.
//!
//! Knows nothing of sockets. What must always hold: no part contains a blank or a control character, so that
//! what is written into a request is one line of it, and a short one.

use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// A name, or an address; that of IPv6 without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What goes into the header `Host`.
    pub(crate) authority: String,
    /// From the first slash on, the query included.
    pub(crate) path: String,
}

/// What a server has to bear at least (RFC 9110, section 4.1).
const LONGEST: usize = 8_000;

/// It is no URL that we can fetch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UrlError(&'static str);

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UrlError("a URL has no blanks in it"));
        }
        if !text.is_ascii() {
            return Err(UrlError("what is not ASCII is written as %C3%A4, and in a name as xn--"));
        }
        if text.len() > LONGEST {
            return Err(UrlError("it is longer than 8000 bytes"));
        }
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) | None => return Err(UrlError("only http:// is spoken here")),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError("a name and a password are not sent in the open"));
        }
        let (host, port) = host_and_port(authority)?;
        if host.is_empty() {
            return Err(UrlError("it names no host"));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            path: format!("{slash}{path}"),
        })
    }
}

fn host_and_port(authority: &str) -> Result<(&str, u16), UrlError> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']').ok_or(UrlError("a bracket is not closed"))?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if authority.starts_with('[') && host.parse::<Ipv6Addr>().is_err() {
        return Err(UrlError("what is in brackets is no address"));
    }
    let port = match rest.strip_prefix(':') {
        Some("") => 80,
        Some(port) => number(port).ok_or(UrlError("the port is no number up to 65535"))?,
        None if rest.is_empty() => 80,
        None => return Err(UrlError("something stands between the host and the port")),
    };
    Ok((host, port))
}

/// Digits alone; `parse` would take a sign.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for UrlError {}
