//! What a program knows of itself: what it has done, how often, and what must come out in the end.
//!
//! Knows nothing of the pool. What must always hold: something is counted before anybody else can
//! know of it, so that a count is never behind what is observed.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use handspun::{CancelReason, JoinError, Panic};

/// All that may happen, and over many programs has to.
pub(crate) const KINDS: [&str; 63] = [
    "submit",
    "submit_all",
    "submit_with",
    "submit_with a deadline",
    "try_submit",
    "try_submit to a full queue",
    "join",
    "join at once, inside a job",
    "join of a handle that was passed on",
    "join_timeout in time",
    "join_timeout too early",
    "join_timeout of zero",
    "await",
    "await with a timeout",
    "drop of a handle",
    "cancel in the queue",
    "cancel of a running job",
    "cancel too late",
    "cancel_on_drop, dropped",
    "cancel_on_drop, joined",
    "cancel of a token",
    "as_completed to the end",
    "as_completed, added to",
    "as_completed, dropped",
    "as_completed, in parts",
    "as_completed in time",
    "as_completed, timed out",
    "wait for the first",
    "wait for all",
    "wait, timed out",
    "map to the end",
    "map, dropped",
    "timed map to the end",
    "timed map, out of time",
    "map: a call returned",
    "map: a call panicked",
    "map: a call was cancelled",
    "raw thread",
    "stats",
    "shutdown: drain",
    "shutdown: cancel",
    "shutdown_timeout in time",
    "shutdown_timeout too early",
    "shutdown in a job",
    "pool dropped outside",
    "pool dropped on a worker",
    "ran on a worker's empty stack",
    "ran on top of another job",
    "nested 8 deep",
    "asked to stop, and stopped",
    "read a value",
    "read a panic",
    "read: cancelled as requested",
    "read: cancelled for a reason",
    "read: cancelled by a deadline",
    "read: cancelled by a shutdown",
    "read: cancelled without a worker",
    "heard of a job's panic",
    "heard of a panic in a map",
    "on_start",
    "on_start panicked",
    "a closure's drop panicked",
    "a result's drop panicked",
];

pub(crate) const CALL_PANICS: &str = "a call of a map panics";

/// A number that any thread may add to.
#[derive(Default)]
pub(crate) struct Number(AtomicUsize);

impl Number {
    pub(crate) fn add(&self, n: usize) {
        self.0.fetch_add(n, Relaxed); // ORDERING: Relaxed. A count; what orders it is what is counted.
    }

    pub(crate) fn get(&self) -> usize {
        // ORDERING: Relaxed. Whoever concludes from it has joined the threads, or asks again.
        self.0.load(Relaxed)
    }
}

#[derive(Default)]
pub(crate) struct Records {
    /// How often each of `KINDS` happened.
    kinds: Vec<Number>,
    complaints: Mutex<Vec<String>>,
    /// Jobs that were handed in, but for those of a map.
    pub(crate) submitted: Number,
    /// Jobs that were handed in by a map.
    pub(crate) in_maps: Number,
    pub(crate) returned: Number,
    pub(crate) panicked: Number,
    pub(crate) panics_read: Number,
    /// Results, panics perhaps, that were fetched and not looked at.
    pub(crate) lost_at_most: Number,
    pub(crate) panics_heard: Number,
    /// Calls of a map that panicked, and those whose panic somebody learnt of.
    pub(crate) calls_panicked: Number,
    pub(crate) call_panics_noticed: Number,
    payloads_made: Number,
    payloads_dropped: Number,
}

impl Records {
    pub(crate) fn new() -> Arc<Self> {
        let kinds = KINDS.iter().map(|_| Number::default()).collect();
        Arc::new(Self { kinds, ..Self::default() })
    }

    pub(crate) fn note(&self, kind: &str) {
        match KINDS.iter().position(|known| *known == kind) {
            Some(at) => self.kinds[at].add(1),
            None => self.complain(format!("`{kind}` is not on the list of kinds")),
        }
    }

    pub(crate) fn times(&self) -> impl Iterator<Item = (&'static str, usize)> {
        KINDS.into_iter().zip(self.kinds.iter().map(Number::get))
    }

    /// Something is wrong. A panic in a job would be caught by the very pool that we distrust.
    pub(crate) fn complain(&self, what: String) {
        self.complaints.lock().unwrap().push(what);
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }

    pub(crate) fn payloads_left(&self) -> usize {
        let dropped = self.payloads_dropped.get(); // First, so that it is not ahead of the other.
        self.payloads_made.get() - dropped
    }

    /// Whoever gets a result shows it here.
    pub(crate) fn read(&self, result: Result<Value, JoinError>) {
        let reason = match result {
            Ok(mut value) => {
                value.bomb.disarm();
                return self.note("read a value");
            }
            Err(JoinError::Panicked(_)) => {
                self.panics_read.add(1);
                return self.note("read a panic");
            }
            Err(JoinError::Cancelled(reason)) => reason,
        };
        match reason {
            CancelReason::Requested => self.note("read: cancelled as requested"),
            CancelReason::Because(_) => self.note("read: cancelled for a reason"),
            CancelReason::DeadlinePassed => self.note("read: cancelled by a deadline"),
            CancelReason::ShutDown => self.note("read: cancelled by a shutdown"),
            CancelReason::NoWorker(_) => self.note("read: cancelled without a worker"),
            other => self.complain(format!("nobody cancels because of {other:?}")),
        }
    }

    /// The panic hook of the pool.
    pub(crate) fn hear(&self, panic: &Panic) {
        match panic.message() {
            CALL_PANICS => {
                self.call_panics_noticed.add(1);
                self.note("heard of a panic in a map");
            }
            _ => {
                self.panics_heard.add(1);
                self.note("heard of a job's panic");
            }
        }
    }
}

/// Something whose drops are counted. Everything that is handed to the pool carries one.
pub(crate) struct Payload(Arc<Records>);

impl Payload {
    pub(crate) fn new(records: &Arc<Records>) -> Self {
        records.payloads_made.add(1);
        Self(records.clone())
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.payloads_dropped.add(1);
    }
}

/// A payload whose drop panics, if it is armed.
pub(crate) struct Bomb {
    payload: Payload,
    explodes: Option<&'static str>,
}

impl Bomb {
    pub(crate) fn new(records: &Arc<Records>, explodes: Option<&'static str>) -> Self {
        Self { payload: Payload::new(records), explodes }
    }

    pub(crate) fn disarm(&mut self) {
        self.explodes = None;
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        // A second panic on top of another would end the process, and rightly.
        let explodes = self.explodes.filter(|_| !std::thread::panicking());
        if let Some(kind) = explodes {
            self.payload.0.note(kind);
            crate::support::panic_quietly("a bomb");
        }
    }
}

/// What a job returns.
pub(crate) struct Value {
    pub(crate) bomb: Bomb,
}
