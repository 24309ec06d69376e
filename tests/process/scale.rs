//! Many children, one thread, and nothing left: no zombie, no descriptor, no thread.
//!
//! Each test that counts what the process has runs in a process of its own: tests beside it have
//! children too.

use std::env;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use handspun::process::{Cap, Cause, Child, Command, Output, SpawnError, Stdin};

use crate::setup::{CHILD, SECOND, alone, child, leaves_nothing};
use crate::support::{threads_named, watched};

/// S78.
#[test]
fn a_thousand_runs_in_a_row_leave_nothing() {
    alone("scale::a_thousand_runs_in_a_row_leave_nothing", 256, || {
        leaves_nothing(|| {
            let outputs = [Output::Capture, Output::Null, Output::Lines, Output::Merge];
            for n in 0..1000 {
                let stdin = if n % 3 == 0 { Stdin::bytes(*b"hello") } else { Stdin::Null };
                let command = Command::new("true").stdin(stdin).stdout(outputs[n % 4].clone());
                let command = command.stderr(outputs[n / 4 % 4].clone());
                let command = if n % 5 == 0 { command.without_pidfd() } else { command };
                assert!(command.run().unwrap().is_success());
            }
            assert_eq!(threads_named("handspun-childr").len(), 1);
        });
    });
}

/// S76, S77.
#[test]
fn hundreds_at_once_are_ended_in_time_by_one_thread() {
    alone("scale::hundreds_at_once_are_ended_in_time_by_one_thread", 4096, || {
        leaves_nothing(|| {
            let sleep = child("sleep 20000").timeout(SECOND).cap(Cap::Keep { head: 10, tail: 0 });
            let all: Vec<_> = (0..400).map(|_| sleep.spawn().unwrap()).collect();
            assert_eq!(threads_named("handspun-childr").len(), 1);
            let began = Instant::now();
            let outcomes: Vec<_> = all.into_iter().map(Child::wait).collect();
            assert!(outcomes.iter().all(|outcome| outcome.cause == Cause::TimedOut));
            assert!(began.elapsed() < 10 * SECOND, "{:?}", began.elapsed());
        });
    });
}

/// S79: a pipe that another child had inherited would not end.
#[test]
fn many_threads_may_start_children_at_once() {
    watched(|| {
        let threads: Vec<_> = (0..20)
            .map(|n| {
                thread::spawn(move || {
                    let cat = child("cat").stdin(Stdin::bytes(format!("{n}")));
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
fn too_many_children_are_an_error_or_wait_for_a_place() {
    alone("scale::too_many_children_are_an_error_or_wait_for_a_place", 64, || {
        leaves_nothing(|| {
            let sleep = child("sleep 20000");
            let mut all = Vec::new();
            let error = loop {
                match sleep.spawn() {
                    Ok(child) => all.push(child),
                    Err(error) => break error,
                }
            };
            let SpawnError::TooMany { limit } = error else { panic!("{error:?}") };
            assert!(limit == all.len() && limit >= 4, "{limit}");
            let waiting = thread::spawn(|| child("exit 3").wait_for_place().run().unwrap().code());
            drop(all.pop());
            assert_eq!(waiting.join().unwrap(), Some(3));
            all.into_iter().for_each(|child| drop((child.kill(), child.wait())));
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
                assert!(Command::new("/no/such/program").stderr(Output::Merge).run().is_err());
                assert!(child("exit 0").current_dir("/no/such/place").run().is_err());
            }
        });
    });
}

/// S84: a fork would copy the page tables of all this, which takes many times as long.
#[test]
fn a_large_process_starts_children_as_quickly_as_a_small_one() {
    alone("scale::a_large_process_starts_children_as_quickly_as_a_small_one", 256, || {
        let quickest = || {
            let commands = [
                child("exit 0"),
                Command::new("true").env("PATH", env::var_os("PATH").unwrap()),
                child("exit 0").current_dir("/"),
            ];
            commands.map(|command| {
                let time = || {
                    let began = Instant::now();
                    let child = command.spawn().unwrap();
                    let took = began.elapsed();
                    drop(child.wait());
                    took
                };
                (0..20).map(|_| time()).min().unwrap()
            })
        };
        let large = vec![1_u8; 512 << 20];
        let took = quickest();
        assert!(large.iter().step_by(1 << 20).all(|byte| *byte == 1));
        assert!(took.iter().all(|took| *took < Duration::from_millis(5)), "{took:?}");
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
        let outcome = child("cat say out warn err").stdin(Stdin::bytes(*b"in ")).run().unwrap();
        assert_eq!(
            (outcome.stdout.text(), outcome.stderr.text()),
            ("in out\n".into(), "err\n".into())
        );
    }
}
