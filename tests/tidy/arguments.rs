//! Arguments: what the compiler cannot check is argued beside the line that needs it.
//!
//! Knows nothing of whether an argument is right. A label without words is worse than none, since
//! it looks like one: it does not count.

use crate::lexer::Token;
use crate::repository::{Repository, Violation};
use crate::source::Source;

/// How many lines an argument may stand above the line that needs it.
const REACH: usize = 5;
/// `SeqCst` is not among them: it has no home here.
const ORDERINGS: [&str; 4] = ["Relaxed", "Acquire", "Release", "AcqRel"];

/// Every atomic ordering has an `ORDERING:` argument, which names its partner.
pub(crate) fn every_ordering_is_argued(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in repository.files() {
        let mut is_import = false;
        for token in &file.code {
            is_import = token.text == "use" || is_import && token.text != ";";
            let is_ordering = ORDERINGS.contains(&token.text.as_str());
            if is_ordering && !is_import && !is_argued(file, "ORDERING:", token.first_line) {
                let message = format!(
                    "`{}` without `// ORDERING: …`: which side it pairs with, and what travels across.",
                    token.text
                );
                violations.push(Violation::new(&file.path, token.first_line, message));
            }
        }
    }
    violations
}

/// Every `unsafe` block has a `SAFETY:` argument, and every `unsafe fn` says what it asks for.
pub(crate) fn every_unsafe_is_argued(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in repository.sources() {
        for tokens in source.code_and_tests() {
            for pair in tokens.windows(2).filter(|pair| pair[0].text == "unsafe") {
                let label = if pair[1].text == "fn" { "# Safety" } else { "SAFETY:" };
                let line = pair[0].first_line;
                if !is_argued(source, label, line) {
                    let message = format!(
                        "`unsafe` without `{label}`: each precondition, and what meets it."
                    );
                    violations.push(Violation::new(&source.path, line, message));
                }
            }
        }
    }
    violations
}

/// Every `expect` and every `allow` of a lint gives its reason.
pub(crate) fn every_silenced_lint_has_a_reason(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in repository.sources() {
        for tokens in source.code_and_tests() {
            for (at, line) in silenced_lints(tokens) {
                let attribute = tokens[at..].split(|token| token.text == "]").next();
                if !attribute.unwrap_or(&[]).iter().any(|token| token.text == "reason") {
                    let message =
                        "a lint is silenced for a reason: `#[expect(…, reason = \"…\")]`.";
                    violations.push(Violation::new(&source.path, line, message));
                }
            }
        }
    }
    violations
}

/// Where `[expect(` and `[allow(` stand, and on which line.
fn silenced_lints(tokens: &[Token]) -> impl Iterator<Item = (usize, usize)> {
    let three = tokens.windows(3).enumerate();
    let silencing = three.filter(|(_, three)| {
        let is_lint = three[1].text == "expect" || three[1].text == "allow";
        three[0].text == "[" && is_lint && three[2].text == "("
    });
    silencing.map(|(at, three)| (at, three[0].first_line))
}

/// Whether a comment on `line` or a little above it says `label`, and something after it.
fn is_argued(source: &Source, label: &str, line: usize) -> bool {
    source.comments.iter().any(|comment| {
        let is_near = comment.first_line <= line && line <= comment.last_line + REACH;
        let argument = comment.text.rsplit_once(label).map_or("", |(_, argument)| argument);
        let words = argument.split_whitespace().filter(|word| word.contains(char::is_alphabetic));
        is_near && words.count() >= 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    #[test]
    fn an_ordering_without_an_argument_is_caught() {
        let repository = [(
            "src/wait/token.rs",
            "use Ordering::{Acquire, Release};\n\
             fn f() {\n\
             // ORDERING: Release. Pairs with the Acquire\n\
             // in `g`: who sees `true` sees the reason.\n\
             a.store(true, Release);\n\
             }\n\
             fn g() { a.load(Relaxed) } // ORDERING: as in `f`.\n\
             \n\n\n\n\n\
             fn h() { a.load(Acquire) }",
        )];
        assert_eq!(caught(every_ordering_is_argued, &repository), ["src/wait/token.rs:13"]);
    }

    #[test]
    fn a_label_without_an_argument_is_caught() {
        let repository = [("src/wait/token.rs", "// ORDERING:\na.load(Acquire)")];
        assert_eq!(caught(every_ordering_is_argued, &repository), ["src/wait/token.rs:2"]);
    }

    #[test]
    fn an_unsafe_block_without_an_argument_is_caught() {
        let repository = [
            ("src/a.rs", "#![expect(unsafe_code)]\n\n\nunsafe { kill() }"),
            ("src/b.rs", "// SAFETY: the child is ours\n// until it is reaped.\nunsafe { kill() }"),
            ("tests/c.rs", "unsafe fn kill() {}\n"),
            ("tests/d.rs", "/// # Safety\n///\n/// The child is ours.\nunsafe fn kill() {}"),
        ];
        assert_eq!(caught(every_unsafe_is_argued, &repository), ["src/a.rs:4", "tests/c.rs:1"]);
    }

    #[test]
    fn a_lint_that_is_silenced_without_a_reason_is_caught() {
        let repository = [
            ("src/a.rs", "#![expect(unsafe_code)]\nfn f() { g().expect(\"two\") }"),
            ("src/b.rs", "#[expect(unsafe_code, reason = \"a system call\")]\nmod sys;"),
            ("tests/c.rs", "#[cfg(test)]\n#[allow(\n dead_code,\n)]\nfn f() {}"),
        ];
        assert_eq!(
            caught(every_silenced_lint_has_a_reason, &repository),
            ["src/a.rs:1", "tests/c.rs:2"]
        );
    }
}
