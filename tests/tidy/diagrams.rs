//! Diagrams: each is drawn from what its source says now, names what exists, and is shown by a document.
//!
//! Knows nothing of how one is drawn: `tests/site/draw` does that, in a browser, and puts the source into what it
//! draws. So a test can compare the two without a browser.

use std::collections::HashSet;

use crate::names::{Names, code_blocks, is_code, words};
use crate::repository::{Repository, Violation};

const FOLDER: &str = "docs/diagrams/";
/// In bytes.
const LARGEST: usize = 40 << 10;
/// What an image on a page does not show, or may not do.
const UNWANTED: [&str; 4] = ["<foreignObject", "<script", "@import", "url(http"];

/// Every source has a drawing, which carries that source, and every drawing has a source.
pub(crate) fn every_diagram_is_drawn(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| path.starts_with(FOLDER)) {
        let message = if let Some(name) = path.strip_suffix(".mmd") {
            let drawing = repository.text(&format!("{name}.svg"));
            let is_current =
                drawing.is_some_and(|svg| svg.contains(&format!("<![CDATA[{text}]]>")));
            (!is_current).then(|| "run `tests/site/draw`, and look at what it draws.".to_owned())
        } else if let Some(name) = path.strip_suffix(".svg") {
            let is_lost = repository.text(&format!("{name}.mmd")).is_none();
            let unwanted = UNWANTED.into_iter().find(|unwanted| text.contains(unwanted));
            let message = unwanted.map(|unwanted| format!("an image cannot have `{unwanted}`."));
            let too_large = || format!("{} bytes; at most {LARGEST}.", text.len());
            let message = message.or_else(|| (text.len() > LARGEST).then(too_large));
            message.or_else(|| is_lost.then(|| "it has no source any more: remove it.".to_owned()))
        } else {
            Some("what is in this folder is a source or its drawing.".to_owned())
        };
        violations.extend(message.map(|message| Violation::new(path, 0, message)));
    }
    violations
}

/// Every drawing is shown by a document, which leads to the source, too.
pub(crate) fn every_diagram_is_shown(repository: &Repository) -> Vec<Violation> {
    let all = repository.texts().map(|(path, _)| path).filter(|path| path.starts_with(FOLDER));
    let lost = all.filter(|path| documents_with(path, repository).next().is_none());
    lost.map(|path| Violation::new(path, 0, "no document shows it, or leads to it.")).collect()
}

/// Every name of code in a source exists, here or in a program of the document that shows the diagram: what looks
/// like code, and what is called.
pub(crate) fn every_name_in_a_diagram_exists(repository: &Repository) -> Vec<Violation> {
    let names = Names::of(repository);
    let mut violations = Vec::new();
    for (path, source) in repository.texts().filter(|(path, _)| path.ends_with(".mmd")) {
        let programs = documents_with(path, repository).flat_map(code_blocks);
        let own: HashSet<_> = programs.flat_map(words).collect();
        // The first line names the kind of the diagram.
        for (line, text) in (1..).zip(source.lines()).skip(1) {
            let is_called = |word: &str| text.contains(&format!("{word}("));
            let mut named = words(text).filter(|word| is_code(word) || is_called(word));
            if let Some(name) = named.find(|word| !names.has(word) && !own.contains(word)) {
                let message = format!("there is no `{name}` here, or not any more.");
                violations.push(Violation::new(path, line, message));
            }
        }
    }
    violations
}

/// The documents with a link to that file of `docs`.
fn documents_with<'r>(path: &str, repository: &'r Repository) -> impl Iterator<Item = &'r str> {
    let link = format!("/{})", path.trim_start_matches("docs/"));
    let documents = repository.texts().filter(|(path, _)| path.ends_with(".md"));
    documents.map(|(_, text)| text).filter(move |text| text.contains(&link))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::caught;

    const SOURCE: &str = "sequenceDiagram\n    A->>B: wake";

    fn drawing_of(source: &str) -> String {
        format!("<svg><metadata><![CDATA[{source}]]></metadata></svg>")
    }

    #[test]
    fn a_drawing_of_what_the_source_said_before_is_caught() {
        let (old, new) = (drawing_of("sequenceDiagram\n    A->>B: unpark"), drawing_of(SOURCE));
        let repository = [
            ("docs/diagrams/a.mmd", SOURCE),
            ("docs/diagrams/a.svg", &old),
            ("docs/diagrams/b.mmd", SOURCE),
            ("docs/diagrams/b.svg", &new),
        ];
        assert_eq!(caught(every_diagram_is_drawn, &repository), ["docs/diagrams/a.mmd:0"]);
    }

    #[test]
    fn a_source_without_a_drawing_and_a_drawing_without_a_source_are_caught() {
        let drawing = drawing_of(SOURCE);
        let repository = [("docs/diagrams/a.mmd", SOURCE), ("docs/diagrams/b.svg", &drawing)];
        assert_eq!(
            caught(every_diagram_is_drawn, &repository),
            ["docs/diagrams/a.mmd:0", "docs/diagrams/b.svg:0"]
        );
    }

    #[test]
    fn what_an_image_cannot_have_is_caught() {
        let drawing = drawing_of(SOURCE);
        let large = drawing.clone() + &" ".repeat(LARGEST);
        let html = drawing + "<foreignObject>";
        let repository = [
            ("docs/diagrams/a.mmd", SOURCE),
            ("docs/diagrams/a.svg", &large),
            ("docs/diagrams/b.mmd", SOURCE),
            ("docs/diagrams/b.svg", &html),
        ];
        assert_eq!(
            caught(every_diagram_is_drawn, &repository),
            ["docs/diagrams/a.svg:0", "docs/diagrams/b.svg:0"]
        );
    }

    #[test]
    fn a_diagram_that_no_document_shows_is_caught() {
        let repository = [
            ("docs/diagrams/a.mmd", SOURCE),
            ("docs/diagrams/a.svg", ""),
            ("docs/guide/01.md", "![A wakes B](../diagrams/a.svg)"),
        ];
        assert_eq!(caught(every_diagram_is_shown, &repository), ["docs/diagrams/a.mmd:0"]);
    }

    #[test]
    fn a_name_that_is_gone_is_caught() {
        let source =
            "sequenceDiagram\n    A->>B: fall_asleep()\n    A->>B: ring()\n    Note over A: sleeps";
        let repository = [
            ("docs/diagrams/a.mmd", source),
            ("docs/diagrams/b.mmd", source),
            ("docs/guide/01.md", "[source](../diagrams/a.mmd)\n```rust\nfn ring() {}\n```"),
            ("src/a.rs", "fn fall_asleep() {}"),
        ];
        assert_eq!(caught(every_name_in_a_diagram_exists, &repository), ["docs/diagrams/b.mmd:3"]);
    }
}
