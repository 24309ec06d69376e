//! The measurement: the same requests, with one size of the semaphore after another.
//!
//! Knows nothing of how a service takes its time, nor of how results are shown. What must always hold: every
//! size meets the same requests in the same order, so that sizes differ in nothing else.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use handspun::{Clock, Executor, Semaphore, join_all};
use hdrhistogram::Histogram;

use super::service::{Model, Service, WORK};

/// Who asks for how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Each makes one request after another.
    pub(crate) clients: usize,
    /// How many they make in all.
    pub(crate) requests: usize,
    pub(crate) seed: u64,
}

/// What came of one size.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) permits: usize,
    /// Requests in a second.
    pub(crate) throughput: f64,
    /// How long requests took from the permit to the answer, in nanoseconds.
    pub(crate) inside: Histogram<u64>,
    /// How long they took from the wish to the answer.
    pub(crate) overall: Histogram<u64>,
}

/// A share of the best throughput that is enough. The rest is bought with long waits inside.
const ENOUGH: f64 = 0.95;

/// Sizes to try: close together where they are small, and at last as many as there are clients.
pub(crate) fn sizes(clients: usize) -> Vec<usize> {
    let next = |size: &usize| Some(size + (size / 5).max(1));
    let smaller =
        std::iter::successors(Some(1), next).take_while(|size| size + size / 10 < clients);
    smaller.chain([clients]).collect()
}

pub(crate) fn over(sizes: &[usize], model: &Model, load: &Load) -> Vec<Row> {
    let requests = requests(load);
    sizes.iter().map(|permits| measure(*permits, *model, load.clients, &requests)).collect()
}

/// The smallest size that has nearly all of the throughput.
pub(crate) fn knee(rows: &[Row]) -> &Row {
    let best = best(rows).throughput;
    let enough = rows.iter().find(|row| row.throughput >= ENOUGH * best);
    enough.expect("the best has all of it, and there is one size at least")
}

/// The size with the most throughput.
pub(crate) fn best(rows: &[Row]) -> &Row {
    let best = rows.iter().max_by(|a, b| a.throughput.total_cmp(&b.throughput));
    best.expect("there is one size at least")
}

/// One size: all clients at once on a clock of their own, until all the requests are answered.
fn measure(permits: usize, model: Model, clients: usize, requests: &[Duration]) -> Row {
    let clock = Clock::jumping();
    let bench = Bench {
        clock: clock.clone(),
        semaphore: Semaphore::new(permits),
        service: Service::new(model),
        requests: RefCell::new(requests.iter().copied()),
        inside: histogram(),
        overall: histogram(),
    };
    let began = clock.now();
    let executor = Executor::builder().clock(clock.clone()).build();
    executor.run(join_all((0..clients).map(|_| bench.client())));
    let took = clock.now() - began;
    Row {
        permits,
        throughput: requests.len() as f64 / took.as_secs_f64(),
        inside: bench.inside.into_inner(),
        overall: bench.overall.into_inner(),
    }
}

/// What the clients share.
struct Bench<I> {
    clock: Clock,
    /// What is to be tuned.
    semaphore: Semaphore,
    service: Service,
    requests: RefCell<I>,
    inside: RefCell<Histogram<u64>>,
    overall: RefCell<Histogram<u64>>,
}

impl<I: Iterator<Item = Duration>> Bench<I> {
    async fn client(&self) {
        while let Some(work) = self.next_request() {
            let wished = self.clock.now();
            let permit = self.semaphore.acquire().await.expect("nobody closes it");
            let let_in = self.clock.now();
            self.service.call(work).await;
            drop(permit);
            self.record(wished, let_in);
        }
    }

    fn next_request(&self) -> Option<Duration> {
        self.requests.borrow_mut().next()
    }

    fn record(&self, wished: Instant, let_in: Instant) {
        let now = self.clock.now();
        for (times, since) in [(&self.inside, let_in), (&self.overall, wished)] {
            let nanos = (now - since).as_nanos() as u64; // Centuries fit into it.
            times.borrow_mut().record(nanos).expect("a histogram grows as it needs to");
        }
    }
}

/// Three digits of each length are right.
fn histogram() -> RefCell<Histogram<u64>> {
    RefCell::new(Histogram::new(3).expect("up to five digits are possible"))
}

/// How much work each request is: most are small and a few are large, as they are.
///
/// That is an exponential distribution, which is what comes out if a request may be over at any moment
/// with the same chance.
fn requests(load: &Load) -> Vec<Duration> {
    let mut state = load.seed;
    let work = (0..load.requests).map(|_| {
        // SplitMix64: a few lines, and each seed gives other numbers.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        // From 0 to just below 1; so what the logarithm is taken of is never 0.
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        WORK.mul_f64(-(1.0 - share).ln())
    });
    work.collect()
}
