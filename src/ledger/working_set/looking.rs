//! Finding rows by their values: those that the engine has, as this batch has left them, and those
//! that it has touched.

use super::hashing::HashMap;
use super::loading::Head;
use super::{Held, Place, Shelf, State};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::record::{Lookup, Record, Value};

/// Which touched rows had which values when each was touched. Whether they still have them is for
/// the row to say.
#[derive(Debug, Clone)]
pub(super) struct Touched<K> {
    /// How many of the touched keys are in it.
    seen: usize,
    keys: HashMap<Vec<Value<'static>>, Vec<K>>,
}

impl<K> Default for Touched<K> {
    fn default() -> Self {
        Self { seen: 0, keys: HashMap::default() }
    }
}

impl<R: Record> Shelf<R> {
    /// The keys of the rows of which the columns of `lookup` have these values, in the order of the
    /// keys.
    pub(in crate::ledger) fn find(
        &mut self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Vec<R::Key>, BooksError> {
        let keys = match self.known(lookup, values) {
            Some(keys) => keys.clone(),
            None => self.find_all(books, lookup, values)?,
        };
        Ok(self.as_left(keys, lookup, values))
    }

    /// Of the rows that the engine has of these values, and of those that were touched, the keys of
    /// those that have them now.
    pub(super) fn as_left(
        &mut self,
        mut keys: Vec<R::Key>,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Vec<R::Key> {
        if self.touched.is_empty() {
            return keys;
        }
        keys.extend(self.touched_with(lookup, values));
        let sought = Sought::of::<R>(lookup, values);
        keys.retain(|key| self.met(key).is_some_and(|row| sought.fits(row)));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The keys of the rows that the engine has of these values, which are known from now on.
    fn find_all(
        &mut self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Vec<R::Key>, BooksError> {
        let mut keys = Vec::new();
        let rows = &mut self.rows;
        load(books, lookup, values, usize::MAX, |row: R| {
            let key = row.key();
            keys.push(key.clone());
            let held = Held { row: Some(row), state: State::Same, is_removed: false };
            rows.entry(key).or_insert(held);
        })?;
        let place = (std::ptr::from_ref(lookup).addr(), owned(values));
        self.found.insert(place, keys.clone());
        Ok(keys)
    }

    /// The keys that the engine has of these values, if that was looked up.
    pub(super) fn known<'s>(
        &'s self,
        lookup: &'static Lookup,
        values: &'s [Value<'s>],
    ) -> Option<&'s Vec<R::Key>> {
        at(&self.found, lookup, values)
    }

    /// The first rows that the engine has of these values, if they were looked up.
    pub(super) fn head<'s>(
        &'s self,
        lookup: &'static Lookup,
        values: &'s [Value<'s>],
    ) -> Option<&'s Head<R>> {
        at(&self.heads, lookup, values)
    }

    /// The keys of touched rows that may have these values.
    fn touched_with(&mut self, lookup: &'static Lookup, values: &[Value<'_>]) -> Vec<R::Key> {
        let index = self.indexes.entry(std::ptr::from_ref(lookup).addr()).or_default();
        let places = places::<R>(lookup);
        for key in self.touched.iter().skip(index.seen) {
            if let Some(row) = self.rows.get(key).and_then(|held| held.row.as_ref()) {
                index.keys.entry(values_at(row, &places)).or_default().push(key.clone());
            }
        }
        index.seen = self.touched.len();
        let keys: &HashMap<Vec<Value<'_>>, Vec<R::Key>> = &index.keys;
        keys.get(values).cloned().unwrap_or_default()
    }

    /// Whether a row has these values; the engine reads no more rows than that takes.
    pub(in crate::ledger) fn any(
        &mut self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<bool, BooksError> {
        Ok(self.first(books, lookup, values)?.is_some())
    }

    /// The row with these values whose key comes first; the engine reads no more rows than that
    /// takes, and none is kept here.
    pub(in crate::ledger) fn first(
        &mut self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Option<R>, BooksError> {
        if self.known(lookup, values).is_some() {
            let keys = self.find(books, lookup, values)?;
            return Ok(keys.first().and_then(|key| self.met(key)).cloned());
        }
        let sought = Sought::of::<R>(lookup, values);
        let mut first: Option<R> = None;
        let mut take = |row: &R| {
            if sought.fits(row) && first.as_ref().is_none_or(|first| row.key() < first.key()) {
                first = Some(row.clone());
            }
        };
        if !self.touched.is_empty() {
            let touched = self.touched_with(lookup, values);
            touched.iter().filter_map(|key| self.met(key)).for_each(&mut take);
        }
        if let Some(head) = self.head(lookup, values) {
            // Of those that were met, what is here counts.
            let as_it_is = |row| match self.rows.get(&R::key(row)) {
                None => Some(row),
                Some(held) => held.row.as_ref().filter(|row| sought.fits(*row)),
            };
            let next = head.rows.iter().find_map(as_it_is);
            if next.is_some() || head.is_all {
                next.into_iter().for_each(&mut take);
                return Ok(first);
            }
        }
        // Of those that were touched, what the engine has says nothing.
        load(books, lookup, values, self.touched.len().saturating_add(1), |row: R| {
            match self.rows.get(&row.key()) {
                None => take(&row),
                Some(held) => held.row.iter().for_each(&mut take),
            }
        })?;
        Ok(first)
    }

    /// The rows whose key, an integer, is greater than `after`, in their order, `most` of them at
    /// most. None of them is kept here.
    pub(in crate::ledger) fn after(
        &self,
        books: &mut dyn Books,
        after: i64,
        most: usize,
    ) -> Result<Vec<R>, BooksError> {
        let place = |key: &R::Key| match R::key_values(key).first() {
            Some(Value::Integer(place)) => *place,
            _ => i64::MIN,
        };
        let touched = self.touched.iter().filter(|key| place(key) > after);
        let mut rows: Vec<R> = touched.filter_map(|key| self.met(key)).cloned().collect();
        let reach = most.saturating_add(self.touched.len());
        let mut take = |columns: &dyn crate::ledger::record::Columns| {
            let row = R::read(columns).map_err(BooksError::unknown::<R>)?;
            match self.rows.get(&row.key()) {
                None => rows.push(row),
                Some(held) => rows.extend(held.row.clone()),
            }
            Ok(())
        };
        books.find_after(R::BY_KEY, after, reach, &mut take)?;
        rows.sort_unstable_by_key(R::key);
        rows.dedup_by_key(|row| row.key());
        rows.truncate(most);
        Ok(rows)
    }
}

/// What is known of a lookup's values, of which no copy is made only to look.
fn at<'s, T>(
    known: &'s HashMap<Place, T>,
    lookup: &'static Lookup,
    values: &'s [Value<'s>],
) -> Option<&'s T> {
    let known: &HashMap<(usize, Vec<Value<'s>>), T> = known;
    known.get(&(std::ptr::from_ref(lookup).addr(), values.to_vec()))
}

