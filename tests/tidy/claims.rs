//! Tests: each is named after what it claims, and none hopes that a sleep is long enough.
//!
//! Knows nothing of whether a claim is proved. It reads the tests of the whole repository: those in
//! `tests`, and the unit tests of `src`.

use crate::lexer::Token;
use crate::repository::{Repository, Violation};
use crate::source::lines_that_say;

const WORDS_OF_A_CLAIM: usize = 3;

/// The tests that may sleep, and why each must. To order events, none may.
const MAY_SLEEP: [(&str, &str); 0] = [];

/// A test is named after what it claims: `a_panicking_job_leaves_its_worker_alive`.
pub(crate) fn a_test_is_named_after_its_claim(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in repository.sources() {
        for name in source.code_and_tests().into_iter().flat_map(names_of_tests) {
            let words = name.text.split('_').filter(|word| !word.is_empty()).count();
            if words < WORDS_OF_A_CLAIM || name.text.starts_with("test_") {
                let message =
                    format!("`{}` names no claim. What is true when this test passes?", name.text);
                violations.push(Violation::new(&source.path, name.first_line, message));
            }
        }
    }
    violations
}

/// No test sleeps to order events: there are gates, traces and the jumping clock for that.
pub(crate) fn no_test_sleeps_to_order_events(repository: &Repository) -> Vec<Violation> {
    sleeps_without_an_excuse(repository, &MAY_SLEEP)
}

fn sleeps_without_an_excuse(repository: &Repository, excuses: &[(&str, &str)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in repository.sources() {
        let path = source.path.as_str();
        let is_excused = excuses.iter().any(|(excused, _)| path == *excused);
        // In `tests`, helpers are tests too; elsewhere the code is no test and may do as it likes.
        let helpers: &[Token] = if path.starts_with("tests/") { &source.code } else { &[] };
        let tests = [helpers, &source.tests].into_iter();
        let sleeps: Vec<_> =
            tests.flat_map(|tokens| lines_that_say("thread::sleep", tokens)).collect();
        if is_excused && sleeps.is_empty() {
            let message = "it may sleep and does not: take it off `MAY_SLEEP`.";
            violations.push(Violation::new(path, 1, message));
        } else if !is_excused {
            let message = "a test does not sleep to order events: use a gate, a trace or the jumping clock. \
                           If it is about time itself, say so in `MAY_SLEEP` (tests/tidy/claims.rs).";
            violations.extend(sleeps.into_iter().map(|line| Violation::new(path, line, message)));
        }
    }
    violations
}

/// The document that says of each model check what it is good for.
const TABLE_OF_CHECKS: &str = "docs/design.md";

/// The table of model checks has a row for each, but for those that *would* go wrong, and must.
pub(crate) fn every_model_check_has_its_row(repository: &Repository) -> Vec<Violation> {
    let table = repository.text(TABLE_OF_CHECKS).unwrap_or_default().replace('\'', "");
    let mut violations = Vec::new();
    for source in repository.sources().filter(|source| source.path.starts_with("tests/model/")) {
        for name in source.code_and_tests().into_iter().flat_map(names_of_tests) {
            let row = format!("| {} |", name.text.replace('_', " "));
            if !name.text.contains("_would_") && !table.contains(&row) {
                let message = format!("it has no row in {TABLE_OF_CHECKS}: `{row}`");
                violations.push(Violation::new(&source.path, name.first_line, message));
            }
        }
    }
    violations
}

/// The names of the functions under `#[test]`, or under another crate's attribute `test`.
fn names_of_tests(tokens: &[Token]) -> Vec<&Token> {
    let is_attribute = |at: &usize| {
        let before = at.checked_sub(1).map_or("", |before| &tokens[before].text);
        let after = tokens.get(at + 1).map_or("", |after| &after.text);
        tokens[*at].text == "test" && ["[", "::"].contains(&before) && ["]", "("].contains(&after)
    };
    let attributes = (0..tokens.len()).filter(is_attribute);
    let names = attributes.filter_map(|at| {
        let keyword = tokens[at..].iter().position(|token| token.text == "fn")?;
        tokens.get(at + keyword + 1)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn a_test_without_a_claim_is_caught() {
        let repository = [
            ("src/a.rs", "#[cfg(test)]\nmod tests {\n#[test]\nfn works() {} }"),
            ("tests/b.rs", "#[test]\n#[should_panic]\nfn test_that_it_works() {}\nfn helper() {}"),
            ("tests/c.rs", "#[test]\nfn a_queued_job_can_be_cancelled() {}"),
            (
                "tests/interop/d.rs",
                "#[tokio::test(flavor = \"x\")]\nasync fn main() {}\n#[cfg(test)] fn a() {}",
            ),
        ];
        assert_eq!(
            caught(a_test_is_named_after_its_claim, &repository),
            ["src/a.rs:4", "tests/b.rs:3", "tests/interop/d.rs:2"]
        );
    }

    #[test]
    fn a_test_that_sleeps_is_caught() {
        let repository = [
            ("docs/examples/a.rs", "fn main() { std::thread::sleep(second) }"),
            ("src/b.rs", "#[cfg(test)]\nmod tests { fn f() { std::thread::sleep(second) } }"),
            ("tests/c.rs", "use std::{time::Duration,\n thread::{self, sleep}};"),
            (
                "tests/d.rs",
                "fn f() { executor::sleep(second).await; token.sleep(second); thread::spawn(g) }",
            ),
        ];
        assert_eq!(
            caught(no_test_sleeps_to_order_events, &repository),
            ["src/b.rs:2", "tests/c.rs:2"]
        );
    }

    #[test]
    fn a_model_check_without_a_row_is_caught() {
        let checks = "#[test]\nfn a_job_is_nobody_elses() {}\n#[test]\nfn a_wake_is_lost() {}\n\
                      #[test]\nfn a_relaxed_look_would_lose_it() {}";
        let repository = [
            ("docs/design.md", "| a job is nobody else's | two claimants | all 6 | |"),
            ("tests/model/a.rs", checks),
        ];
        assert_eq!(caught(every_model_check_has_its_row, &repository), ["tests/model/a.rs:4"]);
    }

    #[test]
    fn an_excuse_that_nobody_needs_is_caught() {
        let repository =
            Repository::made_up(&[("tests/a.rs", "thread::sleep(second)"), ("tests/b.rs", "")]);
        let violations =
            sleeps_without_an_excuse(&repository, &[("tests/a.rs", "why"), ("tests/b.rs", "why")]);
        let paths: Vec<_> = violations.iter().map(|broken| broken.path.as_str()).collect();
        assert_eq!(paths, ["tests/b.rs"]);
    }
}
