//! Copies of whole ledgers: a backup beside serving, and putting one in the place of a ledger.
//!
//! What must stay true: a copy is one snapshot, and says that it is closed; nothing gets its name
//! before it was written durably and audited; a name that is taken is never overwritten, and a
//! ledger that is replaced is kept with its log; and a power failure at any moment leaves the old
//! ledger, the new one, or one that is refused, and never a name without a file.

use super::lock::FileLock;
use super::names::{beside, folder_of};
use super::open_error::OpenError;
use crate::ledger::audit::{Audit, Progress};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What is added to the name of a ledger that was replaced.
const KEPT: &str = ".before-restore";
/// What an engine would take for a part of a file by that name.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// Why a ledger was not copied. Nothing has changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// What is to be copied, or the copy, cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is something by that name.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A log lies where the ledger would be, and would be taken for a part of it.
    #[error("there is a log without its ledger: {}", .0.display())]
    StrayLog(PathBuf),
    /// What is to be copied does not add up.
    #[error("{} does not add up: {problem}", path.display())]
    Unsound {
        /// What was to be copied.
        path: PathBuf,
        /// What the audit found first.
        problem: String,
    },
    /// What stands in the ledger's place now does not add up.
    #[error("the restored ledger {} does not add up: {problem}", path.display())]
    Unsafe {
        /// The ledger.
        path: PathBuf,
        /// What the audit found first.
        problem: String,
    },
    /// The file system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Why an engine did not fill a copy.
pub enum NotFilled {
    /// The copy cannot be written: a full disk, a folder that is read-only.
    Copy(io::Error),
    /// What is to be copied cannot be read.
    Source(OpenError),
}

/// What an engine does while a ledger is copied.
pub trait Copier {
    /// A ledger that is open for reading.
    type Source;

    /// Opens a ledger that another process may hold; one that was not closed and lost its log only
    /// if `accepts_missing_log`.
    fn open(&self, ledger: &Path, accepts_missing_log: bool) -> Result<Self::Source, OpenError>;

    /// Writes what `source`, the ledger at `path`, has in one snapshot into the empty file `to`: a
    /// ledger that is closed and needs no log.
    fn fill(
        &self,
        source: &Self::Source,
        path: &Path,
        to: &Path,
        progress: &Progress,
    ) -> Result<(), NotFilled>;

    /// Audits the ledger at a path.
    fn audit(&self, path: &Path, progress: Progress) -> Result<Audit, OpenError>;
}

/// What shows how far a copy is.
#[derive(Clone)]
pub struct Shown {
    /// Pages that are copied.
    pub copying: Progress,
    /// What the audit has looked at.
    pub checking: Progress,
}

/// Writes a copy of the ledger, which may be in use, to a new file, and audits it. All that was
/// committed when this was called is in it. While it copies, the ledger's log is not emptied.
pub fn back_up(
    engine: &impl Copier,
    ledger: &Path,
    to: &Path,
    shown: &Shown,
) -> Result<Audit, CopyError> {
    if is_there(to)? {
        return Err(CopyError::Exists(to.to_owned()));
    }
    refuse_stray_logs(to)?;
    let source = engine.open(ledger, false)?;
    let copy = Copy::of(engine, &source, ledger, to, shown)?;
    let audited = copy.audit(engine, ledger, shown)?;
    copy.take_new_name(to)?;
    Ok(audited)
}

/// What is put in the place of which ledger.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'p> {
    /// A backup, or another ledger that is not in use, with its log if it has one.
    pub backup: &'p Path,
    /// Where the ledger is to be.
    pub ledger: &'p Path,
    /// Whether a ledger that is there is replaced.
    pub replaces: bool,
    /// Whether the backup may be a ledger that lost its log.
    pub accepts_missing_log: bool,
}

/// A ledger that was put in its place.
#[derive(Debug)]
pub struct Restored {
    /// What the audit found of it.
    pub audit: Audit,
    /// Where the ledger is that was there before.
    pub kept: Option<PathBuf>,
}

