//! Several built gateways on one ledger in a real PostgreSQL: any client at any of them, and what
//! each keeps to itself, asks and delivers is as if there were one.
//!
//! `NODES_SECONDS` (6) says for how long `bank` pays at random; nightly runs say more.

mod bank;
mod upgrade;

use crate::events::Receiver;
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway,
    create_envelope, electronic_refund, external_refund, finish, login_envelope, program,
};
use crate::postgres_server::{AS_A_NODE, Server};
use crate::processor::{status, until};
use crate::processor_stub::{Behaviour, ProcessorStub};
use crate::rest::client::{Client, PAYMENT, done};
use crate::wire::{Answer, Connection};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Two accounts of 10,000,000.00, one of them with a card.
fn seed() -> String {
    format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['credit-balance-external-refund', 'credit-balance-electronic-refund']\n\
         [[account]]\nid = '{EXTERNAL_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '10000000.00'\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A2'\nname = 'Two'\n\
         currency = 'USD'\ncredit_balance = '10000000.00'\ngateway = 'cards'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n"
    )
}

/// A node of the ledger at `url`, with this configuration.
pub fn node(url: &str, config: &str) -> TestGateway {
    node_of(Path::new(env!("CARGO_BIN_EXE_refund-gateway")), url, config)
}

/// The same of another program.
fn node_of(binary: &Path, url: &str, config: &str) -> TestGateway {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let args = ["--seed", "seed.toml", "--config", "config.toml", "--ledger", url];
    TestGateway::start_program(binary, folder, &args, &[])
}

/// A server, the URL of its ledger, and as many nodes, whose gateway `cards` is the stub.
fn nodes<const N: usize>(
    stub: &ProcessorStub,
    more: &str,
) -> Option<(Server, String, [TestGateway; N])> {
    let server = Server::start()?;
    let url = server.url("postgres", "");
    let config = format!("{more}\n{}", stub.table("cards", ""));
    let nodes = [(); N].map(|()| node(&url, &config));
    Some((server, url, nodes))
}

/// What one number of the ledger is.
fn number(server: &Server, select: &str) -> i64 {
    server.sql("postgres", select).parse().unwrap_or_else(|_| panic!("{select}"))
}

/// `check` of the ledger, which has to find nothing.
pub fn check(url: &str) -> String {
    let folder = TempDir::new().unwrap();
    let checked = finish(program(folder.path()).args(["check", "--ledger", url]));
    let table = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{table}{}", String::from_utf8_lossy(&checked.stderr));
    table
}

fn create_once(node: &TestGateway, session: &str, key: &str, object: &str) -> Answer {
    let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", key)];
    let body = create_envelope(session, &[object.to_owned()]);
    Connection::open(node.public()).send("POST", ENDPOINT, &headers, body.as_bytes())
}

#[test]
fn a_session_of_one_node_is_one_of_all_and_each_sees_what_the_others_did() {
    let stub = ProcessorStub::start();
    let Some((server, url, [one, other, third])) = nodes::<3>(&stub, "") else { return };
    let session = one.login();
    let refunds = [external_refund(EXTERNAL_ACCOUNT, "1.00"), electronic_refund("2.00")];
    let ids: Vec<String> = [&one, &other, &third]
        .into_iter()
        .flat_map(|node| node.create(&session, &refunds).texts("Id"))
        .collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.is_sorted(), "ids are ordered by time, whichever node gave them: {ids:?}");
    for node in [&one, &other, &third] {
        assert!(ids.iter().all(|id| status(node, &session, id) == "Processed"));
    }
    let numbers = "select string_agg(number::text, ' ' order by number) from refund";
    assert_eq!(server.sql("postgres", numbers), "1 2 3 4 5 6");
    assert_eq!(number(&server, "select count(*) from node where ends_ms > 0"), 3);
    let table = check(&url);
    assert!(table.contains("6 refunds, 6 entries"), "{table}");
    // A node that ends says so, and the others go on.
    let mut third = third;
    assert!(third.terminate().success());
    assert_eq!(number(&server, "select count(*) from node"), 2);
    assert_eq!(one.create(&session, &refunds).successes(), 2);
    assert!(!server.sql("postgres", "select count(*) from lease where kind = 'order'").is_empty());
}

