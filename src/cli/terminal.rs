//! What the program says: data on stdout, everything else on stderr.
//!
//! A reader of stdout that goes away (`… | head -1`) has had enough; that is success.

use super::exit::{Failure, FailureCode, OrFail};
use std::io::{self, ErrorKind, Write};

/// Writes a line of data, at once.
pub(super) fn data(line: &str) -> Result<(), Failure> {
    data_is_read(line).map(|_| ())
}

/// As [`data`]; false when the reader has closed the pipe.
pub(super) fn data_is_read(line: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).or_fail(FailureCode::Runtime, "writing to stdout"),
    }
}

/// Writes a line for people. An error is dropped, since there is no other place to report it.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
