//! A payment processor for tests: the contract of docs/PROCESSORS.md on loopback, which fails on
//! demand and counts what it paid.
//!
//! It is written against the contract's text and shares no code with the connector, so that the two
//! judge each other. Without a script it is a processor as it should be: one payment a reference,
//! signatures and times checked, the same order answered the same again.

#![allow(dead_code, reason = "each module of the tests takes what it needs")]

mod serving;
mod watching;

pub use watching::Moment;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_rustls::rustls::ServerConfig;

/// The secret that the stub and the caller that signs for it share.
pub const SECRET: &str = "a secret of tests, and of nobody else";
/// An amount that the stub always declines.
pub const DECLINED_AMOUNT: &str = "13.00";
/// How far a request's time may be from the stub's, in seconds.
const SKEW_S: u64 = 300;

/// What the stub does with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Works, and answers as the contract says.
    Normal,
    /// Does not pay, and says so for certain.
    Decline,
    /// Closes the connection before it reads what was asked: nothing is done.
    DropBefore,
    /// Works, and closes the connection without an answer.
    DropAfter,
    /// Works, and closes the connection in the middle of its answer.
    Half,
    /// Works, and never answers.
    Hang,
    /// Works, and answers only after this time.
    Slow(Duration),
    /// Works, and answers what is no JSON.
    Garbage,
    /// Does nothing, and answers this status without the contract's body.
    StatusBefore(u16),
    /// Works, and answers this status without the contract's body.
    StatusAfter(u16),
    /// Works, and answers with one member (reference, amount, currency) of another refund.
    WrongEcho(&'static str),
    /// Works, and answers without one member.
    Without(&'static str),
    /// Works, and answers with a member more.
    With(&'static str, &'static str),
    /// Works, and answers with a type of content that is not JSON's.
    ContentType(&'static str),
    /// Works, and answers more than 64 kB, of which the first are what the contract says.
    Oversized,
    /// Works, and sends the asker elsewhere.
    Redirect(String),
    /// Works later: says that it is not done yet.
    Processing,
    /// Does not know what it knows: answers an inquiry with the contract's "never heard of".
    Forgotten,
}

/// A way in which an adapter breaks the contract for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Pays again under a reference that it has paid.
    PaysAgain,
    /// Believes every caller.
    TakesAnySignature,
    /// Believes old requests and those from the future.
    TakesAnyTime,
    /// Refuses what is not of this very second.
    TakesNoSkew,
    /// Answers another order under a known reference as if it were the same.
    IgnoresConflicts,
    /// Takes the reference from the body, whatever the key.
    TakesAnyKey,
    /// Does not say in the contract's words that it does not know a reference.
    BareNotFound,
    /// Decides anew when an order that it declined comes again.
    ForgetsDeclines,
}

/// What has been done under one reference.
#[derive(Debug, Clone)]
struct Done {
    /// What was ordered, to know the same order again.
    body: Vec<u8>,
    answer: Value,
}

#[derive(Default)]
struct State {
    refund_script: VecDeque<Behaviour>,
    inquiry_script: VecDeque<Behaviour>,
    refund_rule: Option<Behaviour>,
    inquiry_rule: Option<Behaviour>,
    flaw: Option<Flaw>,
    key_retention_h: Option<u32>,
    book: BTreeMap<String, Done>,
    payments: BTreeMap<String, u32>,
    orders: Vec<Value>,
    refused: Vec<String>,
}

/// The stub; it serves until it is dropped, and a little longer.
pub struct ProcessorStub {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
}

/// What the stub and its threads share.
struct Shared {
    watch: watching::Watch,
    state: Mutex<State>,
    connections: AtomicUsize,
    refunds: AtomicUsize,
    inquiries: AtomicUsize,
}

impl ProcessorStub {
    /// A stub on a free port of loopback, without TLS.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// A stub that speaks TLS.
    pub fn start_tls(config: ServerConfig) -> Self {
        Self::start_with(Some(Arc::new(config)))
    }

    fn start_with(tls: Option<Arc<ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            watch: watching::Watch::default(),
            state: Mutex::default(),
            connections: AtomicUsize::new(0),
            refunds: AtomicUsize::new(0),
            inquiries: AtomicUsize::new(0),
        });
        let address = serving::listen(Arc::clone(&shared), tls);
        Self { shared, address, scheme }
    }

    /// Its base URL, with a path of its own.
    pub fn url(&self) -> String {
        self.url_by(if self.scheme == "https" { "localhost" } else { "127.0.0.1" })
    }

    /// Its base URL by this name of the machine.
    pub fn url_by(&self, host: &str) -> String {
        format!("{}://{host}:{}/adapter", self.scheme, self.address.port())
    }

    /// Its table in a configuration file, with `more` lines.
    pub fn table(&self, name: &str, more: &str) -> String {
        let url = self.url();
        format!(
            "[[gateway]]\nname = '{name}'\nkind = 'http'\nurl = '{url}'\nsecret = '{SECRET}'\n\
             non_referenced_refunds = true\n{more}\n"
        )
    }

    /// What it does with the next orders; after them it follows its rule.
    pub fn script(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.state().refund_script.extend(behaviours);
    }

    /// What it does with the next inquiries; after them it follows its rule.
    pub fn script_inquiries(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.state().inquiry_script.extend(behaviours);
    }

    /// What it does with every order that no script is for.
    pub fn rule(&self, behaviour: Behaviour) {
        self.state().refund_rule = Some(behaviour);
    }

    /// What it does with every inquiry that no script is for.
    pub fn rule_inquiries(&self, behaviour: Behaviour) {
        self.state().inquiry_rule = Some(behaviour);
    }

    /// Breaks the contract in this way from now on.
    pub fn flawed(&self, flaw: Flaw) {
        self.state().flaw = Some(flaw);
    }

    /// Says with each "never heard of" for how many hours it knows references for certain.
    pub fn declares_retention(&self, hours: u32) {
        self.state().key_retention_h = Some(hours);
    }

    /// How often money left, by reference. What was declined is not there.
    pub fn payments(&self) -> BTreeMap<String, u32> {
        self.state().payments.clone()
    }

    /// How often money left under this reference.
    pub fn paid(&self, reference: &str) -> u32 {
        self.state().payments.get(reference).copied().unwrap_or_default()
    }

    /// The bodies of all orders that it read, in the order of their coming.
    pub fn orders(&self) -> Vec<Value> {
        self.state().orders.clone()
    }

    /// Why it refused requests.
    pub fn refused(&self) -> Vec<String> {
        self.state().refused.clone()
    }

    /// How many orders came.
    pub fn refunds(&self) -> usize {
        self.shared.refunds.load(Ordering::SeqCst)
    }

    /// How many inquiries came.
    pub fn inquiries(&self) -> usize {
        self.shared.inquiries.load(Ordering::SeqCst)
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Forgets every reference, as a processor does after its time of retention.
    pub fn forget(&self) {
        self.state().book.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

/// A request as it came.
struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// What the stub says: a status and the contract's JSON.
type Report = (u16, Value);

impl Shared {
    /// The next behaviour for a request of this method.
    fn behaviour(&self, method: &str) -> Behaviour {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        let (count, script, rule) = match method {
            "POST" => (&self.refunds, &mut state.refund_script, &state.refund_rule),
            _ => (&self.inquiries, &mut state.inquiry_script, &state.inquiry_rule),
        };
        count.fetch_add(1, Ordering::SeqCst);
        script.pop_front().or_else(|| rule.clone()).unwrap_or(Behaviour::Normal)
    }

    /// Does what a request asks for, as the contract wants it.
    fn work(&self, request: &Request, behaviour: &Behaviour) -> Report {
        let flaw = self.state.lock().unwrap().flaw;
        if let Err(why) = check_signature(request, flaw) {
            self.state.lock().unwrap().refused.push(why.clone());
            return (401, json!({ "status": "refused", "message": why }));
        }
        match (request.method.as_str(), request.path.strip_prefix("/adapter/refunds")) {
            ("POST", Some("")) => self.refund(request, behaviour),
            ("GET", Some(rest)) if rest.starts_with('/') => self.inquire(&rest[1..], behaviour),
            _ => (404, json!({ "status": "refused", "message": "no such resource" })),
        }
    }

    fn refund(&self, request: &Request, behaviour: &Behaviour) -> Report {
        let Ok(order) = serde_json::from_slice::<Value>(&request.body) else {
            return (400, json!({ "status": "refused", "message": "no JSON" }));
        };
        let reference = order["reference"].as_str().unwrap_or_default().to_owned();
        let mut state = self.state.lock().unwrap();
        let flaw = state.flaw;
        let is_key = request.headers.get("idempotency-key") == Some(&reference);
        if reference.is_empty() || !(is_key || flaw == Some(Flaw::TakesAnyKey)) {
            return (400, json!({ "status": "refused", "message": "no key, or another's" }));
        }
        state.orders.push(order.clone());
        let forgets = |done: &&Done| match flaw {
            Some(Flaw::PaysAgain) => true,
            Some(Flaw::ForgetsDeclines) => done.answer["status"] == "declined",
            _ => false,
        };
        if let Some(done) = state.book.get(&reference).filter(|done| !forgets(done)) {
            return if done.body == request.body || flaw == Some(Flaw::IgnoresConflicts) {
                (200, done.answer.clone())
            } else {
                let message = "the key belongs to another order";
                (409, json!({ "reference": reference, "status": "conflict", "message": message }))
            };
        }
        let comes_again = state.book.contains_key(&reference);
        let declines = *behaviour == Behaviour::Decline
            || (order["amount"] == DECLINED_AMOUNT && !comes_again);
        let mut answer = json!({
            "reference": reference,
            "amount": order["amount"],
            "currency": order["currency"],
            "status": if declines { "declined" } else { "approved" },
            "code": if declines { "51" } else { "OK" },
            "message": if declines { "No money" } else { "Paid by the stub" },
        });
        if !declines {
            *state.payments.entry(reference.clone()).or_default() += 1;
            let times = state.payments[&reference];
            answer["processor_reference"] = json!(format!("stub-{}-{times}", &reference[24..]));
        }
        let body = request.body.clone();
        state.book.insert(reference, Done { body, answer: answer.clone() });
        if *behaviour == Behaviour::Processing { (200, processing(&answer)) } else { (200, answer) }
    }

    fn inquire(&self, reference: &str, behaviour: &Behaviour) -> Report {
        let state = self.state.lock().unwrap();
        match state.book.get(reference) {
            Some(done) if *behaviour == Behaviour::Processing => (200, processing(&done.answer)),
            Some(done) if *behaviour != Behaviour::Forgotten => (200, done.answer.clone()),
            _ if state.flaw == Some(Flaw::BareNotFound) => (404, json!({ "error": "no such" })),
            _ => {
                let mut reported = json!({ "reference": reference, "status": "never-heard" });
                if let Some(hours) = state.key_retention_h {
                    reported["key_retention_h"] = json!(hours);
                }
                (404, reported)
            }
        }
    }
}

fn processing(answer: &Value) -> Value {
    json!({
        "reference": answer["reference"],
        "amount": answer["amount"],
        "currency": answer["currency"],
        "status": "processing",
    })
}

/// Whether the request carries the signature of the contract, and a time that is near.
fn check_signature(request: &Request, flaw: Option<Flaw>) -> Result<(), String> {
    if flaw == Some(Flaw::TakesAnySignature) {
        return Ok(());
    }
    let header = |name: &str| {
        request.headers.get(name).cloned().ok_or_else(|| format!("the header {name} is missing"))
    };
    let time = header("refund-gateway-time")?;
    let signature = header("refund-gateway-signature")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let reported: u64 = time.parse().map_err(|_| format!("`{time}` is no time"))?;
    let skew = match flaw {
        Some(Flaw::TakesAnyTime) => u64::MAX,
        Some(Flaw::TakesNoSkew) => 5,
        _ => SKEW_S,
    };
    if reported.abs_diff(now) > skew {
        return Err(format!("the time {reported} is too far from {now}"));
    }
    let expected = sign(&request.method, &request.path, &time, &request.body);
    if signature == expected { Ok(()) } else { Err("the signature is wrong".to_owned()) }
}

/// The signature of a request by the contract's words.
pub fn sign(method: &str, path: &str, time: &str, body: &[u8]) -> String {
    let text = format!("v1\n{method}\n{path}\n{time}\n{}", hex(&Sha256::digest(body)));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
