//! # 12. A permit that is passed on
//!
//! ★★★ · 60 minutes · [Sharing fairly](../guide/17-sharing-fairly.md)
//!
//! A permit that comes back is handed to the first waiter, so that nobody overtakes. But a waiter that is dropped between
//! being served and being polled takes the permit along. Mend it, and let a waiter that is dropped before it was served
//! leave the line.

pub(crate) mod yours {
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

    /// Gives itself back when it is dropped.
    pub(crate) struct Permit(Semaphore);

    pub(crate) struct Acquire {
        semaphore: Semaphore,
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
                self.waiter = None;
                return Poll::Ready(Permit(semaphore.clone()));
            }
            waiter.borrow_mut().waker = Some(context.waker().clone());
            Poll::Pending
        }
    }

    impl Drop for Permit {
        fn drop(&mut self) {
            self.0.give_back();
        }
    }
}

mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use handspun::run;

    use crate::answers::a12::Semaphore;

    fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[test]
    fn permits_come_and_go_in_order() {
        let semaphore = Semaphore::new(1);
        let permit = run(semaphore.acquire());
        let (mut first, mut second) = (semaphore.acquire(), semaphore.acquire());
        assert!(is_pending(&mut first) && is_pending(&mut second));
        drop(permit);
        assert_eq!(semaphore.n_free(), 0, "it is promised, and nobody may overtake");
        assert!(is_pending(&mut second));
        let permit = run(first);
        drop(permit);
        drop(run(second));
        assert_eq!((semaphore.n_free(), semaphore.n_waiting()), (1, 0));
    }

    #[test]
    fn a_served_waiter_that_is_dropped_passes_the_permit_on() {
        let semaphore = Semaphore::new(1);
        let permit = run(semaphore.acquire());
        let (mut first, mut second) = (semaphore.acquire(), semaphore.acquire());
        assert!(is_pending(&mut first) && is_pending(&mut second));
        drop(permit); // The first is served …
        drop(first); //  and goes before it knows.
        assert!(!is_pending(&mut second), "the permit is lost");
    }

    #[test]
    fn a_served_waiter_that_is_dropped_without_a_next_frees_the_permit() {
        let semaphore = Semaphore::new(1);
        let permit = run(semaphore.acquire());
        let mut only = semaphore.acquire();
        assert!(is_pending(&mut only));
        drop(permit);
        drop(only);
        assert_eq!(semaphore.n_free(), 1);
    }

    #[test]
    fn a_waiter_that_is_dropped_unserved_leaves_the_line() {
        let semaphore = Semaphore::new(1);
        let permit = run(semaphore.acquire());
        let (mut first, mut second) = (semaphore.acquire(), semaphore.acquire());
        assert!(is_pending(&mut first) && is_pending(&mut second));
        drop(first);
        assert_eq!(semaphore.n_waiting(), 1);
        drop(permit);
        assert!(!is_pending(&mut second));
    }
}
