//! The checked, bounded XML reader and the writer.
//!
//! A tokenizer alone takes much that is not XML: a second root, U+0000, an undeclared prefix, a
//! DOCTYPE. Here [`decode()`] and [`parse()`] refuse all of that with a reason and keep every size
//! within [`XmlLimits`], without recursion, so that no input can cost more than its length.
//! [`Writer`] writes nothing ill-formed, for any texts.
//! Nothing in this room knows what the documents are about.

mod characters;
pub mod content_type;
mod declaration;
mod decode;
mod document;
mod error;
mod layout;
mod limits;
mod namespaces;
mod parse;
mod references;
mod splice;
mod tag;
mod writer;
pub mod xpath;

pub use decode::decode;
pub use document::{Attribute, Attributes, Children, Descendants, Document, ElementRef, QName};
pub use error::XmlError;
pub use layout::laid_out;
pub use limits::{LimitKind, XmlLimits};
pub use parse::parse;
pub use splice::{element, with_attribute, with_content, with_element, with_text};
pub use writer::Writer;

/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
