//! The same cases where the system refuses what the driver would rather have: pidfds.
//!
//! Knows nothing of the cases. They are run once more, in a process of their own, for which a filter of
//! system calls (seccomp) answers with an error, as a strict sandbox does.

use std::env;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process;
use std::time::Instant;

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, c_long, sock_filter};

use handspun::process::{Cause, Child, Signal};

use crate::setup::{PROMPTLY, SECOND, child, children, ready};
use crate::support::{until, watched};

/// What is refused, for the process inside.
const REFUSED: &str = "HANDSPUN_TEST_IS_REFUSED";

/// Those that say something about pipes, exits and deadlines, and take little time.
const CASES: [&str; 9] = [
    "sandbox::in_the_sandbox_",
    "caps::",
    "exits::",
    "groups::",
    "handles::",
    "lines::",
    "stdin::",
    "streams::",
    "timeouts::",
];

fn instruction(code: u32, k: u32, if_not: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: if_not, k }
}

/// Answers these system calls with these errors, and lets all others through.
fn filter(refused: &[(c_long, i32)]) -> Vec<sock_filter> {
    // The number of the call is the first thing that a filter is shown.
    let mut filter = vec![instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0)];
    for (call, error) in refused {
        filter.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, *call as u32, 1));
        filter.push(instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | *error as u32, 0));
    }
    filter.push(instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0));
    filter
}

#[expect(unsafe_code, reason = "std sets no filter")]
fn pass_without(cases: &[&str], name: &str, refused: &[(c_long, i32)]) {
    let mut filter = filter(refused);
    let refuse = move || {
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        // SAFETY: the program and its filter are there until the calls return, which copy them.
        let answers = unsafe {
            [
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program),
            ]
        };
        if answers == [0, 0] { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    watched(|| {
        let mut command = process::Command::new(env::current_exe().unwrap());
        command
            .args(cases)
            .args(["--skip", "ten_thousand", "--test-threads", "8"])
            .env(REFUSED, name);
        // SAFETY: between fork and exec there are two system calls, and no memory is asked for.
        let output = unsafe { command.pre_exec(refuse) }.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// An old kernel, or a sandbox that does not know them.
#[test]
fn the_cases_pass_without_pidfds() {
    pass_without(&CASES, "pidfd", &[(libc::SYS_pidfd_open, libc::ENOSYS)]);
}

/// A sandbox that lets them be opened, and not be signalled.
#[test]
fn the_cases_pass_where_pidfds_cannot_be_signalled() {
    pass_without(&CASES, "pidfd", &[(libc::SYS_pidfd_send_signal, libc::EPERM)]);
}

/// A child that runs as somebody else is out of reach, as all are where no signal may be sent.
#[test]
fn the_bound_holds_where_no_signal_may_be_sent() {
    let refused = [(libc::SYS_kill, libc::EPERM), (libc::SYS_pidfd_send_signal, libc::EPERM)];
    pass_without(&["--exact", "sandbox::out_of_reach_a_child_is_given_up"], "signals", &refused);
}

/// The other half of the test above.
#[test]
fn out_of_reach_a_child_is_given_up() {
    if env::var_os(REFUSED).is_none_or(|refused| refused != "signals") {
        return;
    }
    let mut command =
        child("sleep 5000").timeout(SECOND / 10).kill_policy(Signal::TERM, SECOND / 10);
    for runs in [true, false] {
        let began = Instant::now();
        let outcome = if runs { command.run() } else { command.spawn().map(Child::wait) }.unwrap();
        assert_eq!((outcome.cause.clone(), outcome.status), (Cause::TimedOut, None));
        assert!(outcome.check().unwrap_err().to_string().ends_with("(status unknown)"));
        assert!(began.elapsed() < PROMPTLY, "it is not waited for to the end");
    }
    until(|| children().is_empty()); // When they have come to it, they are reaped.
}

/// Of what is refused, this process has none while a child of its runs.
#[test]
fn in_the_sandbox_nothing_is_had_that_is_refused() {
    let Some(refused) = env::var_os(REFUSED) else { return };
    let _child = ready(child("say ready sleep 20000"));
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let open = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let open: Vec<_> = open.map(|link| link.to_string_lossy().into_owned()).collect();
    for what in refused.to_str().unwrap().split(' ') {
        assert!(!open.iter().any(|link| link.contains(what)), "{what}: {open:?}");
    }
}
