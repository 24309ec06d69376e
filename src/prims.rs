//! What the machine gives us, in one place: locks, atomics, threads, thread-locals, time.
//!
//! Knows nothing of jobs, tasks or children, and adds nothing to what it passes on. It exists so
//! that the same source can run on two backends: on `parking_lot` and std, or, with
//! `--cfg handspun_model`, on the locks and threads of a model checker which explores the
//! schedules that a real machine reaches once a month.
//!
//! What must always hold: no other file of `src` names `parking_lot`, `std::sync::atomic`,
//! `std::thread`, `thread_local!`, `spin_loop` or `Instant::now`. A lock taken elsewhere would be
//! one that the checker cannot see, and a green check would then prove nothing.

use std::io;

pub(crate) use backend::*;
pub(crate) use std::process::id as process_id;
/// On both backends: to be set under a lock, so that the checker has seen all there is to see of it.
pub(crate) use std::sync::OnceLock as SetOnce;

/// How a thread is to be made.
#[derive(Clone, Default)]
pub(crate) struct ThreadSpec {
    pub(crate) name: Option<String>,
    /// Bytes; `None` leaves it to the system.
    pub(crate) stack_size: Option<usize>,
}

pub(crate) fn spawn_thread<T: Send + 'static>(
    spec: ThreadSpec,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<ThreadHandle<T>> {
    let mut builder = backend::ThreadBuilder::new();
    if let Some(name) = spec.name {
        builder = builder.name(name);
    }
    if let Some(bytes) = spec.stack_size {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(body)
}

#[cfg(not(handspun_model))]
mod backend {
    use std::num::NonZero;
    use std::time::{Duration, Instant};

    pub(crate) use crossbeam_channel::{Receiver, Sender, unbounded as channel};
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use std::sync::LazyLock as Lazy;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};
    pub(crate) use std::thread::{Builder as ThreadBuilder, JoinHandle as ThreadHandle, panicking};
    pub(crate) use std::thread_local;

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// Takes and gives the guard by value, as a model's condition variable does.
    pub(crate) struct Condvar(parking_lot::Condvar);

    impl Condvar {
        pub(crate) const fn new() -> Self {
            Self(parking_lot::Condvar::new())
        }

        /// Whether the time ran out is read off the clock by the caller, who must look anyway.
        pub(crate) fn wait<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            until: Option<Instant>,
        ) -> MutexGuard<'a, T> {
            match until {
                Some(until) => _ = self.0.wait_until(&mut guard, until),
                None => self.0.wait(&mut guard),
            }
            guard
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
    }

    /// How many threads the machine runs at once, as far as it tells.
    pub(crate) fn cores() -> usize {
        // Asked once: the answer is read from files of the system, and costs microseconds.
        static CORES: Lazy<usize> =
            Lazy::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        *CORES
    }

    /// Looks again and again, for at most `limit`; true as soon as a look is.
    ///
    /// The clock is read once in 64 looks, and then the core is offered to a thread that waits for it: that may be the
    /// very thread whose answer we spin for. After eight looks was too early: an answer takes a little longer than
    /// that, and the offer longer than what is left of it, so a round trip took twice as long.
    pub(crate) fn spin(limit: Duration, mut look: impl FnMut() -> bool) -> bool {
        if limit.is_zero() {
            return look();
        }
        let start = now();
        loop {
            for _ in 0..64 {
                if look() {
                    return true;
                }
                std::hint::spin_loop();
            }
            if start.elapsed() >= limit {
                return false;
            }
            std::thread::yield_now();
        }
    }
}

/// The model checker's backend: every lock, atomic and thread here is a point at which it may
/// switch. Time does not pass in a model, so nothing that is checked may depend on a timeout.
#[cfg(handspun_model)]
mod backend {
    pub(crate) use std::sync::LazyLock as Lazy; // Of one model's run and the next alike: no model asks for one.
    use std::sync::PoisonError;
    use std::time::{Duration, Instant};

    pub(crate) use shuttle::sync::MutexGuard;
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
    pub(crate) use shuttle::sync::mpsc::{Receiver, Sender, channel};
    pub(crate) use shuttle::thread::{Builder as ThreadBuilder, JoinHandle as ThreadHandle};
    pub(crate) use shuttle::thread_local;
    pub(crate) use std::sync::atomic::fence;
    pub(crate) use std::thread::panicking; // Orderings are looked at by the loom checks alone.

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// A mutex without poison, as `parking_lot`'s is: a panic is a value here (see `panic`).
    #[derive(Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
    }

    pub(crate) struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        pub(crate) const fn new() -> Self {
            Self(shuttle::sync::Condvar::new())
        }

        pub(crate) fn wait<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _until: Option<Instant>,
        ) -> MutexGuard<'a, T> {
            self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
    }

    pub(crate) fn cores() -> usize {
        2
    }

    /// One look: a model that spins would be explored for ever.
    pub(crate) fn spin(_limit: Duration, mut look: impl FnMut() -> bool) -> bool {
        look()
    }
}
