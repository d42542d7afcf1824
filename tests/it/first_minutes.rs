//! What a newcomer, a container and a script meet first: tokens that are given, listeners that
//! leave the machine, and files that are no ledgers yet, through the built program.

use crate::admin_api::{command, token};
use crate::gateway::{TestGateway, finish, program};
use crate::wire::Connection;
use refund_gateway::domain::id::{RefundId, RefundNumber};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use tempfile::TempDir;

const TOKEN: &str = "a-token-that-was-given";

fn status_of(gateway: &TestGateway, host: &str, token: &str) -> u16 {
    let mut connection = Connection::open(gateway.admin());
    let request = format!(
        "GET /api/v1/clock HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    connection.write(request.as_bytes());
    connection.read_answer().unwrap().status
}

/// From another container the API was refused, and its token was a file inside this one.
#[test]
fn the_admin_api_takes_a_token_and_hosts_that_were_given() {
    let folder = TempDir::new().unwrap();
    let env = [("REFUND_GATEWAY_ADMIN_TOKEN", TOKEN)];
    let args = ["--demo", "--admin-allowed-hosts", "refund-gateway,other:81"];
    let gateway = TestGateway::start_with_env(folder, &args, &env);
    for host in ["127.0.0.1", "refund-gateway", "REFUND-GATEWAY:8081", "other:81"] {
        assert_eq!(status_of(&gateway, host, TOKEN), 200, "{host}");
        assert_eq!(status_of(&gateway, host, "another-token-altogether"), 401, "{host}");
    }
    for host in ["other", "other:82", "evil.example", "refund-gateway.evil.example"] {
        assert_eq!(status_of(&gateway, host, TOKEN), 421, "{host}");
    }
    assert!(!gateway.folder().join("ledger.db.admin-token").exists());
    let url = format!("http://{}", gateway.admin());
    let run = |name: &str, value: &str| {
        let mut command = program(gateway.folder());
        finish(command.args(["admin", "--admin", &url, "clock"]).env(name, value))
    };
    let good = run("REFUND_GATEWAY_ADMIN_TOKEN", TOKEN);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let wrong = run("REFUND_GATEWAY_ADMIN_TOKEN", "another-token-altogether");
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(5) && said.contains("hint: "), "{said}");
    assert!(!said.contains("another-token"), "{said}");
    fs::write(gateway.folder().join("token"), format!("{TOKEN}\n")).unwrap();
    let good = run("REFUND_GATEWAY_ADMIN_TOKEN_FILE", "token");
    assert_eq!(good.status.code(), Some(0), "{good:?}");
}

#[test]
fn a_token_file_is_read_and_one_that_others_can_read_is_warned_of() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("  {TOKEN}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let gateway = TestGateway::start_in(folder, &["--demo", "--admin-token-file", "token"]);
    assert_eq!(status_of(&gateway, "localhost", TOKEN), 200);
    gateway.until_it_says("warning: others can read");
    assert!(!gateway.stderr().contains(TOKEN), "{}", gateway.stderr());
    for (text, named) in [("short", "16 characters"), ("two words that are long", "blanks")] {
        let output = finish(
            program(gateway.folder())
                .args(["serve", "--demo", "--ledger", "other.db", "--listen", "127.0.0.1:0"])
                .env("REFUND_GATEWAY_ADMIN_TOKEN", text),
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(3) && said.contains(named), "{said}");
        assert!(!said.contains(text), "{said}");
    }
}

