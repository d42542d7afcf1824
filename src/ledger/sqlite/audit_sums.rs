//! One pass over the entries and the refunds of a snapshot, each in the order of its keys.
//!
//! Both are read side by side: entries are written in the order of the refunds that they are of, so
//! an entry nearly always belongs to the refund that the pass has reached. Nothing is sorted and
//! nothing is joined, and what is kept in memory are the accounts, the orders that are open, and
//! those refunds whose entries do not (or do not yet) add up.

use super::meter::Meter;
use crate::ledger::audit::Findings;
use rusqlite::{Connection, OptionalExtension, Row, Rows};
use std::collections::{HashMap, HashSet};

/// After how many rows progress is noted.
const ROWS_BETWEEN_NOTES: u64 = 8_192;

/// A refund: 1 is the code of the source CreditBalance, 0 that of Payment, and 1 and 2 are those of
/// the statuses Processing and Error. Last,
/// the conditions that every row keeps, which its table does not check at each write.
const REFUNDS: &str = "select number, account, amount, source_type <> 1, \
     status = 2 or compensated_ms is not null, status = 1, created_by, updated_by, \
     payment_method, payment, \
     amount > 0 and salt between 0 and 16777215 and type between 0 and 1 \
     and source_type between 0 and 2 and method_type between 0 and 9 and status between 0 and 3 \
     and (payment is not null) = (source_type = 0) \
     and (type = 0 or (gateway is not null and payment_method is not null)) \
     and (status <> 1 or type = 1) and (compensated_ms is null or status = 0) \
     and coalesce(gateway_state between 0 and 4, true) from refund_row";

/// An entry, and the conditions that every row keeps. 0 and 1 are the kinds that take, 2 and 3
/// those that give back; 4 and 5 are adjustments up and down, and 6 is the cancellation of one.
const ENTRIES: &str = "select key, account, delta, balance, refund, adjustment, \
     delta <> 0 and balance >= 0 and (refund is null) = (adjustment is not null) and ( \
         (kind in (0, 1) and refund is not null and delta < 0) \
         or (kind in (2, 3) and refund is not null and delta > 0) \
         or (kind = 4 and refund is null and delta > 0) \
         or (kind = 5 and refund is null and delta < 0) \
         or (kind = 6 and refund is null)) from entry_row order by key";

/// What the pass found.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) accounts: Accounts,
    pub(super) refunds: u64,
    pub(super) entries: u64,
    /// Rows that no row may be, and those that refer to nothing.
    pub(super) rows: Findings,
    /// Entries whose balance is not the one before it plus the movement.
    pub(super) chain: Findings,
    /// Refunds of a credit balance that did not take their amount once, or did not give it back as
    /// their status says.
    pub(super) taken: Findings,
    /// Refunds in Processing without an order, and orders of others.
    pub(super) orders: Findings,
    /// Entries that no refund or adjustment of their account caused.
    pub(super) causes: Findings,
}

/// What entries and refunds came to for an account.
struct AccountSums {
    key: i64,
    opening: i64,
    moved: i64,
    last_balance: Option<i64>,
    refunds: u64,
}

/// All accounts, by their keys.
#[derive(Default)]
pub(super) struct Accounts(Vec<AccountSums>);

impl Accounts {
    fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("select key, opening from account order by key")?;
        let accounts = statement.query_map([], |row| {
            let (key, opening) = (row.get(0)?, row.get(1)?);
            Ok(AccountSums { key, opening, moved: 0, last_balance: None, refunds: 0 })
        })?;
        accounts.collect::<Result<_, _>>().map(Self)
    }

    /// What the entries of an account moved, and how many refunds it has.
    pub(super) fn of(&mut self, key: i64) -> (i64, u64) {
        self.get_mut(key).map_or((0, 0), |account| (account.moved, account.refunds))
    }

    fn get_mut(&mut self, key: i64) -> Option<&mut AccountSums> {
        // Keys are given one after the other, so an account is nearly always where it would be if
        // none had ever gone.
        let first = self.0.first()?.key;
        let place = usize::try_from(key.checked_sub(first)?).ok()?;
        let place = match self.0.get(place) {
            Some(account) if account.key == key => place,
            _ => self.0.binary_search_by_key(&key, |account| account.key).ok()?,
        };
        self.0.get_mut(place)
    }
}

