//! `par`: runs a command once for each input, several at a time, and leaves nothing running.
//!
//! A small `xargs -P`. It shows one thread that waits for many children at once: each input is a future
//! that starts a child, awaits it, and tries again if it has to; `as_completed` takes them as they
//! finish. On Unix only.

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    par::main()
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod par {
    use std::collections::BTreeMap;
    use std::io::{self, BufRead, IsTerminal, Write};
    use std::pin::Pin;
    use std::process::ExitCode;
    use std::time::Duration;

    use handspun::process::{
        Cause, Command, KillPolicy, Outcome, Output, Signal, SpawnError, terminate_all,
    };
    use handspun::{AsCompleted, CancellationToken, timeout};

    const USAGE: &str = "\
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

Ctrl-C asks all to end; a second one kills them. It exits with the number of commands that failed,
101 if there are more than 100, and 255 if it was called in a wrong way.
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
        /// Given behind `:::`; otherwise they come from stdin.
        pub(crate) inputs: Option<Vec<String>>,
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
                inputs: None,
            }
        }
    }

    pub(crate) fn main() -> ExitCode {
        let plan = match plan(lexopt::Parser::from_env()) {
            Ok(Some(plan)) => plan,
            Ok(None) => {
                print!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            Err(error) => {
                eprintln!("par: {error}");
                return ExitCode::from(255);
            }
        };
        let all = CancellationToken::new();
        let on_ctrl_c = {
            let all = all.clone();
            move || {
                if !all.cancel_because("Ctrl-C") {
                    terminate_all(KillPolicy::at_once()); // It is the second time.
                }
            }
        };
        if let Err(error) = ctrlc::set_handler(on_ctrl_c) {
            eprintln!("par: Ctrl-C will not end the commands gently: {error}");
        }
        let tally = match &plan.inputs {
            Some(inputs) => run(&plan, &all, inputs.iter().cloned(), &mut io::stdout()),
            None => {
                let lines = io::stdin().lock().lines().map_while(Result::ok);
                run(&plan, &all, lines, &mut io::stdout())
            }
        };
        if !plan.is_quiet {
            eprint!("{}", tally.summary());
        }
        ExitCode::from(tally.failures.len().min(101) as u8)
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
                Short('q') | Long("quiet") => plan.is_quiet = true,
                Value(program) => {
                    // What follows is the command's: it may look like an option of ours.
                    plan.words.push(program.string()?);
                    let rest = args.raw_args()?.map(ValueExt::string);
                    plan.words.extend(rest.collect::<Result<Vec<_>, _>>()?);
                }
                Short(_) | Long(_) => return Err(arg.unexpected()),
            }
        }
        if let Some(at) = plan.words.iter().position(|word| word == ":::") {
            plan.inputs = Some(plan.words.split_off(at).split_off(1));
        }
        if plan.words.is_empty() {
            return Err("there is no command; see --help".into());
        }
        Ok(Some(plan))
    }

    /// What came of one input.
    struct Report {
        index: usize,
        command: String,
        result: Result<Outcome, SpawnError>,
    }

    type Run = Pin<Box<dyn Future<Output = Report>>>;

    /// Runs all, and prints what they say.
    pub(crate) fn run(
        plan: &Plan,
        all: &CancellationToken,
        inputs: impl IntoIterator<Item = String>,
        out: &mut impl Write,
    ) -> Tally {
        let (mut inputs, mut running) = (inputs.into_iter().enumerate(), AsCompleted::<Run>::new());
        let (mut tally, mut early, mut next) = (Tally::default(), BTreeMap::new(), 0);
        let shows_progress = !plan.is_quiet && io::stderr().is_terminal();
        loop {
            while running.unfinished() < plan.jobs && !all.is_cancelled() {
                let Some((index, input)) = inputs.next() else { break };
                running.add(Box::pin(attempts(plan, all.clone(), index, input)));
            }
            let Some(report) = running.join_next() else { break };
            tally.count(&report);
            if plan.fails_fast && !tally.failures.is_empty() {
                all.cancel_because("another one has failed");
            }
            let key = if plan.keeps_order { report.index } else { next };
            early.insert(key, report);
            while let Some(report) = early.remove(&next) {
                show(&report, out);
                next += 1;
            }
            if shows_progress {
                eprint!("\r{} done, {} failed\x1b[K", tally.n_done, tally.failures.len());
            }
        }
        if shows_progress {
            eprint!("\r\x1b[K");
        }
        early.values().for_each(|report| show(report, out)); // One before them was never started.
        tally
    }

    /// One input: a child, and more of them while it fails.
    fn attempts(
        plan: &Plan,
        all: CancellationToken,
        index: usize,
        input: String,
    ) -> impl Future<Output = Report> + use<> {
        let words = words_for(&plan.words, &input);
        let policy = KillPolicy::new([(Signal::TERM, plan.grace)]);
        let mut command = Command::new(&words[0]).args(&words[1..]).token(&all);
        command = command.timeout(plan.timeout).kill_policy(policy).wait_for_place();
        if plan.ungroups {
            command = command.stdout(Output::Inherit).stderr(Output::Inherit);
        }
        let mut retries = plan.retries;
        async move {
            let mut pause = Duration::from_millis(100);
            loop {
                let result = match command.spawn() {
                    Ok(child) => Ok(child.await),
                    Err(error) => Err(error),
                };
                let is_done = result.as_ref().is_ok_and(Outcome::is_success);
                if is_done || retries == 0 || all.is_cancelled() {
                    return Report { index, command: words.join(" "), result };
                }
                retries -= 1;
                // It ends early if there is nothing to wait for any more.
                let _ = timeout(pause, all.cancelled()).await;
                pause *= 2;
            }
        }
    }

    fn words_for(words: &[String], input: &str) -> Vec<String> {
        let mut filled: Vec<_> = words.iter().map(|word| word.replace("{}", input)).collect();
        if !words.iter().any(|word| word.contains("{}")) {
            filled.push(input.to_owned());
        }
        filled
    }

    /// Whoever reads our output may have gone; that is no reason to stop the work.
    fn show(report: &Report, out: &mut impl Write) {
        match &report.result {
            Ok(outcome) => {
                let _ = out.write_all(&outcome.stdout.bytes);
                let _ = io::stderr().write_all(&outcome.stderr.bytes);
            }
            Err(error) => eprintln!("par: {error}"),
        }
    }

    /// What came of all of them.
    #[derive(Default)]
    pub(crate) struct Tally {
        pub(crate) n_done: usize,
        pub(crate) n_timed_out: usize,
        /// A line for each.
        pub(crate) failures: Vec<String>,
        slowest: Option<(Duration, String)>,
    }

    impl Tally {
        fn count(&mut self, report: &Report) {
            self.n_done += 1;
            let why = match &report.result {
                Err(error) => error.to_string(),
                Ok(outcome) => {
                    self.n_timed_out += usize::from(outcome.cause == Cause::TimedOut);
                    if self.slowest.as_ref().is_none_or(|(wall, _)| outcome.wall > *wall) {
                        self.slowest = Some((outcome.wall, report.command.clone()));
                    }
                    let status = outcome.status.map_or("no status".to_owned(), |s| s.to_string());
                    if outcome.is_success() {
                        return;
                    }
                    format!("{} ({status})", outcome.cause)
                }
            };
            self.failures.push(format!("{}: {why}", report.command));
        }

        pub(crate) fn summary(&self) -> String {
            let (n_failed, n_timed_out) = (self.failures.len(), self.n_timed_out);
            let mut text = format!(
                "par: {} ok, {n_failed} failed, {n_timed_out} of them for their time\n",
                self.n_done - n_failed,
            );
            if let Some((wall, command)) = &self.slowest {
                text += &format!("par: the slowest took {:.2} s: {command}\n", wall.as_secs_f64());
            }
            let failures = self.failures.iter().map(|failure| format!("  {failure}\n"));
            text + &failures.collect::<String>()
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::par::{Plan, Tally, plan, run};
    use handspun::CancellationToken;
    use std::time::{Duration, Instant};

    fn of(args: &[&str]) -> Plan {
        plan(lexopt::Parser::from_args(args)).expect("good arguments").expect("no --help")
    }

    fn run_it(args: &[&str]) -> (String, Tally) {
        let (plan, mut out) = (of(args), Vec::new());
        let inputs = plan.inputs.clone().expect("inputs behind `:::`");
        let tally = run(&plan, &CancellationToken::new(), inputs, &mut out);
        (String::from_utf8(out).expect("text"), tally)
    }

    #[test]
    fn every_input_is_put_in_its_place() {
        let (out, tally) = run_it(&["-q", "-k", "-j3", "echo", "<{}>", ":::", "a", "b c", "d"]);
        assert_eq!((out.as_str(), tally.n_done), ("<a>\n<b c>\n<d>\n", 3));
        let (out, _) = run_it(&["-q", "echo", "-n", ":::", "a"]);
        assert_eq!(out, "a", "what follows the command is its own");
    }

    #[test]
    fn order_is_kept_though_the_first_is_the_slowest() {
        let script = ["-q", "-k", "-j3", "sh", "-c", "sleep 0.$1; echo $1", "sh"];
        let (out, _) = run_it(&[&script[..], &[":::", "3", "2", "1"]].concat());
        assert_eq!(out, "3\n2\n1\n");
    }

    #[test]
    fn failures_are_told_one_by_one() {
        let (_, tally) = run_it(&["-q", "sh", "-c", "exit {}", ":::", "0", "3", "0", "4"]);
        assert_eq!((tally.n_done, tally.failures.len()), (4, 2));
        assert!(tally.summary().contains("exit 3: it exited (exit status: 3)"));
        let (_, tally) = run_it(&["-q", "no-such-program", ":::", "a"]);
        assert!(tally.summary().contains("no program `no-such-program`"));
    }

    #[test]
    fn a_timeout_ends_what_takes_too_long() {
        let began = Instant::now();
        let (_, tally) =
            run_it(&["-q", "-j2", "--timeout", "0.2", "sleep", ":::", "60", "0", "60"]);
        assert_eq!((tally.failures.len(), tally.n_timed_out), (2, 2));
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn the_first_failure_can_be_the_last() {
        let words = ["-q", "-j2", "--fail-fast", "sh", "-c", "test {} = 0 && exit 3; sleep {}"];
        let inputs = [":::", "60", "0", "60", "60"];
        let (_, tally) = run_it(&[&words[..], &inputs].concat());
        assert_eq!((tally.n_done, tally.failures.len()), (2, 2));
        assert!(tally.summary().contains("cancelled: another one has failed"));
    }

    #[test]
    fn a_command_that_fails_is_tried_again() {
        let folder = std::env::temp_dir().join(format!("handspun-par-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a new folder");
        // It succeeds at its third attempt.
        let script =
            format!("cd {} && echo >> tries && test $(wc -l < tries) = 3", folder.display());
        let (_, tally) = run_it(&["-q", "--retries", "2", "sh", "-c", &script, ":::", "a"]);
        std::fs::remove_dir_all(&folder).expect("it is ours");
        assert!(tally.failures.is_empty(), "{}", tally.summary());
    }
}
