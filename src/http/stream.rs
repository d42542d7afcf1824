//! A client's socket, with what hyper leaves open: a client that does not read, one that still
//! sends what has been refused, and words for what hyper refuses by itself.
//!
//! A socket that is closed with bytes unread is reset, and the reset can overtake the answer; so
//! after an early answer the rest is read and thrown away for a short time.

use super::connection::Connection;
use super::refused_head::{in_words, names_foreign_coding};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

/// How much is thrown away at once.
const SCRATCH_BYTES: usize = 4096;

/// How long a client may take where hyper sets no limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For reading an answer.
    pub(super) write: Duration,
    /// For sending what the peer may not read any more.
    pub(super) linger: Duration,
}

/// What a client speaks through.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// One that came from within this process.
    Within(DuplexStream),
}

/// A socket that ends in bounded time.
pub(super) struct Stream<'a> {
    socket: Socket,
    connection: &'a Connection,
    patience: Patience,
    stalled: Option<Pin<Box<Sleep>>>,
    lingering: Option<Pin<Box<Sleep>>>,
    is_shut: bool,
    /// A head named a transfer coding other than chunked.
    has_foreign_coding: bool,
    /// What is sent in place of an answer of hyper's own, and how much of it was.
    in_words: Option<(Vec<u8>, usize)>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(socket: Socket, connection: &'a Connection, patience: Patience) -> Self {
        Self {
            socket,
            connection,
            patience,
            stalled: None,
            lingering: None,
            is_shut: false,
            has_foreign_coding: false,
            in_words: None,
        }
    }

    /// Sends in words what hyper would say with a status alone; none where it is no such answer.
    fn poll_in_words(
        &mut self,
        context: &mut Context<'_>,
        answer: &[u8],
    ) -> Option<Poll<io::Result<usize>>> {
        if self.in_words.is_none() {
            self.in_words = Some((in_words(answer, self.has_foreign_coding)?, 0));
        }
        let (words, sent) = self.in_words.as_mut()?;
        loop {
            let rest = words.get(*sent..).unwrap_or_default();
            if rest.is_empty() {
                self.in_words = None;
                return Some(Poll::Ready(Ok(answer.len())));
            }
            match Pin::new(&mut self.socket).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => {
                    return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(written)) => *sent += written,
                unready => return Some(unready),
            }
        }
    }

    /// Passes `polled` on, unless the client has left us waiting for too long.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = &polled {
            self.connection.pace.moved(written.as_ref().map_or(0, |bytes| *bytes));
            self.stalled = None;
            return polled;
        }
        let patience = self.patience.write;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        self.connection.note_unread_answer();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn throw_rest_away(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; SCRATCH_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.connection.expect_more();
                }
                Poll::Pending if self.connection.expects_more() => break,
                Poll::Ready(_) | Poll::Pending => return Poll::Ready(()),
            }
        }
        let patience = self.patience.linger;
        let lingering =
            self.lingering.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        lingering.as_mut().poll(context)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Tls(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Within(socket) => Pin::new(socket).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Tls(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Within(socket) => Pin::new(socket).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(context, pieces),
            Self::Tls(socket) => Pin::new(socket).poll_write_vectored(context, pieces),
            Self::Within(socket) => Pin::new(socket).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(socket) => socket.is_write_vectored(),
            Self::Within(socket) => socket.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Tls(socket) => Pin::new(socket).poll_flush(context),
            Self::Within(socket) => Pin::new(socket).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Tls(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Within(socket) => Pin::new(socket).poll_shutdown(context),
        }
    }
}

impl AsyncRead for Stream<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        let bytes = buffer.filled().len().saturating_sub(before);
        if bytes > 0 {
            let head = buffer.filled().get(before..).unwrap_or_default();
            self.has_foreign_coding |= names_foreign_coding(head);
            self.connection.heard(bytes);
        }
        polled
    }
}

impl AsyncWrite for Stream<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let spoken = self.poll_in_words(context, bytes);
        let polled =
            spoken.unwrap_or_else(|| Pin::new(&mut self.socket).poll_write(context, bytes));
        self.watch(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let spoken = match pieces {
            [answer] => self.poll_in_words(context, answer),
            _ => None,
        };
        let polled = spoken
            .unwrap_or_else(|| Pin::new(&mut self.socket).poll_write_vectored(context, pieces));
        self.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.is_shut = true;
        }
        self.throw_rest_away(context).map(Ok)
    }
}
