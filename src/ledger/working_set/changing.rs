//! Changing rows of a batch: what is added, changed and removed, until it is flushed.
//!
//! What must stay true: each change is noted for a mark before it is made, and its key is touched,
//! so that a flush and the look-ups of the batch know of it.

use super::looking::check;
use super::{Held, Shelf, State};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::record::Record;

impl<R: Record> Shelf<R> {
    /// Adds a row of a new key.
    pub(in crate::ledger) fn insert(&mut self, row: R) -> Result<(), BooksError> {
        check(&row)?;
        let key = row.key();
        let before = self.rows.get(&key);
        if before.is_some_and(|held| held.row.is_some()) {
            let fault = "its key is that of another row";
            return Err(BooksError::Fault { table: R::TABLE.name, fault });
        }
        let is_removed = before.is_some_and(|held| held.is_removed);
        self.note(&key);
        let state = if is_removed { State::Changed } else { State::New };
        if !is_removed || !self.indexes.is_empty() {
            self.touched.push(key.clone());
        }
        self.unused = self.unused.saturating_sub(1);
        self.rows.insert(key, Held { row: Some(row), state, is_removed: false });
        Ok(())
    }

    /// Changes a row, which must be there.
    pub(in crate::ledger) fn change(
        &mut self,
        books: &mut dyn Books,
        key: &R::Key,
        change: impl FnOnce(&mut R),
    ) -> Result<(), BooksError> {
        self.get(books, key)?;
        self.note(key);
        let held = self.rows.get_mut(key);
        let Some(Held { row: Some(row), state, .. }) = held else {
            return Err(BooksError::Missing(R::TABLE.name));
        };
        change(row);
        check(row)?;
        // An index that there is has to learn of each change.
        if *state == State::Same || !self.indexes.is_empty() {
            self.touched.push(key.clone());
        }
        if *state == State::Same {
            *state = State::Changed;
        }
        Ok(())
    }

    /// Removes a row, if it is there.
    pub(in crate::ledger) fn remove(
        &mut self,
        books: &mut dyn Books,
        key: &R::Key,
    ) -> Result<(), BooksError> {
        self.get(books, key)?;
        self.note(key);
        let Some(held) = self.rows.get_mut(key).filter(|held| held.row.is_some()) else {
            return Ok(());
        };
        if held.state == State::Same {
            self.touched.push(key.clone());
        }
        held.row = None;
        self.unused += 1;
        held.is_removed = held.state != State::New;
        held.state = State::Same;
        Ok(())
    }

    /// Takes over the row of a key from the whole row of the same table, which alone is written.
    pub(super) fn show(&mut self, key: &R::Key, row: Option<R>) {
        self.note(key);
        self.touched.push(key.clone());
        self.rows.insert(key.clone(), Held { row, state: State::Same, is_removed: false });
    }
}
