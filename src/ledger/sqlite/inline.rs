//! A ledger without threads, for simulations: its file is in memory and outlives the process that
//! is simulated, its writer takes turns when the simulation says so, and what happens at the file
//! is the simulation's to choose.
//!
//! What must stay true: nothing but threads, the lock and the log are left out. Transactions,
//! statements, batches and replies are those that are served.

use super::inline_kept::{self, File};
use super::readers::{InlineReader, Readers};
use super::store::Store;
use super::{Sqlite, SqliteLedger, audit};
use crate::domain::facts::Gateway;
use crate::domain::id::{RefundId, RefundNumber};
use crate::ledger::audit::Meter;
use crate::ledger::damage::Damage;
use crate::ledger::engine::Load;
use crate::ledger::file::Identity;
use crate::ledger::writer::{Turns, Writer};
use rusqlite::{Connection, ffi};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// Where something can happen at the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// A transaction is to begin.
    Begin,
    /// Rows are to be written.
    Flush,
    /// A transaction is to be committed.
    Commit,
    /// It is committed, and the writer does not know it yet.
    Committed,
    /// A transaction is to be rolled back.
    RollBack,
}

/// How the file fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// The disk is full: nothing was written.
    Full,
    /// Reading or writing failed, and it is open what was written.
    Broken,
}

/// What happens at the file, if anything does.
pub(crate) type Trouble = Arc<dyn Fn(At) -> Option<Failing> + Send + Sync>;

/// What is waited for before the ledger is read.
pub(crate) type Pause = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Failing {
    /// In SQLite's words.
    pub(super) fn error(self) -> rusqlite::Error {
        let code = match self {
            Self::Full => ffi::SQLITE_FULL,
            Self::Broken => ffi::SQLITE_IOERR,
        };
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }
}

/// The turns of the writer. When they are dropped, their process is no more.
pub(crate) struct InlineTurns {
    /// Always there until then.
    turns: Option<Turns<Store>>,
    reader: InlineReader,
    file: Arc<Mutex<File>>,
}

impl InlineTurns {
    /// As [`Turns::take_next`].
    pub(crate) async fn take_next(&mut self, pause: impl Future<Output = ()>) -> bool {
        self.turns.as_mut().unwrap().take_next(pause).await
    }
}

impl Drop for InlineTurns {
    fn drop(&mut self) {
        let writer = self.turns.take().unwrap().into_engine().into_connection();
        if let Ok(mut file) = self.file.lock() {
            file.take_back(writer, self.reader.take_connection());
        }
    }
}

/// A ledger's file in memory.
pub(crate) struct Disk {
    file: Arc<Mutex<File>>,
}

impl Drop for Disk {
    fn drop(&mut self) {
        inline_kept::give_back(&self.file);
    }
}

/// An account as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundAccount {
    /// Its id.
    pub(crate) id: String,
    /// Its credit balance.
    pub(crate) balance: i64,
    /// What it began with and its entries make together.
    pub(crate) sum: i64,
}

/// A refund as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundRefund {
    /// Its id.
    pub(crate) id: RefundId,
    /// Where it stands, by its name.
    pub(crate) status: String,
    /// Whether its gateway pays it.
    pub(crate) is_electronic: bool,
    /// Its comment, by which the simulation knows it.
    pub(crate) comment: String,
    /// How much.
    pub(crate) amount: i64,
}

/// What a payment or a credit memo is worth, and what of it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundSource {
    /// Its id.
    pub(crate) id: String,
    /// What can still be refunded.
    pub(crate) left: i64,
    /// What its gateway collected, and what of that was sent back; nothing of a credit memo.
    pub(crate) collected: Option<(i64, i64)>,
}

impl Disk {
    /// A copy of the ledger in a file that nothing has open.
    pub(crate) fn copy_of(file: &Path) -> Self {
        Self { file: inline_kept::take(file) }
    }

