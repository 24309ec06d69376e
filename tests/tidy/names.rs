//! Names in prose: what a document names in backticks exists.
//!
//! Knows nothing of what a sentence says of a name. A span in backticks that is one path, such as
//! `Queue::put`, is looked at word by word; of any other span, only words that look like code, with
//! an underscore or a capital inside. A word exists if some file of Rust or the manifest says it, or
//! a block of code of the same document, or if it is the name of a file. What is not ours stands in
//! the lists below; or in a column of a table that is headed by a language or a crate; or it begins
//! with the name of one, as `asyncio.gather` does.

use std::collections::{BTreeSet, HashSet};

use crate::documents::prose;
use crate::repository::{Repository, Violation};

/// Languages, crates and modules whose names are not ours: as a head of a column, or of a path.
const FOREIGN: [&str; 14] = [
    "Python",
    "asyncio",
    "concurrent",
    "crossbeam",
    "futures",
    "loop",
    "rayon",
    "smol",
    "statistics",
    "std",
    "subprocess",
    "threading",
    "tokio",
    "trio",
];

/// Folders at the top. What begins with one of them is a path from there.
const FOLDERS: [&str; 5] = [".ci", "benches", "docs", "src", "tests"];

/// Words that are not in the repository, and why they are named all the same.
const ALLOWED: [(&str, &[&str]); 5] = [
    (
        "Python's",
        &[
            "CancelScope",
            "CancelledError",
            "CompletedProcess",
            "Event",
            "FIRST_COMPLETED",
            "Popen",
            "ThreadPoolExecutor",
            "aclosing",
            "all_tasks",
            "buffersize",
            "call_soon_threadsafe",
            "cancel_futures",
            "chunksize",
            "create_task",
            "finally",
            "get_running_loop",
            "maxsize",
            "print_call_graph",
            "return_exceptions",
            "run_coroutine_threadsafe",
            "slow_callback_duration",
            "task_done",
            "to_thread",
            "yield",
        ],
    ),
    (
        "rustc's, and other crates'",
        &["SeqCst", "buffered", "embassy", "glommio", "gungraun", "monoio", "unused_must_use"],
    ),
    (
        "programs",
        &[
            "jdupes", "parallel", "perf", "rdfind", "rustup", "scancel", "setsid", "sudo", "tr",
            "wc", "xargs",
        ],
    ),
    (
        "the system's, a C library's, or Go's",
        &[
            "CPU",
            "NO_COLOR",
            "PR_SET_PDEATHSIG",
            "PYTHONUNBUFFERED",
            "ProctrackType",
            "SelectType",
            "TaskPlugin",
            "WaitDelay",
            "cons_tres",
            "io_uring",
            "park_timeout",
            "pid_max",
            "posix_spawn",
            "timerfd",
            "timerslack_ns",
        ],
    ),
    (
        "what an exercise asks the reader to write, or an example stands for",
        &[
            "is_one_on_its_way",
            "merge",
            "run_until_stalled",
            "take_until",
            "try_map_concurrent",
            "your_row",
        ],
    ),
];

/// Every name of code in the prose of a document exists.
pub(crate) fn every_name_in_prose_exists(repository: &Repository) -> Vec<Violation> {
    let names = Names::of(repository);
    let mut violations = Vec::new();
    // A changelog may name what is gone.
    let is_read = |path: &str| path.ends_with(".md") && path != "CHANGELOG.md";
    for (path, text) in repository.texts().filter(|(path, _)| is_read(path)) {
        let own: BTreeSet<_> = code_blocks(text).flat_map(words).collect();
        let is_known = |word: &str| own.contains(word) || names.has(word);
        let mut foreign_columns = Vec::new();
        for (line, text) in prose(text) {
            for span in spans(text, &mut foreign_columns) {
                let mut named = names_in(span);
                if is_lost_path(span, path, repository) {
                    let message = format!("there is no `{span}`, or not any more.");
                    violations.push(Violation::new(path, line, message));
                } else if let Some(word) = named.find(|word| !is_known(word)) {
                    let message = format!("`{span}`: there is no `{word}` here, or not any more.");
                    violations.push(Violation::new(path, line, message));
                } else if let Some((owner, member)) = pair(span)
                    && !names.are_together(owner, member)
                    && !(own.contains(owner) && own.contains(member))
                {
                    let message = format!("no file that names `{owner}` names `{member}`.");
                    violations.push(Violation::new(path, line, message));
                }
            }
        }
    }
    violations
}

/// The names of the repository, and in which files of Rust they are.
pub(crate) struct Names<'repository> {
    files: Vec<HashSet<&'repository str>>,
    /// Those of all files, of the manifest, of paths, and those that are allowed.
    all: HashSet<&'repository str>,
}

impl<'repository> Names<'repository> {
    pub(crate) fn of(repository: &'repository Repository) -> Self {
        let mut files = Vec::new();
        for source in repository.sources() {
            let tokens = source.code_and_tests().into_iter().flatten();
            files.push(tokens.map(|token| token.text.as_str()).collect::<HashSet<_>>());
        }
        let mut all: HashSet<_> = files.iter().flatten().copied().collect();
        all.extend(ALLOWED.iter().flat_map(|(_, words)| *words));
        for (path, text) in repository.texts() {
            all.extend(words(path));
            if path.ends_with("Cargo.toml") {
                all.extend(words(text));
            } else if path.ends_with(".rs") {
                // What a program reads from its environment is in a string.
                all.extend(words(text).filter(|word| is_loud(word)));
            }
        }
        Self { files, all }
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.all.contains(word)
    }

    fn are_together(&self, owner: &str, member: &str) -> bool {
        let mut files = self.files.iter();
        is_allowed(member) || files.any(|words| words.contains(owner) && words.contains(member))
    }
}

