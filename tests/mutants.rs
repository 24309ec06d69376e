//! Whether the model checks catch anything: one mistake at a time is planted in a copy of the crate.
//!
//! ```text
//! cargo test --test mutants
//! cargo test --test mutants -- settle     only the mistakes whose check or file says `settle`
//! ```
//!
//! Knows nothing of how a check works. A mistake is a piece of text that stands in its file exactly
//! once, what is put in its place, and the check that must fail. What must always hold: only a
//! failed check counts as caught. A mistake that does not compile, or whose text has changed, is a
//! fault of the list below.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// One mistake that somebody might make.
struct Mutant {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// What has gone wrong, in words.
    mistake: &'static str,
    /// The path of the check below `model::`.
    caught_by: &'static str,
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/parker.rs",
        right: "        drop(self.falling_asleep.lock());
",
        wrong: "",
        mistake: "the waker does not wait until the sleeper sleeps",
        caught_by: "hall::an_unpark_always_ends_the_park",
    },
    Mutant {
        file: "src/wait/parker.rs",
        right: "if self.state.swap(NOTIFIED, Release) != PARKED {",
        wrong: "if self.state.compare_exchange(EMPTY, NOTIFIED, Release, Relaxed) != Err(PARKED) {",
        mistake: "a sleeper is woken, and finds no notice",
        caught_by: "hall::two_unparks_end_two_parks_or_count_as_one",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "        let value = state.take_value();
        let not_needed",
        wrong: "        let value = None;
        let not_needed",
        mistake: "no second look where the waker is left",
        caught_by: "hall::a_settled_value_reaches_a_thread_that_joins",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "        let unread = state.take_value();
        let reader",
        wrong: "        let unread = state.take_value();
        drop(state);
        let mut state = self.state.lock();
        let reader",
        mistake: "the reader takes the value and goes in two steps",
        caught_by: "hall::a_value_is_read_or_comes_back_but_never_both",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "            Stage::Queued(_) => match mem::replace(&mut state.stage, Stage::Running) {
                Stage::Queued(work) => Some(work),
                Stage::Running | Stage::Settled(_) | Stage::Taken => None,
            },
            Stage::Running",
        wrong: "            Stage::Queued(_) => {
                drop(state);
                let mut state = self.state.lock();
                match mem::replace(&mut state.stage, Stage::Running) {
                    Stage::Queued(work) => Some(work),
                    _ => unreachable!(),
                }
            }
            Stage::Running",
        mistake: "the look at the stage and the step to the next are two",
        caught_by: "hall::work_begins_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "Reader::Waiting(kept) if kept.will_wake(waker) => Look::WillBeWoken,
            Reader::Away | Reader::Waiting(_) | Reader::Gone",
        wrong: "Reader::Waiting(_) => Look::WillBeWoken,
            Reader::Away | Reader::Gone",
        mistake: "the first waker is kept, whoever polls afterwards",
        caught_by: "waits::the_newest_waker_is_the_one_that_is_woken",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "            panic::contain(|| waker.wake());",
        wrong: "            panic::contain(|| drop(waker));",
        mistake: "what settles wakes nobody",
        caught_by: "waits::a_job_that_is_awaited_wakes_its_task",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "Reader::Gone => (Stage::Taken, Some(value)),
            Reader::Away | Reader::Waiting(_) => (Stage::Settled(value), None),",
        wrong: "Reader::Gone | Reader::Away | Reader::Waiting(_) => (Stage::Settled(value), None),",
        mistake: "a value without a reader is kept in the cell",
        caught_by: "waits::a_panic_is_read_or_told_to_the_hook",
    },
    Mutant {
        file: "src/pool/ledger.rs",
        right: "            Ok(value) => panic::contain(|| drop(value)),",
        wrong: "            Ok(value) => std::mem::forget(value),",
        mistake: "a value that nobody reads is leaked",
        caught_by: "waits::a_result_that_nobody_reads_is_dropped_once",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "        let unread = state.take_value();
        let reader",
        wrong: "        let unread = None;
        let reader",
        mistake: "a reader that goes leaves a panic unread",
        caught_by: "waits::a_panic_is_read_or_told_to_the_hook",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "        let Poll::Ready(result) = Pin::new(handle).poll(&mut Context::from_waker(&waker)) else {
",
        wrong: "        drop(waiting);
        let mut waiting = self.waiting.lock();
        let Some((handle, _)) = waiting.as_mut() else { return };
        let Poll::Ready(result) = Pin::new(handle).poll(&mut Context::from_waker(Waker::noop())) else {
",
        mistake: "a callback looks with a waker that wakes nobody",
        caught_by: "waits::a_callback_runs_exactly_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.is_one_on_its_way = false;
",
        wrong: "",
        mistake: "who arrives is on its way for ever",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                state.lie_down(parker.clone());
                drop(state);",
        wrong: "                drop(state);
                self.shared.lock().lie_down(parker.clone());",
        mistake: "looking and lying down are two steps",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                summon(&self.shared, state);
                job.run",
        wrong: "                drop(state);
                job.run",
        mistake: "a worker does not send for the next one",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                summon(&self.shared, state);
                job.run(&self.shared.ledger);",
        wrong: "                drop(state);
                job.run(&self.shared.ledger);
                summon(&self.shared, self.shared.lock());",
        mistake: "a worker sends for the next one after its job",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.idle.push(parker);",
        wrong: "        self.idle = vec![parker];",
        mistake: "who lies down pushes another off the idle list",
        caught_by: "pool::two_submitters_lose_no_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "if let Some(parker) = self.idle.pop() {",
        wrong: "if let Some(parker) = self.idle.last().cloned() {",
        mistake: "who is woken stays on the idle list",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/queue.rs",
        right: "        let job = self.places[at].1.take()?;
        self.n_jobs -= 1;",
        wrong: "        let job = self.places[at].1.take()?;",
        mistake: "a job that is claimed still counts as queued",
        caught_by: "pool::a_job_is_taken_back_or_run_by_a_worker_but_never_both",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "            if let Some(job) = shared.claim(*ticket) {
                job.run",
        wrong: "            if let Some(job) = { shared.lock().queue.pop() } {
                job.run",
        mistake: "a worker that waits runs whatever is first in line",
        caught_by: "pool::a_worker_takes_back_nothing_but_what_it_waits_for",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "    pub fn join(self) -> Result<T, JoinError> {
        self.take_back();",
        wrong: "    pub fn join(self) -> Result<T, JoinError> {",
        mistake: "a worker that waits only waits",
        caught_by: "pool::a_pool_of_one_thread_joins_its_own_jobs",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "        if worker::is_aboard(shared) {
            if let Some(job)",
        wrong: "        {
            if let Some(job)",
        mistake: "everybody takes back",
        caught_by: "pool::a_thread_outside_runs_no_job",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "        self.settle(Err(JoinError::Cancelled(reason)), ledger);",
        wrong: "        if let Some(unread) = self.cell.settle(Err(JoinError::Cancelled(reason))) {
            ledger.dispose(unread);
        }",
        mistake: "a refusal is not counted",
        caught_by: "pool::a_job_begins_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "            job.refuse(CancelReason::Requested, &place.shared.ledger);
",
        wrong: "            drop(job);
",
        mistake: "what is cancelled leaves the queue and never settles",
        caught_by: "ends::a_cancel_that_races_the_last_drop_settles_its_job",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "        ledger.count_settled();
        if let Some(unread) = self.cell.settle(result) {
            ledger.dispose(unread);
        }",
        wrong: "        if let Some(unread) = self.cell.settle(result) {
            ledger.dispose(unread);
        }
        ledger.count_settled();",
        mistake: "a job is counted after its handle has settled",
        caught_by: "pool::the_counts_are_of_one_moment",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            (Phase::Open, None) => return Ok(self.queue.push(job)),",
        wrong: "            (Phase::Open | Phase::Joining | Phase::Ended, None) => return Ok(self.queue.push(job)),",
        mistake: "a pool whose threads have left lets jobs in",
        caught_by: "ends::a_submit_that_races_a_shutdown_runs_or_is_refused",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "        idle.into_iter().for_each(|parker| parker.unpark());",
        wrong: "        drop(idle);",
        mistake: "those who lie idle are not told of the end",
        caught_by: "ends::an_idle_pool_ends",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "            Shutdown::Cancel => state.queue.drain(),
        };",
        wrong: "            Shutdown::Cancel => state.queue.drain(),
        };
        let unrun = unrun.into_iter().skip(1);",
        mistake: "a job is drained and not refused",
        caught_by: "ends::what_is_queued_at_a_shutdown_runs_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.phase = Phase::Ended;
        mem::take(&mut self.end_waiters)",
        wrong: "        self.phase = Phase::Ended;
        self.end_waiters.pop().into_iter().collect()",
        mistake: "only one of those who wait for the end is woken",
        caught_by: "ends::every_one_of_several_shutdowns_returns",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "            self.close(Shutdown::Drain); // On a worker, which will come to its own end.
