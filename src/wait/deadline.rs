//! A point on the clock by which something must have happened, or never.
//!
//! Knows nothing of who waits. What must always hold: no timeout is too long. A `Duration` that
//! the clock cannot add, `Duration::MAX` above all, means *never*; it neither overflows nor fires.

use std::time::{Duration, Instant};

use crate::prims;

/// When to give up. Earlier deadlines are smaller; `Never` is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    At(Instant),
    Never,
}

impl Deadline {
    /// The deadline of a wait that begins now and may take `timeout`.
    pub(crate) fn after(timeout: Duration) -> Self {
        prims::now().checked_add(timeout).map_or(Self::Never, Self::At)
    }

    pub(crate) fn has_passed(self) -> bool {
        match self {
            Self::At(instant) => prims::now() >= instant,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_timeout_means_never() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::Never);
        assert!(!Deadline::Never.has_passed());
    }

    #[test]
    fn no_timeout_at_all_has_passed_at_once() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
    }

    #[test]
    fn never_is_later_than_every_instant() {
        assert!(Deadline::after(Duration::from_secs(1 << 40)) < Deadline::Never);
    }
}
