//! What goes wrong with a try.
//!
//! Knows nothing of who tries.

use std::error::Error;
use std::fmt;
use std::io;

#[derive(Debug)]
pub(crate) enum Trouble {
    NoConnection(io::Error),
    /// The connection broke, or ended too early.
    Broken(io::Error),
    /// What came is not HTTP, or no page of ours.
    NotHttp(String),
    /// Time was over, or the page is not wanted any more; so much had come by then.
    GivenUp {
        n_bytes: u64,
    },
}

impl Trouble {
    pub(crate) fn not_http(why: impl Into<String>) -> Self {
        Self::NotHttp(why.into())
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
