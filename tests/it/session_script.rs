//! One client's session, whole: it sets its own stage, moves money every way that there is, reads
//! everything back, takes back what may be taken back, and is refused where the documents refuse.
//! After each step the ledger is audited by the program's own `check`.

use crate::gateway::{ENDPOINT, TestGateway, envelope, finish, program, refund, session_header};
use crate::wire::Answer;
use refund_gateway::domain::query::QueryObject;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::soap::wsdl;
use std::fs;

const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
permissions = [
    "external-refund", "electronic-refund", "credit-balance-external-refund",
    "credit-balance-electronic-refund", "credit-balance-adjustment",
    "cancel-credit-balance-adjustment",
]

[[gateway]]
name = "sandbox"
kind = "sandbox"
[[gateway.rule]]
amount = "13.00"
answer = "decline"
code = "54"
"#;

struct Session {
    gateway: TestGateway,
    session: String,
    account: String,
}

fn object(name: &str, fields: &[(&str, &str)]) -> String {
    refund(fields).replace("obj:Refund\"", &format!("obj:{name}\""))
}

impl Session {
    fn call(&self, version: &str, body: &str) -> Answer {
        let envelope = envelope(&session_header(&self.session), body);
        let path = ENDPOINT.replace("91.0", version);
        let answer = self.gateway.post(&path, &envelope);
        assert_eq!(answer.status, 200, "{answer}");
        answer
    }

    /// Creates an object and gives its id; the ledger must add up.
    fn create(&self, name: &str, fields: &[(&str, &str)]) -> String {
        let body = format!("<api:create>{}</api:create>", object(name, fields));
        let answer = self.call("91.0", &body);
        assert_eq!(answer.successes(), 1, "{name} {fields:?}: {answer}");
        self.audit();
        answer.texts("Id").remove(0)
    }

    /// Tries to create an object and gives the error's text; nothing may have moved.
    fn refused(&self, name: &str, fields: &[(&str, &str)]) -> String {
        let body = format!("<api:create>{}</api:create>", object(name, fields));
        self.refusal(&body)
    }

    fn update(&self, name: &str, fields: &[(&str, &str)]) {
        let body = format!("<api:update>{}</api:update>", object(name, fields));
        let answer = self.call("91.0", &body);
        assert_eq!(answer.successes(), 1, "{name} {fields:?}: {answer}");
        self.audit();
    }

    fn update_refused(&self, name: &str, fields: &[(&str, &str)]) -> String {
        self.refusal(&format!("<api:update>{}</api:update>", object(name, fields)))
    }

    fn refusal(&self, body: &str) -> String {
        let before = self.gateway.balances();
        let answer = self.call("91.0", body);
        assert_eq!(answer.successes(), 0, "{answer}");
        assert_eq!(self.gateway.balances(), before, "{answer}");
        answer.texts("Message").remove(0)
    }

    /// Deletes an object, or returns why not.
    fn delete(&self, name: &str, id: &str) -> Option<String> {
        let body =
            format!("<api:delete><api:type>{name}</api:type><api:ids>{id}</api:ids></api:delete>");
        let answer = self.call("91.0", &body);
        self.audit();
        let reported = answer.texts("success");
        assert_eq!(reported.len(), 1, "{answer}");
        (reported[0] == "false").then(|| answer.texts("Message").remove(0))
    }

    /// The credit balance, once everything adds up.
    fn balance(&self) -> String {
        self.gateway.balance(&self.account)
    }

    fn audit(&self) {
        self.gateway.balances();
    }

    /// One value of an object.
    fn value(&self, name: &str, field: &str, id: &str) -> String {
        let zoql = format!("select {field} from {name} where Id = '{id}'");
        let answer = self.query("91.0", &zoql);
        answer.texts(field).pop().unwrap_or_else(|| panic!("{zoql}: {answer}"))
    }

    fn query(&self, version: &str, zoql: &str) -> Answer {
        let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
        self.call(version, &body)
    }

    /// Reads an object back with every field that the version has, and finds `count` of it.
    fn read_back(&self, version: u16, name: &str, count: usize) {
        let fields = wsdl::fields(ApiVersion::major(version), name);
        let object = QueryObject::from_name(name).unwrap();
        // Some are for create alone, and what holds objects is never selected.
        let is_selectable = |(field, _): &(&'static str, &str)| {
            object.object().field(field).is_some_and(|field| field.is_queried)
        };
        let fields: Vec<&str> =
            fields.into_iter().filter(is_selectable).map(|(field, _)| field).collect();
        assert!(!fields.is_empty(), "{name} at {version}.0");
        let zoql = format!("select Id, {} from {name}", fields.join(", "));
        let answer = self.query(&format!("{version}.0"), &zoql);
        assert_eq!(answer.texts("size"), [count.to_string()], "{name} at {version}.0: {answer}");
        assert_eq!(answer.texts("Id").len(), count, "{name} at {version}.0: {answer}");
    }

