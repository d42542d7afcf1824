//! The program from outside: exit codes, first lines, signals, and how wrong input is refused.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, external_refund,
    finish, login_envelope, program,
};
use rusqlite::Connection;
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A folder to run the program in.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn with(name: &str, text: &str) -> Self {
        let place = Self::new();
        place.write(name, text);
        place
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        finish(program(self.0.path()).args(args))
    }

    /// Runs a command that must fail with this code, and say this on stderr and nothing on stdout.
    fn refused(&self, args: &[&str], code: i32, said: &str) {
        let output = self.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?} should say {said:?}: {stderr}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}");
    }

    /// Runs a command that must succeed, and returns its stdout.
    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn start(self, args: &[&str]) -> TestGateway {
        TestGateway::start_in(self.0, args)
    }
}

const SEED: &str = r#"[[user]]
username = "u@example.com"
password = "first"

[[account]]
id = "402892c72b9e3319012b9e34b88e0001"
number = "A1"
name = "One"
currency = "USD"
credit_balance = "50.00"
"#;

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

fn serve<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SERVE, more].concat()
}

#[test]
fn a_wrong_command_line_is_exit_2() {
    let place = Place::new();
    place.refused(&["serve", "--lsiten", "127.0.0.1:0"], 2, "--listen");
    place.refused(&["serve", "--listen", "8080"], 2, "is no address and port");
    place.refused(&["serve", "--clock", "yesterday"], 2, "is no moment of RFC 3339");
    place.refused(&["serve", "--id-seed", "-1"], 2, "--id-seed");
    place.refused(&["serve", "--id-seed", "x"], 2, "it must be a whole number");
    place.refused(&["serve", "--demo=invoice-setlement"], 2, "did you mean `invoice-settlement`?");
    place.refused(&["admin", "clock", "--advance", "soon"], 2, "it must be a whole number");
    place.refused(&["dance"], 2, "dance");
    place.refused(&[], 2, "Usage");
    place.refused(&["user", "set-password"], 2, "NAME");
}

#[test]
fn help_and_version_are_data() {
    let place = Place::new();
    let version = format!("refund-gateway {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(place.done(&["--version"]), version);
    let help = place.done(&["--help"]);
    assert!(help.contains("Exit codes:\n  0   done\n"), "{help}");
    assert!(place.done(&["serve", "--help"]).contains("REFUND_GATEWAY_ADMIN_LISTEN"));
}

#[test]
fn a_wrong_configuration_is_exit_3_and_names_file_line_and_key() {
    let cases = [
        (
            "\nlsiten = '127.0.0.1:0'\n",
            "gateway.toml:2: lsiten: unknown key `lsiten`; did you mean `listen`?",
        ),
        ("listen = 8080\n", "gateway.toml:1: listen: is 8080; it must be a text in quotes"),
        ("listen = 'example.com:80'\n", "gateway.toml:1: listen: `example.com:80` is no address"),
        (
            "[http]\nheader_max = 3\n",
            "http.header_max: unknown key `header_max`; did you mean `headers_max`?",
        ),
        ("[http.xml]\ndepth = 3\n", "gateway.toml:2: http.xml.depth: unknown key `depth`"),
        ("[http]\nheaders_max = 0\n", "gateway.toml:2: http.headers_max must be above 0"),
        (
            "[service]\n\nsession_idle_minutes = 14\n",
            "gateway.toml:3: service.session_idle_minutes is 14; it must be from 15 to 480",
        ),
        (
            "[service]\nsession_idle_minutes = 481\n",
            "service.session_idle_minutes is 481; it must be from 15 to 480",
        ),
        ("\nidempotency_field = 'Coment'\n", "gateway.toml:2: idempotency_field is `Coment`"),
        ("idempotency_field = 'Coment'\n", "; did you mean `Comment`?"),
        ("log = 'debg'\n", "gateway.toml:1: log is `debg`: there is no level `debg`; did you mean"),
        ("[http]\nheaders_max = 'many'\n", "is \"many\"; it must be a whole number, 0 or more"),
        ("[http]\nheaders_max = -1\n", "http.headers_max: is -1; it must be a whole number"),
        ("strict = 'x'\n", "strict: is \"x\"; it must be true or false"),
        ("demo = 'invoice-setlement'\n", "did you mean `invoice-settlement`?"),
        ("record = 1\n", "record: is 1; it must be a path in quotes"),
        ("[texts]\n'Missing required valu: <Field>' = 'x'\n", "; did you mean `Missing required"),
        ("[store]\nqueue_max = 0\n", "gateway.toml:2: store.queue_max is 0; it must be from 1 to"),
        ("[store]\nqueue_max = -1\n", "gateway.toml:2: store.queue_max: "),
        ("listen = \n", "gateway.toml:1: listen: "),
        ("public_url = 'ftp://x'\n", "gateway.toml:1: public_url must be an http or https address"),
        (
            "public_url = 'http://x'\n[http]\npublic_url = 'http://y'\n",
            "gateway.toml:3: http.public_url stands beside public_url",
        ),
    ];
    for (text, said) in cases {
        let place = Place::with("gateway.toml", text);
        place.refused(&["serve", "--config", "gateway.toml"], 3, said);
        place.refused(&["check", "--config", "gateway.toml"], 3, said);
        assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 1, "nothing is created");
    }
    let place = Place::new();
    place.refused(
        &["serve", "--config", "none.toml"],
        3,
        "the configuration none.toml cannot be read",
    );
}

