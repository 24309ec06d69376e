//! Many children at once, and one thread that waits for them.
//!
//! Knows nothing of arguments and signals. The next input, the children and the end of all are futures
//! that `as_completed` takes as they come: an input that is long in coming keeps nobody waiting.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use handspun::process::{Command, KillPolicy, Outcome, Output, Signal};
use handspun::{AsCompleted, CancellationToken, Event, Queue, timeout};

use crate::plan::Plan;
use crate::tally::{Report, Tally};

/// What hears of each child, if a timeline was asked for.
pub(crate) type Ear = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// What may happen next.
enum News {
    Input(Option<String>),
    Done(Report),
    Cancelled,
}

/// Runs all, and prints what they say.
pub(crate) fn run(
    plan: &Plan,
    all: &CancellationToken,
    inputs: &Queue<String>,
    ear: Option<Ear>,
    out: &mut impl Write,
) -> Tally {
    let mut news = AsCompleted::<Pin<Box<dyn Future<Output = News>>>>::new();
    let cancelled = all.cancelled();
    news.add(Box::pin(async move { (cancelled.await, News::Cancelled).1 }));
    let (mut n_running, mut n_inputs, mut is_asking, mut are_more) = (0, 0, false, true);
    let (mut tally, mut early, mut next) = (Tally::default(), BTreeMap::new(), 0);
    let shows_progress = !plan.is_quiet && io::stderr().is_terminal();
    loop {
        let starts_more = are_more && !all.is_cancelled();
        if starts_more && !is_asking && n_running < plan.jobs {
            let input = inputs.get();
            let input =
                async move { News::Input(input.await.ok().map(|input| input.into_inner())) };
            news.add(Box::pin(input));
            is_asking = true;
        }
        if !starts_more && n_running == 0 {
            break;
        }
        match news.join_next().expect("a child or an input is waited for") {
            News::Cancelled => {}
            News::Input(None) => are_more = false,
            News::Input(Some(_)) if all.is_cancelled() => {}
            News::Input(Some(input)) => {
                let attempts = attempts(plan, all.clone(), ear.clone(), n_inputs, input);
                news.add(Box::pin(async move { News::Done(attempts.await) }));
                (n_inputs, n_running, is_asking) = (n_inputs + 1, n_running + 1, false);
            }
            News::Done(report) => {
                n_running -= 1;
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
    ear: Option<Ear>,
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
    if let Some(ear) = ear {
        command = command.observer(move |event| ear(event));
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
