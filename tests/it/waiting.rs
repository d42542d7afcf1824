//! Requests that have to wait: for a file that another program holds, for room in the queue, for a
//! payment gateway when the process ends.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, EXTERNAL_ACCOUNT, TestGateway, electronic_refund,
    external_refund,
};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How many refunds are in each status.
fn count(gateway: &TestGateway, status: &str) -> i64 {
    let connection = rusqlite::Connection::open(gateway.ledger()).unwrap();
    let select = "select count(*) from refund where status = ?1";
    connection.query_row(select, [status], |row| row.get(0)).unwrap()
}

fn wait_until_none_is_in_processing(gateway: &TestGateway) {
    let started = Instant::now();
    while count(gateway, "Processing") > 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "stuck:\n{}", gateway.stderr());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Regression: requests counted as begun while BEGIN still waited for the file, so a deadline could
/// not withdraw them; their clients were cut off, and the refunds were made later all the same.
#[test]
fn a_request_is_withdrawn_while_another_program_holds_the_file() {
    let gateway = TestGateway::configured("[http]\nrequest_timeout_ms = 300\n");
    let session = gateway.login();
    let other = rusqlite::Connection::open(gateway.ledger()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let late = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "10")]);
    assert_eq!((late.status, late.texts("FaultCode")), (500, vec!["TRANSACTION_TIMEOUT".into()]));
    other.execute_batch("rollback").unwrap();
    let answer = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1")]);
    assert_eq!(answer.successes(), 1, "{answer}");
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "999.00");
}

/// Regression: a verdict that found the queue full was dropped, and its refund stayed in
/// Processing.
#[test]
fn verdicts_find_their_way_through_a_queue_of_one() {
    let gateway = TestGateway::configured("[store]\nqueue_max = 1\nbatch_max = 1\n");
    let session = gateway.login();
    let answer = gateway.create(&session, &vec![electronic_refund("0.01"); 50]);
    assert_eq!(answer.successes(), 50, "{answer}");
    wait_until_none_is_in_processing(&gateway);
    assert_eq!(count(&gateway, "Processed"), 50);
}

/// Regression: a gateway that was being asked when the process ended was not waited for.
#[test]
fn a_gateway_that_is_being_asked_is_waited_for_at_the_end() {
    let seed = format!(
        "[[user]]\nusername = \"demo@example.com\"\npassword = \"demo\"\n\
         permissions = [\"credit-balance-electronic-refund\"]\n\
         [[account]]\nid = \"{ELECTRONIC_ACCOUNT}\"\nnumber = \"A1\"\nname = \"A\"\n\
         currency = \"USD\"\ncredit_balance = \"10.00\"\n\
         [[payment_method]]\nid = \"{ELECTRONIC_METHOD}\"\naccount = \"{ELECTRONIC_ACCOUNT}\"\n\
         type = \"CreditCard\"\n\
         [[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\
         [[gateway.rule]]\nanswer = \"approve\"\ndelay_ms = 1500\n"
    );
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    fs::write(folder.path().join("gateway.toml"), "[service]\ngateway_wait_ms = 50\n").unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "gateway.toml"];
    let mut gateway = TestGateway::start_in(folder, &args);
    let session = gateway.login();
    let answer = gateway.create(&session, &[electronic_refund("10")]);
    assert_eq!(answer.successes(), 1, "what is not answered in time is a success: {answer}");
    assert_eq!(count(&gateway, "Processing"), 1);
    assert!(gateway.terminate().success());
    assert_eq!(count(&gateway, "Processed"), 1);
}
