//! However much a child writes, no more is kept than its cap says.

use handspun::process::{Cap, Cause};

use crate::setup::child;
use crate::support::watched;

/// S72.
#[test]
fn a_capped_child_is_not_held_up_and_everything_is_counted() {
    watched(|| {
        let cap = Cap::Keep { head: 10, tail: 5 };
        let outcome = child("say begin flood 1000000 say end exit 3").cap(cap).run().unwrap();
        assert_eq!(outcome.code(), Some(3));
        assert_eq!(outcome.stdout.text(), "begin\nxxxxxend\n");
        assert_eq!(outcome.stdout.omitted, 1_000_010 - 15);
        assert!(outcome.is_truncated());
    });
}

/// S73.
#[test]
fn a_child_that_writes_too_much_is_ended() {
    watched(|| {
        let outcome = child("flood 100000000000").cap(Cap::EndAt(1000)).run().unwrap();
        assert_eq!((outcome.cause.clone(), outcome.stdout.bytes.len()), (Cause::OutputLimit, 1000));
        assert!(outcome.check().unwrap_err().to_string().contains("it wrote too much"));
    });
}

/// S74.
#[test]
fn each_stream_has_a_cap_of_its_own() {
    watched(|| {
        let both = child("flood 100 flood-err 101");
        let outcome = both.clone().cap(Cap::Keep { head: 100, tail: 0 }).run().unwrap();
        assert_eq!((outcome.stdout.omitted, outcome.stderr.omitted), (0, 1));
        assert!(both.clone().cap(Cap::EndAt(101)).run().unwrap().is_success());
        let nothing = both.cap(Cap::Keep { head: 0, tail: 0 }).run().unwrap();
        assert_eq!((nothing.stdout.bytes.len(), nothing.stdout.omitted), (0, 100));
    });
}

/// S73: whoever has written too much has failed, and not only if it was caught in time.
#[test]
fn too_much_is_no_success_though_the_child_has_exited() {
    watched(|| {
        for _ in 0..50 {
            let outcome = child("flood 100 exit 0").cap(Cap::EndAt(10)).run().unwrap();
            assert_eq!(outcome.cause, Cause::OutputLimit);
        }
    });
}