#[test]
fn a_wrong_seed_is_exit_3_and_names_file_line_and_key() {
    let place = Place::with("seed.toml", &SEED.replace("USD", "USX"));
    let said = "error: seed.toml:9: account.currency: `USX` is no currency";
    place.refused(&["seed", "seed.toml", "--ledger", "l.db"], 3, said);
    place.refused(&serve(&["--ledger", "l.db", "--seed", "seed.toml"]), 3, said);
    place.refused(
        &["seed", "none.toml", "--ledger", "l.db"],
        3,
        "the seed none.toml cannot be read",
    );
    assert!(!place.0.path().join("l.db").exists(), "a mistake leaves nothing behind");
}

#[test]
fn a_seed_loaded_twice_changes_nothing_and_a_conflict_names_the_value() {
    let place = Place::with("seed.toml", SEED);
    let seed = ["seed", "seed.toml", "--ledger", "l.db"];
    assert_eq!(place.done(&seed), "added 2, unchanged 0\n");
    assert_eq!(place.done(&seed), "added 0, unchanged 2\n");
    let before = place.done(&["check", "--ledger", "l.db"]);
    assert!(before.contains("50.00"), "{before}");
    place.write("seed.toml", &SEED.replace("50.00", "60.00"));
    place.refused(&seed, 3, "60.00");
    assert_eq!(place.done(&["check", "--ledger", "l.db"]), before);
    place.write("seed.toml", &format!("{SEED}gateway = \"nowhere\"\n").replace("0001", "0002"));
    place.refused(&seed, 3, "nowhere");
}

#[test]
fn a_ledger_in_use_is_exit_3() {
    let gateway = TestGateway::demo();
    fs::write(gateway.folder().join("seed.toml"), SEED).unwrap();
    for args in [
        serve(&["--demo", "--ledger", "ledger.db"]),
        vec!["seed", "seed.toml", "--ledger", "ledger.db"],
    ] {
        let output = finish(program(gateway.folder()).args(&args));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {stderr}");
        assert!(stderr.contains("ledger.db is in use by another process"), "{stderr}");
    }
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00", "check may look at any time");
}

#[test]
fn the_mark_of_a_test_ledger_is_kept() {
    let place = Place::with("seed.toml", SEED);
    place.done(&["seed", "seed.toml", "--ledger", "real.db"]);
    for testing in [
        vec!["--test"],
        vec!["--demo"],
        vec!["--id-seed", "1"],
        vec!["--clock", "2026-01-02T03:04:05Z"],
    ] {
        let args = serve(&[testing.as_slice(), &["--ledger", "real.db"]].concat());
        place.refused(&args, 3, "real.db is not a test ledger");
    }
    let mut gateway = place.start(&["--test", "--ledger", "marked.db"]);
    assert!(gateway.terminate().success());
    let args = serve(&["--ledger", "marked.db"]);
    let output = finish(program(gateway.folder()).args(&args));
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("marked.db is a test ledger") && stderr.contains("--test"), "{stderr}");
}