",
        wrong: "",
        mistake: "a pool that is dropped on a worker is not closed",
        caught_by: "ends::a_pool_that_is_dropped_inside_a_worker_runs_what_is_queued",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                state.end_waiters.push(waker);
",
        wrong: "                drop(state);
                self.lock().end_waiters.push(waker);
",
        mistake: "looking for the end and waiting for it are two steps",
        caught_by: "ends::a_submit_that_races_the_last_drop_runs",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        summon(&self.shared, self.shared.lock());
",
        wrong: "",
        mistake: "a worker that is lost on its way sends for nobody",
        caught_by: "ends::a_worker_that_fails_at_its_start_is_made_good_by_another",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "    state.arrive();
    let end_waiters",
        wrong: "    let end_waiters",
        mistake: "a worker that is lost stays on its way",
        caught_by: "completed::a_bystander_runs_the_job_when_the_free_hand_is_lost",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            bystanders.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}
",
        wrong: "            drop(bystanders);
        }
    }
}
",
        mistake: "bystanders are not told that the last free hand is gone",
        caught_by: "completed::a_bystander_runs_the_job_when_the_free_hand_is_gone",
    },
    Mutant {
        file: "src/wait/completed.rs",
        right: "        let can_help = deadline == Deadline::Never;",
        wrong: "        let can_help = deadline != Deadline::Never;",
        mistake: "a worker that waits for many does not help",
        caught_by: "completed::a_lone_worker_helps_itself",
    },
    Mutant {
        file: "src/wait/completed.rs",
        right: "            None => mem::swap(&mut line.waiter, &mut waker),",
        wrong: "            None => {
                drop(line);
                line = self.0.lock();
                mem::swap(&mut line.waiter, &mut waker);
            }",
        mistake: "looking at the line and leaving a waker are two steps",
        caught_by: "completed::a_post_ends_the_wait",
    },
    Mutant {
        file: "src/wait/completed.rs",
        right: "            Some(at) => line.is_posted[at] = false,",
        wrong: "            Some(_) => {}",
        mistake: "who has left the line still counts as standing in it",
        caught_by: "completed::a_place_serves_one_member_after_another",
    },
    Mutant {
        file: "src/wait/completed.rs",
        right: "            (Poll::Pending, offer) => {
",
        wrong: "            (Poll::Pending, offer) => {
                let _ = poll_once(&mut future, Waker::noop());
",
        mistake: "a member is polled with a waker that wakes nobody",
        caught_by: "completed::every_member_is_yielded_once",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "            job.refuse(CancelReason::ShutDown, &self.shared.ledger);",
        wrong: "            drop(job);",
        mistake: "jobs are dropped, and nobody who waits is told",
        caught_by: "completed::cancelled_members_are_yielded_too",
    },
];

