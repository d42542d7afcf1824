//! The bodies of answers: whole, one that ends before what its head stated has been sent, where
//! a tester ordered it or the outcome is unknown, or one that comes bit by bit.

use super::pages::{BrokenOff, Part};
use crate::domain::number::saturated;
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The body of an answer.
pub(super) type AnswerBody = Either<Full<Bytes>, Either<CutOff, InParts>>;

/// Ends the connection in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off")]
pub(super) struct Cut;

/// A body of which only the beginning is sent.
pub(super) struct CutOff {
    /// What is still to be sent.
    beginning: Option<Bytes>,
    /// The length that the head states.
    stated: u64,
    /// What was sent had its time to leave.
    has_left: bool,
}

impl CutOff {
    /// The first bytes of `whole`; less than all of it, because it would not be cut off otherwise.
    pub(super) fn new(whole: &Bytes, bytes: usize) -> Self {
        let bytes = bytes.min(whole.len().saturating_sub(1));
        let stated = saturated::<u64>(whole.len());
        Self::of(whole.slice(..bytes), stated)
    }

    /// These bytes, where the head states `stated`, which is more.
    pub(super) fn of(beginning: Bytes, stated: u64) -> Self {
        Self { beginning: Some(beginning), stated, has_left: false }
    }
}

impl Body for CutOff {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(Frame::data(beginning))));
        }
        // hyper sends what it has when there is nothing more for now, and never after an error.
        if !self.has_left {
            self.has_left = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Cut)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.stated)
    }
}

/// A body whose parts come one after the other, until no more can.
pub(super) struct InParts(mpsc::Receiver<Part>);

impl Body for InParts {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.0.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data)))
    }
}

/// The body of an answer that is cut off.
pub(super) fn cut_off(body: CutOff) -> AnswerBody {
    Either::Right(Either::Left(body))
}

/// The body of an answer that comes bit by bit.
pub(super) fn in_parts(parts: mpsc::Receiver<Part>) -> AnswerBody {
    Either::Right(Either::Right(InParts(parts)))
}

/// The body of an answer that is sent as a whole.
pub(super) fn whole(body: Full<Bytes>) -> AnswerBody {
    Either::Left(body)
}
