//! Somebody who uses a pool at random: a thread that hands in jobs, or one of the jobs.
//!
//! Knows nothing of what comes out. What must always hold: inside a job it waits in ways only that
//! cannot hang: by `join`, `as_completed`, `wait` and `map`, or with a timeout.

use std::sync::Arc;
use std::time::Duration;

use handspun::{
    Cancel, CancellationToken, JoinError, Shutdown, ShutdownError, as_completed, block_on, thread,
    timeout, wait,
};

use crate::jobs::{Fixture, Handle, Job};
use crate::maps;
use crate::records::{Bomb, Payload};
use crate::rng::Rng;

pub(crate) struct Actor {
    fixture: Arc<Fixture>,
    /// Whoever cancels this ends all that there is below.
    root: CancellationToken,
    /// The token of what is handed in, until it is cancelled and there is another.
    token: CancellationToken,
    rng: Rng,
    /// How many jobs it may still cause, directly or not, that cause more themselves.
    fuel: usize,
    /// How many jobs led to it; 0 if it is none.
    depth: usize,
    held: Vec<Handle>,
}

impl Actor {
    pub(crate) fn outside(fixture: Arc<Fixture>, root: &CancellationToken, rng: Rng) -> Self {
        Self::inside(fixture, root, rng, 80, 0)
    }

    pub(crate) fn inside(
        fixture: Arc<Fixture>,
        root: &CancellationToken,
        rng: Rng,
        fuel: usize,
        depth: usize,
    ) -> Self {
        let (root, token, held) = (root.clone(), root.child(), Vec::new());
        Self { fixture, root, token, rng, fuel, depth, held }
    }

    pub(crate) fn act(&mut self, least: usize, most: usize) {
        for _ in 0..least + self.rng.below(most + 1 - least) {
            self.do_something();
        }
    }

    /// Reads some of what it holds, and leaves the rest.
    pub(crate) fn leave(mut self) -> Vec<Handle> {
        for _ in 0..self.rng.below(self.held.len() + 1) {
            self.join();
        }
        self.held
    }

    fn do_something(&mut self) {
        match self.rng.below(36) {
            0..=4 => self.submit(),
            5 => self.submit_all(),
            6 => self.try_submit(),
            7 | 8 => self.submit_with(),
            9 | 10 => self.submit_and_join(),
            11 | 12 => self.pass_on(),
            13 => self.submit_what_explodes(),
            14..=16 => self.join(),
            17 | 18 => self.join_timeout(),
            19 => self.wait_as_a_task(),
            20..=23 => self.cancel(),
            24 => self.cancel_on_drop(),
            25 => {
                self.take().inspect(|_| self.note("drop of a handle"));
            }
            26 | 27 => self.as_completed(),
            28 => self.as_completed_for_a_while(),
            29 => self.wait(),
            30 => self.map(),
            31 => self.cancel_a_token(),
            32 => self.raw_thread(),
            33 => self.look_at_stats(),
            _ => self.shutdown_from_inside(),
        }
    }

    fn note(&self, kind: &str) {
        self.fixture.records.note(kind);
    }

    fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// Any of the handles that it holds.
    fn take(&mut self) -> Option<Handle> {
        let any = self.held.len().checked_sub(1).map(|last| self.rng.below(last + 1));
        any.map(|at| self.held.swap_remove(at))
    }

    fn take_some(&mut self) -> Vec<Handle> {
        let n = self.rng.below(self.held.len().min(6) + 1);
        self.held.split_off(self.held.len() - n)
    }

    fn a_moment(&mut self) -> Duration {
        Duration::from_micros([0, 1, 20, 100, 300][self.rng.below(5)])
    }

    fn new_job(&mut self) -> Job {
        let fuel = if self.rng.one_in(2) { self.fuel } else { self.rng.below(self.fuel + 1) };
        // Half of the fuel, or almost all of it: so there are bushes, and there are chains.
        let fuel = if self.rng.one_in(3) { fuel.saturating_sub(1) } else { fuel / 2 };
        self.fuel -= fuel;
        let is_a_user = fuel > 0 || self.rng.one_in(4);
        let explodes = self.rng.one_in(8).then_some("a closure's drop panicked");
        let records = self.fixture.records.clone();
        records.submitted.add(1);
        Job {
            fixture: is_a_user.then(|| self.fixture.clone()),
            token: self.token.clone(),
            rng: self.rng.split(),
            fuel,
            depth: self.depth + 1,
            passed_on: Vec::new(),
            result_explodes: false,
            bomb: Bomb::new(&records, explodes),
            records,
        }
    }

