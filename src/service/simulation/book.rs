//! What callers know: what they asked for, what they were answered, and what must therefore be
//! found in the ledger.
//!
//! An answer that does not come says nothing: what it was about may have been done or not. An
//! answer that nothing was done is held to it, and so is one that something was.

use super::stage::{Row, Way};
use crate::domain::id::RefundId;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a row: the id of what was made, or the error.
pub(super) type RowOutcome = Result<String, String>;

/// A call to create, however often it is sent.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) rows: Vec<Row>,
    pub(super) is_single: bool,
    pub(super) key: Option<String>,
    /// The call with another body under the same key, by its place.
    pub(super) twin: Option<usize>,
    /// When it was first sent.
    pub(super) since: DateTime<Utc>,
    pub(super) from: u64,
    pub(super) in_flight: u32,
    /// An answer was lost.
    pub(super) is_lost: bool,
    pub(super) answer: Option<Answer>,
}

/// What was answered to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: Vec<RowOutcome>,
    /// When it came first.
    pub(super) at: u64,
}

/// How a refund is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taking {
    Cancel,
    Delete,
}

/// A call that takes a refund back: cancels or deletes it, once.
#[derive(Debug)]
pub(super) struct TakeBack {
    pub(super) refund: RefundId,
    pub(super) pot: usize,
    pub(super) amount: i64,
    pub(super) how: Taking,
    pub(super) from: u64,
    /// When it was answered, and whether it was done.
    pub(super) answer: Option<(u64, bool)>,
}

/// What all callers know together.
pub(super) struct Book {
    pub(super) calls: Vec<Call>,
    pub(super) taken_back: Vec<TakeBack>,
    /// Refunds that operators ended, and whether as paid.
    pub(super) settled: BTreeMap<RefundId, bool>,
    pub(super) counts: Counts,
}

/// What happened in schedules, so that it is seen whether everything does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) schedules: u64,
    pub(super) lives: u64,
    pub(super) calls: u64,
    pub(super) refunds: u64,
    pub(super) declined: u64,
    pub(super) refused: u64,
    pub(super) nothing_done: u64,
    pub(super) lost: u64,
    pub(super) replayed: u64,
    pub(super) keys_reused: u64,
    pub(super) taken_back: u64,
    pub(super) settled: u64,
    pub(super) steps_in_order: u64,
    pub(super) sessions_used: u64,
    pub(super) sessions_ended: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.lives += other.lives;
        self.calls += other.calls;
        self.refunds += other.refunds;
        self.declined += other.declined;
        self.refused += other.refused;
        self.nothing_done += other.nothing_done;
        self.lost += other.lost;
        self.replayed += other.replayed;
        self.keys_reused += other.keys_reused;
        self.taken_back += other.taken_back;
        self.settled += other.settled;
        self.steps_in_order += other.steps_in_order;
        self.sessions_used += other.sessions_used;
        self.sessions_ended += other.sessions_ended;
    }

    /// Whether all of it happened.
    pub(super) const fn are_all_there(&self) -> bool {
        self.lives > self.schedules
            && self.refunds > 0
            && self.declined > 0
            && self.refused > 0
            && self.nothing_done > 0
            && self.lost > 0
            && self.replayed > 0
            && self.keys_reused > 0
            && self.taken_back > 0
            && self.settled > 0
            && self.sessions_used > 0
            && self.sessions_ended > 0
    }
}

/// The comment of a row, by which it is found in the ledger.
pub(super) fn comment(call: usize, row: usize) -> String {
    format!("call {call} row {row}")
}

impl Row {
    /// What the row takes from its pot, or brings.
    pub(super) const fn effect(self) -> i64 {
        match self.way {
            Way::External | Way::Electronic | Way::Decrease => -self.amount,
            Way::Increase => self.amount,
        }
    }

    pub(super) const fn is_refund(self) -> bool {
        matches!(self.way, Way::External | Way::Electronic)
    }
}

impl Call {
    /// Whether it may have been done.
    pub(super) const fn may_be_done(&self) -> bool {
        self.is_lost || self.in_flight > 0 || self.answer.is_some()
    }
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            calls: Vec::new(),
            taken_back: Vec::new(),
            settled: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// A process is gone, and with it every answer that was on its way.
    pub(super) fn lose_what_is_in_flight(&mut self) {
        for call in &mut self.calls {
            call.is_lost |= call.in_flight > 0;
            call.in_flight = 0;
        }
    }

