//! What does it cost to submit from inside a job, and to wait for it there?
//!
//! A tree: each job submits eight and joins them, five levels deep; and a chain, where each submits one.
//! Rayon's scope and tokio's tasks do the same; a pool whose joins can deadlock cannot take part. Ours
//! takes part twice, for the same tree can be made of jobs or of jobs in scopes. It can also be made of
//! forks, and that is a row of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;

pub(crate) const BROAD: Row = Row {
    name: "nested-broad",
    question: "What does a job cost in a tree where each submits and joins 8, five levels deep?",
    line_up: |scale| line_up(8, if scale == Scale::Full { 5 } else { 3 }),
};

pub(crate) const DEEP: Row = Row {
    name: "nested-deep",
    question: "What does a job cost in a chain of 200, each of which submits and joins the next?",
    line_up: |_| line_up(1, 200),
};

pub(crate) const FORKS: Row = Row {
    name: "nested-forks",
    question: "What does a node cost in the broad tree, when its branches are halved by forks?",
    line_up: forked,
};

fn forked(scale: Scale) -> LineUp {
    let (breadth, depth) = (8, if scale == Scale::Full { 5 } else { 3 });
    let (ours, rayon) = (pools::handspun(), pools::rayon());
    let n_jobs = jobs(breadth, depth);
    LineUp::throughput(n_jobs, n_jobs)
        .ours("handspun join", 1.0, move || {
            let forks = || forks(&|a, b| ours.join(a, b), breadth, depth);
            ours.scope(|s| s.submit(forks).join().expect("it does not panic"))
        })
        .peer("rayon join", move || {
            rayon.install(|| forks(&|a, b| rayon::join(a, b), breadth, depth))
        })
}

fn line_up(breadth: u64, depth: u64) -> LineUp {
    let (ours, ours_for_scope) = (Arc::new(pools::handspun()), pools::handspun());
    let (rayon, tokio) = (pools::rayon(), pools::tokio());
    let n_jobs = jobs(breadth, depth);
    LineUp::throughput(n_jobs, n_jobs)
        .ours("handspun submit + join", 2.0, move || {
            let pool = ours.clone();
            ours.submit(move || submits(&pool, breadth, depth)).join().expect("it does not panic")
        })
        .ours("handspun scope", 2.0, move || {
            let n_run = AtomicU64::new(0);
            ours_for_scope.scope(|s| {
                s.submit(|| scopes(&ours_for_scope, &n_run, breadth, depth));
            });
            n_run.into_inner()
        })
        .peer("rayon scope", move || {
            let n_run = AtomicU64::new(0);
            rayon.scope(|s| s.spawn(|_| rayon_scopes(&n_run, breadth, depth)));
            n_run.into_inner()
        })
        .peer("tokio spawn + await", move || {
            tokio.block_on(async {
                tokio::spawn(spawns(breadth, depth)).await.expect("it does not panic")
            })
        })
}

fn jobs(breadth: u64, depth: u64) -> u64 {
    if depth == 0 { 1 } else { 1 + breadth * jobs(breadth, depth - 1) }
}

fn submits(pool: &Arc<handspun::ThreadPool>, breadth: u64, depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    let below = |_| {
        let of_the_job = pool.clone();
        pool.submit(move || submits(&of_the_job, breadth, depth - 1))
    };
    let below: Vec<_> = (0..breadth).map(below).collect();
    1 + below.into_iter().map(|job| job.join().expect("it does not panic")).sum::<u64>()
}

fn scopes(pool: &handspun::ThreadPool, n_run: &AtomicU64, breadth: u64, depth: u64) {
    n_run.fetch_add(1, Relaxed); // ORDERING: Relaxed. Read when the scope has ended.
    if depth == 0 {
        return;
    }
    pool.scope(|s| {
        for _ in 0..breadth {
            s.submit(|| scopes(pool, n_run, breadth, depth - 1));
        }
    });
}

/// A job with its branches below, which are halved until there is one.
fn forks(join: &Join<'_>, breadth: u64, depth: u64) -> u64 {
    if depth == 0 { 1 } else { 1 + branches(join, breadth, breadth, depth - 1) }
}

fn branches(join: &Join<'_>, n: u64, breadth: u64, depth: u64) -> u64 {
    if n == 1 {
        return forks(join, breadth, depth);
    }
    let half = n / 2;
    let (left, right) = join(&|| branches(join, half, breadth, depth), &|| {
        branches(join, n - half, breadth, depth)
    });
    left + right
}

/// Runs two closures, perhaps at once, and returns what both return.
type Join<'j> =
    dyn Fn(&(dyn Fn() -> u64 + Sync), &(dyn Fn() -> u64 + Sync)) -> (u64, u64) + Sync + 'j;

fn rayon_scopes(n_run: &AtomicU64, breadth: u64, depth: u64) {
    n_run.fetch_add(1, Relaxed); // ORDERING: Relaxed, as above.
    if depth == 0 {
        return;
    }
    rayon::scope(|s| {
        for _ in 0..breadth {
            s.spawn(|_| rayon_scopes(n_run, breadth, depth - 1));
        }
    });
}

fn spawns(breadth: u64, depth: u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        let below: Vec<_> =
            (0..breadth).map(|_| tokio::spawn(spawns(breadth, depth - 1))).collect();
        let mut n_jobs = 1;
        for task in below {
            n_jobs += task.await.expect("it does not panic");
        }
        n_jobs
    })
}
