//! The command line: what it may say, and what it asks for.
//!
//! Knows nothing of children. What must always hold: what follows the command is the command's own.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;
use std::{env, fs, mem};

use lexopt::prelude::*;

use crate::cli::shown;
use crate::halt::Halt;
use crate::plan::{Plan, Resume, Slurm, Source};
use crate::template::{Template, Word};

pub(crate) const USAGE: &str = "\
par: runs a command once for each input, several at a time; leaves none running
  par [OPTIONS] COMMAND [ARG…] ::: INPUT…   or :::: FILE…; of several, all pairs
  … | par [OPTIONS] [COMMAND [ARG…]]        lines; each is a command without one
In ARG: {} the input, {.} without extension, {/} its name, {//} its folder,
{/.} name without extension, {2} {2.} … of the 2nd :::, {#} its number, {%} the
lane; without any, {} is added. No shell reads COMMAND, but for --shell.
 -j N           so many at once: 4, 50% of the cores, -1 (cores less 1), 0 (all)
 -a FILE        inputs from the lines of FILE      -0  they end with NUL
 -k             output in the order of the inputs  -u  output goes straight out
 --tag          begin each line of output with the input      -q  no summary
 --shell        COMMAND is a line for sh           --dry-run  print, do not run
 --timeout S    end what takes longer              --grace S  TERM to KILL (5)
 --retries N    try each up to N times             --delay S  between two starts
 --joblog FILE  log what ended  --resume (--resume-failed)  do the rest
 --halt WHEN    never, now,fail=1, soon,fail=10%; done, success  (--fail-fast)
 --wd DIR       run there       --env NAME=VALUE   set for each
 --sbatch[=OPT] all as a Slurm job array           --timeline F  a trace
-h, --help, --version. Ctrl-C, TERM or HUP ends all; once more, and it kills.
Exit code: how many failed (101: over 100); after --halt …,fail=1 that one's,
with N% the percentage; 141: the reader has gone; 255: Ctrl-C, or its own error.
";

pub(crate) enum Request {
    Help,
    Version,
    Run(Box<Plan>),
}

pub(crate) fn parse(mut args: lexopt::Parser) -> Result<Request, lexopt::Error> {
    let mut plan =
        Plan { jobs: cores(), grace: Duration::from_secs(5), tries: 1, ..Plan::default() };
    let (mut is_for_shell, mut words) = (false, Vec::new());
    let (mut slurm, mut said_jobs) = (None, None);
    while let Some(arg) = args.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("version") => return Ok(Request::Version),
            Short('j') | Long("jobs") => {
                plan.jobs = args.value()?.parse_with(jobs)?;
                said_jobs = Some(plan.jobs);
            }
            Short('a') | Long("arg-file") => plan.sources.push(Source::File(args.value()?.into())),
            Short('0') | Long("null") => plan.ends_with_nul = true,
            Short('k') | Long("keep-order") => plan.keeps_order = true,
            Short('u') | Long("ungroup") => plan.ungroups = true,
            Short('q') | Long("quiet") => plan.is_quiet = true,
            Long("tag") => plan.tags = true,
            Long("shell") => is_for_shell = true,
            Long("dry-run") => plan.is_dry_run = true,
            Long("timeout") => plan.timeout = Some(args.value()?.parse_with(seconds)?),
            Long("grace") => plan.grace = args.value()?.parse_with(seconds)?,
            Long("delay") => plan.delay = args.value()?.parse_with(seconds)?,
            Long("retries") => plan.tries = args.value()?.parse::<u32>()?.max(1),
            Long("joblog") => plan.joblog = Some(args.value()?.into()),
            Long("resume") => plan.resume = Resume::Unfinished,
            Long("resume-failed") => plan.resume = Resume::Failed,
            Long("halt") => plan.halt = args.value()?.parse()?,
            Long("fail-fast") => plan.halt = Halt::FIRST_FAILURE,
            Long("wd" | "workdir") => plan.directory = Some(Word::new(args.value()?)),
            Long("env") => plan.env.push(variable(&args.value()?)?),
            Long("sbatch") => slurm = Some(options_of_sbatch(args.optional_value())),
            Long("timeline") => plan.timeline = Some(args.value()?.into()),
            Value(program) => {
                // What follows is the command's: it may look like an option of ours.
                words.push(program);
                words.extend(args.raw_args()?);
                plan.sources.append(&mut sources(&mut words)?);
            }
            Short(_) | Long(_) => return Err(arg.unexpected()),
        }
    }
    if plan.resume != Resume::No && plan.joblog.is_none() {
        return Err("to resume, say with --joblog what was done".into());
    }
    let is_ours =
        plan.tries > 1 || !plan.delay.is_zero() || plan.ungroups || plan.timeline.is_some();
    if slurm.is_some() && is_ours {
        return Err(
            "with --sbatch there are no --retries, --delay, --ungroup and --timeline".into()
        );
    }
    plan.sbatch = slurm.map(|options| Slurm { options, at_once: said_jobs });
    if plan.sources.is_empty() {
        plan.sources.push(Source::File("-".into()));
    }
    let n_stdin = plan.sources.iter().filter(|source| source.is_stdin()).count();
    if n_stdin > 1 {
        return Err("stdin can be read only once".into());
    }
    plan.command = Template::new(&words, is_for_shell);
    Ok(Request::Run(plan.into()))
}

