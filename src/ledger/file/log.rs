//! Whether a write-ahead log of SQLite is whole: whether nothing that was committed lies behind a
//! frame that does not check out.
//!
//! SQLite reads a log up to the first frame whose checksum is wrong and takes what follows for the
//! rest of an older log. That is right for a write that was cut short, which can only be the last
//! transaction: each commit is synced before the next transaction begins. One damaged byte further
//! ahead would make acknowledged transactions vanish without a word, and is reported here.
//!
//! What must stay true: what crashes can leave behind is never called damage. So a wrong frame
//! counts only where behind it a commit and the beginning of the next transaction follow, whose
//! checksum goes on from that commit's. It does so only where the commit had been synced, so that
//! it was part of the log when the next transaction was written. Frames of a write that an earlier
//! crash cut short have the same salts and stay where they are until they are written over; behind
//! the commit of a shorter write in their place they do not go on from it. (A damaged byte in the
//! last transaction looks like a write that was cut short, and is taken for one.) The format is
//! that of <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use super::belonging::{Counts, count_of_file, word_of};
use super::names::log_of;
use super::open_error::OpenError;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// The length of the log's header, in bytes.
const HEADER: usize = 32;
/// The length of a frame's header, in bytes; a page follows.
const FRAME_HEADER: usize = 24;
/// Where a frame has the size of the file if it ends a transaction, and nothing otherwise.
const COMMIT: usize = 4;
/// The first four bytes of a log; the last bit says which byte of a word comes first in sums.
const MAGIC: u32 = 0x377f_0682;
/// Beside a process that writes, how often a verdict is asked for again and how far apart.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Refuses a ledger whose log is damaged, or not its own, so that acknowledged transactions would
/// be left out. The file must be locked, so that no process writes to it.
pub fn check_log(path: &Path) -> Result<(), OpenError> {
    refused(path, look(path).map_err(|error| OpenError::io(path, &error))?)
}

/// As [`check_log`], for a ledger that another process may be writing to: only what several looks
/// find at the same place is damage.
pub fn check_log_in_use(path: &Path) -> Result<(), OpenError> {
    let look = || look(path).map_err(|error| OpenError::io(path, &error));
    let first = look()?;
    for _ in 1..LOOKS {
        if first == Look::Sound {
            break;
        }
        thread::park_timeout(BETWEEN_LOOKS);
        if look()? != first {
            return Ok(());
        }
    }
    refused(path, first)
}

/// What a look at a log comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Sound,
    Broken(Broken),
    NotItsOwn,
}

/// Looks at the log beside the file, if there is one.
fn look(path: &Path) -> io::Result<Look> {
    // The file first: while it is in use, its log only gets further ahead of it.
    let file = count_of_file(path)?;
    let log = match File::open(log_of(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Look::Sound),
        log => log?,
    };
    let mut counts = Counts::default();
    let broken = broken_in(&mut BufReader::new(log), |frame, page| {
        counts.add(word_of(frame, 0), page, word_of(frame, COMMIT) != 0);
    })?;
    Ok(match broken {
        Some(at) => Look::Broken(at),
        None if counts.go_on_from(file) => Look::Sound,
        None => Look::NotItsOwn,
    })
}

fn refused(path: &Path, look: Look) -> Result<(), OpenError> {
    let path = path.to_owned();
    match look {
        Look::Sound => Ok(()),
        Look::NotItsOwn => Err(OpenError::StrangeLog { path }),
        Look::Broken(Broken { frame: None, .. }) => {
            let detail = "the header of its log is damaged".to_owned();
            Err(OpenError::Damaged { path, detail })
        }
        Look::Broken(Broken { frame: Some(frame), .. }) => {
            let detail = format!(
                "frame {frame} of its log is damaged, and committed transactions follow, which \
                 SQLite would leave out"
            );
            Err(OpenError::Damaged { path, detail })
        }
    }
}

/// Where a log is damaged, and in which of the logs that have the same file one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    /// The number of the frame, from 1; none: it is the header.
    frame: Option<u64>,
    salts: [u8; 8],
}

