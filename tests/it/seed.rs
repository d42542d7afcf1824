//! Seeds with invoices, payments and custom fields, loaded by the built program.

use crate::gateway::{finish, program};
use std::fs;
use tempfile::TempDir;

const SEED: &str = r#"
[[account]]
id = "4028e6a0000a00000000000000000001"
number = "A1"
name = "One"
currency = "USD"
credit_balance = "0.00"
gateway = "second"
[[account]]
id = "4028e6a0000a00000000000000000002"
number = "A2"
name = "Two"
currency = "JPY"
credit_balance = "0"
[[gateway]]
name = "second"
kind = "sandbox"
[[payment_method]]
id = "4028e6a0000b00000000000000000001"
account = "4028e6a0000a00000000000000000001"
type = "CreditCard"
[[payment_method]]
id = "4028e6a0000b00000000000000000002"
account = "4028e6a0000a00000000000000000002"
type = "CreditCard"
[[payment_method]]
id = "4028e6a0000b00000000000000000003"
type = "Check"
[[invoice]]
id = "4028e6a0000c00000000000000000001"
number = "I1"
account = "4028e6a0000a00000000000000000001"
date = "2026-01-02"
amount = "60.00"
balance = "10.00"
[[invoice]]
id = "4028e6a0000c00000000000000000002"
number = "I2"
account = "4028e6a0000a00000000000000000001"
date = "2026-01-02"
amount = "-5.00"
balance = "-5.00"
[[payment]]
id = "4028e6a0000d00000000000000000001"
number = "P1"
account = "4028e6a0000a00000000000000000001"
type = "Electronic"
amount = "80.00"
effective_date = "2026-01-03"
payment_method = "4028e6a0000b00000000000000000001"
settled = false
applied = [{ invoice = "I1", amount = "50.00" }]
[[custom_field]]
object = "Refund"
name = "CaseNumber__c"
type = "string"
length = 40
"#;

struct Place(TempDir);

impl Place {
    /// Loads a seed and gives the exit code and what was said.
    fn load(&self, seed: &str) -> (Option<i32>, String) {
        fs::write(self.0.path().join("seed.toml"), seed).unwrap();
        let mut command = program(self.0.path());
        let output = finish(command.args(["seed", "seed.toml", "--ledger", "l.db"]));
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    fn text(&self, select: &str) -> String {
        let ledger = rusqlite::Connection::open(self.0.path().join("l.db")).unwrap();
        ledger.query_row(select, [], |row| row.get(0)).unwrap()
    }

    fn change(&self, statement: &str) {
        let ledger = rusqlite::Connection::open(self.0.path().join("l.db")).unwrap();
        ledger.execute_batch(statement).unwrap();
        crate::sums::renew(&ledger);
    }
}

#[test]
fn since_when_a_balance_is_there_stays_as_it_was_said() {
    let place = Place(TempDir::new().unwrap());
    let account = |opened: &str| {
        format!(
            "[[account]]\nid = '4028e6a0000a00000000000000000001'\nnumber = 'A1'\nname = 'One'\n\
             currency = 'USD'\ncredit_balance = '1.00'\nopened = '{opened}'\n"
        )
    };
    let (code, said) = place.load(&account("2999-01-01"));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("opened `2999-01-01` is a day to come"), "{said}");
    for _ in 0..2 {
        assert_eq!(place.load(&account("2026-01-02")).0, Some(0));
    }
    let (code, said) = place.load(&account("2026-01-03"));
    assert_eq!(code, Some(3), "{said}");
    let differs = "opened is `2026-01-02` in the ledger and `2026-01-03` in the seed";
    assert!(said.contains(differs), "{said}");
}

#[test]
fn what_was_billed_is_loaded_once() {
    let place = Place(TempDir::new().unwrap());
    let (code, said) = place.load(SEED);
    assert_eq!(code, Some(0), "{said}");
    let payment = "select json_array(amount, refunded, to_credit_balance, gateway, is_settled, \
                   status, created_ms) from payment";
    // The day begins at eight in the morning of UTC where the tenant lives.
    assert_eq!(place.text(payment), "[8000,0,0,\"second\",0,\"Processed\",1767427200000]");
    let part = "select json_array(amount, length(id)) from invoice_payment";
    assert_eq!(place.text(part), "[5000,32]");
    // What has moved since is no conflict.
    place.change(
        "update invoice set balance = 6000 where number = 'I1';
         update payment set refunded = 5000, applied = 0, is_settled = 1;
         update invoice_payment set refunded = 5000;
         update payment_method set status = 'Closed';
         update account_row set default_payment_method = 3 where number = 'A1';",
    );
    let (code, said) = place.load(SEED);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("added 0, "), "{said}");
    assert_eq!(place.text("select json_array(count(*)) from invoice_payment"), "[1]");
}

