//! Any text is a query or an error, a query prints as a text that parses to itself, and one that
//! fits its fields reads back from what a locator keeps of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use refund_gateway::domain::query::{FieldKind, QueryField, QueryObject, TypedQuery, typed};
use refund_gateway::domain::zoql::{CHARS_MAX, parse};
use std::borrow::Cow;

const fn field(name: &'static str, kind: FieldKind) -> QueryField {
    QueryField { name: Cow::Borrowed(name), kind }
}

/// A field of every kind.
const FIELDS: [QueryField; 7] = [
    field("Id", FieldKind::Id),
    field("Active", FieldKind::Boolean),
    field("Amount", FieldKind::Number),
    field("Comment", FieldKind::Text),
    field("CreatedDate", FieldKind::Moment),
    field("OldDate", FieldKind::DayAsMoment),
    field("RefundDate", FieldKind::Day),
];

fuzz_target!(|text: &str| match parse(text) {
    Ok(query) => {
        let printed = query.to_string();
        // What had just room may print longer, by blanks and escapes.
        if printed.chars().count() <= CHARS_MAX {
            assert_eq!(parse(&printed).as_ref(), Ok(&query), "{printed}");
        }
        if let Ok(query) = typed(&query, QueryObject::Refund, &FIELDS, false) {
            let kept = serde_json::to_string(&query).expect("a query can be kept");
            let read: TypedQuery = serde_json::from_str(&kept).expect("and read again");
            assert_eq!(read, query, "{kept}");
        }
    }
    Err(error) => assert!(error.to_string().is_ascii(), "{error}"),
});
