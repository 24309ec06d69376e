//! Lending: a pool may call what is on a stack, for as long as a body runs there.
//!
//! Knows nothing of what is lent, nor of what calls it. It has the pool's only `unsafe`, one line that
//! makes a short lifetime look long. What the pool is given is a [`Gate`], which owns nothing that is
//! borrowed: it can be kept, cloned and dropped at any time, by any thread, before and after the body.
//!
//! What must always hold:
//!
//! 1. What is lent is called inside its gate, or by the thread that lends it while its body runs.
//! 2. A thread that finds the gate shut does not get in; and it stays shut.
//! 3. Neither `lend` nor `lend_on_demand` returns, or unwinds, before the gate is shut and no thread is
//!    inside.
//!
//! A job that has settled is not yet over: the thread that ran it may still be dropping what it returned.
//! Therefore nothing here asks whether a job has settled. A thread that is inside may touch the borrow,
//! and the one that lends it; no other.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::error::CancelReason;
use crate::panic::Panic;
use crate::prims::{Mutex, thread_local};
use crate::trace_event::Ending;
use crate::wait::block_on::block_on_elsewhere;
use crate::wait::clock::Deadline;
use crate::wait::hints::Process;

use super::job::{Claim, Run, Runner};

/// One or several jobs on a stack, by number.
pub(crate) trait BorrowedJob: Sync {
    fn run(&self, number: usize, runner: &dyn Runner);

    /// It is claimed, and will not run.
    fn refuse(&self, _number: usize, _reason: CancelReason) {}
}

/// The way to what is lent.
pub(crate) struct Gate {
    state: Mutex<GateState>,
    /// How long the owner spins until the last has left, before it sleeps.
    spin_limit: Duration,
    /// Where the threads are that may be inside.
    process: Process,
}

/// | state                   | to enter           | to leave                      | to shut |
/// |-------------------------|--------------------|-------------------------------|---------|
/// | open, any number inside | one more is inside | one fewer is                  | → shut  |
/// | shut, some inside       | is turned away     | one fewer; the last one wakes | waits   |
/// | shut, none inside       | is turned away     | —                             | returns |
struct GateState {
    /// `None` once the gate is shut.
    lent: Option<&'static dyn BorrowedJob>,
    n_inside: usize,
    /// The owner, while it waits for the last to leave.
    owner: Option<Waker>,
}

impl Gate {
    /// A gate that leads nowhere yet.
    pub(crate) fn new(spin_limit: Duration, process: Process) -> Arc<Self> {
        Arc::new(Self::to(None, spin_limit, process))
    }

    /// Lends through this gate while `body` runs, at once and to every thread that has it.
    pub(crate) fn lend<R>(&self, borrowed: &dyn BorrowedJob, body: impl FnOnce() -> R) -> R {
        let shut = ShutOnDrop(self); // First: there is no way out of here that does not shut.
        self.state.lock().lent = Some(erase(borrowed));
        let result = body();
        drop(shut);
        result
    }

    /// A job for the pool: the one with this number behind the gate.
    pub(crate) fn stub(self: &Arc<Self>, number: usize) -> Arc<dyn Run> {
        Arc::new(QueuedStub { claim: Claim::default(), gate: self.clone(), number })
    }

    fn to(lent: Option<&'static dyn BorrowedJob>, spin_limit: Duration, process: Process) -> Self {
        let state = Mutex::new(GateState { lent, n_inside: 0, owner: None });
        Self { state, spin_limit, process }
    }

    /// Calls what is lent, if the gate is open; says whether it was.
    fn enter(&self, call: impl FnOnce(&dyn BorrowedJob)) -> bool {
        let mut state = self.state.lock();
        let Some(borrowed) = state.lent else { return false };
        state.n_inside += 1;
        drop(state);
        let leave = LeaveOnDrop(self);
        call(borrowed);
        drop(leave); // From here on the borrow may be over.
        true
    }

    /// Lets no thread in any more, and waits for those that are inside.
    fn shut(&self) {
        let or_abort = AbortsUnwinding;
        let is_empty = pin!(poll_fn(|context| self.poll_shut(context)));
        block_on_elsewhere(is_empty, Deadline::Never, self.spin_limit)
            .expect("never has not passed");
        mem::forget(or_abort);
    }

    fn poll_shut(&self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.state.lock();
        state.lent = None;
        if state.n_inside == 0 {
            return Poll::Ready(());
        }
        self.process.is_awaited();
        state.owner = Some(waker); // Each is our own thread's parker: its drop runs no other code.
        Poll::Pending
    }
}

/// Makes a borrow look as if it lasted for ever.
#[expect(unsafe_code, reason = "a pool's threads outlive every borrow: see the argument")]
fn erase(borrowed: &dyn BorrowedJob) -> &'static dyn BorrowedJob {
    // SAFETY: only the lifetime changes, so that the value is as valid as it was; what has to be
    // shown is that nothing uses it when the borrow is over. There are two callers, `Gate::lend` and
    // `lend_on_demand`. Each borrows the borrowed from before its body until after its guard has been
    // dropped, and has made, or makes before anything else can happen, a guard on its own stack that
    // no body can reach, so that it is dropped whether the body returns or panics. (What does not come
    // back at all, like a thread that sleeps for ever, does not end the borrow either.)
    //
    // The reference is kept in two places. In a `GateState`, the guard (`ShutOnDrop`, or `Returned`)
    // takes it out. A thread that has copied it before has been counted, under the same lock, and is waited
    // for; it is counted out when its call is over, by `LeaveOnDrop`, also if the call panics. In the
    // `LOANS` of its own thread, `Returned` takes it out; nothing reads it there but `put_behind_a_gate`,
    // on that thread, while the body runs, and it puts it into a `GateState`.
    //
    // It is shared with other threads, which `BorrowedJob: Sync` allows. And it owns nothing: to drop it,
    // or a gate or a stub with it, runs no code of a type that is borrowed.
    unsafe { mem::transmute::<&dyn BorrowedJob, &'static dyn BorrowedJob>(borrowed) }
}

