//! How much there is to read: the book is for one weekend, and a chapter is one idea.
//!
//! Knows nothing of what is written, only of how many lines of code it takes: docs, comments,
//! blank lines and unit tests do not count.

use std::collections::BTreeMap;

use crate::repository::{Repository, Violation, module_of};

/// A file is one idea.
const LINES_OF_A_FILE: usize = 250;
/// All of `src`. A feature that does not fit displaces another.
const LINES_OF_THE_CRATE: usize = 8_800;
/// A reader must be able to say which file a line is in.
const FILES_OF_THE_CRATE: usize = 70;

/// A file has at most 250 lines of code; most have far fewer.
pub(crate) fn a_file_is_one_idea(repository: &Repository) -> Vec<Violation> {
    let too_long = repository.files().filter(|module| module.lines_of_code > LINES_OF_A_FILE);
    let violations = too_long.map(|module| {
        let message = format!(
            "{} lines of code; a file has {LINES_OF_A_FILE} at most. Split it by idea, not by length.",
            module.lines_of_code
        );
        Violation::new(&module.path, LINES_OF_A_FILE, message)
    });
    violations.collect()
}

/// The whole of `src` is a book for one weekend.
pub(crate) fn the_crate_is_small_on_purpose(repository: &Repository) -> Vec<Violation> {
    let lines = lines_of_modules(repository).values().sum::<usize>();
    let counts = [
        (lines, LINES_OF_THE_CRATE, "lines of code"),
        (repository.files().count(), FILES_OF_THE_CRATE, "files"),
    ];
    let too_many = counts.into_iter().filter(|(count, limit, _)| count > limit);
    let violations = too_many.map(|(count, limit, of_what)| {
        let message = format!(
            "{count} {of_what} in all; the budget is {limit}. What is new displaces something."
        );
        Violation::new("src", 0, message)
    });
    violations.collect()
}

/// The lines of code of each file and of each module, and the sum. `cargo test --test tidy -- --nocapture` shows it.
pub(crate) fn table(repository: &Repository) -> String {
    let modules = lines_of_modules(repository);
    let total = modules.values().sum::<usize>();
    let mut table = String::from("lines of code, docs and tests aside\n");
    for file in repository.files() {
        table += &format!("{:>6}  {}\n", file.lines_of_code, file.path);
    }
    for (module, lines) in &modules {
        table += &format!("{lines:>6}  {module}\n");
    }
    table + &format!("{total:>6}  of {LINES_OF_THE_CRATE}\n")
}

fn lines_of_modules(repository: &Repository) -> BTreeMap<String, usize> {
    let mut modules = BTreeMap::new();
    for file in repository.files() {
        let module = module_of(&file.path).first().cloned().unwrap_or("lib".to_owned());
        *modules.entry(module).or_default() += file.lines_of_code;
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_file_of_251_lines_is_caught() {
        let long_docs = "//! Docs.\n".repeat(999) + &"f();\n".repeat(250);
        let long_code = "f();\n".repeat(251);
        let repository = [("src/docs.rs", long_docs.as_str()), ("src/code.rs", &long_code)];
        assert_eq!(caught(a_file_is_one_idea, &repository), ["src/code.rs:250"]);
    }

    #[test]
    fn a_crate_of_a_line_too_many_is_caught() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "f();\n".repeat(999));
        let enough = "f();\n".repeat(LINES_OF_THE_CRATE - 1);
        let full = [("src/a.rs", enough.as_str()), ("src/b.rs", "g();"), ("src/c.rs", &tests)];
        assert_eq!(caught(the_crate_is_small_on_purpose, &full), [""; 0]);
        let overfull = [full[0], full[1], full[2], ("src/d.rs", "h();")];
        assert_eq!(caught(the_crate_is_small_on_purpose, &overfull), ["src:0"]);
    }

    #[test]
    fn a_crate_of_a_file_too_many_is_caught() {
        let paths: Vec<_> = (0..=FILES_OF_THE_CRATE).map(|n| format!("src/n{n}.rs")).collect();
        let files: Vec<_> = paths.iter().map(|path| (path.as_str(), "f();")).collect();
        assert_eq!(caught(the_crate_is_small_on_purpose, &files[..FILES_OF_THE_CRATE]), [""; 0]);
        assert_eq!(caught(the_crate_is_small_on_purpose, &files), ["src:0"]);
    }

    #[test]
    fn the_table_counts_by_file_and_by_module() {
        let repository = Repository::made_up(&[
            ("src/lib.rs", "mod wait;"),
            ("src/wait/mod.rs", "mod a;\nmod b;"),
            ("src/wait/a.rs", "f();"),
        ]);
        let table = table(&repository);
        let numbers: Vec<_> = table.lines().skip(1).map(str::trim).collect();
        assert_eq!(
            numbers,
            [
                "1  src/lib.rs",
                "1  src/wait/a.rs",
                "2  src/wait/mod.rs",
                "1  lib",
                "3  wait",
                &*format!("4  of {LINES_OF_THE_CRATE}")
            ]
        );
    }
}
