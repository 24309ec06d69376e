//! How a child ended is told as it was, and what could not be started is named.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use handspun::process::{Cause, Command, Signal, SpawnError};

use crate::setup::{CHILD, SECOND, child};
use crate::support::watched;

/// S1, S12.
#[test]
fn an_exit_code_is_told() {
    watched(|| {
        for (given, told) in [(0, 0), (7, 7), (255, 255), (256, 0)] {
            let outcome = child(&format!("exit {given}")).run().unwrap();
            assert_eq!((outcome.code(), outcome.cause.clone()), (Some(told), Cause::Exited));
            assert_eq!(outcome.is_success(), told == 0);
        }
    });
}

/// S2.
#[test]
fn a_signal_of_its_own_is_no_exit_code() {
    watched(|| {
        let outcome = child("abort").run().unwrap();
        assert_eq!((outcome.signal(), outcome.code()), (Some(Signal(6)), None));
        assert_eq!(outcome.cause, Cause::Signalled);
    });
}

/// S3.
#[test]
fn an_error_of_a_signal_names_the_signal() {
    let error = child("abort").run().unwrap().check().unwrap_err().to_string();
    assert!(error.contains("a signal ended it (signal: 6 (SIGABRT)"), "{error}");
}

/// S4: by name, by path, and with a directory that is there.
#[test]
fn a_missing_program_is_named() {
    for program in ["no-such-program", "/no/such/program", "./no-such-program"] {
        let error = Command::new(program).current_dir("/").run().unwrap_err();
        assert!(error.to_string().starts_with(&format!("no program `{program}`")), "{error}");
    }
}

/// S4.
#[test]
fn a_missing_directory_is_not_a_missing_program() {
    let error = child("exit 0").current_dir("/no/such/place").run().unwrap_err();
    assert!(matches!(&error, SpawnError::NoDirectory { directory, .. }
        if directory.as_os_str() == "/no/such/place"));
    let file = child("exit 0").current_dir(CHILD).run().unwrap_err();
    assert!(matches!(file, SpawnError::NoDirectory { .. }), "{file:?}");
}

