//! What a child is to read reaches it, and nobody waits for a child that does not read.

use std::fs::File;

use handspun::block_on;
use handspun::process::{InputClosed, Output, Stdin};

use crate::setup::child;
use crate::support::watched;

/// S18, S19.
#[test]
fn an_input_of_nothing_ends_at_once() {
    watched(|| {
        let inputs = [Stdin::default(), Stdin::Null, Stdin::bytes(*b"")];
        for stdin in inputs {
            let outcome = child("cat say end").stdin(stdin).run().unwrap();
            assert_eq!(outcome.stdout.text(), "end\n");
        }
    });
}

#[test]
fn a_file_is_read_from_where_it_stands() {
    watched(|| {
        let file = || File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/rustfmt.toml")).unwrap();
        let outcome = child("cat").stdin(Stdin::file(file())).run().unwrap();
        assert_eq!(outcome.stdout.text(), std::io::read_to_string(file()).unwrap());
    });
}

/// S16.
#[test]
fn a_child_that_does_not_read_its_megabyte_is_no_error() {
    watched(|| {
        let command = child("say done").stdin(Stdin::bytes(vec![0; 1 << 20]));
        assert!(command.run().unwrap().is_success());
    });
}

/// S17.
#[test]
fn a_writer_without_end_hears_that_the_child_has_gone() {
    watched(|| {
        let child = child("read 100000").stdin(Stdin::Piped).spawn().unwrap();
        let chunk = vec![0; 50_000];
        let mut n = 0;
        while child.write(&chunk).wait() == Ok(()) {
            n += 1;
        }
        assert!((2..100).contains(&n), "the pipe holds a little: {n}");
        assert_eq!(child.write(b"more").wait(), Err(InputClosed));
        assert!(child.wait().is_success());
    });
}

#[test]
fn what_was_written_before_the_wait_is_read() {
    watched(|| {
        let cat = child("cat").stdin(Stdin::Piped).spawn().unwrap();
        drop(cat.write(b"one ")); // It is under way all the same.
        block_on(cat.write(b"two")).unwrap();
        assert_eq!(cat.wait().stdout.text(), "one two", "to wait closes the input");
    });
}

#[test]
fn a_conversation_goes_on_for_as_long_as_both_like() {
    watched(|| {
        let cat = child("cat").stdin(Stdin::Piped).stdout(Output::Lines).spawn().unwrap();
        for n in 0..100 {
            cat.write(format!("{n}\n").as_bytes()).wait().unwrap();
            assert_eq!(cat.next_line().wait().unwrap().text(), n.to_string());
        }
        cat.close_stdin();
        assert_eq!(cat.write(b"more").wait(), Err(InputClosed));
        assert!(cat.next_line().wait().is_none());
    });
}
