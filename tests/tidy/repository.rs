//! The repository as a set of files in memory, and what a rule may say about one of them.
//!
//! Knows nothing of any rule. A repository is read from the disk, or made up by a test that plants a
//! violation; a rule cannot tell the two apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use crate::source::Source;

/// Every file of the repository by its path, with `/` between the parts.
pub(crate) struct Repository {
    texts: BTreeMap<String, String>,
    sources: Vec<Source>,
    unit_tests: BTreeSet<Vec<String>>,
}

/// A rule of the repository finds what breaks it.
pub(crate) type Rule = fn(&Repository) -> Vec<Violation>;

/// A place where a rule is broken, and what to do about it.
pub(crate) struct Violation {
    pub(crate) path: String,
    /// From 1; 0 if it is about a file or a folder as a whole.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Repository {
    /// The repository that this test belongs to.
    pub(crate) fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = BTreeMap::new();
        read_folder(root, "", &mut texts);
        Self::of(texts)
    }

    /// A small repository for a test of a rule.
    pub(crate) fn made_up(files: &[(&str, &str)]) -> Self {
        Self::of(files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
    }

    fn of(texts: BTreeMap<String, String>) -> Self {
        let rust = texts.iter().filter(|(path, _)| path.ends_with(".rs"));
        let sources: Vec<_> = rust.map(|(path, text)| Source::read(path, text)).collect();
        let unit_tests = modules_of_unit_tests(&sources);
        Self { texts, sources, unit_tests }
    }

    /// Every file, whatever is in it.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Every file of Rust.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// The files that are compiled into the crate: those under `src` but for unit tests.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| self.is_compiled(source))
    }

    pub(crate) fn is_compiled(&self, source: &Source) -> bool {
        source.is_in_src() && !self.unit_tests.contains(&module_of(&source.path))
    }
}

/// The modules of `src` that only `#[cfg(test)] mod x;` declares.
fn modules_of_unit_tests(sources: &[Source]) -> BTreeSet<Vec<String>> {
    let in_src = sources.iter().filter(|source| source.is_in_src());
    let modules = in_src.flat_map(|source| {
        let child = |name: &str| [module_of(&source.path), vec![name.to_owned()]].concat();
        source.test_modules().into_iter().map(child).collect::<Vec<_>>()
    });
    modules.collect()
}

/// The module that a file of `src` is: `src/wait/parker.rs` is `[wait, parker]`, `src/lib.rs` is `[]`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut names: Vec<_> = path.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    names
}

fn read_folder(folder: &Path, name: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository can be read") {
        let entry = entry.expect("an entry of a folder of the repository can be read");
        let file_name = entry.file_name().into_string().expect("file names are plain text");
        let path = format!("{name}{file_name}");
        if ["target", ".git"].contains(&file_name.as_str()) {
            continue; // Not of our making: what was built, and what was.
        }
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), texts);
        } else {
            let bytes = fs::read(entry.path()).expect("a file of the repository can be read");
            texts.insert(path, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

impl Violation {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Fails with one line for each violation of `rule` in the repository.
#[track_caller]
pub(crate) fn holds(rule: Rule) {
    let violations = broken_places(rule, &Repository::here());
    let lines: Vec<_> = violations.iter().map(Violation::to_string).collect();
    assert!(lines.is_empty(), "\n\n{}\n", lines.join("\n"));
}

/// Where `rule` is broken in a repository that was made up, as `path:line`.
pub(crate) fn caught(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let violations = broken_places(rule, &Repository::made_up(files));
    violations.iter().map(|broken| format!("{}:{}", broken.path, broken.line)).collect()
}

/// In the order of the files and their lines, whatever order the rule looks in.
fn broken_places(rule: Rule, repository: &Repository) -> Vec<Violation> {
    let mut violations = rule(repository);
    violations.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_only_tests_declare_is_not_compiled() {
        let repository = Repository::made_up(&[
            ("src/lib.rs", "mod pool;"),
            ("src/pool/mod.rs", "mod job; #[cfg(test)] mod schedules;"),
            ("src/pool/job.rs", ""),
            ("src/pool/schedules.rs", ""),
        ]);
        let files: Vec<_> = repository.files().map(|file| file.path.as_str()).collect();
        assert_eq!(files, ["src/lib.rs", "src/pool/job.rs", "src/pool/mod.rs"]);
    }
}
