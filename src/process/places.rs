//! How many children may run at once: as many as there are descriptors for.
//!
//! Knows nothing of children. What must always hold: a place is taken before there is a process, and
//! given back when its descriptors are closed; it goes to whoever has waited longest.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::CancelReason;
use crate::prims::Mutex;
use crate::wait::block_on::block_on;
use crate::wait::cancel::CancellationToken;
use crate::wait::wait_list::{Key, Left, Turn, WaitList};

use super::sys;

/// What a child needs: three pipes, and the descriptor that tells of its exit.
const FOR_A_CHILD: usize = 4;
/// What is left to everybody else, and to the moment of a spawn.
const FOR_OTHERS: usize = 32;

#[derive(Default)]
pub(crate) struct Places(Mutex<State>);

#[derive(Default)]
struct State {
    n_taken: usize,
    waiting: WaitList,
}

/// Somebody's place. Given back when it is dropped.
pub(crate) struct Place(Arc<Places>);

/// How many places there are. It is asked each time: the limit may be raised while we run.
pub(crate) fn limit() -> usize {
    (sys::descriptor_limit().saturating_sub(FOR_OTHERS) / FOR_A_CHILD).max(1)
}

impl Places {
    /// Takes a place if there is one of so many.
    pub(crate) fn try_take(self: &Arc<Self>, limit: usize) -> Option<Place> {
        let mut state = self.0.lock();
        let is_free = state.n_taken < limit;
        if is_free {
            state.n_taken += 1;
        }
        is_free.then(|| Place(self.clone()))
    }

    /// Takes a place, and blocks the thread until there is one, or the token is cancelled.
    pub(crate) fn take(
        self: &Arc<Self>,
        limit: usize,
        token: Option<&CancellationToken>,
    ) -> Result<Place, CancelReason> {
        let mut key = None;
        let mut cancelled = token.map(CancellationToken::cancelled);
        block_on(poll_fn(|context| {
            if let Some(cancelled) = &mut cancelled {
                if let Poll::Ready(reason) = Pin::new(cancelled).poll(context) {
                    self.leave(key.take());
                    return Poll::Ready(Err(reason));
                }
            }
            self.poll_take(limit, &mut key, context).map(Ok)
        }))
    }

    fn poll_take(
        self: &Arc<Self>,
        limit: usize,
        key: &mut Option<Key>,
        context: &Context<'_>,
    ) -> Poll<Place> {
        let waker = context.waker().clone();
        let mut state = self.0.lock();
        let not_needed = match key.take() {
            None if state.n_taken < limit => {
                state.n_taken += 1;
                waker
            }
            None => {
                *key = Some(state.waiting.enlist(waker));
                return Poll::Pending;
            }
            Some(waiting) => match state.waiting.look(waiting, waker) {
                Turn::Served(waker) => waker, // Whoever served us has handed its place to us.
                Turn::NotYet(waiting, stale) => {
                    *key = Some(waiting);
                    drop(state);
                    drop(stale);
                    return Poll::Pending;
                }
            },
        };
        drop(state);
        drop(not_needed);
        Poll::Ready(Place(self.clone()))
    }

    /// Gives up waiting. A place that was handed to us meanwhile is given back.
    fn leave(self: &Arc<Self>, key: Option<Key>) {
        let Some(key) = key else { return };
        let left = self.0.lock().waiting.leave(key);
        match left {
            Left::Served => drop(Place(self.clone())),
            Left::Unserved(waker) => drop(waker),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        let next = state.waiting.serve_first();
        if next.is_none() {
            state.n_taken -= 1;
        }
        drop(state);
        if let Some(waker) = next {
            waker.wake(); // Of `block_on`: our own.
        }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::thread;

    /// S83.
    #[test]
    fn a_place_that_is_given_back_goes_to_who_waits() {
        let places = Arc::new(Places::default());
        let place = places.try_take(1).expect("there is one");
        assert!(places.try_take(1).is_none());
        let waiting = thread::spawn({
            let places = places.clone();
            move || places.take(1, None).map(drop)
        });
        drop(place);
        assert_eq!(waiting.join().unwrap(), Ok(()));
        assert!(places.try_take(1).is_some(), "it is back again");
    }

    #[test]
    fn who_waits_for_a_place_hears_of_its_token() {
        let places = Arc::new(Places::default());
        let _place = places.try_take(1).expect("there is one");
        let token = CancellationToken::new();
        let waiting = thread::spawn({
            let (places, token) = (places.clone(), token.clone());
            move || places.take(1, Some(&token)).map(drop)
        });
        token.cancel();
        assert_eq!(waiting.join().unwrap(), Err(CancelReason::Requested));
    }
}
