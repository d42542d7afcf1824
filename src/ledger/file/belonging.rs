//! Whether the log that lies beside a file is that file's: an older log of the same ledger, or that
//! of another, would put its pages over newer ones, and acknowledged refunds would be gone without
//! a word.
//!
//! The first page of a file has a counter (`file change counter` of
//! <https://www.sqlite.org/fileformat2.html>) that grows by one at most with each transaction that
//! writes the page, and never shrinks. A log that goes on from a file therefore has no first page
//! that is older than the file's, and none that skips a count. What must stay true for the writer's
//! part: a log that begins when a ledger is opened or has rested begins with a transaction that
//! writes the first page, and the count of a closed file is above that of every log that it had. (A
//! log that begins under load has the first page as soon as the file grows. One without it may be
//! another SQLite program's, or an earlier version's, and is taken for the file's.)

use super::log::{frames, word_of};
use super::names::log_of;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

/// Where the first page has the counter.
const COUNTER: usize = 24;
/// Where the counter ends.
const COUNTER_END: usize = 28;

/// Whether the log beside the file at `path`, if there is one, goes on from the file.
pub(super) fn has_own_log(path: &Path) -> io::Result<bool> {
    // The file first: while it is in use, its log only gets further ahead of it.
    let mut head = Vec::with_capacity(COUNTER_END);
    let length = u64::try_from(COUNTER_END).unwrap_or(u64::MAX);
    File::open(path)?.take(length).read_to_end(&mut head)?;
    let log = match File::open(log_of(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        log => log?,
    };
    let counted = counted(&mut BufReader::new(log))?;
    Ok(counted.is_none_or(|of_log| goes_on(word_of(&head, COUNTER), of_log)))
}

/// The counts of the first page in the first and in the last transaction of a log that write it.
fn counted(log: &mut impl Read) -> io::Result<Option<(u32, u32)>> {
    let (mut counted, mut of_transaction) = (None, None);
    frames(log, |number, page, is_commit| {
        if number == 1 {
            of_transaction = Some(word_of(page, COUNTER));
        }
        if is_commit && let Some(last) = of_transaction.take() {
            let (first, _) = counted.unwrap_or((last, last));
            counted = Some((first, last));
        }
    })?;
    Ok(counted)
}

/// Whether a log with these counts goes on from a file with this one.
fn goes_on(file: u32, (first, last): (u32, u32)) -> bool {
    // The counter wraps around.
    let is_after = |later: u32, earlier: u32| later.wrapping_sub(earlier).cast_signed() > 0;
    !is_after(file, last) && !is_after(first, file.wrapping_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_goes_on_from_its_file_count_by_count() {
        for (file, first, last) in [(7, 8, 8), (7, 8, 12), (8, 8, 12), (12, 8, 12), (7, 7, 7)] {
            assert!(goes_on(file, (first, last)), "{file}");
        }
        for (file, first, last) in [(13, 8, 12), (6, 8, 12), (2, u32::MAX, 1)] {
            assert!(!goes_on(file, (first, last)), "{file}");
        }
        assert!(goes_on(u32::MAX, (0, 1)));
    }

    #[test]
    fn a_log_with_nothing_in_it_has_no_counts() {
        assert_eq!(counted(&mut [].as_slice()).unwrap(), None);
        assert_eq!(counted(&mut [0; 64].as_slice()).unwrap(), None);
    }
}
