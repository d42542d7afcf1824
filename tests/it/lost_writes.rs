//! The power goes while a gateway works: what was written and not synced is lost, in whole, in part
//! or not at all. Whatever is left, the next start serves it, every refund that was acknowledged is
//! there once and with its amount, and all balances add up.
//!
//! A gateway with several clients runs under a shim that notes each write, each sync and each
//! change of a name (`lost_writes/shim.c`), and is killed. From the notes follows what a loss of
//! power leaves at any moment (`disk`): while the ledger was made and seeded, while it was
//! recovered from the loss before, at a commit, at a checkpoint, at a clean end. A gateway is
//! started on each.
//!
//! `POWER_LOSSES` says how many losses there are, `POWER_SEED` from which seed they are drawn.
#![allow(clippy::print_stdout, reason = "it says how much it tried")]

mod disk;

use crate::bank::Ending;
use crate::drawn::Drawn;
use crate::durability::exchange;
use crate::fault_matrix::refund_of;
use crate::gateway::{EXTERNAL_ACCOUNT, TestGateway, create_envelope, external_refund};
use crate::processor::until;
use crate::shims::compiled;
use disk::{Disk, Done, Files, Loss, Noted};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// How many losses there are where nothing else is said, and how many of each run of a gateway.
const LOSSES: u64 = 18;
const A_RUN: u64 = 6;
const SEED: u64 = 20_261_201;
const CLIENTS: usize = 4;
/// What the account begins with, in cents.
const OPENING: i64 = 100_000_000_000;
const ARGS: [&str; 2] = ["--seed", "seed.toml"];
const LEDGER: &str = "ledger.db";

fn seed() -> String {
    format!(
        "[[user]]\nusername = \"demo@example.com\"\npassword = \"demo\"\n\
         [[account]]\nid = \"{EXTERNAL_ACCOUNT}\"\nnumber = \"A1\"\nname = \"One\"\n\
         currency = \"USD\"\ncredit_balance = \"{}\"\n",
        decimal(OPENING)
    )
}

fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A refund that a client asked for under a key of its own; no two have the same amount.
#[derive(Debug, Clone)]
struct Sent {
    key: String,
    cents: i64,
    /// Its id, and how long the notes were when it was known.
    acknowledged: Option<(String, usize)>,
}

/// The amount of each refund, by its id.
type Refunds = BTreeMap<String, i64>;

/// A run of a gateway under the shim.
struct Run {
    gateway: TestGateway,
    notes: PathBuf,
    _elsewhere: TempDir,
    /// What was in its folder before.
    before: Files,
    /// How long the notes were when it served.
    served: usize,
    sent: Mutex<Vec<Sent>>,
}

impl Run {
    /// Starts a gateway on `before`. Its syncs lie of files whose names end with `lies_of`, as long
    /// as the file `lies` is in the folder of the notes.
    fn start(shim: &Path, before: &Files, lies_of: &str) -> Self {
        let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        before.put_into(folder.path());
        fs::write(folder.path().join("seed.toml"), seed()).unwrap();
        let before = Files::of(folder.path());
        let notes = elsewhere.path().join("notes");
        let lies = elsewhere.path().join("lies");
        let env = [
            ("LD_PRELOAD", shim),
            ("LOST_FOLDER", folder.path()),
            ("LOST_LOG", &notes),
            ("LOST_LIES", &lies),
            ("LOST_LIES_OF", Path::new(lies_of)),
        ];
        let env = env.map(|(name, value)| (name, value.to_str().unwrap().to_owned()));
        let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
        let gateway = TestGateway::start_with_env(folder, &ARGS, &env);
        let served = length(&notes);
        let sent = Mutex::default();
        Self { gateway, notes, _elsewhere: elsewhere, before, served, sent }
    }

    /// From now on syncs lie.
    fn lie(&self) {
        fs::write(self.notes.with_file_name("lies"), "").unwrap();
    }

    fn noted(&self) -> Vec<Noted> {
        disk::read(&fs::read(&self.notes).unwrap(), &self.before)
    }

    /// One client, which sends refund after refund until its connection breaks or `is_over`. As
    /// long as `pause` is taken, it waits.
    fn work(&self, session: &str, pause: &RwLock<()>, count: &AtomicUsize, is_over: &AtomicBool) {
        /// No two refunds of any run have the same amount.
        static CENTS: AtomicI64 = AtomicI64::new(1);
        let Ok(mut stream) = TcpStream::connect(self.gateway.public()) else { return };
        while !is_over.load(Ordering::SeqCst) {
            let working = pause.read().unwrap();
            let cents = CENTS.fetch_add(1, Ordering::Relaxed);
            let sent = Sent { key: format!("key-{cents}"), cents, acknowledged: None };
            let place = {
                let mut all = self.sent.lock().unwrap();
                all.push(sent.clone());
                all.len() - 1
            };
            let Ok(id) = send(&mut stream, session, &sent) else { return };
            let acknowledged = Some((id, length(&self.notes)));
            self.sent.lock().unwrap()[place].acknowledged = acknowledged;
            count.fetch_add(1, Ordering::Relaxed);
            drop(working);
        }
    }

