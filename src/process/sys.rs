//! System calls that std does not make, one a function, each behind a safe signature.
//!
//! Knows nothing of how a child is led: numbers and descriptors go in, numbers and errors come out.
//!
//! What must always hold: no function here can break memory, whatever it is given. That a signal
//! hits nothing but a child of ours is the promise of `signals`, which alone sends any.

#![expect(unsafe_code, reason = "system calls that std does not make")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

pub(crate) use libc::pollfd;
use libc::{c_int, pid_t};

use crate::prims;
use crate::wait::clock::Deadline;

/// A signal, by its number on this system.
///
/// ```
/// use handspun::process::Signal;
///
/// assert_eq!(Signal(9), Signal::KILL);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

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
}

/// A process that is ours until it is reaped. A test has a fake one.
pub(crate) trait Process {
    /// Whether it is a zombie by now, and its number stays its own; an error, if it is not ours any more.
    fn has_exited(&self) -> io::Result<bool>;
    /// Sends a signal, to its whole group.
    fn send(&self, signal: Signal);
    /// Takes the status.
    fn reap(&self) -> io::Result<ExitStatus>;
}

/// The real one.
pub(crate) struct RealProcess {
    pub(crate) pid: u32,
    /// Readable once it has exited. It stands for this process and never for another, whose number may
    /// become the same when other code has reaped ours.
    pub(crate) pidfd: Option<OwnedFd>,
}

impl RealProcess {
    /// One that we have just started, and that was not reaped: so its number is still its own.
    pub(crate) fn new(pid: u32) -> Self {
        // There is none with an old kernel, on another system, or without a descriptor to spare.
        let mut process = Self { pid, pidfd: pidfd_open(pid).ok() };
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
        let has_hit = unsafe { libc::kill(-(self.pid as pid_t), signal.0) } == 0;
        if !has_hit || signal == Signal::KILL {
            // It may have left the group that it led. And it fails if it may not be signalled by us, as
            // after a change of the user. Then the policy's deadlines go on, and end with a handle that
            // settles without a status.
            let _ = self.send_alone(signal);
        }
    }

    fn reap(&self) -> io::Result<ExitStatus> {
        let mut status = 0;
        // SAFETY: `status` is ours, and may be written to until the call returns.
        check(unsafe { libc::waitpid(self.pid as pid_t, &mut status, 0) })?;
        Ok(ExitStatus::from_raw(status))
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

/// What wakes a thread that sleeps in [`poll`]: a byte in a pipe.
pub(crate) struct WakePipe {
    pub(crate) reader: File,
    writer: File,
}

impl WakePipe {
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let (reader, writer) = pipe()?;
        set_nonblocking(&reader)?;
        set_nonblocking(&writer)?;
        Ok(Arc::new(Self { reader: reader.into(), writer: writer.into() }))
    }

    /// Takes the bytes out again, before what they tell of is looked at.
    pub(crate) fn drain(&self) {
        let mut bytes = [0; 256];
        // An empty pipe is an error here, and what we want.
        while (&self.reader).read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }
}

impl Wake for WakePipe {
    fn wake(self: Arc<Self>) {
        // A pipe that is full is an error here, and wakes as it is.
        let _ = (&self.writer).write(&[0]);
    }
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

/// Waits until it can be read from, or is at its end.
pub(crate) fn readable(fd: &impl AsRawFd) -> pollfd {
    pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

/// Waits until it can be written to, or has no reader any more.
pub(crate) fn writable(fd: &impl AsRawFd) -> pollfd {
    pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 }
}

/// How long to wait where `poll` itself fails.
const PAUSE: Duration = Duration::from_millis(10);

/// Sleeps until one of these is ready, with an end or an error too, or the deadline has passed; and marks those that
/// are.
pub(crate) fn poll(list: &mut [pollfd], deadline: Deadline) {
    let (n, millis) = (list.len() as libc::nfds_t, millis_until(deadline));
    // SAFETY: the list is ours until the call returns, and has `n` entries. A descriptor that is none
    // is no more than an answer in its entry.
    if let Err(error) = check(unsafe { libc::poll(list.as_mut_ptr(), n, millis) }) {
        // A signal has come; or somebody has lowered the limit of descriptors below what is open. Then everything is
        // looked at, now and then.
        if error.kind() != io::ErrorKind::Interrupted && !list.is_empty() {
            poll(&mut [], deadline.min(Deadline::after(PAUSE)));
        }
        list.iter_mut().for_each(|entry| entry.revents = entry.events);
    }
}

/// For the system: rounded up, and -1 if it is for ever.
fn millis_until(deadline: Deadline) -> c_int {
    let Deadline::At(instant) = deadline else { return -1 };
    let left = instant.saturating_duration_since(prims::now());
    c_int::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
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

fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}
