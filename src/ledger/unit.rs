//! A unit of work: what a use case sees of the ledger while a batch is open.
//!
//! It reads rows through the working set and leaves its changes there; the engine gets them at the
//! end of the batch. What must stay true: nothing here knows which engine it is; every balance is
//! compared with the entry that made it what it is before anything is decided on it.

use super::books::{Books, BooksError};
use super::record::{Lookup, Record, Value};
use super::records::{Account, Balance, Entry, Meta, Refund, WEBHOOK_BY_PLACE};
use super::trail::ActSource;
pub use super::working_set::Unmet;
use super::working_set::{Mark, Shelved, Shelves};
pub use super::world::World;
use crate::domain::facts::AccountKey;
use crate::domain::id::{IdKind, RefundId, RefundNumber, RowId};
use crate::domain::money::MinorUnits;
use chrono::{DateTime, Utc};

/// The name under which the ledger keeps the number of the last refund that was deleted.
const LAST_DELETED_REFUND: &str = "last_deleted_refund";

/// What a use case works on.
pub struct Unit<'u> {
    shelves: &'u mut Shelves,
    books: &'u mut dyn Books,
    /// What holds for every request.
    pub world: &'u World,
}

/// Does work on the rows of an open transaction, and brings up to date what holds for those that
/// follow. Engines call it.
pub fn work<T>(
    shelves: &mut Shelves,
    books: &mut dyn Books,
    world: &mut World,
    work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
) -> Result<T, BooksError> {
    let done = work(&mut Unit::new(shelves, books, world))?;
    if std::mem::take(&mut shelves.is_world_changed) {
        world.reload(shelves, books)?;
    }
    Ok(done)
}

impl<'u> Unit<'u> {
    /// A unit of work on the rows that were met, over an open transaction.
    pub const fn new(shelves: &'u mut Shelves, books: &'u mut dyn Books, world: &'u World) -> Self {
        Self { shelves, books, world }
    }

    /// Has the batch fail where there is no room for new rows, or no right to write some.
    pub fn need_room_and_rights(&mut self) -> Result<(), BooksError> {
        self.books.need_room_and_rights()
    }

    /// The row of a key.
    pub fn get<R: Shelved>(&mut self, key: &R::Key) -> Result<Option<&R>, BooksError> {
        R::shelf(self.shelves).get(self.books, key)
    }

    /// A copy of a row that is to be there.
    pub fn existing<R: Shelved>(&mut self, key: &R::Key) -> Result<R, BooksError> {
        let row = self.get::<R>(key)?.cloned();
        row.ok_or(BooksError::Missing(R::TABLE.name))
    }

    /// A copy of the row of a key that is not kept in memory for the rest of the batch.
    pub fn peek<R: Shelved>(&mut self, key: &R::Key) -> Result<Option<R>, BooksError> {
        R::shelf(self.shelves).peek(self.books, key)
    }

    /// Copies of the rows that have these values, in the order of their keys.
    pub fn all<R: Shelved>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Vec<R>, BooksError> {
        let shelf = R::shelf(self.shelves);
        let keys = shelf.find(self.books, lookup, values)?;
        Ok(keys.iter().filter_map(|key| shelf.met(key)).cloned().collect())
    }

    /// A copy of the first row that has these values.
    pub fn find<R: Shelved>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Option<R>, BooksError> {
        let shelf = R::shelf(self.shelves);
        let keys = shelf.find(self.books, lookup, values)?;
        Ok(keys.first().and_then(|key| shelf.met(key)).cloned())
    }

    /// A copy of the row with these values whose key comes first, of however many; it is not kept
    /// in memory for the rest of the batch.
    pub fn first<R: Shelved>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Option<R>, BooksError> {
        R::shelf(self.shelves).first(self.books, lookup, values)
    }

    /// Copies of the rows whose key, an integer, is greater than `after`: the first `most` of them.
    pub fn after<R: Shelved>(&mut self, after: i64, most: usize) -> Result<Vec<R>, BooksError> {
        R::shelf(self.shelves).after(self.books, after, most)
    }

    /// Whether a row has these values.
    pub fn any<R: Shelved>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<bool, BooksError> {
        R::shelf(self.shelves).any(self.books, lookup, values)
    }

    /// The row of a key, if it is known; otherwise it is looked up by the next [`Unit::load`].
    pub fn see<R: Shelved>(&mut self, key: &R::Key) -> Result<Option<&R>, Unmet> {
        R::shelf(self.shelves).see(key)
    }

    /// The first row that has these values, if that is known, as [`Unit::see`].
    pub fn see_one<R: Shelved>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Option<&R>, Unmet> {
        let shelf = R::shelf(self.shelves);
        let keys = shelf.see_all(lookup, values)?;
        Ok(keys.first().and_then(|key| shelf.met(key)))
    }

