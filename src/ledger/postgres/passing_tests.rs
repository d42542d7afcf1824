//! What passes by itself: a server that answers a batch with a deadlock (40P01) or a serialization
//! failure (40001). The whole batch is done again, a bounded number of times; nothing is lost or
//! doubled; and where it never passes, callers are answered that nothing was done, which is true.
//!
//! A trigger raises the failure a given number of times, or makes a real deadlock with another
//! session. It counts by a sequence, because that is not rolled back with its transaction.

use super::PostgresLedger;
use super::audit::audit;
use super::for_tests::Server;
use super::moving_tests::runtime;
use super::readers::read_once;
use super::reading_tests::{options, small_plan};
use crate::ledger::audit::Progress;
use crate::ledger::conformance::request;
use crate::ledger::{Bookkeeping as _, Created, Health as _, LedgerError, LedgerStats, Reply};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How many callers wait together.
const CALLERS: u8 = 8;
/// How often a batch is tried: once, and again three times.
const TRIES: u32 = 4;

/// Another session of the server, by its own client.
struct Session {
    client: Child,
    said: BufReader<ChildStdout>,
}

impl Session {
    /// Runs statements to their end, and gives the last line that they print.
    fn begun(server: &Server, statements: &str) -> (Self, String) {
        let mut client = server.client("postgres");
        let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(client.stdout.take().unwrap());
        let mut session = Self { client, said };
        session.say(&format!("{statements}; select 'begun'"));
        let (mut last, mut line) = (String::new(), String::new());
        while line.trim_end() != "begun" {
            last = std::mem::take(&mut line);
            assert_ne!(session.said.read_line(&mut line).unwrap(), 0, "{statements}");
        }
        (session, last.trim_end().to_owned())
    }

    /// Sends statements, whose end is not awaited.
    fn say(&mut self, statements: &str) {
        let input = self.client.stdin.as_mut().unwrap();
        input.write_all(format!("{statements};\n").as_bytes()).unwrap();
    }

    /// Awaits the end of all that was sent, none of which may fail.
    fn end(mut self) {
        drop(self.client.stdin.take());
        assert!(self.client.wait().unwrap().success());
    }
}

/// A ledger whose server fails as it is ordered to.
struct Failing {
    server: &'static Server,
    schema: String,
    ledger: PostgresLedger,
    runtime: Runtime,
    /// As it was before the first refund.
    before: LedgerStats,
}

impl Failing {
    /// A new ledger in which whatever writes refunds runs these statements of PL/pgSQL, in which
    /// `tries` says how often they were run before.
    fn running(statements: &str) -> Option<Self> {
        let server = Server::shared()?;
        let (schema, _) = server.new_schema();
        let url = server.url("postgres", &format!("options=-csearch_path%3D{schema}"));
        let ledger = PostgresLedger::open(&url, &options()).unwrap();
        let runtime = runtime();
        runtime.block_on(ledger.load_seed(small_plan())).unwrap().unwrap();
        server.sql(
            "postgres",
            &format!(
                "create sequence {schema}.tried minvalue 0;
                 create function {schema}.fail() returns trigger language plpgsql as $$
                     declare tries bigint := nextval('{schema}.tried');
                     begin {statements} return null; end
                 $$;
                 create trigger fails after insert on {schema}.refund_row
                     execute function {schema}.fail()"
            ),
        );
        let before = ledger.stats();
        Some(Self { server, schema, ledger, runtime, before })
    }

    /// One that fails with a SQLSTATE for these tries.
    fn raising(code: &str, tries: &str) -> Option<Self> {
        let raise = format!("raise exception 'ordered' using errcode = '{code}'");
        Self::running(&format!("if tries {tries} then {raise}; end if;"))
    }

    /// A number that the server gives.
    fn number(&self, select: &str) -> i64 {
        let select = format!("set search_path = {}; select {select}", self.schema);
        self.server.sql("postgres", &select).parse().unwrap()
    }

    /// How often refunds were written, whatever became of them.
    fn tries(&self) -> u32 {
        let tries = self.number("last_value + is_called::int from tried");
        u32::try_from(tries).unwrap()
    }

    /// How many transactions were committed, and how many were rolled back or lost.
    fn ended(&self) -> (u64, u64) {
        let LedgerStats { commits, failures, .. } = self.ledger.stats();
        (commits - self.before.commits, failures - self.before.failures)
    }

    /// A refund of some cents under a key of its own.
    fn refund(&self, key: u8) -> Reply<Created> {
        let rows = [(1 + i64::from(key % 3), 1 + i64::from(key), false)];
        self.ledger.create(request(&rows, false, Some(key), 5))
    }

    /// One refund in a batch of its own, and behind it those of all callers in another. They wait
    /// together because another session has the turn until all are there.
    fn refund_together(&self) -> Vec<Result<Created, LedgerError>> {
        let hold = format!("begin; select pg_backend_pid() from {}.turn for update", self.schema);
        let (mut other, pid) = Session::begun(self.server, &hold);
        let _entered = self.runtime.enter();
        let mut calls = vec![self.refund(0)];
        let waiting =
            format!("count(*) from pg_stat_activity where {pid} = any(pg_blocking_pids(pid))");
        while self.number(&waiting) == 0 {
            thread::park_timeout(Duration::from_millis(5));
        }
        calls.extend((1..=CALLERS).map(|key| self.refund(key)));
        other.say("commit");
        other.end();
        calls.into_iter().map(|call| self.runtime.block_on(call)).collect()
    }

