//! Why a document is refused.
//!
//! The reasons go into answers and logs, so they repeat at most 64 characters of the input, and
//! only such as can be printed.

use super::limits::LimitKind;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The text breaks a rule of XML 1.0 or of its namespaces.
    #[error("{detail} at byte {position}")]
    NotWellFormed {
        /// What was expected or found.
        detail: String,
        /// Where, in bytes from the start of the decoded text.
        position: usize,
    },
    /// The document has a DOCTYPE, which could define entities.
    #[error("a DOCTYPE is not allowed")]
    Doctype,
    /// The document has a processing instruction.
    #[error("a processing instruction is not allowed")]
    ProcessingInstruction,
    /// The bytes are not in the encoding that they claim, or that encoding is not served.
    #[error("{detail}")]
    Encoding {
        /// What is wrong with the encoding or the bytes.
        detail: String,
    },
    /// The document is larger than one of the limits.
    #[error("over the limit of {}", .0.name())]
    Limit(LimitKind),
}

impl XmlError {
    pub(super) fn not_well_formed(detail: impl Into<String>, position: usize) -> Self {
        Self::NotWellFormed { detail: detail.into(), position }
    }

    pub(super) fn encoding(detail: impl Into<String>) -> Self {
        Self::Encoding { detail: detail.into() }
    }

    /// What an error of the tokenizer means, without the input that its message may repeat.
    pub(super) fn of_tokenizer(error: Error, position: usize) -> Self {
        let detail = match error {
            Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                "found markup that is not XML".to_owned()
            }
            Error::Syntax(error) => error.to_string(),
            Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
                format!("expected </{}>, found </{}>", excerpt(&expected), excerpt(&found))
            }
            Error::IllFormed(IllFormedError::UnmatchedEndTag(found)) => {
                format!("found </{}> without its start", excerpt(&found))
            }
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => {
                "found -- in a comment".to_owned()
            }
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                "found & without a ; that ends the reference".to_owned()
            }
            _ => "found markup that cannot be read".to_owned(),
        };
        Self::not_well_formed(detail, position)
    }
}

/// How much of the input one excerpt shows; a message has at most two.
const EXCERPT_CHARACTERS_MAX: usize = 32;

/// The start of a piece of input, fit to be printed.
pub(super) fn excerpt(input: &str) -> String {
    let printable = |character: char| {
        let odd = character.is_control() || !super::characters::is_xml(character);
        if odd { char::REPLACEMENT_CHARACTER } else { character }
    };
    let mut shown: String = input.chars().take(EXCERPT_CHARACTERS_MAX).map(printable).collect();
    if input.chars().nth(EXCERPT_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt("ns1:Größe"), "ns1:Größe");
        assert_eq!(excerpt("a\u{0}\n\u{FFFE}b"), "a\u{FFFD}\u{FFFD}\u{FFFD}b");
        assert_eq!(excerpt(&"é".repeat(33)), format!("{}…", "é".repeat(32)));
        assert_eq!(excerpt(&"é".repeat(32)), "é".repeat(32));
    }

    #[test]
    fn messages_say_where() {
        let error = XmlError::not_well_formed("expected an element", 7);
        assert_eq!(error.to_string(), "expected an element at byte 7");
        let error = XmlError::Limit(LimitKind::Depth);
        assert_eq!(error.to_string(), "over the limit of xml depth");
    }
}
