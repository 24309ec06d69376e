//! # 4. As they finish
//!
//! ★★★ · 60 minutes · [As they finish](../guide/06-as-they-finish.md)
//!
//! This `Many` polls all of its futures whenever one of them wakes it. Give each member a waker that knows its index, so
//! that `next` polls only those that were woken. A future may also wake itself while it is polled.

pub(crate) mod yours {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

    pub(crate) struct Many<T> {
        members: Vec<Option<Boxed<T>>>,
    }

    impl<T> Many<T> {
        pub(crate) fn new(members: Vec<Boxed<T>>) -> Self {
            Self { members: members.into_iter().map(Some).collect() }
        }

        /// The output of the next member that is ready; `None` when all have been.
        pub(crate) async fn next(&mut self) -> Option<T> {
            poll_fn(|context| {
                for slot in &mut self.members {
                    let Some(member) = slot else { continue };
                    if let Poll::Ready(output) = member.as_mut().poll(context) {
                        *slot = None;
                        return Poll::Ready(Some(output));
                    }
                }
                let is_over = self.members.iter().all(Option::is_none);
                if is_over { Poll::Ready(None) } else { Poll::Pending }
            })
            .await
        }
    }
}

mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::{Poll, Waker};

    use handspun::{run, spawn, yield_now};

    use crate::answers::a04::{Boxed, Many};

    #[derive(Clone, Default)]
    struct Parcel(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

    impl Parcel {
        fn arrive(&self) {
            self.0.0.set(true);
            if let Some(waker) = self.0.1.take() {
                waker.wake();
            }
        }

        fn wait(&self, number: usize, n_polls: Rc<Cell<usize>>) -> Boxed<usize> {
            let parcel = self.clone();
            Box::pin(poll_fn(move |context| {
                n_polls.set(n_polls.get() + 1);
                if parcel.0.0.get() {
                    return Poll::Ready(number);
                }
                parcel.0.1.replace(Some(context.waker().clone()));
                Poll::Pending
            }))
        }
    }

    #[test]
    fn each_member_is_polled_twice() {
        let parcels: Vec<_> = std::iter::repeat_with(Parcel::default).take(100).collect();
        let n_polls = Rc::new(Cell::new(0));
        let waits = parcels.iter().enumerate().map(|(n, parcel)| parcel.wait(n, n_polls.clone()));
        let mut many = Many::new(waits.collect());
        run(async {
            let postman = spawn(async move {
                for parcel in parcels.into_iter().rev() {
                    yield_now().await;
                    parcel.arrive();
                }
            });
            for n in (0..100).rev() {
                assert_eq!(many.next().await, Some(n));
            }
            assert_eq!(many.next().await, None);
            postman.await.unwrap();
        });
        assert!(n_polls.get() <= 200, "{} polls for a hundred members", n_polls.get());
    }

    #[test]
    fn a_member_that_wakes_itself_finishes() {
        let mut n_left = 3;
        let steps: Boxed<u32> = Box::pin(poll_fn(move |context| {
            if n_left == 0 {
                return Poll::Ready(7);
            }
            n_left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        let mut many = Many::new(vec![steps]);
        assert_eq!(run(async { (many.next().await, many.next().await) }), (Some(7), None));
    }
}