    /// Makes a file one that can be copied into memory: without a log.
    pub(crate) fn put_log_away(file: &Path) {
        let connection = Connection::open(file).unwrap();
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "delete", |row| row.get::<_, String>(0));
        assert_eq!(mode.unwrap(), "delete");
    }

    /// Starts a process's ledger on the file, with these gateways configured.
    pub(crate) fn start(
        &self,
        gateways: Vec<Gateway>,
        load: Load,
        pause: Pause,
        trouble: Trouble,
    ) -> (SqliteLedger, InlineTurns) {
        let mut file = self.file.lock().unwrap();
        let (connection, reader) = (file.writer(), file.reader());
        drop(file);
        let identity = Identity::of(Path::new("/dev/null")).unwrap();
        let mut store = Store::load(connection, identity, Some(7), gateways, Some(true)).unwrap();
        store.trouble = Some(trouble);
        let tenant = store.world().tenant.clone();
        let damage = Damage::default();
        let (readers, reader) = Readers::inline(reader, damage.clone(), pause);
        let (writer, turns) = Writer::without_thread(store, load, damage.clone());
        let turns = InlineTurns { turns: Some(turns), reader, file: Arc::clone(&self.file) };
        let backend = Sqlite::new(PathBuf::from("/dev/null"), damage.clone(), readers);
        (SqliteLedger::new(backend, writer, tenant, damage, false), turns)
    }

    /// All accounts.
    pub(crate) fn accounts(&self) -> Vec<FoundAccount> {
        let select = "select id, balance, opening + coalesce((select sum(delta) from entry_row \
                      where entry_row.account = account.key), 0) from account";
        self.rows(select, |row| {
            Ok(FoundAccount { id: row.get(0)?, balance: row.get(1)?, sum: row.get(2)? })
        })
    }

    /// All refunds.
    pub(crate) fn refunds(&self) -> Vec<FoundRefund> {
        let select = "select number, created_ms, salt, case status when 0 then 'Processed' \
                      when 1 then 'Processing' when 2 then 'Error' else 'Canceled' end, \
                      coalesce(comment, ''), amount, type = 1 from refund_row";
        self.rows(select, |row| {
            let number = RefundNumber::new(row.get(0)?).unwrap();
            Ok(FoundRefund {
                id: RefundId::new(row.get(1)?, row.get(2)?, number),
                status: row.get(3)?,
                comment: row.get(4)?,
                amount: row.get(5)?,
                is_electronic: row.get(6)?,
            })
        })
    }

    /// The comments of all adjustments.
    pub(crate) fn adjustments(&self) -> Vec<String> {
        self.rows("select coalesce(comment, '') from adjustment", |row| row.get(0))
    }

    /// All events by their sequence, with their accounts.
    pub(crate) fn events(&self) -> Vec<(i64, String)> {
        let select = "select key, cast(account as text) from event order by key";
        self.rows(select, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// All payments and credit memos.
    pub(crate) fn sources(&self) -> Vec<FoundSource> {
        let select = "select payment.id, payment.amount - payment.refunded, collected.amount, \
                      collected.sent from payment left join collected \
                      on collected.payment = payment.key \
                      union all select id, amount - applied - refunded, null, null \
                      from credit_memo";
        self.rows(select, |row| {
            let collected: (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
            let collected = collected.0.zip(collected.1);
            Ok(FoundSource { id: row.get(0)?, left: row.get(1)?, collected })
        })
    }

    /// What `check` finds wrong with money, rows and the sums of rows.
    pub(crate) fn problems(&self) -> Vec<String> {
        let file = self.file.lock().unwrap();
        let mut money = audit::money(&file.eye, &Meter::unseen()).unwrap();
        money.take_over(audit::rows(&file.eye).unwrap());
        money.take_over(audit::values(&file.eye).unwrap());
        money.findings.problems
    }

    fn rows<T>(
        &self,
        select: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let file = self.file.lock().unwrap();
        let mut statement = file.eye.prepare_cached(select).unwrap();
        let rows = statement.query_map([], read).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}
