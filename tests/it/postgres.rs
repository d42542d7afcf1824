//! The built gateway on a ledger in a real PostgreSQL: both are killed, and nothing is lost.

use crate::gateway::{
    EXTERNAL_ACCOUNT, TestGateway, electronic_refund, external_refund, finish, program,
};
use crate::postgres_server::Server;
use tempfile::TempDir;

const REFUNDS: &str = "select count(*) || ' ' || sum(amount) from refund";

#[test]
fn a_gateway_and_its_server_are_killed_and_nothing_acknowledged_is_lost() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let mut gateway = TestGateway::start(&["--demo", "--ledger", &url]);
    let session = gateway.login();
    let rows = [external_refund(EXTERNAL_ACCOUNT, "1.00"), electronic_refund("2.00")];
    assert_eq!(gateway.create(&session, &rows).successes(), 2);
    assert_eq!(server.sql("postgres", REFUNDS), "2 300");
    gateway.kill9();
    gateway.restart();
    // The session is the ledger's, and so is what is left of the balance.
    assert_eq!(gateway.create(&session, &rows).successes(), 2);
    server.kill_and_start();
    assert_eq!(gateway.create(&session, &rows).successes(), 2);
    assert_eq!(server.sql("postgres", REFUNDS), "6 900");
    let left = "select min(balance) from account where balance <> opening";
    assert_eq!(server.sql("postgres", left), "99400");
    let sums = "select count(*) from account \
                where balance <> opening + coalesce((select sum(delta) from entry \
                where entry.account = account.key), 0)";
    assert_eq!(server.sql("postgres", sums), "0");
    // It adds up, also while it is served.
    let folder = TempDir::new().unwrap();
    let checked = finish(program(folder.path()).args(["check", "--ledger", &url]));
    let table = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{table}{}", String::from_utf8_lossy(&checked.stderr));
    assert!(table.contains("997.00") && table.contains("6 refunds, 6 entries"), "{table}");
    // Another node has to wait until this one is gone.
    let mut other = program(folder.path());
    other.args(["seed", "--ledger", &url, "none.toml"]);
    std::fs::write(folder.path().join("none.toml"), "").unwrap();
    let refused = finish(&mut other);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("another node serves this test ledger"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert!(!gateway.stderr().contains("secret"));
    // The cluster of the tests has no checksums, and no standby.
    assert!(gateway.stderr().contains("pages have no checksums"), "{}", gateway.stderr());
    assert!(!gateway.stderr().contains("asynchronously"), "{}", gateway.stderr());
    assert!(gateway.terminate().success());
}
