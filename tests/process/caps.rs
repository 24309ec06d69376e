//! However much a child writes, no more is kept than its cap says.

use crate::setup::child;
use crate::support::watched;

/// S72.
#[test]
fn a_capped_child_is_not_held_up_and_everything_is_counted() {
    watched(|| {
        let flood = child("say begin flood 1000000 say end exit 3");
        let outcome = flood.cap(10, 5).run().unwrap();
        assert_eq!(outcome.code(), Some(3));
        assert_eq!(outcome.stdout.text(), "begin\nxxxxxend\n");
        assert_eq!(outcome.stdout.omitted, 1_000_010 - 15);
    });
}

/// S74.
#[test]
fn each_stream_has_a_cap_of_its_own() {
    watched(|| {
        let both = || child("flood 100 flood-err 101");
        let outcome = both().cap(100, 0).run().unwrap();
        assert_eq!((outcome.stdout.omitted, outcome.stderr.omitted), (0, 1));
        let nothing = both().cap(0, 0).run().unwrap();
        assert_eq!((nothing.stdout.bytes.len(), nothing.stdout.omitted), (0, 100));
    });
}
