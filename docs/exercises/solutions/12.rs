//! The drop of a wait asks whether it was served. If it was, it gives back; if not, it leaves the line.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

#[derive(Default)]
struct Waiter {
    is_served: bool,
    waker: Option<Waker>,
}

struct State {
    n_free: usize,
    line: VecDeque<Rc<RefCell<Waiter>>>,
}

#[derive(Clone)]
pub(crate) struct Semaphore(Rc<RefCell<State>>);

pub(crate) struct Permit(Semaphore);

pub(crate) struct Acquire {
    semaphore: Semaphore,
    /// While it waits, or has been served and does not know.
    waiter: Option<Rc<RefCell<Waiter>>>,
}

impl Semaphore {
    pub(crate) fn new(n: usize) -> Self {
        Self(Rc::new(RefCell::new(State { n_free: n, line: VecDeque::new() })))
    }

    pub(crate) fn acquire(&self) -> Acquire {
        Acquire { semaphore: self.clone(), waiter: None }
    }

    pub(crate) fn n_free(&self) -> usize {
        self.0.borrow().n_free
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.0.borrow().line.len()
    }

    fn give_back(&self) {
        let mut state = self.0.borrow_mut();
        let Some(first) = state.line.pop_front() else {
            state.n_free += 1;
            return;
        };
        first.borrow_mut().is_served = true;
        let waker = first.borrow_mut().waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        let semaphore = self.semaphore.clone();
        let mut state = semaphore.0.borrow_mut();
        let waiter = match &self.waiter {
            Some(waiter) => waiter.clone(),
            None if state.n_free > 0 => {
                state.n_free -= 1;
                return Poll::Ready(Permit(semaphore.clone()));
            }
            None => {
                let waiter = Rc::<RefCell<Waiter>>::default();
                state.line.push_back(waiter.clone());
                self.waiter = Some(waiter.clone());
                waiter
            }
        };
        if waiter.borrow().is_served {
            self.waiter = None; // The permit has it from now on.
            return Poll::Ready(Permit(semaphore.clone()));
        }
        waiter.borrow_mut().waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        if waiter.borrow().is_served {
            return self.semaphore.give_back();
        }
        let mut state = self.semaphore.0.borrow_mut();
        state.line.retain(|other| !Rc::ptr_eq(other, &waiter));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
