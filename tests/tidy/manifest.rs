//! The manifest: what the crate leans on, what lies at the top of the repository, what changed.
//!
//! Knows nothing of TOML but lines: `[section]`, and `key = value` below it. The manifest of the
//! crate is written that way, one dependency a line, each with its reason behind it.

use std::collections::BTreeSet;

use crate::repository::{Repository, Violation};

/// What the crate may lean on, by section. A new name is a change of the design.
const DEPENDENCIES: [(&str, &[&str]); 5] = [
    ("dependencies", &["parking_lot", "crossbeam-channel", "futures-core"]),
    ("target.'cfg(unix)'.dependencies", &["libc"]),
    // One explores interleavings, the other what a processor may reorder; neither does both.
    ("target.'cfg(handspun_model)'.dependencies", &["shuttle", "loom"]),
    (
        "dev-dependencies",
        &[
            "indicatif",
            "lexopt",
            "httparse",
            "unicode-segmentation",
            "tempfile",
            "hdrhistogram",
            "divan",
            "similar",
        ],
    ),
    ("target.'cfg(unix)'.dev-dependencies", &["signal-hook"]),
];

/// What lies at the top of the repository, licences and git's own files aside.
const TOP: [&str; 11] = [
    ".ci",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "benches",
    "clippy.toml",
    "docs",
    "rustfmt.toml",
    "src",
    "tests",
];

const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// The crate leans on what the design names, and on nothing else.
pub(crate) fn the_crate_leans_on_what_the_design_names(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for entry in manifest(repository) {
        let is_dependency = entry.section.contains("dependencies");
        let is_known = DEPENDENCIES
            .iter()
            .any(|(section, names)| entry.section == *section && names.contains(&entry.key));
        if is_dependency && !is_known {
            let message =
                format!("`{}` under [{}] is not in the design.", entry.key, entry.section);
            violations.push(Violation::new("Cargo.toml", entry.line, message));
        }
        if entry.key == "futures-core" && !entry.value.contains("optional = true") {
            let message =
                "`futures-core` is optional: who does not ask for streams does not build it.";
            violations.push(Violation::new("Cargo.toml", entry.line, message));
        }
    }
    violations
}

/// Every dependency in a lock file comes from crates.io, whatever mirror it was fetched from.
pub(crate) fn every_dependency_comes_from_crates_io(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.ends_with("Cargo.lock")) {
        for (line, text) in (1..).zip(text.lines()) {
            if text.starts_with("source = ") && text != CRATES_IO {
                violations.push(Violation::new(path, line, "a dependency comes from crates.io."));
            }
        }
    }
    violations
}

/// The top of the repository holds what the plan of the repository shows.
pub(crate) fn the_top_of_the_repository_is_in_order(repository: &Repository) -> Vec<Violation> {
    let top = repository.texts().filter_map(|(path, _)| path.split('/').next());
    let mut strangers: BTreeSet<_> = top.collect();
    strangers.retain(|name| {
        !TOP.contains(name) && !name.starts_with("LICENSE-") && !name.starts_with(".git")
    });
    let message =
        "the plan of the repository has no such thing at its top (tests/tidy/manifest.rs).";
    strangers.into_iter().map(|name| Violation::new(name, 0, message)).collect()
}

/// Every example is registered: cargo does not look for it where the documents live.
pub(crate) fn every_example_is_registered(repository: &Repository) -> Vec<Violation> {
    let entries = manifest(repository);
    let registered: Vec<_> =
        entries.iter().filter(|entry| entry.section == "example" && entry.key == "path").collect();
    let missing = repository.texts().map(|(path, _)| path).filter(|path| {
        is_example(path) && !registered.iter().any(|entry| entry.value.trim_matches('"') == *path)
    });
    missing
        .map(|path| Violation::new(path, 1, "Cargo.toml has no [[example]] with this path."))
        .collect()
}

/// The changelog speaks of the version in the manifest, or of what is not released yet.
pub(crate) fn the_changelog_is_up_to_date(repository: &Repository) -> Vec<Violation> {
    let entries = manifest(repository);
    let version = entries.iter().find(|entry| entry.section == "package" && entry.key == "version");
    let version = version.map_or("", |entry| entry.value.trim_matches('"'));
    let mut headings = repository
        .text("CHANGELOG.md")
        .unwrap_or("")
        .lines()
        .filter(|line| line.starts_with("## "));
    if headings.any(|heading| heading.contains("Unreleased") || heading.contains(version)) {
        return Vec::new();
    }
    let message = format!("it has no `## Unreleased`, and no section for {version}.");
    vec![Violation::new("CHANGELOG.md", 1, message)]
}

