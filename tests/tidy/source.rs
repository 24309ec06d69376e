//! One file of Rust as a rule wants to see it: its code, its unit tests and its comments apart.
//!
//! Knows nothing of the other files, nor of any rule. What must always hold: in `code` and in
//! `tests` no use-group is left. `use a::{b, c};` stands there as `use a::b; use a::c;`, each on
//! its own line of the file, so that no rule needs to know that groups exist.

use std::collections::BTreeSet;

use crate::lexer::{Comment, Token, lex};

/// A file of Rust.
pub(crate) struct Source {
    /// From the root of the repository, with `/` between its parts.
    pub(crate) path: String,
    /// What is compiled into the crate.
    pub(crate) code: Vec<Token>,
    /// What stands under `#[cfg(test)]`, and what runs the documents.
    pub(crate) tests: Vec<Token>,
    /// Comments and docs; those on lines that follow each other are one.
    pub(crate) comments: Vec<Comment>,
    /// The number of lines that hold code: no docs, comments, blank lines or unit tests.
    pub(crate) lines_of_code: usize,
}

/// A path that begins at a known place: `crate::…`, `super::…` or `self::…`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) names: Vec<String>,
    pub(crate) line: usize,
    /// How many modules that are written out in this file stand around it.
    pub(crate) inline_modules: usize,
}

impl Source {
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let (tokens, comments) = lex(text);
        let (code, tests) = set_unit_tests_apart(&tokens);
        let lines: BTreeSet<_> = code.iter().flat_map(|t| t.first_line..=t.last_line).collect();
        Self {
            path: path.to_owned(),
            code: spell_out_use_groups(&code),
            tests: spell_out_use_groups(&tests),
            comments: join_neighbours(comments),
            lines_of_code: lines.len(),
        }
    }

    pub(crate) fn is_in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The code and the unit tests, one after the other: no item stands in both.
    pub(crate) fn code_and_tests(&self) -> [&[Token]; 2] {
        [&self.code, &self.tests]
    }

    /// Every `crate::…`, `super::…` and `self::…` in the code, in `use` and elsewhere.
    ///
    /// The `crate::wait` of `pub(in crate::wait)` is not one: it opens a door and enters none.
    pub(crate) fn references(&self) -> Vec<Reference> {
        let mut references = Vec::new();
        let inline_modules = self.inline_modules_around();
        for (at, token) in self.code.iter().enumerate() {
            let is_root = ["crate", "super", "self"].contains(&token.text.as_str());
            let names = path_from(&self.code[at..]);
            let stands_within_another = match &self.code[..at] {
                [.., before] if before.text == "::" => true,
                [.., open, before] => open.text == "(" && before.text == "in",
                _ => false,
            };
            if is_root && names.len() > 1 && !stands_within_another {
                let line = self.code[at + 2 * names.len() - 2].last_line;
                references.push(Reference { names, line, inline_modules: inline_modules[at] });
            }
        }
        references
    }

    /// What each `use` brings in, and under which name: `use a::b as c;` is `(c, [a, b])`.
    ///
    /// Those within a module that is written out in this file bring nothing to the file's own.
    pub(crate) fn imports(&self) -> Vec<(String, Vec<String>)> {
        let inline_modules = self.inline_modules_around();
        let all = self.code.iter().enumerate();
        let uses = all.filter(|(at, token)| token.text == "use" && inline_modules[*at] == 0);
        uses.filter_map(|(at, _)| {
            let names = path_from(&self.code[at + 1..]);
            let name = match &self.code[at + 2 * names.len()..] {
                [keyword, alias, ..] if keyword.text == "as" => &alias.text,
                _ => names.iter().rfind(|name| *name != "self")?,
            };
            Some((name.clone(), names))
        })
        .collect()
    }

    /// For each word of the code, how many modules that are written out here stand around it.
    fn inline_modules_around(&self) -> Vec<usize> {
        let (mut depth, mut opened_at) = (0_usize, Vec::new());
        let mut counts = Vec::new();
        for (at, token) in self.code.iter().enumerate() {
            if token.text == "}" {
                depth = depth.saturating_sub(1);
                opened_at.retain(|outer| *outer < depth);
            }
            counts.push(opened_at.len());
            if token.text == "{" {
                if at >= 2 && self.code[at - 2].text == "mod" {
                    opened_at.push(depth);
                }
                depth += 1;
            }
        }
        counts
    }

    /// The modules that the code declares, in its own order: `mod x;`.
    pub(crate) fn modules(&self) -> Vec<&str> {
        declared_modules(&self.code)
    }

    /// The modules that exist for the unit tests only.
    pub(crate) fn test_modules(&self) -> Vec<&str> {
        declared_modules(&self.tests)
    }
}

