//! What is seen of real pools and executors. A job's times are the machine's, so no test here looks at one.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use handspun::{
    Builder, Clock, Ending, Executor, JoinHandle, Shutdown, Span, ThreadPool, Timeline, What,
    sleep, spawn_named,
};

use support::{Gate, watched};

fn two_threads() -> Builder {
    ThreadPool::builder().threads(2)
}

/// The jobs by their numbers, which are those of their submissions.
fn by_job(timeline: &Timeline) -> Vec<Span> {
    let mut spans = timeline.spans();
    spans.sort_by_key(|span| span.number);
    spans
}

/// A job that has begun, and goes on when the gate is opened.
fn held_at(gate: &Gate, pool: &ThreadPool) -> JoinHandle<()> {
    let (gate, has_begun) = (gate.clone(), Gate::closed());
    let begin = has_begun.clone();
    let job = pool.submit(move || {
        begin.open();
        gate.pass();
    });
    has_begun.pass();
    job
}

#[test]
fn what_one_worker_ran_never_overlaps_but_on_top() {
    watched(|| {
        let timeline = Timeline::new();
        let pool = two_threads().observer(timeline.observer()).build().unwrap();
        (0..1000).map(|_| pool.submit(|| ())).for_each(drop);
        drop(pool);
        for worker in 0..2 {
            let mut runs: Vec<_> = timeline.spans();
            runs.retain(|span| span.run.unwrap().worker == worker);
            runs.sort_by_key(|span| span.run.unwrap().began);
            let is_apart = |two: &[Span]| two[0].settled.unwrap().0 <= two[1].run.unwrap().began;
            assert!(runs.windows(2).all(is_apart));
            assert!(runs.iter().all(|span| span.run.unwrap().depth == 0));
        }
    });
}

#[test]
fn jobs_that_were_taken_back_lie_within_their_waiters() {
    watched(|| {
        let timeline = Timeline::new();
        let pool = ThreadPool::builder().threads(1).observer(timeline.observer()).build().unwrap();
        let pool = Arc::new(pool);
        let outer = pool.submit({
            let pool = pool.clone();
            move || {
                let middle_pool = pool.clone();
                pool.submit(move || middle_pool.submit(|| ()).join().unwrap()).join().unwrap();
            }
        });
        outer.join().unwrap();
        let jobs = by_job(&timeline);
        for (depth, pair) in jobs.windows(2).enumerate() {
            let [outer, inner] = [&pair[0], &pair[1]];
            assert_eq!(outer.run.unwrap().depth, depth);
            assert!(outer.run.unwrap().began <= inner.run.unwrap().began);
            assert!(inner.settled.unwrap().0 <= outer.settled.unwrap().0);
        }
        assert_eq!(jobs[2].run.unwrap().depth, 2);
    });
}

#[test]
fn a_cancelled_job_has_an_end_and_no_worker() {
    watched(|| {
        let (timeline, gate) = (Timeline::new(), Gate::closed());
        let pool = ThreadPool::builder().threads(1).observer(timeline.observer()).build().unwrap();
        let _first = held_at(&gate, &pool);
        let _second = pool.submit(|| ());
        let _ = pool.shutdown_timeout(Shutdown::Cancel, std::time::Duration::ZERO);
        gate.open();
        drop(pool);
        let cancelled = &by_job(&timeline)[1];
        assert_eq!((cancelled.run, cancelled.settled.unwrap().1), (None, Ending::Cancelled));
        assert!(timeline.to_string().contains("Job cancelled ×: 1"));
    });
}

#[test]
fn a_job_may_draw_the_timeline_that_it_is_in() {
    watched(|| {
        let timeline = Timeline::new();
        let pool = two_threads().observer(timeline.observer()).build().unwrap();
        let drawn = pool.submit({
            let timeline = timeline.clone();
            move || timeline.spans().len() + timeline.to_string().len()
        });
        assert!(drawn.join().unwrap() > 0);
    });
}

#[test]
fn one_timeline_holds_a_pool_and_an_executor() {
    watched(|| {
        let timeline = Timeline::new();
        let pool = two_threads().observer(timeline.observer()).build().unwrap();
        let executor = Executor::builder().observer(timeline.observer()).build();
        let job = pool.submit(|| 6 * 7);
        let answer = executor.run(async { spawn_named("asks", job).await });
        assert_eq!(answer.unwrap().unwrap(), 42);
        let kinds = [What::Job, What::Task].map(|what| {
            let spans = timeline.spans();
            spans.into_iter().find(|span| span.what == what).map(|span| (span.source, span.name))
        });
        assert_eq!(kinds, [Some((0, None)), Some((1, Some("asks".into())))]);
        assert!(timeline.to_string().contains("\nasks "), "{timeline}");
    });
}

#[test]
fn a_task_is_drawn_by_the_clock_of_its_executor() {
    watched(|| {
        let timeline = Timeline::new();
        let executor =
            Executor::builder().clock(Clock::jumping()).observer(timeline.observer()).build();
        let hour = Duration::from_secs(3600);
        executor.run(async { spawn_named("nap", sleep(hour)).await }).unwrap();
        let span = &timeline.spans()[0];
        let (ended, _) = span.settled.expect("it has been awaited");
        assert_eq!(ended - span.submitted, hour, "to the nanosecond");
    });
}

#[test]
fn a_task_that_its_executor_dropped_is_drawn_as_cancelled() {
    watched(|| {
        let timeline = Timeline::new();
        let executor = Executor::builder().observer(timeline.observer()).build();
        executor.run(async { drop(spawn_named("stuck", std::future::pending::<()>())) });
        assert!(timeline.to_string().contains("Task not over >: 1"), "{timeline}");
        drop(executor);
        assert_eq!(timeline.spans()[0].settled.unwrap().1, Ending::Cancelled);
        assert!(timeline.to_string().ends_with("\nTask cancelled ×: 1\n"), "{timeline}");
    });
}
