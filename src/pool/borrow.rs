//! Lending: a pool may run jobs that borrow from a stack, for as long as their lender waits for them.
//!
//! Knows nothing of what is lent. It has the pool's only `unsafe`, one line that makes a short lifetime look
//! long. What the pool is given is a [`LentJob`], which lets go of what is borrowed when it has run or was
//! refused. What is left of it then can be kept, cloned and dropped at any time, by any thread.
//!
//! What must always hold:
//!
//! 1. What is lent is called and dropped while it is counted: from before it is in a `LentJob` until that has
//!    let go of it.
//! 2. Neither `lend_while` nor `lend_on_demand` returns, or unwinds, before the count is zero; and from then on
//!    nothing is lent.
//!
//! A job that has settled is not yet over: the thread that ran it may still be dropping what it returned.
//! Therefore nothing here asks whether a job has settled.

use std::cell::RefCell;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::pin::pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::error::CancelReason;
use crate::panic::Panic;
use crate::prims::{Mutex, thread_local};
use crate::wait::block_on::block_on_elsewhere;
use crate::wait::clock::Deadline;
use crate::wait::deferred;

use super::job::{Claim, Queued, Run, Runner, Unrun};
use super::shared::{PoolRef, Shared};

/// A job that borrows for `'a`.
pub(crate) enum Borrowed<'a> {
    Shared(Arc<dyn Run<'a> + 'a>),
    OnStack(&'a (dyn Run<'a> + 'a)),
}

impl<'a> Deref for Borrowed<'a> {
    type Target = dyn Run<'a> + 'a;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Shared(job) => &**job,
            Self::OnStack(job) => *job,
        }
    }
}

/// Makes a borrow look as if it lasted for ever.
#[expect(unsafe_code, reason = "a pool's threads outlive every borrow: see the argument")]
fn erase(job: Borrowed<'_>) -> Borrowed<'static> {
    // SAFETY: only lifetimes change, so that the value is as valid as it was; what has to be shown is that
    // nothing uses it when the borrow is over. There are two callers. Each has made a guard on its own stack, or
    // makes it before anything else can happen, that no body can reach, so that it is dropped whether the body
    // returns or panics. (What does not come back at all, like a thread that sleeps for ever, does not end the
    // borrow either.)
    //
    // `Loans::lend` lends while its `lend_while` is under way, and asks for that under the lock. That one borrows the
    // loans for `'a`, and so `'a` has not ended before it has; and `'a` is invariant, so it is the one of the job, too.
    // Its guard (`WaitOnDrop`) waits until nothing is counted, and lends no more.
    //
    // `lend_on_demand` borrows the job from before its body until after its guard (`Returned`), which takes it out of
    // the `LOANS` of its own thread. Nothing reads it there but `lend_oldest`, on that thread, while the body runs; then
    // the guard waits as well.
    //
    // What is counted is in one place, the `Lent` of a `LentJob`, and is taken out of there to be run or to be refused,
    // or dropped with it. A `Lent` drops what was lent first, and is counted out by the drop of its last field, also if
    // anything panics.
    //
    // It is used by other threads, which `Run: Send + Sync` allows.
    unsafe { mem::transmute::<Borrowed<'_>, Borrowed<'static>>(job) }
}

/// How much is lent, and to which pool.
pub(crate) struct LoanCount {
    pub(crate) pool: PoolRef,
    state: Mutex<CountState>,
}

#[derive(Default)]
struct CountState {
    /// Whether the lender is there to wait for what is lent.
    is_open: bool,
    n_lent: usize,
    /// The lender, while it waits for the end of what is lent.
    waiter: Option<Waker>,
    /// The first that is not read.
    panic: Option<Panic>,
}

impl LoanCount {
    fn new(pool: PoolRef) -> Arc<Self> {
        Arc::new(Self { pool, state: Mutex::default() })
    }

    /// A job for the pool.
    fn lend(self: &Arc<Self>, job: Borrowed<'static>) -> Queued {
        let mut state = self.state.lock();
        assert!(state.is_open, "it is lent while its lender is there to wait for it");
        state.n_lent += 1;
        drop(state);
        let lent = Lent { job, counted: CountedLoan(self.clone()) };
        Arc::new(LentJob { claim: Claim::default(), lent: Mutex::new(Some(lent)) })
    }

    /// Ready when nothing is lent.
    pub(crate) fn poll_over(&self, context: &Context<'_>) -> Poll<()> {
        deferred::run_queued(); // What was lent and refused may be this thread's to drop.
        let waker = context.waker().clone();
        let mut state = self.state.lock();
        if state.n_lent == 0 {
            state.is_open = false;
            return Poll::Ready(());
        }
        self.pool.process.is_awaited();
        state.waiter = Some(waker); // Each is our own thread's parker: its drop runs no other code.
        Poll::Pending
    }

    pub(crate) fn n_lent(&self) -> usize {
        self.state.lock().n_lent
    }

    /// Keeps a panic that will not be read, if it is the first. Gives it back otherwise.
    pub(crate) fn keep(&self, panic: Panic) -> Option<Panic> {
        let mut state = self.state.lock();
        if state.panic.is_some() {
            return Some(panic);
        }
        state.panic = Some(panic);
        None
    }

    pub(crate) fn take_panic(&self) -> Option<Panic> {
        self.state.lock().panic.take()
    }

    /// Waits until nothing is lent, and lends nothing from then on.
    fn wait_until_over(&self) {
        let or_abort = AbortsUnwinding;
        let over = pin!(poll_fn(|context| self.poll_over(context)));
        block_on_elsewhere(over, Deadline::Never, self.pool.settings.spin_limit)
            .expect("never has not passed");
        mem::forget(or_abort);
    }
}

/// Where this lives, a panic ends the process: the stack that other threads look at must not be unwound. Nothing
/// there panics as it stands.
struct AbortsUnwinding;

impl Drop for AbortsUnwinding {
    fn drop(&mut self) {
        panic!("a stack that is lent cannot be unwound"); // A second panic, and so the end.
    }
}

/// What is in the queue for a job that is lent.
struct LentJob {
    claim: Claim,
    lent: Mutex<Option<Lent>>,
}

/// What is lent, until it is dropped: in this order.
struct Lent {
    job: Borrowed<'static>,
    counted: CountedLoan,
}

struct CountedLoan(Arc<LoanCount>);

impl Drop for CountedLoan {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.n_lent -= 1;
        let waiter = if state.n_lent == 0 { state.waiter.take() } else { None };
        drop(state); // From here on the borrow may be over.
        waiter.into_iter().for_each(Waker::wake);
    }
}

