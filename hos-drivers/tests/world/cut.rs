//! A connection that breaks while COMMIT is under way: a port of this process's own, behind which the server is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// When it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before COMMIT comes to the server.
    Before,
    /// When the server has answered it, and before that comes to the host.
    After,
}

/// A URL of the same database, for one connection, which breaks.
pub(crate) fn through(url: &str, when: Cut) -> String {
    let (account, rest) = url.rsplit_once('@').unwrap();
    let (address, database) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = address.to_owned();
    std::thread::spawn(move || {
        let (host, _) = listener.accept().unwrap();
        relay(host, TcpStream::connect(address).unwrap(), when);
    });
    // By the server's socket the client would go round this.
    let straight = if url.starts_with("mysql") { "?prefer_socket=false" } else { "" };
    format!("{account}@127.0.0.1:{port}/{database}{straight}")
}

fn relay(mut host: TcpStream, mut server: TcpStream, when: Cut) {
    for stream in [&host, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let commits = Arc::new(AtomicBool::new(false));
    let (mut to_host, mut from_server, is_last) = (host.try_clone().unwrap(), server.try_clone().unwrap(), commits.clone());
    std::thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut bytes) {
            if is_last.load(Ordering::SeqCst) || to_host.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        end(&to_host, &from_server);
    });
    let mut bytes = [0; 1 << 16];
    while let Ok(count @ 1..) = host.read(&mut bytes) {
        let said = &bytes[..count];
        // Of both protocols it is the end of a message; PostgreSQL's ends with a zero.
        if said.strip_suffix(b"\0").unwrap_or(said).ends_with(b"COMMIT") {
            if when == Cut::Before {
                break;
            }
            commits.store(true, Ordering::SeqCst);
        }
        if server.write_all(said).is_err() {
            break;
        }
    }
    end(&host, &server);
}

fn end(host: &TcpStream, server: &TcpStream) {
    for stream in [host, server] {
        // The other thread may have been first.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
