//! `count_words`: what is a word, and what is no text.

use std::fs;

use handspun::ThreadPool;

use crate::{Folder, words};

#[test]
fn words_are_counted_over_a_tree_by_any_number_of_threads() {
    let folder = Folder::new("words");
    folder.write("one.txt", "The cat and the hat.\nÄrger, ärger\n");
    folder.write("below/two.txt", "the END");
    folder.write("empty.txt", "");
    for threads in [1, 3] {
        let count = words::count(&ThreadPool::new(threads), &folder.files(), &|| ());
        assert_eq!((count.n_words, count.n_lines), (9, 3));
        assert_eq!(count.top(2), [("the", 3), ("ärger", 2)]);
        assert!(count.troubles.is_empty());
    }
}

#[test]
fn what_is_no_text_or_has_gone_is_left_out_and_told() {
    let folder = Folder::new("no-text");
    folder.write("latin-1", b"caf\xe9 and more");
    folder.write("zeros", [0; 100]);
    folder.write("text", "one two");
    let gone = folder.write("gone", "three");
    let files = folder.files();
    fs::remove_file(gone).unwrap();
    let count = words::count(&ThreadPool::new(2), &files, &|| ());
    assert_eq!((count.n_words, count.troubles.len()), (2, 3));
    assert!(count.troubles.iter().any(|trouble| trouble.why == "it has gone"));
}

/// The words of a text, in the order of the alphabet.
fn words_of(name: &str, text: &str) -> Vec<(String, u64)> {
    let folder = Folder::new(name);
    folder.write("text", text);
    let count = words::count(&ThreadPool::new(1), &folder.files(), &|| ());
    let mut words: Vec<_> = count.of.into_iter().collect();
    words.sort();
    words
}

#[test]
fn a_word_ends_where_unicode_says_so() {
    let one = |word: &str| {
        let found = words_of("one-word", &format!("{word}\n"));
        assert_eq!(found, [(word.to_owned(), 1)], "{word:?}");
    };
    one("cafe\u{301}"); // An `e`, and an accent of its own.
    one("\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}"); // Hindi, in Devanagari: its vowels are marks.
    one("can't");
    one("l\u{2019}eau");
    one("3.14");
    one("snake_case");
    assert_eq!(words_of("no-word", "\u{1f600} -- _ \u{300} \u{feff}\n"), []);
    let two = words_of("two-words", "\u{feff}one-two\n");
    assert_eq!(two, [("one".to_owned(), 1), ("two".to_owned(), 1)]);
}

#[test]
fn words_that_differ_in_case_alone_are_the_same() {
    let same = words_of(
        "case",
        "\u{39f}\u{394}\u{39f}\u{3a3} \u{3bf}\u{3b4}\u{3bf}\u{3c2} ÄRGER ärger If IF\n",
    );
    let same: Vec<_> = same.into_iter().map(|(_, n)| n).collect();
    assert_eq!(same, [2, 2, 2], "a sigma at the end of a word has a form of its own");
}

#[test]
fn a_line_without_an_end_is_told_as_that() {
    let folder = Folder::new("endless");
    folder.write("endless", "x".repeat(20 << 20));
    let count = words::count(&ThreadPool::new(1), &folder.files(), &|| ());
    assert!(count.troubles[0].why.contains("a line"), "{}", count.troubles[0].why);
}

#[cfg(unix)]
#[test]
fn a_file_that_has_become_a_pipe_is_left_out_and_told() {
    let folder = Folder::new("count-pipe");
    folder.write("text", "one two");
    let pipe = folder.write("pipe", "three");
    let files = folder.files();
    Folder::make_pipe(&pipe);
    crate::support::watched(|| {
        let count = words::count(&ThreadPool::new(2), &files, &|| ());
        assert_eq!((count.n_words, count.troubles.len()), (2, 1));
        assert!(count.troubles[0].why.contains("regular"), "{}", count.troubles[0].why);
    });
}
