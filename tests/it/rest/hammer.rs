//! 64 clients, half by SOAP and half by REST, on one account, one credit memo and one payment, with
//! a key on each write and a process that is killed again and again: no key is done twice, none
//! that was acknowledged is lost, and exactly what was unapplied is refunded.

use super::client::{CLIENT, MEMO, METHOD, PAYMENT, SECRET, json, settlement, token};
use crate::gateway::{ENDPOINT, TestGateway, create_envelope, refund};
use crate::stored::Reader;
use refund_gateway::domain::id::{RefundId, RefundNumber};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 64;
/// How often the process is killed, and how many refunds are acknowledged before each time.
const ROUNDS: usize = 4;
const A_ROUND: usize = 100;
/// What is refunded at a time, and once so much is not left any more; of 1000.00 each.
const AMOUNTS: [&str; 2] = ["3.00", "1.00"];

/// What a client has of the gateway; both survive its restarts.
struct Access {
    token: String,
    session: String,
}

/// A client that sends refunds one after the other, each under a key of its own, until its
/// connection breaks; then the key in flight is sent again.
struct Client {
    name: usize,
    sent: usize,
    /// Which of the amounts it asks for; none once nothing is left.
    amount: Option<&'static str>,
    /// The number of its key, its amount, and the id of the refund.
    acknowledged: Vec<(usize, &'static str, String)>,
}

impl Client {
    fn is_soap(&self) -> bool {
        self.name.is_multiple_of(2)
    }

    /// Of four clients one refunds the credit memo, by REST; the others refund the payment.
    fn is_of_memo(&self) -> bool {
        self.name % 4 == 1
    }

    fn request(&self, access: &Access, sent: usize, amount: &str) -> Vec<u8> {
        let is_electronic = sent.is_multiple_of(3);
        let (path, content, body) = match self.is_soap() {
            true => (ENDPOINT.to_owned(), "text/xml", self.envelope(access, is_electronic, amount)),
            false => {
                let mut body = json!({"totalAmount": amount, "type": "Electronic"});
                if !is_electronic {
                    body = json!({"totalAmount": amount, "type": "External", "methodType": "Cash"});
                } else if self.is_of_memo() {
                    body["paymentMethodId"] = json!(METHOD);
                }
                let path = match self.is_of_memo() {
                    true => format!("/v1/credit-memos/{MEMO}/refund"),
                    false => format!("/v1/payments/{PAYMENT}/refunds"),
                };
                (path, "application/json", body.to_string())
            }
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {content}\r\n\
             Authorization: Bearer {}\r\nIdempotency-Key: client-{}-{sent}\r\n\
             Content-Length: {}\r\n\r\n",
            access.token,
            self.name,
            body.len()
        );
        [head.as_bytes(), body.as_bytes()].concat()
    }

    fn envelope(&self, access: &Access, is_electronic: bool, amount: &str) -> String {
        let mut fields = vec![("PaymentId", PAYMENT), ("Amount", amount)];
        match is_electronic {
            true => fields.push(("Type", "Electronic")),
            false => fields.extend([("Type", "External"), ("MethodType", "Cash")]),
        }
        create_envelope(&access.session, &[refund(&fields)])
    }

    /// What an answer says: the id of the refund, or none where it is refused.
    fn reported(&self, status: u16, body: &str) -> Option<String> {
        if self.is_soap() {
            assert_eq!(status, 200, "{body}");
            let (_, rest) = body.split_once("<ns1:Id>")?;
            return Some(rest.chars().take(32).collect());
        }
        assert!(matches!(status, 200 | 400), "{status} {body}");
        let json: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{body}"));
        json["id"].as_str().map(str::to_owned)
    }

    /// Sends until nothing is left, or the connection breaks.
    fn send(&mut self, address: SocketAddr, access: &Access, count: &AtomicUsize) {
        let Ok(stream) = TcpStream::connect(address) else { return };
        let mut stream = BufReader::new(stream);
        while let Some(amount) = self.amount {
            let request = self.request(access, self.sent, amount);
            let Ok((status, body)) = exchange(&mut stream, &request) else { return };
            match self.reported(status, &body) {
                Some(id) => {
                    self.acknowledged.push((self.sent, amount, id));
                    count.fetch_add(1, Ordering::Relaxed);
                }
                None => self.amount = AMOUNTS.into_iter().skip_while(|one| *one != amount).nth(1),
            }
            self.sent += 1;
        }
    }
}

/// One request and its answer, or whatever became of the connection.
fn exchange(stream: &mut BufReader<TcpStream>, request: &[u8]) -> io::Result<(u16, String)> {
    stream.get_mut().write_all(request)?;
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        status = status.or_else(|| line.split(' ').nth(1)?.parse().ok());
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status.unwrap(), String::from_utf8(body).unwrap()))
}