    /// Lets clients work until so many refunds were acknowledged, and as many more after each of
    /// `lulls`, in which the gateway writes its log back; then ends it, while they go on.
    fn work_until(&mut self, end: Signal, lulls: u64, refunds: u64, drawn: &mut Drawn) {
        let (pause, count, is_over) =
            (RwLock::new(()), AtomicUsize::new(0), AtomicBool::new(false));
        let session = self.gateway.login();
        let run = &*self;
        thread::scope(|scope| {
            let _ending = Ending(&is_over);
            for _ in 0..CLIENTS {
                scope.spawn(|| run.work(&session, &pause, &count, &is_over));
            }
            for lull in 0..=lulls {
                let wanted = count.load(Ordering::Relaxed) + usize::try_from(refunds).unwrap();
                until("refunds are acknowledged", || count.load(Ordering::Relaxed) >= wanted);
                if lull < lulls {
                    let _paused = pause.write().unwrap();
                    let from = length(&run.notes);
                    until("the log is written back", || run.wrote_to_the_file_since(from));
                }
            }
            thread::sleep(Duration::from_micros(drawn.below(4_000)));
            run.gateway.signal(end);
        });
        self.gateway.ended();
    }

    fn wrote_to_the_file_since(&self, from: usize) -> bool {
        let noted = self.noted();
        let is_it = self.is_of_file(&noted);
        noted.iter().any(|one| one.end > from && is_it(&one.done))
    }

    /// Whether something is done to the ledger's main file.
    fn is_of_file(&self, noted: &[Noted]) -> impl Fn(&Done) -> bool {
        let made = noted.iter().find_map(|one| match &one.done {
            Done::Made { name, file } if name == LEDGER => Some(*file),
            _ => None,
        });
        let ledger = self.before.number(LEDGER).or(made);
        move |done| done.file().is_some() && done.file() == ledger
    }

    /// The refunds that had been acknowledged when the notes were so long.
    fn acknowledged(&self, length: usize) -> Refunds {
        let all = self.sent.lock().unwrap();
        let known = all.iter().filter_map(|sent| {
            let (id, at) = sent.acknowledged.as_ref()?;
            (*at <= length).then(|| (id.clone(), sent.cents))
        });
        known.collect()
    }

    /// The newest refunds that were sent, acknowledged or not.
    fn newest(&self) -> Vec<Sent> {
        let all = self.sent.lock().unwrap();
        all[all.len().saturating_sub(2 * CLIENTS)..].to_vec()
    }

    /// After how much of what was noted the power goes: for some losses before it served, for some
    /// as it acknowledged, for some as it wrote the log back, for the others whenever.
    fn moment(&self, noted: &[Noted], drawn: &mut Drawn) -> usize {
        let after = |length: usize| noted.partition_point(|one| one.end <= length);
        let (served, is_of_file) = (after(self.served), self.is_of_file(noted));
        let moments: Vec<usize> = match drawn.below(4) {
            0 => (0..=served).collect(),
            1 => {
                let all = self.sent.lock().unwrap();
                let known = all.iter().filter_map(|sent| sent.acknowledged.as_ref());
                known.map(|(_, at)| after(*at)).collect()
            }
            2 => (served..noted.len()).filter(|place| is_of_file(&noted[*place].done)).collect(),
            _ => (0..=noted.len()).collect(),
        };
        let drawn = drawn.below(u64::try_from(moments.len()).unwrap());
        moments[usize::try_from(drawn).unwrap()]
    }
}

fn length(notes: &Path) -> usize {
    usize::try_from(fs::metadata(notes).unwrap().len()).unwrap()
}

/// Sends a refund once, or once more.
fn send(stream: &mut TcpStream, session: &str, sent: &Sent) -> io::Result<String> {
    let refund = external_refund(EXTERNAL_ACCOUNT, &decimal(sent.cents));
    let answer = exchange(stream, &sent.key, &create_envelope(session, &[refund]))?;
    let (_, rest) =
        answer.split_once("<ns1:Id>").ok_or_else(|| io::Error::other(answer.clone()))?;
    Ok(rest.chars().take(32).collect())
}

/// What a gateway is served with of what a loss left: all that is `required`, each refund once, and
/// a balance that adds up; then the newest are sent once more, and each key is one refund.
fn judge(left: &Files, required: &Refunds, newest: &[Sent]) -> Result<Refunds, String> {
    let folder = TempDir::new().unwrap();
    left.put_into(folder.path());
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    let gateway = TestGateway::try_start_in(folder, &ARGS)?;
    let found = stored(&gateway)?;
    let lost: Vec<_> =
        required.iter().filter(|(id, cents)| found.get(*id) != Some(cents)).collect();
    if !lost.is_empty() {
        return Err(format!("acknowledged and lost: {lost:?}"));
    }
    let session = gateway.login();
    let mut stream = TcpStream::connect(gateway.public()).unwrap();
    let mut expected = found.clone();
    for sent in newest {
        let id = send(&mut stream, &session, sent).map_err(|why| format!("{sent:?}: {why}"))?;
        let acknowledged = sent.acknowledged.as_ref().map(|(id, _)| id);
        if acknowledged.is_some_and(|known| *known != id && required.contains_key(known)) {
            return Err(format!("{sent:?} was made once more as {id}"));
        }
        expected.insert(id, sent.cents);
    }
    match stored(&gateway)? {
        after if after == expected => Ok(found),
        after => Err(format!("each key is one refund: {after:?}, and not {expected:?}")),
    }
}

