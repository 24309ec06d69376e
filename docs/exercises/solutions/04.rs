//! A waker for each member enqueues its index. The mark *is queued* is cleared before the poll, as in any executor.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

#[derive(Default)]
struct ReadyQueue {
    indices: VecDeque<usize>,
    is_queued: Vec<bool>,
    reader: Option<Waker>,
}

struct MemberWaker {
    index: usize,
    queue: Arc<Mutex<ReadyQueue>>,
}

impl Wake for MemberWaker {
    fn wake(self: Arc<Self>) {
        let mut queue = self.queue.lock().expect("nothing panics under the lock");
        if std::mem::replace(&mut queue.is_queued[self.index], true) {
            return;
        }
        queue.indices.push_back(self.index);
        let reader = queue.reader.take();
        drop(queue); // A waker is user code.
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

pub(crate) struct Many<T> {
    members: Vec<Option<Boxed<T>>>,
    wakers: Vec<Waker>,
    queue: Arc<Mutex<ReadyQueue>>,
    n_left: usize,
}

impl<T> Many<T> {
    pub(crate) fn new(members: Vec<Boxed<T>>) -> Self {
        let n = members.len();
        let all = ReadyQueue { indices: (0..n).collect(), is_queued: vec![true; n], reader: None };
        let queue = Arc::new(Mutex::new(all));
        let waker = |index| Waker::from(Arc::new(MemberWaker { index, queue: queue.clone() }));
        let wakers = (0..n).map(waker).collect();
        Self { members: members.into_iter().map(Some).collect(), wakers, queue, n_left: n }
    }

    pub(crate) async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        while self.n_left > 0 {
            let mut queue = self.queue.lock().expect("nothing panics under the lock");
            let Some(index) = queue.indices.pop_front() else {
                // Looking and leaving the waker are one step.
                queue.reader = Some(context.waker().clone());
                return Poll::Pending;
            };
            queue.is_queued[index] = false;
            drop(queue);
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
