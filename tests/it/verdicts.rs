//! Writing down what gateways said: a verdict is written once and never lost, whatever becomes of
//! the first attempt, and many of them at once keep no other call from its turn.

use crate::fault_matrix::{electronic_refunds, settle_down};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, EXTERNAL_ACCOUNT, TestGateway, electronic_refund,
    external_refund,
};
use crate::processor::{configured, created, until};
use crate::processor_stub::{Moment, ProcessorStub};
use std::fs;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Creates a refund, and does something when its gateway has got the order and not answered yet;
/// gives the refund's id, and what came of it.
fn while_it_is_asked<T>(
    gateway: &TestGateway,
    stub: &ProcessorStub,
    what: impl FnOnce() -> T,
) -> (String, T) {
    let session = gateway.login();
    let ((report, reported), (let_go, may_go)) = (mpsc::channel(), mpsc::channel::<()>());
    let may_go = Mutex::new(Some(may_go));
    stub.watch(move |moment| {
        let first = may_go.lock().unwrap().take_if(|_| moment == Moment::Received);
        if let Some(may_go) = first {
            report.send(()).unwrap();
            may_go.recv().unwrap();
        }
    });
    thread::scope(|scope| {
        let id = scope.spawn(|| created(gateway, &session, "10.00"));
        reported.recv().unwrap();
        let done = what();
        let_go.send(()).unwrap();
        (id.join().unwrap(), done)
    })
}

fn config(stub: &ProcessorStub) -> String {
    stub.table("cards", "") + "[service]\ngateway_wait_ms = 50\n"
}

fn status(gateway: &TestGateway, id: &str) -> String {
    electronic_refunds(&gateway.stored()).remove(id).unwrap_or_default()
}

/// The commit of the second transaction fails with an I/O error, so that it is unknown whether the
/// verdict is there: nothing more is written, and the next start finds out.
#[test]
fn a_verdict_whose_commit_fails_is_asked_for_again_at_the_next_start() {
    let stub = ProcessorStub::start();
    let mut gateway = configured(&config(&stub));
    let (id, ()) = while_it_is_asked(&gateway, &stub, || gateway.limit_file_size(1));
    until("nothing can be written", || gateway.get_admin("/readyz").status == 503);
    assert_eq!((status(&gateway, &id), stub.paid(&id)), ("Processing".to_owned(), 1));
    gateway.kill9();
    gateway.restart();
    settle_down(&gateway, "after the restart");
    assert_eq!((status(&gateway, &id), stub.paid(&id)), ("Processed".to_owned(), 1));
    assert_eq!((stub.refunds(), stub.inquiries()), (1, 1));
    assert_eq!(gateway.get_admin("/readyz").status, 200);
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

/// Regression: a verdict that could not be written was dropped, and asked for again a minute later.
#[test]
fn a_verdict_that_could_not_be_written_is_written_again() {
    let stub = ProcessorStub::start();
    let gateway = configured(&config(&stub));
    let (id, file) = while_it_is_asked(&gateway, &stub, || gateway.stored().hold());
    until("it was not written", || gateway.stderr().contains("a verdict was not written"));
    assert_eq!(status(&gateway, &id), "Processing");
    drop(file);
    settle_down(&gateway, "once the file is free");
    assert_eq!((status(&gateway, &id), stub.paid(&id)), ("Processed".to_owned(), 1));
    assert_eq!((stub.refunds(), stub.inquiries()), (1, 0), "nobody had to be asked again");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

/// How much this limit has refused.
pub fn rejected(gateway: &TestGateway, limit: &str) -> u64 {
    metric(gateway, &format!("refund_gateway_rejected_total{{limit=\"{limit}\"}}"))
}

/// The number that `/metrics` has under this name.
pub fn metric(gateway: &TestGateway, name: &str) -> u64 {
    let metrics = gateway.get_admin("/metrics").to_string();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}")).trim().parse().unwrap()
}

/// Regression: very many calls that ended in one moment filled the queue to the ledger's writer,
/// and External refunds were refused as too many.
#[test]
fn a_burst_of_verdicts_leaves_room_for_external_refunds() {
    let seed = format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['credit-balance-electronic-refund', 'credit-balance-external-refund']\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\n\
         [[account]]\nid = '{EXTERNAL_ACCOUNT}'\nnumber = 'A2'\nname = 'Two'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n\
         [[gateway]]\nname = 'sandbox'\nkind = 'sandbox'\n\
         [[gateway.rule]]\nanswer = 'approve'\ndelay_ms = 3000\n"
    );
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let config = "[service]\ngateway_wait_ms = 1\n[store]\nqueue_max = 64\n";
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    let gateway = TestGateway::start_in(folder, &args);
    let session = gateway.login();
    let electronic = electronic_refund("0.01");
    for _ in 0..4 {
        let answer = gateway.create(&session, &vec![electronic.clone(); 50]);
        assert_eq!(answer.successes(), 50, "{answer}");
    }
    let file = gateway.stored().hold();
    until("verdicts wait for the file", || {
        metric(&gateway, "refund_gateway_ledger_queue_depth") > 0
    });
    // Until all of them have come: they were asked for within one moment.
    thread::sleep(Duration::from_secs(1));
    let answer = thread::scope(|scope| {
        let external =
            scope.spawn(|| gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]));
        until("it waits, or was answered", || {
            external.is_finished() || metric(&gateway, "refund_gateway_requests_in_flight") > 0
        });
        drop(file);
        external.join().unwrap()
    });
    assert_eq!((answer.status, answer.successes()), (200, 1), "{answer}");
    settle_down(&gateway, "the burst");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "998.00");
}