/// What stands at the beginning of a log.
struct Head {
    is_sound: bool,
    /// Those that each of its frames repeats.
    salts: [u8; 8],
    /// The length of a page, in bytes.
    page: usize,
    /// That of the header, from which the first frame goes on.
    sum: Sum,
}

impl Head {
    /// Reads it; none of an empty log.
    fn read(log: &mut impl Read) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        if !fill(log, &mut header)? {
            return Ok(None);
        }
        let word = |place: usize| word_of(&header, place);
        let mut salts = [0; 8];
        salts.copy_from_slice(header.get(16..24).unwrap_or(&[0; 8]));
        let mut sum = Sum { is_big: word(0) & 1 == 1, one: 0, two: 0 };
        sum.add(header.get(..24).unwrap_or_default());
        let page = usize::try_from(word(8)).unwrap_or(usize::MAX);
        let is_page = page.is_power_of_two() && (512..=65_536).contains(&page);
        let is_sound = word(0) & !1 == MAGIC && sum == sum.read(&header, 24) && is_page;
        Ok(Some(Self { is_sound, salts, page, sum }))
    }
}

/// Where a log is damaged, if it is. `each` is handed the head and the page of each frame that
/// SQLite would read.
fn broken_in(log: &mut impl Read, each: impl FnMut(&[u8], &[u8])) -> io::Result<Option<Broken>> {
    let Some(head) = Head::read(log)? else { return Ok(None) };
    let salts = head.salts;
    // A header is synced before the first frame is written.
    if !head.is_sound {
        let has_frames = fill(log, &mut [0; FRAME_HEADER])?;
        return Ok(has_frames.then_some(Broken { frame: None, salts }));
    }
    let frame = broken_frame(log, &head, each)?;
    Ok(frame.map(|frame| Broken { frame: Some(frame), salts }))
}

/// The number of the first frame that is wrong, if what was committed lies behind it.
fn broken_frame(
    log: &mut impl Read,
    head: &Head,
    mut each: impl FnMut(&[u8], &[u8]),
) -> io::Result<Option<u64>> {
    let Head { salts, page, mut sum, .. } = *head;
    let mut frame = vec![0; FRAME_HEADER + page];
    let mut number = 0_u64;
    let mut broken = None;
    // Of the frame before: the sum that it has, that which it should have, and whether it ends a
    // transaction. Where either sum is damaged, the next frame goes on from the other.
    let (mut stored, mut due, mut is_commit) = (sum, sum, false);
    while fill(log, &mut frame)? {
        number += 1;
        let is_of_this_log = frame.get(8..16) == Some(&salts[..]);
        let own = sum.read(&frame, 16);
        if broken.is_none() {
            sum.add_frame(&frame);
            if is_of_this_log && sum == own {
                let (head, page) = frame.split_at(FRAME_HEADER);
                each(head, page);
                continue;
            }
            broken = Some(number);
            due = sum;
        } else {
            let goes_on = |from: Sum| from.with_frame(&frame) == own;
            if is_commit && is_of_this_log && (goes_on(stored) || goes_on(due)) {
                return Ok(broken);
            }
            due = stored.with_frame(&frame);
        }
        stored = own;
        is_commit = word_of(&frame, COMMIT) != 0 && (is_of_this_log || broken == Some(number));
    }
    Ok(None)
}

