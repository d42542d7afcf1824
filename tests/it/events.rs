//! Events as those who listen meet them: a receiver that fails at times, and the command that
//! tails. Every event arrives at least once, signed, and those of one account in their order.

use crate::admin_api::{api, command, done, told_by};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, EXTERNAL_ACCOUNT, TestGateway, electronic_refund, external_refund, finish,
    program,
};
use crate::tls::{authority, server};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long something may take that must happen: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "a secret of tests, and of nobody else";

/// What came in, and what is refused.
#[derive(Default)]
struct State {
    got: Vec<Value>,
    /// The account whose events are answered with 503.
    refused: Option<&'static str>,
    refusals: usize,
    is_down: bool,
    /// Whether answers wait.
    is_held: bool,
    /// The sequences of the events that wait for their answers.
    held: Vec<i64>,
    wrong: Vec<String>,
}

/// A receiver of webhooks on loopback.
pub struct Receiver {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    base: String,
}

impl Receiver {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// One that speaks TLS, if it is given a server's configuration.
    fn start_with(tls: Option<ServerConfig>) -> Self {
        let base = if tls.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        let tls = tls.map(Arc::new);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                thread::spawn(move || match tls {
                    None => serve_all(stream, &shared),
                    Some(config) => {
                        let server = ServerConnection::new(config).unwrap();
                        serve_all(StreamOwned::new(server, stream), &shared);
                    }
                });
            }
        });
        Self { state, address, base: base.to_owned() }
    }

    /// A configuration with this receiver, and more in its table.
    pub fn config(&self, more: &str) -> String {
        format!(
            "[[webhook]]\nname = 'books'\nurl = '{}:{}/hook?x=1'\nsecret = '{SECRET}'\n{more}\n",
            self.base,
            self.address.port()
        )
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// Waits until something is so.
    fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let started = Instant::now();
        while !self.with(|state| is_so(state)) {
            let got = self.with(|state| state.got.len());
            assert!(started.elapsed() < PATIENCE, "never: {what}, after {got} events");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The kinds that came of an account, in the order of their coming, without repetitions.
    pub fn kinds_of(&self, account: &str) -> Vec<String> {
        self.with(|state| {
            let mut seen = Vec::new();
            let mut kinds = Vec::new();
            for event in state.got.iter().filter(|event| event["account"]["id"] == account) {
                if !seen.contains(&event["sequence"]) {
                    seen.push(event["sequence"].clone());
                    kinds.push(event["kind"].as_str().unwrap().to_owned());
                }
            }
            let numbers: Vec<_> = seen.iter().map(|number| number.as_i64().unwrap()).collect();
            assert!(numbers.is_sorted(), "out of order: {numbers:?}");
            kinds
        })
    }
}

/// Takes every request of a connection.
fn serve_all(stream: impl Read + Write, shared: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while serve(&mut reader, shared).is_some() {}
}

/// Takes one request; none when there are no more.
fn serve(reader: &mut BufReader<impl Read + Write>, shared: &Mutex<State>) -> Option<()> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut start = line.split_whitespace();
    let (method, path) = (start.next()?.to_owned(), start.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let mut state = shared.lock().unwrap();
    if headers.get("refund-gateway-signature") != Some(&signature(&method, &path, &headers, &body))
    {
        state.wrong.push(format!("{method} {path} {headers:?}"));
    }
    let event: Value = serde_json::from_slice(&body).unwrap();
    let sequence = event["sequence"].as_i64().unwrap();
    if state.held.contains(&sequence) {
        state.wrong.push(format!("event {sequence} is under way twice"));
    }
    state.held.push(sequence);
    while state.is_held {
        drop(state);
        thread::sleep(Duration::from_millis(20));
        state = shared.lock().unwrap();
    }
    state.held.retain(|held| *held != sequence);
    let is_refused =
        state.is_down || state.refused.is_some_and(|account| event["account"]["id"] == account);
    let status = if is_refused {
        state.refusals += 1;
        "503 Later"
    } else {
        state.got.push(event);
        "204 No Content"
    };
    drop(state);
    let stream = reader.get_mut();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok()?;
    stream.flush().ok()
}

/// The signature as docs/PROCESSORS.md describes it, made without the gateway's code.
fn signature(method: &str, path: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let time = headers.get("refund-gateway-time").map_or("", String::as_str);
    let text = format!("v1\n{method}\n{path}\n{time}\n{}", hex(&Sha256::digest(body)));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

#[test]
fn one_accounts_failing_delivery_delays_that_account_alone() {
    let receiver = Receiver::start();
    let gateway = TestGateway::configured(&receiver.config(""));
    let session = gateway.login();
    receiver.with(|state| state.refused = Some(EXTERNAL_ACCOUNT));
    let external = ["1.00", "2.00", "3.00"].map(|it| external_refund(EXTERNAL_ACCOUNT, it));
    gateway.create(&session, &external);
    gateway.create(&session, &[electronic_refund("4.00"), electronic_refund("5.00")]);
    receiver.until("the other account's events", |state| state.got.len() >= 4);
    receiver.until("a refusal", |state| state.refusals > 0);
    assert_eq!(receiver.kinds_of(EXTERNAL_ACCOUNT), Vec::<String>::new());
    let mut kinds = receiver.kinds_of(ELECTRONIC_ACCOUNT);
    kinds.sort_unstable();
    let [processed, processing] = ["refund.processed", "refund.processing"];
    assert_eq!(kinds, [processed, processed, processing, processing]);
    receiver.with(|state| state.refused = None);
    receiver.until("all events", |state| state.got.len() >= 7);
    assert_eq!(receiver.kinds_of(EXTERNAL_ACCOUNT), [processed; 3]);
    receiver.with(|state| assert_eq!(state.wrong, Vec::<String>::new()));
    let first = receiver.with(|state| {
        let of_account = |event: &&Value| event["account"]["id"] == EXTERNAL_ACCOUNT;
        state.got.iter().find(of_account).cloned().unwrap()
    });
    assert_eq!(first["refund"]["amount"], "1.00");
    assert_eq!(first["refund"]["type"], "External");
    assert_eq!(first["refund"]["gateway_state"], "NotSubmitted");
    assert_eq!(first["account"]["credit_balance"], "999.00");
    let metrics = gateway.get_admin("/metrics").to_string();
    assert!(metrics.contains("webhook_failed_total{webhook=\"books\"}"), "{metrics}");
}

/// Events are about customers' money: only a listener that proves to be the host gets one to read.
#[test]
fn events_go_by_tls_and_only_to_who_proves_to_be_the_host() {
    let (believed, stranger) = (authority("believed"), authority("stranger"));
    for (receiver, refusal) in [
        (Receiver::start_with(Some(server(&believed, "localhost", false))), None),
        (Receiver::start_with(Some(server(&believed, "other.example", false))), Some("name")),
        (Receiver::start_with(Some(server(&believed, "localhost", true))), Some("expired")),
        (Receiver::start_with(Some(server(&stranger, "localhost", false))), Some("UnknownIssuer")),
    ] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), believed.pem()).unwrap();
        fs::write(folder.path().join("config.toml"), receiver.config("ca_file = 'ca.pem'"))
            .unwrap();
        let gateway = TestGateway::start_in(folder, &["--demo", "--config", "config.toml"]);
        gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
        match refusal {
            None => receiver.until("the event", |state| state.got.len() == 1),
            Some(refusal) => {
                gateway.until_it_says(refusal);
                gateway.until_it_says("an event was not delivered; once more");
                receiver.with(|state| assert_eq!(state.got.len(), 0, "{refusal}"));
            }
        }
        receiver.with(|state| assert_eq!(state.wrong, Vec::<String>::new()));
    }
}

