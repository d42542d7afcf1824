//! What the machine can do, and whether it can do it now: cores, the time of a sync, and how fast
//! all cores count, by which a sample in a bad moment is recognised.

use serde::Serialize;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const SPIN: Duration = Duration::from_millis(30);
/// What of its best speed the machine must have before and after a sample that counts as clean.
const CLEAN_SHARE: f64 = 0.8;

/// What is reported of the machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub fsync_us: FsyncUs,
    #[serde(skip)]
    best_spin: u64,
}

/// Times of a sync after 4 KiB were appended to a file where ledgers on disk lie, in microseconds.
#[derive(Debug, Serialize)]
pub struct FsyncUs {
    pub median: u64,
    pub p99: u64,
}

impl Machine {
    pub fn probe(ledgers: &Path) -> Self {
        let cores = thread::available_parallelism().unwrap().get();
        let best_spin = (0..5).map(|_| spin(cores)).max().unwrap();
        Self { cores, fsync_us: fsync(ledgers), best_spin }
    }

    /// Whether nothing else takes much of the machine at this moment.
    pub fn is_clean(&mut self) -> bool {
        let now = spin(self.cores);
        self.best_spin = self.best_spin.max(now);
        now as f64 >= self.best_spin as f64 * CLEAN_SHARE
    }
}

/// How far all cores together count in a fixed time.
fn spin(cores: usize) -> u64 {
    let is_over = AtomicBool::new(false);
    let sum = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut count = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    count += 1;
                }
                sum.fetch_add(count, Ordering::Relaxed);
            });
        }
        thread::sleep(SPIN);
        is_over.store(true, Ordering::Relaxed);
    });
    sum.into_inner()
}

fn fsync(folder: &Path) -> FsyncUs {
    let mut file = File::create(folder.join("probe")).unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            file.write_all(&[7; 4096]).unwrap();
            let started = Instant::now();
            file.sync_data().unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    let at = |index: usize| u64::try_from(times[index].as_micros()).unwrap();
    FsyncUs { median: at(100), p99: at(197) }
}
