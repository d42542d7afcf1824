//! A page as the original writes it: done, queryLocator, records, size; in a record the Id first
//! and then the other fields in the order of the WSDL, those without a value left out. A page
//! without rows has one record that is nil, because deployed clients count on it. An amount has the
//! decimals of its currency, but nothing at all is `0`, as recorded answers have it.

use crate::domain::money::{MinorUnits, parse_decimal};
use crate::domain::query::{FieldKind, QueryField};
use crate::ledger::query::{Page, Value};
use crate::soap::envelope::{ANSWERS, Dialect, OBJECT};
use crate::xml::{Writer, XSI};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::borrow::Cow;

/// Which operation a page answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::soap) enum PageOf {
    Query,
    QueryMore,
}

/// The most bytes that are reserved before a page is written.
const BYTES_RESERVED_MAX: usize = 1 << 20;

/// The answer with a page. `fields` are those of the caller's version.
pub(super) fn page(
    page: &Page,
    fields: &[QueryField],
    operation: PageOf,
    dialect: &Dialect,
) -> Vec<u8> {
    let row_bytes = 200 + 64 * page.query.fields.len();
    let bytes = 512 + page.rows.len().saturating_mul(row_bytes);
    let mut writer = dialect.open_envelope(bytes.min(BYTES_RESERVED_MAX));
    writer.open_with(
        match operation {
            PageOf::Query => "ns1:queryResponse",
            PageOf::QueryMore => "ns1:queryMoreResponse",
        },
        &ANSWERS,
    );
    writer.open("ns1:result");
    writer.text_element("ns1:done", if page.next.is_none() { "true" } else { "false" });
    match page.next {
        Some(next) => writer.text_element("ns1:queryLocator", &next.to_string()),
        None => writer.empty_with("ns1:queryLocator", &NIL),
    };
    let kinds: Vec<_> = page.query.fields.iter().map(|name| kind_of(name, fields)).collect();
    let object_type = format!("ns2:{}", page.query.object.name());
    for row in &page.rows {
        record(&mut writer, (&object_type, page.time_zone), row, &kinds);
    }
    if page.rows.is_empty() {
        writer.empty_with("ns1:records", &NIL);
    }
    writer.text_element("ns1:size", &page.size.to_string());
    writer.into_bytes()
}

const NIL: [(&str, &str); 2] = [("xmlns:xsi", XSI), ("xsi:nil", "1")];

/// The field of this name, unless the caller's version lacks it.
fn kind_of<'f>(name: &str, fields: &'f [QueryField]) -> Option<&'f QueryField> {
    fields.iter().find(|field| field.name == name)
}

fn record(
    writer: &mut Writer,
    (object_type, zone): (&str, Tz),
    row: &[Option<Value>],
    fields: &[Option<&QueryField>],
) {
    let attributes = [("xmlns:ns2", OBJECT), ("xmlns:xsi", XSI), ("xsi:type", object_type)];
    writer.open_with("ns1:records", &attributes);
    for (value, field) in row.iter().zip(fields) {
        if let (Some(value), Some(field)) = (value, field) {
            let text = text(value, field.kind, zone);
            writer.prefixed_text_element("ns2", &field.name, &text);
        }
    }
    writer.close();
}

/// A value as a field of this kind writes it.
fn text(value: &Value, kind: FieldKind, zone: Tz) -> Cow<'_, str> {
    Cow::Owned(match (value, kind) {
        (Value::Text(text), FieldKind::Number) if is_zero(text) => return ZERO.into(),
        (Value::Text(text), _) => return text.into(),
        (Value::Amount(MinorUnits::ZERO, _), _) => return ZERO.into(),
        (Value::Amount(amount, currency), _) => currency.format(*amount),
        (Value::Boolean(value), _) => value.to_string(),
        (Value::Moment(moment), _) => date_time(*moment, zone),
        // Documented to come without an offset, so that no reader shifts the day.
        (Value::Day(day), FieldKind::DayAsMoment) => format!("{day}T00:00:00.000"),
        (Value::Day(day), _) => day.to_string(),
    })
}

/// How any number of no value is written (recorded for the balances of an account).
const ZERO: &str = "0";

fn is_zero(number: &str) -> bool {
    parse_decimal(number).is_some_and(|number| number.is_zero())
}

