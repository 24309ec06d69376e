//! Leftovers: what was meant for whoever wrote a file, and not for whoever reads it.
//!
//! Knows nothing of Rust but its comments; it reads the prose of the repository too. It does not
//! read itself: a list of words that must not be written has to write them.

use crate::repository::{Repository, Violation};

/// Marks of what is not done. Code has its own: see `words`.
const MARKS: [&str; 3] = ["TODO", "FIXME", "XXX"];
/// Places that exist on the machine of one of us only.
const PLACES: [&str; 3] = ["/work/", "/root/", "/tmp/hs"];

/// What is not done is not in the repository: no comment and no document leaves a mark of it.
pub(crate) fn nothing_is_marked_as_undone(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, line, text) in prose(repository) {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(mark) = words.find(|word| MARKS.contains(word)) {
            let message =
                format!("{mark}: do it, or open an issue; a reader can do nothing with it.");
            violations.push(Violation::new(path, line, message));
        }
    }
    violations
}

/// The repository names no place on the machine it was written on.
pub(crate) fn no_machine_is_named(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| is_read(path)) {
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(place) = PLACES.iter().find(|place| is_named(place, text)) {
                let message = format!("`{place}` is a place on one machine; a reader has another.");
                violations.push(Violation::new(path, line, message));
            }
        }
    }
    violations
}

/// The lines that people write to each other: comments in Rust, all of what is not Rust.
fn prose(repository: &Repository) -> Vec<(&str, usize, &str)> {
    let mut prose = Vec::new();
    for source in repository.sources().filter(|source| is_read(&source.path)) {
        for comment in &source.comments {
            let lines = (comment.first_line..).zip(comment.text.lines());
            prose.extend(lines.map(|(line, text)| (source.path.as_str(), line, text)));
        }
    }
    let others =
        repository.texts().filter(|(path, _)| !path.ends_with(".rs") && !path.ends_with(".lock"));
    for (path, text) in others {
        prose.extend((1..).zip(text.lines()).map(|(line, text)| (path, line, text)));
    }
    prose
}

fn is_read(path: &str) -> bool {
    !path.starts_with("tests/tidy/")
}

/// Whether `text` has `place` as the beginning of a path: the `/root/` of `/usr/root/` is none.
fn is_named(place: &str, text: &str) -> bool {
    text.match_indices(place).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"._-/*>".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_mark_of_what_is_undone_is_caught() {
        let repository = [
            ("docs/design.md", "Why.\nFIXME: why?"),
            ("src/a.rs", "let todo = \"TODO\";\n/* Why.\n * XXX\n */"),
            ("src/b.rs", "// The TODO-list of an application is its own: `fixme`, XXXL."),
        ];
        assert_eq!(
            caught(nothing_is_marked_as_undone, &repository),
            ["docs/design.md:2", "src/a.rs:3", "src/b.rs:1"]
        );
    }

    #[test]
    fn a_place_on_one_machine_is_caught() {
        let repository = [
            ("README.md", "In src/work/queue.rs, or https://example.org/root/.\nRun `/root/run`."),
            ("src/a.rs", "f(\"/tmp/hs/out\", \"/tmp/out\");"),
        ];
        assert_eq!(caught(no_machine_is_named, &repository), ["README.md:2", "src/a.rs:1"]);
    }
}