    /// The callers' refunds of these keys are there once, nothing else is, and all adds up.
    fn check(&self, keys: impl Iterator<Item = u8>) {
        let cents: Vec<i64> = keys.map(|key| 1 + i64::from(key)).collect();
        let (count, sum) = (i64::try_from(cents.len()).unwrap(), cents.iter().sum::<i64>());
        assert_eq!(self.number("count(*) from refund_row"), count);
        assert_eq!(self.number("coalesce(sum(amount), 0) from refund_row"), sum);
        assert_eq!(self.number("count(*) from idempotency"), count);
        let taken = "coalesce(sum(opening), 0) - (select sum(units) from balance) from account_row";
        assert_eq!(self.number(taken), sum);
        let address = self.server.address_of(&self.schema);
        let progress: Progress = Arc::new(|done, all| assert!(done <= all));
        let audited = read_once(&address, |reader| audit(reader, &progress)).unwrap();
        assert_eq!(audited.findings.problems, Vec::<String>::new());
    }
}

fn is_fresh(answer: &Result<Created, LedgerError>) -> bool {
    matches!(answer, Ok(Created::Fresh { rows, .. }) if rows.iter().all(Result::is_ok))
}

#[test]
fn a_batch_that_a_server_fails_in_passing_is_done_again_as_a_whole() {
    for code in ["40001", "40P01"] {
        // The second batch fails, as often as it may.
        let Some(failing) = Failing::raising(code, "between 1 and 3") else { return };
        let answers = failing.refund_together();
        assert!(answers.iter().all(is_fresh), "{answers:?}");
        assert_eq!(failing.ended(), (2, 3));
        assert_eq!(failing.tries(), 1 + TRIES);
        failing.check(0..=CALLERS);
    }
}

/// One that fails more often gets each of its requests a batch of its own.
#[test]
fn what_passes_late_is_done_one_by_one() {
    for code in ["40001", "40P01"] {
        let Some(failing) = Failing::raising(code, "between 1 and 6") else { return };
        let answers = failing.refund_together();
        assert!(answers.iter().all(is_fresh), "{answers:?}");
        assert_eq!(failing.ended(), (1 + u64::from(CALLERS), 6));
        assert_eq!(failing.tries(), 1 + TRIES + 2 + u32::from(CALLERS));
        failing.check(0..=CALLERS);
    }
}

#[test]
fn what_never_passes_is_tried_a_bounded_number_of_times_and_answered_as_not_done() {
    for code in ["40001", "40P01"] {
        let Some(failing) = Failing::raising(code, "> 0") else { return };
        let answers = failing.refund_together();
        assert!(is_fresh(&answers[0]), "{answers:?}");
        for answer in &answers[1..] {
            let Err(LedgerError::Unavailable(why)) = answer else { panic!("{answer:?}") };
            assert!(why.contains("ordered") && why.contains(code), "{why}");
        }
        assert_eq!(failing.tries(), 1 + TRIES + u32::from(CALLERS) * TRIES);
        failing.check(0..=0);
        assert_eq!((failing.ledger.damage(), failing.ledger.lost_commit()), (None, None));
        // Nothing was done, so that the same keys do it once they can.
        let schema = &failing.schema;
        failing.server.sql("postgres", &format!("drop trigger fails on {schema}.refund_row"));
        let again = failing.refund_together();
        assert!(matches!(again[0], Ok(Created::Replayed(_))), "{again:?}");
        assert!(again[1..].iter().all(is_fresh), "{again:?}");
        failing.check(0..=CALLERS);
    }
}

/// The other session has a lock that the batch wants, and wants the turn, which the batch has. The
/// server finds that out for the batch first, because the other one asked for that later.
#[test]
fn a_batch_that_loses_a_real_deadlock_is_done_again() {
    let want = "
        if tries = 0 then
            while not exists (select from pg_locks as wanted join pg_locks as had using (pid)
                where not wanted.granted and had.granted and had.locktype = 'advisory'
                    and had.classid = 13 and had.objid = 40) loop
                perform pg_sleep(0.01);
            end loop;
            perform pg_advisory_xact_lock(13, 40);
        end if;";
    let Some(failing) = Failing::running(want) else { return };
    let schema = &failing.schema;
    let hold = "set deadlock_timeout = '60s'; begin; select pg_advisory_xact_lock(13, 40)";
    let (mut other, _) = Session::begun(failing.server, hold);
    other.say(&format!(
        "do $$ begin while not (select is_called from {schema}.tried) loop \
             perform pg_sleep(0.01); end loop; end $$; \
         select number from {schema}.turn for update; commit"
    ));
    let answer = failing.runtime.block_on(failing.refund(0));
    assert!(is_fresh(&answer), "{answer:?}");
    other.end();
    assert_eq!(failing.ended(), (1, 1));
    assert_eq!(failing.tries(), 2);
    failing.check(0..=0);
    let log = fs::read_to_string(failing.server.folder().join("log")).unwrap();
    let (_, found) = log.split_once("deadlock detected").unwrap();
    assert!(found.contains(&format!("select number from {schema}.turn for update")), "{found}");
}
