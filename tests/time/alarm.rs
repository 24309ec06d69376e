//! What a deadline sets off: code of the user, which may block, and must not keep the sleepers of a process.

use std::sync::Arc;
use std::thread;

use handspun::{CancellationToken, JoinError, ThreadPool, block_on, run, sleep};

use crate::setup::MILLISECOND;
use crate::support::{Gate, watched};

/// Waits for a sleep in its drop, by way of another thread.
struct SleepsInItsDrop;

impl Drop for SleepsInItsDrop {
    fn drop(&mut self) {
        thread::spawn(|| block_on(sleep(MILLISECOND))).join().unwrap();
    }
}

/// Submits a job that owns something, behind a busy worker, with a token that is cancelled by its deadline.
fn is_cancelled_by_its_deadline(owned: impl Send + 'static, submit_in_a_run: bool) {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let passes = gate.clone();
    let busy = pool.submit(move || passes.pass());
    let submit = || {
        let token = CancellationToken::with_timeout(MILLISECOND);
        pool.submit_with(&token, move |_| drop(owned))
    };
    let (queued,) = if submit_in_a_run { run(async { (submit(),) }) } else { (submit(),) };
    assert!(matches!(queued.join(), Err(JoinError::Cancelled(_))));
    block_on(sleep(MILLISECOND));
    gate.open();
    busy.join().unwrap();
}

#[test]
fn a_closure_that_sleeps_in_its_drop_keeps_no_sleeper() {
    watched(|| {
        [false, true].into_iter().for_each(|is| is_cancelled_by_its_deadline(SleepsInItsDrop, is))
    });
}

#[test]
fn a_closure_that_owns_the_last_of_a_pool_whose_worker_sleeps_keeps_no_sleeper() {
    watched(|| {
        let inner = Arc::new(ThreadPool::new(1));
        let sleeping = inner.submit(|| block_on(sleep(20 * MILLISECOND)));
        is_cancelled_by_its_deadline(inner, false);
        sleeping.join().unwrap();
    });
}
