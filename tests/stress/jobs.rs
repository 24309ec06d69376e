//! What a job of a program does: little, much, or more jobs.
//!
//! Knows nothing of how it was handed in. What must always hold: a job waits for those only that it
//! has handed in itself or whose handles came with it. Nobody waits in a circle then, and by the
//! theorem of take-back nobody waits for ever.

use std::cell::Cell;
use std::hint;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use handspun::{CancellationToken, JoinHandle, ThreadPool, as_completed};

use crate::actor::Actor;
use crate::records::{Bomb, Payload, Records, Value};
use crate::rng::Rng;

pub(crate) type Handle = JoinHandle<Value>;

/// What the names of the workers begin with.
pub(crate) const WORKERS: &str = "stress-pool";

/// A pool and what everybody knows of it. Whoever has an `Arc` of it may be the last to drop it.
pub(crate) struct Fixture {
    pub(crate) pool: ThreadPool,
    pub(crate) records: Arc<Records>,
    /// Whether there are tokens with deadlines: jobs may then be refused by the alarm's thread.
    pub(crate) has_deadlines: bool,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let thread = thread::current();
        let is_worker = thread.name().is_some_and(|name| name.starts_with(WORKERS));
        let kind = if is_worker { "pool dropped on a worker" } else { "pool dropped outside" };
        self.records.note(kind);
    }
}

thread_local! {
    /// How many jobs this thread is in the middle of.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

pub(crate) struct Job {
    pub(crate) records: Arc<Records>,
    /// Where it may hand in more; few jobs can.
    pub(crate) fixture: Option<Arc<Fixture>>,
    pub(crate) token: CancellationToken,
    pub(crate) rng: Rng,
    /// How many jobs it may still cause, all in all.
    pub(crate) fuel: usize,
    /// How many jobs led to this one.
    pub(crate) depth: usize,
    pub(crate) passed_on: Vec<Handle>,
    pub(crate) result_explodes: bool,
    /// Explodes if the job is dropped without having been run.
    pub(crate) bomb: Bomb,
}

impl Job {
    pub(crate) fn into_closure(self) -> impl FnOnce() -> Value + Send + 'static {
        move || self.run(None)
    }

    pub(crate) fn run(mut self, token: Option<&CancellationToken>) -> Value {
        self.bomb.disarm();
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        self.records.note(match depth {
            0 => "ran on a worker's empty stack",
            _ => "ran on top of another job",
        });
        // Also when it panics.
        let _restore = Restore { depth };
        self.work(token)
    }

    fn work(mut self, token: Option<&CancellationToken>) -> Value {
        self.read_what_was_passed_on();
        if self.depth >= 8 {
            self.records.note("nested 8 deep");
        }
        let mut left = Vec::new();
        if let Some(fixture) = self.fixture.take().filter(|_| self.fuel > 0) {
            let rng = self.rng.split();
            let mut actor = Actor::inside(fixture, &self.token, rng, self.fuel, self.depth);
            actor.act(1, 5);
            left = actor.leave();
        } else if token.is_some() || self.rng.one_in(4) {
            self.dawdle(token);
        }
        if self.rng.one_in(8) {
            self.records.panicked.add(1);
            // Whatever is in `left` is dropped while we unwind.
            resume_unwind(Box::new(Payload::new(&self.records)));
        }
        drop(left);
        let explodes = self.result_explodes.then_some("a result's drop panicked");
        self.records.returned.add(1);
        Value { bomb: Bomb::new(&self.records, explodes) }
    }

    fn read_what_was_passed_on(&mut self) {
        let handles = std::mem::take(&mut self.passed_on);
        if self.rng.one_in(2) {
            as_completed(handles).for_each(|result| self.records.read(result));
            return;
        }
        for handle in handles {
            self.records.read(handle.join());
            self.records.note("join of a handle that was passed on");
        }
    }

    /// Is busy for a while, for others to come meanwhile.
    fn dawdle(&mut self, token: Option<&CancellationToken>) {
        for _ in 0..self.rng.below(5) {
            (0..500).for_each(|_| hint::spin_loop());
            // Few of these: beside other programs, each may take milliseconds.
            thread::yield_now();
            if token.is_some_and(CancellationToken::is_cancelled) {
                return self.records.note("asked to stop, and stopped");
            }
        }
    }
}

struct Restore {
    depth: usize,
}

impl Drop for Restore {
    fn drop(&mut self) {
        DEPTH.set(self.depth);
    }
}
