//! What a ledger in a file is beside its writer: readers, the check beside serving, and snapshots.

use super::copies;
use super::readers::{Readers, SqliteReader};
use super::soundness;
use super::store::Store;
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::damage::Damage;
use crate::ledger::file::check::Watch;
use crate::ledger::file::snapshots;
use crate::ledger::reader::Reader;
use crate::ledger::served::{Backend, FileSizes};
use crate::ledger::test_bench::{Snapshot, SnapshotError};
use std::fs;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;
/// The same for what is read at once: a few rows take hundreds.
const STEPS_BETWEEN_LOOKS_AT_ONCE: i32 = 250;
/// How many looks a reading may come to that is done at once.
const LOOKS_AT_ONCE_MAX: u32 = 8;
/// How long it may take.
const READING_AT_ONCE_MAX: Duration = Duration::from_millis(1);

/// A ledger's file, as readers have it.
pub struct Sqlite {
    path: PathBuf,
    /// What was found wrong with the file since it was opened.
    damage: Damage,
    /// The check beside serving, once it was begun. It ends first, because its snapshot would keep
    /// the writer from putting the log away.
    watch: Mutex<Option<Watch>>,
    readers: Readers,
}

impl Sqlite {
    pub(super) fn new(path: PathBuf, damage: Damage, readers: Readers) -> Self {
        Self { path, damage, watch: Mutex::default(), readers }
    }

    /// The ledger's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Backend for Sqlite {
    type Engine = Store;

    fn sizes(&self) -> FileSizes {
        let bytes = |path: &Path| fs::metadata(path).ok().map(|file| file.len());
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        FileSizes { file_bytes: bytes(&self.path), log_bytes: bytes(Path::new(&log)) }
    }

    fn read<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        self.readers.read(|reader| work(reader))
    }

    fn read_little<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        Box::pin(ready(self.readers.read_here(|reader| work(reader))))
    }

    /// What is done in no time is done by the thread that asks; anything else ends there and begins
    /// again on a thread that may block.
    fn read_until<T, F>(&self, deadline: Instant, mut work: F) -> Reply<Option<T>>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        let soon = deadline.min(Instant::now() + READING_AT_ONCE_MAX);
        let at_once = self.readers.read_here(|reader| read_at_once(reader, soon, &mut work));
        let is_late = move || Instant::now() > deadline;
        match at_once {
            Ok(None) => self
                .readers
                .read(move |reader| reader.read_until(STEPS_BETWEEN_LOOKS, is_late, work)),
            found => Box::pin(ready(found)),
        }
    }

    fn begin_check(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.is_some() {
            return;
        }
        match Watch::start(&self.path, self.damage.clone(), soundness::look) {
            Ok(begun) => *watch = Some(begun),
            Err(error) => tracing::error!(%error, "the ledger is not checked beside serving"),
        }
    }

    fn save(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        let ledger = self.path.clone();
        self.readers.read(move |reader| {
            let write = |to: &Path| copies::save(reader.connection(), to);
            Ok(snapshots::save(&ledger, &name, write)?)
        })
    }

    fn drop_snapshot(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        self.in_files(move |ledger| snapshots::remove(ledger, &name))
    }

    fn snapshots(&self) -> Reply<Result<Vec<Snapshot>, SnapshotError>> {
        self.in_files(snapshots::all)
    }
}

/// Does what is done in no time: work that takes more steps, or goes on after `until`, ends without
/// a result.
pub(super) fn read_at_once<T>(
    reader: &mut SqliteReader<'_>,
    until: Instant,
    work: impl FnOnce(&mut dyn Reader) -> Result<T, BooksError>,
) -> Result<Option<T>, BooksError> {
    let mut looks = 0;
    let is_long = move || {
        looks += 1;
        looks >= LOOKS_AT_ONCE_MAX || Instant::now() > until
    };
    reader.read_until(STEPS_BETWEEN_LOOKS_AT_ONCE, is_long, work)
}

impl Sqlite {
    /// Work on files, off the async threads.
    fn in_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Reply<Result<T, SnapshotError>> {
        let ledger = self.path.clone();
        let done = spawn_blocking(move || work(&ledger));
        Box::pin(async move {
            Ok(done.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into())))
        })
    }
}
