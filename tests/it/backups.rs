//! Backups of a ledger in PostgreSQL by the server's own means, as docs/POSTGRES.md describes them:
//! a dump, and a base backup with the log of writes, each restored and served.

use crate::failover::pair::{FIRST, Pair};
use crate::gateway::{EXTERNAL_ACCOUNT, TestGateway, external_refund, finish, program};
use crate::postgres_server::{Server, binaries};
use std::process::Command;

const REFUNDS: &str = "select count(*) || ' ' || sum(amount) from refund";

fn refund(gateway: &TestGateway, session: &str, amount: &str) {
    let created = gateway.create(session, &[external_refund(EXTERNAL_ACCOUNT, amount)]);
    assert_eq!(created.successes(), 1, "{created}");
}

fn adds_up(gateway: &TestGateway, url: &str) {
    let checked = finish(program(gateway.folder()).args(["check", "--ledger", url]));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_dump_is_restored_into_another_database_and_served() {
    let (Some(server), Some(binaries)) = (Server::start(), binaries()) else { return };
    let url = server.url("postgres", "");
    let mut gateway = TestGateway::start(&["--demo", "--ledger", &url]);
    let session = gateway.login();
    refund(&gateway, &session, "1.00");
    // The file has no name for what a server backs up.
    let refused = finish(program(gateway.folder()).args(["backup", "b.db", "--ledger", &url]));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(3) && said.contains("pg_dump"), "{said}");
    let run = |name: &str, args: &[&str]| {
        let mut command = Command::new(binaries.join(name));
        command.env("PGPASSWORD", "secret").args(args).args(["-h", "127.0.0.1", "-U", "postgres"]);
        let ran = finish(command.args(["-p", &server.port().to_string()]));
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    let dump = gateway.folder().join("refunds.dump");
    let dump = dump.to_str().unwrap();
    // The gateway serves meanwhile.
    run("pg_dump", &["--format=custom", "--file", dump, "--dbname=postgres"]);
    refund(&gateway, &session, "2.00");
    assert!(gateway.terminate().success());
    let create = "create database restored template template0 encoding 'UTF8' locale 'C'";
    server.sql("postgres", create);
    run("pg_restore", &["--exit-on-error", "--single-transaction", "--dbname=restored", dump]);
    assert_eq!(server.sql("restored", REFUNDS), "1 100");
    let restored = server.url("restored", "");
    let mut gateway = TestGateway::start(&["--test", "--ledger", &restored]);
    refund(&gateway, &session, "4.00");
    assert_eq!(server.sql("restored", REFUNDS), "2 500");
    adds_up(&gateway, &restored);
    assert!(gateway.terminate().success());
}

#[test]
fn a_base_backup_and_the_log_of_writes_bring_back_a_moment() {
    let Some(mut pair) = Pair::start(false) else { return };
    let mut gateway = TestGateway::start(&["--demo", "--ledger", &pair.url()]);
    let session = gateway.login();
    refund(&gateway, &session, "1.00");
    pair.order("backup");
    refund(&gateway, &session, "2.00");
    pair.sql(FIRST, "select pg_create_restore_point('wanted')");
    refund(&gateway, &session, "4.00");
    assert_eq!(pair.sql(FIRST, REFUNDS), ["3 700"]);
    pair.order("recover");
    assert_eq!(pair.sql(FIRST, REFUNDS), ["2 300"]);
    // A node that knows of more than there is writes nothing; one that starts goes on from there.
    let answer = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "8.00")]);
    assert_eq!(answer.successes(), 0, "{answer}");
    gateway.until_it_says("what was committed in between is not there");
    gateway.kill9();
    gateway.restart();
    refund(&gateway, &session, "8.00");
    assert_eq!(pair.sql(FIRST, REFUNDS), ["3 1100"]);
    adds_up(&gateway, &pair.url());
    assert!(gateway.terminate().success());
}
