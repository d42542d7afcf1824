//! A value that something else than the gateway changed in its ledger: what reads it says so and
//! not what it is, nothing more is written, and `check` names the row; in a file and in PostgreSQL.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, envelope, external_refund, finish, program,
    session_header,
};
use crate::postgres_server::Server;

const QUERY: &str = "<api:query><api:queryString>select Id, Amount from Refund</api:queryString>\
                     </api:query>";

fn is_found(gateway: &TestGateway) {
    let session = gateway.login();
    let refund = [external_refund(EXTERNAL_ACCOUNT, "1.00")];
    for _ in 0..2 {
        assert_eq!(gateway.create(&session, &refund).successes(), 1);
    }
    let query = || gateway.post(ENDPOINT, &envelope(&session_header(&session), QUERY));
    assert_eq!(query().texts("Amount"), ["1.00", "1.00"]);
    let check = || {
        let args = ["check", "--ledger", gateway.place()];
        let checked = finish(program(gateway.folder()).args(args));
        let said = [checked.stdout, checked.stderr].concat();
        (checked.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("have no sum"), "{said}");
    // Nothing that adds up depends on it.
    let update = "update refund_row set comment = 'Another' where number = 2";
    assert_eq!(gateway.stored().change_unseen(update), 1);
    let found = "the row 2 of refund_row is not what was written there";
    let (code, said) = check();
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains(found) && said.contains(": 1 problems"), "{said}");
    let read = query();
    assert!(read.status == 500 && read.texts("Amount").is_empty(), "{read}");
    assert!(read.texts("FaultMessage").concat().contains("The ledger is damaged"), "{read}");
    let ready = gateway.get_admin("/readyz");
    assert!(ready.status == 503 && ready.text().contains(found), "{}", ready.text());
    assert_eq!(gateway.create(&session, &refund).successes(), 0);
}

#[test]
fn a_value_that_was_changed_behind_the_gateway_is_found() {
    is_found(&TestGateway::demo());
}

#[test]
fn a_value_that_was_changed_behind_the_gateway_is_found_in_postgresql() {
    let Some(server) = Server::shared() else { return };
    server.sql("postgres", "create schema unseen");
    let url = server.url("postgres", "options=-csearch_path%3Dunseen");
    is_found(&TestGateway::start(&["--demo", "--ledger", &url]));
}