fn is_allowed(word: &str) -> bool {
    ALLOWED.iter().any(|(_, words)| words.contains(&word))
}

/// The words of a span that must exist.
fn names_in(span: &str) -> impl Iterator<Item = &str> {
    let path = span.split(['(', '<', '!']).next().unwrap_or(span).trim_start_matches('&');
    let is_word = |part: &str| !part.is_empty() && part.chars().all(is_of_word);
    let is_path = path.split("::").flat_map(|part| part.split('.')).all(is_word)
        && !path.starts_with(|c: char| c.is_ascii_digit());
    let is_foreign = FOREIGN.iter().any(|name| {
        span.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
    });
    // What begins with a dash or holds one is an option or the name of a program.
    let other = span.split(|c| !is_of_word(c) && c != '-').filter(|word| !word.contains('-'));
    let named: Vec<_> = match (is_foreign, is_path) {
        (true, _) => Vec::new(),
        (false, true) => words(path).collect(),
        (false, false) => other.filter(|word| is_code(word)).collect(),
    };
    named.into_iter()
}

/// An underscore inside, or a capital behind a small letter.
pub(crate) fn is_code(word: &str) -> bool {
    let mut pairs = word.as_bytes().windows(2);
    word.trim_matches('_').contains('_')
        || pairs.any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

fn is_loud(word: &str) -> bool {
    word.len() > 1 && word.chars().all(|c| !c.is_lowercase())
}

/// Whether a span says where a file or a folder of the repository is, and there is none.
fn is_lost_path(span: &str, document: &str, repository: &Repository) -> bool {
    let is_below = |folder: &&str| span.starts_with(&format!("{folder}/"));
    // `your_row.rs` is the reader's to write.
    let is_plain =
        span.chars().all(|c| is_of_word(c) || "./-".contains(c)) && !span.contains("/your_");
    let path = span.trim_end_matches('/');
    let package = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_there = |(file, _): (&str, &str)| {
        let from_here = file.strip_prefix(package).unwrap_or(file).trim_start_matches('/');
        let rests = [file, from_here].map(|file| file.strip_prefix(path));
        rests.into_iter().flatten().any(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    FOLDERS.iter().any(is_below) && is_plain && !repository.texts().any(is_there)
}

/// `Owner::member`, if the span is that.
fn pair(span: &str) -> Option<(&str, &str)> {
    let (owner, member) = span.split(['(', '<']).next()?.split_once("::")?;
    let is_word = |word: &str| word.chars().all(is_of_word);
    (owner.starts_with(char::is_uppercase) && is_word(owner) && is_word(member))
        .then_some((owner, member))
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c| !is_of_word(c));
    // One letter stands for something: `f`, `T`.
    words.filter(|word| word.len() > 1 && word.starts_with(|c: char| !c.is_ascii_digit()))
}

/// What stands in backticks on a line, but for cells of foreign columns, which are remembered from
/// the head of a table to its end.
fn spans<'text>(text: &'text str, foreign_columns: &mut Vec<usize>) -> Vec<&'text str> {
    if !text.starts_with('|') {
        foreign_columns.clear();
        return text.split('`').skip(1).step_by(2).collect();
    }
    let cells: Vec<_> = text.split('|').collect();
    let head = |cell: &&str| FOREIGN.contains(&cell.trim().trim_matches(['`', '*']));
    if cells.iter().any(head) && foreign_columns.is_empty() {
        *foreign_columns = (0..cells.len()).filter(|at| head(&cells[*at])).collect();
    }
    let ours = cells.iter().enumerate().filter(|(at, _)| !foreign_columns.contains(at));
    ours.flat_map(|(_, cell)| cell.split('`').skip(1).step_by(2)).collect()
}

/// The blocks of code in a document.
pub(crate) fn code_blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    const QUEUE: (&str, &str) =
        ("src/sync/queue.rs", "impl Queue { fn put() {} fn try_put() { \"of_a_text\" } }");
    const FLAG: (&str, &str) = ("src/sync/event.rs", "struct Event { fn set() {} }");

    fn caught_in(document: &str) -> Vec<String> {
        let repository = [QUEUE, FLAG, ("docs/a.md", document)];
        caught(every_name_in_prose_exists, &repository)
    }

    #[test]
    fn a_name_that_is_gone_is_caught() {
        let document =
            "`put`, `Queue::try_put(1)`, `queue.rs`\n`take_first`\n`Queue::get`\n`Event`.";
        assert_eq!(caught_in(document), ["docs/a.md:2", "docs/a.md:3"]);
    }

    #[test]
    fn a_name_in_the_midst_of_code_is_caught() {
        assert_eq!(caught_in("`is_put[at] = false`\n`let x = try_put(y)`"), ["docs/a.md:1"]);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_caught() {
        let document =
            "`src/sync/queue.rs`, `src/sync/`, `docs/`\n`src/sync/bed.rs`\n`src/**/*.rs`";
        assert_eq!(caught_in(document), ["docs/a.md:2"]);
    }

    #[test]
    fn a_member_of_another_is_caught() {
        assert_eq!(caught_in("`Queue::put`\n`Event::put`"), ["docs/a.md:2"]);
    }

    #[test]
    fn a_name_that_only_a_text_says_is_caught() {
        assert_eq!(caught_in("`of_a_text`"), ["docs/a.md:1"]);
    }

    #[test]
    fn names_of_a_block_and_foreign_names_may_stand() {
        let document = "```rust\nfn bed() {}\n```\n`bed` `asyncio.gather` `task_done`\n\
                        | `asyncio` | here |\n|---|---|\n| `gather` | `nap` |\n\n`gather`";
        assert_eq!(caught_in(document), ["docs/a.md:7", "docs/a.md:9"]);
    }
}
