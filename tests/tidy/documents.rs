//! Documents: a link leads somewhere, and the table of the source has a row for each file.
//!
//! Knows nothing of what a document says, nor of the world outside: only links to files of the
//! repository are followed. What stands behind `#` is a heading there.

use std::collections::BTreeSet;

use crate::repository::{Repository, Violation};

/// The document that says of each file of `src` what it is.
const TABLE: &str = "docs/README.md";

/// Every relative link in a document leads to a file or a folder that exists.
pub(crate) fn every_link_leads_somewhere(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.to_owned() } else { resolved(path, file) };
            if !exists(&file, repository) {
                let message = format!("`{target}` leads nowhere: no such file from here.");
                violations.push(Violation::new(path, line, message));
            } else if !has_heading(&file, anchor, repository) {
                let message = format!("`{target}` leads nowhere: `{file}` has no such heading.");
                violations.push(Violation::new(path, line, message));
            }
        }
    }
    violations
}

/// Whether a document has the heading that an anchor names; no other file is asked for one.
fn has_heading(file: &str, anchor: &str, repository: &Repository) -> bool {
    let Some(text) = repository.text(file).filter(|_| !anchor.is_empty() && file.ends_with(".md"))
    else {
        return true;
    };
    prose(text).any(|(_, text)| {
        let heading = text.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        text.starts_with('#') && slug == anchor
    })
}

/// The table has a row for every file of `src`, and none for a file that is gone.
pub(crate) fn every_file_has_its_row(repository: &Repository) -> Vec<Violation> {
    let Some(table) = repository.text(TABLE) else { return Vec::new() };
    let mut violations = Vec::new();
    let mut in_rows = BTreeSet::new();
    for (line, text) in (1..).zip(table.lines()) {
        let Some(path) = text.strip_prefix("| `src/").and_then(|cell| cell.split('`').next())
        else {
            continue;
        };
        let path = format!("src/{path}");
        if repository.text(&path).is_none() {
            let message = format!("there is no file `{path}` any more: take its row away.");
            violations.push(Violation::new(TABLE, line, message));
        }
        in_rows.insert(path);
    }
    let in_src = repository.sources().filter(|source| source.is_in_src());
    for source in in_src.filter(|source| !in_rows.contains(&source.path)) {
        let message = format!("it has no row in the table of {TABLE}: what is it?");
        violations.push(Violation::new(&source.path, 0, message));
    }
    violations
}

/// The lines of a document but for those in blocks of code, each with its number.
pub(crate) fn prose(document: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    (1..).zip(document.lines()).filter(move |(_, text)| {
        let is_fence = text.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Where the links of a document lead that stay in the repository, and on which lines they stand.
fn links(document: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (line, text) in prose(document) {
        // `[words](target)`, and `[words]: target` on a line of its own. What stands in backticks
        // is at the odd places: it may look like either.
        let prose = text.split('`').step_by(2);
        let inline = prose.flat_map(|prose| prose.split("](").skip(1));
        let inline = inline.filter_map(|rest| rest.split([')', ' ']).next());
        let own_line = text.strip_prefix('[').and_then(|text| Some(text.split_once("]: ")?.1));
        let targets = inline.chain(own_line);
        let stay = targets.filter(|target| !target.is_empty() && !target.contains(':'));
        links.extend(stay.map(|target| (line, target)));
    }
    links
}

/// The path from the top of the repository to what a document links to.
fn resolved(document: &str, target: &str) -> String {
    let mut names: Vec<_> = document.split('/').collect();
    names.pop();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

fn exists(path: &str, repository: &Repository) -> bool {
    let is_folder = || repository.texts().any(|(file, _)| file.starts_with(&format!("{path}/")));
    path.is_empty() || repository.text(path).is_some() || is_folder()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_link_that_leads_nowhere_is_caught() {
        let repository = [
            (
                "docs/design.md",
                "[up](../README.md#our-terms), [down](guide/01.md), [no](guide/02.md)",
            ),
            ("docs/guide/01.md", "[a](../../src/a.rs)\n[b](../src/a.rs)\n\n[c]: ../glossary.md"),
            (
                "README.md",
                "## Our `terms`\n[`docs`](docs/), [us](#our-terms), [you](https://example.org/a.md)",
            ),
            ("src/a.rs", ""),
        ];
        assert_eq!(
            caught(every_link_leads_somewhere, &repository),
            ["docs/design.md:1", "docs/guide/01.md:2", "docs/guide/01.md:4"]
        );
    }

    #[test]
    fn an_anchor_that_is_no_heading_is_caught() {
        let repository = [
            ("a.md", "# Top\n[a](#top) [b](b.md#the-end-of-it)\n[c](#bottom) \n[d](b.md#end)"),
            ("b.md", "## The end, of it\n```text\n# end\n```"),
        ];
        assert_eq!(caught(every_link_leads_somewhere, &repository), ["a.md:3", "a.md:4"]);
    }

    #[test]
    fn what_looks_like_a_link_in_code_is_none() {
        let repository = [("a.md", "Call `jobs[0](b)`.\n```rust\njobs[0](b);\n```\n[b](b.md)")];
        assert_eq!(caught(every_link_leads_somewhere, &repository), ["a.md:5"]);
    }

    #[test]
    fn a_file_without_a_row_is_caught() {
        let table = "| file | what it is |\n|---|---|\n| `src/lib.rs` | the crate root |\n";
        let repository = [("docs/README.md", table), ("src/lib.rs", ""), ("src/wait/bed.rs", "")];
        assert_eq!(caught(every_file_has_its_row, &repository), ["src/wait/bed.rs:0"]);
    }

    #[test]
    fn a_row_without_a_file_is_caught() {
        let repository =
            [("docs/README.md", "\n| `src/wait/bed.rs` | where one thread sleeps |\n")];
        assert_eq!(caught(every_file_has_its_row, &repository), ["docs/README.md:2"]);
    }
}
