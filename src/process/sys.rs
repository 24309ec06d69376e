//! System calls that std does not make, one a function, each behind a safe signature.
//!
//! Knows nothing of children: numbers and descriptors go in, numbers and errors come out.
//!
//! What must always hold: no function here can break memory, whatever it is given. That a signal
//! hits nobody but a child of ours is the promise of `leash`, which alone sends any.

#![expect(unsafe_code, reason = "system calls that std does not make")]

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use std::time::Duration;

use libc::{c_int, pid_t};

/// A signal, by its number.
///
/// ```
/// use handspun::process::Signal;
///
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!(Signal::from_number(9), Signal::KILL);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(c_int);

impl Signal {
    /// Please end. A process may catch it, and clean up first.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// What Ctrl-C sends.
    pub const INT: Self = Self(libc::SIGINT);
    /// The terminal has gone.
    pub const HUP: Self = Self(libc::SIGHUP);
    /// What Ctrl-\ sends: end, and dump core.
    pub const QUIT: Self = Self(libc::SIGQUIT);
    /// Ends a process at once. It cannot be caught.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// Go on, if you were stopped.
    pub const CONT: Self = Self(libc::SIGCONT);

    /// The signal of that number, on this system.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// Its number on this system.
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::TERM => "SIGTERM",
            Self::INT => "SIGINT",
            Self::HUP => "SIGHUP",
            Self::QUIT => "SIGQUIT",
            Self::KILL => "SIGKILL",
            Self::CONT => "SIGCONT",
            Self(libc::SIGABRT) => "SIGABRT",
            Self(libc::SIGSEGV) => "SIGSEGV",
            Self(libc::SIGPIPE) => "SIGPIPE",
            Self(number) => return write!(f, "signal {number}"),
        };
        f.write_str(name)
    }
}

/// Whether our child has exited. If it has, it stays a zombie, and its number stays its own.
pub(crate) fn has_exited(pid: u32) -> io::Result<bool> {
    // SAFETY: a `siginfo_t` is plain numbers, for which all zeroes are as good as any.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is ours, and may be written to until the call returns.
    let answer = unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, options) };
    check(answer)?;
    // SAFETY: the call has filled in what `si_pid` reads, or has left the zeroes there.
    Ok(unsafe { info.si_pid() } != 0)
}

/// Takes the status of a child that has exited, and the processor time of it and of what it waited for.
pub(crate) fn reap(pid: u32) -> io::Result<(ExitStatus, Duration)> {
    let mut status = 0;
    // SAFETY: a `rusage` is plain numbers, for which all zeroes are as good as any.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    loop {
        // SAFETY: `status` and `usage` are ours, and may be written to until the call returns.
        let answer = unsafe { libc::wait4(pid as pid_t, &mut status, 0, &mut usage) };
        match check(answer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    let time = duration(usage.ru_utime) + duration(usage.ru_stime);
    Ok((ExitStatus::from_raw(status), time))
}

/// Sends a signal to a process, or to the whole group that it leads.
pub(crate) fn send(pid: u32, to_group: bool, signal: Signal) -> io::Result<()> {
    let pid = pid as pid_t;
    // SAFETY: no memory is passed.
    let answer = unsafe { libc::kill(if to_group { -pid } else { pid }, signal.0) };
    check(answer).map(drop)
}

/// A descriptor that is readable once the child has exited.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn pidfd_open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as pid_t, 0) };
    let fd = check(answer as c_int)?;
    // SAFETY: the system has just opened it for us, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn pidfd_open(_pid: u32) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A pipe: where to read, and where to write. No child inherits it unless it is given an end.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` is ours, and has room for the two numbers that are written.
    #[cfg(not(target_vendor = "apple"))]
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: as above.
    #[cfg(target_vendor = "apple")]
    check(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
    // SAFETY: the system has just opened both for us, and nobody else knows of them.
    let ends = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    #[cfg(target_vendor = "apple")]
    for end in &ends {
        // SAFETY: no memory is passed.
        check(unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    let [reader, writer] = ends;
    Ok((reader, writer))
}

/// From now on no read and no write waits, at this end of a pipe.
pub(crate) fn set_nonblocking(fd: &impl AsRawFd) -> io::Result<()> {
    let fd = fd.as_raw_fd();
    // SAFETY: no memory is passed, here and in the next call.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) }).map(drop)
}

/// What to look out for at one descriptor.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Interest(libc::pollfd);

impl Interest {
    /// Nothing: it holds a place in the list.
    pub(crate) const NONE: Self = Self(libc::pollfd { fd: -1, events: 0, revents: 0 });

    pub(crate) fn read(fd: &impl AsRawFd) -> Self {
        Self::of(fd.as_raw_fd(), libc::POLLIN)
    }

    pub(crate) fn write(fd: &impl AsRawFd) -> Self {
        Self::of(fd.as_raw_fd(), libc::POLLOUT)
    }

    fn of(fd: RawFd, events: i16) -> Self {
        Self(libc::pollfd { fd, events, revents: 0 })
    }

    /// Makes `is_ready` true, where the system did not say.
    pub(crate) fn suppose_ready(&mut self) {
        self.0.revents = self.0.events;
    }

    /// Whether a read or a write is worth a try: it may find an end, or an error.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.revents != 0
    }
}

/// Sleeps until something is ready, or the time is over. A time is rounded up to a millisecond.
pub(crate) fn poll(interests: &mut [Interest], timeout: Option<Duration>) -> io::Result<()> {
    let millis = timeout.map_or(-1, |timeout| {
        let millis = timeout.as_nanos().div_ceil(1_000_000);
        c_int::try_from(millis).unwrap_or(c_int::MAX)
    });
    let n = interests.len() as libc::nfds_t;
    // SAFETY: an `Interest` has the layout of a `pollfd`, and the list is ours until the call returns.
    // A descriptor that is none is no more than an answer in its entry.
    let answer = unsafe { libc::poll(interests.as_mut_ptr().cast(), n, millis) };
    match check(answer) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        answer => answer.map(drop),
    }
}

/// Keeps every signal away from this thread: a pipe that nobody reads is an error, and no SIGPIPE.
pub(crate) fn block_signals() {
    // SAFETY: a signal set is plain numbers, and `sigfillset` overwrites it.
    let mut all: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: `all` is ours in both calls, and a null pointer says that nobody asks for the old mask.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, ptr::null_mut());
    }
}

/// How many descriptors this process may have open at once.
pub(crate) fn descriptor_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is ours, and may be written to until the call returns.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    match check(answer) {
        Ok(_) => usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
        Err(_) => 256, // The smallest that is usual.
    }
}

fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000)
}
