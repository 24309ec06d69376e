//! What was asked for on the command line.
//!
//! Knows nothing of what is simulated, but for what a sane service is.

use std::path::PathBuf;
use std::str::FromStr;

use lexopt::prelude::*;

use super::service::Model;
use super::sweep::Load;

pub(crate) const USAGE: &str = "\
How large should a semaphore be? Tries many sizes against a simulated service.

Usage: tune_semaphore [OPTIONS]

  --servers N    how many requests the service works on at once (default: 8)
  --crowd N      how many it bears inside before it slows down (default: 32)
  --clients N    how many want something all the time (default: 128)
  --requests N   how many are made with each size (default: 4000)
  --seed N       other numbers give other random times (default: 1)
  --svg FILE     draw a chart, too
  -h, --help     this text
  -V, --version  the version

Exits with 0 if all went well, and with 2 if the chart or the table could not be
written.
";

#[derive(Debug)]
pub(crate) enum Request {
    Help,
    Version,
    Sweep(Sweep),
}

#[derive(Debug)]
pub(crate) struct Sweep {
    pub(crate) service: Model,
    pub(crate) load: Load,
    /// Where the chart goes, if one is wanted.
    pub(crate) svg: Option<PathBuf>,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Request, lexopt::Error> {
    let mut service = Model { servers: 8, crowd: 32 };
    let mut load = Load { clients: 128, requests: 4_000, seed: 1 };
    let mut svg = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Short('V') | Long("version") => return Ok(Request::Version),
            Long("servers") => service.servers = count(&mut parser, 10_000)?,
            Long("crowd") => service.crowd = count(&mut parser, 10_000)?,
            Long("clients") => load.clients = count(&mut parser, 10_000)?,
            Long("requests") => load.requests = count(&mut parser, 1_000_000)?,
            Long("seed") => load.seed = parser.value()?.parse()?,
            Long("svg") => svg = Some(parser.value()?.into()),
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Request::Sweep(Sweep { service, load, svg }))
}

/// A number from 1 on. Without an upper bound a typing mistake would take an hour, or all of the memory.
fn count(parser: &mut lexopt::Parser, most: usize) -> Result<usize, lexopt::Error> {
    parser.value()?.parse_with(|text| match usize::from_str(text) {
        Ok(n) if (1..=most).contains(&n) => Ok(n),
        Ok(_) | Err(_) => Err(format!("it is a number from 1 to {most}")),
    })
}
