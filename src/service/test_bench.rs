//! What a tester does to a test ledger: reset it, seed it, snapshot it, put a snapshot back.
//!
//! What must stay true: a ledger that is not marked as test refuses all of it; after a reset or a
//! snapshot put back, nothing that this process keeps in memory speaks of what was there before.

use super::Service;
use super::seed::{self, Seed, SeedError, SeedReport, SeedTextError};
use crate::domain::id::ObjectId;
use crate::ledger::LedgerError;
use crate::ledger::test_bench::{KnownId, TestBench};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long work that is under way is waited for before the ledger changes below it.
const UNDER_WAY_WAIT: Duration = Duration::from_secs(2);
/// The longest name of a snapshot, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Why the bench did not do it. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The ledger holds real books.
    #[error("this is no test ledger; start with --test on a ledger of its own")]
    NotATestLedger,
    /// There is no such account.
    #[error("there is no account `{0}`")]
    NoAccount(ObjectId),
    /// The name is none.
    #[error("`{0}` is no name of a snapshot: 1 to 64 letters, digits, `-`, `_`, `.`, no `.` first")]
    BadName(String),
    /// There is no such snapshot.
    #[error("there is no snapshot `{0}`")]
    NoSnapshot(String),
    /// The seed cannot be read.
    #[error(transparent)]
    SeedText(#[from] SeedTextError),
    /// The seed was not loaded.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file system refused.
    #[error("the snapshots cannot be used: {0}")]
    Files(#[from] io::Error),
}

/// A snapshot that can be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// How many bytes it takes on disk.
    pub bytes: u64,
    /// When it was saved, by the machine's clock.
    pub saved: SystemTime,
}

/// The seeds that a reset loads again: those of the start and those that came since.
#[derive(Debug, Default)]
pub struct Seeds(Mutex<Vec<String>>);

impl Seeds {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}

impl Service {
    fn bench(&self) -> Result<&dyn TestBench, BenchError> {
        self.ledger.test_bench().ok_or(BenchError::NotATestLedger)
    }

    /// Remembers a seed that was loaded at the start, so that a reset loads it again.
    pub fn remember_seed(&self, text: String) {
        self.seeds.add(text);
    }

    /// Makes the ledger as it was after its seeds, with the same ids to come where ids are seeded,
    /// takes back every ordered fault, and puts the clock where it began.
    pub async fn reset(&self) -> Result<(), BenchError> {
        let bench = self.bench()?;
        self.wait_for_work().await;
        self.desk.clear();
        self.faults.clear();
        self.clock.reset();
        bench.forget_everything().await?;
        self.load_all_seeds().await?;
        self.forget_memory().await
    }

    /// Makes one account as it was after its seeds: what it had since is gone, and if no seed names
    /// it, so is the account.
    pub async fn reset_account(&self, id: &ObjectId) -> Result<(), BenchError> {
        let bench = self.bench()?;
        self.wait_for_work().await;
        if !bench.forget_account(id.clone()).await? {
            return Err(BenchError::NoAccount(id.clone()));
        }
        self.load_all_seeds().await
    }

    /// Loads a seed into the running ledger.
    pub async fn load_seed(&self, text: String) -> Result<SeedReport, BenchError> {
        self.bench()?;
        let report = seed::load(self.ledger.as_ref(), Seed::parse(&text)?).await?;
        self.seeds.add(text);
        self.know_its_gateways().await?;
        Ok(report)
    }

    async fn load_all_seeds(&self) -> Result<(), BenchError> {
        for text in self.seeds.all() {
            seed::load(self.ledger.as_ref(), Seed::parse(&text)?).await?;
        }
        Ok(())
    }

    /// Saves the ledger as it is under a name, in the place of an earlier one of that name.
    pub async fn save_snapshot(&self, name: &str) -> Result<(), BenchError> {
        let bench = self.bench()?;
        let folder = snapshots_of(bench.path());
        let file = folder.join(file_name(name)?);
        let folder_made = fs::DirBuilder::new().mode(0o700).create(&folder);
        if let Err(error) = folder_made
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error.into());
        }
        // Under another name until it is whole.
        let unfinished = file.with_extension("unfinished");
        bench.save(unfinished.clone()).await?;
        Ok(fs::rename(unfinished, file)?)
    }

    /// Puts a snapshot in the place of everything that the ledger holds.
    pub async fn put_back_snapshot(&self, name: &str) -> Result<(), BenchError> {
        let bench = self.bench()?;
        let file = snapshots_of(bench.path()).join(file_name(name)?);
        if !file.is_file() {
            return Err(BenchError::NoSnapshot(name.to_owned()));
        }
        self.wait_for_work().await;
        self.desk.clear();
        bench.put_back(file).await?;
        self.forget_memory().await
    }

    /// Removes a snapshot.
    pub fn drop_snapshot(&self, name: &str) -> Result<(), BenchError> {
        let file = snapshots_of(self.bench()?.path()).join(file_name(name)?);
        match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(BenchError::NoSnapshot(name.to_owned()))
            }
            removed => Ok(removed?),
        }
    }

    /// The snapshots that there are, by name.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, BenchError> {
        let files = match fs::read_dir(snapshots_of(self.bench()?.path())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let mut snapshots = Vec::new();
        for file in files {
            let file = file?;
            let name = file.file_name().to_string_lossy().strip_suffix(".db").map(str::to_owned);
            if let Some(name) = name {
                let about = file.metadata()?;
                snapshots.push(Snapshot { name, bytes: about.len(), saved: about.modified()? });
            }
        }
        snapshots.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(snapshots)
    }

    /// Ids that a caller may have meant who sent others.
    pub async fn known_ids(&self) -> Result<Vec<KnownId>, BenchError> {
        Ok(self.bench()?.known_ids().await?)
    }

    /// Waits a while for work that is under way. What begins meanwhile does not wait.
    async fn wait_for_work(&self) {
        let _ = tokio::time::timeout(UNDER_WAY_WAIT, self.under_way.write()).await;
    }

    /// Forgets what is kept in memory of a ledger that has changed as a whole: its sandboxes would
    /// take a refund whose id comes again for one that they have paid.
    async fn forget_memory(&self) -> Result<(), BenchError> {
        self.sessions.forget();
        self.processors.forget_sandboxes();
        self.know_its_gateways().await?;
        Ok(self.look_for_left_gateways().await?)
    }

    async fn know_its_gateways(&self) -> Result<(), BenchError> {
        self.processors.add_sandboxes(self.ledger.gateways().await?);
        Ok(())
    }
}

fn snapshots_of(ledger: &Path) -> PathBuf {
    let mut folder = ledger.as_os_str().to_owned();
    folder.push(".snapshots");
    PathBuf::from(folder)
}

fn file_name(name: &str) -> Result<String, BenchError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && !name.starts_with('.');
    if good { Ok(format!("{name}.db")) } else { Err(BenchError::BadName(name.to_owned())) }
}
