//! The settings of an executor.
//!
//! Knows nothing of what is done with them. What must always hold: what is not said works well.

use std::time::Duration;

use crate::event::Observer;
use crate::wait::block_on::default_look_out;
use crate::wait::clock::Clock;
use crate::wait::panic_hook::PanicHook;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) seed: Option<u64>,
    /// How long the thread looks out before it sleeps, while something is under way elsewhere.
    pub(crate) look_out: Duration,
    /// From when on the observer hears of a poll.
    pub(crate) slow_poll: Duration,
    pub(crate) observer: Observer,
    pub(crate) panic_hook: PanicHook,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::real(),
            seed: None,
            look_out: default_look_out(),
            slow_poll: Duration::from_millis(100),
            observer: Observer::default(),
            panic_hook: PanicHook::default(),
        }
    }
}
