//! What an engine does for a transaction that is open: it finds rows, and takes the rows of a
//! batch at its end.
//!
//! The working set calls it and no use case does. What must stay true: every answer is of the open
//! transaction, with all that was flushed in it; rows of one table come in the order of their key.

use super::record::{Columns, Lookup, Record, Table, Value};

/// Why an engine did not do what was asked, or a row must not be written. The transaction has to be
/// rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// The engine failed, in its own words.
    #[error("{0}")]
    Engine(String),
    /// What the engine holds is damaged, in its own words.
    #[error("{0}")]
    Damaged(String),
    /// A column holds a value that this program does not know.
    #[error("{table}.{column} holds a value that this program does not know")]
    Unknown {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A row that another one refers to is not there.
    #[error("a row of {0} is missing")]
    Missing(&'static str),
    /// A row would break an invariant of the ledger.
    #[error("a row of {table} must not be written: {fault}")]
    Fault {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        fault: &'static str,
    },
}

impl BooksError {
    /// The column at this place of a record holds a value that is not known.
    pub fn unknown<R: Record>(place: usize) -> Self {
        let column = R::TABLE.columns.get(place).copied().unwrap_or("?");
        Self::Unknown { table: R::TABLE.name, column }
    }
}

/// Passes on the values of a row that is to be written.
pub type WriteRow<'r> = &'r dyn Fn(&mut dyn FnMut(Value<'_>));

/// Takes a row that was found.
pub type TakeRow<'t> = &'t mut dyn FnMut(&dyn Columns) -> Result<(), BooksError>;

/// The open transaction of an engine.
pub trait Books {
    /// Whether each look-up is a way over a network, so that many at once are worth what it takes
    /// to gather them.
    fn is_far(&self) -> bool {
        true
    }

    /// Finds the rows of which the columns of `lookup` have these values; `most` bounds their
    /// number.
    fn find(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError>;

    /// As [`Books::find`] for each of many values, which are in ascending order and none of them
    /// twice; `most` bounds the number of rows of each. Rows of the same values come in the order
    /// of their key.
    fn find_many(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        wanted.iter().try_for_each(|values| self.find(lookup, values, most, take))
    }

    /// The same will be asked soon, before anything is written, and more with it: an engine for
    /// which each look-up is a way over a network may ask for all of it at once.
    fn foresee(
        &mut self,
        _lookup: &'static Lookup,
        _wanted: &[Vec<Value<'static>>],
        _most: usize,
    ) -> Result<(), BooksError> {
        Ok(())
    }

    /// Finds the rows of which the one column of `lookup`, an integer, is greater than `after`, in
    /// the order of that column; `most` bounds their number.
    fn find_after(
        &mut self,
        lookup: &'static Lookup,
        after: i64,
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError>;

    /// The largest value of the one column of `lookup`, which is an integer; none if its table is
    /// empty.
    fn newest(&mut self, lookup: &'static Lookup) -> Result<Option<i64>, BooksError>;

    /// As [`Books::foresee`], of the newest key.
    fn foresee_newest(&mut self, _lookup: &'static Lookup) -> Result<(), BooksError> {
        Ok(())
    }

    /// Adds rows that are not there.
    fn insert(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError>;

    /// Writes rows that are there, each with all its columns.
    fn update(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError>;

    /// Removes the rows of these keys.
    fn remove(
        &mut self,
        table: &'static Table,
        keys: &mut dyn Iterator<Item = Vec<Value<'static>>>,
    ) -> Result<(), BooksError>;

    /// Removes rows of which the one column of `lookup` is less than `before`, `most` of them at
    /// most.
    fn remove_older(
        &mut self,
        lookup: &'static Lookup,
        before: i64,
        most: u32,
    ) -> Result<(), BooksError>;

    /// Has the open transaction fail where there is no room for rows beside those that are there,
    /// or no right to write some. An engine in which each write needs both shows that by itself.
    fn need_room_and_rights(&mut self) -> Result<(), BooksError> {
        Ok(())
    }
}
