//! Rust text as a list of words, so that a rule never trips over a comment or a string.
//!
//! Knows nothing of files, files and rules. It does not parse Rust either: it only needs to tell
//! code from comments, strings and characters, and a character from a lifetime. On text that is
//! not Rust it still ends, and what it says then does not matter: the compiler speaks first.

/// One word or sign of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// How it is spelt. A string is `""` and a character is `''`, whatever they hold.
    pub(crate) text: String,
    pub(crate) first_line: usize,
    pub(crate) last_line: usize,
}

/// One comment, its marks included: `// …`, `//! …`, `/* … */`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) text: String,
    pub(crate) first_line: usize,
    pub(crate) last_line: usize,
}

/// What a piece of text is.
enum Kind {
    Space,
    Comment,
    String,
    Character,
    Code,
}

/// Cuts `text` into code and comments.
pub(crate) fn lex(text: &str) -> (Vec<Token>, Vec<Comment>) {
    let (mut tokens, mut comments) = (Vec::new(), Vec::new());
    let mut rest = text;
    let mut first_line = 1;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = next_piece(rest, first);
        let (piece, after) = rest.split_at(length);
        let last_line = first_line + piece.matches('\n').count();
        let token = |text: &str| Token { text: text.to_owned(), first_line, last_line };
        match kind {
            Kind::Space => {}
            Kind::Comment => {
                comments.push(Comment { text: piece.to_owned(), first_line, last_line })
            }
            Kind::String => tokens.push(token("\"\"")),
            Kind::Character => tokens.push(token("''")),
            Kind::Code => tokens.push(token(piece)),
        }
        (rest, first_line) = (after, last_line);
    }
    (tokens, comments)
}

/// What `rest` begins with, and for how many bytes. `first` is its first character.
fn next_piece(rest: &str, first: char) -> (Kind, usize) {
    if first.is_whitespace() {
        (Kind::Space, length_while(rest, char::is_whitespace))
    } else if rest.starts_with("//") {
        (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Kind::Comment, block_comment(rest))
    } else if let Some(length) = raw_string(rest).or_else(|| plain_string(rest)) {
        (Kind::String, length)
    } else if let Some(length) = character(rest) {
        (Kind::Character, length)
    } else if first == '\'' {
        (Kind::Code, 1 + length_while(&rest[1..], is_part_of_a_word))
    } else if is_part_of_a_word(first) {
        (Kind::Code, length_while(rest, is_part_of_a_word))
    } else if rest.starts_with("::") {
        (Kind::Code, 2)
    } else {
        (Kind::Code, first.len_utf8())
    }
}

fn is_part_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn length_while(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}

/// Block comments nest: the first `*/` need not be the last.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let here = &rest[at..];
        if here.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else if let Some(c) = here.chars().next() {
            at += c.len_utf8();
        } else {
            return rest.len();
        }
        if depth == 0 {
            return at;
        }
    }
}

/// `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`: no escapes, closed by as many `#` as it was opened with.
fn raw_string(rest: &str) -> Option<usize> {
    let after = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = length_while(after, |c| c == '#');
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |at| at + close.len());
    Some(rest.len() - body.len() + end)
}

/// `"…"`, `b"…"`, `c"…"`.
fn plain_string(rest: &str) -> Option<usize> {
    let body = ["\"", "b\"", "c\""].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    Some(rest.len() - body.len() + up_to_the_closing(body, '"'))
}

/// `'x'`, `'\n'`, `b'x'`; but `'x` without a second quote is a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = ["'", "b'"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let mut chars = body.chars();
    let is_escaped = chars.next()? == '\\';
    let is_closed = chars.next()? == '\'';
    let is_a_character = is_escaped || is_closed;
    is_a_character.then(|| rest.len() - body.len() + up_to_the_closing(body, '\''))
}

/// How long `body` is up to its first `quote` without a backslash before it, that one included.
fn up_to_the_closing(body: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in body.char_indices() {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        lex(text).0.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn a_path_is_words_and_double_colons() {
        assert_eq!(words("a::b(0..10)"), ["a", "::", "b", "(", "0", ".", ".", "10", ")"]);
    }

    #[test]
    fn nested_block_comments_end_where_the_outer_one_does() {
        assert_eq!(words("a /* b /* c */ d */ e // f"), ["a", "e"]);
    }

    #[test]
    fn strings_hide_what_they_hold() {
        assert_eq!(words(r#"f("Condvar \" // no", b"x", 'c')"#), words(r#"f("", "", 'd')"#));
        assert_eq!(words("r#\"a \" b\"# c"), ["\"\"", "c"]);
        assert_eq!(words("r\"a\\\" c"), ["\"\"", "c"]);
    }

    #[test]
    fn a_lifetime_is_not_half_a_character() {
        assert_eq!(
            words("&'a str, 'b', '\\'', b'\\\\'"),
            ["&", "'a", "str", ",", "''", ",", "''", ",", "''"]
        );
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let (tokens, comments) = lex("a /* \n */ \"\n\n\" b\n// c");
        let lines: Vec<_> =
            tokens.iter().map(|token| (token.first_line, token.last_line)).collect();
        assert_eq!(lines, [(1, 1), (2, 4), (4, 4)]);
        assert_eq!((comments[0].last_line, comments[1].first_line), (2, 5));
    }
}
