//! The two tools of `docs/examples`, on a tree that holds what a file system may hold.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[path = "../../docs/examples/find_duplicates/duplicates.rs"]
mod duplicates;
#[path = "../../docs/examples/shared/tree.rs"]
mod tree;
#[path = "../../docs/examples/count_words/words.rs"]
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use handspun::ThreadPool;
use tree::{File, files_below};

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tools-{name}"));
        let _ = fs::remove_dir_all(&folder); // It is there if an earlier run was interrupted.
        fs::create_dir_all(folder.join("below")).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn files(&self) -> Vec<File> {
        files_below(std::slice::from_ref(&self.0)).unwrap().0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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

#[cfg(unix)]
#[test]
fn links_that_go_round_and_pipes_are_passed_over() {
    let folder = Folder::new("links");
    folder.write("file", "one");
    std::os::unix::fs::symlink(&folder.0, folder.0.join("below/loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.0.join("dangling")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.0.join("pipe")).status();
    assert!(pipe.unwrap().success());
    assert_eq!(folder.files().len(), 1);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_its_name() {
    let trouble = files_below(&["/no/such/folder".into()]).unwrap_err();
    assert_eq!(trouble.path, Path::new("/no/such/folder"));
}

#[test]
fn files_with_the_same_bytes_are_found_and_others_are_not() {
    let folder = Folder::new("same");
    let same = ["a", "below/b", "c"].map(|name| folder.write(name, vec![7; 200_000]));
    folder.write("as-long", vec![8; 200_000]);
    folder.write("empty", "");
    folder.write("empty-too", "");
    for threads in [1, 3] {
        let (found, troubles) =
            duplicates::find(&ThreadPool::new(threads), &folder.files(), &|_| ());
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].paths[..], found[0].n_spare()), (&same[..], 400_000));
        assert!(troubles.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn two_names_of_one_file_are_no_duplicates() {
    let folder = Folder::new("hard-links");
    let file = folder.write("file", "the same");
    fs::hard_link(&file, folder.0.join("its other name")).unwrap();
    assert!(duplicates::find(&ThreadPool::new(2), &folder.files(), &|_| ()).0.is_empty());
}

#[test]
fn a_duplicate_that_has_gone_is_told() {
    let folder = Folder::new("gone");
    folder.write("one", "the same");
    let gone = folder.write("two", "the same");
    let files = folder.files();
    fs::remove_file(gone).unwrap();
    let (found, troubles) = duplicates::find(&ThreadPool::new(2), &files, &|_| ());
    assert_eq!((found.len(), troubles.len()), (0, 1));
}