/// Takes the sources off the end of the words.
fn sources(words: &mut Vec<OsString>) -> Result<Vec<Source>, lexopt::Error> {
    let is_mark = |word: &OsString| word == ":::" || word == "::::";
    if let Some(link) = words.iter().find(|word| *word == ":::+" || *word == "::::+") {
        return Err(format!("`{}` (inputs side by side) is not known here", shown(link)).into());
    }
    let Some(at) = words.iter().position(is_mark) else { return Ok(Vec::new()) };
    let (mut sources, mut named, mut is_files) = (Vec::new(), Vec::new(), false);
    let finish = |named: Vec<OsString>, is_files, sources: &mut Vec<Source>| match is_files {
        true => sources.extend(named.into_iter().map(|file| Source::File(file.into()))),
        false => sources.push(Source::Words(named)),
    };
    for (index, word) in words.split_off(at).into_iter().enumerate() {
        if !is_mark(&word) {
            named.push(word);
            continue;
        }
        if index > 0 {
            finish(mem::take(&mut named), is_files, &mut sources);
        }
        is_files = word == "::::";
    }
    finish(named, is_files, &mut sources);
    Ok(sources)
}

impl Source {
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self, Self::File(path) if path == Path::new("-"))
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// The most children at once: each has its descriptors, and more while it is being started.
///
/// Where the system does not say how many it allows, it is taken to be 256, as few as there are anywhere.
fn most() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    let files = soft.and_then(|soft| soft.parse().ok()).unwrap_or(256_usize);
    (files.saturating_sub(96) / 6).clamp(1, 4_000)
}

fn jobs(text: &str) -> Result<usize, String> {
    let n = match (text.strip_suffix('%'), text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(percent), _, _) => percent.parse().ok().and_then(|percent: f64| {
            let n = (percent >= 0.0).then_some(percent / 100.0 * cores() as f64)?;
            Some((n.round() as usize).max(1))
        }),
        (_, Some(more), _) => more.parse().ok().map(|more| cores().saturating_add(more)),
        (_, _, Some(less)) => less.parse().ok().map(|less| cores().saturating_sub(less).max(1)),
        (None, None, None) => text.parse().ok().map(|n| if n == 0 { usize::MAX } else { n }),
    };
    let n = n.ok_or("it is a number, a percentage such as 50%, +1 or -1, or 0 for all at once")?;
    Ok(n.min(most()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::try_from_secs_f64);
    seconds.ok().and_then(Result::ok).ok_or("it is a number of seconds".to_owned())
}

/// `NAME=VALUE`; or `NAME`, whose value is ours.
fn variable(text: &OsStr) -> Result<(OsString, OsString), lexopt::Error> {
    let bytes = text.as_bytes();
    let Some(at) = bytes.iter().position(|byte| *byte == b'=') else {
        let unset = || format!("`{}` is not set, and is given no value", shown(text));
        return Ok((text.to_owned(), env::var_os(text).ok_or_else(unset)?));
    };
    if at == 0 {
        return Err("a variable has a name".into());
    }
    let value = OsString::from_vec(bytes[at + 1..].to_owned());
    Ok((OsStr::from_bytes(&bytes[..at]).to_owned(), value))
}

/// They are cut at spaces: none of `sbatch`'s needs one.
fn options_of_sbatch(options: Option<OsString>) -> Vec<OsString> {
    let options = options.map(OsString::into_vec).unwrap_or_default();
    let words = options.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    words.map(|word| OsStr::from_bytes(word).to_owned()).collect()
}