#[test]
fn a_gateway_that_dies_delivers_after_its_restart_what_it_had_not() {
    let receiver = Receiver::start();
    let mut gateway = TestGateway::configured(&receiver.config("kinds = ['refund.processed']"));
    let session = gateway.login();
    receiver.with(|state| state.is_down = true);
    for amount in 1..=20 {
        gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, &amount.to_string())]);
    }
    receiver.until("an attempt", |state| state.refusals > 0);
    gateway.kill9();
    receiver.with(|state| state.is_down = false);
    gateway.restart();
    receiver.until("some", |state| !state.got.is_empty());
    gateway.kill9();
    gateway.restart();
    receiver.until("the last", |state| {
        state.got.iter().any(|event| event["refund"]["amount"] == "20.00")
    });
    assert_eq!(receiver.kinds_of(EXTERNAL_ACCOUNT).len(), 20);
    receiver.with(|state| assert_eq!(state.wrong, Vec::<String>::new()));
}

fn failures(gateway: &TestGateway) -> Vec<Value> {
    let listed = done(gateway, "GET", "webhooks/books/failures", &Value::Null);
    listed["failures"].as_array().unwrap().clone()
}

#[test]
fn an_event_that_is_retried_while_it_is_under_way_is_not_sent_twice() {
    let receiver = Receiver::start();
    let gateway = TestGateway::configured(&receiver.config(""));
    receiver.with(|state| state.is_down = true);
    gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    receiver.until("a refusal", |state| state.refusals > 0);
    receiver.with(|state| state.is_held = true);
    receiver.until("another attempt", |state| state.held == [1]);
    let retried = done(&gateway, "POST", "webhooks/books/failures/1/retry", &Value::Null);
    assert!(retried["next_attempt"].is_string(), "{retried}");
    // Meanwhile the ledger is asked several times for what is due.
    thread::sleep(Duration::from_secs(1));
    receiver.with(|state| {
        assert_eq!((state.held.as_slice(), &state.wrong), (&[1][..], &Vec::new()));
        (state.is_held, state.is_down) = (false, false);
    });
    receiver.until("the event", |state| !state.got.is_empty());
    gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, "2.00")]);
    receiver.until("the next", |state| state.got.len() > 1);
    let sequences: Vec<_> = receiver
        .with(|state| state.got.iter().map(|event| event["sequence"].as_i64().unwrap()).collect());
    assert_eq!(sequences, [1, 2]);
    assert_eq!(failures(&gateway), Vec::<Value>::new());
    let audit = done(&gateway, "GET", "audit?object=Delivery", &Value::Null);
    let record = &audit["records"][0];
    assert_eq!((&record["operation"], &record["actor"]), (&json!("retry"), &json!("admin API")));
    let object = &record["objects"][0];
    assert_eq!((&object["id"], &object["facts"]["webhook"]), (&json!("books/1"), &json!("books")));
    assert_eq!(object["facts"]["refund"], "R-00000001");
}

