//! What an answer can differ in from the one that was captured.

/// One way in which an answer differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another status.
    Status {
        /// The one that was expected.
        expected: u16,
        /// The one that came.
        actual: u16,
    },
    /// Another value of a header, or none.
    Header {
        /// Its name.
        name: String,
        /// The value that was expected.
        expected: String,
        /// The value that came.
        actual: Option<String>,
    },
    /// Another body.
    Body {
        /// Where the first difference is, in a document.
        path: Option<String>,
        /// What else there is to say, such as why the answer is no XML.
        note: Option<String>,
        /// Both bodies, line by line; each line starts with ` `, `-` (expected) or `+` (came).
        diff: Vec<String>,
    },
    /// Another body, compared byte for byte.
    Bytes {
        /// The offset of the first other byte in the captured body, from 0.
        offset: usize,
        /// The offset of the first other byte in the body that came.
        actual_offset: usize,
        /// What stands around it: a line that starts with `-`, one with `+`, and one that points.
        diff: Vec<String>,
    },
    /// The body is larger than the limit and was cut off there.
    Cut {
        /// How many bytes were read.
        bytes: usize,
    },
    /// The request names objects that the endpoint does not have.
    Unknown {
        /// The type and the id of each.
        objects: Vec<String>,
    },
    /// Nothing was expected, and the answer is a refusal.
    Refused {
        /// The fault or the error of a row.
        why: String,
    },
    /// No answer.
    NoAnswer {
        /// What happened instead.
        why: String,
    },
}
