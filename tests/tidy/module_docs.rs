//! Door-module_docs: what each file says of itself before its first line of code.
//!
//! Knows nothing of whether a plate is true; a reader must judge that. It sees to it that there is
//! something to judge: what the file is, what it does not know, and what must always hold.

use crate::repository::{Repository, Violation};
use crate::source::Source;

/// The ways to say what a file does not know. It is as much of a wall as a missing `use`.
const IGNORANCE: [&str; 5] =
    ["knows nothing", "knows no ", "knows neither", "does not know", "knows only"];
/// The words that begin an item which does something, or is something.
const LOGIC: [&str; 9] =
    ["fn", "impl", "struct", "enum", "trait", "type", "static", "const", "macro_rules"];
const PROMISE: &str = "must always hold";

/// Every file opens with a module docs, which first says what the file is.
pub(crate) fn every_file_opens_with_a_module_doc(repository: &Repository) -> Vec<Violation> {
    let without = repository.files().filter(|file| words_in(&first_paragraph(file)) < 3);
    let message = "a file opens with `//!` docs, whose first paragraph says what it is.";
    without.map(|file| Violation::new(&file.path, 1, message)).collect()
}

/// Every module docs says what its file does not know; but the crate root knows everybody.
pub(crate) fn every_module_doc_says_what_it_does_not_know(
    repository: &Repository,
) -> Vec<Violation> {
    let files = repository.files().filter(|file| file.path != "src/lib.rs");
    let silent = files.filter(|file| {
        let plate = module_doc(file).join(" ").to_lowercase();
        !IGNORANCE.iter().any(|phrase| plate.contains(phrase))
    });
    let message = "the module docs says what the file does not know: \"Knows nothing of …\".";
    silent.map(|file| Violation::new(&file.path, 1, message)).collect()
}

/// A module docs that speaks of what must always hold goes on to say it.
pub(crate) fn what_must_always_hold_is_said(repository: &Repository) -> Vec<Violation> {
    let unsaid = repository.files().filter(|file| {
        let plate = module_doc(file).join(" ");
        plate.split_once(PROMISE).is_some_and(|(_, promise)| words_in(promise) < 3)
    });
    let message = format!("the module docs announces what {PROMISE}, and does not say it.");
    unsaid.map(|file| Violation::new(&file.path, 1, &message)).collect()
}

/// The crate root has a module docs, the list of files and the names it hands out; no logic.
pub(crate) fn the_crate_root_has_no_logic(repository: &Repository) -> Vec<Violation> {
    let doors = repository.files().filter(|file| file.path == "src/lib.rs");
    let logic = doors
        .flat_map(|door| door.code.iter().filter(|token| LOGIC.contains(&token.text.as_str())));
    let violations = logic.map(|token| {
        let message = format!("`{}` belongs in a file; the crate root has no logic.", token.text);
        Violation::new("src/lib.rs", token.first_line, message)
    });
    violations.collect()
}

/// The lines of the docs that a file begins with; none if it begins with something else.
fn module_doc(source: &Source) -> Vec<&str> {
    let first = source.comments.iter().find(|comment| comment.first_line == 1);
    let lines = first.map_or("", |comment| &comment.text).lines();
    lines.map_while(|line| line.strip_prefix("//!")).map(str::trim).collect()
}

fn first_paragraph(source: &Source) -> String {
    let plate = module_doc(source);
    let lines: Vec<_> = plate.into_iter().take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

fn words_in(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    const GOOD: &str =
        "//! A place to wait.\n//!\n//! Knows nothing\n//! of who waits.\n\nuse std::mem;";

    #[test]
    fn a_file_without_a_module_doc_is_caught() {
        let repository = [
            ("src/bare.rs", "use std::mem;\n//! A place to wait."),
            ("src/blank.rs", "//!\n//! A place to wait."),
            ("src/good.rs", GOOD),
            ("src/note.rs", "// A place to wait.\n"),
        ];
        assert_eq!(
            caught(every_file_opens_with_a_module_doc, &repository),
            ["src/bare.rs:1", "src/blank.rs:1", "src/note.rs:1"]
        );
    }

    #[test]
    fn a_module_doc_that_claims_to_know_all_is_caught() {
        let repository = [
            ("src/good.rs", GOOD),
            ("src/late.rs", "//! A place to wait.\n\n/// Knows nothing of who waits.\nfn f() {}"),
            ("src/lib.rs", "//! The crate root."),
        ];
        assert_eq!(
            caught(every_module_doc_says_what_it_does_not_know, &repository),
            ["src/late.rs:1"]
        );
    }

    #[test]
    fn a_promise_that_is_not_made_is_caught() {
        let repository = [
            ("src/empty.rs", "//! What must always hold:\n//!\n\nfn f() {}"),
            ("src/inline.rs", "//! What must always hold: nobody waits twice."),
            ("src/list.rs", "//! What must always hold:\n//!\n//! 1. Nobody waits twice."),
        ];
        assert_eq!(caught(what_must_always_hold_is_said, &repository), ["src/empty.rs:1"]);
    }

    #[test]
    fn logic_at_the_crate_root_is_caught() {
        let lib = "//! fn\nmod prims;\npub use prims::now;\nfn f() {}\n#[cfg(test)]\nmod tests { fn g() {} }";
        let repository = [("src/lib.rs", lib), ("src/prims.rs", "fn now() {}")];
        assert_eq!(caught(the_crate_root_has_no_logic, &repository), ["src/lib.rs:4"]);
    }
}
