//! HTTP/1.1 over a plain socket: what is sent is what a test writes, what came is what it sees.

#![allow(dead_code, reason = "each module of the tests takes what it needs")]

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is kept alive until it is dropped or closed by the other side.
pub struct Connection {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), address }
    }

    /// Posts an envelope of SOAP 1.1 and reads the answer.
    pub fn post(&mut self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", "text/xml; charset=utf-8")], body.as_bytes())
    }

    /// Sends a request with these headers beside Host and Content-Length, and reads the answer.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        self.write(&[head.as_bytes(), body].concat());
        self.read_answer().expect("an answer")
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The next answer; none when the connection was closed before its last byte.
    pub fn read_answer(&mut self) -> Option<Answer> {
        let mut answer = self.read_head_of_answer()?;
        answer.body = self.read_body(&answer)?;
        Some(answer)
    }

    /// Whether the next answer breaks off, after its first byte and before its last.
    pub fn breaks_off(&mut self) -> bool {
        let head = self.read_head_of_answer();
        head.is_some_and(|head| self.read_body(&head).is_none())
    }

    /// The status of the next head, which nothing follows, such as that of `100 Continue`.
    pub fn read_head(&mut self) -> u16 {
        self.read_head_of_answer().expect("a head").status
    }

    /// The head of the next answer; none when the connection was closed before its first byte.
    pub fn read_head_of_answer(&mut self) -> Option<Answer> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => return None,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            read => read.unwrap(),
        };
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Answer { status, headers, body: Vec::new() })
    }

    /// What follows a head; none when the connection was closed before its end.
    pub fn read_body(&mut self, head: &Answer) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        if head.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut size = String::new();
                self.stream.read_line(&mut size).unwrap();
                let size = usize::from_str_radix(size.trim(), 16).unwrap();
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk).unwrap();
                if size == 0 {
                    return Some(body);
                }
                body.extend_from_slice(&chunk[..size]);
            }
        }
        match head.header("content-length") {
            Some(length) => {
                body.resize(length.parse().unwrap(), 0);
                self.stream.read_exact(&mut body).ok()?;
            }
            None => {
                self.stream.read_to_end(&mut body).unwrap();
            }
        }
        Some(body)
    }

    /// Everything that comes until the other side closes or resets the connection.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        match self.stream.read_to_end(&mut all) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            read => drop(read.unwrap()),
        }
        all
    }

    /// What has come, as soon as something has.
    pub fn read_some(&mut self) -> Vec<u8> {
        let some = self.stream.fill_buf().unwrap().to_vec();
        self.stream.consume(some.len());
        some
    }

    /// Whether the other side has closed and nothing is left to read.
    pub fn is_closed(&mut self) -> bool {
        self.stream.fill_buf().map_or(true, <[u8]>::is_empty)
    }
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("an answer in UTF-8")
    }

    /// The texts of all elements of this local name that hold nothing but text.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let inside = |piece: &str| {
            let (tag, rest) = piece.split_once('>')?;
            let local = tag.rsplit(':').next()?;
            (local == name && !tag.starts_with('/')).then(|| rest.to_owned())
        };
        text.split('<').filter_map(inside).collect::<Vec<_>>()
    }

    /// How many rows of a create call succeeded.
    pub fn successes(&self) -> usize {
        self.texts("Success").iter().filter(|text| *text == "true").count()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// Reads one request with a Content-Length to its end, as a server does that only counts them.
pub fn read_request(reader: &mut impl BufRead) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}
