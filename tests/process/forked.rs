//! A process that was forked from one that has run children has no thread that would look after them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use std::process::Stdio;
use std::time::Duration;

use handspun::block_on;
use handspun::process::{Child, Command, SpawnError, terminate_all};

use crate::setup::{MILLISECOND, alone, child, ready};

/// Runs this in a fork of this process, which says by its exit code whether it was so.
#[expect(unsafe_code, reason = "std does not fork")]
fn is_so_in_a_fork(look: impl FnOnce() -> bool) -> bool {
    let mut status = 0;
    // SAFETY: the fork has one thread, this one. What it runs is ours, and takes no lock that another
    // thread may have held: the driver sleeps, and the watchdog too. It ends here, or by its alarm.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::alarm(10);
            let is_so = catch_unwind(AssertUnwindSafe(look)).unwrap_or(false);
            libc::_exit(i32::from(!is_so));
        }
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
    }
    status == 0
}

fn is_refused(run: Result<impl Sized, SpawnError>) -> bool {
    matches!(run, Err(error) if error.to_string().contains("forked"))
}

fn panics(code: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(code)).is_err()
}

#[test]
fn a_child_of_a_forked_process_is_refused() {
    alone("forked::a_child_of_a_forked_process_is_refused", 256, || {
        assert!(Command::new("true").run().unwrap().is_success());
        assert!(is_so_in_a_fork(|| {
            terminate_all(Duration::ZERO);
            is_refused(Command::new("true").run()) && is_refused(Command::new("true").spawn())
        }));
        assert!(Command::new("true").run().unwrap().is_success(), "and here all goes on");
    });
}

/// What was started before the fork is the parent's: it is not waited for, and not killed.
#[test]
fn a_handle_in_a_forked_process_panics_and_harms_nobody() {
    alone("forked::a_handle_in_a_forked_process_panics_and_harms_nobody", 256, || {
        let handles = || [(); 4].map(|()| ready(child("say ready sleep 200 exit 3")));
        let handles: [Child; 4] = handles();
        let [a, b, c, d] = handles.each_ref();
        assert!(is_so_in_a_fork(|| {
            // SAFETY of sense: copies of handles, as a fork makes them; each is used up once.
            panics(|| drop(block_on(a.next_line())))
                && panics(|| b.kill())
                && panics(|| c.terminate())
                && panics(|| drop(d.write(b"")))
        }));
        let mut handles = handles.into_iter().collect::<Vec<_>>();
        let last = handles.pop().unwrap();
        let slot = std::cell::Cell::new(Some(last));
        assert!(is_so_in_a_fork(|| {
            let child = slot.take().unwrap();
            panics(|| drop(child.wait_timeout(MILLISECOND)))
        }));
        handles.extend(slot.take());
        for child in handles {
            assert_eq!(child.wait().code(), Some(3));
        }
    });
}

/// A process that has run none before the fork may run some in it.
#[test]
fn a_fork_of_a_process_without_children_may_have_some() {
    alone("forked::a_fork_of_a_process_without_children_may_have_some", 256, || {
        assert!(is_so_in_a_fork(|| {
            let outcome = Command::new("echo").arg("hi").stderr(Stdio::null()).run();
            outcome.is_ok_and(|outcome| outcome.stdout.text() == "hi\n")
        }));
    });
}
