//! Questions that go with the next exchange, and answers that come before they are asked for. All
//! that a round of look-ups wants is on its way together, the first round with the wait for the
//! turn, and rows bring with them the ones that they lead to.
//!
//! What must stay true: an answer is of the open turn, in which no other node writes, and from
//! before anything was written in it; each is given once.

use super::books::{arrays, listed, quoted};
use super::fault::PostgresError;
use super::link::{Bindable, Link};
use super::purpose::Verb;
use super::schema::Catalogue;
use super::sums;
use super::values::{Column, can_be_kept, value_at};
use crate::ledger::record::{Lookup, Table, Value};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_postgres::{Row, Statement};

/// What rows are looked for by.
type Sought = Vec<Value<'static>>;

/// What is asked for.
pub(super) struct Question {
    lookup: &'static Lookup,
    pub(super) statement: Statement,
    wanted: Wanted,
}

enum Wanted {
    /// The newest key.
    Newest,
    /// The rows of many values.
    Rows {
        /// In ascending order.
        of: Vec<Sought>,
        most: usize,
        columns: Vec<Column>,
        /// How many rows of each value are asked for, where that is bounded.
        limit: Option<i64>,
    },
}

impl Question {
    /// The values of its statement.
    pub(super) fn bound(&self) -> Vec<Bindable<'_>> {
        let Wanted::Rows { columns, limit, .. } = &self.wanted else { return Vec::new() };
        let columns = columns.iter().map(|one| -> Bindable<'_> { one });
        columns.chain(limit.as_ref().map(|most| -> Bindable<'_> { most })).collect()
    }
}

/// A row, or that part of a wider one that is a row of one table.
pub(super) struct Part {
    pub(super) row: Arc<Row>,
    /// Where it begins.
    pub(super) first: usize,
}

/// The rows that were found of one lookup's values.
struct Answers {
    lookup: &'static Lookup,
    most: usize,
    rows: HashMap<Sought, Vec<Part>>,
}

#[derive(Default)]
pub(super) struct Foreseen {
    /// The turn is this node's, so that answers stay true.
    pub(super) is_in_turn: bool,
    questions: Vec<Question>,
    answers: Vec<Answers>,
    /// The newest keys that were found.
    newest: Vec<(&'static Lookup, Option<i64>)>,
}

/// Whether two lookups find the same: tables are the same where their names are.
fn is_same(one: &Lookup, other: &Lookup) -> bool {
    one.table.name == other.table.name && one.by == other.by && one.only == other.only
}

impl Foreseen {
    /// Forgets all of it: something is written, or a transaction begins or ends.
    pub(super) fn clear(&mut self) {
        self.questions.clear();
        self.answers.clear();
        self.newest.clear();
    }

    /// Whether nothing is to be asked.
    pub(super) const fn is_silent(&self) -> bool {
        self.questions.is_empty()
    }

    /// What is to be sent.
    pub(super) fn take_questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    fn is_answered(&self, lookup: &Lookup, most: usize, values: &[Value<'_>]) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|one| {
            one.most == most && is_same(one.lookup, lookup) && {
                let rows: &HashMap<Vec<Value<'_>>, Vec<Part>> = &one.rows;
                rows.contains_key(values)
            }
        })
    }

    /// Whether it is answered, or will be with the next exchange.
    fn is_foreseen(&self, lookup: &Lookup, most: usize, values: &[Value<'_>]) -> bool {
        let is_asked = |one: &Question| {
            let Wanted::Rows { of, most: of_each, .. } = &one.wanted else { return false };
            let is_it = *of_each == most && is_same(one.lookup, lookup);
            is_it && of.binary_search_by(|wanted| wanted.as_slice().cmp(values)).is_ok()
        };
        self.questions.iter().any(is_asked) || self.is_answered(lookup, most, values)
    }

    fn of(&mut self, lookup: &'static Lookup, most: usize) -> &mut HashMap<Sought, Vec<Part>> {
        let is_it = |one: &Answers| one.most == most && is_same(one.lookup, lookup);
        let place = self.answers.iter().position(is_it).unwrap_or(self.answers.len());
        if place == self.answers.len() {
            self.answers.push(Answers { lookup, most, rows: HashMap::new() });
        }
        let Some(answers) = self.answers.get_mut(place) else { unreachable!("it is there now") };
        &mut answers.rows
    }

    /// Takes over what answers a question: the newest key, or rows, each with the place of its
    /// values before it.
    pub(super) fn answer(
        &mut self,
        question: Question,
        rows: Vec<Row>,
    ) -> Result<(), PostgresError> {
        let Question { lookup, wanted, .. } = question;
        let Wanted::Rows { of: wanted, most, .. } = wanted else {
            let newest = rows.first().map(|row| row.try_get(0)).transpose()?.flatten();
            self.newest.push((lookup, newest));
            return Ok(());
        };
        let mut found: Vec<Vec<Part>> = wanted.iter().map(|_| Vec::new()).collect();
        let mut led = Vec::new();
        for row in rows {
            let place: i64 = row.try_get(0)?;
            let row = Arc::new(row);
            let of = usize::try_from(place - 1).ok().and_then(|place| found.get_mut(place));
            let Some(of) = of else { continue };
            let mut first = 1;
            of.push(Part { row: Arc::clone(&row), first });
            first += width(lookup.table);
            for lead in lookup.leads {
                // A row that is not there has no key.
                if let key @ Value::Integer(_) = value_at(&row, first) {
                    let part = Part { row: Arc::clone(&row), first };
                    led.push((lead.to, vec![key.into_owned()], part));
                }
                first += width(lead.to.table);
            }
        }
        let answers = self.of(lookup, most);
        for (values, mut parts) in wanted.into_iter().zip(found) {
            if parts.len() > 1 {
                parts.sort_by_cached_key(|part| key_of(part, lookup.table));
            }
            answers.insert(values, parts);
        }
        for (lookup, key, part) in led {
            self.of(lookup, usize::MAX).insert(key, vec![part]);
        }
        Ok(())
    }

    /// The rows of these values, if that was answered.
    fn take(&mut self, lookup: &'static Lookup, most: usize, values: &[Value<'_>]) -> Vec<Part> {
        let rows: &mut HashMap<Sought, Vec<Part>> = self.of(lookup, most);
        let values: Sought = values.iter().cloned().map(Value::into_owned).collect();
        rows.remove(&values).unwrap_or_default()
    }
}

/// How many columns a row of a table has, its sum among them.
fn width(table: &'static Table) -> usize {
    table.whole().columns.len() + 1
}

fn key_of(part: &Part, table: &'static Table) -> Vec<Value<'static>> {
    let whole = table.whole();
    let place = |column: &&str| whole.columns.iter().position(|one| one == column);
    let places = table.key().iter().filter_map(place);
    places.map(|place| value_at(&part.row, part.first + place).into_owned()).collect()
}

impl Link {
    /// Has the rows of these values asked for with the next exchange, those that are not yet.
    pub(super) fn look_forward(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Sought],
        most: usize,
    ) -> Result<(), PostgresError> {
        let is_new = |values: &&Sought| {
            values.iter().all(can_be_kept) && !self.foreseen.is_foreseen(lookup, most, values)
        };
        let wanted: Vec<Sought> = wanted.iter().filter(is_new).cloned().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut columns = self.columns_of(lookup.table, lookup.by)?;
        for values in &wanted {
            for (column, value) in columns.iter_mut().zip(values) {
                if !column.push(value) {
                    return Err(super::books::misfit(lookup.table).into());
                }
            }
        }
        let is_bounded = most != usize::MAX;
        let verb = if is_bounded { Verb::FindSomeOfMany } else { Verb::FindMany };
        let make = |catalogue: &Catalogue| find_many_text(catalogue, lookup, is_bounded);
        let statement = self.prepare((verb, std::ptr::from_ref(lookup).addr()), make)?;
        let limit = is_bounded.then(|| i64::try_from(most).unwrap_or(i64::MAX));
        let wanted = Wanted::Rows { of: wanted, most, columns, limit };
        self.foreseen.questions.push(Question { lookup, statement, wanted });
        Ok(())
    }

    /// Has the newest key of a table asked for with the next exchange.
    pub(super) fn look_forward_to_newest(
        &mut self,
        lookup: &'static Lookup,
    ) -> Result<(), PostgresError> {
        let statement = self.newest_statement(lookup)?;
        self.foreseen.questions.push(Question { lookup, statement, wanted: Wanted::Newest });
        Ok(())
    }

    /// The statement that finds the newest key of a table.
    pub(super) fn newest_statement(
        &mut self,
        lookup: &'static Lookup,
    ) -> Result<Statement, PostgresError> {
        self.prepare((Verb::Newest, std::ptr::from_ref(lookup).addr()), |_| {
            Ok(format!("select max({}) from {}", listed(lookup.by), quoted(lookup.table.name)))
        })
    }

    /// The newest key of a table, if it was asked for, or is to be, and then is now.
    pub(super) fn take_foreseen_newest(
        &mut self,
        lookup: &'static Lookup,
    ) -> Result<Option<Option<i64>>, PostgresError> {
        let is_it =
            |one: &Question| matches!(one.wanted, Wanted::Newest) && is_same(one.lookup, lookup);
        if self.foreseen.questions.iter().any(is_it) {
            self.send()?;
        }
        let newest = &mut self.foreseen.newest;
        let place = newest.iter().position(|(one, _)| is_same(one, lookup));
        Ok(place.map(|place| newest.swap_remove(place).1))
    }

    /// The rows of these values, if they were asked for, or are to be, and then are now.
    pub(super) fn take_foreseen(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        most: usize,
    ) -> Result<Option<Vec<Part>>, PostgresError> {
        if !self.foreseen.is_foreseen(lookup, most, values) {
            return Ok(None);
        }
        self.send()?;
        Ok(Some(self.foreseen.take(lookup, most, values)))
    }

    /// Forgets the answers if they may not stay true.
    pub(super) fn forget_foreseen(&mut self) {
        if !self.foreseen.is_in_turn {
            self.foreseen.clear();
        }
    }
}

/// Finds the rows of many values: the place of the values, the row, and the rows that it leads to.
fn find_many_text(
    catalogue: &Catalogue,
    lookup: &Lookup,
    is_bounded: bool,
) -> Result<String, PostgresError> {
    let table = lookup.table;
    let (name, by) = (quoted(table.name), listed(lookup.by));
    let arrays = arrays(catalogue, table, lookup.by)?;
    let same = lookup.by.iter().map(|column| format!("t.{0} = w.{0}", quoted(column)));
    let only = lookup.only.map(|(column, value)| format!("t.{} = {value}", quoted(column)));
    let same = same.chain(only).collect::<Vec<_>>().join(" and ");
    let mut columns = sums::columns(table, "t");
    let mut joined = match is_bounded {
        false => format!("join {name} as t on {same}"),
        true => format!(
            "cross join lateral \
             (select * from {name} as t where {same} order by {} limit ${}) as t",
            listed(table.key()),
            lookup.by.len() + 1,
        ),
    };
    for (number, lead) in lookup.leads.iter().enumerate() {
        let (to, of) = (lead.to.table, format!("l{number}"));
        let from = match lead.of {
            None => "t".to_owned(),
            Some(before) => format!("l{before}"),
        };
        columns += &format!(", {}", sums::columns(to, &of));
        joined += &format!(
            " left join {} as {of} on {of}.{} = {from}.{}",
            quoted(to.name),
            listed(lead.to.by),
            quoted(lead.from),
        );
    }
    let wanted = format!("unnest({arrays}) with ordinality as w ({by}, place)");
    Ok(format!("select w.place, {columns} from {wanted} {joined}"))
}
