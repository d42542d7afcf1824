//! The grammar on examples, and on any text: it never panics, and what prints parses to itself.

use super::*;
use proptest::prelude::*;

fn tree(text: &str) -> String {
    parse(text).unwrap().to_string()
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn keywords_are_in_any_case_and_white_space_is_harmless() {
    let expected = "select Id, Amount from Refund where Status = 'Processed'";
    for text in [
        expected,
        "\n  SELECT Id ,\tAmount\r\nFROM Refund\n\nWhere Status='Processed'  \n",
        "sElEcT Id,Amount fRoM Refund wHeRe Status = \"Processed\"",
    ] {
        assert_eq!(tree(text), expected, "{text:?}");
    }
    assert_eq!(tree("select Id from Refund"), "select Id from Refund");
}

#[test]
fn and_binds_tighter_than_or() {
    let query =
        parse("select a from b where c = 1 or d != 2 and e like '%f' or g >= true").unwrap();
    let sizes: Vec<_> = query.conditions.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2, 1]);
}

#[test]
fn every_operator_and_every_kind_of_value() {
    let all = "select a from b where c = 'x' and c != -1.50 and c > null and c >= TRUE and \
               c < 2026-01-02T03:04:05 and c <= 2026-01-02T03:04:05.678-08:00 and c like '_%'";
    assert_eq!(tree(all), all.replace("TRUE", "true"));
}

#[test]
fn escapes_stand_for_what_they_say() {
    let query = parse(r#"select a from b where c = '\b\f\n\r\t\'\"\\' or c = "it's""#).unwrap();
    let value = |at: usize| query.conditions[at][0].literal.clone();
    assert_eq!(value(0), Literal::Quoted("\u{8}\u{C}\n\r\t'\"\\".to_owned()));
    assert_eq!(value(1), Literal::Quoted("it's".to_owned()));
    assert_eq!(parse(&query.to_string()), Ok(query));
}

#[test]
fn errors_say_where() {
    for (text, expected) in [
        ("", "expected `select` at character 1"),
        ("delete", "expected `select` at character 1"),
        ("select", "expected a field name at character 7"),
        ("select *", "expected a name, a value or an operator at character 8"),
        ("select a, from b", "expected a field name at character 11"),
        ("select a b from c", "expected `,` or `from` at character 10"),
        ("select a from", "expected an object name at character 14"),
        ("select a from b c", "expected `where` or the end at character 17"),
        ("select a from b where", "expected a field name at character 22"),
        ("select a from b where c", "expected an operator at character 24"),
        ("select a from b where c = d", "expected a value at character 27"),
        ("select a from b where c = 1 2", "expected `and`, `or` or the end at character 29"),
        ("select a from b where c = 1 and", "expected a field name at character 32"),
        (
            "select a from b where (c = 1)",
            "expected a name, a value or an operator at character 23",
        ),
        ("select a from b where c <> 1", "expected a value at character 26"),
        ("select a from b where c == 1", "expected a value at character 26"),
        ("select a from b where c = 'x", "the text that begins at character 27 does not end"),
        ("select a from b where c = 'x\\", "the text that begins at character 27 does not end"),
        ("select a from b where c = '\\x'", "unknown escape at character 28"),
        ("select a from b where c = 1e5", "expected a value at character 27"),
        ("select a from b where c = 2026-02-30", "expected a value at character 27"),
        ("select a from b where not c = 1", "expected an operator at character 27"),
        ("select a from b where c = 'é' x", "expected `and`, `or` or the end at character 31"),
        (
            "select a from b; drop table c",
            "expected a name, a value or an operator at character 16",
        ),
    ] {
        assert_eq!(error(text), expected, "{text:?}");
    }
}

#[test]
fn both_limits_hold_to_the_last_one() {
    let conditions = |count| vec!["a = 1"; count].join(" and ");
    let query = |count| format!("select a from b where {}", conditions(count));
    assert_eq!(parse(&query(CONDITIONS_MAX)).unwrap().conditions[0].len(), CONDITIONS_MAX);
    assert_eq!(error(&query(201)), "more than 200 conditions at character 2023");
    let long = |chars: usize| {
        let start = "select a from b where c = 'é";
        format!("{start}{}'", "x".repeat(chars - start.chars().count() - 1))
    };
    assert!(parse(&long(CHARS_MAX)).is_ok());
    assert_eq!(error(&long(CHARS_MAX + 1)), "more than 10000 characters");
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_]{1,8}x"
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        "[+-]?[0-9]{1,9}(\\.[0-9]{0,5})?".prop_map(Literal::Bare),
        "20[0-9]{2}-0[1-9]-1[0-9]T0[0-9]:00:00(\\.[0-9]{1,3})?(Z|[+-]0[0-9]:00)?"
            .prop_map(Literal::Bare),
        ".{0,12}".prop_map(Literal::Quoted),
    ]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let operator = prop_oneof![
        prop::sample::select(Comparator::ALL.to_vec()).prop_map(Operator::Order),
        Just(Operator::Like),
    ];
    let place = Position(0);
    (name(), operator, literal()).prop_map(move |(field, operator, literal)| Comparison {
        field,
        operator,
        literal,
        operator_at: place,
        literal_at: place,
    })
}

fn query() -> impl Strategy<Value = Query> {
    let fields = prop::collection::vec(name(), 1..5);
    let conditions = prop::collection::vec(prop::collection::vec(comparison(), 1..4), 0..4);
    (fields, name(), conditions).prop_map(|(fields, object, conditions)| Query {
        fields,
        object,
        conditions,
    })
}

proptest! {
    #[test]
    fn what_prints_parses_to_itself(query in query()) {
        prop_assert_eq!(parse(&query.to_string()), Ok(query));
    }

    #[test]
    fn no_text_panics(text in ".{0,80}|[ a-z0-9'\"\\\\<>=!,%.:+-]{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_text_after_a_good_start_panics(rest in ".{0,40}|[ a-z0-9'\"\\\\<>=!,%.:+-]{0,40}") {
        let text = format!("select a from b where {rest}");
        if let Ok(query) = parse(&text) {
            prop_assert_eq!(parse(&query.to_string()), Ok(query));
        }
    }
}
