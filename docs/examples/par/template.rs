//! The command with its replacement strings, and what it is for one input.
//!
//! Knows nothing of how it is run. What must always hold: a word may be any bytes, and without `--shell` no
//! shell looks at it.

use std::ffi::{OsStr, OsString};
use std::mem;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One input: its number from 1, and a value from each source.
pub(crate) struct Input {
    pub(crate) seq: usize,
    pub(crate) values: Vec<OsString>,
}

#[derive(Clone, Default)]
pub(crate) struct Template {
    words: Vec<Word>,
    /// The words are a line for a shell; the values in it are quoted.
    is_for_shell: bool,
}

/// A word, cut at its replacement strings.
#[derive(Clone, Default)]
pub(crate) struct Word(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(Vec<u8>),
    /// `{…}`: the value of one source (from 1), or of all of them.
    Value(Option<usize>, Form),
    /// `{#}`
    Seq,
    /// `{%}`
    Slot,
}

/// What of a value is meant, read as a path.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Whole,
    /// `{.}`
    WithoutExtension,
    /// `{/}`
    Name,
    /// `{//}`
    Folder,
    /// `{/.}`
    Stem,
}

impl Template {
    /// A command without any replacement string has `{}` behind it. No word at all: each input is a line for
    /// the shell.
    pub(crate) fn new(words: &[OsString], is_for_shell: bool) -> Self {
        let mut words: Vec<_> = words.iter().map(Word::new).collect();
        if words.is_empty() {
            let line = Word(vec![Part::Value(None, Form::Whole)]);
            return Self {
                words: vec![Word::new("sh"), Word::new("-c"), line],
                is_for_shell: false,
            };
        }
        if !words.iter().any(Word::depends) {
            words.push(Word::new("{}"));
        }
        Self { words, is_for_shell }
    }

    /// The words of the command for this input.
    pub(crate) fn fill(&self, input: &Input, slot: usize) -> Vec<OsString> {
        if self.is_for_shell {
            let words = self.words.iter().map(|word| word.fill(input, slot, quoted));
            let line = words.collect::<Vec<_>>().join(OsStr::new(" "));
            return ["sh".into(), "-c".into(), line].into();
        }
        let mut words = Vec::with_capacity(self.words.len());
        for word in &self.words {
            match word.0[..] {
                // Several values are several words, where they stand alone.
                [Part::Value(None, form)] => {
                    words.extend(input.values.iter().map(|value| form.of(value).to_owned()));
                }
                _ => words.push(word.fill(input, slot, OsStr::to_owned)),
            }
        }
        words
    }

    /// A command as it would be typed: what is shown, logged, and printed by `--dry-run`.
    pub(crate) fn typed(&self, words: &[OsString]) -> OsString {
        if self.is_for_shell {
            return words[2].clone();
        }
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        words.join(OsStr::new(" "))
    }
}

impl Word {
    pub(crate) fn new(word: impl AsRef<OsStr>) -> Self {
        let mut rest = word.as_ref().as_bytes();
        let (mut parts, mut text) = (Vec::new(), Vec::new());
        while let Some((&first, behind)) = rest.split_first() {
            let end = behind.iter().position(|byte| *byte == b'}').filter(|_| first == b'{');
            let Some((end, part)) = end.and_then(|end| Some((end, replacement(&behind[..end])?)))
            else {
                text.push(first);
                rest = behind;
                continue;
            };
            if !text.is_empty() {
                parts.push(Part::Text(mem::take(&mut text)));
            }
            parts.push(part);
            rest = &behind[end + 1..];
        }
        if !text.is_empty() || parts.is_empty() {
            parts.push(Part::Text(text));
        }
        Self(parts)
    }

    fn depends(&self) -> bool {
        self.0.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    pub(crate) fn fill(
        &self,
        input: &Input,
        slot: usize,
        quote: impl Fn(&OsStr) -> OsString,
    ) -> OsString {
        let mut filled = OsString::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push(OsStr::from_bytes(text)),
                Part::Seq => filled.push(input.seq.to_string()),
                Part::Slot => filled.push(slot.to_string()),
                Part::Value(Some(which), form) => {
                    if let Some(value) = input.values.get(which - 1) {
                        filled.push(quote(form.of(value)));
                    }
                }
                Part::Value(None, form) => {
                    let values: Vec<_> = input.values.iter().map(|v| quote(form.of(v))).collect();
                    filled.push(values.join(OsStr::new(" ")));
                }
            }
        }
        filled
    }
}

/// What stands between `{` and `}`, if it means something.
fn replacement(inside: &[u8]) -> Option<Part> {
    let n_digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, form) = inside.split_at(n_digits);
    let form = match form {
        b"#" if n_digits == 0 => return Some(Part::Seq),
        b"%" if n_digits == 0 => return Some(Part::Slot),
        b"" => Form::Whole,
        b"." => Form::WithoutExtension,
        b"/" => Form::Name,
        b"//" => Form::Folder,
        b"/." => Form::Stem,
        _ => return None,
    };
    if n_digits == 0 {
        return Some(Part::Value(None, form));
    }
    let which = std::str::from_utf8(digits).ok()?.parse().ok().filter(|which| *which > 0)?;
    Some(Part::Value(Some(which), form))
}

impl Form {
    /// As GNU parallel has it, for odd names too: `.bashrc` without its extension is nothing.
    fn of(self, value: &OsStr) -> &OsStr {
        let bytes = value.as_bytes();
        OsStr::from_bytes(match self {
            Self::Whole => bytes,
            Self::WithoutExtension => without_extension(bytes),
            Self::Name => name(bytes),
            Self::Folder => folder(bytes),
            Self::Stem => without_extension(name(bytes)),
        })
    }
}

fn last(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|b| *b == byte)
}

fn without_extension(path: &[u8]) -> &[u8] {
    let name_at = path.len() - name(path).len();
    last(b'.', &path[name_at..]).map_or(path, |dot| &path[..name_at + dot])
}

fn name(path: &[u8]) -> &[u8] {
    last(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

fn folder(path: &[u8]) -> &[u8] {
    let trimmed = |path: &mut &[u8]| {
        while path.len() > 1 && path.ends_with(b"/") {
            *path = &path[..path.len() - 1];
        }
    };
    let mut path = path;
    trimmed(&mut path);
    let Some(slash) = last(b'/', path) else { return b"." };
    path = &path[..slash.max(1)];
    trimmed(&mut path);
    path
}

/// A word as a shell takes it for one.
pub(crate) fn quoted(word: &OsStr) -> OsString {
    let bytes = word.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./=:,+@%^".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend_from_slice(br"'\''"),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    OsString::from_vec(quoted)
}
