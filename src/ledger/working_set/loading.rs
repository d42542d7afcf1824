//! Loading rows ahead: what is wanted of a table is gathered first, for all requests of a batch,
//! and looked up at once, also what turns out not to be there.
//!
//! What must stay true: loading changes no answer, only when the engine is asked for it; each table
//! is asked with its keys in ascending order, none of them twice.

use super::looking::{owned, places, values_at};
use super::{Held, Place, Shelf, State};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::record::{Lookup, Record, Value};

/// How many of the first rows of a value are loaded where only the first matters: the request may
/// change or remove the first one itself.
const HEAD_ROWS: usize = 2;

/// It has not been looked up yet, and will be in the next round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmet;

/// The first rows that the engine has of a value.
#[derive(Debug, Clone)]
pub(super) struct Head<R> {
    /// In the order of their keys.
    pub(super) rows: Vec<R>,
    /// There are no others.
    pub(super) is_all: bool,
}

/// What is to be looked up of a table in the next round.
#[derive(Debug, Clone)]
pub(super) struct Wanted<R: Record> {
    keys: Vec<R::Key>,
    found: Vec<(&'static Lookup, Vec<Value<'static>>)>,
    heads: Vec<(&'static Lookup, Vec<Value<'static>>)>,
}

impl<R: Record> Default for Wanted<R> {
    fn default() -> Self {
        Self { keys: Vec::new(), found: Vec::new(), heads: Vec::new() }
    }
}

fn place(lookup: &'static Lookup, values: Vec<Value<'static>>) -> Place {
    (std::ptr::from_ref(lookup).addr(), values)
}

impl<R: Record> Shelf<R> {
    /// The row of a key, as far as that is known already.
    pub(in crate::ledger) fn see(&mut self, key: &R::Key) -> Result<Option<&R>, Unmet> {
        if !self.rows.contains_key(key) {
            self.wanted.keys.push(key.clone());
            return Err(Unmet);
        }
        Ok(self.met(key))
    }

