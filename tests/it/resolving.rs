//! Finding out what became of a refund whose gateway's answer was lost.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, EXTERNAL_ACCOUNT, TestGateway, envelope, external_refund, finish, program,
    session_header,
};
use crate::processor::{configured, created, field, status, until};
use crate::processor_stub::{Behaviour, ProcessorStub};
use crate::verdicts::metric;
use std::fs;

/// The first read by the Id finds out, as opening the record did in the original, and the history
/// has both exchanges in the gateway's own words.
#[test]
fn reading_a_refund_by_its_id_asks_its_gateway() {
    let stub = ProcessorStub::start();
    let gateway = configured(&stub.table("cards", ""));
    let session = gateway.login();
    stub.script([Behaviour::DropAfter]);
    let id = created(&gateway, &session, "10.00");
    assert_eq!(status(&gateway, &session, &id), "Processed");
    assert_eq!((stub.paid(&id), stub.refunds(), stub.inquiries()), (1, 1, 1));
    let zoql = format!(
        "select GatewayTransactionType, GatewayState, RequestString, ResponseString \
         from RefundTransactionLog where RefundId = '{id}'"
    );
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    let answer =
        gateway.post(crate::gateway::ENDPOINT, &envelope(&session_header(&session), &body));
    assert_eq!(answer.texts("GatewayTransactionType"), ["Refund", "Inquiry"], "{answer}");
    assert_eq!(answer.texts("GatewayState"), ["MarkedForSubmission", "Submitted"]);
    let sent = answer.texts("RequestString");
    assert!(sent[0].starts_with("POST /adapter/refunds\n{") && sent[0].contains(&id), "{sent:?}");
    assert_eq!(sent[1], format!("GET /adapter/refunds/{id}"));
    assert!(answer.texts("ResponseString")[0].contains("Paid by the stub"), "{answer}");
}

#[test]
fn an_order_is_not_sent_again_to_a_processor_that_may_have_forgotten_it() {
    let stub = ProcessorStub::start();
    let gateway = configured(&stub.table("cards", "key_retention_h = 0"));
    let session = gateway.login();
    stub.script([Behaviour::DropBefore]);
    let id = created(&gateway, &session, "10.00");
    assert_eq!(status(&gateway, &session, &id), "Processing");
    until("a second inquiry", || stub.inquiries() > 1);
    assert_eq!((status(&gateway, &session, &id).as_str(), stub.refunds()), ("Processing", 1));
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

/// The shorter of the two counts: what the configuration says, and what the adapter says of itself.
#[test]
fn an_adapter_that_forgets_sooner_than_configured_is_not_sent_the_order_again() {
    for (configured_h, declared_h, is_sent_again) in
        [(24, 0, false), (24, 24, true), (0, 24, false)]
    {
        let stub = ProcessorStub::start();
        let more = format!("key_retention_h = {configured_h}");
        let gateway = configured(&stub.table("cards", &more));
        let session = gateway.login();
        stub.script([Behaviour::DropBefore]);
        stub.declares_retention(declared_h);
        let id = created(&gateway, &session, "10.00");
        until("two inquiries, or the end", || {
            status(&gateway, &session, &id) == "Processed" || stub.inquiries() > 1
        });
        let reported = format!("{configured_h} h, {declared_h} h declared");
        assert_eq!(status(&gateway, &session, &id) == "Processed", is_sent_again, "{reported}");
        assert_eq!(stub.refunds(), 1 + usize::from(is_sent_again), "{reported}");
    }
}

/// The sandbox forgets at exit. What it paid without a report is sent again, once more loses its
/// answer, because the script begins anew, and ends as it would have.
#[test]
fn a_sandbox_that_was_killed_after_it_paid_is_sent_the_order_again_and_the_refund_ends() {
    let seed = include_str!("../../src/service/seed/demo.toml");
    let rule = "[[gateway]]\nname = 'sandbox'\nkind = 'sandbox'\n\
                [[gateway.rule]]\nanswer = 'drop-after'\ntimes = 1\n";
    let mut gateway = TestGateway::seeded(&format!("{seed}\n{rule}"), &[]);
    let id = created(&gateway, &gateway.login(), "10.00");
    gateway.kill9();
    gateway.restart();
    let session = gateway.login();
    until("it has ended", || status(&gateway, &session, &id) != "Processing");
    assert_eq!(status(&gateway, &session, &id), "Processed");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    let zoql =
        format!("select GatewayTransactionType from RefundTransactionLog where RefundId = '{id}'");
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    let answer =
        gateway.post(crate::gateway::ENDPOINT, &envelope(&session_header(&session), &body));
    let kinds = answer.texts("GatewayTransactionType");
    assert_eq!(kinds, ["Refund", "Inquiry", "Refund", "Inquiry"], "{answer}");
}

/// Regression: the GatewayState of an external refund was absent.
#[test]
fn a_refund_that_no_gateway_has_to_do_with_is_not_submitted() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let answer = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    let id = answer.texts("Id").pop().unwrap();
    assert_eq!(field(&gateway, &session, &id, "GatewayState"), "NotSubmitted");
}

