//! A whole ledger on its way from one engine to another: every row of every table, as it is, so
//! that a client does not notice.
//!
//! What must stay true: nothing serves either side meanwhile; one snapshot is read, and rows are
//! taken piece by piece, so that memory does not grow with the ledger; a ledger that is not whole,
//! or whose rows are not those that were read, is never one that can be served.

use super::audit::{Audit, Progress};
use super::books::{Books, BooksError, WriteRow};
use super::file::OpenError;
use super::postgres::PostgresError;
use super::reader::Reader;
use super::record::{Sum, Table, Value};
use super::records::WHOLE;
use std::io;
use std::path::PathBuf;

/// Under which name a ledger says that it is being made from another one's rows.
pub const COPYING: &str = "copying";
/// What an engine says of its own file or database in `meta`, which is not part of the ledger.
const OWN: [&str; 2] = [COPYING, "open_since"];
/// About how many bytes of a table are in memory at once.
const PIECE: usize = 1 << 20;
/// How many rows are, at most.
const ROWS_MAX: usize = 2_048;
const ROWS_FIRST: usize = 64;

/// Why a ledger was not copied. What it was copied from is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A ledger in a file cannot be used.
    #[error(transparent)]
    File(#[from] OpenError),
    /// A ledger on a server cannot be used.
    #[error(transparent)]
    Server(#[from] PostgresError),
    /// Something is there where the copy is to be.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// It has to be brought up to date by being served.
    #[error("the ledger {place} has schema {found}, and this program copies {wanted}")]
    OldSchema {
        /// Where it is.
        place: String,
        /// Its schema.
        found: i64,
        /// That of this program.
        wanted: i64,
    },
    /// A ledger does not add up.
    #[error("{place} does not add up: {problem}")]
    Unsound {
        /// Where it is.
        place: String,
        /// What was found first.
        problem: String,
    },
    /// A row cannot be read, or cannot be kept on the other side.
    #[error("copying {table} of {place}: {error}")]
    Row {
        /// The side that failed.
        place: String,
        /// The table.
        table: &'static str,
        /// Why.
        error: BooksError,
    },
    /// What was written is not what was read.
    #[error("the rows of {0} in the copy are not those of the ledger")]
    Differs(&'static str),
    /// The file system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl MoveError {
    /// Whether a machine, a server or a right failed, so that no row is to blame.
    fn is_of_no_row(&self) -> bool {
        match self {
            Self::File(error) => matches!(error, OpenError::Io { .. }),
            Self::Server(error) => !error.is_of_a_row(),
            _ => false,
        }
    }
}

/// A ledger that nothing serves as long as this is held.
pub trait Held {
    /// Where it is, without secrets.
    fn place(&self) -> String;

    /// Does work on it, all of which is read as of one moment.
    fn read(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
    ) -> Result<(), MoveError>;

    /// Recomputes every balance.
    fn audit(&mut self, progress: &Progress) -> Result<Audit, MoveError>;
}

/// A ledger that is being made. Until it is finished nothing serves it, and it can be begun anew.
pub trait Unfinished: Held {
    /// Has rows added. The tables have none when this is called.
    fn fill(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Books) -> Result<(), BooksError>,
    ) -> Result<(), MoveError>;

    /// Makes it a ledger, durably.
    fn finish(self: Box<Self>) -> Result<(), MoveError>;
}

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// The sum over all values in the order of the keys.
    pub sum: u32,
}

/// What shows how far a copy is: rows that are copied, and what the audits have looked at.
pub struct Shown {
    /// Rows that are copied.
    pub copying: Progress,
    /// The audit of the ledger that is copied.
    pub first: Progress,
    /// The audit of the copy.
    pub last: Progress,
}

/// A ledger that was copied.
#[derive(Debug)]
pub struct Moved {
    /// What the audit found of the copy.
    pub audit: Audit,
    /// All tables, the same on both sides.
    pub tables: Vec<Contents>,
}

/// Copies all of a ledger into one that is being made, compares the two, and audits both.
pub fn copy(
    from: &mut dyn Held,
    mut to: Box<dyn Unfinished>,
    shown: &Shown,
) -> Result<Moved, MoveError> {
    let first = sound(from, &shown.first)?;
    let (mut written, mut row, mut unwritten) = (Vec::new(), None, None);
    let (source, target) = (from.place(), to.place());
    let read = from.read(&mut |reader| {
        let all = count(reader)?;
        let mut unread = None;
        let filled = to.fill(&mut |books| {
            let mut done = 0_u64;
            for whole in WHOLE {
                let table = whole.table;
                let mut contents = Digest::of(table);
                let mut taken = Ok(());
                let read = each_piece(reader, table, &mut |rows| {
                    rows.iter().for_each(|row| contents.add(row));
                    done += u64::try_from(rows.len()).unwrap_or(0);
                    taken = insert(books, table, rows);
                    (shown.copying)(done, all);
                    taken.clone()
                });
                if let Err(error) = read {
                    let (place, table) = match taken {
                        Err(_) => (target.clone(), table.name),
                        Ok(()) => (source.clone(), table.name),
                    };
                    unread = taken.is_ok().then(|| error.clone());
                    row = Some(MoveError::Row { place, table, error: error.clone() });
                    return Err(error);
                }
                written.push(contents.done());
            }
            Ok(())
        });
        // Each side knows best what it failed of itself.
        filled.map_err(|error| {
            unread.take().unwrap_or_else(|| {
                let text = error.to_string();
                unwritten = Some(error);
                BooksError::Engine(text)
            })
        })
    });
    if let Err(unread) = read {
        let why = unwritten.unwrap_or(unread);
        return Err(row.filter(|_| !why.is_of_no_row()).unwrap_or(why));
    }
    let tables = contents(to.as_mut())?;
    let differing = written.iter().zip(&tables).find(|(one, other)| one != other);
    if let Some((one, _)) = differing {
        return Err(MoveError::Differs(one.table));
    }
    let audit = sound(to.as_mut(), &shown.last)?;
    if (&audit.accounts, audit.refunds, audit.entries)
        != (&first.accounts, first.refunds, first.entries)
    {
        return Err(MoveError::Differs("account"));
    }
    to.finish()?;
    Ok(Moved { audit, tables })
}

