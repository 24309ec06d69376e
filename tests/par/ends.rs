//! What is known afterwards: the joblog, and what `--resume` makes of it.

use crate::setup::{Folder, code, par, printed, said};

const HEAD: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

/// The columns that are not about time: Seq, Host, Send, Receive, Exitval, Signal, Command.
fn timeless(log: &str) -> Vec<String> {
    let mut lines = log.lines();
    assert_eq!(lines.next(), Some(HEAD));
    let timeless = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        let [seq, host, started, wall, rest @ ..] = &fields[..] else { panic!("{line}") };
        assert!(
            started.parse::<f64>().unwrap() > 1e9 && wall.trim().parse::<f64>().unwrap() >= 0.0
        );
        [&[*seq, *host], rest].concat().join(" ")
    };
    lines.map(timeless).collect()
}

#[test]
fn a_joblog_has_the_columns_of_gnu_parallel() {
    let folder = Folder::new("joblog");
    let log = folder.path("log");
    let args = ["-q", "-j1", "--timeout", "0.5", "--joblog", &log, "--shell", "echo x; {}", ":::"];
    let inputs = ["exit 3", "kill -9 $$", "exec sleep 60", "true"];
    let status = code(&[&args[..], &[]].concat());
    assert_eq!(status, 0, "no input, no command");
    let args: Vec<_> =
        args.iter().map(|arg| arg.replace("echo x; {}", "echo x; eval {}")).collect();
    let args: Vec<_> = args.iter().map(String::as_str).chain(inputs).collect();
    assert_eq!(code(&args), 3);
    let expected = [
        "1 : 0 2 3 0 echo x; eval 'exit 3'",
        "2 : 0 2 0 9 echo x; eval 'kill -9 $$'",
        "3 : 0 2 -1 15 echo x; eval 'exec sleep 60'",
        "4 : 0 2 0 0 echo x; eval true",
    ];
    assert_eq!(timeless(&folder.read("log")), expected);
}

#[test]
fn a_resume_leaves_out_what_is_in_the_joblog() {
    let folder = Folder::new("resume");
    let head =
        format!("{HEAD}\n2\t:\t1.0\t1.0\t0\t0\t1\t0\techo b\n3\t:\t1.0\t1.0\t0\t0\t0\t0\techo c\n");
    // The last line was cut off by a crash: it does not count.
    let log = folder.write("log", head + "4\t:\t1.0\t1.0\t0\t0\t0\t0\tech");
    let resume = ["-q", "-k", "--joblog", &log, "--resume", "echo", ":::", "a", "b", "c", "d"];
    assert_eq!(printed(&resume), "a\nd\n");
    assert_eq!(printed(&resume), "", "now all are in it");
    let failed = resume.map(|arg| if arg == "--resume" { "--resume-failed" } else { arg });
    assert_eq!(printed(&failed), "b\n");
    assert_eq!(printed(&failed), "", "now all have succeeded");
    assert_eq!(code(&["--resume", "echo", ":::", "a"]), 255, "from what?");
}

#[test]
fn what_was_cut_off_is_run_again() {
    let folder = Folder::new("cut-off");
    let (log, mark) = (folder.path("log"), folder.path("mark"));
    // The first waits for ever, but not when it is tried again; the second fails when the first is there.
    let script = format!(
        "if [ $1 = b ]; then until [ -e {mark} ]; do sleep 0.02; done; exit 3; fi; \
         [ -e {mark} ] && echo a && exit; touch {mark}; sleep 60"
    );
    let rest = ["sh", "-c", &script, "sh", ":::", "a", "b"];
    let args = [&["-q", "-j2", "--joblog", &log, "--halt", "now,fail=1"], &rest[..]].concat();
    assert_eq!(code(&args), 3);
    assert_eq!(timeless(&folder.read("log")).len(), 1, "the one that failed, and not the other");
    let args = [&["-q", "--joblog", &log, "--resume"], &rest[..]].concat();
    assert_eq!(printed(&args), "a\n");
}

#[test]
fn a_joblog_that_cannot_be_written_is_told() {
    if crate::program::full().is_none() {
        return;
    }
    let output = par(["--joblog", "/dev/full", "echo", ":::", "a"]).output().unwrap();
    let (_, err, code) = said(&output);
    assert_eq!(code, Some(255));
    assert!(err.contains("/dev/full"), "{err}");
}
