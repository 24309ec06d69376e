//! `find_duplicates`: which files are the same, and what is told of those that cannot be read.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use handspun::ThreadPool;

use crate::{Folder, duplicates};

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

/// The content is the same, and the first is gone when they are compared.
#[test]
fn a_file_that_vanishes_takes_no_other_with_it() {
    let folder = Folder::new("vanishes");
    let same = ["a", "b", "c"].map(|name| folder.write(name, vec![7; 200_000]));
    let (files, n_done) = (folder.files(), AtomicUsize::new(0));
    let vanish = |n| {
        // ORDERING: Relaxed. There is one thread.
        if n_done.fetch_add(n, Relaxed) + n == 3 {
            fs::remove_file(&same[0]).unwrap();
        }
    };
    let (found, troubles) = duplicates::find(&ThreadPool::new(1), &files, &vanish);
    assert_eq!(found.len(), 1, "{troubles:?}");
    assert_eq!(found[0].paths, same[1..]);
    assert_eq!(troubles.len(), 1);
    assert_eq!((&troubles[0].path, troubles[0].why.as_str()), (&same[0], "it has gone"));
}

#[test]
fn files_that_begin_alike_and_are_as_long_are_told_apart() {
    let folder = Folder::new("alike");
    let mut content = vec![7; 200_000];
    folder.write("a", &content);
    let same = ["b", "c"].map(|name| {
        content[199_999] = 8;
        folder.write(name, &content)
    });
    content[100_000] = 9;
    folder.write("d", &content);
    let (found, troubles) = duplicates::find(&ThreadPool::new(2), &folder.files(), &|_| ());
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].paths[..], troubles.len()), (&same[..], 0));
}

#[test]
fn every_file_is_reported_as_done_once() {
    let folder = Folder::new("done");
    for (name, content) in [("a", "same"), ("b", "same"), ("c", "seme"), ("d", "longer")] {
        folder.write(name, content);
        folder.write(&format!("{name}-large"), content.repeat(50_000));
    }
    let n_done = AtomicUsize::new(0);
    let done = |n| {
        n_done.fetch_add(n, Relaxed); // ORDERING: Relaxed. The pool has finished when it is read.
    };
    duplicates::find(&ThreadPool::new(2), &folder.files(), &done);
    assert_eq!(n_done.into_inner(), 8);
}

#[cfg(unix)]
#[test]
fn a_file_that_has_become_a_pipe_is_passed_over_and_told() {
    let folder = Folder::new("find-pipe");
    let same = ["a", "b"].map(|name| folder.write(name, "the same"));
    let pipe = folder.write("pipe", "the same");
    let files = folder.files();
    Folder::make_pipe(&pipe);
    crate::support::watched(|| {
        let (found, troubles) = duplicates::find(&ThreadPool::new(2), &files, &|_| ());
        assert_eq!(found[0].paths, same);
        assert_eq!((troubles.len(), &troubles[0].path), (1, &pipe));
        assert!(troubles[0].why.contains("regular"), "{}", troubles[0].why);
    });
}
