//! Clients that pay at random at any node of a ledger, with and without keys, and what they were
//! answered: at the end that is compared with what is there.

use crate::drawn::Drawn;
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, EXTERNAL_ACCOUNT, create_envelope, refund,
};
use crate::processor_stub::{Behaviour, ProcessorStub};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take to work again: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Has the clients end, also when what they are struck by fails.
pub struct Ending<'e>(pub &'e AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What became of a create, as its client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Acknowledged(String),
    Refused,
    Unknown,
}

/// What clients were answered, by what they wrote as comments.
#[derive(Default)]
pub struct Answers {
    /// With the cents that were asked for.
    outcomes: Mutex<BTreeMap<String, (u64, Outcome)>>,
    acknowledged: AtomicU64,
}

/// What `compare` found to be equal.
#[derive(Debug, Default)]
pub struct Compared {
    pub acknowledged: usize,
    pub acknowledged_cents: u64,
    pub refused: usize,
    pub unknown: usize,
    /// Of those without an answer, how many are there.
    pub unknown_there: usize,
    pub unknown_there_cents: u64,
    pub there: usize,
    pub there_cents: u64,
}

/// A row of the ledger: its id and its cents.
type Row = (String, u64);

impl Answers {
    fn note(&self, comment: String, cents: u64, outcome: Outcome) {
        let is_acknowledged = matches!(outcome, Outcome::Acknowledged(_));
        self.outcomes.lock().unwrap().insert(comment, (cents, outcome));
        self.acknowledged.fetch_add(u64::from(is_acknowledged), Ordering::SeqCst);
    }

    /// How many refunds were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until so many more refunds were acknowledged.
    pub fn until_acknowledged(&self, more: u64) {
        let (wanted, began) = (self.acknowledged() + more, Instant::now());
        while self.acknowledged() < wanted {
            assert!(began.elapsed() < PATIENCE, "no refund is acknowledged");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until what was on its way is answered or not: nothing is acknowledged any more.
    pub fn until_none_is_acknowledged(&self) {
        let began = Instant::now();
        loop {
            let before = self.acknowledged();
            thread::sleep(Duration::from_secs(1));
            if self.acknowledged() == before {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "refunds are acknowledged still");
        }
    }

    /// Compares what was answered with what the ledger has, as `sql` finds it: all that was
    /// acknowledged is there once and as it was asked for, nothing that was refused is, and the
    /// balances are what is left.
    pub fn compare(&self, sql: &dyn Fn(&str) -> String) -> Compared {
        let found = rows(sql);
        let outcomes = self.outcomes.lock().unwrap();
        let mut ids = BTreeSet::new();
        let mut compared = Compared { there: found.len(), ..Compared::default() };
        compared.there_cents = found.values().map(|(_, cents)| cents).sum();
        for (comment, (cents, outcome)) in outcomes.iter() {
            let there = found.get(comment);
            match outcome {
                Outcome::Acknowledged(id) => {
                    assert!(ids.insert(id), "the id {id} was given twice");
                    assert_eq!(there, Some(&(id.clone(), *cents)), "{comment}");
                    compared.acknowledged += 1;
                    compared.acknowledged_cents += cents;
                }
                Outcome::Refused => {
                    assert_eq!(there, None, "{comment} was refused");
                    compared.refused += 1;
                }
                Outcome::Unknown => {
                    compared.unknown += 1;
                    if let Some((_, there)) = there {
                        assert_eq!(there, cents, "{comment}");
                        compared.unknown_there += 1;
                        compared.unknown_there_cents += cents;
                    }
                }
            }
        }
        let known = compared.acknowledged + compared.unknown_there;
        assert_eq!(compared.there, known, "there is what no client asked for");
        let wrong = "select count(*) from account where balance < 0 \
                     or balance <> opening - coalesce((select sum(amount) from refund \
                     where refund.account = account.key and refund.status <> 'Error'), 0)";
        assert_eq!(sql(wrong), "0", "a balance is not what is left");
        let gaps = "select coalesce(max(number), 0) - count(*) from refund";
        assert_eq!(sql(gaps), "0", "numbers have no gaps");
        compared
    }

    /// Compares what the gateway paid with what the ledger says of it: each order once at most, and
    /// none that was given back.
    pub fn compare_payments(&self, sql: &dyn Fn(&str) -> String, stub: &ProcessorStub) {
        assert!(stub.payments().values().all(|paid| *paid == 1), "{:?}", stub.payments());
        let outcomes = self.outcomes.lock().unwrap();
        let declined = sql("select comment from refund where status = 'Error'");
        for comment in declined.lines() {
            if let Some((_, Outcome::Acknowledged(id))) = outcomes.get(comment) {
                assert_eq!(stub.paid(id), 0, "{id} was paid and given back");
            }
        }
    }
}

/// The refunds of the ledger, by their comments.
fn rows(sql: &dyn Fn(&str) -> String) -> BTreeMap<String, Row> {
    let select = "select comment, refund_id(created_ms, salt, number), amount from refund_row";
    let mut found = BTreeMap::new();
    for row in sql(select).lines() {
        let [comment, id, cents]: [&str; 3] =
            row.split('|').collect::<Vec<_>>().try_into().unwrap();
        let row = (id.to_owned(), cents.parse().unwrap());
        assert_eq!(found.insert(comment.to_owned(), row), None, "{comment} made two refunds");
    }
    found
}

impl fmt::Display for Compared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |refunds: usize, cents: u64| {
            format!("{refunds:>8} refunds {:>10}.{:02} USD", cents / 100, cents % 100)
        };
        let acknowledged = line(self.acknowledged, self.acknowledged_cents);
        writeln!(out, "acknowledged            {acknowledged}")?;
        writeln!(out, "of these there, once    {acknowledged}")?;
        let unknown = line(self.unknown_there, self.unknown_there_cents);
        writeln!(out, "there without an answer {unknown} (of {} without one)", self.unknown)?;
        writeln!(out, "there                   {}", line(self.there, self.there_cents))?;
        writeln!(out, "refused                 {:>8} refunds, none of them there", self.refused)?;
        write!(
            out,
            "equal: each id and amount; opening - refunds = balance of each account; numbers \
             without gaps"
        )
    }
}

