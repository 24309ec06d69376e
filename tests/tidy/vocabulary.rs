//! One word for one thing, and the word of the field: those that were given up do not come back.
//!
//! Knows nothing of what a file is about. A word stands in the list only if it has no other use in `src`,
//! so that it gives itself away.

use std::collections::BTreeMap;

use crate::repository::{Repository, Violation};

/// What was said before, and what is said now.
const WORDS: &[(&str, &str)] = &[
    ("Aboard", "worker context"),
    ("Admission", "push result"),
    ("Aftermath", "deferred effects"),
    ("AnyCell", "erased task"),
    ("Charge", "registry entry"),
    ("Errand", "borrowed job"),
    ("Flag", "Event"),
    ("Hope", "idle verdict"),
    ("Ledger", "worker stats"),
    ("Letter", "message"),
    ("Patience", "adaptive spin"),
    ("Proxy", "queued stub"),
    ("Seats", "task slab"),
    ("Sitter", "slot"),
    ("Threshold", "gate state"),
    ("Tray", "injector state"),
    ("Unborn", "pending task"),
    ("Ward", "managed child"),
    ("be_born", "start"),
    ("bringer", "submitter"),
    ("bystander", "waiting worker"),
    ("door", "gate"),
    ("hall", "core module"),
    ("host_before", "runtime_before"),
    ("is_in_haste", "skip the pipe grace"),
    ("leash", "signal lock"),
    ("look_out", "spin_limit"),
    ("mailbox", "channel"),
    ("posted_in", "epochs"),
    ("run_its_course", "run"),
    ("settle_down", "enter"),
    ("summon", "wake"),
    ("wing", "module"),
];

/// No file of `src` says what has another name now.
pub(crate) fn no_word_comes_back(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in repository.files() {
        let text = repository.text(&file.path).unwrap_or_default();
        for (line, text) in (1..).zip(text.lines()) {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            let found = words.find_map(|word| WORDS.iter().find(|(old, _)| *old == word));
            if let Some((old, now)) = found {
                let message = format!("`{old}` is said no more; say: {now}.");
                violations.push(Violation::new(&file.path, line, message));
            }
        }
    }
    violations
}

/// What several files may call a type of their own: what is shared of a pool, and of an executor; and what stands in the
/// lock of a file.
const OF_EACH_FILE: [&str; 3] = ["Shared", "State", "Stage"];

/// One type name means one thing, wherever in the crate it is read.
pub(crate) fn a_type_name_is_one_thing(repository: &Repository) -> Vec<Violation> {
    let mut homes = BTreeMap::new();
    let mut violations = Vec::new();
    for file in repository.files() {
        for pair in file.code.windows(2) {
            let [keyword, name] = pair else { unreachable!("there are two in a window of two") };
            let names_a_type = ["struct", "enum", "trait"].contains(&keyword.text.as_str());
            if !names_a_type || OF_EACH_FILE.contains(&name.text.as_str()) {
                continue;
            }
            let home = homes.entry(&name.text).or_insert(&file.path);
            if *home != &file.path {
                let message = format!(
                    "`{}` is a type of {home}, too: give one of them another name.",
                    name.text
                );
                violations.push(Violation::new(&file.path, name.first_line, message));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_word_that_was_given_up_is_caught_and_a_part_of_another_is_not() {
        let repository = [
            ("src/a.rs", "fn f() {}\n// It is in the hall.\nstruct Challenge;"),
            ("tests/b.rs", "let hall = Seats;"),
        ];
        assert_eq!(caught(no_word_comes_back, &repository), ["src/a.rs:2"]);
    }

    #[test]
    fn a_type_name_that_two_files_use_is_caught() {
        let repository = [
            (
                "src/a.rs",
                "struct Queue;\nstruct State;\nmod b { struct Twice; }\nmod c { struct Twice; }",
            ),
            ("src/b.rs", "struct State;\nuse crate::a::Queue;\nenum Queue {}"),
        ];
        assert_eq!(caught(a_type_name_is_one_thing, &repository), ["src/b.rs:3"]);
    }
}
