//! The check of a ledger's file beside serving, on a thread of its own, again and again.
//!
//! What must stay true: it gives up rather than let the log grow without end, because its snapshot
//! keeps the log from being emptied; damage is noted once, and nothing is checked after it.

use super::names::log_of;
use crate::ledger::damage::Damage;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// The niceness of the thread: whatever else wants the processor has it first.
const NICENESS: i32 = 19;
/// By how much the log may grow beside one check, in bytes.
const LOG_GROWTH_MAX: u64 = 512 << 20;
/// How long after a check that did not come to its end the next one begins.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// How long after a check that came to its end the next one begins.
const NEXT_AFTER: Duration = Duration::from_hours(1);
/// A check that took longer than this is worth a line in the log.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// What a check of the whole file came to.
#[derive(Debug)]
pub enum Looked {
    /// Nothing is wrong with it.
    Sound,
    /// What is wrong with it.
    Damaged(String),
    /// The engine did not come to the end of it, for a reason in its own words or because it was
    /// ended.
    Failed(String),
}

/// Whether a check has to end; it is asked on the way.
pub type Ends = Box<dyn FnMut() -> bool + Send>;

/// How an engine checks the whole of a file.
pub type Look = fn(&Path, Ends) -> Looked;

/// The check beside serving, which ends when this is dropped.
pub(in crate::ledger) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Checks the file at `path` from now on, again and again.
    pub(in crate::ledger) fn start(path: &Path, damage: Damage, look: Look) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let check = Check { path: path.to_owned(), damage, look, is_over: Arc::clone(&is_over) };
        let thread = thread::Builder::new()
            .name("ledger-check".to_owned())
            .spawn(move || check.run_to_its_end())?;
        Ok(Self { is_over, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.thread.as_ref().map(JoinHandle::thread).map(Thread::unpark);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the check of the ledger ended by a panic");
        }
    }
}

struct Check {
    path: PathBuf,
    damage: Damage,
    look: Look,
    is_over: Arc<AtomicBool>,
}

impl Check {
    fn run_to_its_end(&self) {
        // Of this thread alone, as Linux understands it.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "the check of the ledger runs at the priority of all threads");
        }
        while !self.is_over() && self.damage.found().is_none() {
            let wait = self.run_once();
            self.wait(wait);
        }
    }

    /// Checks the file once; returns how long after it the next check begins.
    fn run_once(&self) -> Duration {
        let begun = Instant::now();
        let minutes = AGAIN_AFTER.as_secs() / 60;
        let was_ended = Arc::new(AtomicBool::new(false));
        match (self.look)(&self.path, self.ends(Arc::clone(&was_ended))) {
            Looked::Sound => {
                if begun.elapsed() > WORTH_A_LINE {
                    let seconds = begun.elapsed().as_secs();
                    let line = "the ledger was checked beside serving, and its file is sound";
                    tracing::info!(seconds, "{line}");
                }
                return NEXT_AFTER;
            }
            Looked::Damaged(detail) => {
                self.damage.note(&detail);
                return NEXT_AFTER;
            }
            Looked::Failed(_) if self.is_over() => {}
            Looked::Failed(_) if was_ended.load(Ordering::Relaxed) => tracing::warn!(
                minutes,
                "the check of the ledger gave up, because much was written meanwhile and the log \
                 may not grow without end; it begins again in a while"
            ),
            Looked::Failed(error) => {
                tracing::error!(%error, minutes, "the ledger could not be checked, and will be");
            }
        }
        AGAIN_AFTER
    }

    /// Whether the check that begins now has to end; it is noted that it had to.
    fn ends(&self, was_ended: Arc<AtomicBool>) -> Ends {
        let (is_over, log) = (Arc::clone(&self.is_over), log_of(&self.path));
        let bytes = move || fs::metadata(&log).map_or(0, |log| log.len());
        let most = bytes().saturating_add(LOG_GROWTH_MAX);
        Box::new(move || {
            let ends = is_over.load(Ordering::Acquire) || bytes() > most;
            was_ended.fetch_or(ends, Ordering::Relaxed);
            ends
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Waits until it is time to check again, or there is nothing left to check for.
    fn wait(&self, span: Duration) {
        let until = Instant::now() + span;
        while !self.is_over() && Instant::now() < until {
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    }
}
