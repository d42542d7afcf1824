//! Tests of the seed: how every wrong value is refused, and what the right ones become.

use super::*;
use crate::domain::money::MinorUnits;
use crate::domain::permission::Permission;
use crate::domain::script::ScriptedAnswer;
use crate::domain::vocabulary::MethodStatus;
use crate::ledger::seed::SeedAccount;

const ACCOUNT: &str = r#"[[account]]
id = "402892c72b9e3319012b9e34b88e0001"
number = "A1"
name = "One"
currency = "USD"
credit_balance = "1.50"
"#;

fn reported(text: &str) -> String {
    match Seed::parse(text) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn accounts(seed: &Seed) -> Vec<SeedAccount> {
    seed.plan.accounts.iter().collect()
}

fn account_with(from: &str, to: &str) -> String {
    assert!(ACCOUNT.contains(from), "{from}");
    ACCOUNT.replace(from, to)
}

#[test]
fn since_when_a_balance_is_there_and_the_name_of_a_method_are_said_rightly_or_not_at_all() {
    let opened = |day: &str| format!("{ACCOUNT}opened = '{day}'\n");
    let seed = Seed::parse(&opened("2026-05-01")).unwrap();
    assert_eq!(accounts(&seed)[0].opened.unwrap().to_string(), "2026-05-01");
    assert_eq!(accounts(&Seed::parse(ACCOUNT).unwrap())[0].opened, None);
    let wrong = "line 7: account.opened: `1.5.2026` is no day like `2026-01-02`";
    assert_eq!(reported(&opened("1.5.2026")), wrong);
    let method = |name: &str| {
        format!(
            "[[payment_method]]\nid = '4028e6a0000b00000000000000000001'\ntype = 'Check'\n\
             name = '{name}'\n"
        )
    };
    let seed = Seed::parse(&method("Till 3")).unwrap();
    assert_eq!(seed.plan.payment_methods.iter().next().unwrap().name.as_deref(), Some("Till 3"));
    assert_eq!(reported(&method(" ")), "line 4: payment_method.name: may not be empty");
}

#[test]
fn the_demo_is_what_the_contract_says() {
    let seed = Seed::demo().unwrap();
    let all = accounts(&seed);
    let accounts: Vec<&str> = all.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(accounts, ["402892c72b9e3319012b9e34b88e0001", "2c92c0f83ddb61af013ddc5736b1025a"]);
    assert!(all.iter().all(|account| account.opening == MinorUnits::new(100_000)
        && account.currency.code() == "USD"
        && account.default_payment_method.is_none()));
    let methods: Vec<_> = seed.plan.payment_methods.iter().collect();
    let [method] = methods.as_slice() else { panic!("one method") };
    assert_eq!(method.id.as_str(), "2c92c0f83dfa5201013dfa6656ff2b8b");
    assert_eq!(method.account.as_ref().unwrap().as_str(), accounts[1]);
    let [user] = seed.plan.users.as_slice() else { panic!("one user") };
    assert_eq!(user.username, "demo@example.com");
    assert!(Permission::ALL.into_iter().all(|permission| user.permissions.allow(permission)));
    assert!(matches!(seed.passwords.as_slice(), [NewPassword::Plain(plain)] if plain == "demo"));
}

#[test]
fn the_catalogues_seed_is_one() {
    let text = include_str!("../../../fixtures/seed.toml");
    assert_eq!(reported(text), "nothing");
}

#[test]
fn only_written_settings_are_stored() {
    let text = "[tenant]\ncredit_balance = false\ntime_zone = 'Asia/Tokyo'\n\
                reason_codes = ['Standard \"Refund\"', 'Other']\n";
    let seed = Seed::parse(text).unwrap();
    let expected = [
        ("credit_balance", "false"),
        ("time_zone", "Asia/Tokyo"),
        ("reason_codes", r#"["Standard \"Refund\"","Other"]"#),
    ];
    assert_eq!(seed.plan.tenant, expected.map(|(key, value)| (key, value.to_owned())));
    assert!(Seed::parse("").unwrap().plan.tenant.is_empty());
}

#[test]
fn tables_may_refer_forward_and_in_circles() {
    let text = format!(
        "{ACCOUNT}default_payment_method = '2c92c0f83dfa5201013dfa6656ff2b8b'\n\
         [[payment_method]]\nid = '2c92c0f83dfa5201013dfa6656ff2b8b'\nstatus = 'Closed'\n\
         type = 'CreditCard'\naccount = '402892c72b9e3319012b9e34b88e0001'\n"
    );
    let seed = Seed::parse(&text).unwrap();
    assert_eq!(accounts(&seed)[0].opening, MinorUnits::new(150));
    assert_eq!(seed.plan.payment_methods.iter().next().unwrap().status, MethodStatus::Closed);
}

#[test]
fn a_gateways_script_is_read() {
    let text = "[[gateway]]\nname = 'g'\nkind = 'sandbox'\nactive = false\n\
                method_types = ['ACH']\nrequire_settled = false\n\
                [[gateway.rule]]\namount = '13.00'\nanswer = 'drop-after'\ntimes = 2\n\
                [[gateway.rule]]\nanswer = 'decline'\ncode = '54'\ndelay_ms = 5\n";
    let seed = Seed::parse(text).unwrap();
    let [(gateway, script)] = seed.plan.gateways.as_slice() else { panic!("one gateway") };
    assert!(!gateway.active && gateway.non_referenced_refunds);
    assert_eq!(script.rules.len(), 2);
    assert_eq!(script.rules[0].answer, ScriptedAnswer::DropAfter);
    assert_eq!((script.rules[0].times, script.rules[1].delay_ms), (Some(2), 5));
}

#[test]
fn a_wrong_account_is_told_with_line_and_key() {
    let cases = [
        (
            account_with("402892c72b9e3319012b9e34b88e0001", "12"),
            "line 2: account.id: `12` is no id: 32 letters or digits",
        ),
        (
            account_with("402892c72b9e3319012b9e34b88e0001", "402892c7-"),
            "line 2: account.id: `402892c7-` is no id: 32 letters or digits",
        ),
        (
            account_with("\"USD\"", "\"usd\""),
            "line 5: account.currency: `usd` is no currency of ISO 4217 (upper case)",
        ),
        (
            account_with("1.50", "1.505"),
            "line 6: account.credit_balance: `1.505` does not fit USD, which has 2 decimals",
        ),
        (
            account_with("1.50", "-1"),
            "line 6: account.credit_balance: a credit balance is never negative, `-1` is",
        ),
        (account_with("1.50", "1e3"), "line 6: account.credit_balance: `1e3` is no decimal amount"),
        (
            account_with("\"1.50\"", "1.50"),
            "line 6: account.credit_balance: is 1.5; it must be \
             an amount in quotes, such as \"100.00\"",
        ),
        (account_with("\"A1\"", "\"\""), "line 3: account.number: may not be empty"),
        (account_with("number = \"A1\"\n", ""), "line 1: account.number: the key is missing"),
        (
            account_with("name", "nmae"),
            "line 4: account.nmae: unknown key `nmae`; did you mean `name`?",
        ),
        (
            format!("{ACCOUNT}{ACCOUNT}"),
            "line 8: account.id: account `402892c72b9e3319012b9e34b88e0001` stands here twice",
        ),
        (
            format!("{ACCOUNT}{}", account_with("88e0001", "88e0002")),
            "line 9: account.number: account number `A1` stands here twice",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(reported(&text), expected, "{text}");
    }
}

#[test]
fn a_wrong_user_is_told_with_line_and_key() {
    let cases = [
        ("username = 'u'\n", "line 1: user: user `u` needs password or password_hash"),
        ("username = 'u'\npassword = ''\n", "line 3: user.password: a password may not be empty"),
        (
            "username = 'u'\npassword = 'p'\npassword_hash = 'h'\n",
            "line 4: user.password_hash: password and password_hash exclude each other",
        ),
        (
            "username = 'u'\npassword = 'p'\npermissions = ['external-refunds']\n",
            "line 4: user.permissions: unknown value `external-refunds`; \
             did you mean `external-refund`?",
        ),
        (
            "username = 'u'\npassword = 'p'\n[[user]]\nusername = 'u'\npassword = 'p'\n",
            "line 5: user.username: user `u` stands here twice",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(reported(&format!("[[user]]\n{text}")), expected, "{text}");
    }
    let hash = reported("[[user]]\nusername = 'u'\npassword_hash = 'demo'\n");
    assert!(
        hash.starts_with("line 3: user.password_hash: the password cannot be hashed"),
        "{hash}"
    );
}

#[test]
fn a_wrong_gateway_or_method_is_told_with_line_and_key() {
    let gateway = "[[gateway]]\nname = 'g'\nkind = 'sandbox'\n";
    let method = "[[payment_method]]\nid = '2c92c0f83dfa5201013dfa6656ff2b8b'\n";
    let cases = [
        (
            "[[gateway]]\nname = 'g'\nkind = 'http'\n".to_owned(),
            "line 3: gateway.kind: gateways of kind http are configuration, never seed",
        ),
        (
            format!("{gateway}method_types = []\n"),
            "line 4: gateway.method_types: names no type; leave it out for all types",
        ),
        (
            format!("{gateway}[[gateway.rule]]\nanswer = 'declines'\n"),
            "line 5: gateway.rule.answer: unknown value `declines`; did you mean `decline`?",
        ),
        (
            format!("{gateway}[[gateway.rule]]\nanswer = 'decline'\namount = '0'\n"),
            "line 6: gateway.rule.amount: `0` is no amount above 0",
        ),
        (
            format!("{gateway}[[gateway.rule]]\nanswer = 'decline'\ntimes = 0\n"),
            "line 6: gateway.rule.times: a rule that matches no call is none; at least 1",
        ),
        (
            format!("{method}type = 'CreditCard'\n"),
            "line 3: payment_method.type: a method of type CreditCard belongs to an account; \
             name it as `account`",
        ),
        (
            format!("{method}type = 'Card'\n"),
            "line 3: payment_method.type: unknown value `Card`; known are `ACH`, `BankTransfer`, \
             `Cash`, `Check`, `CreditCard`, `CreditCardReferenceTransaction`, `DebitCard`, \
             `Other`, `PayPal`, `WireTransfer`",
        ),
        (
            "[tenant]\ntime_zone = 'Europe/Zebra'\n".to_owned(),
            "line 2: tenant.time_zone: `Europe/Zebra` is no time zone of the IANA database",
        ),
        (
            "[tenant]\nzuora_version = 'x'\n".to_owned(),
            "line 2: tenant.zuora_version: `x` is no minor version of the REST API, such as \
             224.0 or 2025-08-12",
        ),
        (
            "[tenant]\ntime_zone = 'Europe/Berln'\n".to_owned(),
            "line 2: tenant.time_zone: `Europe/Berln` is no time zone of the IANA database; did \
             you mean `Europe/Berlin`?",
        ),
        (
            format!(
                "[tenant]\nreason_codes = [{}]\n",
                (0..301).map(|number| format!("'{number}'")).collect::<Vec<_>>().join(", ")
            ),
            "line 2: tenant.reason_codes: has 301 codes, at most 300",
        ),
        (
            "[tenant]\nreason_codes = []\n".to_owned(),
            "line 2: tenant.reason_codes: at least one reason code is needed, the default",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(reported(&text), expected, "{text}");
    }
}

#[test]
fn a_default_method_of_somebody_else_is_told() {
    let text = format!(
        "{ACCOUNT}default_payment_method = '2c92c0f83dfa5201013dfa6656ff2b8b'\n\
         [[payment_method]]\nid = '2c92c0f83dfa5201013dfa6656ff2b8b'\ntype = 'ACH'\n\
         account = '2c92c0f83ddb61af013ddc5736b1025a'\n"
    );
    let expected = "line 7: account.default_payment_method: \
                    payment method `2c92c0f83dfa5201013dfa6656ff2b8b` belongs to account \
                    `2c92c0f83ddb61af013ddc5736b1025a`";
    assert_eq!(reported(&text), expected);
}

#[test]
fn the_switches_of_a_gateway_have_bounds() {
    let gateway = "[[gateway]]\nname = 'g'\nkind = 'sandbox'\n";
    let cases = [
        ("refund_window_days = 0", "refund_window_days: is 0; it must be from 1 to 36500"),
        ("refund_window_days = 36501", "refund_window_days: is 36501; it must be from 1 to 36500"),
        ("duplicate_window_s = 86401", "duplicate_window_s: is 86401; it must be from 1 to 86400"),
    ];
    for (switch, expected) in cases {
        assert_eq!(
            reported(&format!("{gateway}{switch}\n")),
            format!("line 4: gateway.{expected}")
        );
    }
    let all = "refund_window_days = 180\nduplicate_window_s = 120\nrequire_settled = true\n";
    assert!(Seed::parse(&format!("{gateway}{all}")).is_ok());
}

const INVOICE: &str = "[[invoice]]\nid = '4028e6a0000c00000000000000000001'\nnumber = 'I1'\n\
    account = '402892c72b9e3319012b9e34b88e0001'\ndate = '2026-01-02'\namount = '-9.00'\n\
    balance = '-4.00'\n";

const PAYMENT: &str = "[[payment]]\nid = '4028e6a0000d00000000000000000001'\nnumber = 'P1'\n\
    account = '402892c72b9e3319012b9e34b88e0001'\ntype = 'External'\namount = '80.00'\n\
    effective_date = '2026-01-03'\napplied = [{ invoice = 'I1', amount = '50' }, \
    { invoice = 'I2', amount = '30.00' }]\n";

#[test]
fn invoices_and_payments_are_read() {
    let seed = Seed::parse(&format!("{PAYMENT}{INVOICE}")).unwrap();
    assert_eq!(seed.plan.invoices.iter().next().unwrap().balance.to_string(), "-4");
    let payments: Vec<_> = seed.plan.payments.iter().collect();
    let [payment] = payments.as_slice() else { panic!("one payment") };
    assert!(payment.is_settled && payment.gateway.is_none());
    assert_eq!(payment.applied[1].invoice, "I2");
}

#[test]
fn a_wrong_invoice_or_payment_is_told_with_line_and_key() {
    let cases = [
        (
            INVOICE.replace("'-4.00'", "'1'"),
            "line 7: invoice.balance: lies between 0 and the amount, `-9.00`; `1` does not",
        ),
        (
            INVOICE.replace("'-4.00'", "'-9.01'"),
            "line 7: invoice.balance: lies between 0 and the amount, `-9.00`; `-9.01` does not",
        ),
        (
            INVOICE.replace("2026-01-02", "2026-1-2"),
            "line 5: invoice.date: `2026-1-2` is no day like `2026-01-02`",
        ),
        (
            format!("{INVOICE}{}", INVOICE.replace("000001'", "000002'")),
            "line 10: invoice.number: \
            invoice number `I1` stands here twice",
        ),
        (PAYMENT.replace("'80.00'", "'0'"), "line 6: payment.amount: `0` is no amount above 0"),
        (
            PAYMENT.replace("'30.00'", "'30.01'"),
            "line 8: payment.applied.amount: the parts add up to more than the payment; \
             `30` was left",
        ),
        (
            PAYMENT.replace("I2", "I1"),
            "line 8: payment.applied.invoice: invoice `I1` stands here twice",
        ),
        (
            PAYMENT.replace("External", "Electronic"),
            "line 5: payment.type: an Electronic payment was made by a payment_method; name it",
        ),
        (
            format!("{PAYMENT}gateway = 'sandbox'\n"),
            "line 9: payment.gateway: an External payment went through no gateway",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(reported(&text), expected, "{text}");
    }
}

#[test]
fn a_wrong_custom_field_is_told_with_line_and_key() {
    let field = "[[custom_field]]\nobject = 'Refund'\nname = 'Case__c'\ntype = 'string'\n";
    assert_eq!(reported(field), "nothing");
    let cases = [
        (
            field.replace("Case__c", "Case"),
            "line 3: custom_field.name: `Case` is no name like `Name__c`: letters, digits and \
             `_`, a letter first, at most 64 characters",
        ),
        (
            field.replace("string", "text"),
            "line 4: custom_field.type: unknown type `text`; known are `string`, `decimal`, \
             `boolean`, `date`",
        ),
        (
            format!("{field}length = 501\n"),
            "line 5: custom_field.length: only a `string` has a length, of 1 to 500 characters",
        ),
        (
            format!("{}length = 5\n", field.replace("string", "date")),
            "line 5: custom_field.length: only a `string` has a length, of 1 to 500 characters",
        ),
        (
            format!("{field}{}", field.replace("Case", "CASE")),
            "line 7: custom_field.name: custom field `Refund.case__c` stands here twice",
        ),
        (
            format!("{}advanced = true\n", field.replace("Refund", "CreditBalanceAdjustment")),
            "line 3: custom_field.name: a CreditBalanceAdjustment has no advanced fields",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(reported(&text), expected, "{text}");
    }
    let unknown = reported(&field.replace("Refund", "RefundTransactionLog"));
    assert!(unknown.starts_with("line 2: custom_field.object: unknown value"), "{unknown}");
}
