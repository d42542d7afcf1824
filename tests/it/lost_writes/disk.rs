//! What a loss of power leaves of a folder: the files as of their last sync, and any part of what
//! was written since. Made of the notes that `shim.c` takes, which are read here.
//!
//! What is synced stays. Of what is not, each sector of 512 bytes may be the old or the new one, in
//! any order; a file's length as well; and of names that were made, changed and removed in the
//! folder since it was synced, the first few are there, as file systems with a journal have it.

use crate::drawn::Drawn;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const SECTOR: usize = 512;

/// A file, whatever its name, and also when its inode is another file's by now.
type Number = u64;

/// Something that was done to the files, and how long the notes were with it.
#[derive(Debug, Clone)]
pub struct Noted {
    pub done: Done,
    pub end: usize,
}

#[derive(Debug, Clone)]
pub enum Done {
    Made { name: String, file: Number },
    Wrote { file: Number, at: usize, bytes: Vec<u8> },
    Cut { file: Number, length: usize },
    Removed { name: String },
    Renamed { from: String, to: String },
    Synced { file: Number },
    SyncedNames,
}

impl Done {
    const fn is_of_names(&self) -> bool {
        matches!(self, Self::Made { .. } | Self::Removed { .. } | Self::Renamed { .. })
    }

    /// The file that it is done to.
    pub const fn file(&self) -> Option<Number> {
        match self {
            Self::Wrote { file, .. } | Self::Cut { file, .. } | Self::Synced { file } => {
                Some(*file)
            }
            _ => None,
        }
    }
}

/// The files of a folder.
#[derive(Debug, Clone, Default)]
pub struct Files {
    names: BTreeMap<String, Number>,
    contents: BTreeMap<Number, Vec<u8>>,
}

impl Files {
    /// Those that are in a folder, except those that are never noted.
    pub fn of(folder: &Path) -> Self {
        let mut files = Self::default();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with("ledger.db") && !name.ends_with("-shm") {
                let number = entry.metadata().unwrap().ino();
                files.names.insert(name, number);
                files.contents.insert(number, fs::read(entry.path()).unwrap());
            }
        }
        files
    }

    /// Puts them into a folder.
    pub fn put_into(&self, folder: &Path) {
        for (name, file) in &self.names {
            fs::write(folder.join(name), self.content(*file)).unwrap();
        }
    }

    /// The number of a file that has a name.
    pub fn number(&self, name: &str) -> Option<Number> {
        self.names.get(name).copied()
    }

    fn content(&self, file: Number) -> &[u8] {
        self.contents.get(&file).map_or(&[], Vec::as_slice)
    }

    fn named(&self, name: &str) -> Option<&[u8]> {
        self.number(name).map(|file| self.content(file))
    }

    fn write(&mut self, file: Number, at: usize, bytes: &[u8]) {
        let content = self.contents.entry(file).or_default();
        content.resize(content.len().max(at + bytes.len()), 0);
        content[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn take(&mut self, done: &Done) {
        match done {
            Done::Made { name, file } => {
                self.names.insert(name.clone(), *file);
            }
            Done::Wrote { file, at, bytes } => self.write(*file, *at, bytes),
            Done::Cut { file, length } => {
                self.contents.entry(*file).or_default().resize(*length, 0);
            }
            Done::Removed { name } => {
                self.names.remove(name);
            }
            Done::Renamed { from, to } => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
            }
            Done::Synced { .. } | Done::SyncedNames => {}
        }
    }

    /// In which name files differ from those of a process that was killed, apart from what it was
    /// about to do last.
    pub fn differ(&self, found: &Self, last: &Done) -> Option<String> {
        let names = self.names.keys().chain(found.names.keys());
        let mut differing = names.filter(|name| {
            let (Some(noted), Some(found)) = (self.named(name), found.named(name)) else {
                return !last.is_of_names();
            };
            let mut done = Self::default();
            done.contents.insert(0, found.to_vec());
            match last {
                Done::Wrote { file, at, bytes } if self.number(name) == Some(*file) => {
                    done.write(0, *at, bytes);
                }
                Done::Cut { file, length } if self.number(name) == Some(*file) => {
                    done.take(&Done::Cut { file: 0, length: *length });
                }
                _ => {}
            }
            noted != done.content(0)
        });
        differing.next().cloned()
    }
}

