//! Where the reports come in, and what is shown and logged of them, in which order.
//!
//! Knows nothing of how they are made. What must always hold:
//!
//! 1. With `--keep-order`, output comes in the order of the inputs, and what comes too early waits here.
//! 2. Of what waits, only so many keep a file open. The lane of one more waits itself: the report whose turn it is
//!    never does, so the others go on.

use std::collections::BTreeMap;
use std::io::{self, Write};

use parking_lot::{Condvar, Mutex};

use crate::cli::{self, Printed, may_draw, say, shown};
use crate::joblog::{Entry, Joblog};
use crate::plan::Plan;
use crate::tally::{Came, Report, Tally};

/// How many reports with a file may wait for their turn.
const LONG_ONES: usize = 32;

pub(crate) struct Board<'a, W> {
    state: Mutex<State<'a, W>>,
    /// A report was shown.
    moved: Condvar,
}

struct State<'a, W> {
    out: &'a mut W,
    log: Option<Joblog>,
    tally: Tally,
    early: BTreeMap<usize, Option<Report>>,
    /// The number of the next to be shown.
    next: usize,
    keeps_order: bool,
    tags: bool,
    shows_progress: bool,
}

impl<'a, W: Write> Board<'a, W> {
    pub(crate) fn new(plan: &Plan, log: Option<Joblog>, out: &'a mut W) -> Self {
        let state = State {
            out,
            log,
            tally: Tally::default(),
            early: BTreeMap::new(),
            next: 1,
            keeps_order: plan.keeps_order,
            tags: plan.tags,
            shows_progress: !plan.is_quiet && may_draw(),
        };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// Takes in a report, and shows what its turn it is.
    pub(crate) fn take(&self, report: Report) {
        let mut state = self.state.lock();
        state.tally.count(&report);
        state.log(&report);
        if report.is_long() {
            while state.keeps_order && report.seq > state.next && state.n_long() >= LONG_ONES {
                self.moved.wait(&mut state);
            }
        }
        let turn = if state.keeps_order { report.seq } else { state.next };
        state.place(turn, Some(report));
        drop(state);
        self.moved.notify_all();
    }

    /// Of this input there will be no report.
    pub(crate) fn pass_over(&self, seq: usize) {
        let mut state = self.state.lock();
        if state.keeps_order {
            state.place(seq, None);
        }
        drop(state);
        self.moved.notify_all();
    }

    pub(crate) fn with_tally<R>(&self, look: impl FnOnce(&mut Tally) -> R) -> R {
        look(&mut self.state.lock().tally)
    }

    /// What came of them all.
    pub(crate) fn finish(self) -> Tally {
        let state = self.state.into_inner();
        if state.shows_progress {
            say("\r\x1b[K");
        }
        state.tally
    }
}

impl<W: Write> State<'_, W> {
    fn n_long(&self) -> usize {
        self.early.values().flatten().filter(|report| report.is_long()).count()
    }

    fn log(&mut self, report: &Report) {
        let Some(log) = self.log.as_mut().filter(|_| report.is_to_be_logged()) else { return };
        let (code, signal) = report.code_and_signal();
        let entry = Entry {
            seq: report.seq,
            host: report.host(),
            started: report.started,
            wall: report.wall(),
            n_received: report.out.len(),
            code,
            signal,
            command: shown(&report.command).to_string(),
        };
        if let Err(error) = log.write(&entry) {
            self.tally.has_trouble(format!("the joblog lacks some lines: {error}"));
        }
    }

    fn place(&mut self, turn: usize, report: Option<Report>) {
        self.early.insert(turn, report);
        while let Some(report) = self.early.remove(&self.next) {
            self.next += 1;
            if let Some(report) = report {
                self.show(report);
            }
        }
        if self.shows_progress {
            let (n_done, n_failed) = (self.tally.n_done, self.tally.failures.len());
            say(format_args!("\r{n_done} done, {n_failed} failed\x1b[K"));
        }
    }

    /// A full disk is no reason to stop the work, but is to be told. With its reader gone the work has no purpose.
    fn show(&mut self, report: Report) {
        if self.shows_progress {
            say("\r\x1b[K"); // Otherwise a line of output might begin behind it.
        }
        if let (Came::NotStarted(_) | Came::NoOutput(_), Some(why)) =
            (&report.came, report.failure())
        {
            say(format_args!("par: {why}\n"));
        }
        let tag = if self.tags { report.tag() } else { Vec::new() };
        let stderr = cli::printed(report.err.write_to(&mut io::stderr(), &tag));
        let stdout = report.out.write_to(self.out, &tag);
        // It may keep what came behind the last end of a line.
        match cli::printed(stdout.and_then(|()| self.out.flush())) {
            Ok(Printed::All) => {}
            Ok(Printed::ReaderGone) => self.tally.reader_has_gone = true,
            Err(error) => self.tally.has_trouble(format!("some of the output is lost: {error}")),
        }
        if let Err(error) = stderr {
            self.tally.has_trouble(format!("some of the error output is lost: {error}"));
        }
    }
}
