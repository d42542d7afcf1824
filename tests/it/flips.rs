//! One flipped bit anywhere in a closed ledger: `check` ends with exit code 6, or the bit is one
//! that nothing depends on. That is proven, and not assumed: all rows of all tables, the schema and
//! the marks are the same as before the flip, and SQLite finds nothing either.
//!
//! The places are drawn over the whole file from a seed. `FLIPS` sets how many are tried,
//! `FLIPS_SEED` another seed; what is printed says both. And what a running gateway reads of such a
//! ledger is never answered.
#![allow(clippy::print_stdout, reason = "it says how much it tried")]

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, FIFTY, TestGateway, create_envelope, electronic_refund, envelope,
    external_refund, finish, program, session_header,
};
use crate::rest::client::{Client, MEMO, PAYMENT, settlement};
use crate::sums;
use crate::wire::Answer;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// How many flips of each ledger are tried where nothing else is said.
const FLIPS: usize = 60;
const SEED: u64 = 20_261_130;
/// Refunds that are made in one call.
const A_CALL: usize = 50;

/// The next of a sequence of numbers (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// All that a ledger says: its schema, its marks, and every row.
fn dump(path: &Path) -> rusqlite::Result<Vec<String>> {
    // Nothing is locked or written beside it.
    let uri = format!("file:{}?immutable=1", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let ledger = Connection::open_with_flags(uri, flags)?;
    let mut all = Vec::new();
    for mark in ["application_id", "user_version", "encoding"] {
        let value: Value = ledger.pragma_query_value(None, mark, |row| row.get(0))?;
        all.push(format!("{mark} {value:?}"));
    }
    rows(&ledger, "select type, name, tbl_name, sql from sqlite_schema", &mut all)?;
    let mut tables = ledger.prepare("select name from sqlite_schema where type = 'table'")?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?;
    for table in tables {
        rows(&ledger, &format!("select * from \"{}\" not indexed", table?), &mut all)?;
    }
    Ok(all)
}

/// Texts as bytes, because a flip may make one that is not UTF-8.
fn rows(ledger: &Connection, select: &str, all: &mut Vec<String>) -> rusqlite::Result<()> {
    all.push(select.to_owned());
    let mut statement = ledger.prepare(select)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|place| row.get_ref(place).map(|one| format!("{one:?}")));
        all.push(values.collect::<Result<Vec<_>, _>>()?.join(" "));
    }
    Ok(())
}

fn sqlite_finds_nothing(path: &Path) -> bool {
    let uri = format!("file:{}?immutable=1", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let verdict = Connection::open_with_flags(uri, flags)
        .and_then(|ledger| ledger.query_row("pragma integrity_check", [], |row| row.get(0)));
    verdict.is_ok_and(|verdict: String| verdict == "ok")
}

fn check(path: &Path) -> (Option<i32>, String) {
    let folder = path.parent().unwrap();
    let output = finish(program(folder).args(["check", "--ledger"]).arg(path));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A call with a key.
fn keyed(gateway: &TestGateway, session: &str, key: &str, objects: &[String]) -> Answer {
    let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", key)];
    let body = create_envelope(session, objects);
    gateway.connect().send("POST", ENDPOINT, &headers, body.as_bytes())
}

fn query(gateway: &TestGateway, session: &str, zoql: &str) -> Answer {
    let zoql = zoql.replace('<', "&lt;");
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &body))
}

/// A closed ledger of a tenant with credit balances: refunds of both kinds, with keys, updated and
/// deleted ones, sessions, and a locator.
fn soap_history() -> TestGateway {
    let mut gateway = TestGateway::demo();
    let session = gateway.login();
    for call in 0..20 {
        let objects = vec![external_refund(EXTERNAL_ACCOUNT, "0.01"); A_CALL];
        let made = keyed(&gateway, &session, &format!("call-{call}"), &objects);
        assert_eq!(made.successes(), A_CALL, "{made}");
        let paid = keyed(&gateway, &session, &format!("paid-{call}"), &[electronic_refund("0.25")]);
        assert_eq!(paid.successes(), 1, "{paid}");
    }
    assert_eq!(query(&gateway, &session, "select Id from Refund").status, 200);
    assert!(gateway.terminate().success());
    gateway
}

