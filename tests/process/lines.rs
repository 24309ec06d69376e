//! Lines come as they are written, and a slow reader holds up the child and nothing else.

use std::sync::Arc;

use std::process::Stdio;

use handspun::process::{Cause, Signal, Source};
use handspun::{block_on, sleep};

use crate::setup::{MILLISECOND, SECOND, child};
use crate::support::{WakeCounter, poll, run_elsewhere, until, watched};

/// S24, for the driver's part of it: the last line has no end.
#[test]
fn a_last_line_without_an_end_is_delivered() {
    watched(|| {
        let child = child("say one flood 3").lines().spawn().unwrap();
        let lines = std::iter::from_fn(|| block_on(child.next_line()));
        let texts: Vec<_> = lines.map(|line| line.text().into_owned()).collect();
        assert_eq!(texts, ["one", "xxx"]);
    });
}

#[test]
fn a_line_comes_while_the_child_still_runs() {
    watched(|| {
        let child = child("say ready sleep 20000").lines().spawn().unwrap();
        assert_eq!(block_on(child.next_line()).unwrap().text(), "ready");
        assert!(!child.is_finished());
    });
}

#[test]
fn lines_of_both_streams_say_where_they_come_from() {
    watched(|| {
        let mut both = child("say out warn err").lines();
        let child = both.spawn().unwrap();
        let lines = std::iter::from_fn(|| block_on(child.next_line()));
        let mut lines: Vec<_> = lines.map(|line| (line.text().into_owned(), line.source)).collect();
        lines.sort_by(|a, b| b.0.cmp(&a.0));
        let expected = [("out", Source::Stdout), ("err", Source::Stderr)];
        assert_eq!(lines, expected.map(|(text, source)| (text.to_owned(), source)));
    });
}

/// S28.
#[test]
fn live_lines_and_the_capture_are_equal() {
    watched(|| {
        let child = child(&"say line ".repeat(500)).lines().spawn().unwrap();
        let mut live = String::new();
        while let Some(line) = block_on(child.next_line()) {
            live += &(line.text().into_owned() + "\n");
        }
        assert_eq!(child.wait().stdout.text(), live);
    });
}

/// S26.
#[test]
fn a_reader_who_is_behind_holds_up_the_child_but_not_its_timeout() {
    watched(|| {
        let flood = child("say first flood 100000000").lines();
        let child = flood.timeout(SECOND / 2).spawn().unwrap();
        assert_eq!(block_on(child.next_line()).unwrap().text(), "first");
        // Nobody reads on. The child stands still, in front of a full pipe.
        until(|| child.is_finished());
        let outcome = child.wait();
        assert_eq!(outcome.cause, Cause::TimedOut);
        let n = outcome.stdout.bytes.len();
        assert!((200_000..5_000_000).contains(&n), "it was held up: {n}");
    });
}

#[test]
fn a_reader_who_comes_late_misses_nothing() {
    watched(|| {
        let mut flood = child("flood 2000000").lines();
        let child = flood.spawn().unwrap();
        block_on(sleep(SECOND / 4)); // The child has filled the queue and the pipe by then.
        let lines = std::iter::from_fn(|| block_on(child.next_line()));
        assert_eq!(lines.map(|line| line.bytes.len()).sum::<usize>(), 2_000_000);
    });
}

/// S27: who only waits, takes no lines, and the child is not held up.
#[test]
fn lines_that_nobody_takes_hold_nobody_up() {
    watched(|| {
        let flood = || child("say first flood 5000000 exit 3").lines();
        assert_eq!(flood().run().unwrap().code(), Some(3));
        let child = flood().spawn().unwrap();
        block_on(child.next_line()).unwrap();
        let outcome = child.wait();
        assert_eq!((outcome.code(), outcome.stdout.bytes.len()), (Some(3), 5_000_006));
    });
}

/// It has filled the queue and the pipe before.
#[test]
fn a_child_that_is_held_up_goes_on_when_it_is_waited_for() {
    watched(|| {
        let child = child("flood 5000000 exit 3").lines().spawn().unwrap();
        let child = child.wait_timeout(SECOND / 4).unwrap_err().into_inner();
        let outcome = child.wait();
        assert_eq!((outcome.code(), outcome.stdout.bytes.len()), (Some(3), 5_000_000));
    });
}

#[test]
fn a_task_elsewhere_awaits_lines_and_the_end() {
    watched(|| {
        run_elsewhere(vec![Box::pin(async {
            let child = child("say one say two exit 3").lines().spawn().unwrap();
            assert_eq!(child.next_line().await.unwrap().text(), "one");
            assert_eq!(child.next_line().await.unwrap().text(), "two");
            assert!(child.next_line().await.is_none());
            assert_eq!(child.await.code(), Some(3));
        })]);
    });
}

/// A wait for a line that is dropped loses none.
#[test]
fn a_line_that_was_not_waited_for_to_the_end_comes_next() {
    watched(|| {
        let mut child = child("sleep 50 say one").lines().kill_policy(Signal::TERM, MILLISECOND);
        let child = child.spawn().unwrap();
        for _ in 0..3 {
            let (_, waker) = WakeCounter::new();
            assert!(poll(&mut child.next_line(), &waker).is_pending());
        }
        assert_eq!(block_on(child.next_line()).unwrap().text(), "one");
    });
}

/// A wait that is dropped keeps nothing of who waited.
#[test]
fn a_dropped_wait_takes_its_waker_along() {
    watched(|| {
        let mute = child("sleep 20000").stdin(Stdio::piped()).lines().spawn().unwrap();
        drop(mute.write(&[0; 1 << 20]));
        for _ in 0..100 {
            let (counter, waker) = WakeCounter::new();
            let (mut line, mut written) = (mute.next_line(), mute.write(b""));
            assert!(poll(&mut line, &waker).is_pending() && poll(&mut line, &waker).is_pending());
            assert!(poll(&mut written, &waker).is_pending());
            drop((line, written, waker));
            assert_eq!(Arc::strong_count(&counter), 1);
        }
    });
}

/// Each of two who wait at once is woken, and by its newest waker.
#[test]
fn everyone_who_waits_for_a_line_is_woken() {
    watched(|| {
        let mut child = child("read 1 say one").stdin(Stdio::piped()).lines();
        let child = child.spawn().unwrap();
        let (mut first, mut second) = (child.next_line(), child.next_line());
        let counters = [(); 3].map(|()| WakeCounter::new());
        assert!(poll(&mut first, &counters[0].1).is_pending());
        assert!(poll(&mut second, &counters[1].1).is_pending());
        assert!(poll(&mut second, &counters[2].1).is_pending());
        block_on(child.write(b"x")).unwrap();
        until(|| counters[0].0.wakes() > 0 && counters[2].0.wakes() > 0);
        assert_eq!(counters.each_ref().map(|counter| counter.0.wakes()), [1, 0, 1]);
    });
}