    /// The call is sent.
    pub(super) fn is_sent(&mut self, place: usize) {
        self.calls[place].in_flight += 1;
        self.counts.calls += 1;
    }

    /// Its answer is lost.
    pub(super) fn is_lost(&mut self, place: usize) {
        self.calls[place].in_flight -= 1;
        self.calls[place].is_lost = true;
        self.counts.lost += 1;
    }

    /// It was answered that nothing was done for it now.
    pub(super) fn nothing_was_done(&mut self, place: usize) {
        self.calls[place].in_flight -= 1;
        self.counts.nothing_done += 1;
    }

    /// It was answered that its key belongs to another body.
    pub(super) fn key_is_reused(&mut self, place: usize) -> Result<(), String> {
        self.nothing_was_done(place);
        self.counts.keys_reused += 1;
        let twin = self.calls[place].twin.map(|twin| &self.calls[twin]);
        if twin.is_some_and(Call::may_be_done) && self.calls[place].answer.is_none() {
            return Ok(());
        }
        Err(format!("the key of call {place} was not used for another"))
    }

    /// It was answered with these bytes.
    pub(super) fn is_answered(
        &mut self,
        place: usize,
        bytes: Vec<u8>,
        at: u64,
    ) -> Result<(), String> {
        let rows = read(&bytes);
        let twin_is_done =
            self.calls[place].twin.is_some_and(|twin| self.calls[twin].answer.is_some());
        let call = &mut self.calls[place];
        call.in_flight -= 1;
        if twin_is_done {
            return Err(format!("call {place} was done with the key of another"));
        }
        if rows.len() != call.rows.len() {
            return Err(format!("call {place} has {} results", rows.len()));
        }
        match &call.answer {
            Some(before) if before.bytes != bytes => {
                let [before, now] =
                    [&before.bytes, &bytes].map(|bytes| String::from_utf8_lossy(bytes));
                return Err(format!("call {place} was answered {before:?} and then {now:?}"));
            }
            Some(_) => self.counts.replayed += 1,
            None => {
                let is_refund = call.rows.iter().all(|row| row.is_refund());
                let refused = rows.iter().filter(|row| row.is_err()).count();
                self.counts.refused += u64::try_from(refused).unwrap();
                let made = if is_refund { rows.len() - refused } else { 0 };
                self.counts.refunds += u64::try_from(made).unwrap();
                call.answer = Some(Answer { bytes, rows, at });
            }
        }
        Ok(())
    }

    /// The refunds that were acknowledged, and with which row.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (RefundId, usize, Row)> {
        self.calls.iter().enumerate().flat_map(|(place, call)| {
            let rows = call.answer.iter().flat_map(|answer| &answer.rows);
            rows.zip(&call.rows).filter_map(move |(outcome, row)| {
                let id = outcome.as_ref().ok().filter(|_| row.is_refund())?;
                Some((RefundId::parse(id).unwrap(), place, *row))
            })
        })
    }

    /// Refunds that may be deleted.
    pub(super) fn may_be_gone(&self) -> BTreeSet<RefundId> {
        let deleted = self.taken_back.iter().filter(|one| one.how == Taking::Delete);
        deleted
            .filter(|one| one.answer.is_none_or(|(_, is_done)| is_done))
            .map(|one| one.refund)
            .collect()
    }
}

/// How rows are written into an answer.
pub(super) fn shown(rows: impl Iterator<Item = RowOutcome>) -> Vec<u8> {
    let line = |row: RowOutcome| match row {
        Ok(id) => format!("ok {id}\n"),
        Err(error) => format!("no {}\n", error.replace('\n', " ")),
    };
    rows.map(line).collect::<String>().into_bytes()
}

fn read(bytes: &[u8]) -> Vec<RowOutcome> {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| match line.strip_prefix("ok ") {
        Some(id) => Ok(id.split(' ').next().unwrap_or_default().to_owned()),
        None => Err(line.to_owned()),
    };
    text.lines().map(line).collect()
}