#[test]
fn a_damaged_or_newer_ledger_is_exit_6() {
    let place = Place::with("seed.toml", SEED);
    place.done(&["seed", "seed.toml", "--ledger", "good.db"]);
    let path = |name: &str| place.0.path().join(name);
    let good = fs::read(path("good.db")).unwrap();

    place.write("garbage.db", &"this is no ledger ".repeat(1000));
    fs::write(path("truncated.db"), &good[..good.len() / 2]).unwrap();
    let mut holed = good.clone();
    holed[4096..8192].fill(0xa5);
    fs::write(path("holed.db"), holed).unwrap();
    fs::write(path("newer.db"), &good).unwrap();
    Connection::open(path("newer.db")).unwrap().pragma_update(None, "user_version", 9999).unwrap();
    let foreign = Connection::open(path("foreign.db")).unwrap();
    foreign.execute_batch("create table mine (x)").unwrap();
    drop(foreign);

    for name in ["garbage.db", "truncated.db", "holed.db", "newer.db", "foreign.db"] {
        let before = fs::read(path(name)).unwrap();
        place.refused(&serve(&["--ledger", name]), 6, name);
        place.refused(&["seed", "seed.toml", "--ledger", name], 6, name);
        assert!(fs::read(path(name)).unwrap() == before, "{name} is left as it was");
        assert_eq!(place.run(&["check", "--ledger", name]).status.code(), Some(6), "{name}");
    }
}

#[test]
fn a_ledger_that_does_not_add_up_is_exit_6() {
    let place = Place::with("seed.toml", SEED);
    place.done(&["seed", "seed.toml", "--ledger", "l.db"]);
    let connection = Connection::open(place.0.path().join("l.db")).unwrap();
    connection.execute_batch("update balance set units = units + 1").unwrap();
    drop(connection);
    let output = place.run(&["check", "--ledger", "l.db"]);
    assert_eq!(output.status.code(), Some(6));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("problem: ") && table.contains("402892c7"), "{table}");
}

#[test]
fn what_is_not_there_yet_says_so() {
    let place = Place::new();
    let said = "host is another machine: the URL has to say sslmode=verify-full";
    place.refused(&serve(&["--ledger", "postgres://user:secret@host/db"]), 3, said);
    place.refused(&["check", "--ledger", "postgres://user:secret@host/db"], 3, said);
    place.refused(&["check", "--ledger", "none.db"], 3, "there is no ledger at none.db");
}

#[test]
fn a_port_in_use_is_exit_5() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let args = ["serve", "--listen", &address, "--admin-listen", "none", "--ledger", ":memory:"];
    let output = place.run(&args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains(&address), "{stderr}");
    let args = serve(&["--admin-listen", &address, "--ledger", ":memory:"]);
    assert_eq!(place.run(&args).status.code(), Some(5));
}

/// Regression: a start that failed left an unmarked ledger behind, and the next one with --demo was
/// refused.
#[test]
fn a_start_that_failed_leaves_nothing_behind() {
    let text = "[[payment_method]]\nid = '2c92c0f83dfa5201013dfa6656ff2b8b'\n\
                account = '00000000000000000000000000000009'\ntype = 'CreditCard'\n";
    let place = Place::with("seed.toml", text);
    place.refused(&serve(&["--seed", "seed.toml", "--ledger", "new.db"]), 3, "seed.toml: payment");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["serve", "--listen", &address, "--admin-listen", "none", "--ledger", "new.db"];
    assert_eq!(place.run(&args).status.code(), Some(5));
    let names: Vec<_> =
        fs::read_dir(place.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["seed.toml"]);
}

