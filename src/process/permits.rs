//! How many children may run at once: as many as there are descriptors for.
//!
//! Knows nothing of children. What must always hold: a permit is taken before there is a process, and
//! given back when its descriptors are closed.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::error::CancelReason;
use crate::prims::Mutex;
use crate::wait::block_on::block_on;
use crate::wait::cancel::CancellationToken;
use crate::wait::host::Hold;

use super::sys;

/// What a child needs: three pipes, and the descriptor that tells of its exit.
const FOR_A_CHILD: usize = 4;
/// What is left to everybody else, and to the moment of a spawn.
const FOR_OTHERS: usize = 32;

#[derive(Default)]
pub(crate) struct Permits(Mutex<State>);

#[derive(Default)]
struct State {
    n_taken: usize,
    /// Threads that wait for one.
    wakers: Vec<Waker>,
}

/// Somebody's permit. Given back when it is dropped.
pub(crate) struct Permit(Arc<Permits>);

/// How many permits there are. It is asked each time: the limit may be raised while we run.
pub(crate) fn limit() -> usize {
    (sys::descriptor_limit().saturating_sub(FOR_OTHERS) / FOR_A_CHILD).max(1)
}

impl Permits {
    /// Takes a permit if there is one of so many. If not, it leaves the waker, in the same step.
    pub(crate) fn try_take(
        self: &Arc<Self>,
        limit: usize,
        waker: Option<&Waker>,
    ) -> Option<Permit> {
        let mut state = self.0.lock();
        if state.n_taken >= limit {
            state.wakers.extend(waker.cloned());
            return None;
        }
        state.n_taken += 1;
        Some(Permit(self.clone()))
    }

    /// Takes a permit, and blocks the thread until there is one, or the token is cancelled.
    pub(crate) fn take(
        self: &Arc<Self>,
        limit: usize,
        token: Option<&CancellationToken>,
    ) -> Result<Permit, CancelReason> {
        let mut cancelled = token.map(CancellationToken::cancelled);
        let _hold = Hold::of_jumping(); // A jumping clock waits for what goes on there.
        block_on(poll_fn(|context| {
            if let Some(cancelled) = &mut cancelled {
                if let Poll::Ready(reason) = Pin::new(cancelled).poll(context) {
                    return Poll::Ready(Err(reason));
                }
            }
            let permit = self.try_take(limit, Some(context.waker()));
            permit.map_or(Poll::Pending, |permit| Poll::Ready(Ok(permit)))
        }))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.n_taken -= 1;
        let wakers = mem::take(&mut state.wakers);
        drop(state);
        // All of them, though one will have it: to wait in line is not worth a line here.
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::thread;

    /// S83.
    #[test]
    fn a_permit_that_is_given_back_goes_to_who_waits() {
        let permits = Arc::new(Permits::default());
        let permit = permits.try_take(1, None).expect("there is one");
        assert!(permits.try_take(1, None).is_none());
        let waiting = thread::spawn({
            let permits = permits.clone();
            move || permits.take(1, None).map(drop)
        });
        drop(permit);
        assert_eq!(waiting.join().unwrap(), Ok(()));
        assert!(permits.try_take(1, None).is_some(), "it is back again");
    }

    #[test]
    fn who_waits_for_a_permit_hears_of_its_token() {
        let permits = Arc::new(Permits::default());
        let _permit = permits.try_take(1, None).expect("there is one");
        let token = CancellationToken::new();
        let waiting = thread::spawn({
            let (permits, token) = (permits.clone(), token.clone());
            move || permits.take(1, Some(&token)).map(drop)
        });
        token.cancel();
        assert_eq!(waiting.join().unwrap(), Err(CancelReason::Requested));
    }
}
