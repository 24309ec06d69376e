//! System calls that std does not make, one a function, each behind a safe signature.
//!
//! Knows nothing of how a child is led: numbers and descriptors go in, numbers and errors come out.
//!
//! What must always hold: no function here can break memory, whatever it is given. That a signal
//! hits nothing but a child of ours is the promise of `signals`, which alone sends any.

#![expect(unsafe_code, reason = "system calls that std does not make")]

use std::ffi::CString;
use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
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

/// A process that is ours until it is reaped. A test has a fake one.
pub(crate) trait Process {
    /// Whether it is a zombie by now, and its number stays its own; an error, if it is not ours any more.
    fn has_exited(&self) -> io::Result<bool>;
    /// Sends a signal, to its whole group if it leads one.
    fn send(&self, signal: Signal);
    /// Takes the status, and the processor time of it and of what it waited for.
    fn reap(&self) -> io::Result<(ExitStatus, Duration)>;
}

/// The real one.
pub(crate) struct RealProcess {
    pub(crate) pid: u32,
    /// Readable once it has exited. It stands for this process and never for another, whose number may
    /// become the same when other code has reaped ours.
    pub(crate) pidfd: Option<OwnedFd>,
    leads_group: bool,
}

impl RealProcess {
    /// One that we have just started, and that was not reaped: so its number is still its own.
    pub(crate) fn new(pid: u32, leads_group: bool, uses_pidfd: bool) -> Self {
        // There is none with an old kernel, on another system, or without a descriptor to spare.
        let pidfd = if uses_pidfd { pidfd_open(pid).ok() } else { None };
        let mut process = Self { pid, pidfd, leads_group };
        // Some kernels and sandboxes have the descriptor, and not what can be done with it.
        if process.has_exited().and_then(|_| process.send_alone(Signal(0))).is_err() {
            process.pidfd = None;
        }
        process
    }

    /// To that of the descriptor, if there is one.
    fn send_alone(&self, signal: Signal) -> io::Result<()> {
        let answer = match &self.pidfd {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Some(fd) => {
                let (call, nothing) = (libc::SYS_pidfd_send_signal, ptr::null_mut::<c_int>());
                // SAFETY: the call looks at no memory where it is given a null pointer.
                unsafe { libc::syscall(call, fd.as_raw_fd(), signal.0, nothing, 0) as c_int }
            }
            // SAFETY: no memory is passed.
            _ => unsafe { libc::kill(self.pid as pid_t, signal.0) },
        };
        check(answer).map(drop)
    }
}

impl Process for RealProcess {
    fn has_exited(&self) -> io::Result<bool> {
        // SAFETY: a `siginfo_t` is plain numbers, for which all zeroes are as good as any.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        let (kind, id) = match &self.pidfd {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Some(fd) => (libc::P_PIDFD, fd.as_raw_fd() as libc::id_t),
            _ => (libc::P_PID, self.pid as libc::id_t),
        };
        // SAFETY: `info` is ours, and may be written to until the call returns.
        check(unsafe { libc::waitid(kind, id, &mut info, options) })?;
        // A debugger is told of a stop, too. And the zeroes are none of these.
        Ok(matches!(info.si_code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED))
    }

    fn send(&self, signal: Signal) {
        // SAFETY: no memory is passed.
        let to_group = || unsafe { libc::kill(-(self.pid as pid_t), signal.0) };
        let has_hit = self.leads_group && to_group() == 0;
        if !has_hit || signal == Signal::KILL {
            // It may have left the group that it led. And it fails if it may not be signalled by us, as
            // after a change of the user. Then the policy's deadlines go on, and end with a handle that
            // settles without a status.
            let _ = self.send_alone(signal);
        }
    }

    fn reap(&self) -> io::Result<(ExitStatus, Duration)> {
        let mut status = 0;
        // SAFETY: a `rusage` is plain numbers, for which all zeroes are as good as any.
        let mut usage: libc::rusage = unsafe { mem::zeroed() };
        let pid = self.pid as pid_t;
        // SAFETY: `status` and `usage` are ours, and may be written to until the call returns.
        while let Err(error) = check(unsafe { libc::wait4(pid, &mut status, 0, &mut usage) }) {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        let time = duration(usage.ru_utime) + duration(usage.ru_stime);
        Ok((ExitStatus::from_raw(status), time))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn pidfd_open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as pid_t, 0) };
    let fd = check(answer as c_int)?;
    // SAFETY: the system has just opened it for us, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn pidfd_open(_pid: u32) -> io::Result<OwnedFd> {
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
    let [reader, writer] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    #[cfg(target_vendor = "apple")]
    for end in [&reader, &writer] {
        // SAFETY: no memory is passed.
        check(unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    Ok((reader, writer))
}

/// From now on no read and no write waits, at this end of a pipe that has no other flag.
pub(crate) fn set_nonblocking(fd: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }).map(drop)
}