/// `docs/examples/a.rs` or `docs/examples/a/main.rs`; what else lies there is part of an example.
fn is_example(path: &str) -> bool {
    let Some(path) = path.strip_prefix("docs/examples/") else {
        return false;
    };
    match path.split('/').collect::<Vec<_>>()[..] {
        [file] => file.ends_with(".rs"),
        [_, file] => file == "main.rs",
        _ => false,
    }
}

/// A line `key = value` of the manifest.
struct Entry<'repository> {
    section: &'repository str,
    key: &'repository str,
    value: &'repository str,
    line: usize,
}

fn manifest(repository: &Repository) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let mut section = "";
    for (line, text) in (1..).zip(repository.text("Cargo.toml").unwrap_or("").lines()) {
        let text = text.split(" #").next().unwrap_or(text).trim();
        if text.starts_with('[') {
            section = text.trim_matches(['[', ']']);
        } else if let Some((key, value)) = text.split_once('=') {
            entries.push(Entry { section, key: key.trim(), value: value.trim(), line });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_dependency_off_the_plan_is_caught() {
        let manifest = "[dependencies]\n\
                        parking_lot = \"0.12\" # a mutex of one byte\n\
                        rayon = \"1\"\n\
                        futures-core = \"0.3\"\n\
                        [target.'cfg(unix)'.dependencies]\n\
                        libc = \"0.2\"\n\
                        shuttle = \"0.9\"\n\
                        [lints.rust]\n\
                        unsafe_code = \"deny\"\n\
                        [build-dependencies.cc]\n\
                        version = \"1\"";
        assert_eq!(
            caught(the_crate_leans_on_what_the_design_names, &[("Cargo.toml", manifest)]),
            ["Cargo.toml:3", "Cargo.toml:4", "Cargo.toml:7", "Cargo.toml:11"]
        );
    }

    #[test]
    fn a_lock_file_that_names_a_mirror_is_caught() {
        let lock = format!(
            "[[package]]\n{CRATES_IO}\n[[package]]\nsource = \"registry+https://mirror.example\""
        );
        let repository = [("benches/Cargo.lock", lock.as_str())];
        assert_eq!(
            caught(every_dependency_comes_from_crates_io, &repository),
            ["benches/Cargo.lock:4"]
        );
    }

    #[test]
    fn a_stranger_at_the_top_is_caught() {
        let repository = [
            ("Cargo.toml", ""),
            ("LICENSE-MIT", ""),
            ("examples/a.rs", ""),
            ("src/lib.rs", ""),
            ("x", ""),
        ];
        assert_eq!(
            caught(the_top_of_the_repository_is_in_order, &repository),
            ["examples:0", "x:0"]
        );
    }

    #[test]
    fn an_example_that_is_not_registered_is_caught() {
        let repository = [
            ("Cargo.toml", "[[example]]\nname = \"a\"\npath = \"docs/examples/a/main.rs\""),
            ("docs/examples/a/main.rs", ""),
            ("docs/examples/a/part.rs", ""),
            ("docs/examples/b.rs", ""),
            ("docs/examples/c/main.rs", ""),
        ];
        assert_eq!(
            caught(every_example_is_registered, &repository),
            ["docs/examples/b.rs:1", "docs/examples/c/main.rs:1"]
        );
    }

    #[test]
    fn a_changelog_that_lags_behind_is_caught() {
        let manifest = ("Cargo.toml", "[package]\nversion = \"0.2.0\"");
        let with = |changelog| {
            caught(the_changelog_is_up_to_date, &[manifest, ("CHANGELOG.md", changelog)])
        };
        assert_eq!(with("# Changelog\n\n0.2.0\n\n## 0.1.0"), ["CHANGELOG.md:1"]);
        assert_eq!(with("## [0.2.0] - 2026-12-01"), [""; 0]);
        assert_eq!(with("## Unreleased\n\n## 0.1.0"), [""; 0]);
    }
}
