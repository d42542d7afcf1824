//! JSON documents: a checked, bounded reader that keeps each number as it was written, and a writer
//! that writes members in the order in which they are handed to it.
//!
//! What must stay true: no number becomes a floating point number on its way; an object that has a
//! name twice is refused, because readers disagree about which of the two counts; what a document
//! may cost is bounded before it is read.

mod document;
mod read;
mod write;

pub use document::{Json, Kind, Member};
pub use read::{JsonError, JsonLimits, Trouble, read};
pub use write::JsonWriter;
