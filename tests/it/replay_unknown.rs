//! Captures that name objects which the endpoint does not have: they are named, and a seed for them
//! is drafted that `serve` takes and with which the captures pass.

use crate::gateway::{TestGateway, create_envelope, login_envelope, refund};
use crate::replaying::{Folder, answer, created, har, har_entry, query};
use std::fs;

const ACCOUNT: &str = "8a80812f3ec0d1a5013ec0d1a5aa0101";
const METHOD: &str = "8a80812f3ec0d1a5013ec0d1a5aa0102";
const PAYMENT: &str = "8a80812f3ec0d1a5013ec0d1a5aa0103";
const MADE: [&str; 3] = [
    "8a80812f3ec0d1a5013ec0d1a5aa0201",
    "8a80812f3ec0d1a5013ec0d1a5aa0202",
    "8a80812f3ec0d1a5013ec0d1a5aa0203",
];
const UNKNOWN: &str = "UNKNOWN 3; --seed-draft FILE writes a seed with them:";
const SESSION: &str = "l7ZhSm9vbmx5LWFuLWV4YW1wbGU+Lw==";

/// What a client did at an endpoint whose objects no other has.
fn conversation() -> Vec<(String, String)> {
    let create = |fields: &[(&str, &str)]| create_envelope(SESSION, &[refund(fields)]);
    let url = "<api:ServerUrl>https://www.example.com/apps/services/a/91.0</api:ServerUrl>";
    let result = format!("<api:result><api:Session>{SESSION}</api:Session>{url}</api:result>");
    let balance = format!("select Id, CreditBalance, Currency from Account where Id = '{ACCOUNT}'");
    let by_id = query(SESSION, &balance);
    let account = format!(
        "<api:records xsi:type=\"obj:Account\"><obj:Id>{ACCOUNT}</obj:Id>\
         <obj:CreditBalance>70.00</obj:CreditBalance><obj:Currency>EUR</obj:Currency></api:records>"
    );
    let found = format!(
        "<api:result><api:done>true</api:done><api:queryLocator xsi:nil=\"1\"/>{account}\
         <api:size>1</api:size></api:result>"
    );
    vec![
        (login_envelope("ada@example.com", "hunter2hunter2"), answer("login", &result)),
        (
            create(&[
                ("AccountId", ACCOUNT),
                ("Amount", "20"),
                ("SourceType", "CreditBalance"),
                ("Type", "External"),
                ("MethodType", "Check"),
            ]),
            created(MADE[0]),
        ),
        (
            create(&[
                ("AccountId", ACCOUNT),
                ("Amount", "10"),
                ("SourceType", "CreditBalance"),
                ("Type", "Electronic"),
                ("PaymentMethodId", METHOD),
            ]),
            created(MADE[1]),
        ),
        (
            create(&[
                ("AccountId", ACCOUNT),
                ("Amount", "5"),
                ("Type", "External"),
                ("MethodType", "Cash"),
                ("PaymentId", PAYMENT),
            ]),
            created(MADE[2]),
        ),
        (by_id, answer("query", &found)),
    ]
}

fn capture() -> Folder {
    Folder::with("a.har", har(&conversation().iter().map(har_entry).collect::<Vec<_>>()))
}

#[test]
fn ids_that_nobody_has_are_named_as_what_they_are() {
    let folder = capture();
    let reported = folder.reported(&["a.har"], 1);
    let account = format!("unknown at the endpoint: Account {ACCOUNT}");
    let payment = format!("unknown at the endpoint: Account {ACCOUNT}, Payment {PAYMENT}");
    let listed = format!("  Account {ACCOUNT} (4 cases)");
    for line in [account.as_str(), &payment, &listed, UNKNOWN] {
        assert!(
            reported.lines().any(|reported| reported.trim() == line.trim()),
            "{line} in {reported}"
        );
    }
    assert!(!reported.contains("--- expected"), "{reported}");
    let json = folder.reported(&["a.har", "--json"], 1);
    assert!(json.contains("\"kind\":\"unknown\""), "{json}");
}

#[test]
fn a_drafted_seed_is_one_with_which_the_captures_pass() {
    let folder = capture();
    let reported = folder.reported(&["a.har", "--seed-draft", "seed.toml"], 0);
    let drafted = "seed.toml has 1 accounts, 1 payment methods, 0 invoices and 1 payments";
    assert!(reported.contains(drafted), "{reported}");
    let seed = fs::read_to_string(folder.path("seed.toml")).unwrap();
    let parts =
        ["currency = \"EUR\"", "credit_balance = \"100.00\"", "# guessed: ", "ada@example.com"];
    for part in parts {
        assert!(seed.contains(part), "{part} in {seed}");
    }
    assert!(!seed.contains("hunter2") && !seed.contains(SESSION), "{seed}");
    // What is there is never written over.
    folder.refused(&["a.har", "--seed-draft", "seed.toml"], 2, "seed.toml is there already");
    folder.passes(&["a.har"], "5 passed, 0 failed");
    let gateway = TestGateway::seeded(&seed, &[]);
    let endpoint = format!("http://{}", gateway.public());
    folder.passes(&["a.har", "--endpoint", &endpoint, "--seed", "seed.toml"], "5 passed, 0 failed");
    assert_eq!(gateway.balance(ACCOUNT), "70.00");
}
