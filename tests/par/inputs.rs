//! What goes in: words, lines, files, bytes; and what a command is made of.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::program::program;
use crate::setup::{Folder, par, printed, said};

/// A pipeline in a shell, with `par` by its name. Its stdout and exit code.
fn shell(line: &str) -> (Vec<u8>, Option<i32>) {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", "bash", "-c", line]).stdin(Stdio::null());
    let path = format!(
        "{}:{}",
        program("par").parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let output = command.env("PATH", path).output().expect("a shell");
    (output.stdout, output.status.code())
}

#[test]
fn several_sources_are_each_with_each() {
    let folder = Folder::new("product");
    let lines = folder.write("lines", "3\n4\n");
    assert_eq!(printed(&["-k", "echo", ":::", "a", "b", ":::", "1", "2"]), "a 1\na 2\nb 1\nb 2\n");
    assert_eq!(
        printed(&["-k", "echo", "{2}-{1}", ":::", "a", "b", "::::", &lines]),
        "3-a\n4-a\n3-b\n4-b\n"
    );
    assert_eq!(printed(&["-k", "-a", &lines, "echo", ":::", "x"]), "3 x\n4 x\n");
    assert_eq!(printed(&["-k", "echo", "::::", &lines, &lines]), "3 3\n3 4\n4 3\n4 4\n");
    assert_eq!(
        printed(&["-k", "printf", "<%s>", ":::", "a", ":::"]),
        "<a><>",
        "none is an empty one"
    );
}

#[test]
fn sources_side_by_side_are_refused_in_words() {
    let output = par(["echo", ":::", "a", ":::+", "b"]).output().unwrap();
    let (out, err, code) = said(&output);
    assert_eq!((out.as_str(), code), ("", Some(255)));
    assert!(err.contains(":::+"), "{err}");
}

#[test]
fn lines_may_end_with_nul() {
    assert_eq!(
        shell(r"printf 'a\0b\nc\0' | par -0 -k printf '<%s>'"),
        (b"<a><b\nc>".into(), Some(0))
    );
    let folder = Folder::new("nul");
    let file = folder.write("list", "x\0y");
    assert_eq!(printed(&["-0", "-k", "-a", &file, "echo"]), "x\ny\n");
}

#[test]
fn a_word_of_the_command_may_be_any_bytes() {
    let odd = OsStr::from_bytes(b"<\xff{}>");
    let args = [OsStr::new("echo"), odd, OsStr::new(":::"), OsStr::from_bytes(b"\xfe")];
    let output = par(args).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"<\xff\xfe>\n"[..], Some(0)));
}

#[test]
fn zero_jobs_are_as_many_as_there_are_inputs() {
    // Each waits until all three have come: with fewer lanes than inputs this ends with the bound on time.
    let folder = Folder::new("all-at-once");
    let script = format!(
        "cd {}; touch $1; until [ -e a ] && [ -e b ] && [ -e c ]; do sleep 0.02; done",
        folder.path(".")
    );
    let args = ["-j0", "--timeout", "20", "sh", "-c", &script, "sh", ":::", "a", "b", "c"];
    assert_eq!(printed(&args), "");
}

#[test]
fn lanes_may_be_said_in_percent_and_beside_the_cores() {
    for jobs in ["-j50%", "-j200%", "-j+1", "-j-99", "-j1"] {
        assert_eq!(printed(&[jobs, "-k", "echo", ":::", "a", "b"]), "a\nb\n");
    }
    assert_eq!(printed(&["-j1", "-k", "echo", "{%}", ":::", "a", "b"]), "1\n1\n");
}

#[test]
fn replacement_strings_are_those_of_gnu_parallel() {
    let all = "{}|{.}|{/}|{//}|{/.}";
    // What GNU parallel 20221122 prints, with `-q`.
    let expected = [
        ("a/b.c.d", "a/b.c.d|a/b.c|b.c.d|a|b.c"),
        ("x", "x|x|x|.|x"),
        ("/r/s.t/u", "/r/s.t/u|/r/s.t/u|u|/r/s.t|u"),
        (".", ".||.|.|"),
        (".bashrc", ".bashrc||.bashrc|.|"),
        ("a.b/", "a.b/|a.b/||.|"),
        ("/", "/|/||/|"),
        ("a/.b", "a/.b|a/|.b|a|"),
        ("..", "..|.|..|.|."),
        ("x.", "x.|x|x.|.|x"),
    ];
    for (input, output) in expected {
        assert_eq!(printed(&["echo", all, ":::", input]).trim_end(), output);
    }
    assert_eq!(
        printed(&["-k", "echo", "{#}", ":::", "a", "b"]),
        "1\n2\n",
        "and nothing at its end"
    );
    assert_eq!(printed(&["echo", "{1.}|{2/}|{3}", ":::", "a/b.c", ":::", "q/w"]), "a/b|w|\n");
    assert_eq!(printed(&["echo", "{x} {", ":::", "a"]), "{x} { a\n");
}

#[test]
fn a_line_longer_than_a_word_may_be_is_an_error_and_not_kept_in_memory() {
    // A gigabyte without an end, in an address space of half of one.
    let line =
        "ulimit -v 500000; head -c 1000000000 /dev/zero | tr '\\0' x | par echo 2>&1 | tail -c 200";
    let (out, code) = shell(&format!("set -o pipefail; {line}"));
    let out = String::from_utf8_lossy(&out).into_owned();
    assert_eq!(code, Some(255), "{out}");
    assert!(out.contains("longer"), "{out}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let output = par(["-a", "/no/such/list", "echo"]).output().unwrap();
    let (out, err, code) = said(&output);
    assert_eq!((out.as_str(), code), ("", Some(255)));
    assert!(err.contains("/no/such/list"), "{err}");
}

#[test]
fn without_a_command_each_input_is_one_for_the_shell() {
    assert_eq!(printed(&["-k", ":::", "echo a; echo b", "exit 0"]), "a\nb\n");
    assert_eq!(shell("echo 'echo $((1 + 2))' | par"), (b"3\n".into(), Some(0)));
}

#[test]
fn with_a_shell_the_values_are_quoted() {
    let args = ["-k", "--shell", "echo {} | tr a-z A-Z", ":::", "it's; exit 3", "$HOME", "b  c"];
    assert_eq!(printed(&args), "IT'S; EXIT 3\n$HOME\nB  C\n");
}

#[test]
fn a_script_without_an_interpreter_is_run_by_sh() {
    let folder = Folder::new("no-interpreter");
    let script = folder.script("greet me", "echo \"$1 there\"\n");
    assert_eq!(printed(&["-k", &script, ":::", "hi", "you"]), "hi there\nyou there\n");
    let line = format!("PATH={}:$PATH; cd /; par 'greet me' ::: hi", folder.path("."));
    assert_eq!(shell(&line), (b"hi there\n".into(), Some(0)), "found where others are");
}

#[test]
fn each_child_has_the_folder_and_the_variables_that_were_asked_for() {
    let args = ["--wd", "/{}", "--env", "A=b c", "sh", "-c", "pwd; echo $A", ":::", "usr"];
    assert_eq!(printed(&args), "/usr\nb c\n");
}