    /// Adds invoices to the account, which no client can create: the program loads a seed between
    /// two runs, and the session goes on.
    fn add_invoices(&mut self) {
        assert!(self.gateway.terminate().success());
        let account = &self.account;
        let invoice = |number: u32, amount: &str| {
            format!(
                "[[invoice]]\nid = \"4028e6a000000000000000000000000{number}\"\n\
                 number = \"INV-{number}\"\naccount = \"{account}\"\ndate = \"2026-01-02\"\n\
                 amount = \"{amount}\"\nbalance = \"{amount}\"\n"
            )
        };
        let seed = [invoice(1, "-100.00"), invoice(2, "60.00"), invoice(3, "40.00")].concat();
        let folder = self.gateway.folder();
        fs::write(folder.join("invoices.toml"), seed).unwrap();
        let mut load = program(folder);
        let loaded = finish(load.args(["seed", "invoices.toml", "--ledger", self.gateway.place()]));
        assert!(loaded.status.success(), "{loaded:?}");
        self.gateway.restart();
    }
}

fn invoice(number: u32) -> String {
    format!("4028e6a000000000000000000000000{number}")
}

/// Logs in, and makes an account with a card that is its default.
fn started() -> (Session, String) {
    let gateway = TestGateway::seeded(SEED, &[]);
    let session = gateway.login();
    let mut session = Session { gateway, session, account: String::new() };
    let account = [("AccountNumber", "ACME-1"), ("Currency", "USD"), ("Name", "ACME")];
    session.account = session.create("Account", &account);
    let account = session.account.clone();
    let card = session.create(
        "PaymentMethod",
        &[
            ("AccountId", &account),
            ("CreditCardExpirationMonth", "12"),
            ("CreditCardExpirationYear", "2031"),
            ("CreditCardHolderName", "Ann"),
            ("CreditCardNumber", "4111111111111111"),
            ("CreditCardType", "Visa"),
            ("Type", "CreditCard"),
        ],
    );
    session.update("Account", &[("Id", &account), ("DefaultPaymentMethodId", &card)]);
    session.add_invoices();
    assert_eq!(session.balance(), "0.00");
    (session, card)
}