/// `a::b::c` at the front of `tokens`, as `[a, b, c]`.
fn path_from(tokens: &[Token]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_name = token.text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        match at % 2 {
            0 if is_name => names.push(token.text.clone()),
            1 if token.text == "::" => {}
            _ => break,
        }
    }
    names
}

fn declared_modules(tokens: &[Token]) -> Vec<&str> {
    let declared = tokens.windows(3).filter(|three| three[0].text == "mod" && three[2].text == ";");
    declared.map(|three| three[1].text.as_str()).collect()
}

/// Cuts out each item under `#[cfg(test)]`, `#[cfg(all(test, …))]` or `#[cfg(doctest)]`.
fn set_unit_tests_apart(tokens: &[Token]) -> (Vec<Token>, Vec<Token>) {
    let (mut code, mut tests) = (Vec::new(), Vec::new());
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        if begins_with(rest, &["#", "[", "cfg", "(", "test"])
            || begins_with(rest, &["#", "[", "cfg", "(", "doctest"])
            || begins_with(rest, &["#", "[", "cfg", "(", "all", "(", "test"])
        {
            let (item, after) = rest.split_at(length_of_item(rest));
            tests.extend_from_slice(item);
            rest = after;
        } else {
            code.push(first.clone());
            rest = &rest[1..];
        }
    }
    (code, tests)
}

fn begins_with(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.text == *word)
}

/// The lines on which the words of `spelling` end, one behind the other.
pub(crate) fn lines_that_say(spelling: &str, tokens: &[Token]) -> impl Iterator<Item = usize> {
    let wanted = lex(spelling).0;
    let length = wanted.len();
    let places = tokens.windows(length);
    let said = places.filter(move |place| place.iter().zip(&wanted).all(|(a, b)| a.text == b.text));
    said.map(move |place| place[length - 1].last_line)
}

/// An item ends with a `;`, or with the brace that closes its body.
fn length_of_item(tokens: &[Token]) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        let next = tokens.get(at + 1).map_or("", |next| &next.text);
        let is_closed = token.text == "}" && next != ";";
        if depth < 0 || depth == 0 && (is_closed || token.text == ";") {
            return at + 1;
        }
    }
    tokens.len()
}

fn spell_out_use_groups(tokens: &[Token]) -> Vec<Token> {
    let mut spelt_out = Vec::new();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        // `impl Trait + use<'a>` begins with the same word and imports nothing.
        let imports = first.text == "use" && !begins_with(rest, &["use", "<"]);
        let length = if imports { length_of_item(rest) } else { 1 };
        let (item, after) = rest.split_at(length);
        match item {
            [keyword, tree @ .., end] if imports => {
                spell_out(tree, &mut vec![keyword.clone()], end, &mut spelt_out);
            }
            _ => spelt_out.extend_from_slice(item),
        }
        rest = after;
    }
    spelt_out
}

