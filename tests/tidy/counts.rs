//! Counts: what a document says of the length of our code, in lines and in instructions, is so.
//!
//! Knows nothing of times: they are of one run on one machine, and stand beside its name.

use std::collections::BTreeMap;

use crate::documents::prose;
use crate::repository::{Repository, Violation};

/// What `benches/guard` has counted.
const GUARD: &str = "benches/guard/counts.txt";

/// Where a table has a file of `src`, or several, and behind it a number, that is their lines of code, to a tenth.
pub(crate) fn a_count_of_lines_is_right(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, text) in prose(text) {
            let cells: Vec<_> = text.split('|').map(str::trim).collect();
            for two in cells.windows(2).filter(|two| two[0].starts_with("`src/")) {
                let Ok(said) = two[1].parse::<usize>() else { continue };
                let names: Vec<_> = two[0].split(", ").map(|name| name.trim_matches('`')).collect();
                let named = repository.sources().filter(|source| names.contains(&&*source.path));
                let counts: Vec<_> = named.map(|source| source.lines_of_code).collect();
                let lines = counts.iter().sum::<usize>();
                if counts.len() < names.len() || said.abs_diff(lines) > lines / 10 + 2 {
                    let message = format!("{}: {lines} lines of code now.", two[0]);
                    violations.push(Violation::new(path, line, message));
                }
            }
        }
    }
    violations
}

/// Where a document says `1,482 instructions (`submit-join`)`, the guard has counted that, to a tenth.
pub(crate) fn a_count_of_instructions_is_right(repository: &Repository) -> Vec<Violation> {
    let counted =
        repository.text(GUARD).unwrap_or("").lines().filter_map(|line| line.split_once(' '));
    let counted: BTreeMap<_, _> = counted.map(|(path, count)| (path, count.trim())).collect();
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, text) in prose(text) {
            let parts: Vec<_> = text.split(" instructions (`").collect();
            for two in parts.windows(2) {
                let said = two[0].rsplit([' ', '(']).next().unwrap_or("").replace(',', "");
                let name = two[1].split('`').next().unwrap_or("");
                let now = counted.get(name).copied().unwrap_or("not counted");
                let both = said.parse::<usize>().ok().zip(now.parse::<usize>().ok());
                if both.is_none_or(|(said, now)| said.abs_diff(now) > now / 10) {
                    let message = format!("`{name}` is {now} in {GUARD}.");
                    violations.push(Violation::new(path, line, message));
                }
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
    fn a_count_of_lines_that_is_not_true_any_more_is_caught() {
        let twenty = "fn f() {}\n".repeat(20);
        let table = "| file | lines |\n   | `src/a.rs` | 19 | f |\n| an idea | `src/b.rs` | 15 |\n\
                     | `src/a.rs`, `src/b.rs` | 40 |\n| `src/c.rs` | 1 | |\n| 3 | `src/a.rs` | a word |";
        let repository = [("docs/a.md", table), ("src/a.rs", &twenty), ("src/b.rs", &twenty)];
        assert_eq!(caught(a_count_of_lines_is_right, &repository), ["docs/a.md:3", "docs/a.md:5"]);
    }

    #[test]
    fn a_count_of_instructions_that_is_not_true_any_more_is_caught() {
        let counts = "# Counted.\ncompiler rustc 1\n\nsleep       1732\nyield    308\n";
        let document = "A sleep is 1,732 instructions (`sleep`), a yield\n400 instructions (`yield`), and\n\
                        91 instructions (`join`).";
        let repository = [(GUARD, counts), ("docs/a.md", document)];
        assert_eq!(
            caught(a_count_of_instructions_is_right, &repository),
            ["docs/a.md:2", "docs/a.md:3"]
        );
    }
}
