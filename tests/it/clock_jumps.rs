//! A machine's clock that is a day ahead for a while: nothing that was promised for a day or for
//! the time of a session is forgotten, on a real ledger, whose clock no tester sets.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, FIFTY, TestGateway, create_envelope, envelope, external_refund,
    session_header,
};
use crate::skipped;
use crate::wire::Answer;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const DAY_AND_AN_HOUR_MS: i64 = 25 * 3_600_000;

fn send(gateway: &TestGateway, session: &str, key: &str) -> Answer {
    let body = create_envelope(session, &[external_refund(EXTERNAL_ACCOUNT, "10.00")]);
    let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", key)];
    gateway.connect().send("POST", ENDPOINT, &headers, body.as_bytes())
}

/// A real gateway with this configuration, and with variables in its environment.
fn real(config: &str, env: impl FnOnce(&TempDir) -> Vec<(String, String)>) -> TestGateway {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), FIFTY).unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let env = env(&folder);
    let env: Vec<(&str, &str)> = env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    TestGateway::start_with_env(folder, &["--seed", "seed.toml", "--config", "config.toml"], &env)
}

/// The library that gives programs another clock; none where it is not installed, which CI is to
/// have.
pub fn libfaketime() -> Option<String> {
    let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .map(|folder| format!("{folder}/faketime/libfaketime.so.1"))
        .into_iter()
        .find(|library| fs::exists(library).unwrap());
    skipped::is_installed(library.is_some(), "libfaketime (faketime)");
    library
}

/// What gives a program a clock that a file sets, while time passes as it does.
pub fn settable<'e>(library: &'e str, offset: &'e Path) -> [(&'static str, &'e str); 4] {
    [
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]
}

/// A gateway whose clock can be set, and the file that says by how much it is wrong.
fn with_a_clock(config: &str) -> Option<(TestGateway, PathBuf)> {
    let library = libfaketime()?;
    let gateway = real(config, |folder| {
        let file = folder.path().join("offset");
        fs::write(&file, "+0").unwrap();
        let env = settable(&library, &file);
        env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    });
    let offset = gateway.folder().join("offset");
    Some((gateway, offset))
}

/// How often the gateway's log has a text.
fn lines_with(gateway: &TestGateway, text: &str) -> usize {
    gateway.stderr().lines().filter(|line| line.contains(text)).count()
}

/// Regression: an event was given up because the clock jumped, and not because it was tried for as
/// long as it should have been.
#[test]
fn a_clock_that_jumps_gives_up_no_event() {
    // Nothing listens on the port of discarding.
    let config = "[[webhook]]\nname = 'books'\nurl = 'http://127.0.0.1:9/hook'\n\
                  give_up_after_h = 24\nsecret = 'a secret of tests, and of nobody else'\n";
    let Some((gateway, offset)) = with_a_clock(config) else { return };
    assert_eq!(send(&gateway, &gateway.login(), "the-one").successes(), 1);
    gateway.until_it_says("an event was not delivered; once more");
    fs::write(offset, "+25h").unwrap();
    let before = lines_with(&gateway, "an event was not delivered; once more");
    let started = Instant::now();
    while lines_with(&gateway, "an event was not delivered; once more") < before + 2 {
        assert_eq!(lines_with(&gateway, "given up"), 0, "{}", gateway.stderr());
        assert!(started.elapsed() < Duration::from_secs(120), "{}", gateway.stderr());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Regression: after a start with a clock that was 25 hours ahead, the retry of a refund paid it
/// once more. (What the ledger has seen is moved back here, which is the same.)
#[test]
fn a_start_a_day_later_forgets_no_key() {
    let mut gateway = real("", |_| Vec::new());
    let first = send(&gateway, &gateway.login(), "the-one");
    assert_eq!(first.successes(), 1, "{first}");
    assert!(gateway.terminate().success());
    let ledger = gateway.stored();
    let count = |sql: &str| ledger.change(&sql.replace("?1", &DAY_AND_AN_HOUR_MS.to_string()));
    assert_eq!(count("update idempotency set at_ms = at_ms - ?1"), 1);
    assert_eq!(count("update session set last_used_ms = last_used_ms - ?1"), 1);
    let age = "update meta set value = cast(cast(value as bigint) - ?1 as text) \
               where key = 'age_ms'";
    assert_eq!(count(age), 1, "a clean end keeps the age");
    gateway.restart();
    gateway.until_it_says("further ahead");
    let session = gateway.login();
    // It prunes what is old.
    assert_eq!(send(&gateway, &session, "another").successes(), 1);
    let again = send(&gateway, &session, "the-one");
    assert_eq!((again.status, &again.body), (200, &first.body), "{again}");
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "30.00");
}

/// The same while it runs, with the clock of libfaketime.
#[test]
fn a_clock_that_jumps_while_it_is_served_forgets_neither_keys_nor_sessions() {
    let Some((gateway, offset)) = with_a_clock("") else { return };
    let jump_to = |text: &str| fs::write(&offset, text).unwrap();
    let session = gateway.login();
    let first = send(&gateway, &session, "the-one");
    assert_eq!(first.successes(), 1, "{first}");
    jump_to("+25h");
    let created = send(&gateway, &session, "another");
    assert_eq!(created.successes(), 1, "the session is good, and old keys are pruned: {created}");
    let span = "select max(created_ms) - min(created_ms) from refund";
    let span: i64 = gateway.stored().select(span)[0][0].parse().unwrap();
    assert!(span > DAY_AND_AN_HOUR_MS - 600_000, "the clock did jump: {span}");
    for offset in ["+25h", "+0", "-25h"] {
        jump_to(offset);
        let again = send(&gateway, &session, "the-one");
        assert_eq!((again.status, &again.body), (200, &first.body), "{offset}: {again}");
    }
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "30.00");
}

/// A page of one row, by a query or by the locator of the page before.
fn page(gateway: &TestGateway, session: &str, body: &str) -> Answer {
    let options = "<api:QueryOptions><api:batchSize>1</api:batchSize></api:QueryOptions>";
    let header = format!("{options}{}", session_header(session));
    let answer = gateway.post(ENDPOINT, &envelope(&header, body));
    assert_eq!((answer.status, answer.texts("Id").len()), (200, 1), "{answer}");
    answer
}

/// A client that goes through a long list finds its place again, however the clock jumps.
#[test]
fn a_clock_that_jumps_ends_no_locator() {
    let Some((gateway, offset)) = with_a_clock("") else { return };
    let session = gateway.login();
    for key in ["one", "two", "three"] {
        assert_eq!(send(&gateway, &session, key).successes(), 1);
    }
    let query = "<api:query><api:queryString>select Id from Refund</api:queryString></api:query>";
    let first = page(&gateway, &session, query);
    let locator = first.texts("queryLocator").concat();
    let more = format!(
        "<api:queryMore><api:queryLocator>{locator}</api:queryLocator>\
                        </api:queryMore>"
    );
    let second = page(&gateway, &session, &more).texts("Id");
    assert_ne!(second, first.texts("Id"));
    for jump in ["+25h", "+0", "-25h", "+50h"] {
        fs::write(&offset, jump).unwrap();
        // A new locator is kept, and old ones go.
        let other = page(&gateway, &session, query);
        assert_ne!(other.texts("queryLocator").concat(), locator);
        assert_eq!(page(&gateway, &session, &more).texts("Id"), second, "{jump}");
    }
}
