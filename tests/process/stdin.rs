//! What a child is to read reaches it, and nobody waits for a child that does not read.

use std::fs::File;

use std::process::Stdio;

use handspun::{Closed, block_on};

use crate::setup::child;
use crate::support::watched;

/// S18, S19.
#[test]
fn an_input_of_nothing_ends_at_once() {
    watched(|| {
        let cat = || child("cat say end");
        for mut command in [cat(), cat().stdin(Stdio::null()), cat().stdin_bytes(*b"")] {
            let outcome = command.run().unwrap();
            assert_eq!(outcome.stdout.text(), "end\n");
        }
    });
}

#[test]
fn a_file_is_read_from_where_it_stands() {
    watched(|| {
        let file = || File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/rustfmt.toml")).unwrap();
        let outcome = child("cat").stdin(file()).run().unwrap();
        assert_eq!(outcome.stdout.text(), std::io::read_to_string(file()).unwrap());
    });
}

/// S16.
#[test]
fn a_child_that_does_not_read_its_megabyte_is_no_error() {
    watched(|| {
        let command = child("say done").stdin_bytes(vec![0; 1 << 20]);
        assert!({ command }.run().unwrap().is_success());
    });
}

/// S17.
#[test]
fn a_writer_without_end_hears_that_the_child_has_gone() {
    watched(|| {
        let child = child("read 100000").stdin(Stdio::piped()).spawn().unwrap();
        let chunk = vec![0; 50_000];
        let mut n = 0;
        while block_on(child.write(&chunk)) == Ok(()) {
            n += 1;
        }
        assert!((2..100).contains(&n), "the pipe holds a little: {n}");
        assert_eq!(block_on(child.write(b"more")), Err(Closed::default()));
        assert!(child.wait().is_success());
    });
}

#[test]
fn what_was_written_before_the_wait_is_read() {
    watched(|| {
        let cat = child("cat").stdin(Stdio::piped()).spawn().unwrap();
        drop(cat.write(b"one ")); // It is under way all the same.
        block_on(cat.write(b"two")).unwrap();
        assert_eq!(cat.wait().stdout.text(), "one two", "to wait closes the input");
    });
}

#[test]
fn a_conversation_goes_on_for_as_long_as_both_like() {
    watched(|| {
        let cat = child("cat").stdin(Stdio::piped()).lines().spawn().unwrap();
        for n in 0..100 {
            block_on(cat.write(format!("{n}\n").as_bytes())).unwrap();
            assert_eq!(block_on(cat.next_line()).unwrap().text(), n.to_string());
        }
        cat.close_stdin();
        assert_eq!(block_on(cat.write(b"more")), Err(Closed::default()));
        assert!(block_on(cat.next_line()).is_none());
    });
}
