//! A service that is simulated: what it does takes time, and nothing else.
//!
//! Knows nothing of who calls it, and of how many are let in. A request is on its way, waits until a server is
//! free, is worked on, and is on its way back:
//!
//! ```text
//! client ──5 ms──▶ line ──▶ a server: 10 ms, as a rule ──5 ms──▶ client
//! ```
//!
//! If too many are inside, in the line or with a server, each makes the work of all slower: there is less
//! memory for each, and more to keep in order.

use std::cell::Cell;
use std::time::Duration;

use handspun::{Semaphore, sleep};

/// What a service is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    /// How many requests it works on at once.
    pub(crate) servers: usize,
    /// How many may be inside before it slows down.
    pub(crate) crowd: usize,
}

/// Half of it before the work, half after. No server is busy meanwhile.
pub(crate) const ON_THE_WAY: Duration = Duration::from_millis(10);
/// How long a server works on a request, on average.
pub(crate) const WORK: Duration = Duration::from_millis(10);
/// By how much each one too many makes the work longer.
const SLOWER: f64 = 0.02;

pub(crate) struct Service {
    model: Model,
    servers: Semaphore,
    /// In the line, or with a server.
    n_inside: Cell<usize>,
}

impl Service {
    pub(crate) fn new(model: Model) -> Self {
        Self { model, servers: Semaphore::new(model.servers), n_inside: Cell::new(0) }
    }

    /// Answers a request that is so much work.
    pub(crate) async fn call(&self, work: Duration) {
        sleep(ON_THE_WAY / 2).await;
        self.serve(work).await;
        sleep(ON_THE_WAY / 2).await;
    }

    async fn serve(&self, work: Duration) {
        let _inside = Inside::of(self);
        let _server = self.servers.acquire().await.expect("nobody closes it");
        let too_many = self.n_inside.get().saturating_sub(self.model.crowd);
        sleep(work.mul_f64(1.0 + SLOWER * too_many as f64)).await;
    }
}

/// Counts a request as inside for as long as this lives.
struct Inside<'a>(&'a Cell<usize>);

impl<'a> Inside<'a> {
    fn of(service: &'a Service) -> Self {
        service.n_inside.set(service.n_inside.get() + 1);
        Self(&service.n_inside)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
