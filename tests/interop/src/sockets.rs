//! Sockets: `async-net` on our executor. We have no reactor, and need none.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use async_lock::Barrier;
use async_net::{TcpListener, TcpStream};
use futures::{AsyncReadExt, AsyncWriteExt};
use handspun::{Semaphore, Task, TaskGroup, join_all, run, spawn, timeout};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::watched;

const PATIENCE: Duration = Duration::from_secs(30);

/// What the server says to whoever is let in.
const WELCOME: u8 = b'!';

/// Listens on a port of its own, welcomes whoever comes, and sends back what is said.
async fn echo_server() -> io::Result<(SocketAddr, Task<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(spawn(echo(stream)));
        }
    });
    Ok((address, server))
}

async fn echo(mut stream: TcpStream) -> io::Result<u64> {
    stream.write_all(&[WELCOME]).await?;
    futures::io::copy(stream.clone(), &mut stream).await
}

async fn be_let_in(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let mut said = [0];
    stream.read_exact(&mut said).await?;
    assert_eq!(said, [WELCOME]);
    Ok(stream)
}

async fn ask(mut stream: TcpStream, text: String) -> io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// How many clients there may be at once: two ends each, and some descriptors for all else.
///
/// A shell gives a process a thousand descriptors as a rule, and lets it ask for more.
fn enough_descriptors_for(n_clients: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(2 * n_clients as u64 + 100);
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if current < wanted {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
    }
    n_clients.min((wanted.max(current).saturating_sub(100) / 2) as usize)
}

async fn client(
    n: usize,
    address: SocketAddr,
    door: Rc<Semaphore>,
    all_are_in: Rc<Barrier>,
) -> io::Result<String> {
    let permit = door.acquire().await.map_err(io::Error::other)?;
    let stream = be_let_in(address).await?;
    drop(permit);
    all_are_in.wait().await;
    ask(stream, format!("client {n}")).await
}

/// A158: all are connected at once, on one thread, and each has a timeout.
///
/// A listener has a short line, and refuses whoever finds it full: so a few at a time come to the door.
#[test]
fn a_thousand_clients_are_answered_at_once() {
    let n_clients = enough_descriptors_for(1_000);
    watched(|| {
        let answers = run(async {
            let (address, _server) = echo_server().await.unwrap();
            let door = Rc::new(Semaphore::new(50));
            let all_are_in = Rc::new(Barrier::new(n_clients));
            let client = |n| client(n, address, door.clone(), all_are_in.clone());
            let clients = (0..n_clients).map(|n| spawn(timeout(PATIENCE, client(n))));
            join_all(clients.collect::<Vec<_>>()).await
        });
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.unwrap().unwrap().unwrap(), format!("client {n}"));
        }
    });
}

#[test]
fn a_semaphore_bounds_the_connections() {
    watched(|| {
        run(async {
            let (address, _server) = echo_server().await.unwrap();
            let doors = Rc::new(Semaphore::new(10));
            let clients = TaskGroup::new();
            for n in 0..200 {
                let doors = doors.clone();
                let client = async move {
                    let _permit = doors.acquire().await.map_err(io::Error::other)?;
                    ask(be_let_in(address).await?, n.to_string()).await
                };
                clients.try_spawn(client);
            }
            clients.join().await.unwrap();
            assert_eq!(doors.available(), 10);
        });
    });
}

/// Cancelling is dropping: the other side sees that the socket is closed.
#[test]
fn a_client_whose_time_is_over_has_closed_its_socket() {
    watched(|| {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let silent = spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut heard = Vec::new();
                stream.read_to_end(&mut heard).await.map(|_| heard)
            });
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"anybody there?").await.unwrap();
            let hears = async move { stream.read(&mut [0]).await };
            assert!(timeout(Duration::from_millis(5), hears).await.is_err());
            assert_eq!(silent.await.unwrap().unwrap(), b"anybody there?");
        });
    });
}

#[test]
fn a_refused_connection_is_an_error_and_hangs_nobody() {
    watched(|| {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            drop(listener);
            let refused = be_let_in(address).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        });
    });
}