/// How many bytes can be read at once: what is in a pipe now.
pub(crate) fn n_readable(fd: &impl AsRawFd) -> usize {
    let mut n: c_int = 0;
    // SAFETY: `n` is ours, and may be written to until the call returns.
    let answer = unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &mut n) };
    check(answer).map_or(0, |_| n as usize)
}

/// What to look out for at one descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interest {
    fd: RawFd,
    events: i16,
}

impl Interest {
    pub(crate) fn read(fd: &impl AsRawFd) -> Self {
        Self { fd: fd.as_raw_fd(), events: libc::POLLIN }
    }

    pub(crate) fn write(fd: &impl AsRawFd) -> Self {
        Self { fd: fd.as_raw_fd(), events: libc::POLLOUT }
    }
}

/// How long to wait where `poll` itself fails.
const PAUSE: Duration = Duration::from_millis(10);

/// Sleeps until one of these is ready, with an end or an error too, or the time is over. Says of
/// each whether it is.
pub(crate) fn poll(list: &[Interest], timeout: Option<Duration>) -> Vec<bool> {
    let entry = |it: &Interest| libc::pollfd { fd: it.fd, events: it.events, revents: 0 };
    let mut entries: Vec<_> = list.iter().map(entry).collect();
    let n = entries.len() as libc::nfds_t;
    // SAFETY: the list is ours until the call returns, and has `n` entries. A descriptor that is none
    // is no more than an answer in its entry.
    match check(unsafe { libc::poll(entries.as_mut_ptr(), n, millis(timeout)) }) {
        Ok(_) => entries.iter().map(|entry| entry.revents != 0).collect(),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => vec![false; list.len()],
        Err(_) => {
            // Somebody has lowered the limit of descriptors below what is open. Then everything is looked
            // at, now and then.
            if !list.is_empty() {
                poll(&[], Some(timeout.map_or(PAUSE, |timeout| timeout.min(PAUSE))));
            }
            vec![true; list.len()]
        }
    }
}

/// A list of descriptors that the system keeps, so that a look takes no longer the more there are.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) struct Epoll(OwnedFd);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the system has just opened it for us, and nobody else knows of it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches this until it is ready once.
    pub(crate) fn arm(&self, key: u64, interest: Interest) -> io::Result<()> {
        let events = interest.events as u32 | libc::EPOLLONESHOT as u32;
        let mut event = libc::epoll_event { events, u64: key };
        let mut control = |operation| {
            // SAFETY: `event` is ours until the call returns. A descriptor that is none is an error.
            check(unsafe {
                libc::epoll_ctl(self.0.as_raw_fd(), operation, interest.fd, &mut event)
            })
        };
        // Most children end before there is a second time.
        control(libc::EPOLL_CTL_ADD).or_else(|_| control(libc::EPOLL_CTL_MOD)).map(drop)
    }

    /// Sleeps until one is ready, the time is over, or a signal comes. Gives the keys.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<Vec<u64>> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 256];
        let (list, most) = (events.as_mut_ptr(), events.len() as c_int);
        // SAFETY: the list is ours until the call returns, and has room for `most`.
        let n =
            check(unsafe { libc::epoll_wait(self.0.as_raw_fd(), list, most, millis(timeout)) })?;
        Ok(events[..n as usize].iter().map(|event| event.u64).collect())
    }
}

/// Elsewhere there is none.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) enum Epoll {}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn arm(&self, _key: u64, _interest: Interest) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn wait(&self, _timeout: Option<Duration>) -> io::Result<Vec<u64>> {
        match *self {}
    }
}

/// For the system: rounded up, and -1 if it is for ever.
fn millis(timeout: Option<Duration>) -> c_int {
    timeout.map_or(-1, |timeout| {
        let millis = timeout.as_nanos().div_ceil(1_000_000);
        c_int::try_from(millis).unwrap_or(c_int::MAX)
    })
}

/// Whether it is a file that we may run.
pub(crate) fn is_executable(path: &Path) -> bool {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: `name` ends in a NUL, and lives until the call returns.
    let answer =
        unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), libc::X_OK, libc::AT_EACCESS) };
    check(answer).is_ok() && path.is_file()
}

/// Whether the system could not tell how to run a file that we may run.
pub(crate) fn is_unknown_format(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOEXEC)
}

/// Keeps every signal away from this thread: a pipe that is not read is an error, and no SIGPIPE.
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
    // If it does not say, the smallest that is usual.
    check(answer).map_or(256, |_| usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000)
}
