//! Random queries of random ledgers: each finds the same rows in the same order, page by page, in a
//! file and in the copy of it in PostgreSQL. They are texts of ZOQL, with all of its operators, and
//! what they compare with is near to what is there: a value of the field, another case or a part of
//! it, a decimal or a millisecond beside it.
//!
//! `QUERY_LEDGERS` says how many ledgers are tried ([`LEDGERS`] without it).
#![allow(clippy::print_stdout, reason = "it says how much it tried")]

use super::PostgresLedger;
use super::for_tests::Server;
use super::moving_tests::{runtime, to_server, url};
use super::random_ledgers_tests::{Given, fill, given, text};
use super::reading_tests::{find, options};
use crate::domain::money::parse_decimal;
use crate::domain::query::{FieldKind, QueryField, QueryObject, TypedQuery, fields, typed};
use crate::domain::version::ApiVersion;
use crate::domain::zoql::{Comparator, Literal, parse};
use crate::ledger::query::{Find, Page, Start, Value};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, UserKey};
use chrono::{DateTime, FixedOffset, NaiveTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use std::cell::Cell;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LEDGERS: u32 = 3;
const QUERIES: usize = 150;

/// A condition, as far as it can be said before the ledger is known.
#[derive(Debug, Clone)]
struct Drawn {
    field: Index,
    value: Index,
    operator: usize,
    twist: u8,
    number: i64,
    text: String,
    is_of_null: bool,
}

#[derive(Debug, Clone)]
struct Query {
    object: QueryObject,
    version: u8,
    groups: Vec<Vec<Drawn>>,
    is_case_sensitive: bool,
    rows_max: u32,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let places = (any::<Index>(), any::<Index>(), 0_usize..8, 0_u8..8);
    (places, -4_000_i64..4_000, text(), prop::bool::weighted(0.1)).prop_map(
        |((field, value, operator, twist), number, text, is_of_null)| Drawn {
            field,
            value,
            operator,
            twist,
            number,
            text,
            is_of_null,
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    let object = prop_oneof![
        3 => Just(QueryObject::Refund),
        3 => Just(QueryObject::Account),
        4 => select(&QueryObject::ALL[..]),
    ];
    let groups = prop::collection::vec(prop::collection::vec(drawn(), 1..3), 1..4);
    (object, select(&[50_u8, 91][..]), groups, any::<bool>(), 1_u32..30).prop_map(
        |(object, version, groups, is_case_sensitive, rows_max)| Query {
            object,
            version,
            groups,
            is_case_sensitive,
            rows_max,
        },
    )
}

/// What there is of an object in a version: its fields, and their values in all rows.
struct Known {
    fields: Vec<QueryField>,
    rows: Vec<Vec<Option<Value>>>,
}

impl Known {
    async fn of(ledger: &dyn Ledger, object: QueryObject, version: u8) -> Self {
        let fields = fields(object, ApiVersion::major(version.into()), &ledger.tenant());
        let names = fields.iter().map(|field| field.name.to_string()).collect();
        let all =
            TypedQuery { object, fields: names, conditions: Vec::new(), case_sensitive: true };
        let rows = find(ledger, &all, 2_000).await.rows;
        Self { fields, rows }
    }

    /// The text of a query, with its conditions near to these values.
    fn text(&self, query: &Query) -> String {
        let groups = query.groups.iter().map(|group| {
            let conditions = group.iter().map(|drawn| self.condition(drawn));
            conditions.collect::<Vec<_>>().join(" and ")
        });
        let conditions = groups.collect::<Vec<_>>().join(" or ");
        let names: Vec<&str> = self.fields.iter().map(|field| &*field.name).collect();
        format!("select {} from {} where {conditions}", names.join(", "), query.object.name())
    }

    fn values(&self, place: usize) -> Vec<&Value> {
        self.rows.iter().filter_map(|row| row[place].as_ref()).collect()
    }

    /// Seldom of a field that no row has a value of.
    fn condition(&self, drawn: &Drawn) -> String {
        let all = 0..self.fields.len();
        let mut places: Vec<usize> =
            all.clone().filter(|at| !self.values(*at).is_empty()).collect();
        if places.is_empty() || drawn.twist == 7 {
            places = all.collect();
        }
        let place = *drawn.field.get(&places);
        let (field, values) = (&self.fields[place], self.values(place));
        let value = (!values.is_empty()).then(|| *drawn.value.get(&values));
        let (operator, literal) = compared(field.kind, value, drawn);
        format!("{} {operator} {literal}", field.name)
    }
}

fn quoted(text: &str) -> String {
    Literal::Quoted(text.to_owned()).to_string()
}

/// An operator that goes with a field, and a literal near to one of its values.
fn compared(kind: FieldKind, value: Option<&Value>, drawn: &Drawn) -> (&'static str, String) {
    let by = Comparator::ALL[drawn.operator % 6].text();
    let equality = Comparator::ALL[drawn.operator % 2].text();
    if drawn.is_of_null {
        return (equality, "null".to_owned());
    }
    match kind {
        FieldKind::Id | FieldKind::Text => match near_text(value, drawn) {
            near if drawn.operator > 5 => ("like", quoted(&pattern(&near, drawn))),
            near => (by, quoted(&near)),
        },
        FieldKind::Number => (by, near_number(value, drawn)),
        FieldKind::Boolean => (equality, (drawn.number % 2 == 0).to_string()),
        FieldKind::Day => (by, near_day(value, drawn)),
        FieldKind::DayAsMoment if drawn.twist > 3 => (by, near_day(value, drawn)),
        FieldKind::Moment | FieldKind::DayAsMoment => (by, near_moment(value, drawn)),
    }
}

fn near_text(value: Option<&Value>, drawn: &Drawn) -> String {
    let Some(Value::Text(there)) = value else { return drawn.text.clone() };
    match drawn.twist {
        0..3 => there.clone(),
        3 => there.to_uppercase(),
        4 => there.to_lowercase(),
        5 => there.chars().take(there.chars().count() / 2).collect(),
        6 => format!("{there}{}", drawn.text),
        _ => drawn.text.clone(),
    }
}

/// A pattern that is near to a text: all of it, its beginning or its end, with any characters.
fn pattern(text: &str, drawn: &Drawn) -> String {
    let any = usize::from(drawn.twist);
    let mask = |(place, one)| if place == any || one == '%' { '_' } else { one };
    let fixed: Vec<char> = text.chars().enumerate().map(mask).collect();
    let (first, last) = fixed.split_at(fixed.len() / 2);
    let all = |part: &[char]| part.iter().collect::<String>();
    match drawn.number.rem_euclid(4) {
        0 => all(&fixed),
        1 => format!("{}%", all(first)),
        2 => format!("%{}", all(last)),
        _ => format!("{}%", all(&fixed)),
    }
}

fn near_number(value: Option<&Value>, drawn: &Drawn) -> String {
    let there = match value {
        Some(Value::Amount(units, currency)) => Some(currency.decimal(*units)),
        Some(Value::Text(text)) => parse_decimal(text),
        _ => None,
    };
    let there = there.unwrap_or_default();
    let beside = match drawn.twist {
        0..3 => Decimal::ZERO,
        3 => Decimal::new(drawn.number, 3),
        4 => Decimal::new(drawn.number.signum(), 4),
        5 => Decimal::new(drawn.number.signum(), 20),
        6 => -there - there,
        _ => Decimal::from(drawn.number) * Decimal::from(1_000_000_000_000_i64),
    };
    let number = (there + beside).to_string();
    if drawn.number % 2 == 0 { quoted(&number) } else { number }
}

fn moment_of(value: Option<&Value>) -> DateTime<Utc> {
    match value {
        Some(Value::Moment(moment)) => *moment,
        Some(Value::Day(day)) => day.and_time(NaiveTime::MIN).and_utc(),
        _ => DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
    }
}

fn near_moment(value: Option<&Value>, drawn: &Drawn) -> String {
    let beside = match drawn.number.rem_euclid(8) {
        0..3 => 0,
        3 => 1,
        4 => -1,
        5 => 86_400_000,
        _ => drawn.number * 10_000,
    };
    let moment = moment_of(value) + TimeDelta::milliseconds(beside);
    let of_offset =
        |hours: i32| moment.with_timezone(&FixedOffset::east_opt(hours * 3600).unwrap());
    let written = match drawn.twist {
        // For the tenant, in Tokyo.
        0..2 => of_offset(9).format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
        2..4 => of_offset(0).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        4..6 => of_offset(-8).format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        6 => moment.format("%Y-%m-%d").to_string(),
        _ => ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"][drawn.operator % 2].to_owned(),
    };
    if drawn.number % 2 == 0 { quoted(&written) } else { written }
}

fn near_day(value: Option<&Value>, drawn: &Drawn) -> String {
    let day = moment_of(value) + TimeDelta::days(drawn.number % 3);
    let zone = ["", "", "Z", "-08:00"][usize::from(drawn.twist % 4)];
    let written = format!("{}{zone}", day.format("%Y-%m-%d"));
    if drawn.number % 2 == 0 { quoted(&written) } else { written }
}

/// All pages, and how many rows matched.
async fn all_pages(ledger: &dyn Ledger, query: &TypedQuery, rows_max: u32) -> (Vec<Page>, u32) {
    let mut pages = vec![find(ledger, query, rows_max).await];
    let size = pages[0].size;
    while let Some(locator) = pages.last().and_then(|page| page.next) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let at = DateTime::from_timestamp(1_790_000_900, 0).unwrap();
        let (user, start) = (UserKey(1), Start::Locator(locator));
        let page = ledger.find(Find { user, start, rows_max, at, deadline }).await;
        pages.push(page.unwrap().unwrap());
    }
    (pages, size)
}

/// Puts a query to both; whether it found some rows, and not all.
async fn compare(one: &dyn Ledger, other: &dyn Ledger, query: &Query) -> bool {
    let known = Known::of(one, query.object, query.version).await;
    let text = known.text(query);
    let parsed = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let typed = typed(&parsed, query.object, &known.fields, query.is_case_sensitive);
    let typed = typed.unwrap_or_else(|error| panic!("{text}: {error}"));
    let (found, size) = all_pages(one, &typed, query.rows_max).await;
    let (found_other, size_other) = all_pages(other, &typed, query.rows_max).await;
    assert_eq!(size, size_other, "{text}");
    let rows = |pages: &[Page]| pages.iter().map(|page| page.rows.clone()).collect::<Vec<_>>();
    assert_eq!(rows(&found), rows(&found_other), "{text}");
    (1..known.rows.len()).contains(&usize::try_from(size).unwrap())
}

/// Copies a ledger and puts queries to both; how many of them told rows apart.
fn tried(server: &Server, given: &Given, queries: &[Query]) -> usize {
    let folder = TempDir::new().unwrap();
    let (path, url) = (folder.path().join("ledger.db"), url(server));
    let one = SqliteLedger::open(&path, &options()).unwrap();
    runtime().block_on(fill(&one, given));
    drop(one);
    to_server(&path, &url).unwrap();
    let one = SqliteLedger::open(&path, &options()).unwrap();
    let other = PostgresLedger::open(&url, &options()).unwrap();
    let telling = runtime().block_on(async {
        let mut telling = 0;
        for query in queries {
            telling += usize::from(compare(&one, &other, query).await);
        }
        telling
    });
    drop((one, other));
    telling
}

#[test]
fn a_random_query_finds_in_postgresql_what_it_finds_in_a_file_in_the_same_order() {
    let Some(server) = Server::shared() else { return };
    let wanted = std::env::var("QUERY_LEDGERS").ok().map(|text| text.parse().unwrap());
    let config = ProptestConfig {
        cases: wanted.unwrap_or(LEDGERS),
        max_shrink_time: 60_000,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let (put, telling) = (Cell::new(0), Cell::new(0));
    let ledgers = (given(), prop::collection::vec(query(), QUERIES));
    let ran = TestRunner::new(config).run(&ledgers, |(given, queries)| {
        telling.set(telling.get() + tried(server, &given, &queries));
        put.set(put.get() + queries.len());
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    let (put, telling) = (put.get(), telling.get());
    println!("{put} queries, of which {telling} found some rows and not all");
    // About a quarter does; a few small ledgers in a row have less.
    assert!(telling * 16 > put, "{telling} of {put}");
}