struct ShutOnDrop<'gate>(&'gate Gate);

impl Drop for ShutOnDrop<'_> {
    fn drop(&mut self) {
        self.0.shut();
    }
}

struct LeaveOnDrop<'gate>(&'gate Gate);

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.n_inside -= 1;
        let owner = if state.n_inside == 0 { state.owner.take() } else { None };
        drop(state);
        owner.into_iter().for_each(Waker::wake);
    }
}

/// Where this lives, a panic ends the process: a thread may be inside, and the stack that it looks at
/// must not be unwound. Nothing there panics as it stands.
struct AbortsUnwinding;

impl Drop for AbortsUnwinding {
    fn drop(&mut self) {
        panic!("a stack that is lent cannot be unwound"); // A second panic, and so the end.
    }
}

/// What is in the queue for a job that is lent.
struct QueuedStub {
    claim: Claim,
    gate: Arc<Gate>,
    number: usize,
}

impl Run for QueuedStub {
    fn claim(&self) -> &Claim {
        &self.claim
    }

    fn run(&self, runner: &dyn Runner) -> Option<Panic> {
        if !self.gate.enter(|borrowed| borrowed.run(self.number, runner)) {
            runner.before_settling(Ending::Cancelled);
        }
        None // What is lent sees to its panics.
    }

    fn refuse(&self, reason: CancelReason) {
        self.gate.enter(|borrowed| borrowed.refuse(self.number, reason));
    }
}

/// What is in the queue for a job, to the thread that lends it: that need not go through the gate.
pub(crate) struct OwnJob<'a> {
    pub(crate) borrowed: &'a dyn BorrowedJob,
    pub(crate) number: usize,
    pub(crate) queued: &'a dyn Run,
}

impl Run for OwnJob<'_> {
    fn claim(&self) -> &Claim {
        self.queued.claim()
    }

    fn run(&self, runner: &dyn Runner) -> Option<Panic> {
        self.borrowed.run(self.number, runner);
        None // As above.
    }

    fn refuse(&self, reason: CancelReason) {
        self.borrowed.refuse(self.number, reason);
    }
}

thread_local! {
    /// What is lent on demand on this thread, the oldest first. Bodies nest, and so it is a stack.
    static LOANS: RefCell<Vec<Loan>> = const { RefCell::new(Vec::new()) };
}

struct Loan {
    borrowed: &'static dyn BorrowedJob,
    /// To which pool: the address of what its workers and users share.
    pool: usize,
    /// Once it was asked for.
    gate: Option<Arc<Gate>>,
}

/// Lends while `body` runs, if it is asked for: see [`put_behind_a_gate`]. Costs next to nothing as
/// long as it is not.
pub(crate) fn lend_on_demand<R>(
    pool: usize,
    borrowed: &dyn BorrowedJob,
    body: impl FnOnce() -> R,
) -> R {
    let loan = Loan { borrowed: erase(borrowed), pool, gate: None };
    if LOANS.try_with(|loans| loans.borrow_mut().push(loan)).is_err() {
        return body(); // The thread is ending, and has no list of loans any more.
    }
    let returned = Returned(borrowed);
    let result = body();
    drop(returned);
    result
}

/// The oldest loan of this thread to that pool that is not behind a gate yet, as a job for the pool.
pub(crate) fn put_behind_a_gate(
    pool: usize,
    spin_limit: Duration,
    process: Process,
) -> Option<Arc<dyn Run>> {
    let oldest = |loans: &RefCell<Vec<Loan>>| {
        let mut loans = loans.borrow_mut();
        let loan = loans.iter_mut().find(|loan| loan.gate.is_none() && loan.pool == pool)?;
        let gate = Arc::new(Gate::to(Some(loan.borrowed), spin_limit, process));
        loan.gate = Some(gate.clone());
        Some(gate.stub(0))
    };
    LOANS.try_with(oldest).ok().flatten()
}

/// Ends a loan: the newest of this thread, since those that came later have ended.
///
/// Unless code of the user switches from stack to stack inside a body. Then the newest is another's,
/// and the process ends before any thread can look at ours when it is over.
struct Returned<'loan>(&'loan dyn BorrowedJob);

impl Drop for Returned<'_> {
    #[inline] // At every fork, in the crate that forks.
    fn drop(&mut self) {
        let or_abort = AbortsUnwinding;
        let gate = LOANS.try_with(|loans| {
            let newest = loans.borrow_mut().pop()?;
            ptr::addr_eq(newest.borrowed, self.0).then_some(newest.gate)
        });
        match gate {
            Ok(Some(None)) => {}
            Ok(Some(Some(gate))) => gate.shut(),
            Ok(None) | Err(_) => unreachable!("bodies nest, and the thread has not ended"),
        }
        mem::forget(or_abort);
    }
}
