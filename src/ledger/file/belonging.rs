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

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Where the first page has the counter.
const COUNTER: usize = 24;
/// Where the counter ends.
const COUNTER_END: usize = 28;

/// The count of a file.
pub(super) fn count_of_file(path: &Path) -> io::Result<u32> {
    let mut head = Vec::with_capacity(COUNTER_END);
    let length = u64::try_from(COUNTER_END).unwrap_or(u64::MAX);
    File::open(path)?.take(length).read_to_end(&mut head)?;
    Ok(word_of(&head, COUNTER))
}

/// The counts of the first page in the transactions of a log.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// In the first and in the last transaction that write the page.
    ends: Option<(u32, u32)>,
    /// In the transaction that is not at its end.
    of_transaction: Option<u32>,
}

impl Counts {
    /// Adds a frame: the number of its page, the page, and whether it ends a transaction.
    pub(super) fn add(&mut self, number: u32, page: &[u8], is_commit: bool) {
        if number == 1 {
            self.of_transaction = Some(word_of(page, COUNTER));
        }
        if is_commit && let Some(last) = self.of_transaction.take() {
            let (first, _) = self.ends.unwrap_or((last, last));
            self.ends = Some((first, last));
        }
    }

    /// Whether the log goes on from a file with this count.
    pub(super) fn go_on_from(&self, file: u32) -> bool {
        self.ends.is_none_or(|ends| goes_on(file, ends))
    }
}

/// The word at a place, the first byte first, as files and logs have it; 0 beyond the end.
pub(super) fn word_of(bytes: &[u8], place: usize) -> u32 {
    let word = bytes.get(place..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_be_bytes(*word))
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
    fn only_the_first_page_of_whole_transactions_counts() {
        let page = |count: u32| [&[0; COUNTER], count.to_be_bytes().as_slice()].concat();
        let mut counts = Counts::default();
        assert!(counts.go_on_from(7), "a log with nothing in it");
        for (number, count, is_commit) in
            [(2, 99, true), (1, 8, false), (3, 99, true), (1, 9, true), (1, 99, false)]
        {
            counts.add(number, &page(count), is_commit);
        }
        assert_eq!(counts.ends, Some((8, 9)));
        assert!(counts.go_on_from(7) && !counts.go_on_from(10));
    }
}
