//! What a row is made of: contenders that answer the same question and must come to the same sum.
//!
//! Knows nothing of clocks and rounds: `harness` runs what stands here.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often the processes of a row may double while one of its targets is open.
pub(crate) const DOUBLINGS: u32 = 3;

/// Ours on a curve: the design asks of a row that we be quick, and of a curve that it be flat.
pub(crate) const UNTARGETED: Option<f64> = None;

/// How much work a run does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Enough for figures that can be published.
    Full,
    /// A tenth, for a look and for CI.
    Quick,
}

impl Scale {
    /// How many operations to do where a full run does `full`.
    pub(crate) fn of(self, full: u64) -> u64 {
        match self {
            Scale::Full => full,
            Scale::Quick => full / 10,
        }
    }

    /// How many rounds each process has.
    pub(crate) fn usual_rounds(self) -> u32 {
        match self {
            Scale::Full => 4,
            Scale::Quick => 3,
        }
    }

    pub(crate) fn usual_processes(self) -> usize {
        match self {
            Scale::Full => 6,
            Scale::Quick => 1,
        }
    }

    /// For how many seconds a row may go on with more processes.
    pub(crate) fn usual_seconds(self) -> u64 {
        match self {
            Scale::Full => 40,
            Scale::Quick => 0,
        }
    }
}

/// Why somebody takes part.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// This crate.
    Ours,
    /// A crate that one could use instead. The ratio is to the best of these.
    Peer,
    /// Not an alternative, only a scale to read the others by: a plain loop, a thread for each job.
    Baseline,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Ours => "ours",
            Role::Peer => "peer",
            Role::Baseline => "baseline",
        })
    }
}

/// What one call of a contender's closure stands for.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Measure {
    /// One call does all the operations, and the time is divided by their number.
    Throughput,
    /// One call does one operation, and each call is timed by itself, so that there is a p99 too.
    Latency,
    /// One call does all the operations and tells what to make of them: how late each was, say.
    Told,
}

/// What the harness calls for a turn. It works on a pool that lives in the closure.
pub(crate) enum Run {
    /// Returns the sum of the results. The harness takes the time.
    Summed(Box<dyn FnMut() -> u64>),
    /// Returns times that only the contender can take: one for each operation, or one for all.
    Told(Box<dyn FnMut() -> Vec<Duration>>),
}

/// One of those who answer a row's question.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// What our time ÷ the best peer's should be at most. Only ours have one.
    pub(crate) target: Option<f64>,
    /// The operations in one round.
    pub(crate) operations: u64,
    /// What the results of one round add up to. A contender that answers otherwise fails the whole
    /// run. One that tells times has no sum.
    pub(crate) expected: u64,
    pub(crate) run: Run,
}

/// Everybody in one row. They exist only while their row is measured.
pub(crate) struct LineUp {
    pub(crate) measure: Measure,
    operations: u64,
    expected: u64,
    pub(crate) contenders: Vec<Contender>,
}

impl LineUp {
    /// Contenders whose one call does `operations` operations, with results that add up to
    /// `expected`.
    pub(crate) fn throughput(operations: u64, expected: u64) -> Self {
        Self { measure: Measure::Throughput, operations, expected, contenders: Vec::new() }
    }

    /// Contenders whose one call does one operation and returns 1.
    pub(crate) fn latency(operations: u64) -> Self {
        Self { measure: Measure::Latency, operations, expected: operations, contenders: Vec::new() }
    }

    /// Contenders whose one call does `operations` operations and tells their times.
    pub(crate) fn told(operations: u64) -> Self {
        Self { measure: Measure::Told, operations, expected: 0, contenders: Vec::new() }
    }

    /// Our side of the row, with the ratio to the best peer that the design asks of it, if it does.
    pub(crate) fn ours(
        self,
        name: &'static str,
        target: impl Into<Option<f64>>,
        run: impl FnMut() -> u64 + 'static,
    ) -> Self {
        self.with(name, Role::Ours, target.into(), Run::Summed(Box::new(run)))
    }

    pub(crate) fn peer(self, name: &'static str, run: impl FnMut() -> u64 + 'static) -> Self {
        self.with(name, Role::Peer, None, Run::Summed(Box::new(run)))
    }

    pub(crate) fn baseline(self, name: &'static str, run: impl FnMut() -> u64 + 'static) -> Self {
        self.with(name, Role::Baseline, None, Run::Summed(Box::new(run)))
    }

    /// As `ours`, for a row whose contenders tell their times.
    pub(crate) fn ours_told(
        self,
        name: &'static str,
        target: impl Into<Option<f64>>,
        run: impl FnMut() -> Vec<Duration> + 'static,
    ) -> Self {
        self.with(name, Role::Ours, target.into(), Run::Told(Box::new(run)))
    }

    pub(crate) fn peer_told(
        self,
        name: &'static str,
        run: impl FnMut() -> Vec<Duration> + 'static,
    ) -> Self {
        self.with(name, Role::Peer, None, Run::Told(Box::new(run)))
    }

    pub(crate) fn baseline_told(
        self,
        name: &'static str,
        run: impl FnMut() -> Vec<Duration> + 'static,
    ) -> Self {
        self.with(name, Role::Baseline, None, Run::Told(Box::new(run)))
    }

    /// Lets the contender named last do `operations` instead, with results that add up to
    /// `expected`: it is too slow for the row's full count, and its time for one operation compares
    /// all the same.
    pub(crate) fn with_fewer(mut self, operations: u64, expected: u64) -> Self {
        let last = self.contenders.last_mut().expect("somebody was named before");
        last.operations = operations;
        last.expected = expected;
        self
    }

    fn with(mut self, name: &'static str, role: Role, target: Option<f64>, run: Run) -> Self {
        let (operations, expected) = (self.operations, self.expected);
        self.contenders.push(Contender { name, role, target, operations, expected, run });
        self
    }
}
