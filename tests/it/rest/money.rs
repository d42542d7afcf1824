//! Random sequences over SOAP and REST together, against a small model of credit memos, payments
//! and refunds, on the built gateway: never a divergence, and an audit that adds up.
//!
//! 300 sequences; `MONEY_SEQUENCES` sets another number.

mod model;
mod real;
mod wish;

use super::client::{CLIENT, SECRET, json, token};
use crate::admin_api::done;
use crate::gateway::TestGateway;
use model::{Model, Operation, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use real::{Real, id, text};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// How many sequences are tried where nothing else is said.
const SEQUENCES: u32 = 300;
/// The gateway's rules reach so far, in whole units: beyond what any memo or payment is worth.
const SCRIPTED_TO: i64 = 200;

/// The clock stands still, so that nothing is asked about which is not read; a rejected refund's
/// money is put back; REST may be called as often as the sequences need.
const CONFIG: &str = "clock = '2026-03-02T12:00:00Z'\n\
    [reconciliation]\nrejected = 'put-back'\n\
    [rest]\ncalls_per_minute_max = 100000000\ncalls_per_hour_max = 100000000\n\
    calls_per_day_max = 100000000\n";

/// The tenant, the user, the client and the gateway.
fn tenant() -> String {
    let mut seed = format!(
        "[tenant]\ninvoice_settlement = true\ninvoice_item_settlement = true\n\
         [[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['external-refund', 'electronic-refund', 'credit-memo-refund', \
         'payment-create']\n\
         [[oauth_client]]\nid = '{CLIENT}'\nsecret = '{SECRET}'\nuser = 'demo@example.com'\n\
         [[gateway]]\nname = 'sandbox'\nkind = 'sandbox'\n"
    );
    for whole in 0..SCRIPTED_TO {
        for (cents, answer, _) in Verdict::SCRIPT {
            let amount = text(whole * 100 + cents);
            seed += &format!("[[gateway.rule]]\namount = '{amount}'\nanswer = '{answer}'\n");
        }
    }
    seed
}

/// The stage of one sequence: an account with a card, invoices and payments.
fn stage(account: u32, model: &Model) -> String {
    let owner = id('a', account, 0);
    let method = id('c', account, 0);
    let mut seed = format!(
        "[[account]]\nid = '{owner}'\nnumber = 'A-{account}'\nname = 'One'\ncurrency = 'USD'\n\
         credit_balance = '0.00'\ndefault_payment_method = '{method}'\n\
         [[payment_method]]\nid = '{method}'\naccount = '{owner}'\ntype = 'CreditCard'\n"
    );
    for (at, balance) in model.invoices.iter().enumerate() {
        let paid: i64 = model.payments.iter().map(|payment| payment.of_invoice(at)).sum();
        seed += &format!(
            "[[invoice]]\nid = '{}'\nnumber = 'INV-{account}-{at}'\naccount = '{owner}'\n\
             date = '2026-01-02'\namount = '{}'\nbalance = '{}'\n",
            id('b', account, at),
            text(balance + paid),
            text(*balance)
        );
    }
    for (at, payment) in model.payments.iter().enumerate() {
        let paid_by = match payment.is_electronic {
            true => format!("type = 'Electronic'\npayment_method = '{method}'"),
            false => "type = 'External'".to_owned(),
        };
        let applied = payment.parts.iter().map(|part| {
            format!(
                "{{ invoice = 'INV-{account}-{}', amount = '{}' }}",
                part.invoice,
                text(part.amount)
            )
        });
        seed += &format!(
            "[[payment]]\nid = '{}'\nnumber = 'P-{account}-{at}'\naccount = '{owner}'\n\
             {paid_by}\namount = '{}'\neffective_date = '2026-01-03'\napplied = [{}]\n",
            id('d', account, at),
            text(payment.amount),
            applied.collect::<Vec<_>>().join(", ")
        );
    }
    seed
}

#[test]
fn no_sequence_over_soap_and_rest_parts_the_gateway_from_the_model() {
    let sequences = std::env::var("MONEY_SEQUENCES").ok().map(|text| text.parse().unwrap());
    let cases = sequences.unwrap_or(SEQUENCES);
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("seed.toml"), tenant()).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    let gateway = TestGateway::start_in(folder, &args);
    let session = gateway.login();
    let token = json(&token(&gateway, CLIENT, SECRET))["access_token"].as_str().unwrap().to_owned();
    let reader = gateway.stored().reader();
    let accounts = Cell::new(0_u32);
    // How often each kind of operation was refused, and how often done.
    let tally: RefCell<BTreeMap<&str, [u32; 2]>> = RefCell::default();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let sequence = prop::collection::vec(wish::wish(), 1..30);
    let result = TestRunner::new(config).run(&sequence, |wishes| {
        let account = accounts.get();
        accounts.set(account + 1);
        let mut model = Model::new();
        let seed = stage(account, &model);
        done(&gateway, "POST", "seed", &serde_json::json!({ "toml": seed }));
        let mut real = Real {
            reader: &reader,
            connection: gateway.connect(),
            token: &token,
            session: &session,
            account,
            payments: (0..model.payments.len()).map(|at| id('d', account, at)).collect(),
            refunds: Vec::new(),
            keys: 0,
        };
        let first = Operation::CreateMemo { item: 6_000, tax: Some(2_000), is_posted: true };
        let mut first = Some((first, false));
        let mut wishes = wishes.iter();
        loop {
            let mut next = || wishes.find_map(|wish| Some((wish.meant(&model)?, wish.has_key)));
            let Some((operation, has_key)) = first.take().or_else(&mut next) else { break };
            let came = real.perform(&operation, has_key);
            let expected = model.perform(&operation);
            tally.borrow_mut().entry(operation.kind()).or_default()[usize::from(expected)] += 1;
            prop_assert_eq!(came.is_ok(), expected, "{:?}: {:?}", operation, came);
            prop_assert_eq!(real.numbers(), model.numbers(), "after {:?}", operation);
            if let (Operation::RefundMemo { .. } | Operation::RefundPayment { .. }, Ok(_)) =
                (&operation, &came)
            {
                real.compare_refund(&model, model.refunds.len() - 1, &came);
            }
        }
        real.compare_shown(&mut model);
        prop_assert_eq!(real.numbers(), model.numbers(), "after everything was shown");
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    gateway.balances();
    // Sequences that do nothing, or meet no refusal, would prove little.
    let tally = tally.into_inner();
    assert_eq!(tally.len(), Operation::KINDS, "{tally:?}");
    for (kind, [refused, done]) in &tally {
        assert!(*done > cases / 40, "{kind} was done {done} times: {tally:?}");
        let is_free = *kind == "create a memo";
        assert!(is_free || *refused > cases / 40, "{kind} was refused {refused} times: {tally:?}");
    }
}
