//! A client that sends one request and waits for its answer: for setting up and for paced queries.
//! Speed is measured by `load`.

use crate::framing::framing;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A kept connection.
pub struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: Vec::new() }
    }

    /// The answer to a request, head and body.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<String> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let mut part = [0; 16 * 1024];
        loop {
            let count = self.stream.read(&mut part)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(&part[..count]);
            if framing(&self.answer).is_some_and(|framing| framing.is_whole(&self.answer)) {
                return Ok(String::from_utf8(self.answer.clone()).unwrap());
            }
        }
    }

    /// The answer to a request, which must hold `expected`.
    pub fn expect(&mut self, request: &[u8], expected: &str) -> String {
        let answer = self.exchange(request).unwrap();
        assert!(answer.contains(expected), "no {expected}: {answer}");
        answer
    }
}

/// The texts of all elements of this name, whatever their prefix.
pub fn texts<'a>(answer: &'a str, element: &str) -> Vec<&'a str> {
    let mark = format!("{element}>");
    let mut found = Vec::new();
    for (at, _) in answer.match_indices(&mark) {
        let is_start = answer[..at].ends_with([':', '<']) && !answer[..at].ends_with("</");
        let opened_at = answer[..at].rfind('<').unwrap();
        if is_start && !answer[opened_at..].starts_with("</") {
            let rest = &answer[at + mark.len()..];
            found.push(rest.split_once('<').unwrap().0);
        }
    }
    found
}
