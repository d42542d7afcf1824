//! Any text is a query or an error, and a query prints as a text that parses to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use refund_gateway::domain::query::{FieldKind, QueryField, QueryObject, typed};
use refund_gateway::domain::zoql::{CHARS_MAX, parse};

/// A field of every kind.
const FIELDS: [QueryField; 7] = [
    QueryField { name: "Id", kind: FieldKind::Id },
    QueryField { name: "Active", kind: FieldKind::Boolean },
    QueryField { name: "Amount", kind: FieldKind::Number },
    QueryField { name: "Comment", kind: FieldKind::Text },
    QueryField { name: "CreatedDate", kind: FieldKind::Moment },
    QueryField { name: "OldDate", kind: FieldKind::DayAsMoment },
    QueryField { name: "RefundDate", kind: FieldKind::Day },
];

fuzz_target!(|text: &str| match parse(text) {
    Ok(query) => {
        let printed = query.to_string();
        // What had just room may print longer, by blanks and escapes.
        if printed.chars().count() <= CHARS_MAX {
            assert_eq!(parse(&printed).as_ref(), Ok(&query), "{printed}");
        }
        let _ = typed(&query, QueryObject::Refund, &FIELDS, false);
    }
    Err(error) => assert!(error.to_string().is_ascii(), "{error}"),
});