/// The same of a tenant with credit memos and unapplied payments, over REST.
fn rest_history() -> TestGateway {
    let mut gateway = settlement();
    let client = Client::new(&gateway);
    for call in 0..200 {
        let external = json!({"type": "External", "methodType": "Cash", "totalAmount": 0.05});
        for path in
            [format!("/v1/credit-memos/{MEMO}/refund"), format!("/v1/payments/{PAYMENT}/refunds")]
        {
            let key = format!("{path}-{call}");
            let headers = [("Idempotency-Key", key.as_str())];
            let made = client.send("POST", &path, &headers, &external.to_string());
            assert_eq!(made.status, 200, "{made}");
        }
    }
    let electronic = json!({"type": "Electronic", "totalAmount": 3});
    let made = client.post(&format!("/v1/payments/{PAYMENT}/refunds"), &electronic);
    assert_eq!(made.status, 200, "{made}");
    drop(client);
    assert!(gateway.terminate().success());
    gateway
}

/// Flips bits of a closed ledger, one at a time.
fn flip(name: &str, gateway: &TestGateway) {
    let sound = fs::read(gateway.ledger()).unwrap();
    let before = dump(&gateway.ledger()).unwrap();
    assert_eq!(check(&gateway.ledger()).0, Some(0));
    let made_again = sums::count(&Connection::open(gateway.ledger()).unwrap());
    assert!(made_again.0 > 200 && made_again.1 == 0, "{made_again:?}");
    assert_eq!(fs::read(gateway.ledger()).unwrap(), sound);
    let count = from_env("FLIPS").map_or(FLIPS, |count| usize::try_from(count).unwrap());
    let seed = from_env("FLIPS_SEED").unwrap_or(SEED);
    // The header of the file says how many bytes its pages have.
    let page = usize::from(u16::from_be_bytes([sound[16], sound[17]]));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let mut state = seed;
    let (mut found, mut free, mut unnoticed) = (0, 0, Vec::new());
    for _ in 0..count {
        let bits = u64::try_from(sound.len()).unwrap() * 8;
        let bit = usize::try_from(next(&mut state) % bits).unwrap();
        let mut flipped = sound.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        let is_same = dump(&path).is_ok_and(|after| after == before) && sqlite_finds_nothing(&path);
        match (check(&path), is_same) {
            ((Some(6), _), _) => found += 1,
            ((Some(0), _), true) => free += 1,
            ((code, said), _) => {
                let place = format!("page {}, byte {}", bit / 8 / page + 1, bit / 8 % page);
                unnoticed.push(format!("bit {bit} ({place}): {code:?} {said}"));
            }
        }
    }
    println!(
        "{name}: {count} flips from seed {seed} over {} bytes: {found} found, {free} of nothing, \
         {} unnoticed",
        sound.len(),
        unnoticed.len()
    );
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    assert!(count < FLIPS || found > count / 10, "{found} of {count} found");
}

#[test]
fn a_flipped_bit_anywhere_in_a_ledger_of_soap_is_found() {
    flip("soap", &soap_history());
}

#[test]
fn a_flipped_bit_anywhere_in_a_ledger_of_rest_is_found() {
    flip("rest", &rest_history());
}

/// The fault that a damaged ledger is, and nothing of what was read.
fn is_damage(answer: &Answer) {
    let text = answer.texts("FaultMessage").concat();
    assert_eq!(answer.status, 500, "{answer}");
    assert!(
        text.contains("The ledger is damaged") && !text.contains("cannot be written"),
        "{text}"
    );
    assert!(answer.texts("Amount").is_empty() && answer.texts("CreditBalance").is_empty());
}

#[test]
fn a_changed_row_is_never_answered_and_is_a_fault_of_its_own() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let refund = external_refund(EXTERNAL_ACCOUNT, "1.00");
    let made = gateway.create(&session, &vec![refund.clone(); 3]);
    assert_eq!(made.successes(), 3, "{made}");
    let ids = made.texts("Id");
    assert!(gateway.terminate().success());
    let ledger = Connection::open(gateway.ledger()).unwrap();
    // A bit of an amount, whose sum stays as it was.
    let changed = ledger.execute("update refund_row set amount = 101 where number = 1", []);
    assert_eq!(changed.unwrap(), 1);
    ledger.close().unwrap();
    gateway.restart();
    let of = |id: &str| format!("select Id, Amount from Refund where Id = '{id}'");
    let sound = query(&gateway, &session, &of(&ids[1]));
    assert_eq!((sound.status, sound.texts("Amount")), (200, vec!["1.00".into()]), "{sound}");
    is_damage(&query(&gateway, &session, &of(&ids[0])));
    is_damage(&query(&gateway, &session, "select Id, Amount from Refund"));
    // From here on nothing is written.
    is_damage(&gateway.create(&session, &[refund]));
    assert_eq!(gateway.get_admin("/readyz").status, 503);
    assert_eq!(gateway.terminate().code(), Some(6));
    let said = gateway.stderr();
    assert!(said.contains("the row 1 of refund_row is not what was written there"), "{said}");
}
