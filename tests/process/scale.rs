//! Many children, one thread, and nothing left: no zombie, no descriptor, no thread.
//!
//! Each test that counts what the process has runs in a process of its own: tests beside it have
//! children too.

use std::env;
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use handspun::process::{Cause, Child, Command, SpawnError};

use crate::setup::{CHILD, SECOND, alone, child, children, leaves_nothing};
use crate::support::{threads_named, watched};

/// S78.
#[test]
fn a_thousand_runs_in_a_row_leave_nothing() {
    alone("scale::a_thousand_runs_in_a_row_leave_nothing", 256, || {
        leaves_nothing(|| {
            let null = std::fs::File::options().read(true).write(true).open("/dev/null").unwrap();
            let stream = |n| match n {
                0 => Stdio::piped(),
                1 => Stdio::null(),
                2 => Stdio::inherit(),
                _ => null.try_clone().unwrap().into(),
            };
            for n in 0..1000 {
                let command = Command::new("true").stdin(stream(n / 16 % 4));
                let command = command.stdout(stream(n % 4)).stderr(stream(n / 4 % 4));
                let mut command = match n % 5 {
                    0 => command.merge_stderr(),
                    1 => command.lines(),
                    2 => command.stdin_bytes(*b"hello"),
                    _ => command,
                };
                assert!(command.run().unwrap().is_success());
            }
            assert_eq!(threads_named("handspun-childr").len(), 1);
        });
    });
}

/// A thread that waits for its child anyway leads it to its end, and needs no other thread.
#[test]
fn a_run_needs_no_other_thread() {
    alone("scale::a_run_needs_no_other_thread", 256, || {
        let run = || child("sleep 20000").timeout(SECOND / 10).run().unwrap().cause;
        let outcome = child("cat say out warn err exit 3").run().unwrap();
        assert_eq!((outcome.code(), outcome.stdout.text()), (Some(3), "out\n".into()));
        assert_eq!((outcome.stderr.text(), run()), ("err\n".into(), Cause::TimedOut));
        assert_eq!(threads_named("handspun-childr").len(), 0);

        // Where a task would block its executor's timers, the driver leads.
        assert_eq!(handspun::run(async { run() }), Cause::TimedOut);
        assert_eq!(threads_named("handspun-childr").len(), 1);
    });
}

/// What a thousand children need, and this process beside them.
const FOR_A_THOUSAND: usize = 4096;

/// A thousand at once. Where the system does not let us have the descriptors for all, as many as it
/// does, and hundreds they must be.
fn a_thousand(mut start: impl FnMut() -> Result<Child, SpawnError>) -> Vec<Child> {
    let mut all = Vec::new();
    while all.len() < 1000 {
        match start() {
            Ok(child) => all.push(child),
            Err(SpawnError::Refused { error, .. })
                if error.raw_os_error() == Some(libc::EMFILE) && all.len() > 200 =>
            {
                break;
            }
            Err(other) => panic!("{other} after {}", all.len()),
        }
    }
    assert_eq!(threads_named("handspun-childr").len(), 1);
    all
}

/// S76.
#[test]
fn a_thousand_that_time_out_at_once_are_ended_by_one_thread() {
    let name = "scale::a_thousand_that_time_out_at_once_are_ended_by_one_thread";
    alone(name, FOR_A_THOUSAND, || {
        leaves_nothing(|| {
            let sleep = || Command::new("sleep").arg("30").cap(10, 0);
            let deadline = Instant::now() + 5 * SECOND;
            let left = || deadline.saturating_duration_since(Instant::now());
            let all = a_thousand(|| sleep().timeout(left()).spawn());
            let (began, until_then) = (Instant::now(), left());
            let outcomes: Vec<_> = all.into_iter().map(Child::wait).collect();
            assert!(outcomes.iter().all(|outcome| outcome.cause == Cause::TimedOut));
            assert!(began.elapsed() < until_then + 10 * SECOND, "{:?}", began.elapsed());
        });
    });
}

/// S77: all of them are there when the first is told to end.
#[test]
fn a_thousand_that_exit_at_once_are_all_heard_of() {
    let name = "scale::a_thousand_that_exit_at_once_are_all_heard_of";
    alone(name, FOR_A_THOUSAND, || {
        leaves_nothing(|| {
            let mut cat = Command::new("cat").stdin(Stdio::piped());
            let all = a_thousand(|| cat.spawn());
            assert_eq!(children().len(), all.len());
            all.iter().for_each(Child::close_stdin);
            assert!(all.into_iter().all(|child| child.wait().is_success()));
        });
    });
}