/// Reads notes; a last one that is not whole is left out. `numbers` are those of files that were
/// there before.
pub fn read(notes: &[u8], before: &Files) -> Vec<Noted> {
    let mut files: BTreeMap<u64, Number> =
        before.contents.keys().map(|number| (*number, *number)).collect();
    let mut next = files.keys().max().map_or(1, |most| most + 1);
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(head) = notes.get(at..at + 32) {
        let word = |place: usize| {
            let bytes = head[place * 8..place * 8 + 8].try_into().unwrap();
            usize::try_from(u64::from_ne_bytes(bytes)).unwrap()
        };
        let (inode, place, length) = (u64::try_from(word(1)).unwrap(), word(2), word(3));
        let Some(more) = notes.get(at + 32..at + 32 + length) else { break };
        let text = || String::from_utf8(more.to_vec()).unwrap();
        let kind = u8::try_from(word(0)).unwrap();
        if kind == b'n' {
            files.insert(inode, next);
            next += 1;
        }
        let file = || *files.get(&inode).expect("a file that was opened");
        let done = match kind {
            b'n' => Done::Made { name: text(), file: file() },
            b'w' => Done::Wrote { file: file(), at: place, bytes: more.to_vec() },
            b't' => Done::Cut { file: file(), length: place },
            b'u' => Done::Removed { name: text() },
            b'r' => {
                let names = text();
                let (from, to) = names.split_once('/').unwrap();
                Done::Renamed { from: from.to_owned(), to: to.to_owned() }
            }
            b's' => Done::Synced { file: file() },
            b'd' => Done::SyncedNames,
            other => panic!("the disk of this machine failed: note {:?}", char::from(other)),
        };
        at += 32 + length;
        all.push(Noted { done, end: at });
    }
    all
}

/// What is lost of what was not synced.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    /// All of it.
    All,
    /// Each write with even odds.
    Writes,
    /// Each sector with even odds.
    Sectors,
    /// All from the middle of one write on, in the order in which they were made.
    Rest,
    /// Nothing.
    Nothing,
}

impl Loss {
    pub fn draw(drawn: &mut Drawn) -> Self {
        match drawn.below(8) {
            0 => Self::Nothing,
            1 | 2 => Self::All,
            3 | 4 => Self::Writes,
            5 => Self::Rest,
            _ => Self::Sectors,
        }
    }
}

/// Files in the midst of what is done to them.
#[derive(Debug, Clone)]
pub struct Disk {
    /// As they are after a loss of all that can be lost.
    synced: Files,
    /// As a process sees them.
    pub seen: Files,
    /// What is not synced, in its order.
    waiting: Vec<Done>,
}

impl Disk {
    /// All of `files` is synced.
    pub fn with(files: Files) -> Self {
        Self { synced: files.clone(), seen: files, waiting: Vec::new() }
    }

    pub fn take(&mut self, done: &Done) {
        self.seen.take(done);
        let is_synced = |waiting: &Done| match done {
            Done::Synced { file } => waiting.file() == Some(*file),
            Done::SyncedNames => waiting.is_of_names(),
            _ => false,
        };
        if matches!(done, Done::Synced { .. } | Done::SyncedNames) {
            let waiting = std::mem::take(&mut self.waiting);
            for one in waiting {
                if is_synced(&one) {
                    self.synced.take(&one);
                } else {
                    self.waiting.push(one);
                }
            }
        } else {
            self.waiting.push(done.clone());
        }
    }

    /// How many changes can be lost now.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What is there after a loss of power now.
    pub fn lose(&self, loss: Loss, drawn: &mut Drawn) -> Files {
        let mut files = self.synced.clone();
        let count = |what: &dyn Fn(&&Done) -> bool| self.waiting.iter().filter(what).count();
        let names = count(&|done| done.is_of_names());
        let mut below =
            |bound: usize| usize::try_from(drawn.below(u64::try_from(bound).unwrap())).unwrap();
        let mut names_kept = match loss {
            Loss::All => 0,
            Loss::Nothing => names,
            _ => below(names + 1),
        };
        let torn = below(self.waiting.len().max(1));
        for (place, done) in self.waiting.iter().enumerate() {
            if done.is_of_names() {
                if names_kept > 0 {
                    names_kept -= 1;
                    files.take(done);
                }
                continue;
            }
            let is_kept = match loss {
                Loss::All => false,
                Loss::Nothing => true,
                Loss::Rest => place < torn,
                Loss::Writes | Loss::Sectors => below(2) == 0,
            };
            match (loss, done) {
                (Loss::Sectors, Done::Wrote { file, at, bytes }) => {
                    for (at, sector) in sectors(*at, bytes) {
                        if below(2) == 0 {
                            files.write(*file, at, sector);
                        }
                    }
                }
                (Loss::Rest, Done::Wrote { file, at, bytes }) if place == torn => {
                    let sectors = sectors(*at, bytes);
                    let kept = below(sectors.len() + 1);
                    for (at, sector) in &sectors[..kept] {
                        files.write(*file, *at, sector);
                    }
                }
                _ if is_kept => files.take(done),
                _ => {}
            }
        }
        files
    }
}

/// The parts of a write, each within one sector of its file.
fn sectors(mut at: usize, mut bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut sectors = Vec::new();
    while !bytes.is_empty() {
        let (sector, rest) = bytes.split_at((SECTOR - at % SECTOR).min(bytes.len()));
        sectors.push((at, sector));
        (at, bytes) = (at + sector.len(), rest);
    }
    sectors
}
