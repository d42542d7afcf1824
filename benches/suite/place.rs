//! Where a ledger lies and what a sync costs there: on this disk, or in memory with a shim before
//! libc that lets `fsync` and `fdatasync` take a fixed time. The second can be repeated anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const SHIM_SOURCE: &str = include_str!("../fsync_shim.c");
const SHIM_NAME: &str = "fsync_shim.so";

/// A folder for ledgers.
pub struct Place {
    pub name: &'static str,
    pub about: &'static str,
    folder: TempDir,
    shim: Option<Shim>,
}

struct Shim {
    library: PathBuf,
    sync_us: u32,
}

impl Place {
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets a process that is about to be started have its syncs here.
    pub fn apply(&self, command: &mut Command) {
        if let Some(shim) = &self.shim {
            command.env("LD_PRELOAD", &shim.library).env("FSYNC_US", shim.sync_us.to_string());
        }
    }

    /// The name of what a server here must have loaded.
    pub fn library(&self) -> Option<&'static str> {
        self.shim.as_ref().map(|_| SHIM_NAME)
    }

    pub fn disk(ledgers: &Path) -> Self {
        fs::create_dir_all(ledgers).unwrap();
        let folder = tempfile::tempdir_in(ledgers).unwrap();
        Self { name: "disk", about: "this disk", folder, shim: None }
    }

    fn in_memory(name: &'static str, about: &'static str, sync_us: u32) -> Option<Self> {
        let folder = tempfile::tempdir_in("/dev/shm")
            .inspect_err(|error| eprintln!("SKIPPED: {about}: /dev/shm: {error}"))
            .ok()?;
        let source = folder.path().join("fsync_shim.c");
        fs::write(&source, SHIM_SOURCE).unwrap();
        let library = folder.path().join(SHIM_NAME);
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
        match gcc.status() {
            Ok(status) if status.success() => {}
            outcome => {
                eprintln!("SKIPPED: {about}: gcc, which makes the shim: {outcome:?}");
                return None;
            }
        }
        Some(Self { name, about, folder, shim: Some(Shim { library, sync_us }) })
    }

    /// Memory, where a sync costs nothing.
    pub fn free() -> Option<Self> {
        Self::in_memory("free", "free fsync", 0)
    }

    /// Memory, where a sync takes a millisecond.
    pub fn millisecond() -> Option<Self> {
        Self::in_memory("1ms", "fsync 1 ms", 1_000)
    }
}
