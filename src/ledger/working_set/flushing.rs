//! Handing over to the engine what a batch has changed, and forgetting what it has met.

use super::{Shelf, Shelves, State};
use crate::ledger::books::{Books, BooksError, WriteRow};
use crate::ledger::record::{Lookup, Record, Value};

impl<R: Record> Shelf<R> {
    /// Hands over to the engine what differs, and keeps the rows as the engine now has them.
    pub(in crate::ledger) fn flush(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
        if self.touched.is_empty() {
            return Ok(());
        }
        let rows = &self.rows;
        let is_removed = |key: &&R::Key| rows.get(*key).is_some_and(|held| held.is_removed);
        // In the order of the use cases: what refers to another row went before it.
        let mut removed = self.touched.iter().filter(is_removed).map(R::key_values).peekable();
        if removed.peek().is_some() {
            books.remove(R::TABLE, &mut removed)?;
        }
        self.touched.sort_unstable();
        self.touched.dedup();
        let of = |wanted: State| {
            let held = self.touched.iter().filter_map(|key| rows.get(key));
            held.filter(move |held| held.state == wanted).filter_map(|held| held.row.as_ref())
        };
        for (state, is_new) in [(State::New, true), (State::Changed, false)] {
            let writers: Vec<_> =
                of(state).map(|row| move |put: &mut dyn FnMut(Value<'_>)| row.write(put)).collect();
            let mut each = writers.iter().map(|write| -> WriteRow<'_> { write });
            match (writers.is_empty(), is_new) {
                (true, _) => {}
                (false, true) => books.insert(R::TABLE, &mut each)?,
                (false, false) => books.update(R::TABLE, &mut each)?,
            }
        }
        for key in std::mem::take(&mut self.touched) {
            if let Some(held) = self.rows.get_mut(&key) {
                (held.state, held.is_removed) = (State::Same, false);
            }
        }
        self.found.clear();
        self.heads.clear();
        self.indexes.clear();
        Ok(())
    }

    /// Forgets every row, but not the newest key; whether that is still the engine's.
    pub(super) fn forget_rows(&mut self) -> bool {
        self.forget_mark();
        // Most tables were not met.
        if self.rows.is_empty() && self.found.is_empty() && self.heads.is_empty() {
            return std::mem::take(&mut self.unused) == 0;
        }
        self.rows.clear();
        self.touched.clear();
        self.found.clear();
        self.heads.clear();
        self.indexes.clear();
        self.want_nothing();
        std::mem::take(&mut self.unused) == 0
    }
}

/// Rows that are older than a moment.
#[derive(Debug, Clone)]
pub(super) struct Outdated {
    lookup: &'static Lookup,
    before: i64,
    most: u32,
}

impl Shelves {
    /// Has rows of which the moment of `lookup` is before this one (Unix milliseconds) removed at
    /// the next flush, `most` of them at most: every request waits for the writer.
    pub(in crate::ledger) fn remove_older(
        &mut self,
        lookup: &'static Lookup,
        before: i64,
        most: u32,
    ) {
        match self.outdated.iter_mut().find(|one| one.lookup == lookup) {
            Some(one) => one.before = one.before.max(before),
            None => self.outdated.push(Outdated { lookup, before, most }),
        }
    }

    pub(super) fn remove_outdated(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
        if self.outdated.is_empty() {
            return Ok(());
        }
        for Outdated { lookup, before, most } in std::mem::take(&mut self.outdated) {
            books.remove_older(lookup, before, most)?;
        }
        self.forget_rows();
        Ok(())
    }
}
