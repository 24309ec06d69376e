//! What comes out: all of it, in its order, whatever stdout and stderr are.

use std::process::Stdio;

use crate::program::{full, reader_gone};
use crate::setup::{Folder, code, par, printed, said};

#[test]
fn all_of_a_long_output_comes_out() {
    let output =
        par(["-q", "sh", "-c", "head -c 20000000 /dev/zero", ":::", "a"]).output().unwrap();
    assert_eq!((output.stdout.len(), output.status.code()), (20_000_000, Some(0)));
}

#[test]
fn long_outputs_that_wait_for_their_turn_come_out_whole_and_in_order() {
    // The first is the last to end, and many more wait for it than may keep a file open.
    let folder = Folder::new("long-ones");
    let script = format!(
        "cd {}; if [ $1 = 1 ]; then until [ -e 30 ]; do sleep 0.02; done; fi; \
         touch $1; head -c 100000 /dev/zero | tr '\\0' .; echo $1",
        folder.path(".")
    );
    let mut args = vec!["-q", "-k", "-j4", "sh", "-c", &script, "sh", ":::"];
    let numbers: Vec<_> = (1..=80).map(|n: i32| n.to_string()).collect();
    args.extend(numbers.iter().map(String::as_str));
    let out = printed(&args);
    let ends: Vec<_> = out.lines().map(|line| line.trim_start_matches('.')).collect();
    assert_eq!(ends, numbers);
    assert!(out.lines().all(|line| line.len() > 100_000));
}

#[test]
fn tags_begin_each_line_of_both_outputs() {
    let script = "printf 'x\\ny'; echo z >&2";
    let output = par(["--tag", "sh", "-c", script, ":::", "a", ":::", "b"]).output().unwrap();
    assert_eq!(said(&output), ("a b\tx\na b\ty".into(), "a b\tz\n".into(), Some(0)));
}

#[test]
fn a_dry_run_prints_what_a_shell_would_run() {
    let out = printed(&["-k", "--dry-run", "exit", "3", "{}", ":::", "a b", "c'd", ""]);
    assert_eq!(out, "exit 3 'a b'\nexit 3 'c'\\''d'\nexit 3 ''\n");
}

/// With stdout, and then stderr, being each of what they may be. No panic, and the code that is right.
#[test]
fn it_panics_on_no_stdout_and_no_stderr() {
    let calls: [(&[&str], i32); 6] = [
        (&["--help"], 0),
        (&["--version"], 0),
        (&["true", ":::", "a"], 0),
        (&["sh", "-c", "exit 3", ":::", "a"], 1),
        (&["no-such-program", ":::", "a"], 1),
        (&["--no-such-option"], 255),
    ];
    for (args, right) in calls {
        let code = |out: Stdio, err: Stdio| {
            par(args).stdout(out).stderr(err).status().unwrap().code().unwrap()
        };
        assert_eq!(code(Stdio::null(), reader_gone()), right, "{args:?}");
        let prints = matches!(args, ["--help" | "--version"]);
        assert_eq!(code(reader_gone(), Stdio::null()), right, "{args:?}");
        let Some(device) = full() else { continue };
        assert_eq!(code(Stdio::null(), device.into()), right, "{args:?}");
        let device = full().unwrap();
        assert_eq!(
            code(device.into(), Stdio::null()),
            if prints { 255 } else { right },
            "{args:?}"
        );
    }
}

#[test]
fn output_that_cannot_be_printed_is_told() {
    let Some(device) = full() else { return };
    let output = par(["echo", ":::", "a"]).stdout(device).output().unwrap();
    let (_, err, code) = said(&output);
    assert!(err.contains("par: some of the output is lost"), "{err}");
    assert_eq!(code, Some(255));
}

#[test]
fn its_help_fits_a_screen_and_it_has_a_version() {
    let help = printed(&["--help"]);
    assert!(help.lines().count() <= 24, "{}", help.lines().count());
    let long = help.lines().find(|line| line.chars().count() > 80);
    assert_eq!(long, None);
    assert_eq!(printed(&["--version"]), format!("par (handspun {})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_terminal_it_draws_nothing_and_says_nothing_if_all_is_well() {
    let output = par(["true", ":::", "a", "b"]).output().unwrap();
    assert_eq!(said(&output), (String::new(), String::new(), Some(0)));
    let output = par(["false", ":::", "\u{1b}[31mred\nline"]).output().unwrap();
    let (_, err, _) = said(&output);
    assert!(err.contains(r"\u{1b}[31mred\nline") && !err.contains('\u{1b}'), "{err}");
}

#[test]
fn its_codes_are_those_of_gnu_parallel() {
    let halted = |when, inputs: &[&str]| {
        let args = ["-q", "-j1", "--halt", when, "--shell", "echo {}; exit {}", ":::"];
        code(&[&args[..], inputs].concat())
    };
    let inputs = ["0", "3", "0", "4", "5", "0"];
    // What GNU parallel 20221122 exits with.
    let expected = [
        ("never", 3),
        ("now,fail=1", 3),
        ("soon,fail=1", 3),
        ("now,fail=2", 2),
        ("soon,fail=2", 2),
        ("soon,fail=30%", 34),
        ("now,success=1", 0),
        ("now,done=2", 1),
    ];
    for (when, right) in expected {
        assert_eq!(halted(when, &inputs), right, "{when}");
    }
    assert_eq!(code(&["--halt", "often", "true", ":::", "a"]), 255);
}
