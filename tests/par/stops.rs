//! What makes it stop: signals, readers that have gone, and what does not.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::program::program;
use crate::setup::Folder;

fn shell(line: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", "bash", "-c", line]).stdin(Stdio::null());
    command.env("PAR", program("par"));
    command
}

/// Starts it with these signals ignored, and gives it back when its command runs; with its process id.
fn started(trap: &str, command: &str) -> (Child, String) {
    let line = format!("{trap}; echo $$; exec \"$PAR\" -u -q --shell {command}");
    let mut child = shell(&line).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid = lines.next().unwrap().unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "runs");
    (child, pid)
}

fn send(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let folder = Folder::new("ignored");
    for (trap, signals) in [("trap '' HUP", &["-HUP"][..]), ("trap '' INT HUP", &["-INT", "-HUP"])]
    {
        let go = folder.path("go");
        let waits = format!("'echo runs; until [ -e {{}} ]; do sleep 0.02; done' ::: {go}");
        let (mut child, pid) = started(trap, &waits);
        for signal in signals {
            send(signal, &pid);
            send(signal, &pid);
        }
        folder.write("go", "");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{trap}");
        std::fs::remove_file(go).unwrap();
    }
}

#[test]
fn a_signal_that_was_not_ignored_ends_all() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let (mut child, pid) = started("trap '' PIPE", "'echo runs; exec sleep {}' ::: 60");
        send(signal, &pid);
        assert_eq!(child.wait().unwrap().code(), Some(255), "{signal}");
    }
}

#[test]
fn it_ends_when_its_reader_has_gone() {
    let output = shell("yes | \"$PAR\" echo | head -1; echo ${PIPESTATUS[1]}").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "y\n141\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "and quietly");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn soon_lets_the_others_end_and_now_does_not() {
    let folder = Folder::new("halt");
    let failed = folder.path("failed");
    // The second fails; the first ends a while after that; the third is never begun.
    let script = format!(
        "'if [ {{}} = b ]; then touch {failed}; exit 3; fi; \
         until [ -e {failed} ]; do sleep 0.02; done; sleep 0.3; echo {{}}' ::: a b c"
    );
    for (when, out) in [("soon", "a\n3\n"), ("now", "3\n")] {
        let line = format!("\"$PAR\" -q -j2 --halt {when},fail=1 --shell {script}; echo $?");
        let output = shell(&line).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), out, "{when}");
        std::fs::remove_file(&failed).unwrap();
    }
}

#[test]
fn starts_are_apart_by_the_delay() {
    let line = "\"$PAR\" -j3 --delay 0.3 date +%s.%N ::: -u -u -u | sort";
    let output = shell(line).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let times: Vec<f64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(times.len(), 3);
    assert!(times[2] - times[0] > 0.4, "two delays, and what a start takes: {times:?}");
}
