//! How does it grow? The same thing with ever more of them: jobs, producers, queued jobs, workers, tasks,
//! sleeps, waiters, tokens, children.
//!
//! A point of a curve is a small row: the same contenders, measured by the same harness, in a process of
//! its own. A flat curve is what one wants: the thousandth costs what the first one did. Where there are
//! few of them, they are made several times in a turn, so that a turn is long enough to be timed.

use std::process::{Command as StdCommand, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use handspun::CancellationToken;
use handspun::process::{Child, Command};

use crate::line_up::{LineUp, UNTARGETED};
use crate::rows::{million_sleepers, producers, queue_depth};
use crate::{crowd, executors, flood, pools};

/// One question, asked at several sizes.
pub(crate) struct Curve {
    /// What `--curve` takes.
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// What there are ever more of.
    pub(crate) of: &'static str,
    pub(crate) points: &'static [u64],
    pub(crate) line_up: fn(u64) -> LineUp,
}

pub(crate) const ALL: &[Curve] = &[
    Curve {
        name: "jobs",
        question: "What does an empty job cost, of so many that are submitted and joined?",
        of: "jobs",
        points: &[1_000, 10_000, 100_000, 1_000_000, 10_000_000],
        line_up: jobs,
    },
    Curve {
        name: "producers",
        question: "What does an empty job cost when so many threads submit and join at once?",
        of: "threads that submit",
        points: &[1, 2, 4, 8, 16, 32, 64],
        line_up: producers::many,
    },
    Curve {
        name: "queued",
        question: "What does an empty job cost when so many are queued before the first one runs?",
        of: "queued jobs",
        points: &[1_000, 10_000, 100_000, 1_000_000],
        line_up: queue_depth::deep,
    },
    Curve {
        name: "workers",
        question: "What does an empty job cost on a pool of so many threads?",
        of: "workers",
        points: &[1, 2, 4, 8, 16, 32, 64],
        line_up: workers,
    },
    Curve {
        name: "tasks",
        question: "What does an empty task cost, of so many that are spawned and awaited?",
        of: "tasks",
        points: &[1_000, 10_000, 100_000, 1_000_000],
        line_up: tasks,
    },
    Curve {
        name: "sleepers",
        question: "What processor time does it take to fire a sleep, of so many that wait?",
        of: "sleeping tasks",
        points: &[1_000, 10_000, 100_000, 1_000_000],
        line_up: |n| million_sleepers::sleepers(n, UNTARGETED),
    },
    Curve {
        name: "waiters",
        question: "What does a permit cost, of 3, when so many tasks stand in line?",
        of: "waiting tasks",
        points: &[10, 100, 1_000, 10_000, 100_000],
        line_up: waiters,
    },
    Curve {
        name: "tokens",
        question: "What does a child token cost, of so many that are made and cancelled together?",
        of: "child tokens",
        points: &[1_000, 10_000, 100_000, 1_000_000],
        line_up: tokens,
    },
    Curve {
        name: "children",
        question: "What does a child process cost, of so many that run `true` at once?",
        of: "child processes",
        points: &[1, 10, 100, 1_000],
        line_up: children,
    },
];

pub(crate) fn named(name: &str) -> Option<&'static Curve> {
    ALL.iter().find(|curve| curve.name == name)
}

