//! `[[gateway]]` tables of the configuration: what they allow, what is wrong with them, and that
//! none of their secrets is shown.

use crate::gateway::{ELECTRONIC_ACCOUNT, electronic_refund, finish, program};
use crate::processor::configured;
use crate::processor_stub::{ProcessorStub, SECRET};
use std::fs;
use std::process::Output;
use tempfile::TempDir;

const TABLE: &str = "[[gateway]]\nname = 'cards'\nkind = 'http'\nurl = 'http://127.0.0.1:9/x'\n\
                     secret = 'a secret of tests, and of nobody else'\n";

fn check(config: &str) -> Output {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    fs::write(folder.path().join("ca.pem"), "no PEM").unwrap();
    finish(program(folder.path()).args(["check", "--config", "c.toml"]))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `check` says of the gateway, without the blanks between the columns.
fn shown(config: &str) -> Vec<String> {
    let output = check(config);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let reported = text(&output.stdout);
    assert!(!reported.contains(SECRET), "{reported}");
    reported
        .lines()
        .filter_map(|line| line.strip_prefix("gateway.cards."))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn check_shows_every_setting_but_the_secret() {
    let expected = [
        "url http://127.0.0.1:9/x (c.toml:1)",
        "secret set, not shown (c.toml:1)",
        "ca_file none (c.toml:1)",
        "active true (c.toml:1)",
        "referenced_refunds true (c.toml:1)",
        "non_referenced_refunds false (c.toml:1)",
        "method_types all (c.toml:1)",
        "refund_window_days none (c.toml:1)",
        "connect_timeout_ms 5000 (c.toml:1)",
        "timeout_ms 30000 (c.toml:1)",
        "connections_max 16 (c.toml:1)",
        "key_retention_h 24 (c.toml:1)",
        "breaker.failures 5 (c.toml:1)",
        "breaker.open_ms 30000 (c.toml:1)",
    ];
    assert_eq!(shown(TABLE), expected);
    let of_file = TABLE.replace(&format!("secret = '{SECRET}'"), "secret_file = 'secret'");
    assert_eq!(shown(&of_file)[1], "secret of secret, not shown (c.toml:1)");
}

#[test]
fn a_preset_says_what_a_documented_gateway_can_do_and_the_table_wins() {
    let of_preset = |name: &str, more: &str| {
        shown(&format!("{TABLE}preset = '{name}'\n{more}"))[4..8]
            .iter()
            .map(|line| line.replace(" (c.toml:1)", ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of_preset("Authorize.net", ""),
        [
            "referenced_refunds true",
            "non_referenced_refunds true",
            "method_types CreditCard",
            "refund_window_days none"
        ]
    );
    assert_eq!(
        of_preset("paypal", ""),
        [
            "referenced_refunds true",
            "non_referenced_refunds false",
            "method_types PayPal",
            "refund_window_days 60"
        ]
    );
    assert_eq!(
        of_preset("wepay", "non_referenced_refunds = true\nrefund_window_days = 7\n"),
        [
            "referenced_refunds true",
            "non_referenced_refunds true",
            "method_types all",
            "refund_window_days 7"
        ]
    );
}

#[test]
fn a_wrong_table_is_told_with_its_line_and_key_and_without_its_secret() {
    let without = |line: &str| TABLE.replace(line, "");
    let secret_line = format!("secret = '{SECRET}'\n");
    let secret = |value: &str| TABLE.replace(&secret_line, &format!("secret = {value}\n"));
    let url = |value: &str| TABLE.replace("http://127.0.0.1:9/x", value);
    let cases = [
        (
            url("http://pay.example/x"),
            "c.toml:4: gateway.url: http://pay.example/x is not loopback",
        ),
        (url("ftp://pay.example"), "c.toml:4: gateway.url: `ftp://pay.example` is no URL"),
        (url("https://pay.example/?x=1"), "neither a query nor a fragment"),
        (url("https://me:pass@pay.example/"), "user information is not accepted"),
        (without(&secret_line), "needs one of secret, secret_file and secret_env"),
        (format!("{TABLE}secret_env = 'X'\n"), "needs one of secret, secret_file and secret_env"),
        (secret("'short-and-secret'").replace("-and-secret", ""), "16 to 1024 visible ASCII"),
        (secret("1234567890123456789"), "a secret is a text in quotes"),
        (secret("['hush, hush, hush, hush']"), "a secret is a text in quotes"),
        (TABLE.replace(&secret_line, "secret_file = 'gone'\n"), "gone cannot be read"),
        (TABLE.replace(&secret_line, "secret_env = 'GONE_X'\n"), "variable GONE_X is not set"),
        (TABLE.replace("cards", "sandbox"), "c.toml:2: gateway.name: `sandbox` is the built-in"),
        (format!("{TABLE}{TABLE}"), "c.toml:7: gateway.name: gateway `cards` stands here twice"),
        (TABLE.replace("'http'", "'sandbox'"), "gateways of kind sandbox are seed"),
        (TABLE.replace("'http'", "'grpc'"), "unknown kind `grpc`"),
        (format!("{TABLE}ca_file = 'ca.pem'\n"), "without https there is no certificate"),
        (format!("{}ca_file = 'ca.pem'\n", url("https://localhost/")), "ca.pem holds no cert"),
        (format!("{TABLE}preset = 'stripe'\n"), "unknown preset `stripe`; known are `adyen`"),
        (format!("{TABLE}timeout = 3\n"), "unknown key `timeout`; did you mean `timeout_ms`?"),
        (
            format!("{TABLE}timeout_ms = 0\n"),
            "c.toml:6: gateway.timeout_ms: is 0; it must be from 1",
        ),
        (format!("{TABLE}connections_max = 257\n"), "is 257; it must be from 1 to 256"),
        (format!("{TABLE}breaker = {{ failures = 0 }}\n"), "is 0; it must be from 1 to 1000"),
        (format!("{TABLE}method_types = []\n"), "names no type"),
        (format!("{TABLE}method_types = ['Cash']\n"), "no gateway pays to Cash"),
        (format!("clock = '2026-01-01T00:00:00Z'\n{}", url("https://pay.example")), "come again"),
    ];
    for (config, expected) in cases {
        let output = check(&config);
        let why = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{config}\n{why}");
        assert!(why.contains(expected), "{config}\n{expected}\n{why}");
        for secret in [SECRET, "1234567890123456789", "hush", "me:pass"] {
            assert!(!why.contains(secret), "{why}");
        }
    }
}

#[test]
fn a_seed_may_name_a_configured_gateway_but_not_define_it() {
    let folder = TempDir::new().unwrap();
    let account = format!(
        "[[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '10.00'\ngateway = 'cards'\n"
    );
    let sandbox = "[[gateway]]\nname = 'cards'\nkind = 'sandbox'\n";
    fs::write(folder.path().join("account.toml"), &account).unwrap();
    fs::write(folder.path().join("sandbox.toml"), sandbox).unwrap();
    fs::write(folder.path().join("c.toml"), TABLE).unwrap();
    let seed = |file: &str, more: &[&str]| {
        let args = ["seed", file, "--ledger", "ledger.db"];
        let output = finish(program(folder.path()).args(args).args(more));
        (output.status.code(), text(&output.stderr))
    };
    let (code, why) = seed("account.toml", &[]);
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("gateway names `cards`, which does not exist"), "{why}");
    let (code, why) = seed("sandbox.toml", &["--config", "c.toml"]);
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("is the name of a gateway of the configuration"), "{why}");
    assert_eq!(seed("account.toml", &["--config", "c.toml"]), (Some(0), String::new()));
    // Seeded elsewhere, and configured later: it could not be known which is meant.
    assert_eq!(seed("sandbox.toml", &[]), (Some(0), String::new()));
    let (code, why) = seed("account.toml", &["--config", "c.toml"]);
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("a sandbox by the name of the configured gateway `cards`"), "{why}");
}

#[test]
fn a_gateway_pays_only_what_its_table_allows() {
    let stub = ProcessorStub::start();
    for (more, expected) in [
        ("active = false", "The payment gateway cards is not active."),
        ("preset = 'authorize.net'\nmethod_types = ['ACH']", "does not support the payment method"),
        ("preset = 'bluesnap'", "does not support non-referenced refunds"),
    ] {
        let table = stub.table("cards", more);
        let table = match more {
            "preset = 'bluesnap'" => table.replace("non_referenced_refunds = true\n", ""),
            _ => table,
        };
        let gateway = configured(&table);
        let session = gateway.login();
        let object = electronic_refund("10.00");
        let answer = gateway.create(&session, &[object]);
        assert!(answer.to_string().contains(expected), "{more}: {answer}");
    }
    assert_eq!(stub.refunds(), 0);
}