#[test]
fn a_contradiction_is_named_and_changes_nothing() {
    let place = Place(TempDir::new().unwrap());
    assert_eq!(place.load(SEED).0, Some(0));
    for (from, to, expected) in [
        (
            "amount = \"60.00\"",
            "amount = \"70.00\"",
            "invoice `4028e6a0000c00000000000000000001`: amount is `60.00` in the ledger and \
             `70.00` in the seed",
        ),
        (
            "balance = \"10.00\"",
            "balance = \"9.00\"",
            "invoice `4028e6a0000c00000000000000000001`: balance is `10.00` in the ledger and \
             `9.00` in the seed",
        ),
        (
            "applied = [{ invoice = \"I1\", amount = \"50.00\" }]",
            "applied = [{ invoice = \"I1\", amount = \"40.00\" }]",
            "payment `4028e6a0000d00000000000000000001`: applied is `I1: 50.00` in the ledger \
             and `I1: 40.00` in the seed",
        ),
        (
            "settled = false",
            "settled = true",
            "payment `4028e6a0000d00000000000000000001`: settled is `false` in the ledger and \
             `true` in the seed",
        ),
        (
            "4028e6a0000d00000000000000000001",
            "4028e6a0000d00000000000000000002",
            "payment number `P1`: id is `4028e6a0000d00000000000000000001` in the ledger and \
             `4028e6a0000d00000000000000000002` in the seed",
        ),
        (
            "length = 40",
            "length = 41",
            "custom field `Refund.CaseNumber__c`: length is `40` in the ledger and `41` in the \
             seed",
        ),
        (
            "CaseNumber__c",
            "casenumber__c",
            "custom field `Refund.casenumber__c`: name is `CaseNumber__c` in the ledger and \
             `casenumber__c` in the seed",
        ),
    ] {
        let (code, said) = place.load(&SEED.replace(from, to));
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let applied = "invoice = \"I1\", amount = \"50.00\"";
    for (from, to, expected) in [
        (
            applied,
            "invoice = \"I1\", amount = \"50.01\"",
            "applied `I1` has 50.01 applied to it, but its balance leaves room for 50.00",
        ),
        (
            applied,
            "invoice = \"I2\", amount = \"1.00\"",
            "applied `I2` is no invoice that can be paid: its amount is not above 0",
        ),
        (
            applied,
            "invoice = \"I9\", amount = \"1.00\"",
            "payment `4028e6a0000d00000000000000000001`: applied names `I9`, which does not exist",
        ),
        (
            "amount = \"80.00\"",
            "amount = \"80.001\"",
            "amount `80.001` does not fit USD, which has 2 decimals",
        ),
        (
            "payment_method = \"4028e6a0000b00000000000000000001\"",
            "payment_method = \"4028e6a0000b00000000000000000002\"",
            "payment_method `4028e6a0000b00000000000000000002` belongs to another account",
        ),
        (
            "payment_method = \"4028e6a0000b00000000000000000001\"",
            "payment_method = \"4028e6a0000b00000000000000000003\"",
            "is of type Check, which no gateway can be paid by",
        ),
        (
            "settled = false",
            "gateway = \"third\"",
            "payment `4028e6a0000d00000000000000000001`: gateway names `third`, which does not \
             exist",
        ),
    ] {
        let place = Place(TempDir::new().unwrap());
        assert!(SEED.contains(from), "{from}");
        let (code, said) = place.load(&SEED.replace(from, to));
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(expected), "{expected}\n{said}");
        assert_eq!(place.text("select json_array(count(*)) from account"), "[0]");
    }
    let of_two = SEED.replacen(
        "account = \"4028e6a0000a00000000000000000001\"\ntype = \"Electronic\"",
        "account = \"4028e6a0000a00000000000000000002\"\ntype = \"External\"",
        1,
    );
    let of_two = of_two.replace("payment_method = \"4028e6a0000b00000000000000000001\"\n", "");
    let (code, said) = Place(TempDir::new().unwrap()).load(&of_two);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("applied `I1` belongs to another account"), "{said}");
}