/// Who pays, and what.
pub struct Client<'c> {
    /// Which of the clients it is.
    pub place: u64,
    /// The nodes.
    pub nodes: &'c RwLock<Vec<SocketAddr>>,
    pub session: &'c str,
    /// The most that a refund is.
    pub cents_max: u64,
    /// Whether some refunds go to a card.
    pub has_card: bool,
}

impl Client<'_> {
    /// Pays until it is over. A request with a key is sent until it is answered, wherever that is.
    pub fn run(&self, answers: &Answers, is_over: &AtomicBool) {
        let mut drawn = Drawn(self.place);
        let mut count = 0;
        while !is_over.load(Ordering::SeqCst) {
            count += 1;
            let comment = format!("by {}, its {count}", self.place);
            let key = (drawn.below(2) == 0).then(|| format!("key-{}-{count}", self.place));
            let cents = drawn.below(self.cents_max) + 1;
            let body = create_envelope(self.session, &[self.object(&mut drawn, cents, &comment)]);
            let outcome = self.pay(&mut drawn, key.as_deref(), &body);
            answers.note(comment, cents, outcome);
        }
    }

    fn any(&self, drawn: &mut Drawn) -> SocketAddr {
        let nodes = self.nodes.read().unwrap();
        nodes[drawn.below(nodes.len() as u64) as usize]
    }

    fn pay(&self, drawn: &mut Drawn, key: Option<&str>, body: &str) -> Outcome {
        let (began, mut is_unknown) = (Instant::now(), false);
        let answer = loop {
            let answer = send(self.any(drawn), key, body);
            is_unknown |= answer.is_none();
            let is_open = answer.as_ref().is_none_or(|answer| answer.contains("Fault>"));
            if !is_open {
                break answer;
            }
            if key.is_none() || began.elapsed() > PATIENCE {
                break answer.filter(|_| !is_unknown);
            }
            thread::sleep(Duration::from_millis(100));
        };
        let Some(answer) = answer else { return Outcome::Unknown };
        if !answer.contains(":Success>true<") {
            return Outcome::Refused;
        }
        let id = element(&answer, "Id").unwrap_or_else(|| panic!("{answer}"));
        if let Some(key) = key {
            // The same refund from any node, whatever its gateway has said since.
            let again = send(self.any(drawn), Some(key), body);
            let again = again.as_deref().and_then(|again| element(again, "Id"));
            assert!(again.is_none_or(|again| again == id), "{key} made two refunds");
        }
        Outcome::Acknowledged(id)
    }

    fn object(&self, drawn: &mut Drawn, cents: u64, comment: &str) -> String {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let external =
            [("AccountId", EXTERNAL_ACCOUNT), ("Type", "External"), ("MethodType", "Check")];
        let electronic = [
            ("AccountId", ELECTRONIC_ACCOUNT),
            ("Type", "Electronic"),
            ("PaymentMethodId", ELECTRONIC_METHOD),
        ];
        let is_electronic = self.has_card && drawn.below(3) == 0;
        let kind = if is_electronic { electronic } else { external };
        let more =
            [("Amount", amount.as_str()), ("SourceType", "CreditBalance"), ("Comment", comment)];
        refund(&[kind.as_slice(), &more].concat())
    }
}

/// Sends a request over a connection of its own; nothing where no whole answer came.
fn send(address: SocketAddr, key: Option<&str>, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/xml\r\n{key}\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    answer.trim_end().ends_with("Envelope>").then_some(answer)
}

/// The text of the first element of this name.
fn element(answer: &str, name: &str) -> Option<String> {
    let begin = answer.find(&format!(":{name}>"))? + name.len() + 2;
    let end = answer[begin..].find('<')? + begin;
    Some(answer[begin..end].to_owned())
}

/// Has the gateway decline, hang up before and after it paid, and be slow, for so many orders.
pub fn vex(stub: &ProcessorStub, orders: usize) {
    stub.script((0..orders).map(|place| match place % 7 {
        0 => Behaviour::Decline,
        1 => Behaviour::DropAfter,
        2 => Behaviour::DropBefore,
        3 => Behaviour::Slow(Duration::from_millis(150)),
        _ => Behaviour::Normal,
    }));
}
