//! What goes between the listener and a front door: a [`Call`] in, a [`Reply`] out, the same for
//! every protocol.
//!
//! The listener knows HTTP and nothing of what a body means; a front door ([`Door`]) knows what
//! bodies mean and nothing of sockets. What must stay true: nothing here knows a wire format, and
//! nothing that a client sends becomes the name of an operation or of an outcome.

mod answer;
mod door;
mod explain;
mod facts;
mod head;
mod holding;
mod limit;
pub mod noted;
mod notes;
mod operation;
pub mod ordered;
mod outcome;
mod refusal;

pub use answer::{Answer, Header, Reply};
pub use door::{Call, Description, Door, Replying, Route};
pub use explain::{Explain, Rejection, missed_value};
pub use facts::{CallFacts, Few};
pub use head::{Head, Headers, Method, Users};
pub use holding::Holding;
pub use limit::CallLimit;
pub use notes::{CallNotes, NotedObject, Notes, Texts};
pub use operation::OperationName;
pub use outcome::{Outcome, Refused};
pub use refusal::Refusal;

/// Larger bodies are read off the async threads, because reading takes time and nothing can
/// interrupt it.
pub const READ_IN_PLACE_BYTES_MAX: usize = 64 * 1024;
