//! `[texts]` of the configuration: other words for what is reported to callers, in rows and faults.

use crate::gateway::{ENDPOINT, TestGateway, external_refund, finish, login_envelope, program};
use crate::gateway::{envelope, session_header};
use std::fs;
use tempfile::TempDir;

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";

fn configured(texts: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("c.toml"), format!("[texts]\n{texts}\n")).unwrap();
    folder
}

#[test]
fn rows_and_faults_are_told_in_the_words_of_the_configuration() {
    let folder = configured(
        "'Missing required value: <Field>' = '<Field> fehlt, <Field>!'\n\
         'The refund amount <amount> is greater than the credit balance <balance>.' = \
         'Only <balance> < <amount>'\n\
         'invalid field for query: <Object>.<field>' = 'no <field> in <Object>'\n\
         'Invalid login. User name and password do not match.' = 'Who are you?'",
    );
    let gateway = TestGateway::start_in(folder, &["--demo", "--config", "c.toml"]);
    let session = gateway.login();
    let rows = [external_refund(ACCOUNT, "5000.00"), external_refund(ACCOUNT, "")];
    let answer = gateway.create(&session, &rows);
    let reported = ["Only 1000.00 &lt; 5000.00", "Amount fehlt, Amount!"];
    assert_eq!(answer.texts("Message"), reported);
    assert_eq!(answer.texts("Code"), ["INVALID_VALUE", "MISSING_REQUIRED_VALUE"]);
    let wrong = gateway.post(ENDPOINT, &login_envelope("demo@example.com", "wrong"));
    assert_eq!(wrong.texts("FaultMessage"), ["Who are you?"]);
    assert_eq!(wrong.texts("faultstring"), ["Who are you?"]);
    let query = "<api:queryString>select nothing from Refund</api:queryString>";
    let query = envelope(&session_header(&session), &format!("<api:query>{query}</api:query>"));
    let reported = gateway.post(ENDPOINT, &query);
    assert_eq!(reported.texts("FaultMessage"), ["no nothing in Refund"]);
    assert_eq!(reported.texts("FaultCode"), ["INVALID_FIELD"]);
    let unknown = gateway.post(ENDPOINT, &envelope(&session_header(&session), "<api:dance/>"));
    assert_eq!(unknown.texts("FaultMessage"), ["Unknown operation: dance"], "its own words");
}

#[test]
fn words_that_no_answer_could_have_are_refused_with_their_line() {
    for (texts, reported) in [
        ("'Missing value' = 'x'", "c.toml:2: texts.Missing value: no answer has the text"),
        ("'Invalid type: <Type>' = ' '", "c.toml:2:"),
        ("\n'Invalid type: <Type>' = 'the <type>'", "c.toml:3:"),
        ("'Invalid type: <Type>' = 'the <type>'", "`Invalid type: <Type>` has no `<type>`"),
        ("'Invalid type: <Type>' = 7", "c.toml:2:"),
    ] {
        let folder = configured(texts);
        let output = finish(program(folder.path()).args(["check", "--config", "c.toml"]));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{texts}: {stderr}");
        assert!(stderr.contains(reported), "{reported} in {stderr}");
    }
}

#[test]
fn check_shows_the_words_and_where_they_stand() {
    let folder = configured("'Invalid type: <Type>' = 'No <Type>'");
    let output = finish(program(folder.path()).args(["check", "--config", "c.toml"]));
    let reported = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = reported.lines().find(|line| line.starts_with("texts.")).unwrap_or_else(|| {
        panic!("no line of texts in {reported}");
    });
    for part in ["texts.\"Invalid type: <Type>\"", "No <Type>", "c.toml:2"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}