    fn submit_job(&mut self, job: Job) -> Handle {
        self.note("submit");
        self.fixture.pool.submit(job.into_closure())
    }

    fn submit(&mut self) {
        let job = self.new_job();
        let handle = self.submit_job(job);
        self.held.push(handle);
    }

    fn submit_all(&mut self) {
        let n_jobs = [2, 5, 9, 70][self.rng.below(4)];
        let jobs: Vec<_> = (0..n_jobs).map(|_| self.new_job().into_closure()).collect();
        self.note("submit_all");
        let handles = self.fixture.pool.submit_all(jobs);
        self.held.extend(handles);
    }

    fn try_submit(&mut self) {
        let mut job = self.new_job();
        job.bomb.disarm(); // It may come back to us.
        match self.fixture.pool.try_submit(job.into_closure()) {
            Ok(handle) => {
                self.note("try_submit");
                self.held.push(handle);
            }
            Err(full) => {
                self.note("try_submit to a full queue");
                let handle = self.fixture.pool.submit(full.into_inner());
                self.held.push(handle);
            }
        }
    }

    fn submit_with(&mut self) {
        let mut token = self.token.clone();
        if self.fixture.has_deadlines && self.rng.one_in(2) {
            self.note("submit_with a deadline");
            token = token.child_with_timeout(self.a_moment());
        }
        let job = self.new_job();
        self.note("submit_with");
        let handle = self.fixture.pool.submit_with(&token, |token| job.run(Some(token)));
        self.held.push(handle);
        if self.rng.one_in(2) {
            std::thread::yield_now();
            self.cancel_at(self.held.len() - 1);
        }
    }

    fn submit_and_join(&mut self) {
        let job = self.new_job();
        let handle = self.submit_job(job);
        self.fixture.records.read(handle.join());
        self.note(if self.is_inside() { "join at once, inside a job" } else { "join" });
    }

    /// A job that waits for others.
    fn pass_on(&mut self) {
        let passed_on = self.take_some();
        let job = Job { passed_on, ..self.new_job() };
        let handle = self.submit_job(job);
        self.held.push(handle);
    }

    /// A job whose result panics when it is dropped. It is not among those that are held: to drop it
    /// is the pool's business, and not ours.
    fn submit_what_explodes(&mut self) {
        let job = Job { result_explodes: true, ..self.new_job() };
        let handle = self.submit_job(job);
        if self.rng.one_in(2) {
            drop(handle);
        } else {
            drop(handle.cancel_on_drop());
        }
    }

    fn join(&mut self) {
        let Some(handle) = self.take() else { return };
        self.note("join");
        self.fixture.records.read(handle.join());
    }

    fn join_timeout(&mut self) {
        let Some(handle) = self.take() else { return };
        let moment = self.a_moment();
        if moment.is_zero() {
            self.note("join_timeout of zero");
        }
        match handle.join_timeout(moment) {
            Ok(result) => {
                self.note("join_timeout in time");
                self.fixture.records.read(result);
            }
            Err(still_running) => {
                self.note("join_timeout too early");
                self.held.push(still_running.into_inner());
            }
        }
    }

    fn wait_as_a_task(&mut self) {
        let Some(mut handle) = self.take() else { return };
        if !self.is_inside() && self.rng.one_in(2) {
            self.note("await");
            return self.fixture.records.read(block_on(handle));
        }
        self.note("await with a timeout");
        match block_on(timeout(self.a_moment(), &mut handle)) {
            Ok(result) => self.fixture.records.read(result),
            Err(_) => self.held.push(handle),
        }
    }

    fn cancel(&mut self) {
        if !self.held.is_empty() {
            let at = self.rng.below(self.held.len());
            self.cancel_at(at);
        }
    }

    fn cancel_at(&self, at: usize) {
        match self.held[at].cancel() {
            Cancel::Dequeued => self.note("cancel in the queue"),
            Cancel::Asked => self.note("cancel of a running job"),
            Cancel::TooLate => self.note("cancel too late"),
            other => self.fixture.records.complain(format!("{other:?} is no answer that we know")),
        }
    }

    fn cancel_on_drop(&mut self) {
        let Some(handle) = self.take() else { return };
        let tied = handle.cancel_on_drop();
        if self.rng.one_in(3) {
            self.note("cancel_on_drop, joined");
            return self.fixture.records.read(tied.into_handle().join());
        }
        self.note("cancel_on_drop, dropped");
    }