fn main() -> ExitCode {
    let wanted = env::args().nth(1).unwrap_or_default();
    let bench = Bench::set_up().expect("a copy of the crate can be made below the target folder");
    let mut n_escaped = 0;
    println!("{:<46} {:<60} caught", "file: check", "mistake");
    for mutant in MUTANTS {
        let place = format!("{}: {}", mutant.file, mutant.caught_by);
        if !place.contains(&wanted) {
            continue;
        }
        let fate = bench.try_out(mutant).expect("files can be written, and cargo can be run");
        println!("{place}\n{:<46} {:<60} {}", "", mutant.mistake, fate.in_words());
        n_escaped += usize::from(!matches!(fate, Fate::Caught(_)));
    }
    if n_escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What became of a mistake.
enum Fate {
    /// The check failed, and this is what it said of when.
    Caught(String),
    /// The check passes all the same.
    Escaped,
    /// The mistake, and not the crate, is to be mended.
    Faulty(String),
}

impl Fate {
    fn in_words(&self) -> String {
        match self {
            Self::Caught(when) => when.clone(),
            Self::Escaped => "ESCAPED: the check passes".to_owned(),
            Self::Faulty(why) => format!("FAULTY: {why}"),
        }
    }
}

/// A copy of the crate in which mistakes are planted, with a target folder that they share.
struct Bench {
    house: &'static Path,
    copy: PathBuf,
    target: PathBuf,
}

impl Bench {
    fn set_up() -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        let house = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bench = Self { house, copy: folder.join("crate"), target: folder.join("target") };
        if bench.copy.exists() {
            fs::remove_dir_all(&bench.copy)?;
        }
        fs::create_dir_all(&bench.copy)?;
        for name in ["Cargo.toml", "Cargo.lock", "src", "tests", "docs"] {
            copy_all(&house.join(name), &bench.copy.join(name))?;
        }
        Ok(bench)
    }

    fn try_out(&self, mutant: &Mutant) -> io::Result<Fate> {
        let text = fs::read_to_string(self.house.join(mutant.file))?;
        let n_places = text.matches(mutant.right).count();
        if n_places != 1 {
            return Ok(Fate::Faulty(format!("its text stands in the file {n_places} times")));
        }
        fs::write(self.copy.join(mutant.file), text.replacen(mutant.right, mutant.wrong, 1))?;
        let fate = self.check(mutant.caught_by);
        fs::write(self.copy.join(mutant.file), text)?;
        fate
    }

    fn check(&self, name: &str) -> io::Result<Fate> {
        let (is_built, errors) = self.cargo_test(&["--no-run"])?;
        if !is_built {
            let error = errors.lines().find(|line| line.starts_with("error"));
            return Ok(Fate::Faulty(error.unwrap_or("it does not compile").to_owned()));
        }
        let test = format!("model::{name}");
        let (is_passed, output) = self.cargo_test(&["--", "--exact", &test])?;
        if output.contains("running 0 tests") {
            return Ok(Fate::Faulty("there is no such check".to_owned()));
        }
        if is_passed {
            return Ok(Fate::Escaped);
        }
        let when = output.lines().find_map(|line| line.split_once(": failed in ")).map(|it| it.1);
        Ok(match when {
            Some(when) => Fate::Caught(when.to_owned()),
            None => Fate::Faulty("the check did not end as a failed check does".to_owned()),
        })
    }

    /// Whether it succeeded, and all that it said.
    fn cargo_test(&self, arguments: &[&str]) -> io::Result<(bool, String)> {
        let output = Command::new(env!("CARGO"))
            .args(["test", "--quiet", "--lib"])
            .args(arguments)
            .current_dir(&self.copy)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0") // Nobody debugs a mutant, and they build faster.
            .env("RUSTFLAGS", "--cfg handspun_model")
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