#[derive(Clone, Copy)]
struct Refund {
    number: i64,
    account: i64,
    amount: i64,
    /// It draws on a payment or a credit memo.
    has_no_entries: bool,
    gives_back: bool,
}

impl Refund {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            account: row.get(1)?,
            amount: row.get(2)?,
            has_no_entries: row.get(3)?,
            gives_back: row.get(4)?,
        })
    }

    /// What its entries have to add up to.
    fn expected(&self) -> Moves {
        let given = if self.gives_back { self.amount } else { 0 };
        Moves { debits: 1, taken: self.amount.saturating_neg(), given }
    }

    fn adds_up_to(&self, moves: Moves) -> bool {
        self.has_no_entries || moves == self.expected()
    }
}

/// What the entries of a refund moved in its account.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Moves {
    debits: u64,
    taken: i64,
    given: i64,
}

impl Moves {
    fn add(&mut self, delta: i64) {
        self.debits += u64::from(delta < 0);
        self.taken = self.taken.saturating_add(delta.min(0));
        self.given = self.given.saturating_add(delta.max(0));
    }
}

/// Follows every entry and every refund of a snapshot.
pub(super) fn add_up(connection: &Connection, meter: &Meter) -> rusqlite::Result<Sums> {
    let mut sums = Sums { accounts: Accounts::load(connection)?, ..Sums::default() };
    let mut refunds = connection.prepare(&format!("{REFUNDS} order by number"))?;
    let mut follower = Follower {
        connection,
        meter,
        rows: refunds.query([])?,
        is_over: false,
        reached: None,
        odd: HashMap::new(),
        open: keys(connection, "select refund from inquiry")?,
        users: keys(connection, "select key from user")?,
        methods: keys(connection, "select key from payment_method")?,
        payments: keys(connection, "select key from payment")?,
    };
    let mut entries = connection.prepare(ENTRIES)?;
    let mut entries = entries.query([])?;
    let mut noted = 0_u64;
    while let Some(row) = entries.next()? {
        let (key, account): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (delta, balance): (i64, i64) = (row.get(2)?, row.get(3)?);
        sums.follow_balance(key, account, delta, balance);
        sums.check_conditions("entry", row.get(6)?);
        let refund: Option<i64> = row.get(4)?;
        let of_refund = match refund {
            Some(number) => follower.look_up(number, &mut sums)?,
            None => None,
        };
        let cause = match (of_refund, row.get(5)?) {
            (Some(refund), _) => Some(refund.account),
            (None, Some(adjustment)) => account_of_adjustment(connection, adjustment)?,
            (None, None) => None,
        };
        if cause != Some(account) || of_refund.is_some_and(|refund| refund.has_no_entries) {
            sums.causes.complain(format!(
                "entry {key}: no refund or adjustment of its account is its cause"
            ));
        }
        if let Some(refund) = of_refund.filter(|refund| refund.account == account) {
            follower.move_by(refund, delta);
        }
        noted += 1;
        if noted.is_multiple_of(ROWS_BETWEEN_NOTES) {
            meter.add(ROWS_BETWEEN_NOTES);
        }
    }
    follower.finish(&mut sums)?;
    Ok(sums)
}

impl Sums {
    /// Each balance must be the one before it plus the movement.
    fn follow_balance(&mut self, key: i64, account: i64, delta: i64, balance: i64) {
        let Some(account) = self.accounts.get_mut(account) else {
            return self.refers_to_nothing("entry");
        };
        let before = account.last_balance.unwrap_or(account.opening);
        if before.checked_add(delta) != Some(balance) {
            let text = format!("entry {key}: {before} moved by {delta} is not {balance}");
            self.chain.complain(text);
        }
        account.moved = account.moved.saturating_add(delta);
        account.last_balance = Some(balance);
        self.entries += 1;
    }
}