/// Fills all of `bytes`; false where fewer are left.
fn fill(log: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The running checksum of a log.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum {
    is_big: bool,
    one: u32,
    two: u32,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<4>();
        for word in words {
            let word = match self.is_big {
                true => u32::from_be_bytes(*word),
                false => u32::from_le_bytes(*word),
            };
            // Of each pair the first belongs to the first sum.
            self.one = self.one.wrapping_add(word).wrapping_add(self.two);
            std::mem::swap(&mut self.one, &mut self.two);
        }
    }

    /// Adds a frame: the beginning of its header, and its page.
    fn add_frame(&mut self, frame: &[u8]) {
        self.add(frame.get(..8).unwrap_or_default());
        self.add(frame.get(FRAME_HEADER..).unwrap_or_default());
    }

    fn with_frame(mut self, frame: &[u8]) -> Self {
        self.add_frame(frame);
        self
    }

    /// The sum that stands at a place, in the order of bytes of this one.
    fn read(self, bytes: &[u8], place: usize) -> Self {
        Self { one: word_of(bytes, place), two: word_of(bytes, place + 4), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;
    const FRAME: usize = FRAME_HEADER + PAGE;
    const SALTS: [u8; 8] = *b"one salt";

    /// A log, written as SQLite writes one.
    struct Log {
        bytes: Vec<u8>,
        sum: Sum,
        /// How much of it a recovery finds.
        length: usize,
    }

    impl Log {
        fn new() -> Self {
            let mut bytes = Vec::new();
            for word in [MAGIC + 1, 3_007_000, u32::try_from(PAGE).unwrap(), 0] {
                bytes.extend(word.to_be_bytes());
            }
            bytes.extend(SALTS);
            let mut sum = Sum { is_big: true, one: 0, two: 0 };
            sum.add(&bytes);
            bytes.extend([sum.one.to_be_bytes(), sum.two.to_be_bytes()].concat());
            Self { bytes, sum, length: HEADER }
        }

        /// Writes a transaction of so many pages behind the last, over whatever is there.
        fn write(&mut self, pages: u8, content: u8) {
            for page in 1..=pages {
                let size = if page == pages { 77_u32 } else { 0 };
                let mut frame = [u32::from(page).to_be_bytes(), size.to_be_bytes()].concat();
                frame.extend(SALTS);
                frame.extend([0; 8]);
                frame.extend([content ^ page; PAGE]);
                self.sum.add_frame(&frame);
                frame[16..20].copy_from_slice(&self.sum.one.to_be_bytes());
                frame[20..24].copy_from_slice(&self.sum.two.to_be_bytes());
                let end = self.length + FRAME;
                self.bytes.resize(self.bytes.len().max(end), 0);
                self.bytes[self.length..end].copy_from_slice(&frame);
                self.length = end;
            }
        }

        fn broken(&self) -> Option<Option<u64>> {
            broken_in(&mut self.bytes.as_slice(), |_, _| ()).unwrap().map(|broken| broken.frame)
        }
    }

    /// Regression: the power went while a short transaction was written to where a longer one had
    /// been cut short by a crash before, and the ledger was refused as damaged.
    #[test]
    fn a_short_write_that_is_torn_over_a_longer_torn_one_is_no_damage() {
        for (longer, shorter) in [(10, 1), (10, 2), (10, 9), (3, 2)] {
            let mut log = Log::new();
            log.write(2, 1);
            let (sum, length) = (log.sum, log.length);
            log.write(longer, 2);
            log.bytes[length + FRAME_HEADER] ^= 1;
            assert_eq!(log.broken(), None);
            (log.sum, log.length) = (sum, length);
            log.write(shorter, 3);
            assert_eq!(log.broken(), None, "a whole write");
            for place in 0..usize::from(shorter) {
                let mut torn = Log { bytes: log.bytes.clone(), ..Log::new() };
                torn.bytes[length + place * FRAME + FRAME_HEADER] ^= 1;
                assert_eq!(torn.broken(), None, "{shorter} over {longer}, {place}");
            }
        }
    }

    /// Wherever a byte ahead of the last transaction is wrong, in headers and sums as well.
    #[test]
    fn any_byte_ahead_of_the_last_transaction_counts() {
        let mut log = Log::new();
        log.write(2, 1);
        log.write(3, 2);
        let last = log.length;
        log.write(2, 3);
        assert_eq!(log.broken(), None);
        let with_wrong_byte = |place: usize| {
            let mut damaged = Log { bytes: log.bytes.clone(), ..Log::new() };
            damaged.bytes[place] ^= 0x10;
            damaged.broken()
        };
        for place in 0..last {
            let frame = place.checked_sub(HEADER).map(|place| place / FRAME + 1);
            let frame = frame.map(|frame| u64::try_from(frame).unwrap());
            assert_eq!(with_wrong_byte(place), Some(frame), "byte {place}");
        }
        for place in [last + FRAME_HEADER, last + FRAME + FRAME_HEADER] {
            assert_eq!(with_wrong_byte(place), None, "byte {place} looks like a torn write");
        }
    }
}
