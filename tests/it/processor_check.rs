//! `check processor` against a processor that keeps the contract, and against one flaw after the
//! other: each is found, and named.

use crate::gateway::{finish, program};
use crate::processor_stub::{Behaviour, DECLINED_AMOUNT, Flaw, ProcessorStub, SECRET};
use std::fs;
use std::process::Output;
use tempfile::TempDir;

fn check(url: &str, more: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    let args = ["check", "processor", url, "--secret-file", "secret"];
    finish(program(folder.path()).args(args).args(more))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The names of the checks that failed.
fn failures(output: &Output) -> Vec<String> {
    let reported = text(&output.stdout);
    reported.lines().filter_map(|line| line.strip_prefix("FAILED   ")).map(str::to_owned).collect()
}

#[test]
fn an_adapter_that_keeps_the_contract_passes() {
    let stub = ProcessorStub::start();
    let output = check(&stub.url(), &["--declined-amount", DECLINED_AMOUNT]);
    let reported = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{reported}{}", text(&output.stderr));
    assert_eq!(reported.lines().filter(|line| line.starts_with("ok ")).count(), 15, "{reported}");
    assert!(reported.ends_with("the adapter keeps the contract\n"), "{reported}");
    let announced = text(&output.stderr);
    assert!(announced.contains("refunds of 1.00 USD"), "{announced}");
    // What the announcement says that it costs.
    assert_eq!(stub.payments().values().sum::<u32>(), 2);
    let skipped = text(&check(&stub.url(), &[]).stdout);
    assert!(skipped.contains("skipped  a decline, and again: say --declined-amount"), "{skipped}");
}

#[test]
fn every_flaw_is_found_and_named() {
    let cases: [(Flaw, &[&str]); 8] = [
        (Flaw::PaysAgain, &["the same key again", "one key twice at once"]),
        (Flaw::TakesAnySignature, &["no signature", "another signature", "another body"]),
        (Flaw::TakesAnyTime, &["a time ten minutes ago", "a time ten minutes ahead"]),
        (Flaw::TakesNoSkew, &["a clock that is four minutes off"]),
        (Flaw::IgnoresConflicts, &["another amount under the same key"]),
        (Flaw::TakesAnyKey, &["the key of another order"]),
        (Flaw::BareNotFound, &["unknown reference"]),
        (Flaw::ForgetsDeclines, &["a decline, and again"]),
    ];
    for (flaw, expected) in cases {
        let stub = ProcessorStub::start();
        stub.flawed(flaw);
        let output = check(&stub.url(), &["--declined-amount", DECLINED_AMOUNT]);
        let reported = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{flaw:?}: {reported}");
        let found = failures(&output);
        for name in expected {
            assert!(found.iter().any(|one| one == name), "{flaw:?} {name}: {reported}");
        }
        assert!(reported.contains("         found:    "), "{reported}");
        assert!(reported.contains("         expected: "), "{reported}");
    }
}

#[test]
fn an_answer_of_the_wrong_form_is_found() {
    let cases = [
        (Behaviour::WrongEcho("amount"), "echoes another amount"),
        (Behaviour::Without("currency"), "echoes no currency"),
        (Behaviour::Without("message"), "has no message"),
        (Behaviour::ContentType("text/html"), "Content-Type"),
        (Behaviour::Oversized, "more than 65536 bytes"),
        (Behaviour::Redirect("http://127.0.0.1:9/".to_owned()), "redirects"),
        (Behaviour::Garbage, "not the contract's"),
        (Behaviour::Decline, "status declined, code 51: No money"),
        (Behaviour::StatusAfter(500), "HTTP 500"),
    ];
    for (behaviour, expected) in cases {
        let stub = ProcessorStub::start();
        stub.script([behaviour.clone()]);
        let output = check(&stub.url(), &[]);
        let reported = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{behaviour:?}: {reported}");
        let after = reported.split("FAILED   a refund is approved, and echoed").nth(1);
        let found = after.and_then(|rest| rest.lines().nth(1)).unwrap_or_default();
        assert!(found.contains(expected), "{behaviour:?}: {reported}");
    }
}

/// Regression: one connection that broke ended the whole run, without a word on which check it was.
#[test]
fn an_answer_that_is_lost_fails_its_check_and_the_others_go_on() {
    for behaviour in [Behaviour::DropBefore, Behaviour::DropAfter, Behaviour::Half] {
        let stub = ProcessorStub::start();
        stub.script([behaviour.clone()]);
        let output = check(&stub.url(), &["--declined-amount", DECLINED_AMOUNT]);
        let reported = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{behaviour:?}: {reported}");
        assert_eq!(failures(&output)[0], "a refund is approved, and echoed", "{behaviour:?}");
        assert!(reported.lines().any(|line| line == "ok       a decline, and again"), "{reported}");
    }
    let stub = ProcessorStub::start();
    stub.script_inquiries([Behaviour::DropBefore]);
    let output = check(&stub.url(), &[]);
    assert_eq!(
        (output.status.code(), failures(&output)),
        (Some(1), vec!["unknown reference".into()])
    );
}

#[test]
fn what_cannot_be_asked_has_its_exit_code() {
    let stub = ProcessorStub::start();
    let reported = |output: &Output| (output.status.code(), text(&output.stderr));
    let (code, why) = reported(&check("https://192.0.2.1/x", &[]));
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("--allow-remote"), "{why}");
    let (code, why) = reported(&check("http://192.0.2.1/x", &["--allow-remote"]));
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("https"), "{why}");
    for (args, expected) in [
        (["--amount", "0"], "no amount of USD"),
        (["--currency", "XXY"], "no currency"),
        (["--payment-method", "-"], "no id"),
    ] {
        let (code, why) = reported(&check(&stub.url(), &args));
        assert_eq!(code, Some(2), "{why}");
        assert!(why.contains(expected), "{why}");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unknown = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (code, why) = reported(&check(&unknown, &[]));
    assert_eq!(code, Some(5), "{why}");
    assert!(why.contains(&unknown), "{why}");
    let folder = TempDir::new().unwrap();
    let output = finish(program(folder.path()).args(["check", "processor", &stub.url()]));
    let (code, why) = reported(&output);
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("--secret-file"), "{why}");
    assert_eq!(stub.refunds(), 0);
}
