//! Many children at once, each in a lane: a job of a pool that blocks while its child runs.
//!
//! Knows nothing of arguments and signals. Nobody stands between a child and the next one: who has
//! waited for the end of the first starts the second. So the lanes start their children beside each
//! other, too, which takes longer than all the rest that is done here.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use handspun::process::{Command, KillPolicy, Outcome, Output, Signal, SpawnError};
use handspun::{CancellationToken, Scope, ThreadPool, TraceEvent};
use parking_lot::Mutex;

use crate::board::Board;
use crate::inputs::Inputs;
use crate::plan::Plan;
use crate::tally::{Report, Tally};

/// What hears of each child, if a timeline was asked for.
pub(crate) type Ear = Arc<dyn Fn(&TraceEvent<'_>) + Send + Sync>;

/// What the lanes share.
struct Work<'a, W> {
    plan: &'a Plan,
    all: &'a CancellationToken,
    inputs: &'a Inputs,
    ear: Option<Ear>,
    board: Mutex<Board<'a, W>>,
}

/// Runs all, and prints what they say.
pub(crate) fn run(
    plan: &Plan,
    all: &CancellationToken,
    inputs: &Inputs,
    ear: Option<Ear>,
    out: &mut (impl Write + Send),
) -> Tally {
    let work = Work { plan, all, inputs, ear, board: Mutex::new(Board::new(plan, out)) };
    ThreadPool::new(plan.jobs).scope(|scope| open_lane(scope, &work, 1));
    work.board.into_inner().finish()
}

/// A lane that has found an input opens the next: there are no more of them than inputs.
fn open_lane<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    work: &'env Work<'_, impl Write + Send>,
    number: usize,
) {
    drop(scope.submit(move || {
        let mut found = work.inputs.next(work.all);
        if found.is_some() && number < work.plan.jobs {
            open_lane(scope, work, number + 1);
        }
        while let Some((index, input)) = found {
            work.run_one(index, &input);
            found = work.inputs.next(work.all);
        }
    }));
}

impl<W: Write> Work<'_, W> {
    /// One input: a child, and more of them while it fails.
    fn run_one(&self, index: usize, input: &OsStr) {
        let words: Vec<_> = self.plan.words.iter().map(|word| fill(word, input)).collect();
        let command = self.command(&words);
        let mut result = command.run();
        let mut pause = Duration::from_millis(100);
        for _ in 0..self.plan.retries {
            // A pause ends early if there is nothing to wait for any more.
            if is_success(&result) || self.all.sleep(pause).is_err() {
                break;
            }
            pause *= 2;
            result = command.run();
        }
        let has_failed = !is_success(&result);
        let command = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
        self.board.lock().take(Report { index, command, result });
        if has_failed && self.plan.fails_fast {
            self.all.cancel_because("another one has failed");
        }
    }

    fn command(&self, words: &[OsString]) -> Command {
        let policy = KillPolicy::new([(Signal::TERM, self.plan.grace)]);
        let mut command = Command::new(&words[0]).args(&words[1..]).token(self.all);
        command = command.timeout(self.plan.timeout).kill_policy(policy).wait_for_place();
        if self.plan.ungroups {
            command = command.stdout(Output::Inherit).stderr(Output::Inherit);
        }
        match self.ear.clone() {
            Some(ear) => command.observer(move |event| ear(event)),
            None => command,
        }
    }
}

fn is_success(result: &Result<Outcome, SpawnError>) -> bool {
    result.as_ref().is_ok_and(Outcome::is_success)
}

/// The word with the input in each of its `{}`.
fn fill(word: &str, input: &OsStr) -> OsString {
    let parts: Vec<_> = word.split("{}").map(OsStr::new).collect();
    parts.join(input)
}
