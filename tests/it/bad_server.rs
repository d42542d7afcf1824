//! The built gateway beside a real server that is not as it should be: each is said in a sentence
//! with what to do, and nothing that was acknowledged is lost.
//!
//! What is wrong with a URL, a role or a schema is tried where the ledger itself is tested
//! (`ledger/postgres/tests.rs`), a server that dies or is cut off in `failover` and `drill`.

use crate::clock_jumps::{libfaketime, settable};
use crate::gateway::{EXTERNAL_ACCOUNT, TestGateway, external_refund, finish, program};
use crate::nodes::{check, node};
use crate::postgres_server::Server;
use crate::processor::until;
use crate::processor_stub::ProcessorStub;
use crate::tls::authority;
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use tempfile::TempDir;

/// Why the gateway does not start with this ledger, and with variables in its environment.
fn refusal(url: &str, env: &[(&str, &str)]) -> String {
    refusal_and_code(url, env).0
}

/// The same, and its exit code.
fn refusal_and_code(url: &str, env: &[(&str, &str)]) -> (String, Option<i32>) {
    let folder = TempDir::new().unwrap();
    let mut serve = program(folder.path());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "none", "--ledger", url]);
    let ended = finish(serve.envs(env.iter().copied()));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && ended.stdout.is_empty(), "{said}");
    assert!(!said.contains("secret"), "{said}");
    (said, ended.status.code())
}

/// A refund of one cent, or why there is none.
fn refunded(node: &TestGateway, session: &str) -> Result<(), String> {
    let answer = node.create(session, &[external_refund(EXTERNAL_ACCOUNT, "0.01")]);
    if answer.successes() == 1 { Ok(()) } else { Err(answer.to_string()) }
}

fn refunds(server: &Server, database: &str) -> String {
    server.sql(database, "select count(*) from refund")
}

#[test]
fn a_certificate_that_is_not_believed_is_refused_with_what_to_do() {
    let Some(server) = Server::start() else { return };
    let authority = authority("An authority of tests");
    let key = KeyPair::generate().unwrap();
    let signed_for = |host: &str| {
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.signed_by(&key, &authority).unwrap().pem()
    };
    let by_itself = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let by_itself = by_itself.self_signed(&key).unwrap().pem();
    let folder = TempDir::new().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, authority.pem()).unwrap();
    let url = format!(
        "postgres://postgres:secret@localhost:{}/postgres?sslmode=verify-full",
        server.port()
    );
    let believing =
        format!("{url}&sslrootcert={}", roots.display().to_string().replace('/', "%2F"));
    server.serve_tls(&by_itself, &key.serialize_pem());
    for url in [&url, &believing] {
        let why = refusal(url, &[]);
        assert!(why.contains("name the authority that signed it by sslrootcert"), "{why}");
    }
    server.serve_tls(&signed_for("elsewhere.example"), &key.serialize_pem());
    until("it is refused by its name", || {
        refusal(&believing, &[]).contains("name the server in the URL as its certificate does")
    });
    let mut not_yet = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    not_yet.not_before = rcgen::date_time_ymd(2999, 1, 1);
    not_yet.not_after = rcgen::date_time_ymd(2999, 1, 2);
    let not_yet = not_yet.signed_by(&key, &authority).unwrap().pem();
    server.serve_tls(&not_yet, &key.serialize_pem());
    until("it is refused by its dates", || {
        refusal(&believing, &[]).contains("set the clocks of both machines by NTP")
    });
    server.serve_tls(&signed_for("localhost"), &key.serialize_pem());
    until("it is believed", || {
        let none = folder.path().join("none.toml");
        fs::write(&none, "").unwrap();
        let mut seed = program(folder.path());
        finish(seed.arg("seed").arg(none).args(["--ledger", &believing])).status.success()
    });
    let why = refusal(&url, &[]);
    assert!(why.contains("name the authority that signed it"), "{why}");
}

/// Takes connections that never say who they are, until there is none left.
fn take_connections(server: &Server) -> Vec<TcpStream> {
    const GREETING: &[u8] = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";
    let mut taken = Vec::new();
    loop {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.write_all(GREETING).unwrap();
        let mut answer = [0];
        stream.read_exact(&mut answer).unwrap();
        match &answer {
            b"R" => taken.push(stream),
            _ => return taken,
        }
    }
}

