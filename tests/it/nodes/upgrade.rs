//! Programs of two versions on one ledger: a schema that a newer program has brought further is
//! served by this one until that says otherwise; and nodes of an older program are replaced by
//! nodes of this one while clients pay.
//!
//! `OLDER_GATEWAY` names the older program; `tests/upgrade/run` builds one and says it.

use super::{check, node, node_of, number};
use crate::bank::{Answers, Client};
use crate::gateway::{EXTERNAL_ACCOUNT, TestGateway, external_refund, finish, program};
use crate::postgres_server::Server;
use crate::processor::until;
use crate::processor_stub::ProcessorStub;
use std::path::PathBuf;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::TempDir;

const CLIENTS: u64 = 4;
/// How many refunds are acknowledged between two steps of an update.
const BETWEEN: u64 = 50;

fn works(node: &TestGateway, session: &str) -> bool {
    let created = node.create(session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    assert!(created.successes() == 1 || created.text().contains("Fault>"), "{created}");
    created.successes() == 1
}

#[test]
fn a_node_serves_beside_a_newer_program_until_that_says_otherwise() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let stub = ProcessorStub::start();
    let config = stub.table("cards", "");
    let (first, mut other) = (node(&url, &config), node(&url, &config));
    let session = first.login();
    assert!(works(&first, &session) && works(&other, &session));
    // As a newer program leaves it.
    server.sql(
        "postgres",
        "alter table refund_row add column of_a_newer_program boolean default true; \
         create table of_a_newer_program (key bigint primary key); \
         insert into schema_version (version) select max(version) + 1 from schema_version",
    );
    assert!(works(&first, &session) && works(&other, &session));
    assert!(other.terminate().success());
    other.restart();
    assert!(works(&other, &session), "and it starts");
    // What comes then is too new for it.
    let newest = number(&server, "select max(version) from schema_version");
    server.sql("postgres", &format!("update turn set oldest = {newest}"));
    let said = format!("takes programs that know version {newest} or newer, and this one knows");
    for node in [&first, &other] {
        assert!(!works(node, &session));
        until("it is not ready", || {
            let ready = node.get_admin("/readyz");
            ready.status == 503 && ready.text().contains(&said)
        });
    }
    let folder = TempDir::new().unwrap();
    let mut serve = program(folder.path());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "none", "--ledger", &url]);
    let ended = finish(&mut serve);
    let why = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(6) && why.contains(&said), "{why}");
    assert!(why.contains("use the program that brought it there, or a newer one"), "{why}");
    assert_eq!(number(&server, "select count(*) from refund"), 5);
}

#[test]
#[ignore = "needs an older program, which tests/upgrade/run builds"]
fn nodes_of_an_older_program_are_replaced_one_after_the_other_under_load() {
    let older = PathBuf::from(std::env::var_os("OLDER_GATEWAY").expect("OLDER_GATEWAY"));
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let stub = ProcessorStub::start();
    let config = stub.table("cards", "");
    let mut nodes = [(); 2].map(|()| node_of(&older, &url, &config));
    let session = nodes[0].login();
    let addresses = RwLock::new(nodes.iter().map(TestGateway::public).collect::<Vec<_>>());
    let (answers, is_over) = (Answers::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let (answers, is_over, nodes_now) = (&answers, &is_over, &addresses);
        for place in 0..CLIENTS {
            let (nodes, session) = (nodes_now, session.as_str());
            let client = Client { place, nodes, session, cents_max: 100, has_card: false };
            scope.spawn(move || client.run(answers, is_over));
        }
        answers.until_acknowledged(BETWEEN);
        // The new program takes its steps while the old one serves, and serves beside it.
        let newer = node(&url, &config);
        addresses.write().unwrap().push(newer.public());
        answers.until_acknowledged(BETWEEN);
        for (place, old) in nodes.iter_mut().enumerate() {
            let replacement = node(&url, &config);
            addresses.write().unwrap()[place] = replacement.public();
            assert!(old.terminate().success());
            *old = replacement;
            answers.until_acknowledged(BETWEEN);
        }
        is_over.store(true, Ordering::SeqCst);
        drop(newer);
    });
    let compared = answers.compare(&|select| server.sql("postgres", select));
    assert_eq!(compared.refused, 0, "service did not end: {compared}");
    check(&url);
}
