//! # 11. To a thread
//!
//! ★★ · 30 minutes · [The bridge](../guide/16-the-bridge.md)
//!
//! Python's `asyncio.to_thread` goes to a pool that is simply there. Write `to_thread(f).await`, with one pool of two
//! threads for the whole program, and a job that is cancelled if the wait is dropped while the job is queued. This one
//! blocks the executor.

pub(crate) mod yours {
    use handspun::JoinError;

    pub(crate) async fn to_thread<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        handspun::thread::spawn(f).join()
    }
}

mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;
    use std::time::Duration;

    use handspun::{Clock, Executor, join_all, run, sleep, spawn, timeout, yield_now};

    use crate::answers::a11::to_thread;

    #[test]
    fn the_executor_goes_on_meanwhile() {
        run(async {
            let (open, gate) = channel();
            let other = spawn(async move {
                yield_now().await;
                open.send(()).unwrap();
            });
            let job = move || gate.recv_timeout(Duration::from_secs(2)).is_ok();
            assert!(to_thread(job).await.unwrap(), "the other task had no turn");
            other.await.unwrap();
        });
    }

    /// Whether another job is there at the same time.
    fn meet(other: Sender<()>, here: Receiver<()>) -> bool {
        other.send(()).is_ok() && here.recv_timeout(Duration::from_secs(2)).is_ok()
    }

    #[test]
    fn two_jobs_run_at_once() {
        let ((to_first, first), (to_second, second)) = (channel(), channel());
        let ends = [(to_second, first), (to_first, second)];
        let jobs = ends.map(|(other, here)| to_thread(move || meet(other, here)));
        let have_met: Vec<_> = run(join_all(jobs)).into_iter().map(Result::unwrap).collect();
        assert_eq!(have_met, [true, true]);
    }

    #[test]
    fn many_jobs_share_two_threads() {
        let jobs = [(); 20].map(|()| to_thread(|| thread::current().id()));
        let threads: HashSet<_> = run(join_all(jobs)).into_iter().map(Result::unwrap).collect();
        assert!(threads.len() <= 2, "there were {}", threads.len());
    }

    #[test]
    fn a_clock_does_not_jump_over_a_job() {
        Executor::builder().clock(Clock::jumping()).build().run(async {
            let job = || (0..1_000_000_u64).fold(0, |sum, n| sum ^ n);
            assert!(timeout(Duration::from_secs(60), to_thread(job)).await.is_ok());
            assert!(
                timeout(Duration::from_secs(60), sleep(Duration::from_secs(3600))).await.is_err()
            );
        });
    }

    #[test]
    fn a_panic_is_a_value_there() {
        assert!(run(to_thread(|| panic!("on a thread"))).is_err());
    }
}