#[test]
fn a_server_without_a_free_connection_is_said_and_served_again_once_there_is_one() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let stub = ProcessorStub::start();
    let node = node(&url, &stub.table("cards", ""));
    let session = node.login();
    assert_eq!(refunded(&node, &session), Ok(()));
    node.signal(Signal::STOP);
    let end = "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity \
               where backend_type = 'client backend' and pid <> pg_backend_pid()";
    assert_ne!(server.sql("postgres", end), "0");
    let taken = take_connections(&server);
    let why = refusal(&url, &[]);
    assert!(why.contains("SQLSTATE 53300") && why.contains("raise max_connections"), "{why}");
    node.signal(Signal::CONT);
    until("it is not ready", || {
        let ready = node.get_admin("/readyz");
        ready.status == 503 && ready.text().contains("raise max_connections")
    });
    refunded(&node, &session).unwrap_err();
    drop(taken);
    until("it is ready again", || node.get_admin("/readyz").status == 200);
    assert_eq!(refunded(&node, &session), Ok(()));
    assert_eq!(refunds(&server, "postgres"), "2");
    check(&url);
}

#[test]
fn a_full_disk_of_the_server_loses_nothing_and_is_said() {
    let Some(server) = Server::with_small_disk() else { return };
    let place = server.folder().join("small").display().to_string();
    server.sql("postgres", &format!("create tablespace small location '{place}'"));
    let create = "create database small tablespace small template template0 \
                  encoding 'UTF8' locale 'C'";
    server.sql("postgres", create);
    let url = server.url("small", "");
    let stub = ProcessorStub::start();
    let node = node(&url, &stub.table("cards", ""));
    let session = node.login();
    assert_eq!(refunded(&node, &session), Ok(()));
    server.sql("small", "create schema another; create table filler (x text)");
    for rows in [10_000, 1_000, 100, 10] {
        let fill =
            format!("insert into filler select repeat('x', 500) from generate_series(1, {rows})");
        while server.client("small").args(["-c", &fill]).output().unwrap().status.success() {}
    }
    // What was begun of pages is still filled.
    let mut acknowledged = 1;
    let why = loop {
        match refunded(&node, &session) {
            Ok(()) => acknowledged += 1,
            Err(why) => break why,
        }
        assert!(acknowledged < 20_000, "the disk is not full");
    };
    assert!(why.contains("Fault>"), "it says that nothing happened: {why}");
    node.until_it_says("give the server's disk room; nothing of this was written");
    assert_eq!(refunds(&server, "small"), acknowledged.to_string());
    let is_ready = || {
        let ready = node.get_admin("/readyz");
        (ready.status, ready.text().contains("give the server's disk room"))
    };
    until("it is not ready", || is_ready() == (503, true));
    // There is no room for a schema, which no other role would change.
    let (why, code) =
        refusal_and_code(&server.url("small", "options=-csearch_path%3Danother"), &[]);
    assert!(code == Some(5) && why.contains("give the server's disk room"), "{code:?} {why}");
    assert!(!why.contains("ledger migrate"), "{why}");
    server.sql("small", "drop table filler");
    until("it is ready again", || is_ready() == (200, false));
    until("it goes on", || refunded(&node, &session).is_ok());
    assert_eq!(refunds(&server, "small"), (acknowledged + 1).to_string());
    check(&url);
}

/// Regression: clocks that parted while a node served were a line of its log, and it was ready.
#[test]
fn a_node_whose_clock_parts_from_the_servers_is_not_ready_until_they_agree() {
    let (Some(server), Some(library)) = (Server::start(), libfaketime()) else { return };
    let folder = TempDir::new().unwrap();
    let offset = folder.path().join("offset");
    fs::write(&offset, "+0").unwrap();
    let env = settable(&library, &offset);
    let url = server.url("postgres", "");
    let node = TestGateway::start_with_env(TempDir::new().unwrap(), &["--ledger", &url], &env);
    let is_ready = || node.get_admin("/readyz");
    until("it is ready", || is_ready().status == 200);
    fs::write(&offset, "+1h").unwrap();
    until("it is not ready", || {
        let ready = is_ready();
        ready.status == 503 && ready.text().contains("by NTP")
    });
    fs::write(&offset, "+0").unwrap();
    until("it is ready again", || is_ready().status == 200);
}