#[test]
fn a_second_reference_of_the_processor_is_kept() {
    let stub = ProcessorStub::start();
    let gateway = configured(&stub.table("cards", ""));
    let session = gateway.login();
    stub.script([Behaviour::With("second_processor_reference", "batch-7")]);
    let id = created(&gateway, &session, "10.00");
    assert_eq!(field(&gateway, &session, &id, "SecondRefundReferenceId"), "batch-7");
}

/// Regression: refunds at a gateway that left the configuration were counted among those that are
/// asked about.
#[test]
fn refunds_at_a_gateway_that_is_gone_are_left_to_operators_who_can_settle_them() {
    let stub = ProcessorStub::start();
    let config = |clock: &str, more: &str| format!("clock = '{clock}'\n{more}");
    let mut gateway = configured(&config("2026-01-05T12:00:00Z", &stub.table("cards", "")));
    let session = gateway.login();
    stub.rule(Behaviour::StatusBefore(503));
    stub.rule_inquiries(Behaviour::StatusBefore(503));
    let id = created(&gateway, &session, "10.00");
    assert_eq!(status(&gateway, &session, &id), "Processing");
    until("it is counted", || metric(&gateway, "refund_gateway_refunds_in_processing") == 1);
    assert_eq!(metric(&gateway, "refund_gateway_refunds_left_to_operators"), 0);
    assert!(gateway.terminate().success());
    let file = gateway.folder().join("config.toml");
    // Nothing seeded may name the gateway that is gone.
    fs::write(gateway.folder().join("seed.toml"), "").unwrap();
    fs::write(&file, config("2026-01-05T12:00:00Z", "")).unwrap();
    gateway.restart();
    until("it is left to operators", || {
        metric(&gateway, "refund_gateway_refunds_left_to_operators") == 1
    });
    let settle = |gateway: &TestGateway| {
        let mut command = program(gateway.folder());
        let url = format!("http://{}", gateway.admin());
        command.args(["admin", "--admin", &url, "--ledger", "ledger.db", "settle", &id]);
        let output = finish(command.args(["--status", "Error", "--reason", "never paid"]));
        let reported = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&reported).into_owned())
    };
    let (code, reported) = settle(&gateway);
    assert!(
        code == Some(2) && reported.contains("only then can it be settled"),
        "{code:?} {reported}"
    );
    assert!(gateway.terminate().success());
    fs::write(&file, config("2026-01-07T12:00:01Z", "")).unwrap();
    gateway.restart();
    let (code, reported) = settle(&gateway);
    assert_eq!(code, Some(0), "{reported}");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
    until("nothing is left", || metric(&gateway, "refund_gateway_refunds_left_to_operators") == 0);
    assert!(gateway.terminate().success());
    assert!(gateway.stderr().contains("not configured any more"));
}