/// The audit of a ledger that has to add up.
fn sound(ledger: &mut dyn Held, progress: &Progress) -> Result<Audit, MoveError> {
    let audit = ledger.audit(progress)?;
    match audit.findings.problems.first() {
        None => Ok(audit),
        Some(problem) => {
            Err(MoveError::Unsound { place: ledger.place(), problem: problem.clone() })
        }
    }
}

/// What all tables of a ledger hold.
pub fn contents(ledger: &mut dyn Held) -> Result<Vec<Contents>, MoveError> {
    let mut all = Vec::with_capacity(WHOLE.len());
    ledger.read(&mut |reader| {
        for whole in WHOLE {
            let mut contents = Digest::of(whole.table);
            each_piece(reader, whole.table, &mut |rows| {
                rows.iter().for_each(|row| contents.add(row));
                Ok(())
            })?;
            all.push(contents.done());
        }
        Ok(())
    })?;
    Ok(all)
}

/// How many rows all tables have.
fn count(reader: &mut dyn Reader) -> Result<u64, BooksError> {
    WHOLE.iter().try_fold(0_u64, |all, whole| {
        let select = format!("select count(*) from {}", whole.table.name);
        let rows = reader.first(&select, &[], |row| row.get::<i64>(0))?;
        Ok(all.saturating_add(rows.unwrap_or(0).unsigned_abs()))
    })
}

/// The values of a row.
type Values = Vec<Value<'static>>;

struct Digest {
    table: &'static str,
    rows: u64,
    sum: Sum,
}

impl Digest {
    fn of(table: &Table) -> Self {
        Self { table: table.name, rows: 0, sum: Sum::default() }
    }

    fn add(&mut self, row: &[Value<'static>]) {
        self.rows += 1;
        row.iter().for_each(|value| self.sum.add(value));
    }

    fn done(self) -> Contents {
        let [sum @ .., _, _, _, _] = self.sum.kept().to_le_bytes();
        Contents { table: self.table, rows: self.rows, sum: u32::from_le_bytes(sum) }
    }
}

/// Passes on all rows of a table in the order of their keys, piece by piece.
fn each_piece(
    reader: &mut dyn Reader,
    table: &'static Table,
    take: &mut dyn FnMut(&[Values]) -> Result<(), BooksError>,
) -> Result<(), BooksError> {
    let (columns, keys) = (table.columns.join(", "), table.key().join(", "));
    let places = |numbers: std::ops::RangeInclusive<usize>| {
        numbers.map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
    };
    let (name, last) = (table.name, table.key_columns);
    let first_piece = format!("select {columns} from {name} order by {keys} limit ?1");
    let next_piece = format!(
        "select {columns} from {name} where ({keys}) > ({}) order by {keys} limit ?{}",
        places(1..=last),
        last + 1
    );
    let (mut most, mut after): (usize, Option<Values>) = (ROWS_FIRST, None);
    loop {
        let limit = Value::Integer(i64::try_from(most).unwrap_or(i64::MAX));
        let (select, values) = match &after {
            None => (&first_piece, vec![limit]),
            Some(key) => (&next_piece, key.iter().cloned().chain([limit]).collect()),
        };
        let (mut rows, mut bytes): (Vec<Values>, usize) = (Vec::new(), 0);
        reader.select(select, &values, most, &mut |found| {
            let places = 0..table.columns.len();
            let row: Values = places.map(|place| found.value(place).into_owned()).collect();
            bytes += row.iter().map(size).sum::<usize>();
            rows.push(row);
            Ok(())
        })?;
        let found = rows.len();
        after = rows.last().and_then(|row| row.get(..last)).map(<[_]>::to_vec);
        rows.retain(|row| !is_own(table, row));
        take(&rows)?;
        if found < most {
            return Ok(());
        }
        most = (found.saturating_mul(PIECE) / bytes.max(1)).clamp(1, ROWS_MAX.min(most * 2));
    }
}

fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Null => 1,
        Value::Integer(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

/// Whether a row is what an engine says of itself.
fn is_own(table: &Table, row: &[Value<'static>]) -> bool {
    let key = row.first();
    table.name == "meta" && matches!(key, Some(Value::Text(key)) if OWN.contains(&key.as_ref()))
}

fn insert(books: &mut dyn Books, table: &'static Table, rows: &[Values]) -> Result<(), BooksError> {
    if rows.is_empty() {
        return Ok(());
    }
    let writers: Vec<_> = rows
        .iter()
        .map(|row| move |put: &mut dyn FnMut(Value<'_>)| row.iter().cloned().for_each(put))
        .collect();
    books.insert(table, &mut writers.iter().map(|writer| -> WriteRow<'_> { writer }))
}
