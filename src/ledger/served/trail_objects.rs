//! What the records of a page of the audit touched: refunds, what became of them, and all else.
//!
//! What must stay true: what several records name is looked up together, some hundred at a time, so
//! that a page costs a few statements however many objects it has.

use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::refund_name::RefundName;
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::record::Value;
use crate::ledger::trail::{Record, RecordedObject};
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};

/// How many keys one statement looks up.
const TOGETHER: usize = 256;

/// Adds to each record what its refunds are, and what else it touched.
pub(super) fn read(reader: &mut dyn Reader, records: &mut [Record]) -> Result<(), BooksError> {
    let ids = ids(reader, records)?;
    let endings = endings(reader, records)?;
    let mut touched = touched(reader, records)?;
    for record in records {
        for object in &mut record.objects {
            let Some(number) = number_of(object) else { continue };
            object.id = ids.get(&number).cloned();
            if let Some(facts) = endings.get(&(number, record.key)) {
                object.facts = facts.clone();
            }
        }
        record.objects.extend(touched.remove(&record.key).unwrap_or_default());
    }
    Ok(())
}

/// The number of a refund, as its record names it.
fn number_of(object: &RecordedObject) -> Option<i64> {
    let name = object.number.as_deref().and_then(RefundName::parse)?;
    Some(name.number().value())
}

/// The numbers of the refunds of these records, each once.
fn numbers<'r>(records: impl Iterator<Item = &'r Record>) -> Vec<i64> {
    let numbers = records.flat_map(|record| record.objects.iter().filter_map(number_of));
    numbers.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Takes the rows that a statement selects for these keys, which stand in its place `{keys}`.
fn each_of(
    reader: &mut dyn Reader,
    select: &str,
    keys: &[i64],
    mut take: impl FnMut(&Row<'_>) -> Result<(), BooksError>,
) -> Result<(), BooksError> {
    for some in keys.chunks(TOGETHER) {
        // Of one length, so that the statement is one; the last key stands for those that lack.
        let last = some.last().copied().unwrap_or_default();
        let padded = some.iter().copied().chain(std::iter::repeat(last)).take(TOGETHER);
        let values: Vec<Value<'_>> = padded.map(Value::Integer).collect();
        let places: Vec<_> = (1..=TOGETHER).map(|place| format!("?{place}")).collect();
        reader.each(&select.replace("{keys}", &places.join(", ")), &values, &mut take)?;
    }
    Ok(())
}

/// The Ids of the refunds that are there, by their numbers.
fn ids(reader: &mut dyn Reader, records: &[Record]) -> Result<HashMap<i64, String>, BooksError> {
    let mut ids = HashMap::new();
    let select = "select number, created_ms, salt from refund where number in ({keys})";
    each_of(reader, select, &numbers(records.iter()), |row| {
        let number: RefundNumber = row.get(0)?;
        let id = RefundId::new(row.get(1)?, row.get(2)?, number);
        ids.insert(number.value(), id.to_string());
        Ok(())
    })?;
    Ok(ids)
}

/// What became of refunds by a verdict, an operator or a settlement, by their numbers and the
/// records of that.
fn endings(
    reader: &mut dyn Reader,
    records: &[Record],
) -> Result<HashMap<(i64, i64), Json>, BooksError> {
    let mut endings = HashMap::new();
    let later = records.iter().filter(|record| record.operation != "create");
    let select = "select refund, audit, gateway, kind, gateway_state, reason_code, reason_text, \
                  reference_id from exchange \
                  where refund in ({keys}) and audit is not null order by key";
    each_of(reader, select, &numbers(later), |row| {
        let text = |place| row.get::<Option<String>>(place);
        let facts = json!({
            "gateway": text(2)?,
            "by": text(3)?,
            "gateway_state": text(4)?,
            "code": text(5)?,
            "reason": text(6)?,
            "reference_id": text(7)?,
        });
        // The last of a record is what it came to.
        let number: RefundNumber = row.get(0)?;
        endings.insert((number.value(), row.get(1)?), facts);
        Ok(())
    })?;
    Ok(endings)
}

/// What else was touched, by the records.
fn touched(
    reader: &mut dyn Reader,
    records: &[Record],
) -> Result<HashMap<i64, Vec<RecordedObject>>, BooksError> {
    let mut touched: HashMap<i64, Vec<RecordedObject>> = HashMap::new();
    let keys: Vec<i64> = records.iter().map(|record| record.key).collect();
    let select = "select audit, object, id, refund, facts from audit_object \
                  where audit in ({keys}) order by key";
    each_of(reader, select, &keys, |row| {
        let number: Option<i64> = row.get(3)?;
        touched.entry(row.get(0)?).or_default().push(RecordedObject {
            object: row.get(1)?,
            id: Some(row.get(2)?),
            number: number.and_then(RefundNumber::new).map(|number| number.to_string()),
            facts: row.json(4)?,
        });
        Ok(())
    })?;
    Ok(touched)
}