#[test]
fn an_event_that_is_skipped_lets_the_next_of_its_account_go() {
    let receiver = Receiver::start();
    let gateway = TestGateway::configured(&receiver.config(""));
    receiver.with(|state| state.is_down = true);
    // Both in one call, so that they are collected together.
    let refunds = ["1.00", "2.00"].map(|amount| external_refund(EXTERNAL_ACCOUNT, amount));
    gateway.create(&gateway.login(), &refunds);
    receiver.until("a refusal", |state| state.refusals > 0);
    let decide = |event: i64, what: &str, body: &Value| {
        api(&gateway, "POST", &format!("webhooks/books/failures/{event}/{what}"), body)
    };
    let early = decide(2, "skip", &json!({ "reason": "x" }));
    assert_eq!(early.status, 409, "{}", early.body);
    assert!(early.body["error"].as_str().unwrap().contains("has not failed"), "{}", early.body);
    for body in [json!({}), json!({ "reason": "  " }), json!({ "reson": "x" })] {
        assert_eq!(decide(1, "skip", &body).status, 400, "{body}");
    }
    let skip = ["webhook", "skip", "books", "1", "--reason", "the books have it by hand"];
    assert!(told_by(&gateway, &skip).contains("\"done\": true"));
    let gone = command(&gateway, &skip);
    assert!(!gone.status.success(), "{gone:?}");
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(said.contains("404") && said.contains("no event 1 to get"), "{said}");
    receiver.with(|state| state.is_down = false);
    receiver.until("the next", |state| !state.got.is_empty());
    let amounts: Vec<_> =
        receiver.with(|state| state.got.iter().map(|it| it["refund"]["amount"].clone()).collect());
    assert_eq!(amounts, ["2.00"]);
    let retried = command(&gateway, &["webhook", "retry", "none", "1"]);
    let said = String::from_utf8(retried.stderr).unwrap();
    assert!(said.contains("There is no webhook `none`"), "{said}");
    let audit = done(&gateway, "GET", "audit?id=books/1", &Value::Null);
    let facts = &audit["records"][0]["objects"][0]["facts"];
    assert_eq!(facts["reason"], "the books have it by hand", "{audit}");
    receiver.with(|state| assert_eq!(state.wrong, Vec::<String>::new()));
}