/// S79: a pipe that another child had inherited would not end.
#[test]
fn many_threads_may_start_children_at_once() {
    watched(|| {
        let threads: Vec<_> = (0..50)
            .map(|n| {
                thread::spawn(move || {
                    let cat = child("cat").stdin_bytes(format!("{n}"));
                    let outcome = cat.timeout(20 * SECOND).run().unwrap();
                    assert_eq!(
                        (outcome.stdout.text().into_owned(), outcome.pipes_leaked),
                        (n.to_string(), false)
                    );
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// S82.
#[test]
fn too_many_children_are_a_clear_error() {
    alone("scale::too_many_children_are_a_clear_error", 64, || {
        leaves_nothing(|| {
            let mut sleep = child("sleep 20000");
            let mut all = Vec::new();
            let error = loop {
                match sleep.spawn() {
                    Ok(child) => all.push(child),
                    Err(error) => break error,
                }
            };
            assert!(error.to_string().contains("open files") && all.len() >= 4, "{error}");
            all.iter().for_each(Child::kill);
            assert!(all.into_iter().all(|child| child.wait().cause == Cause::Terminated));
            assert!(child("exit 0").run().unwrap().is_success(), "and it recovers");
        });
    });
}

/// S82: the descriptors are somebody else's.
#[test]
fn a_process_without_descriptors_gets_a_clear_error() {
    alone("scale::a_process_without_descriptors_gets_a_clear_error", 64, || {
        leaves_nothing(|| {
            let mut files = Vec::new();
            while let Ok(file) = std::fs::File::open("/dev/null") {
                files.push(file);
            }
            for spare in 0..8 {
                match child("exit 0").run() {
                    Err(SpawnError::Refused { error, .. }) => {
                        assert_eq!(error.raw_os_error(), Some(libc::EMFILE))
                    }
                    Err(other) => panic!("{other:?} with {spare} to spare"),
                    Ok(outcome) => assert!(outcome.is_success()),
                }
                files.truncate(files.len() - 1);
            }
            files.truncate(10);
            assert!(child("exit 0").run().unwrap().is_success());
        });
    });
}

/// S8.
#[test]
fn spawns_that_fail_leave_nothing() {
    alone("scale::spawns_that_fail_leave_nothing", 256, || {
        leaves_nothing(|| {
            for _ in 0..300 {
                assert!(Command::new("/no/such/program").merge_stderr().run().is_err());
                assert!(child("exit 0").current_dir("/no/such/place").run().is_err());
            }
        });
    });
}

/// How long it takes to start a child: the median of a few, and of some of those the best, for the
/// processors are not ours alone.
fn time_to_start(command: &mut Command) -> Duration {
    let mut time = |_| {
        let began = Instant::now();
        let child = command.spawn().unwrap();
        let took = began.elapsed();
        drop(child.wait());
        took
    };
    let mut median = |_| {
        let mut times: Vec<_> = (0..9).map(&mut time).collect();
        times.sort();
        times[4]
    };
    (0..5).map(&mut median).min().unwrap()
}

/// S84: a fork would copy the page tables of all this, which takes tens of milliseconds; a spawn takes less than one, and on a busy
/// machine a few.
#[test]
fn a_process_of_a_gigabyte_starts_children_as_quickly_as_a_small_one() {
    let name = "scale::a_process_of_a_gigabyte_starts_children_as_quickly_as_a_small_one";
    alone(name, 256, || {
        let gigabyte = vec![1_u8; 1 << 30];
        let ways =
            [child("exit 0"), Command::new("true").env("A", "a"), child("exit 0").current_dir("/")];
        for mut command in ways {
            let took = time_to_start(&mut command);
            assert!(took < Duration::from_millis(20), "{command:?}: {took:?}");
        }
        assert!(gigabyte.iter().step_by(4096).all(|byte| *byte == 1));
    });
}

/// S81: the pipes get the numbers that are free, and nobody mixes them up.
#[test]
fn a_process_without_standard_streams_has_children_all_the_same() {
    let name = "scale::in_a_process_without_standard_streams";
    let script = format!("exec \"$0\" --exact {name} <&- >&- 2>&-");
    let mut shell = process::Command::new("sh");
    shell.arg("-c").arg(script).arg(env::current_exe().unwrap());
    let status = shell.env("HANDSPUN_TEST_HAS_NO_STREAMS", CHILD).status().unwrap();
    assert!(status.success());
}

/// The other half of the test above.
#[test]
fn in_a_process_without_standard_streams() {
    if env::var_os("HANDSPUN_TEST_HAS_NO_STREAMS").is_some() {
        let outcome = child("cat say out warn err").stdin_bytes(*b"in ").run().unwrap();
        assert_eq!(
            (outcome.stdout.text(), outcome.stderr.text()),
            ("in out\n".into(), "err\n".into())
        );
    }
}