/// A negative invoice becomes credit, and the credit is refunded and pays an invoice.
fn move_the_balance(session: &Session, card: &str) {
    let account = session.account.as_str();
    let increase = |amount| {
        let source = invoice(1);
        session.create(
            "CreditBalanceAdjustment",
            &[("Amount", amount), ("SourceTransactionId", &source), ("Type", "Increase")],
        )
    };
    let first = increase("70.00");
    let second = increase("30.00");
    assert_eq!(session.balance(), "100.00");
    assert_eq!(session.value("Invoice", "Balance", &invoice(1)), "0");
    let of_balance = |amount, more: &[(&'static str, &str)]| {
        let common = [("AccountId", account), ("Amount", amount), ("SourceType", "CreditBalance")];
        let fields = [&common[..], more].concat();
        session.create("Refund", &fields)
    };
    let external = of_balance("20.00", &[("MethodType", "Check"), ("Type", "External")]);
    let electronic = [("PaymentMethodId", card), ("Type", "Electronic")];
    of_balance("15.00", &electronic);
    let declined = of_balance("13.00", &electronic);
    assert_eq!(session.value("Refund", "Status", &declined), "Error");
    assert_eq!(session.balance(), "65.00");
    let source = invoice(2);
    let pays = [("Amount", "25.00"), ("SourceTransactionId", &source), ("Type", "Decrease")];
    let decrease = session.create("CreditBalanceAdjustment", &pays);
    assert_eq!(session.balance(), "40.00");
    assert_eq!(session.value("Invoice", "Balance", &invoice(2)), "35.00");
    let over = [("Amount", "40.01"), ("SourceTransactionId", &source), ("Type", "Decrease")];
    assert!(session.refused("CreditBalanceAdjustment", &over).contains("invoice balance"));
    // What may be taken back, and what may not.
    session.update("CreditBalanceAdjustment", &[("Id", &decrease), ("Status", "Canceled")]);
    assert_eq!(session.value("Invoice", "Balance", &invoice(2)), "60.00");
    assert_eq!(session.balance(), "65.00");
    let cancel = [("Id", first.as_str()), ("Status", "Canceled")];
    let reported = session.update_refused("CreditBalanceAdjustment", &cancel);
    assert_eq!(reported, "The adjustment amount 70.00 is greater than the credit balance 65.00.");
    session.update("CreditBalanceAdjustment", &[("Id", &second), ("Status", "Canceled")]);
    assert_eq!(session.value("Invoice", "Balance", &invoice(1)), "-30.00");
    assert_eq!(session.balance(), "35.00");
    let reported = session.update_refused("Refund", &[("Id", &external), ("Status", "Canceled")]);
    assert_eq!(reported, "A refund of a credit balance cannot be canceled.");
    let reported = session.delete("Refund", &external);
    assert_eq!(reported.as_deref(), Some("A refund of a credit balance cannot be deleted."));
    assert_eq!(session.balance(), "35.00");
}

/// Payments are refunded to where they came from, and a refund of one is taken back.
fn refund_payments(session: &Session, card: &str) {
    let account = session.account.as_str();
    let pays = invoice(3);
    let payment = session.create(
        "Payment",
        &[
            ("AccountId", account),
            ("Amount", "50.00"),
            ("AppliedInvoiceAmount", "40.00"),
            ("InvoiceId", &pays),
            ("PaymentMethodId", card),
            ("Status", "Processed"),
            ("Type", "Electronic"),
        ],
    );
    let balance_of_invoice = || session.value("Invoice", "Balance", &pays);
    assert_eq!(balance_of_invoice(), "0");
    // What pays no invoice becomes credit, and that is final.
    let overpaid = [("Amount", "10.00"), ("SourceTransactionId", &payment), ("Type", "Increase")];
    let from_payment = session.create("CreditBalanceAdjustment", &overpaid);
    assert_eq!(session.balance(), "45.00");
    let cancel = [("Id", from_payment.as_str()), ("Status", "Canceled")];
    let reported = session.update_refused("CreditBalanceAdjustment", &cancel);
    assert_eq!(reported, "An increase from an overpayment cannot be canceled.");
    let of_payment = |amount: &'static str, refund_type: &'static str| {
        let payment = payment.as_str();
        let mut fields = vec![("Amount", amount), ("PaymentId", payment), ("Type", refund_type)];
        if refund_type == "External" {
            fields.push(("MethodType", "Check"));
        }
        fields
    };
    let external = session.create("Refund", &of_payment("12.00", "External"));
    assert_eq!(balance_of_invoice(), "12.00");
    let electronic = session.create("Refund", &of_payment("8.00", "Electronic"));
    assert_eq!(session.value("Refund", "Status", &electronic), "Processed");
    assert_eq!(session.value("Refund", "PaymentMethodId", &electronic), card);
    assert_eq!(balance_of_invoice(), "20.00");
    let declined = session.create("Refund", &of_payment("13.00", "Electronic"));
    assert_eq!(session.value("Refund", "Status", &declined), "Error");
    assert_eq!(balance_of_invoice(), "20.00");
    assert_eq!(session.value("Payment", "RefundAmount", &payment), "20.00");
    let reported = session.refused("Refund", &of_payment("20.01", "External"));
    assert!(reported.contains("20.01") && reported.contains("20.00"), "{reported}");
    session.update("Refund", &[("Id", &external), ("Status", "Canceled")]);
    assert_eq!(session.value("Refund", "Status", &external), "Canceled");
    assert_eq!(balance_of_invoice(), "8.00");
    assert_eq!(session.value("Payment", "RefundAmount", &payment), "8.00");
    let reported = session.update_refused("Refund", &[("Id", &external), ("Status", "Canceled")]);
    assert_eq!(reported, "A refund in status Canceled cannot be canceled.");
    session.update("Refund", &[("Id", &electronic), ("ReasonCode", "Other")]);
    assert_eq!(session.value("Refund", "ReasonCode", &electronic), "Other");
    assert_eq!(session.delete("Refund", &electronic), None);
    assert_eq!(balance_of_invoice(), "0");
    assert_eq!(session.value("Payment", "RefundAmount", &payment), "0");
    assert!(session.delete("Refund", &electronic).is_some());
    assert_eq!(session.balance(), "45.00");
}

#[test]
fn a_client_sets_its_stage_moves_money_and_reads_everything_back() {
    let (session, card) = started();
    move_the_balance(&session, &card);
    refund_payments(&session, &card);
    for version in [91, 68, 48] {
        session.read_back(version, "Account", 1);
        // Beside those that every tenant has.
        session.read_back(version, "PaymentMethod", 5);
        session.read_back(version, "Payment", 1);
        session.read_back(version, "Invoice", 3);
        session.read_back(version, "InvoicePayment", 1);
        // Three of the balance; of the payment a cancelled one and a declined one.
        session.read_back(version, "Refund", 5);
        // Neither has anything of it any more.
        session.read_back(version, "RefundInvoicePayment", 0);
        // Four that were asked for, and one for each refund of the balance.
        session.read_back(version, "CreditBalanceAdjustment", 7);
    }
    assert_eq!(session.balance(), "45.00");
}
