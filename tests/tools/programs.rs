//! The tools as programs: what they print where, what they exit with, and that nothing makes them panic.

use std::ffi::OsStr;
use std::fs::File;
use std::io::pipe;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

use crate::Folder;
use crate::program::{full, program};

/// Each tool, and arguments with which it has something to say.
const TOOLS: [(&str, &[&str]); 4] = [
    ("count_words", &["below"]),
    ("find_duplicates", &["below"]),
    ("http_probe", &["http://127.0.0.1:9/", "--retries", "0"]),
    ("tune_semaphore", &["--clients", "4", "--requests", "100"]),
];

/// A tool that runs in a folder.
fn command(folder: &Folder, name: &str, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(&folder.0).args(args).stdin(Stdio::null());
    command
}

fn output(folder: &Folder, name: &str, args: &[&str]) -> Output {
    command(folder, name, args).output().unwrap()
}

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    for name in ["below/one", "below/two"] {
        folder.write(name, "the same words\n");
    }
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_and_version_are_output_and_say_what_the_exit_codes_mean() {
    let folder = folder("help");
    for (tool, _) in TOOLS {
        for flag in ["--help", "-h"] {
            let help = output(&folder, tool, &[flag]);
            assert_eq!((help.status.code(), text(&help.stderr)), (Some(0), String::new()));
            let help = text(&help.stdout);
            assert!(help.contains("Exits with"), "{tool}: {help}");
            assert!(help.lines().count() <= 24, "{tool}: it does not fit a screen");
            assert!(help.lines().all(|line| line.len() <= 80), "{tool}: a line is too long");
        }
        for flag in ["--version", "-V"] {
            let version = output(&folder, tool, &[flag]);
            let expected = format!("{tool} (handspun {})\n", env!("CARGO_PKG_VERSION"));
            assert_eq!((version.status.code(), text(&version.stdout)), (Some(0), expected));
        }
    }
}

#[test]
fn a_wrong_argument_is_an_error_on_stderr() {
    let folder = folder("wrong");
    for (tool, _) in TOOLS {
        let wrong = output(&folder, tool, &["--no-such-option"]);
        assert_eq!((wrong.status.code(), text(&wrong.stdout)), (Some(2), String::new()), "{tool}");
        let told = text(&wrong.stderr);
        assert!(told.starts_with(&format!("{tool}: ")), "{told}");
        assert!(told.lines().count() <= 2, "{tool}: the error is lost in a text: {told}");
    }
}

/// A reader that has seen enough is no failure, and the last word of a tool is no panic.
#[test]
fn a_reader_that_has_gone_ends_a_tool_quietly() {
    let folder = folder("gone-reader");
    for (tool, args) in TOOLS {
        for args in [args, &["--help"], &["--version"]] {
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            let done = command(&folder, tool, args).stdout(writer).output().unwrap();
            let is_page = tool == "http_probe" && args[0].starts_with("http");
            assert_eq!(done.status.code(), Some(i32::from(is_page)), "{tool} {args:?}");
            assert_eq!(text(&done.stderr), "", "{tool} {args:?}");
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            let done = command(&folder, tool, ["--wrong"]).stderr(writer).output().unwrap();
            assert_eq!(done.status.code(), Some(2), "{tool}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_is_no_panic() {
    let folder = folder("full");
    let full = || full().expect("Linux has one");
    for (tool, args) in TOOLS {
        for args in [args, &["--help"], &["--version"]] {
            let done = command(&folder, tool, args).stdout(full()).output().unwrap();
            assert_eq!(done.status.code(), Some(2), "{tool} {args:?}");
            let told = text(&done.stderr);
            assert!(told.starts_with(&format!("{tool}: ")), "{tool} {args:?}: {told}");
            let done = command(&folder, tool, args).stdout(full()).stderr(full()).status();
            assert_eq!(done.unwrap().code(), Some(2), "{tool} {args:?}");
        }
        let done = command(&folder, tool, ["--wrong"]).stderr(full()).status().unwrap();
        assert_eq!(done.code(), Some(2), "{tool}");
        // What has to be said of the work is lost, and the work is done all the same.
        let done = command(&folder, tool, args).stderr(full()).output().unwrap();
        assert_eq!(done.status.code(), Some(i32::from(tool == "http_probe")), "{tool}");
        assert!(!done.stdout.is_empty(), "{tool}");
    }
}

#[test]
fn a_tool_whose_output_is_closed_does_its_work() {
    let folder = folder("closed");
    for (tool, args) in TOOLS {
        for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("exec \"$0\" \"$@\" {closed}"));
            let done = shell.arg(program(tool)).args(args).current_dir(&folder.0).output().unwrap();
            assert_eq!(
                done.status.code(),
                Some(i32::from(tool == "http_probe")),
                "{tool} {closed}"
            );
        }
    }
}

#[test]
fn nothing_but_text_is_printed_where_there_is_no_terminal() {
    let folder = folder("no-terminal");
    for (tool, args) in TOOLS {
        let done = command(&folder, tool, args).env("TERM", "xterm").output().unwrap();
        let all = [done.stdout, done.stderr].concat();
        assert!(
            !all.is_empty() && all.iter().all(|byte| *byte >= b' ' || *byte == b'\n'),
            "{tool}"
        );
    }
}

/// `script` gives a tool a terminal of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_progress_bar_is_for_a_terminal_that_wants_it() {
    let folder = folder("terminal");
    let on_a_terminal = |tool: &str, args: &[&str], no_color: Option<&str>| {
        let line = format!("{} {}", program(tool).display(), args.join(" "));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).current_dir(&folder.0).stdin(Stdio::null());
        script.env("TERM", "xterm").env_remove("NO_COLOR");
        script.envs(no_color.map(|value| ("NO_COLOR", value)));
        text(&script.output().unwrap().stdout)
    };
    for (tool, args) in TOOLS {
        let has_bar = tool != "tune_semaphore";
        assert_eq!(on_a_terminal(tool, args, None).contains('\u{1b}'), has_bar, "{tool}");
        assert_eq!(on_a_terminal(tool, args, Some("")).contains('\u{1b}'), has_bar, "{tool}");
        assert!(!on_a_terminal(tool, args, Some("1")).contains('\u{1b}'), "{tool}");
    }
}

