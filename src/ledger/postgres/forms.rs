//! The statements that write rows of a table, in several forms: a column in which the rows differ
//! comes as an array, and one that is the same in all of them as a single value. The server keeps
//! each array's values once more before it uses them, which for a row of many columns takes longer
//! than all else that it does with it.
//!
//! What must stay true: every form writes every column; a table has a bounded number of forms, and
//! the one with arrays alone fits all rows.

use super::books::{listed, quoted};
use super::fault::PostgresError;
use super::link::Link;
use super::pending::guarded;
use super::purpose::Verb;
use super::schema::Catalogue;
use super::sums::SUM;
use super::values::{Column, Kind};
use crate::ledger::record::Table;
use tokio_postgres::Statement;

/// How many forms a table has for each verb before rows are written by one that fits others too.
const FORMS_MAX: usize = 24;
/// How many arrays too many are better than another form.
const MORE_MAX: usize = 3;

/// A prepared form.
pub(super) struct Form {
    /// Which columns are arrays, that of the sum behind the others.
    arrays: Vec<bool>,
    statement: Statement,
}

/// The columns of rows in the order in which a form takes them, and its statement.
pub(super) type Formed = (Statement, Vec<Column>);

impl Link {
    /// The form that fits rows of a table, of which these are the columns and behind them that of
    /// the sums.
    pub(super) fn formed(
        &mut self,
        verb: Verb,
        table: &'static Table,
        columns: Vec<Column>,
        rows: u64,
    ) -> Result<Formed, PostgresError> {
        let mut wanted: Vec<bool> = columns.iter().map(|column| !column.is_same()).collect();
        // Rows differ in their keys.
        if rows != 1
            && !wanted.contains(&true)
            && let Some(first) = wanted.first_mut()
        {
            *first = true;
        }
        let purpose = (verb, std::ptr::from_ref(table).addr());
        let forms = self.forms.entry(purpose).or_default();
        let most = match forms.len() {
            FORMS_MAX.. => usize::MAX,
            _ => count(&wanted) + MORE_MAX,
        };
        let fitting = forms.iter().filter(|form| is_within(&wanted, &form.arrays));
        let fitting = fitting.min_by_key(|form| count(&form.arrays));
        let known = fitting.filter(|form| count(&form.arrays) <= most);
        let known = known.map(|form| (form.statement.clone(), form.arrays.clone()));
        let (statement, arrays) = match known {
            Some(known) => known,
            None => {
                if forms.len() >= FORMS_MAX {
                    wanted.fill(true);
                }
                let text = text(&self.catalogue, verb, table, &wanted)?;
                let statement = self.prepare_now(&text)?;
                let form = Form { arrays: wanted.clone(), statement: statement.clone() };
                self.forms.entry(purpose).or_default().push(form);
                (statement, wanted)
            }
        };
        let (mut first, mut last) = (Vec::with_capacity(columns.len()), Vec::new());
        for (column, is_array) in columns.into_iter().zip(arrays) {
            if is_array { first.push(column) } else { last.push(column) }
        }
        first.extend(last);
        Ok((statement, first))
    }
}

fn count(arrays: &[bool]) -> usize {
    arrays.iter().filter(|is_array| **is_array).count()
}

/// Whether each column that has to be an array is one.
fn is_within(wanted: &[bool], arrays: &[bool]) -> bool {
    wanted.iter().zip(arrays).all(|(wanted, is_array)| *is_array || !wanted)
}

/// The statement that writes rows of which these columns are arrays.
fn text(
    catalogue: &Catalogue,
    verb: Verb,
    table: &Table,
    arrays: &[bool],
) -> Result<String, PostgresError> {
    let (mut of_arrays, mut of_values) = (Vec::new(), Vec::new());
    for (column, is_array) in table.columns.iter().chain([&SUM]).zip(arrays) {
        let kind = match *column {
            SUM => Kind::Integer,
            column => catalogue.kind(table.name, column)?,
        };
        if *is_array { of_arrays.push((*column, kind)) } else { of_values.push((*column, kind)) }
    }
    let places: Vec<String> = of_arrays
        .iter()
        .map(|(_, kind)| format!("{}[]", kind.name()))
        .chain(of_values.iter().map(|(_, kind)| kind.name().to_owned()))
        .zip(1..)
        .map(|(kind, place)| format!("${place}::{kind}"))
        .collect();
    let (arrays, values) = places.split_at(of_arrays.len());
    let [array_names, value_names] = [&of_arrays, &of_values]
        .map(|columns| columns.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let from = match arrays {
        [] => String::new(),
        _ => format!("from unnest({}) as w ({})", arrays.join(", "), listed(&array_names)),
    };
    let name = quoted(table.name);
    let of_array = array_names.iter().map(|column| (*column, format!("w.{}", quoted(column))));
    let of_value = value_names.iter().copied().zip(values.iter().cloned());
    let sources: Vec<(&str, String)> = of_array.chain(of_value).collect();
    if verb == Verb::Insert {
        let names: Vec<&str> = sources.iter().map(|(column, _)| *column).collect();
        let values: Vec<&str> = sources.iter().map(|(_, source)| source.as_str()).collect();
        let (names, values) = (listed(&names), values.join(", "));
        return Ok(format!("insert into {name} ({names}) select {values} {from}"));
    }
    let is_key = |column: &str| table.key().contains(&column);
    let joined = |of_keys: bool, of: fn(&str) -> String, between: &str| {
        let sources = sources.iter().filter(|(column, _)| is_key(column) == of_keys);
        let each = sources.map(|(column, source)| format!("{} = {source}", of(column)));
        each.collect::<Vec<_>>().join(between)
    };
    let set = joined(false, quoted, ", ");
    let same = joined(true, |column| format!("t.{}", quoted(column)), " and ");
    let rows = if array_names.is_empty() { "1" } else { "cardinality($1)" };
    Ok(guarded(&format!("update {name} as t set {set} {from} where {same} returning 1"), rows))
}