/// 404 and 401 ended with 2, as if the command line were wrong.
#[test]
fn what_is_not_there_ends_with_5_and_a_hint() {
    let gateway = TestGateway::demo();
    let output = command(&gateway, &["snapshot", "restore", "none"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(5) && said.contains("hint: "), "{said}");
    assert!(!token(&gateway).is_empty());
}

/// SECURITY.md says that no plain listener leaves loopback, and the admin listener did.
#[test]
fn neither_listener_leaves_loopback_in_plain_http_unless_told() {
    let folder = TempDir::new().unwrap();
    for (args, named) in [
        (vec!["--admin-listen", "0.0.0.0:0"], "--allow-plaintext"),
        (vec!["--listen", "0.0.0.0:0"], "--allow-plaintext"),
        (vec!["--admin-listen", "0.0.0.0:0", "--test"], "--allow-remote-test"),
        (vec!["--admin-listen", "[::]:0", "--test", "--allow-remote-test"], "--allow-plaintext"),
    ] {
        let mut command = program(folder.path());
        command.args(["serve", "--ledger", "ledger.db"]).args(&args);
        if !args.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let output = finish(&mut command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(3) && said.contains(named), "{args:?}: {said}");
        assert!(!folder.path().join("ledger.db").exists(), "{args:?}");
    }
    let args = ["--demo", "--admin-listen", "0.0.0.0:0", "--allow-remote-test"];
    TestGateway::start(&[&args[..], &["--allow-plaintext"]].concat());
}

/// `serve` took it for new, and `check` for damaged.
#[test]
fn an_empty_file_is_a_ledger_yet_to_be_made() {
    let folder = TempDir::new().unwrap();
    let ledger = folder.path().join("ledger.db");
    fs::write(&ledger, "").unwrap();
    let run = |args: &[&str]| finish(program(folder.path()).args(args));
    let checked = run(&["check", "--ledger", "ledger.db"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.code() == Some(0) && said.contains("holds nothing"), "{checked:?}");
    let number = RefundNumber::new(1).unwrap();
    let id = RefundId::new(1_700_000_000_000, 7, number).to_string();
    let settle = ["refund", "settle", &id, "--status", "Error", "--reason", "x"];
    for args in [&["events"][..], &settle] {
        let output = run(&[args, &["--ledger", "ledger.db"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(3) && said.contains("is empty"), "{args:?}: {said}");
        assert_eq!(fs::metadata(&ledger).unwrap().len(), 0, "{args:?}");
    }
    let gateway = TestGateway::start_in(folder, &["--demo"]);
    assert_eq!(gateway.balances().len(), 2);
}

/// `--ledger /dev/null` changed the mode of the device.
#[test]
fn only_a_regular_file_is_a_ledger() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    for command in ["serve", "check", "events"] {
        for place in ["socket", "."] {
            let output = finish(program(folder.path()).args([command, "--ledger", place]));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_refused = output.status.code() == Some(3) && said.contains("no regular file");
            assert!(is_refused, "{command} {place}: {output:?}");
        }
    }
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o666);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A misspelt variable, and one of a setting that only a file has, were passed over in silence.
#[test]
fn a_variable_that_nothing_reads_is_refused_with_what_was_meant() {
    let folder = TempDir::new().unwrap();
    let started = |name: &str| {
        let mut command = program(folder.path());
        let output = finish(command.args(["serve", "--ledger", ":memory:"]).env(name, "5"));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = started("REFUND_GATEWAY_LISTN");
    assert!(code == Some(3) && said.contains("did you mean REFUND_GATEWAY_LISTEN?"), "{said}");
    let (code, said) = started("REFUND_GATEWAY_HTTP_BODY_BYTES_MAX");
    let is_explained = said.contains("http.body_bytes_max is a setting of the configuration file");
    assert!(code == Some(3) && is_explained, "{said}");
}

/// What Kubernetes sets in a cluster with a service of this name, and a secret's own variable, are
/// no mistakes.
#[test]
fn variables_of_the_surroundings_are_passed() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("gateway.toml"),
        "[[gateway]]\nname = \"Bank\"\nkind = \"http\"\nurl = \"https://bank.invalid\"\n\
         secret_env = \"REFUND_GATEWAY_BANK\"\n",
    )
    .unwrap();
    let mut command = program(folder.path());
    command.args(["check", "--config", "gateway.toml"]).envs([
        ("REFUND_GATEWAY_BANK", "0123456789abcdef0123456789abcdef"),
        ("REFUND_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("REFUND_GATEWAY_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
    ]);
    let output = finish(&mut command);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// A path that is no UTF-8 was refused as a wrong command line.
#[test]
fn a_path_is_bytes_for_every_command_that_takes_a_ledger() {
    let folder = TempDir::new().unwrap();
    let odd = |name: &str| {
        let mut bytes = name.as_bytes().to_vec();
        bytes.push(0xFF);
        OsString::from_vec(bytes)
    };
    let ledger = odd("ledger");
    let seed = odd("seed");
    fs::write(folder.path().join(&seed), crate::stage::SEED).unwrap();
    let run = |args: &[&OsStr]| {
        let mut command = program(folder.path());
        command.args(args);
        finish(&mut command)
    };
    let os = OsStr::new;
    let seeded = run(&[os("seed"), &seed, os("--ledger"), &ledger]);
    assert_eq!(seeded.status.code(), Some(0), "{seeded:?}");
    assert!(folder.path().join(&ledger).is_file());
    let (copy, again) = (odd("copy"), odd("again"));
    for args in [
        &[os("check"), os("--ledger"), &ledger][..],
        &[os("events"), os("--ledger"), &ledger],
        &[os("user"), os("disable"), os("demo@example.com"), os("--ledger"), &ledger],
        &[os("tenant"), os("set"), os("credit_balance"), os("true"), os("--ledger"), &ledger],
        &[os("backup"), &copy, os("--ledger"), &ledger],
        &[os("restore"), &copy, &again],
        &[os("check"), os("--ledger"), &again],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
    }
    let checked = finish(program(folder.path()).arg("check").env("REFUND_GATEWAY_LEDGER", &again));
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let explained = run(&[os("explain"), os("R-1"), os("--ledger"), &ledger]);
    assert_eq!(explained.status.code(), Some(4), "{explained:?}");
    // An address is text.
    let listen = run(&[os("serve"), os("--listen"), &ledger]);
    assert_eq!(listen.status.code(), Some(2), "{listen:?}");
}

/// Beside a gateway whose ledger's path is no UTF-8, `admin` finds the token by that path.
#[test]
fn a_gateway_serves_a_ledger_whose_path_is_no_text() {
    let folder = TempDir::new().unwrap();
    let ledger = OsString::from_vec(b"\xFFledger".to_vec());
    let mut child = program(folder.path())
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--ledger"])
        .arg(&ledger)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let admin = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("admin on ").map(str::to_owned));
    let mut command = program(folder.path());
    command.args(["admin", "--admin", &admin.unwrap(), "clock", "--ledger"]).arg(&ledger);
    let output = finish(&mut command);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// Nothing there, another server, a listener that does not know the name: each is 5 with a hint.
#[test]
fn an_admin_listener_that_is_not_there_ends_with_5_and_a_hint() {
    let gateway = TestGateway::demo();
    let public = format!("http://{}", gateway.public());
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [public, format!("http://{free}")] {
        for action in ["clock", "health"] {
            let mut command = program(gateway.folder());
            command.args(["admin", "--ledger", "ledger.db", "--admin", &url, action]);
            let output = finish(&mut command);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_so = output.status.code() == Some(5) && said.contains("\nhint: ");
            assert!(is_so, "{url} {action}: {output:?}");
        }
    }
}

/// What can name nothing was taken in silence, or refused in the program's own types.
#[test]
fn admin_commands_say_what_was_probably_meant() {
    let gateway = TestGateway::demo();
    for (args, said) in [
        (&["journal", "--outcome", "INVALID_VALU"][..], "did you mean `INVALID_VALUE`?"),
        (&["journal", "verify", "--outcome", "orderd"], "did you mean `ordered`?"),
        (&["journal", "verify", "--type", "Refnud"], "did you mean `Refund`?"),
        (&["fault", "order", "--fault", "INVALID_SESION"], "did you mean `INVALID_SESSION`?"),
        (&["fault", "order", "--operation", "querymore"], "did you mean `queryMore`?"),
        (&["fault", "order", "--html", "teapot"], "`teapot` is no HTTP status"),
    ] {
        let output = command(&gateway, args);
        let reported = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && reported.contains(said), "{args:?}: {reported}");
    }
    let bearer = format!("Bearer {}", token(&gateway));
    let headers = [("Content-Type", "application/json"), ("Authorization", &bearer)];
    for (body, said) in [
        (&br#"{"times":"two"}"#[..], r#"is \"two\"; it must be a whole number"#),
        (br#"{"tmes":1}"#, "did you mean `times`?"),
    ] {
        let mut connection = Connection::open(gateway.admin());
        let answer = connection.send("POST", "/api/v1/faults", &headers, body);
        assert_eq!(answer.status, 400, "{answer}");
        assert!(answer.to_string().contains(said), "{answer}");
    }
}
