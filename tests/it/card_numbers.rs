//! Numbers of cards where none belong: nothing that a gateway keeps or repeats holds one.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, FIFTY, TestGateway, create_envelope, envelope, refund,
    session_header,
};
use crate::wire::Connection;
use std::fs;
use tempfile::TempDir;

const CARD: &str = "4111111111111111";
const GROUPED: &str = "5500 0000 0000 0004";
/// The number as a comment can have it, each with a mark before it.
const WRITTEN: [&str; 7] = [
    "card number 4111111111111111",
    "CreditCardNumber: 4111111111111111",
    "AccountNumber = '4111111111111111",
    "PAN4111111111111111EUR",
    "ref &#52;11111111111111&#x0031;",
    "cd <![CDATA[41111111]]><!-- x -->11111111",
    "dots 4111.1111.1111.1111",
];
const WRITTEN_MASKED: [&str; 7] = [
    "card number ************1111",
    "CreditCardNumber: ************1111",
    "AccountNumber = '************1111",
    "PAN************1111EUR",
    "ref ************1111",
    "cd ************1111",
    "dots ****.****.****.1111",
];

/// Everything in the folder and below it.
fn files(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { files(&path) } else { fs::read(path).unwrap() });
    }
    all
}

fn refund_with(comment: &str) -> String {
    refund(&[
        ("Type", "External"),
        ("SourceType", "CreditBalance"),
        ("AccountId", EXTERNAL_ACCOUNT),
        ("MethodType", "Check"),
        ("RefundDate", "2026-01-02"),
        ("Amount", "0.01"),
        ("Comment", comment),
        ("Unheard", CARD),
    ])
}

/// What a gateway with these settings keeps and answers, when cards stand wherever they can.
fn reported(config: &str) -> String {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), FIFTY).unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "c.toml", "--record", "recorded"];
    let trace = [("REFUND_GATEWAY_LOG", "trace")];
    let mut gateway = TestGateway::start_with_env(folder, &args, &trace);
    let session = gateway.login();
    let comment = format!("paid by {CARD} and {GROUPED}");
    let made = gateway.create(&session, &[refund_with(&comment)]);
    assert_eq!(made.successes(), 1, "{made}");
    let mut reported = made.to_string();
    let made = gateway.create(&session, &WRITTEN.map(refund_with));
    assert_eq!(made.successes(), WRITTEN.len(), "{made}");
    let query = |words: &str| {
        let query = format!("<api:queryString>{words}</api:queryString>");
        let body = format!("<api:query>{query}</api:query>");
        gateway.post(ENDPOINT, &envelope(&session_header(&session), &body)).to_string()
    };
    reported += &query("select Comment from Refund");
    reported += &query(&format!("select {CARD} from Refund"));
    reported += &query(&format!("select Id from Refund where Id{CARD} = 'x'"));
    reported += &query(&format!("select Id from Refund where Comment = '{CARD}'"));
    let odd = refund_with("x").replace("\"obj:Refund\"", &format!("\"{CARD}\""));
    reported += &gateway.post(ENDPOINT, &create_envelope(&session, &[odd])).to_string();
    let json = format!("{{\"comment\":\"{CARD}\",\"unheard\":\"{GROUPED}\"}}");
    let session = format!("ZSession {session}");
    let headers = [("Content-Type", "application/json"), ("Authorization", session.as_str())];
    let path = format!("/v1/object/refund/{EXTERNAL_ACCOUNT}?unheard={CARD}");
    reported += &gateway.connect().send("PUT", &path, &headers, json.as_bytes()).to_string();
    let escaped = "{\"comment\":\"a \\u0034111\\t1111\\n11111111\",\"unheard\":4111111111111111}";
    let path = format!("/v1/object/refund/{EXTERNAL_ACCOUNT}?unheard=%34111111111111111");
    reported += &gateway.connect().send("PUT", &path, &headers, escaped.as_bytes()).to_string();
    let tracked = [headers[0], headers[1], ("Zuora-Track-Id", CARD)];
    reported += &gateway.connect().send("PUT", &path, &tracked, json.as_bytes()).to_string();
    let token = fs::read_to_string(gateway.folder().join("ledger.db.admin-token")).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let mut admin = Connection::open(gateway.admin());
    let journal = admin.send("GET", "/api/v1/journal", &[("Authorization", &bearer)], b"");
    reported += &journal.to_string();
    drop(admin);
    assert!(gateway.terminate().success());
    reported += &String::from_utf8_lossy(&files(gateway.folder()));
    reported
}

/// Regression: a card in a comment was kept, recorded and repeated.
#[test]
fn no_number_of_a_card_in_a_free_text_is_kept_or_told() {
    let hidden = reported("");
    assert!(hidden.contains("paid by ************1111 and **** **** **** 0004"));
    for masked in WRITTEN_MASKED {
        assert!(hidden.contains(masked), "{masked}");
    }
    for number in [CARD, GROUPED, "4111.1111.1111.1111", "&#52;111", "%34111"] {
        let place = hidden.find(number).map(|at| at.saturating_sub(200)..at + 40);
        let place = place.map(|at| String::from_utf8_lossy(&hidden.as_bytes()[at]));
        assert_eq!(place, None, "{number}");
    }
    let shown = reported("[service]\nmask_card_numbers = false\n");
    assert!(shown.contains(&format!("paid by {CARD} and {GROUPED}")));
}
