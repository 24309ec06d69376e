//! What does it cost to fork, when there is a fork at every call and hardly any work in one?
//!
//! fib(27) by two calls each, with no leaf batched: some 300,000 forks of a few nanoseconds. A good
//! fork costs next to nothing while everybody is busy. Ours and rayon's begin on a worker, so that two
//! threads work. Chili's lends the calling thread, and hands a scope down from fork to fork.

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;

pub(crate) const ROW: Row = Row {
    name: "join",
    question: "What does a fork cost in fib(27), with no leaf batched?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = match scale {
        Scale::Full => 27,
        Scale::Quick => 22,
    };
    let result = plain(n);
    // Each call of more than 1 forks once, and the calls of 1 or 0 are one more than those.
    let n_forks = leaves(n) - 1;
    let (ours, rayon, chili) = (pools::handspun(), pools::rayon(), pools::chili());

    LineUp::throughput(n_forks, result)
        .ours("handspun join", 1.0, move || {
            ours.scope(|s| s.submit(|| fib(&ours, n)).join().expect("it does not panic"))
        })
        .peer("rayon join", move || rayon.install(|| rayon_fib(n)))
        .peer("chili join, by an explicit scope", move || chili_fib(&mut chili.scope(), n))
        .baseline("plain calls", move || plain(n))
}

fn leaves(n: u64) -> u64 {
    if n < 2 { 1 } else { leaves(n - 1) + leaves(n - 2) }
}

fn fib(pool: &handspun::ThreadPool, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (left, right) = pool.join(|| fib(pool, n - 1), || fib(pool, n - 2));
    left + right
}

fn rayon_fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (left, right) = rayon::join(|| rayon_fib(n - 1), || rayon_fib(n - 2));
    left + right
}

fn chili_fib(scope: &mut chili::Scope<'_>, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (left, right) = scope.join(|s| chili_fib(s, n - 1), |s| chili_fib(s, n - 2));
    left + right
}

fn plain(n: u64) -> u64 {
    if n < 2 { n } else { plain(std::hint::black_box(n - 1)) + plain(n - 2) }
}