/// Calls `run` so often that there are some hundred thousand operations, and adds up.
fn often(n: u64, run: impl Fn() -> u64 + 'static) -> impl FnMut() -> u64 + 'static {
    move || (0..times(n)).map(|_| run()).sum()
}

fn times(n: u64) -> u64 {
    (100_000 / n).max(1)
}

/// A line-up whose every turn is `times(n)` times `n` operations that add up to `sum`.
fn throughput(n: u64, sum: u64) -> LineUp {
    LineUp::throughput(times(n) * n, times(n) * sum)
}

fn jobs(n: u64) -> LineUp {
    let (ours, ours_for_all) = (pools::handspun(), pools::handspun());
    let (rayon, rayon_for_scope) = (pools::rayon(), pools::rayon());
    let (threadpool, tokio) = (pools::threadpool(), pools::tokio());
    throughput(n, (0..n).sum())
        .ours("handspun submit", UNTARGETED, often(n, move || flood::handspun(&ours, 0..n)))
        .ours(
            "handspun submit_all",
            UNTARGETED,
            often(n, move || flood::handspun_all(&ours_for_all, 0..n)),
        )
        .peer("rayon spawn + channel", often(n, move || flood::rayon_spawn(&rayon, 0..n)))
        .peer("rayon scope", often(n, move || flood::rayon_scope(&rayon_for_scope, 0..n)))
        .peer("threadpool + channel", often(n, move || flood::threadpool(&threadpool, 0..n)))
        .peer("tokio spawn_blocking", often(n, move || flood::tokio(&tokio, 0..n)))
}

fn workers(n_workers: u64) -> LineUp {
    const N: u64 = 100_000;
    let n_workers = n_workers as usize;
    let (ours, rayon) = (pools::handspun_of(n_workers), pools::rayon_of(n_workers));
    let (threadpool, tokio) = (pools::threadpool_of(n_workers), pools::tokio_of(n_workers));
    LineUp::throughput(N, (0..N).sum())
        .ours("handspun submit", UNTARGETED, move || flood::handspun(&ours, 0..N))
        .peer("rayon spawn + channel", move || flood::rayon_spawn(&rayon, 0..N))
        .peer("threadpool + channel", move || flood::threadpool(&threadpool, 0..N))
        .peer("tokio spawn_blocking", move || flood::tokio(&tokio, 0..N))
}

fn tasks(n: u64) -> LineUp {
    let (tokio, tokio_local) = (executors::tokio(), executors::tokio_local());
    let compio = executors::compio();
    let task = async |number| number;
    throughput(n, (0..n).sum())
        .ours("handspun", UNTARGETED, often(n, move || crowd::on_handspun(n, task)))
        .peer("tokio, one thread", often(n, move || crowd::on_tokio(&tokio, n, task)))
        .peer("tokio LocalRuntime", often(n, move || crowd::on_tokio_local(&tokio_local, n, task)))
        .peer("smol LocalExecutor", often(n, move || crowd::on_smol(n, task)))
        .peer("futures LocalPool", often(n, move || crowd::on_local_pool(n, task)))
        .peer("compio", often(n, move || crowd::on_compio(&compio, n, task)))
}

/// Each of the tasks has two turns, so that the line is as long as they are many until the end.
fn waiters(n: u64) -> LineUp {
    const TURNS: u64 = 2;
    let tokio = executors::tokio();
    let ours = move || {
        let semaphore = Rc::new(handspun::Semaphore::new(3));
        crowd::on_handspun(n, |_| {
            let semaphore = semaphore.clone();
            async move {
                for _ in 0..TURNS {
                    let _permit = semaphore.acquire().await.expect("it stays open");
                    handspun::yield_now().await;
                }
                TURNS
            }
        })
    };
    let of_tokio = move || {
        let semaphore = Arc::new(tokio::sync::Semaphore::new(3));
        crowd::on_tokio(&tokio, n, |_| {
            let semaphore = semaphore.clone();
            async move {
                for _ in 0..TURNS {
                    let _permit = semaphore.acquire().await.expect("it stays open");
                    tokio::task::yield_now().await;
                }
                TURNS
            }
        })
    };
    let of_async_lock = move || {
        let semaphore = Rc::new(smol::lock::Semaphore::new(3));
        crowd::on_handspun(n, |_| {
            let semaphore = semaphore.clone();
            async move {
                for _ in 0..TURNS {
                    let _permit = semaphore.acquire().await;
                    handspun::yield_now().await;
                }
                TURNS
            }
        })
    };
    LineUp::throughput(times(n) * n * TURNS, times(n) * n * TURNS)
        .ours("handspun Semaphore", UNTARGETED, often(n, ours))
        .peer("tokio Semaphore", often(n, of_tokio))
        .peer("async-lock, on handspun", often(n, of_async_lock))
}

fn tokens(n: u64) -> LineUp {
    let ours = move || {
        let parent = CancellationToken::new();
        let children: Vec<_> = (0..n).map(|_| parent.child()).collect();
        parent.cancel();
        children.iter().map(|child| u64::from(child.is_cancelled())).sum()
    };
    let of_tokio = move || {
        let parent = tokio_util::sync::CancellationToken::new();
        let children: Vec<_> = (0..n).map(|_| parent.child_token()).collect();
        parent.cancel();
        children.iter().map(|child| u64::from(child.is_cancelled())).sum()
    };
    throughput(n, n)
        .ours("handspun", UNTARGETED, often(n, ours))
        .peer("tokio-util", often(n, of_tokio))
}

fn children(n: u64) -> LineUp {
    const PROGRAM: &str = "/bin/true";
    let times = (100 / n).max(1);
    let tokio = executors::tokio_with_children();
    let ours = move || {
        let start = |_| Command::new(PROGRAM).spawn().expect("there are descriptors for all");
        let children: Vec<Child> = (0..n).map(start).collect();
        children.into_iter().map(|child| u64::from(child.wait().is_success())).sum::<u64>()
    };
    let of_tokio = move || {
        tokio.block_on(async {
            let start = |_| {
                let mut command = tokio::process::Command::new(PROGRAM);
                tokio::spawn(command.stdin(Stdio::null()).output())
            };
            let tasks: Vec<_> = (0..n).map(start).collect();
            let mut sum = 0;
            for task in tasks {
                let output = task.await.expect("it does not panic").expect("it can be started");
                sum += u64::from(output.status.success());
            }
            sum
        })
    };
    let of_threads = move || {
        let run = || {
            let output = StdCommand::new(PROGRAM).stdin(Stdio::null()).output();
            u64::from(output.expect("it can be started").status.success())
        };
        let threads: Vec<_> = (0..n).map(|_| thread::spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum::<u64>()
    };
    LineUp::throughput(times * n, times * n)
        .ours("handspun", UNTARGETED, move || (0..times).map(|_| ours()).sum())
        .peer("tokio", move || (0..times).map(|_| of_tokio()).sum())
        .peer("std output, a thread each", move || (0..times).map(|_| of_threads()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_curves_share_a_name() {
        let names: HashSet<_> = ALL.iter().map(|curve| curve.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn the_points_of_a_curve_grow() {
        assert!(ALL.iter().all(|curve| curve.points.is_sorted_by(|left, right| left < right)));
    }
}
