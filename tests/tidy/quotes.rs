//! Quotations: what a document shows of the source stands there, word for word.
//!
//! Knows nothing of what a quotation is to show. A block of code in a document either runs as a
//! test or is a quotation: it is tagged `rs`, which cargo does not collect as a test, and its first
//! line names a file of `src`. A block that is tagged `ignore` is neither, and not wanted.
//! So the source cannot change under a chapter without somebody being told which one.

use crate::repository::{Repository, Violation};

/// A line that stands for others which are left out.
const SKIPS: [&str; 2] = ["…", "// …"];

/// Every quotation in a document stands in the file that it names.
///
/// Leading space does not count. A line `// …` leaves lines out; what follows it stands further
/// down in the file.
pub(crate) fn every_quotation_stands_in_its_file(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.ends_with(".md")) {
        for block in blocks(text).iter().filter(|block| block.is_not_run()) {
            if let Err((line, message)) = check(block, repository) {
                violations.push(Violation::new(path, line, message));
            }
        }
    }
    violations
}

/// A block between two fences.
struct Block<'text> {
    /// What stands behind the opening fence: `rs`.
    tag: &'text str,
    /// Of the opening fence.
    line: usize,
    lines: Vec<&'text str>,
}

impl Block<'_> {
    fn is_not_run(&self) -> bool {
        self.tag.split(',').any(|word| ["rs", "ignore"].contains(&word.trim()))
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (line, text) in (1..).zip(text.lines()) {
        match (text.trim().strip_prefix("```"), &mut open) {
            (Some(tag), None) => open = Some(Block { tag, line, lines: Vec::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(text.trim()),
            (None, None) => {}
        }
    }
    blocks.extend(open);
    blocks
}

/// `Err` is the line that is wrong, and what is wrong with it.
fn check(block: &Block<'_>, repository: &Repository) -> Result<(), (usize, String)> {
    let first = block.lines.first().map_or("", |first| *first);
    let Some(file) = first.strip_prefix("// ").filter(|file| file.starts_with("src/")) else {
        let message = "code that is not run is a quotation, and names its file: `// src/…`.";
        return Err((block.line, message.to_owned()));
    };
    let Some(source) = repository.text(file) else {
        return Err((block.line + 1, format!("there is no file `{file}` to quote from.")));
    };
    let source: Vec<_> = source.lines().map(str::trim).collect();
    let mut rest = source.as_slice();
    let mut line = block.line + 2;
    for passage in block.lines[1..].split(|line| SKIPS.contains(line)) {
        match rest.windows(passage.len().max(1)).position(|window| window == passage) {
            Some(at) => rest = &rest[at + passage.len()..],
            None if passage.is_empty() => {} // Two skips in a row, or one at an end.
            None => {
                let message = format!(
                    "`{file}` does not say this, or not in this place: quote it as it stands now."
                );
                return Err((line, message));
            }
        }
        line += passage.len() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    const PARKER: (&str, &str) =
        ("src/wait/parker.rs", "fn park() {\n    look();\n    sleep();\n\n    wake();\n}\n");

    fn caught_in(document: &str) -> Vec<String> {
        caught(every_quotation_stands_in_its_file, &[PARKER, ("docs/guide/a.md", document)])
    }

    #[test]
    fn a_faithful_quotation_may_stand() {
        let whole = "```rs\n// src/wait/parker.rs\n  look();\n  sleep();\n```";
        assert_eq!(caught_in(whole), [""; 0]);
        let skipping =
            "```rs\n// src/wait/parker.rs\nlook();\n// …\n\nwake();\n…\n```\n```text\na\n```";
        assert_eq!(caught_in(skipping), [""; 0]);
    }

    #[test]
    fn a_stale_quotation_is_caught() {
        let stale = "Look:\n\n```rs\n// src/wait/parker.rs\nlook();\nwake();\n```";
        assert_eq!(caught_in(stale), ["docs/guide/a.md:5"]);
    }

    #[test]
    fn a_quotation_in_another_order_is_caught() {
        let turned = "```rs\n// src/wait/parker.rs\nwake();\n// …\nlook();\n```";
        assert_eq!(caught_in(turned), ["docs/guide/a.md:5"]);
    }

    #[test]
    fn a_quotation_of_no_file_is_caught() {
        let moved = "```rs\n// src/wait/bed.rs\nlook();\n```";
        assert_eq!(caught_in(moved), ["docs/guide/a.md:2"]);
        let nameless = "```rust\nlook();\n```\n```rs\nlook();\n```";
        assert_eq!(caught_in(nameless), ["docs/guide/a.md:4"]);
    }
}