#[test]
fn the_same_key_at_two_nodes_at_once_makes_one_refund_and_the_same_bytes() {
    const ROUNDS: usize = 25;
    let stub = ProcessorStub::start();
    let Some((server, _, nodes)) = nodes::<2>(&stub, "") else { return };
    let session = nodes[0].login();
    let at_once = Barrier::new(2);
    let answers = thread::scope(|scope| {
        let sent = [0, 1].map(|place: usize| {
            let (session, at_once, node) = (&session, &at_once, &nodes[place]);
            scope.spawn(move || {
                let send = |round| {
                    let object = match round % 2 {
                        0 => external_refund(EXTERNAL_ACCOUNT, "1.00"),
                        _ => electronic_refund("1.00"),
                    };
                    at_once.wait();
                    create_once(node, session, &format!("round-{round}"), &object)
                };
                (0..ROUNDS).map(send).collect::<Vec<_>>()
            })
        });
        sent.map(|sent| sent.join().unwrap())
    });
    for (round, (one, other)) in answers[0].iter().zip(&answers[1]).enumerate() {
        assert_eq!(one.successes(), 1, "{round}: {one}");
        assert_eq!(one.body, other.body, "{round}");
    }
    let made = number(&server, "select count(*) from refund");
    assert_eq!(made, i64::try_from(ROUNDS).unwrap());
    // Another content under the same key is refused wherever it comes.
    let other = external_refund(EXTERNAL_ACCOUNT, "7.00");
    assert_eq!(create_once(&nodes[1], &session, "round-0", &other).successes(), 0);
}

/// An answer that is made anew once the gateway has answered: until then another node says that the
/// request is still running, and afterwards it has the same bytes.
#[test]
fn an_answer_that_waits_for_its_gateway_is_the_same_at_every_node() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let folder = TempDir::new().unwrap();
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/seed");
    for seed in ["demo.toml", "demo_settlement.toml"] {
        let seed = format!("{seeds}/{seed}");
        let said = finish(program(folder.path()).args(["seed", &seed, "--ledger", &url]));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }
    let nodes = [(); 2].map(|()| TestGateway::start(&["--ledger", &url]));
    let clients = [0, 1].map(|place: usize| Client::new(&nodes[place]));
    let (path, at_once) = (format!("/v1/payments/{PAYMENT}/refunds"), Barrier::new(2));
    let body = json!({"type": "Electronic", "totalAmount": 1}).to_string();
    let answers = thread::scope(|scope| {
        let sent = [0, 1].map(|place: usize| {
            let (client, path, at_once, body) = (&clients[place], &path, &at_once, &body);
            scope.spawn(move || {
                let until_whole = |round| {
                    let key = format!("whole-{round}");
                    at_once.wait();
                    loop {
                        let headers = [("Idempotency-Key", key.as_str())];
                        let answer = client.send("POST", path, &headers, body);
                        if answer.status != 409 {
                            return answer;
                        }
                        thread::sleep(Duration::from_millis(20));
                    }
                };
                (0..15).map(until_whole).collect::<Vec<_>>()
            })
        });
        sent.map(|sent| sent.join().unwrap())
    });
    for (one, other) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(done(one)["status"], json!("Processed"), "{one}");
        assert_eq!(one.body, other.body);
    }
    assert_eq!(number(&server, "select count(*) from refund"), 15);
    until("all is given back", || {
        number(&server, "select count(*) from lease where free_since_ms is null") == 0
    });
}

#[test]
fn who_is_shut_out_at_one_node_is_shut_out_at_all_and_guesses_add_up() {
    let stub = ProcessorStub::start();
    let more = "[service]\nlogin_wrong_max = 4\n";
    let Some((_server, url, [one, other])) = nodes::<2>(&stub, more) else { return };
    let login = |node: &TestGateway, password: &str| {
        node.post(ENDPOINT, &login_envelope("demo@example.com", password)).text()
    };
    let session = one.login();
    let works = |node: &TestGateway| {
        let object = external_refund(EXTERNAL_ACCOUNT, "1.00");
        node.create(&session, &[object]).successes() == 1
    };
    assert!(works(&one) && works(&other));
    // By another process that works on the ledger for a moment, as operators do.
    let said = |args: &[&str]| {
        let folder = TempDir::new().unwrap();
        let said = finish(program(folder.path()).args(args).args(["--ledger", &url]));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    };
    said(&["user", "disable", "demo@example.com"]);
    until("the nodes know", || !works(&one) && !works(&other));
    said(&["user", "enable", "demo@example.com"]);
    until("it can log in again", || login(&one, "demo").contains("Session>"));
    // Two wrong ones at each node are four.
    for node in [&one, &other, &one, &other] {
        assert!(!login(node, "wrong").contains("Session>"));
    }
    for node in [&one, &other] {
        assert!(!login(node, "demo").contains("Session>"), "the right one is refused as well");
    }
}