#[test]
fn exposure_has_to_be_asked_for() {
    let place = Place::new();
    let anywhere = ["serve", "--listen", "0.0.0.0:0", "--ledger", ":memory:"];
    place.refused(&anywhere, 3, "--allow-plaintext");
    place.refused(
        &[&anywhere[..], &["--demo", "--allow-plaintext"]].concat(),
        3,
        "--allow-remote-test",
    );
    let admin = serve(&["--admin-listen", "0.0.0.0:0", "--ledger", ":memory:", "--test"]);
    place.refused(&admin, 3, "--allow-remote-test");

    let mut allowed = TestGateway::start(&["--listen", "0.0.0.0:0", "--allow-plaintext"]);
    assert!(allowed.terminate().success());
    let remote_test =
        ["--listen", "0.0.0.0:0", "--test", "--allow-plaintext", "--allow-remote-test"];
    assert!(TestGateway::start(&remote_test).terminate().success());
}

#[test]
fn the_first_lines_say_where_it_is() {
    let gateway = TestGateway::demo();
    let (public, admin) = (gateway.public(), gateway.admin());
    assert!(public.port() != 0 && admin.port() != 0 && public != admin);
    let lines = [format!("listening on http://{public}\n"), format!("admin on http://{admin}\n")];
    assert_eq!(gateway.first_lines(), lines);
    gateway.until_it_says("demo@example.com");
    assert_eq!(gateway.get_admin("/healthz").status, 200);

    let alone = TestGateway::start(&["--admin-listen", "none", "--ledger", ":memory:"]);
    assert_eq!(alone.first_lines(), [format!("listening on http://{}\n", alone.public())]);
    assert!(!alone.ledger().exists());

    let chosen = TestGateway::start(&["--admin-listen", "127.0.0.1:0", "--ledger", ":memory:"]);
    assert_ne!(chosen.admin().port(), 0);
}

#[test]
fn an_idle_gateway_drains_on_each_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut gateway = TestGateway::demo();
        gateway.signal(signal);
        assert_eq!(gateway.ended().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let gateway = TestGateway::demo();
    // A request whose body never comes keeps the drain waiting.
    let mut connection = gateway.connect();
    let head = format!("POST {ENDPOINT} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n<");
    connection.write(head.as_bytes());
    gateway.get_admin("/healthz");
    let mut gateway = gateway;
    gateway.signal(Signal::INT);
    gateway.until_it_says("draining");
    gateway.signal(Signal::INT);
    assert_eq!(gateway.ended().code(), Some(130));
}

/// Regression: it closed connections before the first byte of their answers, whose requests some
/// HTTP stacks send again by themselves, although the refund was made.
#[test]
fn a_second_signal_leaves_no_call_without_the_first_byte_of_an_answer() {
    let mut gateway = TestGateway::demo();
    let session = gateway.login();
    // A commit that takes its time: another program holds the file.
    let other = Connection::open(gateway.ledger()).unwrap();
    other.busy_timeout(Duration::from_secs(60)).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let mut client = gateway.connect();
    let body = create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "10")]);
    let length = body.len();
    let head = format!("POST {ENDPOINT} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    client.write(format!("{head}{body}").as_bytes());
    let metrics = || gateway.get_admin("/metrics").text();
    while !metrics().contains("refund_gateway_requests_in_flight 1\n") {}
    gateway.signal(Signal::TERM);
    gateway.until_it_says("draining");
    gateway.signal(Signal::TERM);
    assert!(client.breaks_off());
    assert_eq!(gateway.ended().code(), Some(130));
}

#[test]
fn nothing_acknowledged_is_lost_by_an_end() {
    let mut gateway = TestGateway::demo();
    let session = gateway.login();
    let refund = |account, amount| [external_refund(account, amount)];
    assert_eq!(gateway.create(&session, &refund(EXTERNAL_ACCOUNT, "10")).successes(), 1);
    gateway.kill9();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
    gateway.restart();
    let again = gateway.create(&session, &refund(ELECTRONIC_ACCOUNT, "0.5"));
    assert_eq!(again.successes(), 1, "the session survives: {again}");
    assert!(gateway.terminate().success());
    let balances = gateway.balances();
    assert_eq!(balances[EXTERNAL_ACCOUNT], "990.00");
    assert_eq!(balances[ELECTRONIC_ACCOUNT], "999.50");
}

