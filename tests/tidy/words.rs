//! Telling words have a home: who lives where, and why.
//!
//! Knows nothing of what the words do. A word counts in code alone: comments, docs and strings may
//! name anything. In a `use`, the `std::{thread, …}` of a group counts as `std::thread`.

use crate::house::{House, Violation};
use crate::lexer::Token;
use crate::source::lines_that_say;

/// Words that may be written in some files only.
struct Home {
    /// As they would stand in code, one word or a few in a row; spaces do not matter.
    words: &'static [&'static str],
    /// Files, and folders that end in `/`. None at all if the words live nowhere.
    files: &'static [&'static str],
    reach: Reach,
    why: &'static str,
}

/// Where words are looked for.
#[derive(Clone, Copy)]
enum Reach {
    /// In what is compiled into the crate: unit tests are not what is proved, and may do more.
    Crate,
    /// In `src`, unit tests included.
    Src,
    /// In all Rust of the repository: tests, benches and examples too.
    Repository,
}

const HOMES: [Home; 15] = [
    Home {
        words: &["parking_lot", "std::sync::Mutex", "std::sync::RwLock", "std::sync::mpsc"],
        files: &["src/prims.rs"],
        reach: Reach::Crate,
        why: "a lock that is taken past this door, a model checker cannot see",
    },
    Home {
        words: &["sync::atomic", "std::thread", "std::thread_local", "OnceLock", "LazyLock"],
        files: &["src/prims.rs"],
        reach: Reach::Crate,
        why: "what threads share or run past this door, a model checker cannot see",
    },
    Home {
        words: &["Instant::now", "SystemTime", "spin_loop", "shuttle"],
        files: &["src/prims.rs"],
        reach: Reach::Crate,
        why: "time does not pass in a model, and the rooms do not know that they may stand in one",
    },
    Home {
        words: &["Condvar"],
        files: &["src/wait/parker.rs", "src/prims.rs"],
        reach: Reach::Crate,
        why: "a thread sleeps in one place only; wait on a `Parker`",
    },
    Home {
        words: &["catch_unwind", "resume_unwind"],
        files: &["src/panic.rs"],
        reach: Reach::Crate,
        why: "a caught panic is a value; see `panic::catch`, `panic::contain` and `Panic::resume`",
    },
    Home {
        words: &["unsafe", "unsafe_code"],
        files: &["src/pool/borrow.rs", "src/process/sys.rs"],
        reach: Reach::Src,
        why: "two files argue with the compiler, and the rest is safe code that stands on them",
    },
    Home {
        words: &["libc"],
        files: &["src/process/sys.rs"],
        reach: Reach::Crate,
        why: "system calls are made in one file, behind safe functions",
    },
    Home {
        words: &["std::process"],
        files: &["src/process/", "src/prims.rs"],
        reach: Reach::Crate,
        why: "children belong to the process wing, but for the number of our own process",
    },
    Home {
        words: &["crossbeam_channel"],
        files: &["src/prims.rs"],
        reach: Reach::Crate,
        why: "a thread owns the channel, and a model checker sees it through this door alone",
    },
    Home {
        words: &["eprintln!"],
        files: &["src/wait/panic_hook.rs"],
        reach: Reach::Crate,
        why: "a library is silent, but for the hook that hears of a panic which nobody read",
    },
    Home {
        words: &["println!", "print!", "eprint!"],
        files: &[],
        reach: Reach::Crate,
        why: "output belongs to the program",
    },
    Home {
        words: &[".unwrap()"],
        files: &[],
        reach: Reach::Crate,
        why: "`expect(\"…\")` states the invariant instead",
    },
    Home {
        words: &["#[allow", "#![allow"],
        files: &[],
        reach: Reach::Src,
        why: "write `expect(…, reason = \"…\")`, which speaks up on the day it is not needed",
    },
    Home {
        words: &["todo!", "unimplemented!", "dbg!"],
        files: &[],
        reach: Reach::Repository,
        why: "what is not done is not in the house",
    },
    Home {
        words: &["SeqCst"],
        files: &[],
        reach: Reach::Repository,
        why: "it says \"to be safe\" and names no partner. Find the two sides that must agree and \
              argue a Release and an Acquire; where all threads must see one order, take a lock",
    },
];

/// Telling words have a home; one that is born elsewhere is told where it lives.
pub(crate) fn telling_words_stay_at_home(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for home in &HOMES {
        for (path, tokens) in within(home.reach, house) {
            let is_at_home = home.files.iter().any(|file| is_or_holds(file, path));
            let strangers = if is_at_home { &[] } else { home.words };
            for word in strangers {
                let lines = lines_that_say(word, tokens);
                violations
                    .extend(lines.map(|line| Violation::new(path, line, message(word, home))));
            }
        }
    }
    violations
}