fn date_time(moment: DateTime<Utc>, zone: Tz) -> String {
    moment.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Tenant;
    use crate::domain::money::Currency;
    use crate::domain::query::{QueryObject, TypedQuery, fields};
    use crate::domain::text::Wording;
    use crate::domain::version::ApiVersion;
    use crate::ledger::query::QueryLocator;
    use crate::soap::envelope::SoapVersion;
    use crate::soap::wsdl;
    use chrono::NaiveDate;

    fn reported(rows: Vec<Vec<Option<Value>>>, next: Option<QueryLocator>, api: u16) -> String {
        let names =
            ["Id", "Amount", "Comment", "CreatedDate", "PaymentMethodSnapshotId", "RefundDate"];
        let query = TypedQuery {
            object: QueryObject::Refund,
            fields: names.map(str::to_owned).to_vec(),
            conditions: Vec::new(),
            case_sensitive: false,
        };
        let size = u32::try_from(rows.len()).unwrap();
        let time_zone = chrono_tz::America::Los_Angeles;
        let page = Page { query, rows, size, next, time_zone };
        let api = ApiVersion::major(api);
        let dialect = Dialect { soap: SoapVersion::V11, api, wording: Wording::default() };
        let fields = fields(QueryObject::Refund, api, &Tenant::default());
        let body = super::page(&page, &fields, PageOf::Query, &dialect);
        let text = String::from_utf8(body).unwrap();
        let (_, result) = text.split_once("<ns1:result>").unwrap();
        result.split_once("</ns1:result>").unwrap().0.to_owned()
    }

    fn row() -> Vec<Option<Value>> {
        let id = || Some(Value::Text("4028e6a0000000000000000000000001".to_owned()));
        vec![
            id(),
            Some(Value::Amount(MinorUnits::new(1050), Currency::from_code("USD").unwrap())),
            None,
            Some(Value::Moment(DateTime::from_timestamp_millis(1_325_121_807_000).unwrap())),
            id(),
            Some(Value::Day(NaiveDate::from_ymd_opt(2026, 7, 1).unwrap())),
        ]
    }

    #[test]
    fn a_page_is_written_as_the_original_writes_it() {
        let next = QueryLocator::parse("4028e6a0000000000000000000000001-1");
        let expected = "<ns1:done>false</ns1:done>\
             <ns1:queryLocator>4028e6a0000000000000000000000001-1</ns1:queryLocator>\
             <ns1:records xmlns:ns2=\"http://object.api.zuora.com/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"ns2:Refund\">\
             <ns2:Id>4028e6a0000000000000000000000001</ns2:Id><ns2:Amount>10.50</ns2:Amount>\
             <ns2:CreatedDate>2011-12-28T17:23:27.000-08:00</ns2:CreatedDate>\
             <ns2:PaymentMethodSnapshotId>4028e6a0000000000000000000000001\
             </ns2:PaymentMethodSnapshotId><ns2:RefundDate>2026-07-01</ns2:RefundDate>\
             </ns1:records><ns1:size>1</ns1:size>";
        assert_eq!(reported(vec![row()], next, 91), expected);
    }

    /// Recorded: `<ns2:CreditBalance>0</ns2:CreditBalance>`.
    #[test]
    fn no_amount_is_a_bare_zero_whatever_its_currency() {
        let zone = chrono_tz::America::Los_Angeles;
        let number = |value: Value| text(&value, FieldKind::Number, zone).into_owned();
        for code in ["USD", "JPY", "KWD", "CLF"] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(number(Value::Amount(MinorUnits::ZERO, currency)), "0");
            assert_ne!(number(Value::Amount(MinorUnits::new(-1), currency)), "0");
        }
        for (kept, reported) in [("0", "0"), ("0.00", "0"), ("-0", "0"), ("1.50", "1.50")] {
            assert_eq!(number(Value::Text(kept.to_owned())), reported);
        }
        assert_eq!(text(&Value::Text("0.00".to_owned()), FieldKind::Text, zone), "0.00");
    }

    #[test]
    fn nothing_found_is_one_record_of_nil() {
        let xsi = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"1\"";
        let expected = format!(
            "<ns1:done>true</ns1:done><ns1:queryLocator {xsi} /><ns1:records {xsi} />\
             <ns1:size>0</ns1:size>"
        );
        assert_eq!(reported(Vec::new(), None, 91), expected);
    }

    #[test]
    fn no_version_gets_a_field_that_its_wsdl_lacks() {
        let soap = SoapVersion::V11;
        for object in QueryObject::ALL {
            let none = Tenant::default();
            let newest = fields(object, ApiVersion::LAST, &none);
            let query = TypedQuery {
                object,
                fields: newest.iter().map(|field| field.name.to_string()).collect(),
                conditions: Vec::new(),
                case_sensitive: false,
            };
            let rows = vec![vec![Some(Value::Boolean(true)); newest.len()]];
            let time_zone = chrono_tz::America::Los_Angeles;
            let page = Page { query, rows, size: 1, next: None, time_zone };
            for api in (18..=150).map(ApiVersion::major) {
                let known = fields(object, api, &none);
                let dialect = Dialect { soap, api, wording: Wording::default() };
                let body = super::page(&page, &known, PageOf::Query, &dialect);
                let text = String::from_utf8(body).unwrap();
                let reported: Vec<_> = text
                    .split("<ns2:")
                    .skip(1)
                    .map(|rest| rest.split('>').next().unwrap())
                    .collect();
                let own = wsdl::fields(api, object.name()).into_iter().map(|field| field.0);
                let in_row = |name: &&str| newest.iter().any(|field| field.name == **name);
                let expected: Vec<_> = std::iter::once("Id").chain(own).filter(in_row).collect();
                assert_eq!(reported, expected, "{api}");
            }
        }
    }

    #[test]
    fn an_older_version_gets_no_newer_field_and_its_own_form_of_dates() {
        let text = reported(vec![row()], None, 38);
        assert!(!text.contains("PaymentMethodSnapshotId"), "{text}");
        let date = "<ns2:RefundDate>2026-07-01T00:00:00.000</ns2:RefundDate>";
        assert!(text.contains(date), "{text}");
    }
}
