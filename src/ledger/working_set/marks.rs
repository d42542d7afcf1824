//! Going back to a mark: what a single transaction changed is taken back, and nothing else.
//!
//! What must stay true: as long as there is a mark, each row is noted as it was before it changes;
//! without one, nothing is. There is one mark at a time, and after a flush none can be gone back
//! to.

use super::flushing::Outdated;
use super::{Held, Shelf};
use crate::ledger::record::Record;
use crate::ledger::trail::ActSource;
use chrono::{DateTime, Utc};

/// What a shelf was when the mark was set, as far as it has changed since.
#[derive(Debug)]
pub(super) struct Before<R: Record> {
    /// The rows as they were, in the order of their changes; none for those that were not met.
    rows: Vec<(R::Key, Option<Held<R>>)>,
    touched: usize,
    newest: Option<i64>,
    unused: u32,
}

/// What all shelves share, as it was when the mark was set.
#[derive(Debug)]
pub struct Mark {
    pub(super) outdated: Vec<Outdated>,
    pub(super) latest_source: Option<(ActSource, i64)>,
    pub(super) is_world_changed: bool,
    pub(super) latest_refund: Option<DateTime<Utc>>,
}

impl<R: Record> Shelf<R> {
    /// Sets the mark.
    pub(super) fn set_mark(&mut self) {
        let (touched, newest, unused) = (self.touched.len(), self.newest, self.unused);
        self.before = Some(Before { rows: Vec::new(), touched, newest, unused });
    }

    /// Notes a row that is about to change.
    pub(super) fn note(&mut self, key: &R::Key) {
        if let Some(before) = &mut self.before {
            before.rows.push((key.clone(), self.rows.get(key).cloned()));
        }
    }

    /// Takes back everything since the mark, which is gone then.
    pub(super) fn go_back(&mut self) {
        let Some(before) = self.before.take() else { return };
        for (key, held) in before.rows.into_iter().rev() {
            match held {
                Some(held) => self.rows.insert(key, held),
                None => self.rows.remove(&key),
            };
        }
        self.touched.truncate(before.touched);
        self.indexes.clear();
        (self.newest, self.unused) = (before.newest, before.unused);
    }

    /// Lets everything since the mark stand.
    pub(super) fn forget_mark(&mut self) {
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::facts::AccountKey;
    use crate::domain::id::ObjectId;
    use crate::domain::money::MinorUnits;
    use crate::ledger::engine::Engine;
    use crate::ledger::memory::Memory;
    use crate::ledger::record::Field;
    use crate::ledger::records::{ACCOUNT_BY_NUMBER, Account, AccountRow};
    use crate::ledger::unit::World;

    fn account(key: i64, number: &str) -> AccountRow {
        let id = ObjectId::parse(&format!("{key:032x}")).unwrap();
        AccountRow::active(AccountKey(key), id, number.to_owned(), MinorUnits::ZERO)
    }

    /// A row that was there, one that was changed before the mark and one that was added before it
    /// are as they were, also where they are looked up, and in the narrow record of the table.
    #[test]
    fn what_came_after_a_mark_is_taken_back() {
        let mut memory = Memory::new(World::default());
        let numbers = |memory: &mut Memory| {
            let mut numbers = |number: &str| {
                let number = [number.to_owned()];
                let [number] = number.each_ref().map(Field::stored);
                let found = memory
                    .work(|unit| unit.all::<Account>(&ACCOUNT_BY_NUMBER, &[number.into_owned()]));
                found.unwrap().iter().map(|row| row.key.0).collect::<Vec<_>>()
            };
            ["A", "B", "C", "D", "X"].map(&mut numbers)
        };
        memory.begin().unwrap();
        memory.work(|unit| unit.insert(account(1, "A"))).unwrap();
        memory.work(|unit| unit.insert(account(2, "B"))).unwrap();
        memory.flush().unwrap();
        memory.commit().unwrap();
        memory.begin().unwrap();
        let rename = |key: i64, number: &'static str| {
            move |row: &mut AccountRow| {
                assert_eq!(row.key.0, key);
                number.clone_into(&mut row.number);
            }
        };
        let done = memory.work(|unit| {
            unit.change::<AccountRow>(&(AccountKey(2),), rename(2, "C"))?;
            unit.insert(account(3, "D"))?;
            let mark = unit.mark();
            unit.change::<AccountRow>(&(AccountKey(1),), rename(1, "X"))?;
            unit.change::<AccountRow>(&(AccountKey(2),), rename(2, "X"))?;
            unit.change::<AccountRow>(&(AccountKey(3),), rename(3, "X"))?;
            unit.remove::<AccountRow>(&(AccountKey(2),))?;
            unit.insert(account(4, "X"))?;
            unit.go_back(mark);
            Ok(())
        });
        done.unwrap();
        let expected = [vec![1], vec![], vec![2], vec![3], vec![]];
        assert_eq!(numbers(&mut memory), expected);
        memory.flush().unwrap();
        memory.commit().unwrap();
        memory.begin().unwrap();
        assert_eq!(numbers(&mut memory), expected);
        let kept = memory.work(|unit| {
            let mark = unit.mark();
            unit.change::<AccountRow>(&(AccountKey(1),), rename(1, "X"))?;
            unit.keep(mark);
            unit.change::<AccountRow>(&(AccountKey(2),), rename(2, "A"))
        });
        kept.unwrap();
        assert_eq!(numbers(&mut memory), [vec![2], vec![], vec![], vec![3], vec![1]]);
    }
}
