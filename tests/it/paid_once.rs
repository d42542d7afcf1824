//! Money that a gateway collected once goes back once, whatever is written down here: driven from
//! outside on a real ledger, against a processor that counts what it pays.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, TestGateway, envelope, finish, program,
    refund, session_header,
};
use crate::processor::{status, until};
use crate::processor_stub::ProcessorStub;
use crate::wire::Answer;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use tempfile::TempDir;

const PAYMENT: &str = "402892c72b9e3319012b9e34b88e0201";
/// It has no ReferenceId: the gateway knows it by its number, P-2.
const BY_NUMBER: &str = "402892c72b9e3319012b9e34b88e0202";

fn seeded_payment(id: &str, number: &str, amount: &str, reference: Option<&str>) -> String {
    let reference = reference.map(|one| format!("reference_id = '{one}'\n"));
    format!(
        "[[payment]]\nid = '{id}'\nnumber = '{number}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'Electronic'\namount = '{amount}'\neffective_date = '2026-01-05'\n\
         payment_method = '{ELECTRONIC_METHOD}'\n{}",
        reference.unwrap_or_default()
    )
}

/// The seed of payments of 50.00 and 20.00 that came through the account's gateway.
fn seed_of(gateway: &str, permissions: &str) -> String {
    format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n{permissions}\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '0'\ngateway = '{gateway}'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n{}{}",
        seeded_payment(PAYMENT, "P-1", "50.00", Some("ch_77")),
        seeded_payment(BY_NUMBER, "P-2", "20.00", None),
    )
}

fn seed(permissions: &str) -> String {
    seed_of("cards", permissions)
}

/// What the user of most tests may do: the default, and write down payments.
const PAYER: &str = "permissions = ['external-refund', 'electronic-refund', 'payment-create']";

/// A gateway on a real ledger with this seed, whose `cards` is the stub.
fn real(stub: &ProcessorStub, seed: &str) -> TestGateway {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    fs::write(folder.path().join("config.toml"), stub.table("cards", "")).unwrap();
    TestGateway::start_in(folder, &["--seed", "seed.toml", "--config", "config.toml"])
}

fn pay(amount: &str, more: &[(&str, &str)]) -> String {
    let fields = [
        ("AccountId", ELECTRONIC_ACCOUNT),
        ("Amount", amount),
        ("PaymentMethodId", ELECTRONIC_METHOD),
        ("Type", "Electronic"),
    ];
    refund(&[&fields, more].concat()).replace("obj:Refund", "obj:Payment")
}

fn give_back(payment: &str, amount: &str) -> String {
    refund(&[("PaymentId", payment), ("Amount", amount), ("Type", "Electronic")])
}

