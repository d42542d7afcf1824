//! WS-Security as SoapUI and clients of WCF send it: a UsernameToken is the login of a call.

use crate::admin_api::{api, done};
use crate::gateway::{ENDPOINT, TestGateway, envelope, external_refund, session_header};
use serde_json::{Value, json};

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
const WSSE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PROFILE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";

/// The header as SoapUI writes it.
fn security(must: &str, username: &str, password: &str, kind: &str) -> String {
    format!(
        "<wsse:Security{must} xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"urn:wsu\">\
         <wsu:Timestamp><wsu:Created>2026-01-02T03:04:05Z</wsu:Created></wsu:Timestamp>\
         <wsse:UsernameToken wsu:Id=\"UsernameToken-1\"><wsse:Username>{username}</wsse:Username>\
         <wsse:Password Type=\"{PROFILE}#{kind}\">{password}</wsse:Password>\
         <wsse:Nonce>bm9uY2U=</wsse:Nonce><wsu:Created>2026-01-02T03:04:05Z</wsu:Created>\
         </wsse:UsernameToken></wsse:Security>"
    )
}

const MUST: &str = " soapenv:mustUnderstand=\"1\"";

fn create(header: &str) -> String {
    let body = format!("<api:create>{}</api:create>", external_refund(ACCOUNT, "1.00"));
    envelope(header, &body)
}

fn code(gateway: &TestGateway, header: &str) -> String {
    let answer = gateway.post(ENDPOINT, &create(header));
    if answer.successes() == 1 { "ok".to_owned() } else { answer.texts("FaultCode").concat() }
}

/// Regression: the header was a MustUnderstand fault, so suites that set it in SoapUI failed.
#[test]
fn a_username_token_is_the_login_of_a_call_without_a_session() {
    let gateway = TestGateway::demo();
    for must in ["", MUST, " soapenv:mustUnderstand=\"0\""] {
        let header = security(must, "demo@example.com", "demo", "PasswordText");
        assert_eq!(code(&gateway, &header), "ok", "{must}");
    }
    let untyped = security("", " demo@example.com ", "demo", "PasswordText");
    let untyped = untyped.replace(&format!(" Type=\"{PROFILE}#PasswordText\""), "");
    assert_eq!(code(&gateway, &untyped), "ok");
    for (username, password) in [("demo@example.com", "wrong"), ("stranger@example.com", "demo")] {
        let header = security(MUST, username, password, "PasswordText");
        assert_eq!(code(&gateway, &header), "INVALID_LOGIN");
    }
    // A name that holds a session wins, whatever stands beside it.
    let session = session_header(&gateway.login());
    let wrong = security(MUST, "demo@example.com", "wrong", "PasswordText");
    assert_eq!(code(&gateway, &format!("{session}{wrong}")), "ok");
    let right = security(MUST, "demo@example.com", "demo", "PasswordText");
    let ended = session_header("no-session-at-all");
    assert_eq!(code(&gateway, &format!("{right}{ended}")), "INVALID_SESSION");
    let empty = session_header("");
    assert_eq!(code(&gateway, &format!("{right}{empty}")), "ok");
}

#[test]
fn what_cannot_be_checked_says_why_and_what_to_do() {
    let gateway = TestGateway::demo();
    let fault =
        |header: &str| gateway.post(ENDPOINT, &create(header)).texts("FaultMessage").concat();
    let digest =
        security("", "demo@example.com", "weYI3nXd8LjMNVksCKFV8t3rgHh3Rw==", "PasswordDigest");
    let reported = fault(&digest);
    assert!(reported.contains("PasswordDigest") && reported.contains("hashes"), "{reported}");
    assert!(reported.contains("PasswordText") && reported.contains("SessionHeader"), "{reported}");
    let session = session_header(&gateway.login());
    assert_eq!(code(&gateway, &format!("{session}{digest}")), "ok");
    let token = security(MUST, "demo@example.com", "demo", "PasswordText");
    let signed =
        token.replace("</wsse:Security>", "<d:Signature xmlns:d=\"urn:d\"/></wsse:Security>");
    assert!(fault(&signed).contains("Signature"), "{}", fault(&signed));
    let bare = format!(
        "<wsse:Security xmlns:wsse=\"{WSSE}\"><wsse:UsernameToken><wsse:Username>x\
                        </wsse:Username></wsse:UsernameToken></wsse:Security>"
    );
    assert!(fault(&bare).contains("has no Password"), "{}", fault(&bare));
    let nothing = format!("<wsse:Security{MUST} xmlns:wsse=\"{WSSE}\"/>");
    assert_eq!(code(&gateway, &nothing), "INVALID_SESSION");
    let two = format!("{token}{}", token.replace("demo@", "other@"));
    assert!(fault(&two).contains("more than one"), "{}", fault(&two));
}

#[test]
fn a_header_that_is_passed_over_is_no_login() {
    let gateway = TestGateway::configured("[soap]\nignore_wsse = true\n");
    let token = security(MUST, "demo@example.com", "demo", "PasswordText");
    assert_eq!(code(&gateway, &token), "INVALID_SESSION");
    let signed =
        token.replace("</wsse:Security>", "<d:Signature xmlns:d=\"urn:d\"/></wsse:Security>");
    let session = session_header(&gateway.login());
    assert_eq!(code(&gateway, &format!("{session}{signed}")), "ok");
}

#[test]
fn a_password_in_the_header_is_kept_nowhere() {
    let folder = tempfile::TempDir::new().unwrap();
    let env = [("REFUND_GATEWAY_LOG", "trace")];
    let args = ["--demo", "--record", "recording"];
    let mut gateway = TestGateway::start_with_env(folder, &args, &env);
    for password in ["demo", "sesame-open-now"] {
        let header = security(MUST, "demo@example.com", password, "PasswordText");
        gateway.post(ENDPOINT, &create(&header));
    }
    let journal = done(&gateway, "GET", "journal", &Value::Null);
    let newest = journal["exchanges"].as_array().unwrap().iter().map(|one| &one["id"]);
    let ids: Vec<String> = newest.map(ToString::to_string).collect();
    assert_eq!(ids.len(), 2, "{journal}");
    for id in ids {
        let reported =
            api(&gateway, "GET", &format!("journal/{id}"), &json!(null)).body.to_string();
        assert!(reported.contains("UsernameToken"), "{reported}");
        assert!(
            !reported.contains("sesame-open-now") && !reported.contains(">demo<"),
            "{reported}"
        );
    }
    gateway.terminate();
    let said = gateway.stderr();
    assert!(!said.contains("sesame-open-now"), "{said}");
    let recorded = crate::recording::everything_in(&gateway.folder().join("recording"));
    assert!(recorded.contains("UsernameToken") && recorded.contains("{{password}}"), "{recorded}");
    assert!(!recorded.contains("sesame-open-now") && !recorded.contains("assword>demo<"));
}