/// Every refund of a ledger: its id, its status, whether it is of the memo, and its amount.
fn stored(gateway: &TestGateway) -> Vec<(String, String, bool, i64)> {
    let select = "select number, created_ms, salt, status, \
                  case when payment is null then 1 else 0 end, amount from refund";
    let row = |row: Vec<String>| {
        let number = RefundNumber::new(row[0].parse().unwrap()).unwrap();
        let id = RefundId::new(row[1].parse().unwrap(), row[2].parse().unwrap(), number);
        (id.to_string(), row[3].clone(), row[4] == "1", row[5].parse().unwrap())
    };
    gateway.stored().select(select).into_iter().map(row).collect()
}

/// That one snapshot of the ledger adds up: what the memo and the payment say was refunded is what
/// their refunds took, and never more than there was.
fn adds_up(ledger: &Reader) {
    let select = "select \
        (select sum(refunded) from credit_memo), \
        (select sum(refunded) from payment), \
        (select coalesce(sum(amount), 0) from refund where payment is null and status <> 'Error'), \
        (select coalesce(sum(amount), 0) from refund \
         where payment is not null and status <> 'Error')";
    let sums: Vec<i64> = ledger.rows(select, &[]).remove(0);
    assert_eq!(sums[..2], sums[2..], "memo and payment");
    assert!(sums.iter().all(|sum| *sum <= 100_000), "{sums:?}");
}

/// One round with all clients: until so many refunds are acknowledged, and then the process is
/// killed; without a number until nothing is left to be refunded.
fn round(gateway: &mut TestGateway, clients: &mut [Client], access: &Access, until: Option<usize>) {
    let (address, ledger) = (gateway.public(), gateway.stored().reader());
    let (count, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (count, ended) = (&count, &ended);
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| {
                client.send(address, access, count);
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        let started = Instant::now();
        let is_over = || match until {
            Some(until) => count.load(Ordering::Relaxed) >= until,
            None => ended.load(Ordering::SeqCst) == CLIENTS,
        };
        while !is_over() {
            adds_up(&ledger);
            assert!(started.elapsed() < Duration::from_secs(120), "{count:?} acknowledged");
            thread::sleep(Duration::from_millis(5));
        }
        if until.is_some() {
            gateway.kill9();
        }
    });
}

#[test]
fn sixty_four_clients_of_both_doors_refund_exactly_what_is_unapplied_whatever_is_killed() {
    let mut gateway = settlement();
    let document = json(&token(&gateway, CLIENT, SECRET));
    let token = document["access_token"].as_str().unwrap().to_owned();
    let access = Access { token, session: gateway.login() };
    let client = |name| {
        let (sent, amount, acknowledged) = (0, Some(AMOUNTS[0]), Vec::new());
        Client { name, sent, amount, acknowledged }
    };
    let mut clients: Vec<Client> = (0..CLIENTS).map(client).collect();
    for _ in 0..ROUNDS {
        round(&mut gateway, &mut clients, &access, Some(A_ROUND));
        gateway.restart();
        let there: HashSet<String> = stored(&gateway).into_iter().map(|one| one.0).collect();
        let acknowledged = clients.iter().flat_map(|client| &client.acknowledged);
        let lost: Vec<_> = acknowledged.filter(|(.., id)| !there.contains(id)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        adds_up(&gateway.stored().reader());
    }
    round(&mut gateway, &mut clients, &access, None);
    let acknowledged: Vec<&String> =
        clients.iter().flat_map(|client| &client.acknowledged).map(|(.., id)| id).collect();
    let started = Instant::now();
    while stored(&gateway).iter().any(|one| one.1 == "Processing") {
        assert!(started.elapsed() < Duration::from_secs(60), "a refund is stuck in Processing");
        thread::sleep(Duration::from_millis(20));
    }
    let stored = stored(&gateway);
    let ids: HashSet<&String> = stored.iter().map(|one| &one.0).collect();
    let distinct: HashSet<&String> = acknowledged.iter().copied().collect();
    assert_eq!(distinct.len(), acknowledged.len(), "two keys, one refund");
    assert_eq!(ids, distinct, "each key is one refund, and none is without a key");
    assert!(stored.iter().all(|one| one.1 == "Processed"), "{stored:?}");
    for is_of_memo in [true, false] {
        let of_one = stored.iter().filter(|one| one.2 == is_of_memo);
        assert_eq!(of_one.map(|one| one.3).sum::<i64>(), 100_000, "memo: {is_of_memo}");
    }
    // What was answered is answered again, by whichever process.
    for client in clients.iter().step_by(7) {
        let mut stream = BufReader::new(TcpStream::connect(gateway.public()).unwrap());
        for (sent, amount, id) in &client.acknowledged {
            let request = client.request(&access, *sent, amount);
            let (status, body) = exchange(&mut stream, &request).unwrap();
            assert_eq!(client.reported(status, &body).as_ref(), Some(id));
        }
    }
    gateway.balances();
}
