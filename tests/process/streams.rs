//! What a child writes arrives: all of it, in order, from whichever stream, and nothing is waited for.

use std::env;
use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::setup::{SECOND, child};
use crate::support::{until, watched};

/// S13.
#[test]
fn a_flood_on_stderr_does_not_block_while_stdout_is_silent() {
    watched(|| {
        let n = 100 << 20;
        let outcome = child(&format!("flood-err {n} say done")).run().unwrap();
        assert_eq!(outcome.stderr.bytes.len() as u64 + outcome.stderr.omitted, n);
        assert_eq!(outcome.stdout.text(), "done\n");
    });
}

/// S14, S23: bytes of every kind, both ways at once.
#[test]
fn ten_megabytes_go_both_ways_unchanged() {
    watched(|| {
        let bytes: Vec<u8> = (0..10_u32 << 20).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let outcome = child("cat").stdin_bytes(bytes.clone()).run().unwrap();
        assert!(outcome.is_success() && outcome.stdout.bytes == bytes);
    });
}

/// S21: and it does not spin meanwhile.
#[test]
fn a_child_that_closes_its_pipes_early_is_still_waited_for() {
    watched(|| {
        let outcome = child("close sleep 200 exit 3").run().unwrap();
        assert_eq!(outcome.code(), Some(3));
        assert!(outcome.wall >= SECOND / 5 && !outcome.pipes_leaked);
    });
}

/// S22.
#[test]
fn merged_output_keeps_the_order_in_which_it_was_written() {
    watched(|| {
        let orders = "say 1 warn 2 say 3 warn 4 ".repeat(50);
        let outcome = child(&orders).merge_stderr().run().unwrap();
        assert_eq!(outcome.stdout.text(), "1\n2\n3\n4\n".repeat(50));
        assert!(outcome.stderr.bytes.is_empty());
    });
}

/// S29: two files, and one for both.
#[test]
fn output_goes_into_files() {
    watched(|| {
        let folder = std::env::temp_dir().join(format!("handspun-output-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let file = |name| File::create(folder.join(name)).unwrap();
        let orders = || child("say 1 warn 2 say 3");
        drop(orders().stdout(file("a")).stderr(file("b")).run().unwrap().check().unwrap());
        let both = file("c");
        let outcome = orders().stdout(both.try_clone().unwrap()).stderr(both).run().unwrap();
        let texts = ["a", "b", "c"].map(|name| fs::read_to_string(folder.join(name)).unwrap());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(texts, ["1\n3\n", "2\n", "1\n2\n3\n"]);
        assert!(outcome.stdout.bytes.is_empty() && outcome.stderr.bytes.is_empty());
    });
}

/// S23.
#[test]
fn what_is_not_text_is_kept_as_bytes() {
    watched(|| {
        let outcome = child("cat").stdin_bytes(*b"a\0\xff\n").run().unwrap();
        assert_eq!(outcome.stdout.bytes, b"a\0\xff\n");
        assert_eq!(outcome.stdout.text(), "a\0\u{fffd}\n");
    });
}

/// S29.
#[test]
fn standard_streams_are_handed_on() {
    watched(|| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "streams::in_a_process_whose_streams_are_known", "--nocapture"]);
        command.env("HANDSPUN_TEST_STREAMS_ARE_KNOWN", "yes");
        command.stdin(File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/rustfmt.toml")).unwrap());
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains("use_small_heuristics"), "{said}");
        assert!(said.contains("merged") && String::from_utf8_lossy(&output.stderr).contains("err"));
    });
}

/// The other half of the test above.
#[test]
fn in_a_process_whose_streams_are_known() {
    if env::var_os("HANDSPUN_TEST_STREAMS_ARE_KNOWN").is_some() {
        let same = child("cat warn err").stdin(Stdio::inherit()).stdout(Stdio::inherit());
        let outcome = same.stderr(Stdio::inherit()).run().unwrap();
        assert!(outcome.is_success() && outcome.stdout.bytes.is_empty());
        let merged = child("warn merged").stderr(std::io::stdout());
        assert!({ merged }.run().unwrap().is_success());
    }
}

/// However much more a pipe holds than pipes usually do, and though there is no time to wait for others.
#[test]
#[cfg(target_os = "linux")]
fn all_that_is_in_a_pipe_at_the_exit_is_read() {
    watched(|| {
        // The reader of lines is behind, so most of it is in the pipe when the child exits.
        let mut command = child("( sleep 20000 ) widen 1048576 flood 1200000").lines();
        let child = command.spawn().unwrap();
        until(|| child.is_finished());
        let outcome = child.wait();
        assert!(outcome.is_success() && outcome.pipes_leaked);
        assert_eq!((outcome.stdout.bytes.len(), outcome.stdout.omitted), (1_200_000, 0));
    });
}

/// The end of a pipe is behind all that is in it.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_that_nobody_holds_has_ended_however_much_is_in_it_at_the_exit() {
    watched(|| {
        let child = child("widen 1048576 flood 1200000").lines().spawn().unwrap();
        until(|| child.is_finished()); // The reader of lines is behind.
        let outcome = child.wait();
        assert!(outcome.is_success() && !outcome.pipes_leaked);
        assert_eq!((outcome.stdout.bytes.len(), outcome.stdout.omitted), (1_200_000, 0));
    });
}