impl Sums {
    fn check_conditions(&mut self, table: &str, are_kept: Option<bool>) {
        if are_kept != Some(true) {
            self.rows.complain(format!("the file: CHECK constraint failed in {table}"));
        }
    }

    fn refers_to_nothing(&mut self, table: &str) {
        self.rows.complain(format!("the file: a row of {table} refers to nothing"));
    }
}

/// Reads refunds in the order of their numbers, as far as entries have named them.
struct Follower<'a> {
    connection: &'a Connection,
    meter: &'a Meter,
    rows: Rows<'a>,
    is_over: bool,
    /// The refund that was read last, and what its entries moved so far.
    reached: Option<(Refund, Moves)>,
    /// Refunds that were read before, and whose entries have not added up so far.
    odd: HashMap<i64, (Refund, Moves)>,
    open: HashSet<i64>,
    users: HashSet<i64>,
    methods: HashSet<i64>,
    payments: HashSet<i64>,
}

impl Follower<'_> {
    /// The refund of this number, if there is one.
    fn look_up(&mut self, number: i64, sums: &mut Sums) -> rusqlite::Result<Option<Refund>> {
        while !self.is_over && self.reached.is_none_or(|(reached, _)| reached.number < number) {
            self.read_next(sums)?;
        }
        match &self.reached {
            Some((reached, _)) if reached.number == number => return Ok(Some(*reached)),
            _ => {}
        }
        if let Some((refund, _)) = self.odd.get(&number) {
            return Ok(Some(*refund));
        }
        // It was read before, and its entries added up; or there is none.
        let one = format!("{REFUNDS} where number = ?1");
        self.connection.prepare_cached(&one)?.query_row([number], Refund::read).optional()
    }

    /// Counts an entry of a refund that was looked up just now.
    fn move_by(&mut self, refund: Refund, delta: i64) {
        match &mut self.reached {
            Some((reached, moves)) if reached.number == refund.number => moves.add(delta),
            _ => {
                let (_, moves) =
                    self.odd.entry(refund.number).or_insert((refund, refund.expected()));
                moves.add(delta);
                let moves = *moves;
                if refund.adds_up_to(moves) {
                    self.odd.remove(&refund.number);
                }
            }
        }
    }

    fn read_next(&mut self, sums: &mut Sums) -> rusqlite::Result<()> {
        if let Some((refund, moves)) = self.reached.take().filter(|(r, m)| !r.adds_up_to(*m)) {
            self.odd.insert(refund.number, (refund, moves));
        }
        let Some(row) = self.rows.next()? else {
            self.is_over = true;
            return Ok(());
        };
        let refund = Refund::read(row)?;
        let is_processing: bool = row.get(5)?;
        if is_processing != self.open.contains(&refund.number) {
            let text = order_text(self.connection, refund.number, is_processing)?;
            sums.orders.complain(format!("refund R-{:08}: {text}", refund.number));
        }
        let refers: [(&HashSet<i64>, Option<i64>); 4] = [
            (&self.users, row.get(6)?),
            (&self.users, row.get(7)?),
            (&self.methods, row.get(8)?),
            (&self.payments, row.get(9)?),
        ];
        if refers.iter().any(|(known, key)| key.is_some_and(|key| !known.contains(&key))) {
            sums.refers_to_nothing("refund");
        }
        sums.check_conditions("refund", row.get(10)?);
        match sums.accounts.get_mut(refund.account) {
            Some(account) => account.refunds += 1,
            None => sums.refers_to_nothing("refund"),
        }
        sums.refunds += 1;
        if sums.refunds.is_multiple_of(ROWS_BETWEEN_NOTES) {
            self.meter.add(ROWS_BETWEEN_NOTES);
        }
        self.reached = Some((refund, Moves::default()));
        Ok(())
    }

    /// Reads the refunds that no entry named, and says which do not add up.
    fn finish(mut self, sums: &mut Sums) -> rusqlite::Result<()> {
        while !self.is_over {
            self.read_next(sums)?;
        }
        let mut wrong: Vec<i64> = self.odd.into_keys().collect();
        wrong.sort_unstable();
        for number in wrong {
            sums.taken.complain(format!(
                "refund R-{number:08}: its entries do not fit its amount and status"
            ));
        }
        Ok(())
    }
}