/// Listeners are written in the ledger, which a reset and a snapshot replace.
#[test]
fn a_webhook_goes_on_listening_after_the_ledger_was_replaced() {
    let receiver = Receiver::start();
    let gateway = TestGateway::configured(&receiver.config(""));
    let refunded = |amount: &str| {
        gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, amount)]);
        receiver.until(amount, |state| {
            state.got.iter().any(|event| event["refund"]["amount"] == amount)
        });
    };
    done(&gateway, "PUT", "snapshots/empty", &Value::Null);
    refunded("1.00");
    done(&gateway, "POST", "reset", &json!({}));
    refunded("2.00");
    done(&gateway, "POST", "snapshots/empty/restore", &Value::Null);
    refunded("3.00");
}

#[test]
fn the_command_shows_events_beside_a_running_gateway() {
    let gateway = TestGateway::configured("[events]\nenabled = true\n");
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    gateway.create(&session, &[electronic_refund("13.50")]);
    let tail = |args: &[&str]| {
        let mut command = program(gateway.folder());
        let output = finish(command.args(["events", "--ledger", gateway.place()]).args(args));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        String::from_utf8(output.stdout).unwrap()
    };
    let reported = tail(&[]);
    let kinds: Vec<_> =
        reported.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(kinds, ["refund.processed", "refund.processing", "refund.processed"], "{reported}");
    assert!(reported.lines().all(|line| line.contains("USD")), "{reported}");
    let json = tail(&["--json", "--after", "2"]);
    let event: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&event["sequence"], &event["refund"]["amount"]), (&3.into(), &"13.50".into()));
    assert_eq!(event["refund"]["gateway_state"], "Submitted");
    let mut follower = program(gateway.folder())
        .args(["events", "--ledger", gateway.place(), "--follow", "--json", "--after", "3"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "7.00")]);
    let mut line = String::new();
    BufReader::new(follower.stdout.take().unwrap()).read_line(&mut line).unwrap();
    follower.kill().unwrap();
    follower.wait().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["sequence"], &event["refund"]["amount"]), (&4.into(), &"7.00".into()));
}

#[test]
fn events_are_kept_for_as_long_as_it_is_configured() {
    let config = |clock| format!("clock = '{clock}'\n[events]\nenabled = true\nkeep_days = 30\n");
    let mut gateway = TestGateway::configured(&config("2026-01-05T12:00:00Z"));
    let session = gateway.login();
    for amount in ["1.00", "2.00", "3.00"] {
        gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, amount)]);
    }
    let kept = |gateway: &TestGateway| {
        let mut command = program(gateway.folder());
        let output = finish(command.args(["events", "--ledger", gateway.place()]));
        let reported = String::from_utf8(output.stdout).unwrap();
        let sequence = |line: &str| line.split_whitespace().next().unwrap().to_owned();
        reported.lines().map(sequence).collect::<Vec<_>>()
    };
    for (clock, expected) in [
        ("2026-02-04T12:00:00Z", vec!["1", "2", "3"]),
        // The newest is always there, so that numbers go on.
        ("2026-02-04T12:00:01Z", vec!["3"]),
    ] {
        gateway.kill9();
        fs::write(gateway.folder().join("config.toml"), config(clock)).unwrap();
        gateway.restart();
        let started = Instant::now();
        while kept(&gateway) != expected {
            assert!(started.elapsed() < PATIENCE, "{clock}: {:?}", kept(&gateway));
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn without_events_the_command_says_so() {
    let gateway = TestGateway::demo();
    gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    let output = finish(program(gateway.folder()).args(["events", "--ledger", gateway.place()]));
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("keeps no events"), "{said}");
}

#[test]
fn a_webhook_that_cannot_be_used_is_refused_by_its_line() {
    let base = format!("[[webhook]]\nname = 'books'\nsecret = '{SECRET}'\n");
    for (more, said) in [
        (
            "url = 'http://example.com/'",
            "c.toml:4: webhook.url: http://example.com is not loopback",
        ),
        ("url = 'https://h'\nkinds = []", "c.toml:5: webhook.kinds: names no kind"),
        ("url = 'https://h'\nkinds = ['x']", "c.toml:5: webhook.kinds: unknown kind `x`"),
        ("url = 'https://h'\ntimeout_ms = 0", "c.toml:5: webhook.timeout_ms: is 0"),
        ("url = 'https://h'\nsecret_file = 'x'", "webhook `books` needs one of secret"),
    ] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("c.toml"), format!("{base}{more}\n")).unwrap();
        let output = finish(program(folder.path()).args(["check", "--config", "c.toml"]));
        let reported = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{more}: {reported}");
        assert!(reported.contains(said) && !reported.contains(SECRET), "{said} in {reported}");
    }
}