/// Puts a copy of a backup in the place of a ledger that is not in use.
pub fn restore(
    engine: &impl Copier,
    what: &Restore<'_>,
    shown: &Shown,
) -> Result<Restored, CopyError> {
    let is_taken = is_there(what.ledger)?;
    // A link is followed, so that it goes on to lead to the ledger.
    let ledger = match is_taken {
        true => fs::canonicalize(what.ledger).map_err(|error| io_error(what.ledger, error))?,
        false => what.ledger.to_owned(),
    };
    if is_taken && !ledger.is_file() {
        return Err(OpenError::NotAFile { path: ledger }.into());
    }
    if is_taken && !what.replaces {
        return Err(CopyError::Exists(ledger));
    }
    if !what.replaces {
        refuse_stray_logs(&ledger)?;
    }
    let _lock = if is_taken { Some(FileLock::take(&ledger)?) } else { None };
    let source = engine.open(what.backup, what.accepts_missing_log)?;
    let copy = Copy::of(engine, &source, what.backup, &ledger, shown)?;
    drop(source);
    copy.audit(engine, what.backup, shown)?;
    let kept = set_aside(&ledger, is_taken)?;
    match is_taken {
        true => copy.replace(&ledger)?,
        false => copy.take_new_name(&ledger)?,
    }
    let audit = engine.audit(&ledger, Progress::clone(&shown.checking))?;
    match audit.findings.problems.first() {
        None => Ok(Restored { audit, kept }),
        Some(problem) => Err(CopyError::Unsafe { path: ledger, problem: problem.clone() }),
    }
}

/// Moves what an engine would take for logs of the new file to a name beside it, and gives the
/// ledger that is there that name too. From then on, and until it is replaced, it is one without
/// its log.
fn set_aside(ledger: &Path, is_taken: bool) -> Result<Option<PathBuf>, CopyError> {
    let kept = beside(ledger, KEPT);
    let logs: Vec<(PathBuf, PathBuf)> = LOGS
        .map(|suffix| (beside(ledger, suffix), beside(&kept, suffix)))
        .into_iter()
        .filter(|(log, _)| log.exists())
        .collect();
    if !is_taken && logs.is_empty() {
        return Ok(None);
    }
    for taken in std::iter::once(&kept).chain(logs.iter().map(|(_, kept)| kept)) {
        if is_there(taken)? {
            return Err(CopyError::Exists(taken.clone()));
        }
    }
    if is_taken {
        fs::hard_link(ledger, &kept).map_err(|error| io_error(&kept, error))?;
    }
    for (log, kept) in logs {
        fs::rename(&log, kept).map_err(|error| io_error(&log, error))?;
    }
    let shared = beside(ledger, "-shm");
    match fs::remove_file(&shared) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&shared, error)),
        _ => {}
    }
    sync_folder_of(ledger)?;
    Ok(Some(kept))
}

/// A copy that has no name yet by which it could be taken for a ledger.
struct Copy(NamedTempFile);

impl Copy {
    /// Copies what `source` sees, the ledger at `path`, into the folder of `to`, durably.
    fn of<E: Copier>(
        engine: &E,
        source: &E::Source,
        path: &Path,
        to: &Path,
        shown: &Shown,
    ) -> Result<Self, CopyError> {
        let mut named = tempfile::Builder::new();
        let file = named.prefix(".").suffix(".partial").tempfile_in(folder_of(to));
        let copy = Self(file.map_err(|error| io_error(to, error))?);
        let filled = engine.fill(source, path, copy.0.path(), &shown.copying);
        filled.map_err(|error| match error {
            NotFilled::Copy(error) => io_error(to, error),
            NotFilled::Source(error) => error.into(),
        })?;
        copy.0.as_file().sync_all().map_err(|error| io_error(to, error))?;
        Ok(copy)
    }

    fn audit(&self, engine: &impl Copier, path: &Path, shown: &Shown) -> Result<Audit, CopyError> {
        let audited = engine.audit(self.0.path(), Progress::clone(&shown.checking))?;
        match audited.findings.problems.first() {
            None => Ok(audited),
            Some(problem) => {
                Err(CopyError::Unsound { path: path.to_owned(), problem: problem.clone() })
            }
        }
    }

    fn take_new_name(self, name: &Path) -> Result<(), CopyError> {
        self.0.persist_noclobber(name).map_err(|refused| match refused.error.kind() {
            ErrorKind::AlreadyExists => CopyError::Exists(name.to_owned()),
            _ => io_error(name, refused.error),
        })?;
        sync_folder_of(name)
    }

    fn replace(self, name: &Path) -> Result<(), CopyError> {
        self.0.persist(name).map_err(|refused| io_error(name, refused.error))?;
        sync_folder_of(name)
    }
}

fn refuse_stray_logs(path: &Path) -> Result<(), CopyError> {
    let mut logs = LOGS.iter().map(|suffix| beside(path, suffix));
    let stray = logs.find(|log| fs::metadata(log).is_ok_and(|about| about.len() > 0));
    stray.map_or(Ok(()), |log| Err(CopyError::StrayLog(log)))
}

fn is_there(path: &Path) -> Result<bool, CopyError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io_error(path, error)),
    }
}

/// Makes the names in the folder of `path` durable.
fn sync_folder_of(path: &Path) -> Result<(), CopyError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io_error(folder, error))
}

fn io_error(path: &Path, error: io::Error) -> CopyError {
    CopyError::Io { path: path.to_owned(), error }
}
