//! How much processor time has this process used?

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time that all threads of this process together have spent on a processor, in user code and
/// in the kernel.
///
/// Time on the wall does not tell a pool that waits asleep from one that waits spinning; this does.
pub(crate) fn time_used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a process has never used less than no time")
}
