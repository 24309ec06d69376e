//! Pages: the site has them all, the reference names all that is public, and an issue is a link.
//!
//! Knows nothing of what a page says, nor whether an issue exists: a test has no network.

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::prose;
use crate::repository::{Repository, Violation};

const SUMMARY: &str = "docs/SUMMARY.md";
const GLOSSARY: &str = "docs/glossary.md";
const WEEKENDS: &str = "docs/README.md";
const LINES_OF_A_WEEKEND: usize = 1_000;
const FRONT: &str = "src/lib.rs";

/// Every document below `docs` is a page of the site.
pub(crate) fn every_document_is_a_page(repository: &Repository) -> Vec<Violation> {
    let Some(summary) = repository.text(SUMMARY) else { return Vec::new() };
    let mut violations = Vec::new();
    for (path, _) in
        repository.texts().filter(|(path, _)| path.ends_with(".md") && *path != SUMMARY)
    {
        let is_missing = |page| !summary.contains(&format!("]({page})"));
        if path.strip_prefix("docs/").is_some_and(is_missing) {
            violations.push(Violation::new(path, 0, "it is not in docs/SUMMARY.md."));
        }
    }
    violations
}

/// Every public name is in the docs of the crate, under its subject.
pub(crate) fn every_public_name_has_its_subject(repository: &Repository) -> Vec<Violation> {
    let Some(front) = repository.text(FRONT) else { return Vec::new() };
    let docs: String = front.lines().filter(|line| line.starts_with("//!")).collect();
    let mut violations = Vec::new();
    let items = front.split("\npub use ").skip(1);
    for item in items.filter_map(|item| item.split(';').next()) {
        let names = item.rsplit("::").next().unwrap_or(item).trim_matches(['{', '}']);
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if ![format!("[`{name}`]"), format!("[`{name}()`]")]
                .iter()
                .any(|link| docs.contains(link))
            {
                let message = format!("`{name}` is public, and in none of the lists by subject.");
                violations.push(Violation::new(FRONT, 0, message));
            }
        }
    }
    violations
}

/// A word has one meaning, and so one row in the glossary.
pub(crate) fn a_word_has_one_row(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen = BTreeSet::new();
    for (line, text) in (1..).zip(repository.text(GLOSSARY).unwrap_or("").lines()) {
        let word = text.strip_prefix("| **").and_then(|text| text.split("**").next());
        if let Some(word) = word.filter(|word| !seen.insert(*word)) {
            let message = format!("`{word}` has a row already: one word means one thing.");
            violations.push(Violation::new(GLOSSARY, line, message));
        }
    }
    violations
}

/// The ways through the source say how long they are in all, and each fits in a weekend.
pub(crate) fn the_weekends_are_counted(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut sum = 0;
    for (line, text) in (1..).zip(repository.text(WEEKENDS).unwrap_or("").lines()) {
        let cells: Vec<_> = text.trim().split('|').map(str::trim).collect();
        let [_, name, lines, ..] = cells[..] else { continue };
        let Ok(lines) = lines.parse::<usize>() else { continue };
        if name != "in all" {
            sum += lines;
            continue;
        }
        if lines != sum || sum > LINES_OF_A_WEEKEND {
            let message = format!(
                "the files above are {sum} lines in all; at most {LINES_OF_A_WEEKEND} fit in a weekend."
            );
            violations.push(Violation::new(WEEKENDS, line, message));
        }
        sum = 0;
    }
    violations
}

/// The number of an issue elsewhere is a link to it: `[tokio#8056]`, and its address below.
pub(crate) fn every_issue_is_a_link(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.ends_with(".md")) {
        let addresses: BTreeMap<_, _> = text.lines().filter_map(definition).collect();
        for (line, text) in prose(text).filter(|(_, text)| definition(text).is_none()) {
            let prose: String = text.split('`').step_by(2).collect();
            for (label, number) in issues(&prose) {
                let address = label.and_then(|label| addresses.get(label)).copied().unwrap_or("");
                if !["issues", "pull"]
                    .iter()
                    .any(|kind| address.ends_with(&format!("/{kind}/{number}")))
                {
                    let message =
                        format!("make it a link: `[name#{number}]`, and its address below.");
                    violations.push(Violation::new(path, line, message));
                }
            }
        }
    }
    violations
}

/// `[label]: address`, on a line of its own.
fn definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ")
}

/// Each `#123` in a text, with the label in brackets that it stands in, if it does.
fn issues(text: &str) -> Vec<(Option<&str>, &str)> {
    let mut issues = Vec::new();
    for (at, _) in text.match_indices('#') {
        let after = &text[at + 1..];
        let number = after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        // `UAX #29` is a document; an issue has its repository before it, or is in brackets.
        let is_joined = text[..at].ends_with(|c: char| c.is_alphanumeric() || "(-".contains(c));
        if number.len() < 2 || !is_joined {
            continue;
        }
        let opened = text[..at].rfind('[').filter(|open| !text[*open..at].contains(']'));
        let label = opened.and_then(|open| Some(&text[open + 1..at + text[at..].find(']')?]));
        issues.push((label, number));
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_document_that_is_no_page_is_caught() {
        let summary = (SUMMARY, "[a](guide/a.md)\n- [b](guide/b.md)");
        let repository = [summary, ("docs/guide/a.md", ""), ("docs/c.md", ""), ("README.md", "")];
        assert_eq!(caught(every_document_is_a_page, &repository), ["docs/c.md:0"]);
    }

    #[test]
    fn a_public_name_without_a_subject_is_caught() {
        let front = "//! - [`Queue`], [`wait()`]\n\npub use a::{Queue, Item};\npub use b::wait;\n";
        let repository = Repository::made_up(&[(FRONT, front)]);
        let broken = every_public_name_has_its_subject(&repository);
        assert_eq!(broken.len(), 1);
        assert!(broken[0].message.starts_with("`Item`"));
    }

    #[test]
    fn a_weekend_that_is_longer_than_it_says_is_caught() {
        let table = "| file | lines | look for |\n   | `src/a.rs` | 19 | f |\n| `src/b.rs` | 15 | g |\n\
                     | in all | 34 | |\n| `src/c.rs` | 1 | |\n| in all | 2 | |";
        assert_eq!(caught(the_weekends_are_counted, &[(WEEKENDS, table)]), ["docs/README.md:6"]);
    }

    #[test]
    fn a_word_with_two_meanings_is_caught() {
        let repository = [(GLOSSARY, "| **turn** | a |\n| **tick** | b |\n| **turn** | c |")];
        assert_eq!(caught(a_word_has_one_row, &repository), ["docs/glossary.md:3"]);
    }

    #[test]
    fn an_issue_without_a_link_is_caught() {
        let document = "tokio#8056\n[tokio#8056], `tokio#8057`, #1, UAX #29\n(#88354)\n[go#12]\n\
                        [tokio#8056]: https://github.com/tokio-rs/tokio/issues/8056\n\
                        [go#12]: https://github.com/golang/go/issues/13";
        let repository = [("a.md", document)];
        assert_eq!(caught(every_issue_is_a_link, &repository), ["a.md:1", "a.md:3", "a.md:4"]);
    }
}