    fn as_completed(&mut self) {
        let mut completed = as_completed(self.take_some());
        if self.rng.one_in(3) {
            self.note("as_completed, added to");
            let job = self.new_job();
            completed.add(self.submit_job(job));
        }
        if self.rng.one_in(2) {
            self.note("as_completed to the end");
            return completed.for_each(|result| self.fixture.records.read(result));
        }
        let first = self.rng.below(completed.unfinished() + 1);
        completed.by_ref().take(first).for_each(|result| self.fixture.records.read(result));
        self.note("as_completed, in parts");
        let (results, rest) = completed.into_parts();
        results.into_iter().for_each(|result| self.fixture.records.read(result));
        if self.rng.one_in(2) {
            self.note("as_completed, dropped");
            // What has finished is fetched, and dropped. It was ours then, and no hook hears of it.
            self.fixture.records.lost_at_most.add(rest.len());
            drop(as_completed(rest));
        } else {
            self.held.extend(rest);
        }
    }

    fn as_completed_for_a_while(&mut self) {
        let (members, moment) = (self.take_some(), self.a_moment());
        let mut completed = as_completed(members).timeout(moment);
        let mut is_in_time = true;
        for next in completed.by_ref() {
            match next {
                Ok(result) => self.fixture.records.read(result),
                Err(unfinished) => is_in_time = unfinished.unfinished == 0,
            }
        }
        self.note(if is_in_time { "as_completed in time" } else { "as_completed, timed out" });
        let (results, rest) = completed.into_inner().into_parts();
        results.into_iter().for_each(|result| self.fixture.records.read(result));
        self.held.extend(rest);
    }

    fn wait(&mut self) {
        let (members, moment) = (self.take_some(), self.a_moment());
        let waited = match self.rng.below(3) {
            0 => {
                self.note("wait for the first");
                wait(members, |_| true).join()
            }
            1 => {
                self.note("wait for all");
                wait(members, |_| false).join()
            }
            _ => wait(members, Result::is_err).join_timeout(moment),
        };
        let is_enough = waited.done.iter().any(Result::is_err);
        if !waited.unfinished.is_empty() && !is_enough {
            self.note("wait, timed out");
        }
        waited.done.into_iter().for_each(|result| self.fixture.records.read(result));
        self.held.extend(waited.unfinished);
    }

    fn map(&mut self) {
        match self.rng.below(3) {
            0 | 1 => maps::read_a_map(&self.fixture, &mut self.rng),
            _ => maps::read_a_timed_map(&self.fixture, &mut self.rng),
        }
    }

    /// Cancels its token, and with it what it has handed in, and goes on with another.
    fn cancel_a_token(&mut self) {
        self.note("cancel of a token");
        let next = self.root.child();
        std::mem::replace(&mut self.token, next).cancel_because("chance");
    }

    fn raw_thread(&mut self) {
        let payload = Payload::new(&self.fixture.records);
        self.note("raw thread");
        let result: Result<_, JoinError> = thread::spawn(move || drop(payload)).join();
        if result.is_err() {
            self.fixture.records.complain(format!("a raw thread came to {result:?}"));
        }
    }

    fn look_at_stats(&mut self) {
        let (stats, most) = (self.fixture.pool.stats(), self.fixture.pool.threads());
        self.note("stats");
        let is_sound = stats.submitted == stats.queued + stats.running + stats.settled
            && stats.idle <= stats.threads
            && stats.threads <= most;
        if !is_sound {
            self.fixture.records.complain(format!("{stats:?} of {most} threads"));
        }
    }

    fn shutdown_from_inside(&mut self) {
        if !self.is_inside() {
            return;
        }
        self.note("shutdown in a job");
        if self.fixture.pool.shutdown(Shutdown::Cancel) != Err(ShutdownError::InsideWorker) {
            self.fixture.records.complain("a job has shut down its own pool".to_owned());
        }
    }

    /// Shuts the pool down, in one way or another. Others may be using it.
    pub(crate) fn end_the_pool(&mut self) {
        let queued = if self.rng.one_in(2) { Shutdown::Drain } else { Shutdown::Cancel };
        if self.rng.one_in(2) {
            let moment = self.a_moment();
            let is_in_time = self.fixture.pool.shutdown_timeout(queued, moment).is_ok();
            return self.note(match is_in_time {
                true => "shutdown_timeout in time",
                false => "shutdown_timeout too early",
            });
        }
        self.note(match queued {
            Shutdown::Drain => "shutdown: drain",
            Shutdown::Cancel => "shutdown: cancel",
        });
        if let Err(error) = self.fixture.pool.shutdown(queued) {
            self.fixture.records.complain(format!("a shutdown from outside: {error}"));
        }
    }
}