/// S4: there is such a directory, but not for us.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_must_not_be_entered_is_named() {
    let folder = std::env::temp_dir().join(format!("handspun-shut-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
    let mut shut = child("exit 0").current_dir(&folder);
    let error = std::thread::spawn(move || {
        go_on_as_nobody();
        shut.run().unwrap_err()
    });
    let error = error.join().unwrap();
    fs::remove_dir(&folder).unwrap();
    assert!(matches!(error, SpawnError::NoDirectory { .. }), "{error:?}");
    assert!(error.to_string().contains("no permission to enter it"), "{error}");
}

/// From now on this thread may open no more files than everybody may, though the test be run by root.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not change who we are for one thread")]
fn go_on_as_nobody() {
    // SAFETY: no memory is passed.
    unsafe {
        libc::setfsuid(65534);
    }
}

/// S6.
#[test]
fn what_must_not_be_run_is_named() {
    let file = std::env::temp_dir().join(format!("handspun-no-program-{}", std::process::id()));
    fs::write(&file, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (of_file, of_folder) = (Command::new(&file).run(), Command::new("/tmp").run());
    fs::remove_file(&file).unwrap();
    for error in [of_file, of_folder].map(Result::unwrap_err) {
        assert!(matches!(&error, SpawnError::Refused { error, .. }
            if error.kind() == std::io::ErrorKind::PermissionDenied));
        let text = error.to_string();
        assert!(text.contains("`/tmp`") || text.contains(&*file.to_string_lossy()), "{text}");
    }
}

/// S7.
#[test]
fn a_nul_is_refused_wherever_it_stands() {
    let plain = || child("exit 0");
    let name = || Command::new("a\0b");
    let in_names = [name(), name().env_clear(), plain().current_dir("/\0")];
    let in_words = [plain().arg("a\0b"), plain().env("A", "a\0b"), plain().env("A\0B", "a")];
    for mut command in in_names.into_iter().chain(in_words) {
        let error = command.run().unwrap_err();
        assert!(matches!(&error, SpawnError::Refused { error, .. }
            if error.kind() == std::io::ErrorKind::InvalidInput));
    }
}

/// S9.
#[test]
fn an_error_shows_the_command_the_status_and_the_tail_of_stderr() {
    watched(|| {
        let mut failing = child("flood-err 100000 warn no-paper exit 3").arg("it's");
        let error = failing.run().unwrap().check().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(r#""exit" "3" "it's"`"#) && text.contains("status: 3"), "{text}");
        assert!(text.ends_with("no-paper") && text.len() < 3000, "{}", text.len());
        assert_eq!(error.0.stderr.bytes.len(), 100_009, "all of it is there");
    });
}

#[test]
fn environment_and_directory_are_as_asked() {
    watched(|| {
        let said = |mut command: Command| command.run().unwrap().stdout.text().into_owned();
        assert_eq!(said(child("env HELLO").env("HELLO", "you")), "you\n");
        assert_eq!(said(child("env PATH").env_remove("PATH")), "unset\n");
        assert_eq!(
            said(child("env PATH env A").env("B", "b").env_clear().env("A", "a")),
            "unset\na\n"
        );
        assert_eq!(said(child("pwd").current_dir("/")), "/\n");
    });
}

/// The program is looked for in the child's own `PATH`, and by its name all the same.
#[test]
fn a_path_for_the_child_finds_the_program() {
    watched(|| {
        let (folder, name) = CHILD.rsplit_once('/').unwrap();
        let found = Command::new(name).env("PATH", folder).args(["env", "PATH"]).run().unwrap();
        assert_eq!(found.stdout.text(), format!("{folder}\n"));
        let sh = Command::new("sh").args(["-c", "echo $0"]).env_clear().run().unwrap();
        assert_eq!(sh.stdout.text(), "sh\n");
        let missing = Command::new(name).env("PATH", "/no/such/place").run().unwrap_err();
        assert!(missing.to_string().starts_with("no program"), "{missing}");
    });
}

/// A file of that name which must not be run is passed over, as a shell does.
#[test]
fn what_cannot_be_run_in_a_folder_of_the_path_is_passed_over() {
    let folder = std::env::temp_dir().join(format!("handspun-path-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("true"), "not a program").unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let result = Command::new("true").env("PATH", path).run();
    fs::remove_dir_all(&folder).unwrap();
    assert!(result.unwrap().is_success());
}

/// In a block of `name=value` it would set another variable.
#[test]
fn a_name_that_is_none_is_refused() {
    for name in ["", "=", "A=B", "=A"] {
        let commands = [child("exit 0").env(name, "a"), child("exit 0").env_remove(name)];
        for error in commands.map(|mut command| command.run().unwrap_err()) {
            assert!(matches!(&error, SpawnError::Refused { error, .. }
                if error.kind() == std::io::ErrorKind::InvalidInput));
            assert!(error.to_string().contains("name"), "{error}");
        }
    }
}

/// A folder of its own with an executable script in `bin`, which says `found`.
fn with_a_script(name: &str, text: &str, test: impl FnOnce(&std::path::Path)) {
    let folder = std::env::temp_dir().join(format!("handspun-{name}-{}", std::process::id()));
    fs::create_dir_all(folder.join("bin")).unwrap();
    let script = folder.join("bin/script");
    fs::write(folder.join("text"), text).unwrap();
    // By another process: what is open for writing here, a child that another test starts has open as well for a
    // moment, and the system runs no such file.
    let copied = std::process::Command::new("cp").arg(folder.join("text")).arg(&script).status();
    assert!(copied.unwrap().success());
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    test(&folder);
    fs::remove_dir_all(&folder).unwrap();
}

/// A relative path counts from the child's directory, also where it is one of `PATH`.
#[test]
fn a_program_is_looked_for_in_the_directory_of_the_child() {
    with_a_script("relative", "#!/bin/sh\necho found\n", |folder| {
        let bin = folder.join("bin");
        let ways = [
            Command::new("bin/script").current_dir(folder),
            Command::new("./bin/script").current_dir(folder),
            Command::new("script").env("PATH", "bin").current_dir(folder),
            Command::new("script").env("PATH", "/no/such:./bin:/bin").current_dir(folder),
            Command::new("script").env("PATH", "").current_dir(bin.clone()),
            Command::new("script").env("PATH", "/no/such:").current_dir(bin),
        ];
        for mut command in ways {
            assert_eq!(command.run().unwrap().stdout.text(), "found\n", "{command:?}");
        }
    });
}

/// It may be run by its owner, and we are somebody else.
#[test]
#[cfg(target_os = "linux")]
fn what_others_may_run_is_passed_over_where_we_must_not() {
    with_a_script("owned", "", |folder| {
        let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
        fs::rename(folder.join("bin/script"), folder.join("bin/true")).unwrap();
        let only_root = fs::Permissions::from_mode(0o100);
        fs::set_permissions(folder.join("bin/true"), only_root).unwrap();
        let run = std::thread::spawn(|| {
            go_on_as_nobody();
            Command::new("true").env("PATH", path).run().map(|outcome| outcome.code())
        });
        assert_eq!(run.join().unwrap().unwrap(), Some(0));
    });
}

#[test]
fn a_script_without_an_interpreter_is_told_what_it_lacks() {
    with_a_script("bare", "echo found\n", |folder| {
        let error = Command::new(folder.join("bin/script")).run().unwrap_err();
        assert!(error.to_string().contains("`#!/bin/sh`"), "{error}");
    });
}

/// A debugger is told of a stop as of an exit, and it may be our own process.
#[test]
#[cfg(target_os = "linux")]
fn a_stop_that_a_debugger_is_told_of_is_no_exit() {
    watched(|| {
        let soon = std::time::Duration::from_millis(300);
        let command = child("trace-me stop sleep 20000").timeout(soon);
        let outcome = command.kill_policy(Signal::KILL, SECOND).run().unwrap();
        assert_eq!(outcome.cause, Cause::TimedOut);
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}