/// A file that says `thread_local!` has it from `prims`; std's own needs no `use`, and no model sees it.
pub(crate) fn thread_locals_come_through_prims(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for room in house.rooms() {
        let is_imported = lines_that_say("prims::thread_local", &room.code).next().is_some();
        if !is_imported {
            let message = "this `thread_local!` is std's: `use crate::prims::thread_local;`.";
            let lines = lines_that_say("thread_local!", &room.code);
            violations.extend(lines.map(|line| Violation::new(&room.path, line, message)));
        }
    }
    violations
}

/// The files that `reach` covers, and what of each: its code, or its unit tests as well.
fn within(reach: Reach, house: &House) -> Vec<(&str, &[Token])> {
    let mut within = Vec::new();
    for source in house.sources() {
        let (covers_code, covers_tests) = match reach {
            Reach::Crate => (house.is_room(source), false),
            Reach::Src => (source.is_in_src(), source.is_in_src()),
            Reach::Repository => (true, true),
        };
        for (tokens, is_covered) in [(&source.code, covers_code), (&source.tests, covers_tests)] {
            if is_covered {
                within.push((source.path.as_str(), tokens.as_slice()));
            }
        }
    }
    within
}

fn is_or_holds(file: &str, path: &str) -> bool {
    path == file || file.ends_with('/') && path.starts_with(file)
}

fn message(word: &str, home: &Home) -> String {
    let place = match home.files {
        [] => "has no home here".to_owned(),
        files => format!("lives in {}", files.join(", ")),
    };
    format!("`{word}` {place}: {}.", home.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::caught;

    #[test]
    fn a_word_that_is_born_elsewhere_is_caught() {
        let house = [
            (
                "src/pool/job.rs",
                "use crate::prims::Condvar;\nfn f() { std::panic::catch_unwind(g) }",
            ),
            ("src/wait/parker.rs", "use crate::prims::Condvar;"),
            ("src/panic.rs", "use std::panic::{catch_unwind, resume_unwind};"),
        ];
        assert_eq!(
            caught(telling_words_stay_at_home, &house),
            ["src/pool/job.rs:1", "src/pool/job.rs:2"]
        );
    }

    #[test]
    fn a_stranger_is_told_where_it_lives() {
        let house = House::made_up(&[("src/pool/job.rs", "\nuse crate::prims::Condvar;")]);
        let message = telling_words_stay_at_home(&house)[0].to_string();
        assert!(
            message.starts_with("src/pool/job.rs:2: `Condvar` lives in src/wait/parker.rs"),
            "{message}"
        );
    }

    #[test]
    fn a_word_that_comes_in_a_group_is_caught() {
        let house =
            [("src/sync/mod.rs", "use std::{\n sync::{Arc, atomic::AtomicU8},\n thread,\n};")];
        assert_eq!(
            caught(telling_words_stay_at_home, &house),
            ["src/sync/mod.rs:2", "src/sync/mod.rs:3"]
        );
    }

    #[test]
    fn words_in_comments_strings_and_other_paths_may_stay() {
        let house = [(
            "src/pool/thread.rs",
            "//! As `std::thread` does.\nuse crate::thread; /* unsafe { libc } */\n\
             fn f(unsafely: u8) { expect(\"a Condvar, .unwrap()\"); unwrap_or(now()); wait::Instant(now) }",
        )];
        assert_eq!(caught(telling_words_stay_at_home, &house), [""; 0]);
    }

    #[test]
    fn unit_tests_may_unwrap_but_not_allow() {
        let house = [(
            "src/pool/job.rs",
            "#[cfg(test)]\nmod tests {\n fn f() { g().unwrap(); std::thread::current() }\n #[allow(x)]\n fn g() {}\n}",
        )];
        assert_eq!(caught(telling_words_stay_at_home, &house), ["src/pool/job.rs:4"]);
    }

    #[test]
    fn what_is_undone_is_caught_everywhere() {
        let house = [
            ("tests/a.rs", "fn f() { todo!(); a.unwrap() }"),
            ("benches/src/b.rs", "use O::{Relaxed, SeqCst};"),
        ];
        assert_eq!(
            caught(telling_words_stay_at_home, &house),
            ["benches/src/b.rs:1", "tests/a.rs:1"]
        );
    }

    #[test]
    fn a_thread_local_of_std_is_caught() {
        let house = [
            ("src/pool/worker.rs", "\nthread_local! { static A: u8 = 0 }"),
            (
                "src/wait/block_on.rs",
                "use crate::prims::{self, thread_local};\nthread_local! { static A: u8 = 0 }",
            ),
        ];
        assert_eq!(caught(thread_locals_come_through_prims, &house), ["src/pool/worker.rs:2"]);
    }
}
