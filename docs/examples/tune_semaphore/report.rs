//! The table, the knee, and why it is there.
//!
//! Knows nothing of how the numbers were found.

use std::fmt::{self, Write};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::service::{Model, ON_THE_WAY, WORK};
use super::sweep::{Load, Row, best};

/// All that there is to say.
pub(crate) fn text(rows: &[Row], knee: &Row, service: &Model, load: &Load) -> String {
    let mut text = String::new();
    write(&mut text, rows, knee, service, load).expect("a String takes all that is written");
    text
}

fn write(out: &mut String, rows: &[Row], knee: &Row, service: &Model, load: &Load) -> fmt::Result {
    let Load { clients, requests, seed } = load;
    writeln!(
        out,
        "{clients} clients make {requests} requests to {} servers; seed {seed}.\n\
         A request is on its way for {ON_THE_WAY:?}, and {WORK:?} of work on average.\n",
        service.servers,
    )?;
    writeln!(
        out,
        "{:>8}{:>12}{:>26}{:>24}",
        "", "requests", "in the service, ms", "with the wait, ms"
    )?;
    writeln!(
        out,
        "{:>8}{:>12}{:>10}{:>8}{:>8}{:>12}{:>12}",
        "permits", "a second", "p50", "p95", "p99", "p50", "p99"
    )?;
    writeln!(out, "{:━<70}", "")?;
    for row in rows {
        let is_knee = if row.permits == knee.permits { "  ◀ knee" } else { "" };
        writeln!(
            out,
            "{:>8}{:>12.1}{:>10}{:>8}{:>8}{:>12}{:>12}{is_knee}",
            row.permits,
            row.throughput,
            millis(&row.inside, 0.5),
            millis(&row.inside, 0.95),
            millis(&row.inside, 0.99),
            millis(&row.overall, 0.5),
            millis(&row.overall, 0.99),
        )?;
    }
    explain(out, rows, knee)
}

fn explain(out: &mut String, rows: &[Row], knee: &Row) -> fmt::Result {
    let (best, last) = (best(rows), rows.last().unwrap_or(knee));
    if knee.permits == last.permits {
        return writeln!(
            out,
            "\nNo knee is in sight: more clients could make use of more permits."
        );
    }
    let (permits, throughput) = (knee.permits, knee.throughput);
    let mean = mean(&knee.inside);
    writeln!(
        out,
        "\nThe knee is at {permits}: it gives {:.0} % of the most that was seen, {:.1} a second with {}.\n\
         Fewer leave servers idle. More add next to no throughput, and wait inside instead:\n\
         with {}, p99 in the service is {} ms in place of {}.",
        100.0 * throughput / best.throughput,
        best.throughput,
        best.permits,
        last.permits,
        millis(&last.inside, 0.99),
        millis(&knee.inside, 0.99),
    )?;
    writeln!(
        out,
        "\nLittle's law: {throughput:.1} a second x {:.1} ms each = {:.1} inside on average.",
        mean.as_secs_f64() * 1e3,
        throughput * mean.as_secs_f64(),
    )?;
    let Some(alone) = rows.iter().find(|row| row.permits == 1) else { return Ok(()) };
    let alone = self::mean(&alone.inside).as_secs_f64();
    writeln!(
        out,
        "A guess without a sweep: {:.1} a second x {:.1} ms for one alone = {:.1}. That many keep all\n\
         servers busy if no time ever varies; times that do vary need some more.",
        best.throughput,
        alone * 1e3,
        best.throughput * alone,
    )
}

fn mean(times: &Histogram<u64>) -> Duration {
    Duration::from_nanos(times.mean() as u64)
}

/// A share of the requests took no longer than this.
fn millis(times: &Histogram<u64>, share: f64) -> String {
    format!("{:.1}", times.value_at_quantile(share) as f64 / 1e6)
}