/// Regression: a role without rights on most tables served, was ready, and failed each create.
#[test]
fn a_role_that_lacks_rights_is_refused_with_what_it_lacks() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let folder = TempDir::new().unwrap();
    assert!(finish(program(folder.path()).args(["ledger", "migrate", &url])).status.success());
    server.sql("postgres", "create role clerk login password 'secret'");
    server.sql("postgres", "grant select on all tables in schema public to clerk");
    server.sql("postgres", "grant insert, update on turn, batches, node, lease to clerk");
    let why = refusal(&url.replace("postgres:secret@", "clerk:secret@"), &[]);
    for part in [
        "role clerk lacks",
        "(delete on batches, lease, node; insert on audit_object, audit_row, audit_source, ",
        "insert, update, delete on account_row, adjustment, balance, ",
        "ledger migrate URL",
        "docs/POSTGRES.md",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let all = "grant select, insert, update, delete on all tables in schema public to clerk";
    server.sql("postgres", all);
    let url = url.replace("postgres:secret@", "clerk:secret@");
    let stub = ProcessorStub::start();
    let node = node(&url, &stub.table("cards", ""));
    let is_ready = || {
        let ready = node.get_admin("/readyz");
        (ready.status, ready.text().contains("(delete on session)"))
    };
    until("it is ready", || is_ready() == (200, false));
    server.sql("postgres", "revoke delete on session from clerk");
    until("it is not ready", || is_ready() == (503, true));
    server.sql("postgres", all);
    until("it is ready again", || is_ready() == (200, false));
}

/// Regression: the page about PostgreSQL, the README and the program had three opinions.
#[test]
fn each_refusal_of_a_server_has_the_exit_code_that_is_documented() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let migrated =
        finish(program(TempDir::new().unwrap().path()).args(["ledger", "migrate", &url]));
    assert!(migrated.status.success(), "{migrated:?}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, code, said) in [
        (url.replace(":secret@", ":wrong@"), 5, "check the password"),
        (format!("postgres://u@127.0.0.1:{}/l", server.port()), 5, "PGPASSWORD"),
        (server.url("nowhere", ""), 5, "create the database"),
        (format!("postgres://u:p@127.0.0.1:{free}/l"), 5, "listen_addresses"),
        ("postgres://u:p@no-such-host.invalid/l".to_owned(), 3, "sslmode=verify-full"),
        (server.url("postgres", "options=-csearch_path%3Dnone"), 3, "no schema"),
    ] {
        let (why, found) = refusal_and_code(&url, &[]);
        assert!(found == Some(code) && why.contains(said), "{url} {code} {said}: {found:?} {why}");
    }
    server.sql("postgres", "update turn set oldest = 99");
    let (why, code) = refusal_and_code(&url, &[]);
    assert!(code == Some(6) && why.contains("version 99 or newer"), "{code:?} {why}");
}

/// Regression: a command for files was advised.
#[test]
fn a_node_whose_ledger_is_behind_ends_with_advice_for_a_server() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let stub = ProcessorStub::start();
    let mut node = node(&url, &stub.table("cards", ""));
    let session = node.login();
    assert_eq!(refunded(&node, &session), Ok(()));
    server.sql("postgres", "update turn set number = number - 1");
    refunded(&node, &session).unwrap_err();
    assert_eq!(node.terminate().code(), Some(6));
    let said = node.stderr();
    for part in ["have the server serve that has it", "docs/POSTGRES.md, Backups"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("refund-gateway restore"), "{said}");
}

#[test]
fn a_clock_that_is_far_from_the_servers_is_refused_with_what_to_do() {
    let (Some(server), Some(library)) = (Server::start(), libfaketime()) else { return };
    let url = server.url("postgres", "");
    for (offset, side) in [("+600s", "behind"), ("-600s", "ahead of")] {
        let env = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME", offset),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let why = refusal(&url, &env);
        let is_said = why.contains(&format!(" s {side} this machine's")) && why.contains("by NTP");
        assert!(is_said, "{why}");
    }
    assert_eq!(server.sql("postgres", "select count(*) from refund"), "0");
}
