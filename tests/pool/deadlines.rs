//! A deadline that passes ends the wait of a queued job, and nothing else.

use std::time::Duration;

use handspun::{Cancel, CancelReason, CancellationToken, Clock, JoinError, ThreadPool};

use crate::setup::busy;
use crate::support::{Count, CountsDrop, watched};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_job_whose_deadline_passes_in_the_queue_is_cancelled_at_once() {
    watched(|| {
        let (pool, clock, drops) = (ThreadPool::new(1), Clock::jumping(), Count::default());
        let _gate = busy(&pool);
        let token = CancellationToken::on(&clock).child_with_timeout(SECOND);
        let payload = CountsDrop(drops.clone());
        let late = pool.submit_with(&token, move |_| drop(payload));
        clock.advance(SECOND / 2);
        assert!(!late.is_finished());
        clock.advance(SECOND);
        assert!(matches!(late.join(), Err(JoinError::Cancelled(CancelReason::DeadlinePassed))));
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn the_alarm_goes_on_after_it_has_cancelled_a_job() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let _gate = busy(&pool);
        for _ in 0..3 {
            let token = CancellationToken::with_timeout(Duration::from_millis(1));
            let late = pool.submit_with(&token, |_| unreachable!("no worker is free"));
            assert!(matches!(late.join(), Err(JoinError::Cancelled(CancelReason::DeadlinePassed))));
        }
    });
}

#[test]
fn one_deadline_over_many_jobs_cancels_them_all() {
    watched(|| {
        let (pool, clock) = (ThreadPool::new(1), Clock::jumping());
        let _gate = busy(&pool);
        let token = CancellationToken::on(&clock).child_with_timeout(SECOND);
        let late: Vec<_> = (0..100).map(|n| pool.submit_with(&token, move |_| n)).collect();
        let other = pool.submit(|| ());
        clock.advance(SECOND);
        assert_eq!(late.into_iter().filter_map(|job| job.join().err()).count(), 100);
        assert_eq!((pool.stats().queued, other.cancel()), (1, Cancel::Dequeued));
    });
}
