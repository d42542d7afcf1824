//! Very many electronic refunds of one account at once, through a gateway that is slow, declines
//! and loses its answers: at every read opening + Σ(entries) = balance ≥ 0, and all of them end.

use crate::fault_matrix::{electronic_refunds, settle_down};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, Engine, TestGateway, create_envelope, electronic_refund,
    engine, finish, program,
};
use crate::stored::Stored;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const CLIENTS: usize = 64;
const CALLS: usize = 10;

/// 50 ms a call; of twenty amounts four are declined and one loses its answer. The balance is less
/// than what is asked for, so that some are refused and declines make room for others.
fn seed() -> String {
    let mut seed = format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['credit-balance-electronic-refund']\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '500.00'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n\
         [[gateway]]\nname = 'sandbox'\nkind = 'sandbox'\n"
    );
    for at in 0..20 {
        let answer = match at {
            0..4 => "decline",
            4 => "drop-after",
            _ => "approve",
        };
        let amount = amount(at);
        seed +=
            &format!("[[gateway.rule]]\namount = '{amount}'\nanswer = '{answer}'\ndelay_ms = 50\n");
    }
    seed
}

fn amount(at: usize) -> String {
    format!("1.{:02}", at % 20)
}

/// What one snapshot of the file says of the account: what it should have, and what it has.
fn balance(stored: &Stored) -> (i64, i64) {
    let select = "select opening + coalesce((select sum(delta) from entry \
                  where entry.account = account.key), 0), balance from account";
    let row = stored.select(select).remove(0);
    (row[0].parse().unwrap(), row[1].parse().unwrap())
}

#[test]
fn sixty_four_clients_share_one_account_and_every_refund_ends() {
    let gateway = TestGateway::seeded(&seed(), &[]);
    let session = gateway.login();
    let (is_over, reads, created) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let (should, is) = balance(&gateway.stored());
                assert!(should == is && is >= 0, "{should} is not {is}");
                reads.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(2));
            }
        });
        let client = |number: usize| {
            let mut connection = gateway.connect();
            for call in 0..CALLS {
                let body = create_envelope(&session, &[electronic(number * CALLS + call)]);
                let answer = connection.post(crate::gateway::ENDPOINT, &body);
                assert_eq!(answer.status, 200, "{answer}");
                created.fetch_add(answer.successes(), Ordering::SeqCst);
            }
        };
        let clients: Vec<_> =
            (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        let ended: Vec<_> = clients.into_iter().map(thread::ScopedJoinHandle::join).collect();
        settle_down(&gateway, "the hammer");
        is_over.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok), "a client failed");
    });
    assert!(reads.load(Ordering::SeqCst) > 10, "{reads:?} reads");
    let refunds = electronic_refunds(&gateway.stored());
    assert_eq!(refunds.len(), created.load(Ordering::SeqCst));
    let count = |status| refunds.values().filter(|is| *is == status).count();
    assert_eq!(count("Processed") + count("Error"), refunds.len());
    assert!(count("Error") > 0 && count("Processed") > 0);
    gateway.balances();
}

fn electronic(at: usize) -> String {
    electronic_refund(&amount(at))
}

/// A gateway that never answers: the refund stays in Processing, an operator may not end it before
/// the 48 hours are over, then once, and the history keeps who and why.
#[test]
fn an_operator_settles_what_no_gateway_tells_once_and_not_too_early() {
    let seed = seed() + "[[gateway.rule]]\namount = '9.00'\nanswer = 'hang'\n";
    let config = |clock| format!("clock = '{clock}'\n[service]\ngateway_wait_ms = 50\n");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("seed.toml"), seed).unwrap();
    std::fs::write(folder.path().join("config.toml"), config("2026-01-05T12:00:00Z")).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    let mut gateway = TestGateway::start_in(folder, &args);
    let mut ids = [created(&gateway), created(&gateway)].concat();
    gateway.kill9();
    let later = gateway.folder().join("config.toml");
    std::fs::write(later, config("2999-01-05T12:00:00Z")).unwrap();
    gateway.restart();
    ids.extend(created(&gateway));
    let (folder, place) = (gateway.folder().to_owned(), gateway.place().to_owned());
    let settle = |id: &str, status: &str| {
        let output = finish(
            program(&folder)
                .args(["refund", "settle", id, "--ledger", &place, "--status", status])
                .args(["--reason", "the bank's statement of 7 January"]),
        );
        let reported = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(reported).unwrap())
    };
    if engine() == Engine::File {
        // On a ledger in use, the gateway that has it decides, by the same rules.
        let (code, reported) = settle(&ids[2], "Error");
        assert!(code == Some(2) && reported.contains("R-00000003 is being asked"), "{reported}");
        let (code, reported) = settle(&ids[1], "Error");
        assert!(code == Some(0) && reported.starts_with("R-00000002 is Error now"), "{reported}");
        assert!(reported.contains("the gateway that runs on this ledger"), "{reported}");
        gateway.kill9();
    } else {
        gateway.kill9();
        assert_eq!(settle(&ids[1], "Error").0, Some(0));
    }
    let (code, reported) = settle(&ids[2], "Error");
    assert!(code == Some(2) && reported.contains("only then can it be settled"), "{reported}");
    assert_eq!(settle(&ids[0], "Error"), (Some(0), "R-00000001 is Error now\n".to_owned()));
    let (code, reported) = settle(&ids[0], "Processed");
    assert!(code == Some(2) && reported.contains("R-00000001 is Error, and only"), "{reported}");
    let (code, reported) = settle("0", "Processed");
    assert!(code == Some(2) && reported.contains("`0` is no Id"), "{reported}");
    let select = "select reason_text, operator from exchange where kind = 'operator' \
                  and refund = 1";
    let [why, who]: [String; 2] = gateway.stored().select(select).remove(0).try_into().unwrap();
    assert_eq!(why, "the bank's statement of 7 January");
    assert!(who.contains("uid "), "{who}");
    // 500.00, of which 9.00 is held still.
    assert_eq!(balance(&gateway.stored()), (49_100, 49_100));
}

/// A refund about which no gateway answers.
fn created(gateway: &TestGateway) -> Vec<String> {
    let object = electronic_refund("9.00");
    gateway.create(&gateway.login(), &[object]).texts("Id")
}