/// A node stops (its machine is suspended, say) while its gateway works on an order; another one
/// takes the order over; the first one wakes and finds its answer. The refund ends once, as the
/// gateway said first, and money left once.
#[test]
fn what_a_node_that_stopped_was_asking_is_taken_over_and_ends_once() {
    let stub = ProcessorStub::start();
    let more = "[service]\ngateway_wait_ms = 100\n";
    let Some((server, url, [one, other])) = nodes::<2>(&stub, more) else { return };
    let session = one.login();
    stub.script([Behaviour::Hang]);
    let id = one.create(&session, &[electronic_refund("5.00")]).texts("Id").remove(0);
    until("the order is at its gateway", || stub.refunds() == 1);
    // The other node finds it due, and does not ask as long as the first one may.
    server.sql("postgres", &format!("{AS_A_NODE}update inquiry set next_ms = 0"));
    let seen = number(&server, "select count(*) from lease where kind = 'order'");
    assert_eq!(seen, 1);
    assert_eq!((status(&other, &session, &id), stub.inquiries()), ("Processing".to_owned(), 0));
    // Nor does an operator end it meanwhile.
    let folder = TempDir::new().unwrap();
    let settle = ["refund", "settle", &id, "--status", "Error", "--reason", "none came"];
    let said = finish(program(folder.path()).args(settle).args(["--ledger", &url]));
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(why.contains("is being asked about at this moment"), "{why}");
    one.signal(Signal::STOP);
    server.sql(
        "postgres",
        "update node set ends_ms = 0 where id = (select owner from lease \
                            where kind = 'order')",
    );
    until("the other node took it over", || status(&other, &session, &id) == "Processed");
    assert!(stub.inquiries() > 0);
    one.signal(Signal::CONT);
    until("it is there again", || one.get_admin("/readyz").status == 200);
    assert_eq!(status(&one, &session, &id), "Processed");
    assert_eq!((stub.paid(&id), stub.refunds()), (1, 1));
    let ends = "select count(*) from exchange where gateway_state <> 'MarkedForSubmission'";
    assert_eq!(number(&server, ends), 1);
    assert!(check(&url).contains("9999995.00"));
}

/// Waits until the receiver has got so many events of the account, in their order.
fn until_got(receiver: &Receiver, events: usize) {
    until("all events are delivered", || receiver.kinds_of(EXTERNAL_ACCOUNT).len() >= events);
    let kinds = receiver.kinds_of(EXTERNAL_ACCOUNT);
    assert_eq!(kinds.len(), events, "{kinds:?}");
}

#[test]
fn events_are_delivered_in_order_by_one_node_and_by_another_when_it_dies() {
    const HOOK: &str = "from lease where kind = 'webhook'";
    let (stub, receiver) = (ProcessorStub::start(), Receiver::start());
    let Some((server, _, mut nodes)) = nodes::<3>(&stub, &receiver.config("")) else { return };
    let session = nodes[0].login();
    let refunds = [external_refund(EXTERNAL_ACCOUNT, "1.00")];
    let mut events = 0;
    for _ in 0..2 {
        for node in [0, 1, 2, 1, 0, 2] {
            assert_eq!(nodes[node].create(&session, &refunds).successes(), 1);
            events += 1;
        }
        until_got(&receiver, events);
        let owner = format!("select name from node where id = (select owner {HOOK})");
        let owner = server.sql("postgres", &owner);
        let owner: u32 = owner.rsplit(' ').next().unwrap().parse().unwrap();
        let dead = nodes.iter_mut().find(|node| node.pid() == owner).unwrap();
        dead.kill9();
        // As after 20 seconds.
        server.sql(
            "postgres",
            &format!("update node set ends_ms = 0 where id = (select owner {HOOK})"),
        );
        dead.restart();
    }
    // What the receiver has got is noted a moment later.
    until("none is left", || number(&server, "select count(*) from delivery") == 0);
}

#[test]
fn the_example_of_three_nodes_does_what_it_says() {
    if Server::start().is_none() {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-nodes");
    let mut example = Command::new(script);
    example.arg("--try").env("REFUND_GATEWAY", env!("CARGO_BIN_EXE_refund-gateway"));
    let said = finish(&mut example);
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{out}{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(out.matches("Success>true").count(), 3, "{out}");
    assert!(out.contains("3 refunds, 3 entries"), "{out}");
}

#[test]
fn readiness_says_why_nothing_can_be_written() {
    let stub = ProcessorStub::start();
    let Some((server, _, [node])) = nodes::<1>(&stub, "") else { return };
    let ready = || node.get_admin("/readyz");
    until("it is ready", || ready().status == 200);
    // What a full disk answers, as the server does.
    server.sql(
        "postgres",
        "create function no_room() returns trigger language plpgsql as $$ begin \
         raise 'could not extend file' using errcode = 'disk_full'; end $$; \
         create trigger no_room before update on turn execute function no_room()",
    );
    until("the disk is full", || ready().status == 503);
    let said = ready().text();
    assert!(said.contains("53100") && said.contains("give the server's disk room"), "{said}");
    let session = "select count(*) from refund";
    assert_eq!(number(&server, session), 0);
    server.sql("postgres", "drop trigger no_room on turn");
    until("it is ready again", || ready().status == 200);
    // A newer program has brought the schema to where older ones may not write.
    server.sql("postgres", "update turn set oldest = 99");
    until("it is too old", || ready().status == 503);
    assert!(ready().text().contains("takes programs that know version 99"), "{}", ready());
    server.sql("postgres", "update turn set oldest = 1");
    until("it is ready again", || ready().status == 200);
}