    /// The keys of the rows that have these values, as far as they are known already.
    pub(in crate::ledger) fn see_all(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Vec<R::Key>, Unmet> {
        let Some(keys) = self.known(lookup, values).cloned() else {
            self.wanted.found.push((lookup, owned(values)));
            return Err(Unmet);
        };
        Ok(self.as_left(keys, lookup, values))
    }

    /// Whether the engine has a row of these values, as far as that is known already.
    pub(in crate::ledger) fn see_any(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<bool, Unmet> {
        if let Some(keys) = self.known(lookup, values) {
            return Ok(!keys.is_empty());
        }
        if let Some(head) = self.head(lookup, values) {
            return Ok(!head.rows.is_empty());
        }
        self.wanted.heads.push((lookup, owned(values)));
        Err(Unmet)
    }

    /// Notes that the engine has no row with these values.
    pub(in crate::ledger) fn know_none(&mut self, lookup: &'static Lookup, values: &[Value<'_>]) {
        self.found.entry(place(lookup, owned(values))).or_default();
    }

    /// Says to the engine what is wanted, which [`Shelf::load`] looks up then.
    pub(super) fn foresee(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
        let Wanted { keys, found, heads } = &mut self.wanted;
        if !keys.is_empty() {
            keys.sort_unstable();
            keys.dedup();
            let wanted: Vec<_> = keys.iter().map(R::key_values).collect();
            books.foresee(R::BY_KEY, &wanted, usize::MAX)?;
        }
        for (wanted, most) in [(found, usize::MAX), (heads, HEAD_ROWS)] {
            for (lookup, wanted) in by_lookup(wanted.clone()) {
                books.foresee(lookup, &wanted, most)?;
            }
        }
        Ok(())
    }

    /// Looks up what is wanted.
    pub(super) fn load(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
        let Wanted { keys, found, heads } = &mut self.wanted;
        if keys.is_empty() && found.is_empty() && heads.is_empty() {
            return Ok(());
        }
        let keys = std::mem::take(keys);
        let (found, heads) = (std::mem::take(found), std::mem::take(heads));
        self.load_keys(books, keys)?;
        for (lookup, wanted) in by_lookup(found) {
            self.load_found(books, lookup, &wanted)?;
        }
        for (lookup, wanted) in by_lookup(heads) {
            self.load_heads(books, lookup, &wanted)?;
        }
        Ok(())
    }

    /// Wants nothing any more.
    pub(super) fn want_nothing(&mut self) {
        self.wanted.keys.clear();
        self.wanted.found.clear();
        self.wanted.heads.clear();
    }

    fn load_keys(
        &mut self,
        books: &mut dyn Books,
        mut keys: Vec<R::Key>,
    ) -> Result<(), BooksError> {
        // What was met since it was wanted may have changed since.
        keys.retain(|key| !self.rows.contains_key(key));
        keys.sort_unstable();
        keys.dedup();
        match keys.as_slice() {
            [] => return Ok(()),
            [key] => return self.get(books, key).map(|_| ()),
            _ => {}
        }
        let wanted: Vec<_> = keys.iter().map(R::key_values).collect();
        for key in keys {
            self.rows.insert(key, Held { row: None, state: State::Same, is_removed: false });
        }
        let rows = &mut self.rows;
        ask(books, R::BY_KEY, &wanted, usize::MAX, |row: R| {
            match rows.get_mut(&row.key()) {
                Some(held) => held.row = Some(row),
                None => return Err(unasked::<R>()),
            }
            Ok(())
        })
    }

    fn load_found(
        &mut self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
    ) -> Result<(), BooksError> {
        if let [values] = wanted {
            return self.find(books, lookup, values).map(|_| ());
        }
        for values in wanted {
            self.found.insert(place(lookup, values.clone()), Vec::new());
        }
        let (rows, found, places) = (&mut self.rows, &mut self.found, places::<R>(lookup));
        ask(books, lookup, wanted, usize::MAX, |row: R| {
            let key = row.key();
            match found.get_mut(&place(lookup, values_at(&row, &places))) {
                Some(keys) => keys.push(key.clone()),
                None => return Err(unasked::<R>()),
            }
            let held = Held { row: Some(row), state: State::Same, is_removed: false };
            rows.entry(key).or_insert(held);
            Ok(())
        })
    }

    fn load_heads(
        &mut self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
    ) -> Result<(), BooksError> {
        for values in wanted {
            let head = Head { rows: Vec::new(), is_all: true };
            self.heads.insert(place(lookup, values.clone()), head);
        }
        let (heads, places) = (&mut self.heads, places::<R>(lookup));
        ask(books, lookup, wanted, HEAD_ROWS, |row: R| {
            match heads.get_mut(&place(lookup, values_at(&row, &places))) {
                Some(head) => {
                    head.rows.push(row);
                    head.is_all = head.rows.len() < HEAD_ROWS;
                }
                None => return Err(unasked::<R>()),
            }
            Ok(())
        })
    }
}

/// Asks the engine for the rows of many values.
fn ask<R: Record>(
    books: &mut dyn Books,
    lookup: &'static Lookup,
    wanted: &[Vec<Value<'static>>],
    most: usize,
    mut take: impl FnMut(R) -> Result<(), BooksError>,
) -> Result<(), BooksError> {
    books.find_many(lookup, wanted, most, &mut |columns| {
        take(R::read(columns).map_err(BooksError::unknown::<R>)?)
    })
}

/// The engine found a row that has none of the values that it was asked for.
fn unasked<R: Record>() -> BooksError {
    BooksError::Engine(format!("a row of {} was found that was not asked for", R::TABLE.name))
}

/// What is wanted, by lookup, in ascending order and without what is wanted twice.
fn by_lookup(
    mut wanted: Vec<(&'static Lookup, Vec<Value<'static>>)>,
) -> Vec<(&'static Lookup, Vec<Vec<Value<'static>>>)> {
    let mut by: Vec<(&'static Lookup, Vec<Vec<Value<'static>>>)> = Vec::new();
    wanted.sort_unstable_by(|(one, one_values), (other, other_values)| {
        one.by.cmp(other.by).then_with(|| one_values.cmp(other_values))
    });
    for (lookup, values) in wanted {
        match by.last_mut().filter(|(last, _)| std::ptr::eq(*last, lookup)) {
            Some((_, all)) if all.last() == Some(&values) => {}
            Some((_, all)) => all.push(values),
            None => by.push((lookup, vec![values])),
        }
    }
    by
}