    /// Something of each of the rows that have these values, if they are known, as [`Unit::see`].
    pub fn see_each<R: Shelved, T>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        of: impl FnMut(&R) -> T,
    ) -> Result<Vec<T>, Unmet> {
        let shelf = R::shelf(self.shelves);
        let keys = shelf.see_all(lookup, values)?;
        Ok(keys.iter().filter_map(|key| shelf.met(key)).map(of).collect())
    }

    /// Whether the engine has a row of these values, if that is known, as [`Unit::see`]. What
    /// [`Unit::first`] and [`Unit::any`] are asked for is known with it.
    pub fn see_any<R: Shelved>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<bool, Unmet> {
        R::shelf(self.shelves).see_any(lookup, values)
    }

    /// Notes that the engine has no row with these values, because one of them is the key or
    /// the id of a row that was added just now.
    pub fn know_none<R: Shelved>(&mut self, lookup: &'static Lookup, values: &[Value<'_>]) {
        R::shelf(self.shelves).know_none(lookup, values);
    }

    /// Whether looking up many rows at once is worth what it takes to gather them.
    pub fn is_far(&self) -> bool {
        self.books.is_far()
    }

    /// Says to the engine what was counted before something else wrote, and is looked up anew.
    pub fn foresee_newest(&mut self) -> Result<(), BooksError> {
        if self.shelves.foresee_newest(self.books)? {
            let deleted = Meta::key_values(&(LAST_DELETED_REFUND.to_owned(),));
            self.books.foresee(Meta::BY_KEY, &[deleted], usize::MAX)?;
            if self.world.keeps_events {
                self.books.foresee_newest(&WEBHOOK_BY_PLACE)?;
            }
        }
        Ok(())
    }

    /// Says to the engine what was not known when it was to be seen; it is to be seen again.
    pub fn foresee(&mut self) -> Result<(), BooksError> {
        self.shelves.foresee(self.books)
    }

    /// Looks up, in bulk, what was not known when it was to be seen.
    pub fn load(&mut self) -> Result<(), BooksError> {
        self.shelves.load(self.books)
    }

    /// The last event that a webhook has collected; 0 without any.
    pub fn latest_collected(&mut self) -> Result<i64, BooksError> {
        if let Some(latest) = self.shelves.latest_collected {
            return Ok(latest);
        }
        let latest = self.books.newest(&WEBHOOK_BY_PLACE)?.unwrap_or(0);
        self.shelves.latest_collected = Some(latest);
        Ok(latest)
    }

    /// Adds a row of a new key.
    pub fn insert<R: Shelved>(&mut self, row: R) -> Result<(), BooksError> {
        let key = row.key();
        R::shelf(self.shelves).insert(row)?;
        R::show(self.shelves, &key);
        Ok(())
    }

    /// Changes a row, which must be there.
    pub fn change<R: Shelved>(
        &mut self,
        key: &R::Key,
        change: impl FnOnce(&mut R),
    ) -> Result<(), BooksError> {
        R::shelf(self.shelves).change(self.books, key, change)?;
        R::show(self.shelves, key);
        Ok(())
    }

    /// Removes a row, if it is there.
    pub fn remove<R: Shelved>(&mut self, key: &R::Key) -> Result<(), BooksError> {
        R::shelf(self.shelves).remove(self.books, key)?;
        R::show(self.shelves, key);
        Ok(())
    }

    /// Hands over to the engine what was changed so far, for what the order of the changes matters
    /// to: a value of which no two rows may have the same. No mark from before may be gone back to.
    pub fn flush(&mut self) -> Result<(), BooksError> {
        self.shelves.flush(self.books)
    }

    /// As [`Unit::flush`], and forgets the rows, so that what writes very many keeps few.
    pub fn write_out(&mut self) -> Result<(), BooksError> {
        self.flush()?;
        self.shelves.forget_rows();
        Ok(())
    }

    /// Notes that rows were changed which hold for every request: settings of the tenant, gateways
    /// or its own fields. Requests that follow know them.
    pub fn change_world(&mut self) {
        self.shelves.is_world_changed = true;
    }

    /// The newest key of a table whose keys are counted; 0 if it is empty.
    pub fn newest_key<R: Shelved>(&mut self) -> Result<i64, BooksError> {
        R::shelf(self.shelves).newest(self.books, 0)
    }

    /// The next key of a table whose keys are counted.
    pub fn next_key<R: Shelved>(&mut self) -> Result<i64, BooksError> {
        self.next_key_above::<R>(0)
    }

    /// The next key of a table whose keys are counted, above `floor`.
    pub fn next_key_above<R: Shelved>(&mut self, floor: i64) -> Result<i64, BooksError> {
        R::shelf(self.shelves).next_key(self.books, floor)
    }

    /// Has rows removed at the end of the batch of which the moment of `lookup` is before this one,
    /// `most` of them at most.
    pub fn remove_older(&mut self, lookup: &'static Lookup, before: DateTime<Utc>, most: u32) {
        self.shelves.remove_older(lookup, before.timestamp_millis(), most);
    }

    /// The key of the audit source that was used last, if it is this one.
    pub(super) fn latest_source(&self, is_it: impl FnOnce(&ActSource) -> bool) -> Option<i64> {
        let latest = self.shelves.latest_source.as_ref();
        latest.filter(|(latest, _)| is_it(latest)).map(|(_, key)| *key)
    }

    /// Notes the audit source that was used last.
    pub(super) fn remember_source(&mut self, source: ActSource, key: i64) {
        self.shelves.latest_source = Some((source, key));
    }

    /// Sets a mark, of which there is one at a time, and which has to be gone back to or let go.
    pub fn mark(&mut self) -> Mark {
        self.shelves.set_mark()
    }

    /// Takes back everything since a mark.
    pub fn go_back(&mut self, mark: Mark) {
        self.shelves.go_back(mark);
    }

    /// Lets everything since a mark stand.
    pub fn keep(&mut self, _: Mark) {
        self.shelves.forget_mark();
    }

    /// The id of a new refund and the moment it carries, which never runs backwards. No number is
    /// given twice, also after its refund was deleted.
    pub fn next_refund(
        &mut self,
        at: DateTime<Utc>,
    ) -> Result<(RefundId, DateTime<Utc>), BooksError> {
        let before = match self.shelves.latest_refund {
            Some(moment) => Some(moment),
            None => self.newest_refund()?,
        };
        let created = before.map_or(at, |before| before.max(at));
        let created_ms = created.timestamp_millis();
        let fault = "no number is left for another refund";
        let number = RefundNumber::new(self.next_key::<Refund>()?)
            .ok_or(BooksError::Fault { table: Refund::TABLE.name, fault })?;
        let id = RefundId::new(created_ms, self.world.salt, number);
        let created = DateTime::from_timestamp_millis(created_ms).unwrap_or(created);
        self.shelves.latest_refund = Some(created);
        Ok((id, created))
    }

    /// Looks up the newest number of a refund that was given, and the moment of that refund, if it
    /// is still there.
    fn newest_refund(&mut self) -> Result<Option<DateTime<Utc>>, BooksError> {
        let deleted = self.get::<Meta>(&(LAST_DELETED_REFUND.to_owned(),))?;
        let floor = deleted.and_then(|meta| meta.value.parse().ok()).unwrap_or(0);
        let newest = Refund::shelf(self.shelves).newest(self.books, floor)?;
        let Some(number) = RefundNumber::new(newest) else { return Ok(None) };
        Ok(self.get::<Refund>(&(number,))?.map(|refund| refund.created_ms))
    }

    /// Notes that the number of a refund, and those before it, were given.
    pub fn never_give_again(&mut self, number: RefundNumber) -> Result<(), BooksError> {
        self.shelves.latest_refund = None;
        let key = (LAST_DELETED_REFUND.to_owned(),);
        let number = number.value();
        match self.get::<Meta>(&key)? {
            None => self.insert(Meta { key: key.0, value: number.to_string() }),
            Some(meta) if meta.value.parse::<i64>().is_ok_and(|given| given >= number) => Ok(()),
            Some(_) => self.change::<Meta>(&key, |meta| meta.value = number.to_string()),
        }
    }

    /// The id of the row `key` of a kind, which was created at a moment.
    pub fn row_id(
        &self,
        kind: IdKind,
        created: DateTime<Utc>,
        key: i64,
    ) -> Result<RowId, BooksError> {
        let id = RowId::new(kind, created.timestamp_millis(), self.world.row_salt, key);
        id.ok_or(BooksError::Fault { table: "ids", fault: "no key is left for another row" })
    }

    /// The balance of an account that is there, compared with what its newest entry left when it is
    /// asked for first.
    pub fn balance(&mut self, account: AccountKey) -> Result<Balance, BooksError> {
        let balance: Balance = self.existing(&(account,))?;
        if self.shelves.is_compared(account) {
            return Ok(balance);
        }
        let left: MinorUnits = match balance.newest_entry {
            Some(entry) => {
                let entry: Option<Entry> = self.peek(&(entry,))?;
                entry.filter(|entry| entry.account == account).map(|entry| entry.balance)
            }
            None => self.get::<Account>(&(account,))?.map(|account| account.opening),
        }
        .ok_or(BooksError::Missing(Entry::TABLE.name))?;
        if left == balance.units {
            self.shelves.note_compared(account);
            return Ok(balance);
        }
        let fault = "the credit balance is not what its newest entry left";
        Err(BooksError::Fault { table: Balance::TABLE.name, fault })
    }
}