#[test]
fn a_password_is_set_from_stdin_and_a_seed_never_changes_it() {
    let place = Place::with("seed.toml", SEED);
    place.done(&["seed", "seed.toml", "--ledger", "ledger.db"]);
    let set = |place: &Place, name: &str, stdin: &[u8]| {
        let mut child = program(place.0.path())
            .args(["user", "set-password", name, "--ledger", "ledger.db"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(set(&place, "u@example.com", b"second\n"), (Some(0), String::new()));
    let (code, said) = set(&place, "u@example.com", b"\n");
    assert!(code == Some(4) && said.contains("the password is empty"), "{said}");
    let (code, said) = set(&place, "nobody", b"second\n");
    assert!(code == Some(2) && said.contains("no user `nobody`"), "{said}");

    let gateway = place.start(&["--seed", "seed.toml"]);
    gateway.login_as("u@example.com", "second");
    let old = gateway.post(ENDPOINT, &login_envelope("u@example.com", "first"));
    assert_eq!(old.status, 500, "{old}");
}

#[test]
fn the_command_line_wins_over_the_environment_and_both_over_the_file() {
    let text = "listen = '127.0.0.1:1'\nadmin_listen = '127.0.0.1:2'\nledger = 'file.db'\n\
                test = true\nstrict = true\n";
    let place = Place::with("gateway.toml", text);
    let output = finish(
        program(place.0.path())
            .args(["check", "--config", "gateway.toml", "--listen", "127.0.0.1:3"])
            .env("REFUND_GATEWAY_LISTEN", "127.0.0.1:4")
            .env("REFUND_GATEWAY_ADMIN_LISTEN", "none")
            .env("REFUND_GATEWAY_DEMO", "1"),
    );
    assert!(output.status.success(), "{output:?}");
    let table = String::from_utf8(output.stdout).unwrap();
    let reported = |key: &str| {
        let row = table.lines().find(|line| line.split_whitespace().next() == Some(key));
        let row = row.unwrap_or_else(|| panic!("{key} in {table}"));
        row.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(reported("listen"), "127.0.0.1:3 (--listen)");
    assert_eq!(reported("admin_listen"), "none (REFUND_GATEWAY_ADMIN_LISTEN)");
    assert_eq!(reported("demo"), "true (REFUND_GATEWAY_DEMO)");
    assert_eq!(reported("test"), "true (implied by demo)");
    assert_eq!(reported("ledger"), "file.db (gateway.toml:3)");
    assert_eq!(reported("strict"), "true (gateway.toml:5)");
    assert_eq!(reported("service.session_idle_minutes"), "15 (default)");
    assert_eq!(reported("clock"), "none (default)");
}

#[test]
fn the_configuration_file_can_hold_what_serve_needs() {
    let text = "demo = true\nclock = '2026-01-02T03:04:05Z'\nid_seed = 7\n\
                public_url = 'https://refunds.example.com'\n";
    let gateway = Place::with("gateway.toml", text).start(&["--config", "gateway.toml"]);
    let answer = gateway.post(ENDPOINT, &login_envelope("demo@example.com", "demo"));
    let expected = format!("https://refunds.example.com{ENDPOINT}");
    assert_eq!(answer.texts("ServerUrl"), [expected]);
}

#[test]
fn same_clock_same_id_seed_same_requests_same_bytes() {
    let run = || {
        let args = ["--demo", "--clock", "2026-01-02T03:04:05Z", "--id-seed", "7"];
        let mut gateway = TestGateway::start(&args);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let login = gateway.post(ENDPOINT, &login_envelope("demo@example.com", "demo"));
            let session = login.texts("Session").pop().unwrap();
            // ServerUrl names the port, which the system chose.
            bodies.push(login.texts("Session").concat());
            let refunds = [
                external_refund(EXTERNAL_ACCOUNT, "10"),
                external_refund(EXTERNAL_ACCOUNT, "5000"),
                external_refund(ELECTRONIC_ACCOUNT, "1.25"),
            ];
            bodies.push(gateway.create(&session, &refunds).text());
            gateway.kill9();
            gateway.restart();
        }
        bodies
    };
    let bodies = run();
    assert_eq!(bodies, run());
    assert_ne!(bodies[0], bodies[2], "a restart repeats no session");
    assert_ne!(bodies[1], bodies[3], "a restart repeats no id");
}

#[test]
fn a_reader_that_goes_away_is_success() {
    let place = Place::new();
    let mut child = program(place.0.path()).arg("check").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
