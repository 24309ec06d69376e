//! The table at the end, and the sum of it.
//!
//! Knows nothing of how a page is fetched.

use std::fmt::{self, Write};

use super::cli::shown;
use super::probe::{Reason, Row};

pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = String::new();
    write(&mut text, rows).expect("a String takes all that is written");
    text
}

fn write(out: &mut String, rows: &[Row]) -> fmt::Result {
    writeln!(out, "{:>6}{:>7}{:>10}{:>12}   page", "status", "tries", "bytes", "time")?;
    writeln!(out, "{:━<78}", "")?;
    for row in rows {
        let page = match &row.outcome {
            Ok(page) | Err(Reason::Refused(page)) => Some(page),
            Err(_) => None,
        };
        let or_none = |text: Option<String>| text.unwrap_or("-".to_owned());
        writeln!(
            out,
            "{:>6}{:>7}{:>10}{:>12}   {}",
            or_none(page.map(|page| page.status.to_string())),
            row.n_tries,
            or_none(page.map(|page| page.n_bytes.to_string())),
            or_none(row.took.map(|took| format!("{:.1} ms", took.as_secs_f64() * 1e3))),
            shown(&row.url),
        )?;
        if let Err(reason) = &row.outcome {
            writeln!(out, "{:>38}{reason}", "")?;
        }
    }
    let n_fetched = rows.iter().filter(|row| row.outcome.is_ok()).count();
    let n_tries: u32 = rows.iter().map(|row| row.n_tries).sum();
    writeln!(out, "\n{n_fetched} of {} pages were fetched, in {n_tries} tries.", rows.len())
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl(error) => write!(f, "not tried: {error}"),
            Self::Refused(page) if page.status >= 500 => f.write_str("the server has a problem"),
            Self::Refused(_) => f.write_str("the server refuses it"),
            Self::Trouble(trouble) => write!(f, "{trouble}"),
            Self::Mistake(mistake) => write!(f, "a mistake of this program: {mistake}"),
            Self::NotFinished => f.write_str("not finished: time was over for all of it"),
        }
    }
}
