//! A handle gives its result once, to whoever waits, however they wait.

use handspun::{Cancel, JoinError, ThreadPool};

use crate::support::{Gate, watched};

/// P7, P8.
#[test]
fn a_job_cancelled_while_it_queues_never_runs() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = Gate::closed();
        let first = pool.submit({
            let gate = gate.clone();
            move || gate.pass()
        });
        let second = pool.submit(|| unreachable!("it was cancelled in the queue"));

        // The only worker can at most be waiting at the gate, so `second` has not begun.
        assert_eq!(second.cancel(), Cancel::Dequeued);
        assert_eq!(second.cancel(), Cancel::Dequeued, "again is the same");
        gate.open();

        first.join().unwrap();
        assert!(matches!(second.join(), Err(JoinError::Cancelled(_))));
    });
}
