//! Counts words: each file by itself, and two counts into one, in a tree of forks.
//!
//! Knows nothing of arguments. To count a file is work for a thread, and to add two counts is so too.
//! A list of counts that one thread adds up in the end would be the slowest part of all.
//!
//! A word ends where Unicode says so (UAX #29): an accent that is a character of its own does not end it, nor
//! does the apostrophe in "can't". Without a library that takes a table of all scripts, so there is one.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;

use handspun::ThreadPool;
use unicode_segmentation::UnicodeSegmentation;

use crate::open::open_regular;
use crate::tree::{File, Trouble};

/// A line that is longer is in no text.
const LONGEST_LINE: u64 = 1 << 24;

#[derive(Default)]
pub(crate) struct Count {
    pub(crate) n_words: u64,
    pub(crate) n_lines: u64,
    pub(crate) of: HashMap<String, u64>,
    pub(crate) troubles: Vec<Trouble>,
    /// Room for one word, so that only a new one costs an allocation.
    word: String,
}

/// Counts the words of all files; calls `done` after each.
pub(crate) fn count(pool: &ThreadPool, files: &[File], done: &(impl Fn() + Sync)) -> Count {
    match files {
        [] => Count::default(),
        [file] => {
            let mut count = Count::default();
            if let Err(error) = count.add_file(file) {
                count = Count::default(); // Half of a file is not counted.
                count.troubles.push(Trouble::new(&file.path, &error));
            }
            done();
            count
        }
        [..] => {
            let (left, right) = files.split_at(files.len() / 2);
            let (mut left, right) =
                pool.join(|| count(pool, left, done), || count(pool, right, done));
            left.add(right);
            left
        }
    }
}

impl Count {
    fn add_file(&mut self, file: &File) -> io::Result<()> {
        let mut reader = BufReader::new(open_regular(&file.path)?);
        let mut line = Vec::new();
        while reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? > 0 {
            if line.len() as u64 == LONGEST_LINE {
                return Err(io::Error::other("a line is longer than 16 MiB"));
            }
            match std::str::from_utf8(&line) {
                Ok(text) if !text.contains('\0') => self.add_line(text),
                Ok(_) | Err(_) => return Err(io::Error::other("it is not a text in UTF-8")),
            }
            line.clear();
        }
        Ok(())
    }

    fn add_line(&mut self, line: &str) {
        self.n_lines += 1;
        for word in line.unicode_words() {
            self.n_words += 1;
            self.word.clear();
            self.word.push_str(word);
            match word.is_ascii() {
                true => self.word.make_ascii_lowercase(),
                // Not letter by letter: a sigma at the end of a word is another one.
                false => self.word = word.to_lowercase(),
            }
            match self.of.get_mut(&self.word) {
                Some(n) => *n += 1,
                None => drop(self.of.insert(self.word.clone(), 1)),
            }
        }
    }

    /// Adds the smaller one to the larger.
    fn add(&mut self, mut other: Self) {
        if self.of.len() < other.of.len() {
            mem::swap(self, &mut other);
        }
        self.n_words += other.n_words;
        self.n_lines += other.n_lines;
        self.troubles.append(&mut other.troubles);
        for (word, n) in other.of {
            *self.of.entry(word).or_default() += n;
        }
    }

    /// The most frequent words, and of those that are as frequent the first in the alphabet.
    pub(crate) fn top(&self, n: usize) -> Vec<(&str, u64)> {
        let mut words: Vec<_> = self.of.iter().map(|(word, n)| (word.as_str(), *n)).collect();
        words.sort_unstable_by(|(one, n), (other, m)| m.cmp(n).then(one.cmp(other)));
        words.truncate(n);
        words
    }
}
