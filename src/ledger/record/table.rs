//! What a table is to what finds and writes its rows: names of columns, and ways to rows.
//!
//! What must stay true: a table has one whole record, over all of its columns but their sum, which
//! alone is written; each column of a narrower one is a column of the whole.

use crate::catalogue::field::is_same;

/// A table, with the columns of its record in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, those of the key first.
    pub columns: &'static [&'static str],
    /// How many columns the key has.
    pub key_columns: usize,
    /// Where its columns are in the whole record of the table, if this one is narrower.
    pub within: Option<Within>,
}

impl Table {
    /// The columns of its key.
    pub fn key(&self) -> &'static [&'static str] {
        self.columns.get(..self.key_columns).unwrap_or_default()
    }

    /// The table with the columns that its sum is over.
    pub fn whole(&'static self) -> &'static Self {
        self.within.as_ref().map_or(self, |within| within.whole)
    }

    /// Where a column of this record is among those of the whole one.
    pub fn place_in_whole(&self, place: usize) -> usize {
        match &self.within {
            None => place,
            Some(within) => within.places.get(place).copied().unwrap_or(usize::MAX),
        }
    }
}

/// Where the columns of a narrower record are in the whole one of its table.
#[derive(Debug, PartialEq, Eq)]
pub struct Within {
    /// The whole record's.
    pub whole: &'static Table,
    /// The place of each column among those of the whole record.
    pub places: &'static [usize],
}

/// The places of columns among those of a whole record, which has each of them.
pub const fn places<const N: usize>(narrow: &[&str], whole: &[&str]) -> [usize; N] {
    let mut places = [0; N];
    let (mut columns, mut left): (&[&str], &mut [usize]) = (narrow, &mut places);
    while let ([column, others @ ..], [place, rest @ ..]) = (columns, left) {
        *place = place_of(column, whole);
        (columns, left) = (others, rest);
    }
    places
}

const fn place_of(column: &str, whole: &[&str]) -> usize {
    let (mut columns, mut place) = (whole, 0);
    while let [first, others @ ..] = columns
        && !is_same(first, column)
    {
        (columns, place) = (others, place + 1);
    }
    assert!(!columns.is_empty(), "a narrower record has a column that the whole one lacks");
    place
}

/// The columns by which rows of a table are found; an index of the table begins with them.
#[derive(Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The table.
    pub table: &'static Table,
    /// The columns, each of which must have the value that is asked for; without any, every row is
    /// found.
    pub by: &'static [&'static str],
    /// A column that has the same value in all rows that are found, so that an index of those rows
    /// alone will do.
    pub only: Option<(&'static str, i64)>,
    /// The rows of other tables that nearly all who look for a row look for next. An engine for
    /// which each look-up is a way over a network may find them with it.
    pub leads: &'static [Lead],
}

/// The row of another table that a row leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct Lead {
    /// How it is found: by its key of one column, a number.
    pub to: &'static Lookup,
    /// The column that has that key.
    pub from: &'static str,
    /// Whose column that is: the row's own, or that of the row of a lead before this one.
    pub of: Option<usize>,
}

impl Lookup {
    /// Rows by the values of columns.
    pub const fn new(table: &'static Table, by: &'static [&'static str]) -> Self {
        Self { table, by, only: None, leads: &[] }
    }

    /// The same among rows of which a column has a value that never changes for this lookup.
    #[must_use]
    pub const fn only(self, column: &'static str, value: i64) -> Self {
        Self { only: Some((column, value)), ..self }
    }

    /// The same, where rows lead to others.
    #[must_use]
    pub const fn leading(self, leads: &'static [Lead]) -> Self {
        Self { leads, ..self }
    }
}