/// The refunds of a ledger, which `check` has nothing to say against.
fn stored(gateway: &TestGateway) -> Result<Refunds, String> {
    let balances = gateway.try_balances()?;
    let select = "select number, created_ms, salt, status, amount from refund";
    let rows = gateway.stored().select(select);
    let refunds: Refunds =
        rows.iter().map(|row| (refund_of(row).0, row[4].parse().unwrap())).collect();
    let amounts: BTreeSet<i64> = refunds.values().copied().collect();
    if amounts.len() != rows.len() {
        return Err(format!("a refund is there twice: {rows:?}"));
    }
    let expected = decimal(OPENING - amounts.iter().sum::<i64>());
    match balances.get(EXTERNAL_ACCOUNT) {
        Some(balance) if *balance == expected => Ok(refunds),
        other => Err(format!("a balance of {other:?}, and not of {expected}")),
    }
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect(name))
}

#[test]
fn wherever_the_power_goes_what_was_acknowledged_is_there_once() {
    let Some(shim) = compiled("lost_writes") else { return };
    let (losses, seed) = (from_env("POWER_LOSSES", LOSSES), from_env("POWER_SEED", SEED));
    let mut drawn = Drawn(seed);
    let (mut left, mut known) = (Files::default(), Refunds::new());
    let (mut tried, mut at_risk, mut sent) = (0, 0, 0);
    while tried < losses {
        let mut run = Run::start(&shim, &left, "");
        let end = if drawn.below(4) == 0 { Signal::TERM } else { Signal::KILL };
        let (lulls, refunds) = (1 + drawn.below(2), 5 + drawn.below(30));
        run.work_until(end, lulls, refunds, &mut drawn);
        let noted = run.noted();
        let mut moments: Vec<usize> =
            (1..A_RUN.min(losses - tried)).map(|_| run.moment(&noted, &mut drawn)).collect();
        moments.push(noted.len());
        moments.sort_unstable();
        let (mut disk, mut at) = (Disk::with(run.before.clone()), 0);
        let mut found = Refunds::new();
        for moment in moments {
            noted[at..moment].iter().for_each(|one| disk.take(&one.done));
            at = moment;
            let loss = Loss::draw(&mut drawn);
            left = disk.lose(loss, &mut drawn);
            let mut required = known.clone();
            required.extend(run.acknowledged(noted[..moment].last().map_or(0, |one| one.end)));
            found = judge(&left, &required, &run.newest()).unwrap_or_else(|why| {
                let of = noted.len();
                panic!("loss {tried} of seed {seed}, {loss:?} after {moment} of {of}: {why}")
            });
            tried += 1;
            at_risk += u64::from(disk.waiting() > 0);
        }
        let differs = disk.seen.differ(&Files::of(run.gateway.folder()), &noted[at - 1].done);
        assert_eq!(differs, None, "the notes are not all that was written");
        sent += run.acknowledged(usize::MAX).len();
        known = found;
    }
    println!(
        "{tried} losses from seed {seed}, {at_risk} of them with something to lose; {sent} refunds \
         were acknowledged, and {} are there",
        known.len()
    );
    assert!(at_risk > 0, "nothing was ever to lose");
}

/// What is found after a loss of all that was not synced, where syncs of files whose names end so
/// are none.
fn lied_to(of: &str, lulls: u64) -> Option<String> {
    let shim = compiled("lost_writes")?;
    let mut run = Run::start(&shim, &Files::default(), of);
    let mut drawn = Drawn(SEED);
    run.lie();
    run.work_until(Signal::KILL, lulls, 40, &mut drawn);
    let mut disk = Disk::with(run.before.clone());
    run.noted().iter().for_each(|one| disk.take(&one.done));
    let left = disk.lose(Loss::All, &mut drawn);
    let found = judge(&left, &run.acknowledged(usize::MAX), &run.newest());
    Some(found.expect_err("what was lost has to be missed"))
}

/// What the test above asks is seen to fail: with a disk that reports a sync and makes none.
#[test]
fn a_disk_that_lies_about_every_sync_loses_refunds_and_that_is_found() {
    let Some(found) = lied_to("", 0) else { return };
    assert!(found.contains("acknowledged and lost"), "{found}");
}

/// The same where only what is written back from the log is lost, and the log is written anew.
#[test]
fn a_file_that_lies_about_syncs_loses_refunds_at_a_checkpoint_and_that_is_found() {
    let Some(found) = lied_to(LEDGER, 2) else { return };
    println!("{found}");
}
