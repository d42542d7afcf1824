//! Whether a write-ahead log of SQLite is whole: whether nothing that was committed lies behind a
//! frame that does not check out.
//!
//! SQLite reads a log up to the first frame whose checksum is wrong and takes what follows for the
//! rest of an older log. That is right for a write that was cut short, which can only be the last
//! transaction: each commit is synced before the next transaction begins. One damaged byte further
//! ahead would make acknowledged transactions vanish without a word, and is reported here.
//!
//! What must stay true: what a crash can leave behind is never called damage. So a wrong frame
//! counts only where a commit and the beginning of another transaction of the same log follow.
//! (A damaged byte in the last transaction looks like a write that was cut short, and is taken for
//! one.) The format is that of <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

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
/// The first four bytes of a log; the last bit says which byte of a word comes first in sums.
const MAGIC: u32 = 0x377f_0682;
/// Beside a process that writes, how often a verdict is asked for again and how far apart.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Refuses a ledger whose log is damaged so that acknowledged transactions would be left out. The
/// file must be locked, so that no process writes to it.
pub fn check_log(path: &Path) -> Result<(), OpenError> {
    match broken_at(path).map_err(|error| OpenError::io(path, &error))? {
        None => Ok(()),
        Some(at) => Err(damaged(path, at)),
    }
}

/// As [`check_log`], for a ledger that another process may be writing to: only what several looks
/// find at the same place is damage.
pub fn check_log_in_use(path: &Path) -> Result<(), OpenError> {
    let look = || broken_at(path).map_err(|error| OpenError::io(path, &error));
    let Some(first) = look()? else { return Ok(()) };
    for _ in 1..LOOKS {
        thread::park_timeout(BETWEEN_LOOKS);
        if look()? != Some(first) {
            return Ok(());
        }
    }
    Err(damaged(path, first))
}

fn damaged(path: &Path, at: Broken) -> OpenError {
    let detail = match at.frame {
        None => "the header of its log is damaged".to_owned(),
        Some(frame) => format!(
            "frame {frame} of its log is damaged, and committed transactions follow, which SQLite \
             would leave out"
        ),
    };
    OpenError::Damaged { path: path.to_owned(), detail }
}

/// Where a log is damaged, and in which of the logs that have the same file one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    /// The number of the frame, from 1; none: it is the header.
    frame: Option<u64>,
    salts: [u8; 8],
}

/// Where the log beside the file is damaged, if there is one and it is.
fn broken_at(path: &Path) -> io::Result<Option<Broken>> {
    match File::open(log_of(path)) {
        Ok(log) => broken_in(&mut BufReader::new(log)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn broken_in(log: &mut impl Read) -> io::Result<Option<Broken>> {
    let mut header = [0; HEADER];
    if !fill(log, &mut header)? {
        return Ok(None);
    }
    let word = |place: usize| word_of(&header, place);
    let mut salts = [0; 8];
    salts.copy_from_slice(header.get(16..24).unwrap_or(&[0; 8]));
    let mut sum = Sum { is_big: word(0) & 1 == 1, one: 0, two: 0 };
    sum.add(header.get(..24).unwrap_or_default());
    let size = usize::try_from(word(8)).unwrap_or(usize::MAX);
    let is_page = size.is_power_of_two() && (512..=65_536).contains(&size);
    let is_sound = word(0) & !1 == MAGIC && sum.is(word(24), word(28)) && is_page;
    // A header is synced before the first frame is written.
    if !is_sound {
        let has_frames = fill(log, &mut [0; FRAME_HEADER])?;
        return Ok(has_frames.then_some(Broken { frame: None, salts }));
    }
    let mut frame = vec![0; FRAME_HEADER + size];
    let mut number = 0_u64;
    let mut broken = None;
    let mut is_committed = false;
    while fill(log, &mut frame)? {
        number += 1;
        let is_of_this_log = frame.get(8..16) == Some(&salts[..]);
        if is_of_this_log && is_committed {
            return Ok(broken.map(|frame| Broken { frame: Some(frame), salts }));
        }
        if broken.is_none() {
            sum.add(frame.get(..8).unwrap_or_default());
            sum.add(frame.get(FRAME_HEADER..).unwrap_or_default());
            if !is_of_this_log || !sum.is(word_of(&frame, 16), word_of(&frame, 20)) {
                broken = Some(number);
            }
        }
        // A frame with the size of the file in it ends a transaction.
        is_committed |= broken.is_some()
            && word_of(&frame, 4) != 0
            && (is_of_this_log || broken == Some(number));
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

fn word_of(bytes: &[u8], place: usize) -> u32 {
    let word = bytes.get(place..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_be_bytes(*word))
}

/// The running checksum of a log.
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

    const fn is(&self, one: u32, two: u32) -> bool {
        self.one == one && self.two == two
    }
}
