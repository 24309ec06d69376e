//! The tree that both tools read: what is listed, and what is passed over.

use std::path::Path;

use crate::{Folder, files_below};

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
