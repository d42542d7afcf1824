//! A front door, and a call as the listener hands it over.

use super::{Answer, Explain, Head, Holding, Method, Notes, OperationName, Refusal, Reply};
use crate::domain::origin::FrontDoor;
use crate::service::deadline::Deadline;
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A call to a front door.
pub struct Call {
    /// Its head.
    pub head: Head,
    /// The body, inflated.
    pub body: Bytes,
    /// The turn of a body that takes much memory to read; given back as soon as it is read.
    pub turn: Option<OwnedSemaphorePermit>,
    /// Until when the work must have begun.
    pub deadline: Deadline,
    /// Where it is noted what the call said, if anywhere.
    pub notes: Option<Arc<Notes>>,
    /// What is held until the listener has a place for the answer.
    pub holding: Holding,
}

/// Where a request goes behind a front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'p> {
    /// It is a call, whatever its method; the front door answers it.
    Call {
        /// The version in the path, as sent; for the log and the journal.
        version: &'p str,
    },
    /// It asks for the description of a version.
    Description {
        /// The version in the path or the query, as sent.
        version: &'p str,
    },
    /// The path is right, the method is not.
    WrongMethod {
        /// The methods that the path takes.
        allow: &'static str,
        /// The same for people.
        sentence: &'static str,
    },
}

/// What describes a version of a front door: a WSDL, for example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The operation as which it is counted.
    pub operation: OperationName,
    /// Its Content-Type.
    pub content_type: &'static str,
    /// Its text.
    pub text: String,
}

/// A reply that is being made. It is boxed, so that what a call holds while it waits is not moved
/// about with every future around it.
pub type Replying<'d> = Pin<Box<dyn Future<Output = Reply> + Send + 'd>>;

/// A front door: what one protocol makes of the requests to its paths.
pub trait Door: Explain + Send + Sync + 'static {
    /// By which way calls come that it takes.
    fn kind(&self) -> FrontDoor;

    /// Its endpoint, for people.
    fn endpoint(&self) -> &'static str;

    /// Where a request goes, by its method, its path in normal form and its query; nothing if the
    /// path is none of this door's. A door that claims a prefix answers [`Route::Call`] for every
    /// method and path below it, and says itself what is not there.
    fn route<'p>(&self, method: Method, path: &'p str, query: Option<&'p str>)
    -> Option<Route<'p>>;

    /// The names, in lower case, of the headers that it wants to see in [`Head::headers`].
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// The description of a version for a caller who reaches the gateway at `base_url`.
    ///
    /// # Errors
    /// A sentence, where there is no such version.
    fn description(&self, version: &str, base_url: &str) -> Result<Description, String>;

    /// Whether a body of this content type may be one of this door's calls; not asked where a
    /// request has no Content-Type.
    fn takes(&self, method: Method, content_type: &str) -> bool;

    /// The answer to a call that is refused before its body is read.
    fn refuse(&self, refusal: Refusal, head: &Head) -> Answer;

    /// Answers a call.
    fn answer(&self, call: Call) -> Replying<'_>;
}