fn keys(connection: &Connection, select: &str) -> rusqlite::Result<HashSet<i64>> {
    let mut statement = connection.prepare(select)?;
    let keys = statement.query_map([], |row| row.get(0))?;
    keys.collect()
}

/// What is wrong with a refund whose order is not there, or is and should not be.
fn order_text(
    connection: &Connection,
    number: i64,
    is_processing: bool,
) -> rusqlite::Result<String> {
    if is_processing {
        return Ok("is in Processing, and nobody asks its gateway".to_owned());
    }
    let status = "select coalesce(status, 'of no status') from refund where number = ?1";
    let status: String = connection.query_row(status, [number], |row| row.get(0))?;
    Ok(format!("is {status}, and its gateway is still asked"))
}

fn account_of_adjustment(connection: &Connection, key: i64) -> rusqlite::Result<Option<i64>> {
    let select = "select account from adjustment where key = ?1";
    connection.prepare_cached(select)?.query_row([key], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use super::super::schema::empty_test_ledger;
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    /// What each finding means, in SQL: texts in the order of the findings.
    const CHAIN: &str = "select printf('entry %d: %d moved by %d is not %d', key, before, delta, \
         balance) from (select entry.key, delta, entry.balance, coalesce(lag(entry.balance) over \
             (partition by account order by entry.key), opening) as before \
             from entry join account on account.key = entry.account) \
         where before + delta <> balance order by key";
    const TAKEN: &str = "select printf('refund R-%08d: %s', refund.number, \
             'its entries do not fit its amount and status') \
         from refund left join ( \
             select refund, account, sum(delta < 0) as debits, sum(min(delta, 0)) as taken, \
             sum(max(delta, 0)) as given from entry group by refund, account) as moved \
         on moved.refund = refund.number and moved.account = refund.account \
         where refund.source_type = 'CreditBalance' \
         and (moved.debits is not 1 or moved.taken is not -refund.amount \
             or moved.given is not iif(refund.status = 'Error' \
             or refund.compensated_ms is not null, refund.amount, 0)) order by refund.number";
    const ORDERS: &str = "select printf('refund R-%08d: %s', number, iif(status = 'Processing', \
             'is in Processing, and nobody asks its gateway', \
             'is ' || status || ', and its gateway is still asked')) \
         from refund where (status = 'Processing') \
         != exists (select 1 from inquiry where refund = number) order by number";
    const CAUSES: &str = "select printf('entry %d: %s', entry.key, \
             'no refund or adjustment of its account is its cause') \
         from entry left join refund on refund.number = entry.refund \
         left join adjustment on adjustment.key = entry.adjustment \
         where coalesce(refund.account, adjustment.account) is not entry.account \
         or refund.source_type in ('Payment', 'CreditMemo') order by entry.key";

    fn texts(connection: &Connection, select: &str) -> Vec<String> {
        let mut statement = connection.prepare(select).unwrap();
        let texts = statement.query_map([], |row| row.get(0)).unwrap();
        texts.collect::<Result<_, _>>().unwrap()
    }

    type Rows = (Vec<(i64, i64, u8, u8)>, Vec<(i64, i64, i64, i64)>, Vec<i64>);

    /// Refunds (their distance from the one before, account, status, source) and entries (account,
    /// cause, movement, balance), mostly such as there are and sometimes any, and open orders.
    fn anything() -> impl Strategy<Value = Rows> {
        (
            prop::collection::vec((1..3_i64, 1..4_i64, 0..4_u8, 0..4_u8), 0..12),
            prop::collection::vec((1..5_i64, -3..16_i64, -2..3_i64, 0..4_i64), 0..24),
            prop::collection::vec(1..16_i64, 0..4),
        )
    }

    fn count(ledger: &Connection, rows: &str) -> u64 {
        let select = format!("select count(*) from {rows}");
        ledger.query_row(&select, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
    }

    /// Three accounts and three adjustments, and whatever rows come.
    fn ledger() -> Connection {
        let ledger = empty_test_ledger().unwrap();
        ledger.pragma_update(None, "foreign_keys", false).unwrap();
        ledger.pragma_update(None, "ignore_check_constraints", true).unwrap();
        for key in 1..=3 {
            let insert = "insert into account_row (key, id, number, name, currency, opening) \
                          values (?1, printf('%032d', ?1), ?1, 'x', 'USD', 2)";
            ledger.execute(insert, [key]).unwrap();
            let insert = "insert into adjustment (key, account, type, amount, invoice, status, \
                          adjustment_date, created_by, created_ms, updated_ms) \
                          values (?1, ?1, 'Increase', 1, 1, 'Processed', '2026-01-02', 1, 1, 1)";
            ledger.execute(insert, [key]).unwrap();
        }
        ledger
    }

    fn fill(ledger: &Connection, (refunds, entries, open): &Rows) {
        let (mut number, mut key) = (0, 0);
        let mut entry =
            |account: i64, refund: Option<i64>, adjustment: Option<i64>, delta, after| {
                key += 1;
                let insert = "insert into entry_row (key, account, kind, delta, balance, refund, \
                          adjustment, at_ms) values (?1, ?2, 0, ?3, ?4, ?5, ?6, 1)";
                let values = rusqlite::params![key, account, delta, after, refund, adjustment];
                ledger.execute(insert, values).unwrap();
            };
        for (distance, account, status, source) in refunds {
            number += distance;
            let source_type = match source {
                2 => 0,
                3 => 2,
                _ => 1,
            };
            let insert = "insert into refund_row (number, created_ms, salt, account, amount, type, \
                          source_type, method_type, status, refund_day, created_by) \
                          values (?1, 1, 1, ?2, 1, 0, ?3, 2, ?4, 20000, 1)";
            let values = rusqlite::params![number, account, source_type, status];
            ledger.execute(insert, values).unwrap();
            if *source == 0 {
                entry(*account, Some(number), None, -1, 1);
            }
        }
        for (account, cause, delta, after) in entries {
            match cause {
                1.. => entry(*account, Some(*cause), None, *delta, *after),
                0 => entry(*account, None, None, *delta, *after),
                _ => entry(*account, None, Some(-cause), *delta, *after),
            }
        }
        for number in open {
            let insert = "insert or ignore into inquiry (refund, attempts) values (?1, 0)";
            ledger.execute(insert, [number]).unwrap();
        }
    }

    #[test]
    fn the_pass_finds_what_the_sentences_say() {
        let ledger = ledger();
        let mut runner = TestRunner::default();
        let found = runner.run(&anything(), |rows| {
            ledger.execute_batch("begin").unwrap();
            fill(&ledger, &rows);
            let sums = add_up(&ledger, &Meter::unseen()).unwrap();
            prop_assert_eq!(sums.chain.problems, texts(&ledger, CHAIN));
            prop_assert_eq!(sums.taken.problems, texts(&ledger, TAKEN));
            prop_assert_eq!(sums.orders.problems, texts(&ledger, ORDERS));
            prop_assert_eq!(sums.causes.problems, texts(&ledger, CAUSES));
            prop_assert_eq!(sums.refunds, count(&ledger, "refund"));
            let known = "entry where account in (select key from account)";
            prop_assert_eq!(sums.entries, count(&ledger, known));
            ledger.execute_batch("rollback").unwrap();
            Ok(())
        });
        found.unwrap();
    }
}
