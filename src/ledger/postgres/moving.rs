//! A ledger in PostgreSQL that is copied as a whole, and one that is being made.
//!
//! What must stay true: no node serves it meanwhile; the copy says that it is one before it has
//! any row, and all of its rows and the end of that come with one commit, after they were compared
//! and audited in the transaction that holds them.

use super::address::Address;
use super::audit::audit;
use super::fault::{Kind, PostgresError};
use super::link::Link;
use super::purpose::Use;
use super::readers::PostgresReader;
use super::settings::LONGEST;
use super::waiter::Waiter;
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::moving::{Held, MoveError, Unfinished};
use crate::ledger::reader::Reader;
use std::time::Instant;

/// Whether a ledger was ever served: each says in its first batch what it is for. (Rows were given
/// sums by a batch before that.)
const WAS_SERVED: &str = "select exists (select 1 from meta where key <> 'copying')";
/// Whether a node serves it whose connection may be broken at this moment.
const HAS_NODES: &str = "select exists (select from node where ends_ms > \
                         (extract(epoch from clock_timestamp()) * 1000)::bigint)";
/// Whether it is a copy that was not finished.
const IS_UNFINISHED: &str = "select exists (select 1 from meta where key = 'copying')";
const SAY_UNFINISHED: &str = "insert into meta (key, value) values ('copying', now()::text) \
                              on conflict (key) do update set value = excluded.value";
/// Begins the one transaction of a copy, without what the schema itself adds as rows.
const BEGIN: &str = "begin isolation level read committed read write; \
                     set local statement_timeout = 0; \
                     set local idle_in_transaction_session_timeout = 0; \
                     delete from payment_method";
/// What is left to COMMIT otherwise, and what the statements of the audit are planned by.
const SETTLE: &str = "set constraints all immediate; analyze";
/// Every row was written with its sum, and nothing that a node learnt of an empty ledger holds any
/// more.
const FINISH: &str = "delete from meta where key = 'copying'; delete from unsummed; \
                      update turn set number = number + 1, world = world + 1; commit";

/// A ledger in PostgreSQL that no node serves as long as this is held.
pub struct ServerHeld {
    reader: PostgresReader,
    place: String,
}

impl ServerHeld {
    /// Takes hold of the ledger at a URL.
    pub fn take(url: &str) -> Result<Self, MoveError> {
        let mut held = Self::connect(url, false)?;
        held.reader.begin_snapshot().map_err(|error| held.failure(error))?;
        refuse_unfinished(&mut held.reader).map_err(|error| held.failure(error))?;
        if !held.says(WAS_SERVED)? {
            let what =
                format!("{}: nothing was ever served there, and nothing is there", held.place);
            return Err(PostgresError::new(Kind::Refused, what).into());
        }
        Ok(held)
    }

    /// What a statement says that has one truth for an answer.
    fn says(&mut self, select: &str) -> Result<bool, PostgresError> {
        let reader: &mut dyn Reader = &mut self.reader;
        let said = reader.first(select, &[], |row| row.get::<bool>(0));
        Ok(said.map_err(|error| self.failure(error))? == Some(true))
    }

    fn connect(url: &str, is_made: bool) -> Result<Self, PostgresError> {
        let address = Address::of_process(url)?;
        let link = Link::connect(&Waiter::new()?, &address, Use::Moving { is_made })?;
        let until = Instant::now() + LONGEST;
        let reader = PostgresReader { link, until, is_in_snapshot: false };
        let mut held = Self { reader, place: address.to_string() };
        if held.says(HAS_NODES)? {
            let what = "the ledger is in use; end every node that serves it, and wait half a \
                        minute where one was killed";
            return Err(PostgresError::new(Kind::Refused, what));
        }
        Ok(held)
    }

    fn failure(&mut self, error: BooksError) -> PostgresError {
        self.reader.link.failure(error)
    }
}

impl Held for ServerHeld {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn read(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        Ok(work(&mut self.reader).map_err(|error| self.failure(error))?)
    }

    fn audit(&mut self, progress: &Progress) -> Result<Audit, MoveError> {
        Ok(audit(&mut self.reader, progress).map_err(|error| self.failure(error))?)
    }
}

/// A ledger in PostgreSQL that is being made from another one's rows.
pub struct ServerBegun(ServerHeld);

impl ServerBegun {
    /// Makes the schema, where there is none, and says in it that it is being made; a schema that
    /// was ever served is left alone.
    pub fn begin(url: &str) -> Result<Self, MoveError> {
        let mut held = ServerHeld::connect(url, true)?;
        if held.says(WAS_SERVED)? {
            return Err(MoveError::NotEmpty(held.place));
        }
        held.reader.link.run(SAY_UNFINISHED)?;
        Ok(Self(held))
    }
}

impl Held for ServerBegun {
    fn place(&self) -> String {
        self.0.place()
    }

    fn read(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        self.0.read(work)
    }

    fn audit(&mut self, progress: &Progress) -> Result<Audit, MoveError> {
        self.0.audit(progress)
    }
}

impl Unfinished for ServerBegun {
    fn fill(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Books) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        let reader = &mut self.0.reader;
        reader.link.run(BEGIN)?;
        // What is read from now on is read in this transaction.
        reader.is_in_snapshot = true;
        work(&mut reader.link).map_err(|error| reader.link.failure(error))?;
        reader.link.send()?;
        Ok(reader.link.run(SETTLE)?)
    }

    fn finish(self: Box<Self>) -> Result<(), MoveError> {
        let mut link = self.0.reader.link;
        let finished = link.run(FINISH);
        Ok(finished.map_err(|error| error.while_doing("the end of the copy"))?)
    }
}

/// Refuses a ledger that is a copy that was not finished.
pub(super) fn refuse_unfinished(reader: &mut dyn Reader) -> Result<(), BooksError> {
    let is_unfinished = reader.first(IS_UNFINISHED, &[], |row| row.get::<bool>(0))?;
    match is_unfinished {
        Some(true) => Err(BooksError::Engine(unfinished().to_string())),
        _ => Ok(()),
    }
}

/// The refusal of a copy that was not finished.
pub(super) fn unfinished() -> PostgresError {
    let what = "a copy of a ledger into this one was not finished: repeat `refund-gateway ledger \
                copy`, which begins it anew";
    PostgresError::new(Kind::Refused, what)
}
