//! Every balance made again in one pass over the entries and the refunds of a snapshot, each in the
//! order of its keys.
//!
//! Both are read side by side: entries are written in the order of the refunds that they are of, so
//! an entry nearly always belongs to the refund that the pass has reached. Nothing is sorted and
//! nothing is joined, and what is kept in memory are the accounts, the orders that are open, some
//! thousands of rows, and those refunds whose entries do not (or do not yet) add up. What a single
//! row may hold is compared in [`values`](mod@super::values).

use super::in_order::Rows;
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::audit::{Audit, AuditedAccount, Findings, Meter};
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use std::collections::{HashMap, HashSet};

/// The columns of a refund, as [`Refund::read`] takes them: 1 is the code of the source
/// CreditBalance, and 1 and 2 are those of the statuses Processing and Error.
const REFUND: &str = "select number, account, amount, source_type <> 1, \
     status = 2 or compensated_ms is not null, status = 1, created_by, updated_by, \
     payment_method, payment from refund_row";
/// The refunds behind one, in their order.
const REFUNDS: &str = "where number > ?1 order by number limit ?2";

/// The entries behind one, in their order.
const ENTRIES: &str = "select key, account, delta, balance, refund, adjustment from entry_row \
     where key > ?1 order by key limit ?2";

/// What the pass found.
#[derive(Default)]
pub(in crate::ledger) struct Sums {
    pub(super) accounts: Accounts,
    pub(in crate::ledger) refunds: u64,
    pub(in crate::ledger) entries: u64,
    /// Rows that refer to nothing.
    pub(super) rows: Findings,
    /// Entries whose balance is not the one before it plus the movement.
    pub(in crate::ledger) chain: Findings,
    /// Refunds of a credit balance that did not take their amount once, or did not give it back as
    /// their status says.
    pub(in crate::ledger) taken: Findings,
    /// Refunds in Processing without an order, and orders of others.
    pub(in crate::ledger) orders: Findings,
    /// Entries that no refund or adjustment of their account caused.
    pub(in crate::ledger) causes: Findings,
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
    fn load(reader: &mut dyn Reader) -> Result<Self, BooksError> {
        let select = "select key, opening from account_row order by key";
        let accounts = reader.list(select, &[], |row| {
            let (key, opening) = (row.get(0)?, row.get(1)?);
            Ok(AccountSums { key, opening, moved: 0, last_balance: None, refunds: 0 })
        })?;
        Ok(Self(accounts))
    }