/// Writes each leaf of `tree` into `out` as a statement: what stands before it, itself, `end`.
fn spell_out(tree: &[Token], before: &mut Vec<Token>, end: &Token, out: &mut Vec<Token>) {
    let group = tree.iter().position(|token| token.text == "{");
    let (head, branches) = tree.split_at(group.unwrap_or(tree.len()));
    let length_before = before.len();
    before.extend_from_slice(head);
    if let [_, inside @ .., _] = branches {
        for branch in split_at_commas(inside) {
            spell_out(branch, before, end, out);
        }
    } else {
        out.extend_from_slice(before);
        out.push(end.clone());
    }
    before.truncate(length_before);
}

/// The branches of a group. A comma within a group of theirs does not count.
fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_i32;
    let branches = tokens.split(|token| {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        depth == 0 && token.text == ","
    });
    branches.filter(|branch| !branch.is_empty()).collect()
}

fn join_neighbours(comments: Vec<Comment>) -> Vec<Comment> {
    let mut joined: Vec<Comment> = Vec::new();
    for comment in comments {
        match joined.last_mut() {
            Some(last) if comment.first_line == last.last_line + 1 => {
                last.text = format!("{}\n{}", last.text, comment.text);
                last.last_line = comment.last_line;
            }
            _ => joined.push(comment),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> String {
        let tokens = Source::read("src/made_up.rs", text).code;
        tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn references_of(text: &str) -> Vec<(String, usize, usize)> {
        let references = Source::read("src/made_up.rs", text).references();
        references.iter().map(|r| (r.names.join("::"), r.line, r.inline_modules)).collect()
    }

    #[test]
    fn nested_use_groups_are_spelt_out() {
        assert_eq!(
            code_of("pub use a::{b::{C, self}, d as e,};"),
            "pub use a :: b :: C ; use a :: b :: self ; use a :: d as e ;"
        );
    }

    #[test]
    fn a_capturing_bound_is_not_an_import() {
        assert_eq!(code_of("-> impl Sized + use<'a> {}"), "- > impl Sized + use < 'a > { }");
    }

    #[test]
    fn unit_tests_are_not_code() {
        let text =
            "a();\n#[cfg(test)]\nmod tests {\n b();\n}\n#[cfg(all(test, x))]\nuse c::{d};\ne();";
        let source = Source::read("src/made_up.rs", text);
        assert_eq!(code_of(text), "a ( ) ; e ( ) ;");
        assert_eq!(source.lines_of_code, 2);
        assert!(source.tests.iter().any(|token| token.text == "b"));
    }

    #[test]
    fn what_runs_the_documents_is_not_code() {
        let text = "a();\n#[cfg(doctest)]\nmod documents {\n mod readme {}\n}\nb();";
        assert_eq!(code_of(text), "a ( ) ; b ( ) ;");
    }

    #[test]
    fn docs_comments_and_blank_lines_are_not_code() {
        let source =
            Source::read("src/made_up.rs", "//! Docs.\n\n// Why.\nlet a = \"x\n\ny\"; // b\n");
        assert_eq!(source.lines_of_code, 3);
    }

    #[test]
    fn references_are_found_in_groups_and_in_code() {
        let text = "use crate::a::{\n  B,\n  c,\n};\nfn f(&self) { super::g::<u8>(self::h) }";
        assert_eq!(
            references_of(text),
            [
                ("crate::a::B".to_owned(), 2, 0),
                ("crate::a::c".to_owned(), 3, 0),
                ("super::g".to_owned(), 5, 0),
                ("self::h".to_owned(), 5, 0)
            ]
        );
    }

    #[test]
    fn a_reference_knows_the_written_out_modules_around_it() {
        let text = "mod m { fn f() { super::a(); } }\nfn g() { super::b(); }";
        assert_eq!(
            references_of(text),
            [("super::a".to_owned(), 1, 1), ("super::b".to_owned(), 2, 0)]
        );
    }

    #[test]
    fn a_visibility_is_not_a_reference() {
        assert_eq!(references_of("pub(in crate::a) fn f() {} pub(crate) fn g() {}"), []);
    }
}