fn update(gateway: &TestGateway, session: &str, kind: &str, fields: &[(&str, &str)]) -> Answer {
    let object = refund(fields).replace("obj:Refund", &format!("obj:{kind}"));
    let body = format!("<api:update>{object}</api:update>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &body))
}

fn delete(gateway: &TestGateway, session: &str, kind: &str, id: &str) -> Answer {
    let body =
        format!("<api:delete><api:type>{kind}</api:type><api:ids>{id}</api:ids></api:delete>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &body))
}

/// The ids of a call all of whose rows succeeded.
fn done(answer: &Answer) -> Vec<String> {
    let reported = [answer.texts("Success"), answer.texts("success")].concat();
    assert!(!reported.is_empty() && reported.iter().all(|one| one == "true"), "{answer}");
    answer.texts("Id")
}

/// The code and the text of a call with one row, which was refused.
fn refused(answer: &Answer) -> [String; 2] {
    assert_eq!((answer.successes(), answer.texts("Code").len()), (0, 1), "{answer}");
    ["Code", "Message"].map(|name| answer.texts(name).remove(0))
}

/// What the processor was asked to give back against each charge.
fn given_back(stub: &ProcessorStub) -> BTreeMap<String, Decimal> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for order in stub.orders() {
        let amount: Decimal = order["amount"].as_str().unwrap().parse().unwrap();
        *sums.entry(order["original_payment"].as_str().unwrap().to_owned()).or_default() += amount;
    }
    sums
}

fn cents(stub: &ProcessorStub, reference: &str) -> Decimal {
    given_back(stub).remove(reference).unwrap_or_default()
}

/// What `check` says of the ledger, and how it ends.
fn check(gateway: &TestGateway) -> (Option<i32>, String) {
    let output = finish(program(gateway.folder()).args(["check", "--ledger", gateway.place()]));
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// Regression: a user with a session wrote down the same charge again and again, and each was paid
/// back.
#[test]
fn a_charge_of_50_is_given_back_once_however_often_it_is_written_down() {
    let stub = ProcessorStub::start();
    for (permissions, expected) in [("", "NO_PERMISSION"), (PAYER, "DUPLICATE_VALUE")] {
        let before = cents(&stub, "ch_77");
        let gateway = real(&stub, &seed(permissions));
        let session = gateway.login();
        done(&gateway.create(&session, &[give_back(PAYMENT, "50")]));
        for reference in ["ch_77", " CH_77 ", "ch_\t77"] {
            let again = pay("50", &[("ReferenceId", reference)]);
            let [code, _] = refused(&gateway.create(&session, &[again]));
            assert_eq!(code, expected, "{reference:?}");
        }
        let [_, message] = refused(&gateway.create(&session, &[give_back(PAYMENT, "50")]));
        assert!(message.contains("greater than the refundable amount 0"), "{message}");
        assert_eq!(cents(&stub, "ch_77") - before, Decimal::from(50));
        assert_eq!(check(&gateway).0, Some(0));
    }
}

#[test]
fn a_reference_is_refused_with_a_text_that_names_the_payment() {
    let stub = ProcessorStub::start();
    let gateway = real(&stub, &seed(PAYER));
    let session = gateway.login();
    let reported = |reference: &str| {
        refused(&gateway.create(&session, &[pay("50", &[("ReferenceId", reference)])]))
    };
    let [code, message] = reported("Ch_77");
    assert_eq!(code, "DUPLICATE_VALUE");
    assert_eq!(
        message,
        "The payment gateway cards knows the payment P-1 by the ReferenceId Ch_77 already."
    );
    // One that has none is known by its number.
    let [_, message] = reported("p-2");
    assert!(message.contains("knows the payment P-2 by the ReferenceId p-2"), "{message}");
    // Twice in one call, and as the number that the gateway would give next.
    let twice = [pay("50", &[("ReferenceId", "ch_88")]), pay("50", &[("ReferenceId", "CH_88")])];
    let answer = gateway.create(&session, &twice);
    assert_eq!(answer.texts("Success"), ["true", "false"], "{answer}");
    let next = [pay("5", &[("ReferenceId", "P-00000003")]), pay("7", &[])];
    let payments = done(&gateway.create(&session, &next));
    done(&gateway.create(&session, &[give_back(&payments[1], "7")]));
    assert_eq!(given_back(&stub).into_keys().collect::<Vec<_>>(), ["P-00000004"]);
    // Of a payment by cheque it is a number of the payer's bank, and as many have it as like to.
    let external = pay("50", &[("ReferenceId", "ch_77")]).replace("Electronic", "External");
    done(&gateway.create(&session, &[external]));
    assert_eq!(check(&gateway).0, Some(0));
}

#[test]
fn what_went_out_stays_gone_when_its_refund_is_cancelled_or_deleted() {
    let stub = ProcessorStub::start();
    let gateway = real(&stub, &seed(PAYER));
    let session = gateway.login();
    let id = done(&gateway.create(&session, &[give_back(PAYMENT, "30")])).remove(0);
    done(&update(&gateway, &session, "Refund", &[("Id", &id), ("Status", "Canceled")]));
    let [code, message] = refused(&gateway.create(&session, &[give_back(PAYMENT, "20.01")]));
    assert_eq!(code, "INVALID_VALUE");
    assert_eq!(
        message,
        "The refund amount 20.01 is greater than 20.00, what the payment gateway cards was not \
         asked to give back yet of the payment P-1."
    );
    let id = done(&gateway.create(&session, &[give_back(PAYMENT, "20")])).remove(0);
    done(&delete(&gateway, &session, "Refund", &id));
    refused(&gateway.create(&session, &[give_back(PAYMENT, "0.01")]));
    // Nothing of it is refunded now, so it can be voided; its reference stays taken.
    done(&update(&gateway, &session, "Payment", &[("Id", PAYMENT), ("Status", "Voided")]));
    let again = pay("50", &[("ReferenceId", "ch_77")]);
    assert_eq!(refused(&gateway.create(&session, &[again]))[0], "DUPLICATE_VALUE");
    // Nor does another name of the same payment bring it back.
    let renamed = [("Id", PAYMENT), ("ReferenceId", "ch_78")];
    let [_, message] = refused(&update(&gateway, &session, "Payment", &renamed));
    assert!(message.contains("The ReferenceId of the payment P-1 stays"), "{message}");
    assert_eq!(cents(&stub, "ch_77"), Decimal::from(50));
    assert_eq!(check(&gateway).0, Some(0));
}

#[test]
fn a_reference_changes_only_to_one_that_is_free_and_only_before_anything_was_sent() {
    let stub = ProcessorStub::start();
    let gateway = real(&stub, &seed(PAYER));
    let session = gateway.login();
    let rename = |id: &str, reference: &str| {
        update(&gateway, &session, "Payment", &[("Id", id), ("ReferenceId", reference)])
    };
    assert_eq!(refused(&rename(BY_NUMBER, "CH_77"))[0], "DUPLICATE_VALUE");
    // Its own, written in another way.
    done(&rename(PAYMENT, "Ch_77"));
    done(&rename(PAYMENT, "ch_79"));
    done(&rename(BY_NUMBER, "ch_77"));
    done(&gateway.create(&session, &[give_back(BY_NUMBER, "20"), give_back(PAYMENT, "50")]));
    let expected = [("ch_77", 20), ("ch_79", 50)];
    let expected = expected.map(|(name, sum)| (name.to_owned(), Decimal::from(sum)));
    assert_eq!(given_back(&stub), BTreeMap::from(expected));
    // A decline gives back what it had counted, and the name is free to change again.
    let id = done(&gateway.create(&session, &[pay("13", &[("ReferenceId", "ch_80")])])).remove(0);
    for reference in ["ch_80", "ch_81"] {
        let refund = done(&gateway.create(&session, &[give_back(&id, "13")])).remove(0);
        until("declined", || status(&gateway, &session, &refund) == "Error");
        done(&rename(&id, if reference == "ch_80" { "ch_81" } else { "ch_80" }));
    }
    assert_eq!(check(&gateway).0, Some(0));
}

#[test]
fn two_connections_at_once_write_a_charge_down_once() {
    let stub = ProcessorStub::start();
    let gateway = real(&stub, &seed(PAYER));
    let session = gateway.login();
    let paid = thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let one = pay("50", &[("ReferenceId", "ch_90")]);
                    gateway.create(&session, &[one]).texts("Id").pop()
                })
            })
            .collect();
        tries.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    let [id] = paid.try_into().unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| gateway.create(&session, &[give_back(&id, "30")]));
        }
    });
    assert_eq!(cents(&stub, "ch_90"), Decimal::from(30));
    assert_eq!(check(&gateway).0, Some(0));
}

#[test]
fn a_seed_with_a_charge_twice_is_refused_and_names_it() {
    let folder = TempDir::new().unwrap();
    let id = "402892c72b9e3319012b9e34b88e0203";
    for (reference, known) in [("CH_77 ", "P-1"), ("p-2", "P-2")] {
        let more = seeded_payment(id, "P-3", "50.00", Some(reference));
        let text = seed_of("sandbox", PAYER) + &more;
        fs::write(folder.path().join("seed.toml"), text).unwrap();
        let mut load = program(folder.path());
        let output = finish(load.args(["seed", "seed.toml", "--ledger", "ledger.db"]));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{said}");
        let reported = format!(
            "payment `{id}`: reference_id `{reference}` is how gateway `sandbox` knows payment \
             `{known}` already"
        );
        assert!(said.contains(&reported), "{said}");
    }
}
