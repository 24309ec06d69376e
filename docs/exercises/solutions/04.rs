//! A waker for each member posts its index. The mark *is posted* is cleared before the poll, as in any executor.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

#[derive(Default)]
struct Posted {
    indices: VecDeque<usize>,
    is_posted: Vec<bool>,
    reader: Option<Waker>,
}

struct MemberWaker {
    index: usize,
    posted: Arc<Mutex<Posted>>,
}

impl Wake for MemberWaker {
    fn wake(self: Arc<Self>) {
        let mut posted = self.posted.lock().expect("nothing panics under the lock");
        if std::mem::replace(&mut posted.is_posted[self.index], true) {
            return;
        }
        posted.indices.push_back(self.index);
        let reader = posted.reader.take();
        drop(posted); // A waker is the code of others.
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

pub(crate) struct Many<T> {
    members: Vec<Option<Boxed<T>>>,
    wakers: Vec<Waker>,
    posted: Arc<Mutex<Posted>>,
    n_left: usize,
}

impl<T> Many<T> {
    pub(crate) fn new(members: Vec<Boxed<T>>) -> Self {
        let n = members.len();
        let all = Posted { indices: (0..n).collect(), is_posted: vec![true; n], reader: None };
        let posted = Arc::new(Mutex::new(all));
        let waker = |index| Waker::from(Arc::new(MemberWaker { index, posted: posted.clone() }));
        let wakers = (0..n).map(waker).collect();
        Self { members: members.into_iter().map(Some).collect(), wakers, posted, n_left: n }
    }

    pub(crate) async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        while self.n_left > 0 {
            let mut posted = self.posted.lock().expect("nothing panics under the lock");
            let Some(index) = posted.indices.pop_front() else {
                // Looking and leaving the waker are one step.
                posted.reader = Some(context.waker().clone());
                return Poll::Pending;
            };
            posted.is_posted[index] = false;
            drop(posted);
            let Some(member) = &mut self.members[index] else { continue };
            let mut context = Context::from_waker(&self.wakers[index]);
            if let Poll::Ready(output) = member.as_mut().poll(&mut context) {
                self.members[index] = None;
                self.n_left -= 1;
                return Poll::Ready(Some(output));
            }
        }
        Poll::Ready(None)
    }
}
