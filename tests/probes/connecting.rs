//! Connections to names with several addresses.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use handspun::CancellationToken;

use crate::http_probe::connect::to_one_of;
use crate::support::watched;

/// A listener that takes no more connections: what is sent to it is swallowed without a word.
#[cfg(target_os = "linux")]
struct BlackHole {
    listener: TcpListener,
    /// They fill its queue, and stay there.
    _queued: Vec<TcpStream>,
}

#[cfg(target_os = "linux")]
impl BlackHole {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let _queued = std::iter::from_fn(connect).collect();
        Self { listener, _queued }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_swallows_everything_leaves_time_for_the_next() {
    watched(|| {
        let (hole, good) = (BlackHole::new(), TcpListener::bind("127.0.0.1:0").unwrap());
        let good = good.local_addr().unwrap();
        let token = CancellationToken::with_timeout(Duration::from_secs(1));
        let stream = to_one_of(&[hole.address(), good], &token).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let token = CancellationToken::with_timeout(Duration::from_millis(10));
        assert!(to_one_of(&[hole.address(); 2], &token).is_err());
    });
}

#[test]
fn an_address_that_refuses_leaves_all_of_the_time_to_the_next() {
    let refuses = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let good = TcpListener::bind("127.0.0.1:0").unwrap();
    let token = CancellationToken::new();
    assert!(to_one_of(&[refuses, refuses, good.local_addr().unwrap()], &token).is_ok());
    assert!(to_one_of(&[refuses], &token).is_err());
    assert!(to_one_of(&[], &token).is_err());
    token.cancel();
    assert!(to_one_of(&[good.local_addr().unwrap()], &token).is_err());
}