pub(super) fn owned(values: &[Value<'_>]) -> Vec<Value<'static>> {
    values.iter().cloned().map(Value::into_owned).collect()
}

/// The places of the columns by which rows are looked up.
pub(super) fn places<R: Record>(lookup: &Lookup) -> Vec<Option<usize>> {
    lookup.by.iter().map(|by| place_of::<R>(by)).collect()
}

fn place_of<R: Record>(column: &str) -> Option<usize> {
    R::TABLE.columns.iter().position(|one| *one == column)
}

/// The values at these places, in the order of the places.
pub(super) fn values_at<R: Record>(row: &R, places: &[Option<usize>]) -> Vec<Value<'static>> {
    let mut values = vec![Value::Null; places.len()];
    let mut place = 0;
    row.write(&mut |value| {
        for (at, slot) in places.iter().zip(&mut values) {
            if *at == Some(place) {
                *slot = value.clone().into_owned();
            }
        }
        place += 1;
    });
    values
}

/// The values that columns must have.
struct Sought<'v>(Vec<(Option<usize>, Value<'v>)>);

impl<'v> Sought<'v> {
    fn of<R: Record>(lookup: &Lookup, values: &'v [Value<'v>]) -> Self {
        let by = places::<R>(lookup).into_iter().zip(values.iter().cloned());
        let only =
            lookup.only.map(|(column, value)| (place_of::<R>(column), Value::Integer(value)));
        Self(by.chain(only).collect())
    }

    fn fits<R: Record>(&self, row: &R) -> bool {
        let (mut place, mut matched) = (0, 0);
        row.write(&mut |value| {
            let wanted = self.0.iter().filter(|(column, _)| *column == Some(place));
            matched += wanted.filter(|(_, wanted)| *wanted == value).count();
            place += 1;
        });
        matched == self.0.len()
    }
}

/// Passes on the rows that the engine has of these values, `most` of them at most.
pub(super) fn load<R: Record>(
    books: &mut dyn Books,
    lookup: &'static Lookup,
    values: &[Value<'_>],
    most: usize,
    mut take: impl FnMut(R),
) -> Result<(), BooksError> {
    books.find(lookup, values, most, &mut |columns| {
        take(R::read(columns).map_err(BooksError::unknown::<R>)?);
        Ok(())
    })
}

/// That a row breaks no invariant; a debug build stops where one does.
pub(super) fn check<R: Record>(row: &R) -> Result<(), BooksError> {
    let Some(fault) = row.fault() else { return Ok(()) };
    debug_assert!(false, "a row of {} must not be written: {fault}", R::TABLE.name);
    Err(BooksError::Fault { table: R::TABLE.name, fault })
}
