//! What was asked for.
//!
//! Knows nothing of how it is said on the command line, nor of children.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::halt::Halt;
use crate::template::{Template, Word};

#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) command: Template,
    /// Where the inputs come from, in the order in which they were named. Several: each with each.
    pub(crate) sources: Vec<Source>,
    pub(crate) ends_with_nul: bool,

    pub(crate) jobs: usize,
    pub(crate) timeout: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) delay: Duration,
    /// How often a command is tried, in all.
    pub(crate) tries: u32,
    pub(crate) halt: Halt,
    /// Set for each child.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Where each child runs: it may depend on the input.
    pub(crate) directory: Option<Word>,

    pub(crate) keeps_order: bool,
    pub(crate) tags: bool,
    pub(crate) ungroups: bool,
    pub(crate) is_quiet: bool,
    pub(crate) is_dry_run: bool,
    pub(crate) joblog: Option<PathBuf>,
    pub(crate) resume: Resume,
    pub(crate) timeline: Option<PathBuf>,
    /// If Slurm is to run it all.
    pub(crate) sbatch: Option<Slurm>,
}

pub(crate) struct Slurm {
    /// For `sbatch`.
    pub(crate) options: Vec<OsString>,
    /// How many of the array may run at once, if it was said.
    pub(crate) at_once: Option<usize>,
}

#[derive(Clone)]
pub(crate) enum Source {
    /// The words behind `:::`.
    Words(Vec<OsString>),
    /// The lines of a file; `-` is stdin.
    File(PathBuf),
}

/// Which inputs of the joblog are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Resume {
    /// None: the joblog begins anew.
    #[default]
    No,
    /// All that are in it.
    Unfinished,
    /// All that are in it and succeeded.
    Failed,
}
