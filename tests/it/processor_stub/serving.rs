//! How the stub serves: a thread a connection, HTTP/1.1 by hand, with or without TLS.

use super::{Behaviour, Moment, Request, Shared};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a connection waits for its next request before it is given up.
const IDLE: Duration = Duration::from_secs(120);
/// How long an answer is that is too long.
const OVERSIZED_BYTES: usize = 200_000;

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Serves on a free port of loopback, and says on which.
pub(super) fn listen(shared: Arc<Shared>, tls: Option<Arc<ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            shared.watch.report(Moment::Connected);
            let (shared, tls) = (Arc::clone(&shared), tls.clone());
            // A connection that breaks is the business of the side that broke it.
            thread::spawn(move || drop(serve(&shared, stream, tls)));
        }
    });
    address
}

fn serve(
    shared: &Shared,
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
            Box::new(StreamOwned::new(connection, stream))
        }
    };
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        shared.watch.report(Moment::Received);
        let behaviour = shared.behaviour(&request.method);
        match behaviour {
            Behaviour::DropBefore => return Ok(()),
            Behaviour::StatusBefore(status) => {
                answer(&mut stream, status, "text/plain", "no")?;
                continue;
            }
            _ => {}
        }
        let (status, reported) = shared.work(&request, &behaviour);
        shared.watch.report(Moment::Worked);
        let goes_on = report(&mut stream, &behaviour, status, reported)?;
        shared.watch.report(Moment::Answered);
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

/// Answers as the behaviour wants it; false when the connection is to be closed.
fn report(
    stream: &mut BufReader<Box<dyn Stream>>,
    behaviour: &Behaviour,
    status: u16,
    mut reported: Value,
) -> std::io::Result<bool> {
    let mut content_type = "application/json";
    match behaviour {
        Behaviour::DropAfter => return Ok(false),
        Behaviour::Hang => {
            // Until the asker goes away.
            let _ = stream.fill_buf();
            return Ok(false);
        }
        Behaviour::Half => {
            let body = reported.to_string();
            let head = format!(
                "HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n",
                body.len()
            );
            let half = &body.as_bytes()[..body.len() / 2];
            stream.get_mut().write_all(&[head.as_bytes(), half].concat())?;
            return Ok(false);
        }
        Behaviour::Slow(time) => thread::sleep(*time),
        Behaviour::Garbage => {
            answer(stream, 200, content_type, "{\"reference\": \"")?;
            return Ok(true);
        }
        Behaviour::StatusAfter(status) => {
            answer(stream, *status, "text/html", "<h1>no</h1>")?;
            return Ok(true);
        }
        Behaviour::Redirect(elsewhere) => {
            let head = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere}\r\n\
                 Content-Length: 0\r\n\r\n"
            );
            stream.get_mut().write_all(head.as_bytes())?;
            return Ok(true);
        }
        Behaviour::WrongEcho(member) => {
            reported[member] = match *member {
                "amount" => json!("0.01"),
                "currency" => json!("JPY"),
                _ => json!("00000000000000000000000000000000"),
            };
        }
        Behaviour::Without(member) => {
            reported.as_object_mut().unwrap().remove(*member);
        }
        Behaviour::With(member, value) => reported[member] = json!(value),
        Behaviour::ContentType(other) => content_type = other,
        Behaviour::Oversized => {
            let text = reported.to_string() + &" ".repeat(OVERSIZED_BYTES);
            answer(stream, status, content_type, &text)?;
            return Ok(true);
        }
        _ => {}
    }
    answer(stream, status, content_type, &reported.to_string())?;
    Ok(true)
}

fn answer(
    stream: &mut BufReader<Box<dyn Stream>>,
    status: u16,
    content_type: &str,
    body: &str,
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Told\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let stream = stream.get_mut();
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    stream.flush()
}

/// The next request; none when the connection was closed.
fn read(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(Some(Request { method, path, headers, body }))
}
