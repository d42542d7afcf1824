//! Finding out what became of a refund whose gateway's answer was lost.

use crate::gateway::{ELECTRONIC_ACCOUNT, envelope, session_header};
use crate::processor::{configured, created, status, until};
use crate::processor_stub::{Behaviour, ProcessorStub};

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
