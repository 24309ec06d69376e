//! The child of the tests: it does what its arguments say, one after the other.
//!
//! Knows nothing of what is tested. `( … )` are the arguments of a process that it starts and leaves
//! alone, with the same pipes; `[ … ]` of one that leaves the group first. What must always hold: it
//! ends by itself after half a minute, whatever it was told, so that nothing stays behind a test that
//! fails.

#[cfg(unix)]
fn main() {
    std::thread::spawn(|| {
        unix::pause(30_000);
        std::process::exit(99);
    });
    unix::follow(std::env::args().skip(1).collect());
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read, Write};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, exit};
    use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
    use std::sync::mpsc;
    use std::time::Duration;
    use std::{env, fs};

    /// What to exit with on a signal that is trapped.
    static CODE: AtomicI32 = AtomicI32::new(0);

    pub(crate) fn follow(args: Vec<String>) {
        let mut args = args.into_iter();
        while let Some(order) = args.next() {
            let mut next = || args.next().expect("an argument of the order");
            match order.as_str() {
                "say" => write(&mut io::stdout(), (next() + "\n").as_bytes()),
                "warn" => write(&mut io::stderr(), (next() + "\n").as_bytes()),
                "flood" => flood(&mut io::stdout(), number(next())),
                "flood-err" => flood(&mut io::stderr(), number(next())),
                "cat" => cat(),
                "read" => io::stdin().read_exact(&mut vec![0; number(next())]).expect("bytes"),
                "env" => println!("{}", env::var(next()).unwrap_or("unset".to_owned())),
                "pwd" => println!("{}", env::current_dir().expect("a directory").display()),
                "group" => println!("{} {}", std::process::id(), process_group()),
                "sleep" => pause(number(next()) as u64),
                "burn" => burn(number(next()) as u64),
                "touch" => fs::write(next(), "").expect("a file that can be written"),
                "ignore" => signal(number(next()) as i32, libc::SIG_IGN),
                "tell" => signal(number(next()) as i32, tell as *const () as libc::sighandler_t),
                "trap" => {
                    CODE.store(number(next()) as i32, Relaxed);
                    signal(libc::SIGTERM, leave as *const () as libc::sighandler_t);
                }
                "stop" => raise(libc::SIGSTOP),
                "abort" => raise(libc::SIGABRT),
                "leave" => leave_group(),
                #[cfg(target_os = "linux")]
                "widen" => widen(number(next()) as i32),
                #[cfg(target_os = "linux")]
                "trace-me" => trace_me(),
                "close" => (0..3).for_each(close),
                "(" => start(true, enclosed(&mut args)),
                "[" => start(false, enclosed(&mut args)),
                "exit" => exit(number(next()) as i32),
                unknown => panic!("no such order: {unknown}"),
            }
        }
    }

    fn number(word: String) -> usize {
        word.parse().expect("a number")
    }

    /// Whoever reads may have gone; then it goes too.
    fn write(to: &mut impl Write, bytes: &[u8]) {
        if to.write_all(bytes).and_then(|()| to.flush()).is_err() {
            exit(32);
        }
    }

    fn flood(to: &mut impl Write, mut n: usize) {
        let chunk = [b'x'; 1 << 16];
        while n > 0 {
            write(to, &chunk[..n.min(chunk.len())]);
            n -= n.min(chunk.len());
        }
    }

    fn cat() {
        let mut bytes = [0; 1 << 16];
        loop {
            match io::stdin().read(&mut bytes).expect("an input that can be read") {
                0 => return,
                n => write(&mut io::stdout(), &bytes[..n]),
            }
        }
    }

    pub(crate) fn pause(millis: u64) {
        let (_keep, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(millis));
    }

    /// Computes until it has had the processor for so long.
    fn burn(millis: u64) {
        while processor_millis() < millis {}
    }

    #[expect(unsafe_code, reason = "std does not tell the processor's time")]
    fn processor_millis() -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is ours, and may be written to until the call returns.
        unsafe {
            libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time);
        }
        time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
    }

    /// The arguments up to the bracket that closes.
    fn enclosed(args: &mut impl Iterator<Item = String>) -> Vec<String> {
        let (mut inner, mut depth) = (Vec::new(), 1);
        for word in args {
            depth += i32::from(word == "(" || word == "[");
            depth -= i32::from(word == ")" || word == "]");
            if depth == 0 {
                return inner;
            }
            inner.push(word);
        }
        panic!("a bracket is not closed");
    }

    fn start(stays_in_group: bool, args: Vec<String>) {
        let mut command = Command::new(env::current_exe().expect("our own path"));
        command.args(args);
        if !stays_in_group {
            command.process_group(0);
        }
        drop(command.spawn().expect("a process"));
    }

    extern "C" fn leave(_signal: i32) {
        #[expect(unsafe_code, reason = "`exit` must not be called in a signal handler")]
        // SAFETY: `_exit` may be called there, and touches no memory.
        unsafe {
            libc::_exit(CODE.load(Relaxed));
        }
    }

    /// Writes a letter for the signal.
    extern "C" fn tell(signal: i32) {
        let letter = b'@' + signal as u8;
        #[expect(unsafe_code, reason = "`println` must not be called in a signal handler")]
        // SAFETY: `write` may be called there; the letter lives until it returns.
        unsafe {
            libc::write(1, (&raw const letter).cast(), 1);
        }
    }

    #[expect(unsafe_code, reason = "std has no signal handlers")]
    fn signal(signal: i32, handler: libc::sighandler_t) {
        // SAFETY: a handler that is set here only calls what a signal handler may call.
        unsafe {
            libc::signal(signal, handler);
        }
    }

    #[expect(unsafe_code, reason = "std does not send signals")]
    fn raise(signal: i32) {
        // SAFETY: it passes no memory.
        unsafe {
            libc::raise(signal);
        }
    }

    #[expect(unsafe_code, reason = "std does not close the standard streams")]
    fn close(fd: i32) {
        // SAFETY: these three are closed at the very end, and std copes with their errors.
        unsafe {
            libc::close(fd);
        }
    }

    #[expect(unsafe_code, reason = "std does not tell a process group")]
    fn process_group() -> i32 {
        // SAFETY: it passes no memory.
        unsafe { libc::getpgrp() }
    }

    /// So much goes into the pipe to its reader from now on.
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "std does not set the size of a pipe")]
    fn widen(n: i32) {
        // SAFETY: it passes no memory.
        assert!(unsafe { libc::fcntl(1, libc::F_SETPIPE_SZ, n) } >= n);
    }

    /// Its parent is its debugger from now on, which hears of every signal in its place.
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "std does not trace")]
    fn trace_me() {
        let nothing = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: this request looks at none of its other arguments.
        assert_eq!(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, nothing, nothing) }, 0);
    }

    /// From the group that it leads into its parent's.
    #[expect(unsafe_code, reason = "std does not move between groups")]
    fn leave_group() {
        // SAFETY: these pass no memory.
        assert_eq!(unsafe { libc::setpgid(0, libc::getpgid(libc::getppid())) }, 0);
    }
}