    /// What the entries of an account moved, and how many refunds it has.
    fn of(&mut self, key: i64) -> (i64, u64) {
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
    is_processing: bool,
    created_by: Option<i64>,
    updated_by: Option<i64>,
    payment_method: Option<i64>,
    payment: Option<i64>,
}

impl Refund {
    fn read(row: &Row<'_>) -> Result<Self, BooksError> {
        Ok(Self {
            number: row.get(0)?,
            account: row.get(1)?,
            amount: row.get(2)?,
            has_no_entries: row.get(3)?,
            gives_back: row.get(4)?,
            is_processing: row.get(5)?,
            created_by: row.get(6)?,
            updated_by: row.get(7)?,
            payment_method: row.get(8)?,
            payment: row.get(9)?,
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

#[derive(Clone, Copy)]
struct Entry {
    key: i64,
    account: i64,
    delta: i64,
    balance: i64,
    refund: Option<i64>,
    adjustment: Option<i64>,
}

impl Entry {
    fn read(row: &Row<'_>) -> Result<Self, BooksError> {
        Ok(Self {
            key: row.get(0)?,
            account: row.get(1)?,
            delta: row.get(2)?,
            balance: row.get(3)?,
            refund: row.get(4)?,
            adjustment: row.get(5)?,
        })
    }
}

/// Follows every entry and every refund of a snapshot.
pub(in crate::ledger) fn add_up(
    reader: &mut dyn Reader,
    meter: &Meter,
) -> Result<Sums, BooksError> {
    let mut sums = Sums { accounts: Accounts::load(reader)?, ..Sums::default() };
    let refunds = format!("{REFUND} {REFUNDS}");
    let mut follower = Follower {
        rows: Rows::new(refunds, Refund::read, |refund| refund.number, meter),
        is_over: false,
        reached: None,
        odd: HashMap::new(),
        open: keys(reader, "select refund from inquiry")?,
        users: keys(reader, "select key from user")?,
        methods: keys(reader, "select key from payment_method")?,
        payments: keys(reader, "select key from payment")?,
    };
    let mut entries = Rows::new(ENTRIES.to_owned(), Entry::read, |entry| entry.key, meter);
    while let Some(entry) = entries.next(reader)? {
        let Entry { key, account, delta, .. } = entry;
        sums.follow_balance(entry);
        let of_refund = match entry.refund {
            Some(number) => follower.look_up(reader, number, &mut sums)?,
            None => None,
        };
        let cause = match (of_refund, entry.adjustment) {
            (Some(refund), _) => Some(refund.account),
            (None, Some(adjustment)) => account_of_adjustment(reader, adjustment)?,
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
    }
    follower.finish(reader, &mut sums)?;
    Ok(sums)
}

impl Sums {
    /// Each balance must be the one before it plus the movement.
    fn follow_balance(&mut self, entry: Entry) {
        let Entry { key, account, delta, balance, .. } = entry;
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

    fn refers_to_nothing(&mut self, table: &str) {
        self.rows.complain(format!("a row of {table} refers to nothing"));
    }
}

/// Reads refunds in the order of their numbers, as far as entries have named them.
struct Follower<'m> {
    rows: Rows<'m, Refund>,
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
    fn look_up(
        &mut self,
        reader: &mut dyn Reader,
        number: i64,
        sums: &mut Sums,
    ) -> Result<Option<Refund>, BooksError> {
        while !self.is_over && self.reached.is_none_or(|(reached, _)| reached.number < number) {
            self.read_next(reader, sums)?;
        }
        match &self.reached {
            Some((reached, _)) if reached.number == number => return Ok(Some(*reached)),
            _ => {}
        }
        if let Some((refund, _)) = self.odd.get(&number) {
            return Ok(Some(*refund));
        }
        // It was read before, and its entries added up; or there is none.
        reader.first(&format!("{REFUND} where number = ?1"), &[number.into()], Refund::read)
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

    fn read_next(&mut self, reader: &mut dyn Reader, sums: &mut Sums) -> Result<(), BooksError> {
        if let Some((refund, moves)) = self.reached.take().filter(|(r, m)| !r.adds_up_to(*m)) {
            self.odd.insert(refund.number, (refund, moves));
        }
        let Some(refund) = self.rows.next(reader)? else {
            self.is_over = true;
            return Ok(());
        };
        if refund.is_processing != self.open.contains(&refund.number) {
            let text = order_text(reader, &refund)?;
            sums.orders.complain(format!("refund {}: {text}", super::refund(refund.number)));
        }
        let refers = [
            (&self.users, refund.created_by),
            (&self.users, refund.updated_by),
            (&self.methods, refund.payment_method),
            (&self.payments, refund.payment),
        ];
        if refers.iter().any(|(known, key)| key.is_some_and(|key| !known.contains(&key))) {
            sums.refers_to_nothing("refund");
        }
        match sums.accounts.get_mut(refund.account) {
            Some(account) => account.refunds += 1,
            None => sums.refers_to_nothing("refund"),
        }
        sums.refunds += 1;
        self.reached = Some((refund, Moves::default()));
        Ok(())
    }

    /// Reads the refunds that no entry named, and notes which do not add up.
    fn finish(mut self, reader: &mut dyn Reader, sums: &mut Sums) -> Result<(), BooksError> {
        while !self.is_over {
            self.read_next(reader, sums)?;
        }
        let mut wrong: Vec<i64> = self.odd.into_keys().collect();
        wrong.sort_unstable();
        for number in wrong {
            sums.taken.complain(format!(
                "refund {}: its entries do not fit its amount and status",
                super::refund(number)
            ));
        }
        Ok(())
    }
}

fn keys(reader: &mut dyn Reader, select: &str) -> Result<HashSet<i64>, BooksError> {
    let mut keys = HashSet::new();
    reader.each(select, &[], |row| {
        keys.insert(row.get(0)?);
        Ok(())
    })?;
    Ok(keys)
}

/// What is wrong with a refund whose order is not there, or is and should not be.
fn order_text(reader: &mut dyn Reader, refund: &Refund) -> Result<String, BooksError> {
    if refund.is_processing {
        return Ok("is in Processing, and nobody asks its gateway".to_owned());
    }
    let status = "select coalesce(status, 'of no status') from refund where number = ?1";
    let status = reader.first(status, &[refund.number.into()], |row| row.get::<String>(0))?;
    Ok(format!("is {}, and its gateway is still asked", status.unwrap_or_default()))
}

fn account_of_adjustment(reader: &mut dyn Reader, key: i64) -> Result<Option<i64>, BooksError> {
    reader.first("select account from adjustment where key = ?1", &[key.into()], |row| row.get(0))
}

/// Lists every account with what its entries and refunds came to, which its balance has to be.
pub(super) fn list_accounts(
    reader: &mut dyn Reader,
    mut sums: Accounts,
    audit: &mut Audit,
) -> Result<(), BooksError> {
    let select = "select key, id, number, currency, opening, coalesce(balance, 0) from account \
                  order by number";
    reader.each(select, &[], |row| {
        let (key, number): (i64, String) = (row.get(0)?, row.get(2)?);
        let (opening, balance): (i64, i64) = (row.get(4)?, row.get(5)?);
        let (moved, refunds) = sums.of(key);
        if opening.checked_add(moved) != Some(balance) {
            let text = format!("account {number}: {opening} moved by {moved} is not {balance}");
            audit.findings.complain(text);
        }
        audit.accounts.push(AuditedAccount {
            id: row.get(1)?,
            number,
            currency: row.get::<Currency>(3)?,
            opening: MinorUnits::new(opening),
            balance: MinorUnits::new(balance),
            refunds,
        });
        Ok(())
    })
}
