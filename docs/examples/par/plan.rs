//! What the arguments ask for.
//!
//! Knows nothing of children. What must always hold: what follows the command is the command's own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
par: runs a command once for each input, several at a time

    par [OPTIONS] COMMAND [ARG…] ::: INPUT…
    … | par [OPTIONS] COMMAND [ARG…]         the inputs are lines

`{}` in an argument stands for the input; without one, it is the last argument.

    -j, --jobs N       so many at once; as many as there are cores, if you do not say
    --timeout SECS     ends a command that takes longer, with all that it started
    --grace SECS       from SIGTERM to SIGKILL; 5, if you do not say
    --retries N        tries a command that failed N more times, after 0.1 s, 0.2 s, 0.4 s, …
    -k, --keep-order   prints output in the order of the inputs, and not as it comes
    --fail-fast        at the first failure ends the others, and starts no more
    -u, --ungroup      lets the output go straight through
    -q, --quiet        no progress, and no summary
    --timeline FILE    writes what ran when, as a trace for https://ui.perfetto.dev

Ctrl-C asks all to end, as does SIGTERM or SIGHUP; a second one kills them. It exits as GNU parallel
does: with the number of commands that failed, or 101 if there are more than 100; with --fail-fast as
the first command did that failed; with 255 after a Ctrl-C, or if it could not do its own work.
";

/// What was asked for.
pub(crate) struct Plan {
    pub(crate) words: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) timeout: Duration,
    pub(crate) grace: Duration,
    pub(crate) retries: u32,
    pub(crate) keeps_order: bool,
    pub(crate) fails_fast: bool,
    pub(crate) ungroups: bool,
    pub(crate) is_quiet: bool,
    pub(crate) timeline: Option<PathBuf>,
    /// Given behind `:::`; otherwise they come from stdin.
    pub(crate) inputs: Option<Vec<OsString>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            jobs: std::thread::available_parallelism().map_or(1, Into::into),
            timeout: Duration::MAX,
            grace: Duration::from_secs(5),
            retries: 0,
            keeps_order: false,
            fails_fast: false,
            ungroups: false,
            is_quiet: false,
            timeline: None,
            inputs: None,
        }
    }
}

pub(crate) fn plan(mut args: lexopt::Parser) -> Result<Option<Plan>, lexopt::Error> {
    use lexopt::prelude::*;
    let seconds = |text: String| match text.parse().map(Duration::try_from_secs_f64) {
        Ok(Ok(duration)) => Ok(duration),
        Ok(Err(_)) | Err(_) => Err(format!("`{text}` is no number of seconds")),
    };
    let mut plan = Plan::default();
    while let Some(arg) = args.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(None),
            Short('j') | Long("jobs") => plan.jobs = args.value()?.parse::<usize>()?.max(1),
            Long("timeout") => plan.timeout = seconds(args.value()?.string()?)?,
            Long("grace") => plan.grace = seconds(args.value()?.string()?)?,
            Long("retries") => plan.retries = args.value()?.parse()?,
            Short('k') | Long("keep-order") => plan.keeps_order = true,
            Long("fail-fast") => plan.fails_fast = true,
            Short('u') | Long("ungroup") => plan.ungroups = true,
            Long("timeline") => plan.timeline = Some(args.value()?.into()),
            Short('q') | Long("quiet") => plan.is_quiet = true,
            Value(program) => {
                // What follows is the command's: it may look like an option of ours.
                let mut words = vec![program];
                words.extend(args.raw_args()?);
                if let Some(at) = words.iter().position(|word| word == ":::") {
                    plan.inputs = Some(words.split_off(at).split_off(1));
                }
                plan.words = words.into_iter().map(ValueExt::string).collect::<Result<_, _>>()?;
            }
            Short(_) | Long(_) => return Err(arg.unexpected()),
        }
    }
    if plan.words.is_empty() {
        return Err("there is no command; see --help".into());
    }
    if !plan.words.iter().any(|word| word.contains("{}")) {
        plan.words.push("{}".to_owned());
    }
    Ok(Some(plan))
}
