//! Where the reports come in, and what is shown of them, in which order.
//!
//! Knows nothing of how they are made. What must always hold: with `--keep-order`, output comes in the
//! order of the inputs, and what comes too early waits here.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use crate::plan::Plan;
use crate::tally::{Report, Tally};

pub(crate) struct Board<'a, W> {
    out: &'a mut W,
    tally: Tally,
    early: BTreeMap<usize, Report>,
    /// The number of the next to be shown.
    next: usize,
    keeps_order: bool,
    shows_progress: bool,
}

impl<'a, W: Write> Board<'a, W> {
    pub(crate) fn new(plan: &Plan, out: &'a mut W) -> Self {
        Self {
            out,
            tally: Tally::default(),
            early: BTreeMap::new(),
            next: 0,
            keeps_order: plan.keeps_order,
            shows_progress: !plan.is_quiet && io::stderr().is_terminal(),
        }
    }

    /// Takes in a report, and shows what its turn it is.
    pub(crate) fn take(&mut self, report: Report) {
        self.tally.count(&report);
        let turn = if self.keeps_order { report.index } else { self.next };
        self.early.insert(turn, report);
        while let Some(report) = self.early.remove(&self.next) {
            let shown = show(&report, self.out);
            self.tally.not_shown = self.tally.not_shown.take().or(shown.err());
            self.next += 1;
        }
        if self.shows_progress {
            eprint!("\r{} done, {} failed\x1b[K", self.tally.n_done, self.tally.failures.len());
        }
    }

    /// What came of them all.
    pub(crate) fn finish(self) -> Tally {
        if self.shows_progress {
            eprint!("\r\x1b[K");
        }
        self.tally
    }
}

/// Whoever reads our output may have gone, or the disk be full. That is no reason to stop the work, but
/// is to be told.
fn show(report: &Report, out: &mut impl Write) -> io::Result<()> {
    match &report.result {
        Ok(outcome) => {
            let _ = io::stderr().write_all(&outcome.stderr.bytes);
            out.write_all(&outcome.stdout.bytes)?;
            out.flush() // It may keep what came behind the last end of a line.
        }
        Err(error) => {
            eprintln!("par: {error}");
            Ok(())
        }
    }
}
