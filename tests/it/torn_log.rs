//! A log that ends anywhere: the power went while it was written. Whatever the cut, the ledger
//! opens, `check` finds nothing, and every refund is there whose commit was in the log by then.
//!
//! Every frame boundary is tried, the middle of every frame, and one flipped bit in each frame. A
//! flipped bit in the last transaction looks like a write that was cut short; further ahead it is
//! damage, because what was committed after it would be left out.

use crate::gateway::{EXTERNAL_ACCOUNT, FIFTY, TestGateway, external_refund};
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The head of a log and that of a frame in it, in bytes ("WAL-mode File Format" of SQLite).
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
/// How many refunds are made, one a transaction.
const REFUNDS: usize = 12;
/// How often the history is begun anew because the gateway put its log away in between.
const ATTEMPTS: usize = 20;

/// A ledger as it was before its refunds, its log after them, and how much of the log counted after
/// each: what follows is left of an earlier use of the same file.
struct History {
    file: Vec<u8>,
    log: Vec<u8>,
    lengths: Vec<usize>,
}

/// Up to where a log counts: its frames carry the salts of its head.
fn used(log: &[u8], page: usize) -> usize {
    let salts = log.get(16..24).unwrap_or_default();
    let frames = log.get(LOG_HEAD..).unwrap_or_default().chunks_exact(FRAME_HEAD + page);
    let count = frames.take_while(|frame| &frame[8..16] == salts).count();
    LOG_HEAD + count * (FRAME_HEAD + page)
}

fn page_size(file: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([file[16], file[17]]))
}

/// Makes a history whose log only grew.
fn history() -> History {
    (0..ATTEMPTS).find_map(|_| try_history()).expect("the log was put away each time")
}

fn try_history() -> Option<History> {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let log = gateway.folder().join("ledger.db-wal");
    let file = fs::read(gateway.ledger()).unwrap();
    let mut lengths = Vec::new();
    for _ in 0..REFUNDS {
        let made = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
        assert_eq!(made.successes(), 1, "{made}");
        lengths.push(used(&fs::read(&log).unwrap(), page_size(&file)));
    }
    gateway.kill9();
    let is_growing = lengths.windows(2).all(|pair| pair[0] < pair[1]);
    let is_alone = fs::read(gateway.ledger()).unwrap() == file;
    let mut log = fs::read(&log).unwrap();
    log.truncate(used(&log, page_size(&file)));
    (is_growing && is_alone).then_some(History { file, log, lengths })
}

/// How many refunds a ledger has that is served once with this log, and whose audit must be clean.
fn refunds(folder: &Path, file: &[u8], log: &[u8], reported: &str) -> u64 {
    let path = folder.join("ledger.db");
    let _ = fs::remove_file(folder.join("ledger.db-shm"));
    fs::write(&path, file).unwrap();
    fs::write(folder.join("ledger.db-wal"), log).unwrap();
    let audit =
        SqliteLedger::audit_file(&path).unwrap_or_else(|error| panic!("{reported}: {error}"));
    assert!(audit.findings.problems.is_empty(), "{reported}: {:?}", audit.findings);
    let mode = OpenMode::CreateOrOpen { test: true };
    let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
    drop(SqliteLedger::open(&path, &options).unwrap_or_else(|error| panic!("{reported}: {error}")));
    let served = SqliteLedger::audit_file(&path).unwrap();
    assert!(served.findings.problems.is_empty(), "{reported}: {:?}", served.findings);
    assert_eq!(served.refunds, audit.refunds, "{reported}");
    audit.refunds
}

/// Where the last transaction of a log begins: behind the last commit but one.
fn last_transaction(log: &[u8], frame: usize) -> usize {
    let frames = log[LOG_HEAD..].chunks_exact(frame).enumerate();
    let commits = frames.filter(|(_, frame)| frame[4..8] != [0; 4]).map(|(place, _)| place);
    let commits: Vec<usize> = commits.collect();
    LOG_HEAD + (commits[commits.len() - 2] + 1) * frame
}

/// That nothing opens a ledger whose log is damaged ahead of its last transaction.
fn is_refused(folder: &Path, file: &[u8], log: &[u8], frame: usize) {
    let path = folder.join("ledger.db");
    let _ = fs::remove_file(folder.join("ledger.db-shm"));
    fs::write(&path, file).unwrap();
    fs::write(folder.join("ledger.db-wal"), log).unwrap();
    let reported = SqliteLedger::audit_file(&path).unwrap_err().to_string();
    assert!(reported.contains(&format!("frame {frame} of its log is damaged")), "{reported}");
}

#[test]
fn wherever_the_log_ends_what_was_in_it_is_there() {
    let History { file, log, lengths } = history();
    let page = page_size(&file);
    let frame = FRAME_HEAD + page;
    let folder = TempDir::new().unwrap();
    let frames = (log.len() - LOG_HEAD) / frame;
    let last = last_transaction(&log, frame);
    let mut most = 0;
    for place in 0..=frames {
        let boundary = LOG_HEAD + place * frame;
        let committed = lengths.iter().filter(|length| **length <= boundary).count();
        let cut = |end: usize| &log[..end.min(log.len())];
        let reported = format!("{place} of {frames} frames");
        let found = refunds(folder.path(), &file, cut(boundary), &reported);
        assert_eq!(found, u64::try_from(committed).unwrap(), "{reported}");
        let half = refunds(folder.path(), &file, cut(boundary + frame / 2), &reported);
        assert_eq!(half, found, "{reported} and a half");
        if place < frames {
            let mut flipped = log.clone();
            flipped[boundary + FRAME_HEAD + (place * 997) % page] ^= 1 << (place % 8);
            if boundary >= last {
                let flipped = refunds(folder.path(), &file, &flipped, &reported);
                assert_eq!(flipped, found, "a bit of the frame after {reported} is flipped");
            } else {
                is_refused(folder.path(), &file, &flipped, place + 1);
            }
        }
        most = most.max(found);
    }
    assert_eq!(most, u64::try_from(REFUNDS).unwrap());
}
