//! The built gateway on a ledger in a real PostgreSQL: both are killed, and nothing is lost.

use crate::gateway::{
    EXTERNAL_ACCOUNT, TestGateway, electronic_refund, external_refund, finish, program,
};
use crate::postgres_server::Server;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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

/// How a command ended, and all that it said.
fn said(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = finish(program(folder).args(args));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// Regression: a part of the password was shown where the URL was no URL or no argument there.
#[test]
fn no_part_of_a_password_is_shown_wherever_its_url_is_named() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("config.toml");
    fs::write(&config, "ledger = 'postgres://u:S3CRET@localhost/l'\n").unwrap();
    let url = "postgres://u:pa@S3CRET@localhost/l";
    let cases: [(&[&str], i32); 9] = [
        (&["serve", "--listen", "127.0.0.1:0", "--ledger", url], 3),
        (&["serve", "--ledger", "postgres:/u:S3CRET@localhost/l"], 3),
        (&["check", "--ledger", url], 3),
        (&["ledger", "migrate", url], 3),
        (&["ledger", "copy", url, "file.db"], 3),
        (&["serve", url], 2),
        (&["serve", "--listen", url], 2),
        (&["serve", "--help"], 0),
        (&["config", "check", "config.toml"], 0),
    ];
    for (args, code) in cases {
        let mut run = program(folder.path());
        let ended = finish(run.args(args).env("REFUND_GATEWAY_LEDGER", url));
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {said}");
        assert!(!said.contains("S3CRET"), "{args:?}: {said}");
    }
}

/// A database of its own, as ledgers want it.
fn database(server: &Server, name: &str) {
    let create = "template template0 encoding 'UTF8' locale 'C'";
    server.sql("postgres", &format!("create database {name} {create}"));
}

#[test]
fn a_role_that_may_not_make_the_schema_is_refused_with_the_command_that_does() {
    let Some(server) = Server::shared() else { return };
    database(server, "owned");
    server.sql("owned", "create role node login password 'secret'");
    let owner = server.url("owned", "");
    let node = owner.replace("postgres:secret@", "node:secret@");
    let folder = TempDir::new().unwrap();
    let serve = ["serve", "--demo", "--listen", "127.0.0.1:0", "--ledger", &node];
    let (code, refused) = said(folder.path(), &serve);
    assert_eq!(code, Some(3), "{refused}");
    assert!(refused.contains("refund-gateway ledger migrate URL"), "{refused}");
    for _ in 0..2 {
        let (code, made) = said(folder.path(), &["ledger", "migrate", &owner]);
        assert_eq!(code, Some(0), "{made}");
        assert!(made.contains("the schema has version 3") && !made.contains("secret"), "{made}");
    }
    // It says what the schema has, also where a newer program brought it there.
    server.sql("owned", "insert into schema_version (version) values (7)");
    let (code, newer) = said(folder.path(), &["ledger", "migrate", &owner]);
    assert!(code == Some(0) && newer.contains("the schema has version 7"), "{newer}");
    server.sql("owned", "delete from schema_version where version = 7");
    let lacking = "select count(*) from payment_method where sum is null";
    assert_eq!(server.sql("owned", lacking), "0");
    server.sql(
        "owned",
        "grant usage on schema public to node; \
         grant select, insert, update, delete on all tables in schema public to node",
    );
    // What the ledger is for was left to the first program that serves it.
    let mut gateway = TestGateway::start(&["--demo", "--ledger", &node]);
    let rows = [external_refund(EXTERNAL_ACCOUNT, "1.00")];
    assert_eq!(gateway.create(&gateway.login(), &rows).successes(), 1);
    assert!(gateway.terminate().success());
    let (code, refused) = said(folder.path(), &["ledger", "migrate", "ledger.db"]);
    assert_eq!(code, Some(2), "{refused}");
    assert!(refused.contains("no ledger on a database server"), "{refused}");
}

#[test]
fn gateways_of_a_folder_share_the_token_of_their_ledger_on_a_server() {
    const SEED: &str = "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n";
    let Some(server) = Server::shared() else { return };
    database(server, "tokens");
    let url = server.url("tokens", "");
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), SEED).unwrap();
    let mut first = TestGateway::start_in(folder, &["--seed", "seed.toml", "--ledger", &url]);
    let file = first.folder().join("refund-gateway.admin-token");
    let token = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let other = TempDir::new().unwrap();
    fs::copy(&file, other.path().join("refund-gateway.admin-token")).unwrap();
    let second = TestGateway::start_in(other, &["--ledger", &url]);
    for gateway in [&first, &second] {
        let admin = format!("http://{}", gateway.admin());
        let list = ["admin", "account", "list", "--admin", &admin, "--ledger", &url];
        let (code, listed) = said(first.folder(), &list);
        assert_eq!(code, Some(0), "{listed}");
    }
    assert!(first.terminate().success());
    assert_eq!(fs::read_to_string(&file).unwrap(), token, "other gateways have it too");
}