impl LentJob {
    fn take(&self) -> Lent {
        self.lent.lock().take().expect("only its claimant takes it, and once")
    }
}

impl Run<'static> for LentJob {
    fn claim(&self) -> &Claim {
        &self.claim
    }

    fn run(&self, runner: &dyn Runner) -> Option<Panic> {
        let lent = self.take();
        lent.job.run(runner).and_then(|panic| lent.counted.0.keep(panic))
    }

    fn refuse(&self, reason: CancelReason) -> Unrun<'static> {
        let lent = self.take();
        Box::new((lent.job.refuse(reason), lent))
    }
}

/// Jobs that borrow for `'a`: for no other lifetime, be it longer or shorter.
pub(crate) struct Loans<'a> {
    pub(crate) count: Arc<LoanCount>,
    borrows: PhantomData<fn(&'a ()) -> &'a ()>,
}

impl<'a> Loans<'a> {
    pub(crate) fn new(pool: PoolRef) -> Self {
        Self { count: LoanCount::new(pool), borrows: PhantomData }
    }

    /// Lends while `body` runs, and until all that was lent is over.
    pub(crate) fn lend_while<R>(&'a self, body: impl FnOnce() -> R) -> R {
        let over = WaitOnDrop(&self.count); // First: there is no way out of here that does not wait.
        self.count.state.lock().is_open = true;
        let result = body();
        drop(over);
        result
    }

    /// A job for the pool, while `lend_while` is under way.
    pub(crate) fn lend(&self, job: Borrowed<'a>) -> Queued {
        self.count.lend(erase(job))
    }
}

struct WaitOnDrop<'loans>(&'loans LoanCount);

impl Drop for WaitOnDrop<'_> {
    fn drop(&mut self) {
        self.0.wait_until_over();
    }
}

thread_local! {
    /// What is lent on demand on this thread, the oldest first. Bodies nest, and so it is a stack.
    static LOANS: RefCell<Vec<Loan>> = const { RefCell::new(Vec::new()) };
}

struct Loan {
    job: &'static dyn Run<'static>,
    /// To which pool: its address.
    pool: *const Shared,
    /// Once it was asked for. In a box, since that is seldom, and a loan is moved about.
    lent: Option<Box<(Queued, Arc<LoanCount>)>>,
}

/// Lends while `body` runs, if it is asked for: see [`lend_oldest`]. Costs next to nothing as long as it is not.
pub(crate) fn lend_on_demand<'a, R>(
    pool: &Arc<Shared>,
    job: &'a (dyn Run<'a> + 'a),
    body: impl FnOnce() -> R,
) -> R {
    let Borrowed::OnStack(erased) = erase(Borrowed::OnStack(job)) else {
        unreachable!("it stays what it is")
    };
    let loan = Loan { job: erased, pool: Arc::as_ptr(pool), lent: None };
    if LOANS.try_with(|loans| loans.borrow_mut().push(loan)).is_err() {
        return body(); // The thread is ending, and has no list of loans any more.
    }
    let returned = Returned(erased, pool);
    let result = body();
    drop(returned);
    result
}

/// The oldest loan of this thread to that pool that is not lent yet, as a job for the pool.
pub(crate) fn lend_oldest(pool: &PoolRef) -> Option<Queued> {
    let oldest = |loans: &RefCell<Vec<Loan>>| {
        let mut loans = loans.borrow_mut();
        let of_the_pool = |loan: &&mut Loan| loan.lent.is_none() && loan.pool == Arc::as_ptr(pool);
        let loan = loans.iter_mut().find(of_the_pool)?;
        let count = LoanCount::new(pool.clone());
        count.state.lock().is_open = true;
        let queued = count.lend(Borrowed::OnStack(loan.job));
        loan.lent = Some(Box::new((queued.clone(), count)));
        Some(queued)
    };
    LOANS.try_with(oldest).ok().flatten()
}

/// Ends a loan: the newest of this thread, since those that came later have ended.
///
/// Unless code of the user switches from stack to stack inside a body. Then the newest is another's,
/// and the process ends before any thread can look at ours when it is over.
struct Returned<'pool>(&'static dyn Run<'static>, &'pool Shared);

impl Drop for Returned<'_> {
    #[inline] // At every fork, in the crate that forks.
    fn drop(&mut self) {
        let or_abort = AbortsUnwinding;
        let lent = LOANS.try_with(|loans| {
            let newest = loans.borrow_mut().pop()?;
            ptr::addr_eq(newest.job, self.0).then_some(newest.lent)
        });
        match lent {
            Ok(Some(None)) => {}
            Ok(Some(Some(lent))) => {
                let (queued, count) = *lent;
                self.1.cancel(queued, CancelReason::Requested); // Unless a worker has begun it.
                count.wait_until_over();
            }
            Ok(None) | Err(_) => unreachable!("bodies nest, and the thread has not ended"),
        }
        mem::forget(or_abort);
    }
}
