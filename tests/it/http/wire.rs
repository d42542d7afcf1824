//! A client on a bare socket.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Nothing here takes so long; without it a failing test would hang.
pub(super) const NEVER: Duration = Duration::from_secs(30);

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) version: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The value of a header; several are an error.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        let first = values.next();
        assert!(values.next().is_none(), "several {name} headers: {self:?}");
        first.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(super) fn closes(&self) -> bool {
        self.header("connection") == Some("close")
    }
}

/// A connection that sees every byte.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads more; false at the end of the stream, or when it was reset.
    async fn more(&mut self) -> bool {
        let reading = self.stream.read_buf(&mut self.unread);
        let read = tokio::time::timeout(NEVER, reading).await.expect("the gateway says nothing");
        read.unwrap_or(0) > 0
    }

    /// Everything up to the end of the stream.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.unread)
    }

    /// Whether the gateway closes the connection and says nothing more.
    pub(super) async fn is_closed_silently(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    /// Whether an answer comes that breaks off before the length that its head states.
    pub(super) async fn is_broken_off(&mut self) -> bool {
        let rest = String::from_utf8(self.rest().await).unwrap();
        let Some((head, body)) = rest.split_once("\r\n\r\n") else { return false };
        let head = head.to_lowercase();
        let (_, length) = head.split_once("\r\ncontent-length: ").expect("a length");
        let length = length.split("\r\n").next().unwrap().parse::<usize>().unwrap();
        assert!(head.contains("\r\nconnection: close"), "{head}");
        !body.is_empty() && body.len() < length
    }

    /// The lines up to an empty one.
    pub(super) async fn head(&mut self) -> String {
        loop {
            let end = self.unread.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let head = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.more().await, "no answer, only {:?}", self.unread);
        }
    }

    pub(super) async fn answer(&mut self) -> Answer {
        self.answer_to("POST").await
    }

    /// The answer to a request of this method: one to HEAD has no body.
    pub(super) async fn answer_to(&mut self, method: &str) -> Answer {
        let head = self.head().await;
        let mut lines = head.trim_end().split("\r\n");
        let mut status_line = lines.next().unwrap().split(' ');
        let version = status_line.next().unwrap().to_owned();
        let status = status_line.next().unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Answer { status, version, headers, body: Vec::new() };
        assert_eq!(answer.header("transfer-encoding"), None);
        let length = answer.header("content-length").expect("a length").parse().unwrap();
        if method != "HEAD" {
            while self.unread.len() < length {
                assert!(self.more().await, "the answer broke off");
            }
            answer.body = self.unread.drain(..length).collect();
        }
        answer
    }
}
