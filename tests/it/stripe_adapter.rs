//! The worked adapter against localstripe, a stand-in for Stripe's API that knows no idempotency
//! keys: what the adapter asks there, and that it finds what it did before by our reference.

use crate::gateway::{finish, program};
use crate::processor_stub::{SECRET, sign};
use crate::skipped::runs;
use crate::wire::{Answer, Connection};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const ADAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/stripe-adapter/adapter.py");
const LOCALSTRIPE: &str = "import localstripe.server as server; server.start()";
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn has_localstripe() -> bool {
    runs("python3", &["-c", "import localstripe.server"], "localstripe")
}

struct Room {
    folder: TempDir,
    stripe: SocketAddr,
    adapter: SocketAddr,
    running: Vec<Running>,
}

impl Room {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        // It cannot be asked for a free port.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let stripe = free.local_addr().unwrap();
        drop(free);
        let port = stripe.port().to_string();
        let stub = Command::new("python3")
            .args(["-c", LOCALSTRIPE, "--port", &port, "--from-scratch"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = vec![Running(stub)];
        let started = Instant::now();
        while TcpStream::connect(stripe).is_err() {
            assert!(started.elapsed() < PATIENCE, "localstripe does not start");
            thread::sleep(Duration::from_millis(50));
        }
        let mut room = Self { folder, stripe, adapter: stripe, running };
        room.start_adapter(stripe);
        room
    }

    /// Starts the adapter, or starts it anew, before an API at `stripe`.
    fn start_adapter(&mut self, stripe: SocketAddr) {
        self.running.truncate(1);
        let (adapter, running) = start_adapter(self.folder.path(), stripe);
        self.adapter = adapter;
        self.running.push(running);
    }

    /// A charge of 10.00 USD.
    fn charge(&self) -> String {
        let card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&\
                    card[cvc]=123";
        let method = self.stripe("POST", "/v1/payment_methods", &format!("type=card&{card}"));
        let method = method["id"].as_str().unwrap();
        let charge = format!("amount=1000&currency=usd&source={method}");
        self.stripe("POST", "/v1/charges", &charge)["id"].as_str().unwrap().to_owned()
    }

    /// The refunds of a charge, as the API has them.
    fn refunds(&self, charge: &str) -> Vec<Value> {
        let found = self.stripe("GET", &format!("/v1/refunds?charge={charge}"), "");
        found["data"].as_array().unwrap().clone()
    }

    fn stripe(&self, method: &str, path: &str, form: &str) -> Value {
        let headers = [
            ("Authorization", "Bearer sk_test_12345"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let answer = Connection::open(self.stripe).send(method, path, &headers, form.as_bytes());
        assert_eq!(answer.status, 200, "{answer}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn post(&self, order: &Value) -> (u16, Value) {
        let key = order["reference"].as_str().unwrap().to_owned();
        reported(&self.signed("POST", "/refunds", &[("Idempotency-Key", &key)], &order.to_string()))
    }

    fn get(&self, reference: &str) -> (u16, Value) {
        reported(&self.signed("GET", &format!("/refunds/{reference}"), &[], ""))
    }

    fn signed(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
        let signature = sign(method, path, &now, body.as_bytes());
        let signed = [("Refund-Gateway-Time", &*now), ("Refund-Gateway-Signature", &*signature)];
        let headers = [&signed, more].concat();
        Connection::open(self.adapter).send(method, path, &headers, body.as_bytes())
    }
}

fn start_adapter(folder: &Path, stripe: SocketAddr) -> (SocketAddr, Running) {
    let mut child = Command::new("python3")
        .arg(ADAPTER)
        .current_dir(folder)
        .env("STRIPE_URL", format!("http://{stripe}"))
        .env("STRIPE_KEY", "sk_test_12345")
        .env("SECRET_FILE", "secret")
        .env("JOURNAL", "journal.sqlite")
        .env("PORT", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let running = Running(child);
    let address = line.trim().strip_prefix("listening on http://");
    (address.unwrap_or_else(|| panic!("the adapter says {line:?}")).parse().unwrap(), running)
}

fn reported(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn order(number: u32, amount: &str, payment: &str) -> Value {
    json!({
        "reference": format!("{number:032x}"), "amount": amount, "currency": "USD",
        "kind": "referenced", "payment_method": "2c92c0f83dfa5201013dfa6656ff2b8b",
        "original_payment": payment, "options": [],
    })
}

#[test]
fn a_payment_is_given_back_once_and_found_again_by_the_reference() {
    if !has_localstripe() {
        return;
    }
    let mut room = Room::new();
    let charge = room.charge();
    let order = order(1, "4.50", &charge);
    let reference = order["reference"].as_str().unwrap();
    let never = json!({ "reference": reference, "status": "never-heard" });
    assert_eq!(room.get(reference), (404, never));
    let first = room.post(&order);
    assert_eq!((first.0, &first.1["status"]), (200, &json!("approved")), "{first:?}");
    for member in ["reference", "amount", "currency"] {
        assert_eq!(first.1[member], order[member]);
    }
    let refunds = room.refunds(&charge);
    assert_eq!(refunds.len(), 1);
    assert_eq!(refunds[0]["id"], first.1["processor_reference"]);
    assert_eq!((&refunds[0]["amount"], &refunds[0]["currency"]), (&json!(450), &json!("usd")));
    assert_eq!(refunds[0]["metadata"], json!({ "reference": reference }));
    assert_eq!(room.post(&order), first);
    assert_eq!(room.get(reference), first);
    // Everything that the adapter knew is lost, except that an order came: the API still knows it.
    fs::remove_file(room.folder.path().join("journal.sqlite")).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(room.folder.path().join(format!("journal.sqlite{suffix}")));
    }
    let stripe = room.stripe;
    room.start_adapter(stripe);
    assert_eq!(room.post(&order), first);
    assert_eq!(room.refunds(&charge).len(), 1);
}

#[test]
fn the_adapter_passes_the_conformance_kit() {
    if !has_localstripe() {
        return;
    }
    let room = Room::new();
    let charge = room.charge();
    let url = format!("http://{}", room.adapter);
    let args = ["check", "processor", &url, "--secret-file", "secret"];
    let payment = ["--original-payment", &charge];
    let output = finish(program(room.folder.path()).args(args).args(payment));
    let reported = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{reported}");
    assert_eq!(room.refunds(&charge).len(), 2, "what the kit says that it costs");
}

#[test]
fn an_order_at_the_same_moment_is_carried_out_once() {
    if !has_localstripe() {
        return;
    }
    let room = Room::new();
    let charge = room.charge();
    let order = order(2, "1.00", &charge);
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let ask = || room.post(&order);
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    for (status, answer) in answers {
        assert_eq!(status, 200);
        assert!(["approved", "processing"].iter().any(|one| answer["status"] == *one), "{answer}");
    }
    assert_eq!(room.refunds(&charge).len(), 1);
}

#[test]
fn what_cannot_be_done_is_declined_and_what_nobody_answered_is_not() {
    if !has_localstripe() {
        return;
    }
    let mut room = Room::new();
    let charge = room.charge();
    let declined = |order: &Value| {
        let (status, answer) = room.post(order);
        assert_eq!((status, &answer["status"]), (200, &json!("declined")), "{answer}");
        assert_eq!(room.post(order), (status, answer.clone()));
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()));
        answer["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(declined(&order(3, "1.00", "ch_nobody")), "resource_missing");
    let mut euros = order(4, "1.00", &charge);
    euros["currency"] = json!("EUR");
    assert_eq!(declined(&euros), "currency");
    let mut other = order(5, "1.00", &charge);
    other["kind"] = json!("non-referenced");
    other.as_object_mut().unwrap().remove("original_payment");
    assert_eq!(declined(&other), "kind");
    // The same reference for something else.
    room.post(&order(6, "1.00", &charge));
    let (status, conflict) = room.post(&order(6, "2.00", &charge));
    assert_eq!((status, &conflict["status"]), (409, &json!("conflict")));
    // No server behind it: no answer, and the order is taken up when one is there again.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let unknown = free.local_addr().unwrap();
    drop(free);
    room.start_adapter(unknown);
    let lost = order(7, "1.00", &charge);
    assert_eq!(room.post(&lost).0, 502);
    assert_eq!(room.get(lost["reference"].as_str().unwrap()).0, 502);
    let stripe = room.stripe;
    room.start_adapter(stripe);
    assert_eq!(room.get(lost["reference"].as_str().unwrap()).0, 404);
    assert_eq!(room.post(&lost).1["status"], "approved");
    assert_eq!(room.refunds(&charge).len(), 2);
}

#[test]
fn whoever_has_not_the_secret_is_refused() {
    if !has_localstripe() {
        return;
    }
    let room = Room::new();
    let order = order(8, "1.00", "ch_x");
    let key = order["reference"].as_str().unwrap();
    let body = order.to_string();
    let send = |path: &str, headers: &[(&str, &str)]| {
        Connection::open(room.adapter).send("POST", path, headers, body.as_bytes()).status
    };
    assert_eq!(send("/refunds", &[("Idempotency-Key", key)]), 401);
    let old = "1767225600";
    let signature = sign("POST", "/refunds", old, body.as_bytes());
    let signed = [
        ("Idempotency-Key", key),
        ("Refund-Gateway-Time", old),
        ("Refund-Gateway-Signature", &signature),
    ];
    assert_eq!(send("/refunds", &signed), 401);
    assert_eq!(room.signed("POST", "/refunds", &[("Idempotency-Key", "x")], &body).status, 400);
    assert_eq!(room.get(key).0, 404);
}
