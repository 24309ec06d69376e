//! A connection to a name, which may have several addresses.
//!
//! Knows nothing of what is sent. What must always hold: an address that swallows everything (a "black hole")
//! costs its share of the time, and never that of the addresses after it.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use handspun::CancellationToken;

/// How long to try where the token has no deadline.
const PATIENCE: Duration = Duration::from_secs(60);

/// Resolves the name, and connects to the first of its addresses that takes us.
pub(crate) fn connect(host: &str, port: u16, token: &CancellationToken) -> io::Result<TcpStream> {
    // The system takes its own time over a name, and cannot be asked to stop.
    let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    to_one_of(&addresses, token)
}

/// Tries one address after another. Each has an equal share of the time that is left when its turn comes, so
/// what an address does not need goes to those after it.
///
/// Browsers try the next one after a moment while the first goes on ("happy eyeballs", RFC 8305). That saves
/// a share of the time, and costs a socket and a thread for each address; here a thread is what is scarce.
pub(crate) fn to_one_of(
    addresses: &[SocketAddr],
    token: &CancellationToken,
) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the name has no address");
    for (n, address) in addresses.iter().enumerate() {
        token.check().map_err(io::Error::other)?;
        let left = token.remaining().unwrap_or(PATIENCE);
        let share = left.div_f64((addresses.len() - n) as f64).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