#[test]
fn what_is_left_out_is_told_on_stderr_and_makes_the_exit_code() {
    let folder = folder("left-out");
    folder.write("below/latin-1", b"caf\xe9");
    let done = output(&folder, "count_words", &["below"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("below/latin-1"), "{}", text(&done.stderr));
    assert!(!text(&done.stdout).contains("latin-1"));
    Folder::make_pipe(&folder.write("pipe", ""));
    for tool in ["count_words", "find_duplicates"] {
        let mistyped = output(&folder, tool, &["below", "no-such-folder"]);
        assert_eq!((mistyped.status.code(), mistyped.stdout.len()), (Some(2), 0));
        assert!(text(&mistyped.stderr).contains("no-such-folder"));
        let special = output(&folder, tool, &["pipe"]);
        assert_eq!((special.status.code(), special.stdout.len()), (Some(2), 0));
    }
}

/// A name is any bytes but two: it must not move the cursor, and must not look like another one.
#[test]
fn a_name_of_any_bytes_is_told_apart_from_every_other() {
    let folder = Folder::new("names");
    let names: [&[u8]; 6] = [b"a\nb", b"a\\nb", b"\x1b[31mred", b"\xff", b"\xc3\xa4", b"-r"];
    for name in names {
        std::fs::write(folder.0.join(OsStr::from_bytes(name)), "the same").unwrap();
    }
    let done = output(&folder, "find_duplicates", &["."]);
    let shown = text(&done.stdout);
    assert!(shown.bytes().all(|byte| byte >= b' ' || byte == b'\n'), "{shown}");
    let shown: Vec<_> = shown.lines().filter(|line| line.contains("./")).collect();
    assert_eq!(shown.len(), names.len(), "{shown:?}");
    assert!(shown.iter().any(|line| line.contains("\u{e4}")), "what is text stays as it is");

    let done = output(&folder, "find_duplicates", &["--print0", "."]);
    let mut expected: Vec<_> = names.map(|name| [b"./", name, b"\0"].concat()).into();
    expected.sort();
    assert_eq!(done.stdout, [expected.concat(), b"\0".to_vec()].concat());
}

#[test]
fn a_url_does_not_move_the_cursor_either() {
    let folder = Folder::new("escapes");
    folder.write("list", b"http://a/\x1b[2J\nhttp://\xff/\n");
    let done = output(&folder, "http_probe", &["--file", "list", "ftp://b/\u{9b}2J"]);
    assert_eq!(done.status.code(), Some(1));
    let shown = text(&done.stdout);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    assert!(shown.contains("0 of 3 pages"), "{shown}");
}

#[test]
fn a_list_of_urls_comes_from_stdin_too() {
    let folder = Folder::new("stdin");
    folder.write("list", "\u{feff}http://127.0.0.1:9/\n");
    let list = File::open(folder.0.join("list")).unwrap();
    let mut probe = command(&folder, "http_probe", ["--file", "-", "--retries", "0"]);
    let done = probe.stdin(list).output().unwrap();
    assert!(text(&done.stdout).contains("0 of 1 pages"), "{}", text(&done.stdout));
}

#[test]
fn a_tool_shows_as_many_as_it_is_asked_for() {
    let folder = folder("top");
    let count = output(&folder, "count_words", &["--top", "2", "below"]);
    assert_eq!(text(&count.stdout).lines().count(), 3, "two words, and the sum of all");
    let [first, second] = [(); 2].map(|()| output(&folder, "count_words", &["below"]).stdout);
    assert_eq!(first, second, "no time is part of what is printed");
}
