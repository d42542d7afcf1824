//! Adjusting invoices and their items by SOAP, through the built program: what the documents say
//! to do after a cancelled credit balance and after a refunded card payment, and every refusal.
//! After each step the ledger is audited by the program's own `check`.

use crate::gateway::{ENDPOINT, TestGateway, envelope, finish, program, refund, session_header};
use crate::wire::Answer;
use std::fs;

const ACCOUNT: &str = "4028e6a0000a00000000000000000001";
/// Paid by a card: 100.00, in charges of 60.00 and 30.00 and 10.00 of tax on the first.
const PAID: &str = "4028e6a0000c00000000000000000001";
const PAYMENT: &str = "4028e6a0000d00000000000000000001";
/// Owes the customer 70.00, all of which can become credit.
const NEGATIVE: &str = "4028e6a0000c00000000000000000002";
/// Asks for 50.00; the seed gives its only item no id.
const OPEN: &str = "4028e6a0000c00000000000000000003";
const FEE: &str = "4028e6a0000e00000000000000000001";
const USAGE: &str = "4028e6a0000e00000000000000000002";
const NOBODYS: &str = "4028e6a0000f00000000000000000009";
const EUROPEAN: &str = "4028e6a0000c00000000000000000004";

const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
permissions = [
    "external-refund", "electronic-refund", "credit-balance-external-refund",
    "credit-balance-adjustment", "cancel-credit-balance-adjustment", "invoice-adjustment",
]

[[user]]
username = "clerk@example.com"
password = "clerk"
permissions = ["external-refund"]

[[account]]
id = "4028e6a0000a00000000000000000001"
number = "A00000001"
name = "owner"
currency = "USD"
credit_balance = "0.00"

[[account]]
id = "4028e6a0000a00000000000000000002"
number = "A00000002"
name = "another"
currency = "EUR"
credit_balance = "0.00"

[[payment_method]]
id = "4028e6a0000b00000000000000000001"
account = "4028e6a0000a00000000000000000001"
type = "CreditCard"

[[invoice]]
id = "4028e6a0000c00000000000000000001"
number = "INV00000001"
account = "4028e6a0000a00000000000000000001"
date = "2026-01-02"
amount = "100.00"
balance = "0.00"
items = [
    { id = "4028e6a0000e00000000000000000001", name = "Fee", amount = "60.00", tax = "10.00" },
    { id = "4028e6a0000e00000000000000000002", name = "Usage", amount = "30.00" },
]

[[invoice]]
id = "4028e6a0000c00000000000000000002"
number = "INV00000002"
account = "4028e6a0000a00000000000000000001"
date = "2026-01-02"
amount = "-70.00"
balance = "-70.00"

[[invoice]]
id = "4028e6a0000c00000000000000000003"
number = "INV00000003"
account = "4028e6a0000a00000000000000000001"
date = "2026-02-02"
amount = "50.00"
balance = "50.00"
items = [{ amount = "50.00" }]

[[invoice]]
id = "4028e6a0000c00000000000000000004"
number = "INV00000004"
account = "4028e6a0000a00000000000000000002"
date = "2026-02-02"
amount = "5.00"
balance = "5.00"

[[payment]]
id = "4028e6a0000d00000000000000000001"
number = "P-00000001"
account = "4028e6a0000a00000000000000000001"
type = "Electronic"
amount = "100.00"
effective_date = "2026-01-03"
payment_method = "4028e6a0000b00000000000000000001"
applied = [{ invoice = "INV00000001", amount = "100.00" }]
"#;

struct Client {
    gateway: TestGateway,
    session: String,
}

type Fields<'f> = &'f [(&'f str, &'f str)];

const ITEM: &str = "InvoiceItemAdjustment";
const WHOLE: &str = "InvoiceAdjustment";

fn object(kind: &str, fields: Fields<'_>) -> String {
    refund(fields).replace("obj:Refund\"", &format!("obj:{kind}\""))
}

fn with<'f>(fields: &[(&'f str, &'f str)], more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let is_kept = |(name, _): &(&str, &str)| !more.iter().any(|(other, _)| other == name);
    fields.iter().copied().filter(is_kept).chain(more.iter().copied()).collect()
}

impl Client {
    fn new(seed: &str) -> Self {
        Self::of(TestGateway::seeded(seed, &[]))
    }

    fn of(gateway: TestGateway) -> Self {
        let session = gateway.login();
        Self { gateway, session }
    }

    fn call(&self, version: &str, body: &str) -> Answer {
        let path = ENDPOINT.replace("91.0", version);
        let answer = self.gateway.post(&path, &envelope(&session_header(&self.session), body));
        // Fails where anything does not add up.
        self.gateway.balances();
        answer
    }

    fn create(&self, version: &str, kind: &str, fields: Fields<'_>) -> Answer {
        self.call(version, &format!("<api:create>{}</api:create>", object(kind, fields)))
    }

    fn created(&self, kind: &str, fields: Fields<'_>) -> String {
        let answer = self.create("91.0", kind, fields);
        assert_eq!(answer.successes(), 1, "{kind} {fields:?}: {answer}");
        answer.texts("Id").remove(0)
    }

    fn refused(&self, kind: &str, fields: Fields<'_>) -> String {
        refusal(&self.create("91.0", kind, fields))
    }

    fn update(&self, kind: &str, fields: Fields<'_>) -> Answer {
        self.call("91.0", &format!("<api:update>{}</api:update>", object(kind, fields)))
    }

    fn cancel(&self, kind: &str, id: &str) {
        let answer = self.update(kind, &[("Id", id), ("Status", "Canceled")]);
        assert_eq!(answer.successes(), 1, "{kind} {id}: {answer}");
    }

    fn not_canceled(&self, kind: &str, id: &str) -> String {
        refusal(&self.update(kind, &[("Id", id), ("Status", "Canceled")]))
    }

    fn delete(&self, kind: &str, id: &str) -> Answer {
        let body =
            format!("<api:delete><api:type>{kind}</api:type><api:ids>{id}</api:ids></api:delete>");
        self.call("91.0", &body)
    }

    fn find(&self, version: &str, zoql: &str) -> Answer {
        let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
        self.call(version, &body)
    }

    fn read(&self, kind: &str, id: &str, fields: &[&str]) -> Vec<String> {
        let zoql = format!("select {} from {kind} where Id = '{id}'", fields.join(", "));
        let answer = self.find("91.0", &zoql);
        assert_eq!(answer.status, 200, "{zoql}: {answer}");
        fields.iter().map(|name| answer.texts(name).pop().unwrap_or_default()).collect()
    }

    fn invoice_balance(&self, id: &str) -> String {
        self.read("Invoice", id, &["Balance"]).remove(0)
    }

    /// The id of the tax line of an item.
    fn tax_of(&self, item: &str) -> String {
        let found = self.find(
            "91.0",
            &format!("select Id, TaxAmount from TaxationItem where InvoiceItemId = '{item}'"),
        );
        assert_eq!(found.texts("TaxAmount"), ["10.00"], "{found}");
        found.texts("Id").remove(0)
    }
}

fn refusal(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.successes()), (200, 0), "{answer}");
    format!("{}: {}", answer.texts("Code").remove(0), answer.texts("Message").remove(0))
}

const CREDIT_OF_FEE: Fields<'_> = &[
    ("AdjustmentDate", "2026-02-02"),
    ("Amount", "60.00"),
    ("InvoiceId", PAID),
    ("SourceId", FEE),
    ("SourceType", "InvoiceDetail"),
    ("Type", "Credit"),
];

#[test]
fn a_refunded_card_payment_is_settled_by_item_adjustments() {
    let client = Client::new(SEED);
    let over = "INVALID_VALUE: The credit amount 60.00 is greater than the invoice balance 0.00.";
    assert_eq!(client.refused(ITEM, CREDIT_OF_FEE), over);
    // The refund in the gateway's own way is recorded here as an external one.
    let refund = client.created(
        "Refund",
        &[
            ("Amount", "100.00"),
            ("MethodType", "CreditCard"),
            ("PaymentId", PAYMENT),
            ("Type", "External"),
        ],
    );
    assert_eq!(client.invoice_balance(PAID), "100.00");
    let fee = client.created(ITEM, CREDIT_OF_FEE);
    let usage = with(CREDIT_OF_FEE, &[("Amount", "30.00"), ("SourceId", USAGE)]);
    client.created(ITEM, &usage);
    let tax_id = client.tax_of(FEE);
    let tax = [("Amount", "10.00"), ("SourceId", &tax_id), ("SourceType", "Tax")];
    client.created(ITEM, &with(CREDIT_OF_FEE, &tax));
    assert_eq!(client.invoice_balance(PAID), "0");
    let sums = ["AdjustmentAmount", "Amount", "RefundAmount", "TaxAmount"];
    let reported = client.read("Invoice", PAID, &sums);
    assert_eq!(reported, ["-100.00", "100.00", "100.00", "10.00"]);
    // The payment cannot pay again what was settled otherwise since.
    let settled = "INVALID_VALUE: The balance 0.00 of the invoice INV00000001 does not cover what \
                   the refund reopened.";
    assert_eq!(client.not_canceled("Refund", &refund), settled);
    client.cancel(ITEM, &fee);
    assert_eq!(client.invoice_balance(PAID), "60.00");
    assert!(client.not_canceled("Refund", &refund).starts_with("INVALID_VALUE: The balance 60.00"));
    // The line is whole again, but no more than that.
    assert_eq!(
        client.refused(ITEM, &with(CREDIT_OF_FEE, &[("Amount", "60.01")])),
        "INVALID_VALUE: The credit amount 60.01 is greater than what is left of the invoice item, \
         60.00."
    );
    client.created(ITEM, &with(CREDIT_OF_FEE, &[("Amount", "59.99")]));
    assert_eq!(
        client.refused(ITEM, &with(CREDIT_OF_FEE, &[("Amount", "0.02")])),
        "INVALID_VALUE: The credit amount 0.02 is greater than what is left of the invoice item, \
         0.01."
    );
    assert_eq!(client.invoice_balance(PAID), "0.01");
}

#[test]
fn a_cancelled_credit_balance_is_handled_by_a_charge() {
    let client = Client::new(SEED);
    let increase = [("Amount", "70.00"), ("SourceTransactionId", NEGATIVE), ("Type", "Increase")];
    let increase = client.created("CreditBalanceAdjustment", &increase);
    let charge = [("Amount", "70.00"), ("InvoiceNumber", "INV00000002"), ("Type", "Charge")];
    let above = "INVALID_VALUE: The charge amount 70.00 would raise the balance 0.00 of a negative \
                 invoice above zero.";
    assert_eq!(client.refused(WHOLE, &charge), above);
    client.cancel("CreditBalanceAdjustment", &increase);
    assert_eq!(client.invoice_balance(NEGATIVE), "-70.00");
    assert_eq!(client.read("Account", ACCOUNT, &["Balance"]), ["-20.00"]);
    let above = with(&charge, &[("Amount", "70.01")]);
    assert!(
        client.refused(WHOLE, &above).ends_with("balance -70.00 of a negative invoice above zero.")
    );
    let credit = with(&charge, &[("Amount", "1.00"), ("Type", "Credit")]);
    let over = "INVALID_VALUE: The credit amount 1.00 is greater than the invoice balance -70.00.";
    assert_eq!(client.refused(WHOLE, &credit), over);
    let charged = client.created(WHOLE, &charge);
    assert_eq!(client.invoice_balance(NEGATIVE), "0");
    let account = ["Balance", "CreditBalance", "TotalInvoiceBalance"];
    assert_eq!(client.read("Account", ACCOUNT, &account), ["50.00", "0", "50.00"]);
    // There is nothing left that could become credit, until the charge is taken back.
    let fields = [("Amount", "0.01"), ("SourceTransactionId", NEGATIVE), ("Type", "Increase")];
    assert!(
        client.refused("CreditBalanceAdjustment", &fields).contains("greater than the invoice")
    );
    let reported = client.read(WHOLE, &charged, &["ImpactAmount", "AdjustmentNumber", "Status"]);
    assert_eq!(reported, ["70.00", "IA-00000001", "Processed"]);
    client.cancel(WHOLE, &charged);
    client.created("CreditBalanceAdjustment", &fields);
    assert_eq!(client.invoice_balance(NEGATIVE), "-69.99");
}

#[test]
fn a_charge_may_raise_a_balance_above_the_amount_and_goes_while_it_is_owed() {
    let client = Client::new(SEED);
    let late_fee = [("Amount", "25.00"), ("InvoiceId", OPEN), ("Type", "Charge")];
    let charge = client.created(WHOLE, &late_fee);
    assert_eq!(client.invoice_balance(OPEN), "75.00");
    let paid = client.created(
        "Payment",
        &[
            ("AccountId", ACCOUNT),
            ("AppliedInvoiceAmount", "60.00"),
            ("InvoiceId", OPEN),
            ("PaymentMethodId", "4028e6a0000b00000000000000000001"),
            ("Type", "External"),
        ],
    );
    let paid_since = "INVALID_VALUE: The balance 15.00 of the invoice INV00000003 does not cover \
                      what the adjustment added.";
    assert_eq!(client.not_canceled(WHOLE, &charge), paid_since);
    let answer = client.delete(WHOLE, &charge);
    assert_eq!(answer.texts("success"), ["false"]);
    assert!(answer.texts("Message")[0].starts_with("The balance 15.00 of the invoice"), "{answer}");
    client.cancel("Payment", &paid);
    client.cancel(WHOLE, &charge);
    assert_eq!(client.invoice_balance(OPEN), "50.00");
    assert_eq!(
        client.not_canceled(WHOLE, &charge),
        "INVALID_VALUE: Invalid value for field Status: Canceled"
    );
    let reported = client.read(WHOLE, &charge, &["CancelledById", "CreatedById", "Status"]);
    assert!(
        !reported[0].is_empty() && reported[0] == reported[1] && reported[2] == "Canceled",
        "{reported:?}"
    );
    assert_eq!(client.delete(WHOLE, &charge).texts("success"), ["true"]);
    assert_eq!(client.delete(WHOLE, &charge).texts("Code"), ["INVALID_VALUE"]);
    // The number of one that is gone is not given again, and a live one is taken back first.
    let next = client.created(WHOLE, &late_fee);
    assert_eq!(client.read(WHOLE, &next, &["AdjustmentNumber"]), ["IA-00000002"]);
    assert_eq!(client.delete(ITEM, &next).texts("Code"), ["INVALID_VALUE"], "another object's id");
    assert_eq!(client.delete(WHOLE, &next).texts("success"), ["true"]);
    assert_eq!(client.invoice_balance(OPEN), "50.00");
}

#[test]
fn everything_that_is_set_of_an_invoices_adjustment_is_read_back() {
    let client = Client::new(SEED);
    let whole = client.created(
        WHOLE,
        &[
            ("AccountingCode", "4100"),
            ("AdjustmentDate", "2026-02-03"),
            ("Amount", "1.5"),
            ("Comments", "goodwill"),
            ("InvoiceId", OPEN),
            ("InvoiceNumber", "INV00000003"),
            ("ReasonCode", "Cancellation"),
            ("ReferenceId", "CASE-7"),
            ("Type", "Credit"),
        ],
    );
    let expected = [
        ("AccountId", ACCOUNT),
        ("AccountingCode", "4100"),
        ("AdjustmentDate", "2026-02-03"),
        ("AdjustmentNumber", "IA-00000001"),
        ("Amount", "1.50"),
        ("Comments", "goodwill"),
        ("CustomerName", "owner"),
        ("CustomerNumber", "A00000001"),
        ("ImpactAmount", "-1.50"),
        ("InvoiceId", OPEN),
        ("InvoiceNumber", "INV00000003"),
        ("ReasonCode", "Cancellation"),
        ("ReferenceId", "CASE-7"),
        ("Status", "Processed"),
        ("TransferredToAccounting", ""),
        ("Type", "Credit"),
    ];
    let (names, values): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(client.read(WHOLE, &whole, &names), values);
}

#[test]
fn an_adjustment_of_an_item_is_found_by_its_item_and_has_a_number_of_its_own() {
    let client = Client::new(SEED);
    let item =
        client.find("91.0", &format!("select Id from InvoiceItem where InvoiceId = '{OPEN}'"));
    let line = item.texts("Id").remove(0);
    let fields = [
        ("AdjustmentDate", "2026-02-02"),
        ("AdjustmentNumber", "MINE-1"),
        ("Amount", "2.00"),
        ("Comment", "the same"),
        ("InvoiceNumber", "INV00000003"),
        ("SourceId", &line),
        ("SourceType", "InvoiceDetail"),
        ("Type", "Credit"),
    ];
    let of_line = client.created(ITEM, &fields);
    let names =
        ["AdjustmentNumber", "Comment", "ReasonCode", "SourceId", "SourceType", "InvoiceId"];
    let reported = client.read(ITEM, &of_line, &names);
    let standard = "Standard Adjustment";
    assert_eq!(reported, ["MINE-1", "the same", standard, &line, "InvoiceDetail", OPEN]);
    let taken = "DUPLICATE_VALUE: The adjustment number MINE-1 is already in use.";
    assert_eq!(client.refused(ITEM, &fields), taken);
    let next = client.created(ITEM, &with(&fields, &[("AdjustmentNumber", "")]));
    assert_eq!(client.read(ITEM, &next, &["AdjustmentNumber"]), ["IILA-00000001"]);
    for (condition, count) in [
        (format!("SourceId = '{line}'"), 2),
        (format!("AccountId = '{ACCOUNT}'"), 2),
        (format!("InvoiceId = '{PAID}'"), 0),
        ("AdjustmentNumber like 'MINE%'".to_owned(), 1),
    ] {
        let found = client.find("91.0", &format!("select Id from {ITEM} where {condition}"));
        assert_eq!(found.texts("size"), [count.to_string()], "{condition}");
    }
    let change = [
        ("Id", of_line.as_str()),
        ("ReasonCode", "Other"),
        ("Comment", "changed"),
        ("TransferredToAccounting", "Yes"),
    ];
    assert_eq!(client.update(ITEM, &change).successes(), 1);
    let names = ["Comment", "ReasonCode", "Status", "TransferredToAccounting"];
    let reported = client.read(ITEM, &of_line, &names);
    assert_eq!(reported, ["the same", "Other", "Processed", "Yes"], "Comment is not changed");
}

#[test]
fn items_are_read_back_with_their_taxes() {
    let client = Client::new(SEED);
    let items = client.find(
        "91.0",
        &format!(
            "select ChargeAmount, ChargeName, TaxAmount from InvoiceItem where InvoiceId = '{PAID}'"
        ),
    );
    assert_eq!(items.texts("ChargeAmount"), ["60.00", "30.00"]);
    assert_eq!(items.texts("TaxAmount"), ["10.00", "0"]);
    assert_eq!(items.texts("ChargeName"), ["Fee", "Usage"]);
}

#[test]
fn what_is_missing_is_told_in_order() {
    let client = Client::new(SEED);
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for (next, expected) in [
        (("Type", ""), "MISSING_REQUIRED_VALUE: Missing required value: Type"),
        (("Type", "Credit"), "MISSING_REQUIRED_VALUE: Missing required value: Amount"),
        (("Amount", "1.00"), "MISSING_REQUIRED_VALUE: Missing required value: AdjustmentDate"),
        (
            ("AdjustmentDate", "2026-02-02"),
            "MISSING_REQUIRED_VALUE: Missing required value: InvoiceId",
        ),
        (("InvoiceId", OPEN), "MISSING_REQUIRED_VALUE: Missing required value: SourceId"),
        (("SourceId", FEE), "MISSING_REQUIRED_VALUE: Missing required value: SourceType"),
        // The item of another invoice.
        (
            ("SourceType", "InvoiceDetail"),
            &format!("INVALID_VALUE: Invalid value for field SourceId: {FEE}"),
        ),
    ] {
        fields = with(&fields, &[next]);
        assert_eq!(client.refused(ITEM, &fields), expected);
    }
}

#[test]
fn a_value_that_is_wrong_is_named_and_a_permission_comes_after_it() {
    let client = Client::new(SEED);
    let long = "x".repeat(256);
    for (wrong, expected) in [
        (("InvoiceId", "x"), "INVALID_ID: Invalid value for field InvoiceId: x"),
        (("AccountingCode", &long), "INVALID_VALUE: The length of field value is too big."),
        (
            ("AdjustmentDate", "2026-01-01"),
            "INVALID_VALUE: Invalid value for field AdjustmentDate: 2026-01-01",
        ),
        (
            ("AdjustmentDate", "2026-02-02T00:00:00"),
            "INVALID_VALUE: Invalid value for field AdjustmentDate: 2026-02-02T00:00:00",
        ),
        (("Amount", "0"), "INVALID_VALUE: Invalid value for field Amount: 0"),
        (("Amount", "0.001"), "INVALID_VALUE: Invalid value for field Amount: 0.001"),
        (
            ("InvoiceId", NOBODYS),
            &format!("INVALID_VALUE: Invalid value for field InvoiceId: {NOBODYS}"),
        ),
        (
            ("InvoiceNumber", "INV00000003"),
            "INVALID_VALUE: Invalid value for field InvoiceNumber: INV00000003",
        ),
        (("ReasonCode", "Whim"), "INVALID_VALUE: Invalid value for field ReasonCode: Whim"),
        (
            ("SourceId", NOBODYS),
            &format!("INVALID_VALUE: Invalid value for field SourceId: {NOBODYS}"),
        ),
        (("SourceType", "Tax"), &format!("INVALID_VALUE: Invalid value for field SourceId: {FEE}")),
        (("SourceType", "Discount"), "INVALID_VALUE: Invalid value for field SourceType: Discount"),
        (("Type", "credit"), "INVALID_VALUE: Invalid value for field Type: credit"),
    ] {
        let fields = with(CREDIT_OF_FEE, &[wrong]);
        assert_eq!(client.refused(ITEM, &fields), expected, "{wrong:?}");
    }
    let whole = [("Amount", "6.00"), ("InvoiceId", EUROPEAN), ("Type", "Credit")];
    let over = "INVALID_VALUE: The credit amount 6.00 is greater than the invoice balance 5.00.";
    assert_eq!(client.refused(WHOLE, &whole), over);
    for (change, expected) in [
        (
            [("Id", NOBODYS), ("Status", "Canceled")],
            format!("INVALID_VALUE: Invalid value for field Id: {NOBODYS}"),
        ),
        (
            [("Id", "x"), ("Status", "Canceled")],
            "INVALID_ID: Invalid value for field Id: x".to_owned(),
        ),
    ] {
        assert_eq!(refusal(&client.update(WHOLE, &change)), expected);
    }
    let clerk = client.gateway.login_as("clerk@example.com", "clerk");
    let Client { gateway, .. } = client;
    let client = Client { gateway, session: clerk };
    let lacks = "NO_PERMISSION: The user lacks the permission invoice-adjustment.";
    assert_eq!(client.refused(WHOLE, &whole), lacks);
    assert_eq!(client.refused(ITEM, CREDIT_OF_FEE), lacks);
}

#[test]
fn versions_decide_which_calls_there_are_and_how_a_day_looks() {
    let client = Client::new(SEED);
    let whole = [("Amount", "1.00"), ("InvoiceId", OPEN), ("Type", "Credit")];
    let old = refusal(&client.create("23.0", WHOLE, &whole));
    assert_eq!(old, "INVALID_VERSION: InvoiceAdjustment needs API version 24.0 or later.");
    let dated = with(&whole, &[("AdjustmentDate", "2026-03-01T00:00:00")]);
    assert_eq!(client.create("24.0", WHOLE, &dated).successes(), 1);
    for (version, day) in [("18.0", "2026-03-01T00:00:00.000"), ("69.0", "2026-03-01")] {
        let found = client.find(version, &format!("select AdjustmentDate from {WHOLE}"));
        assert_eq!(found.texts("AdjustmentDate"), [day], "{version}");
    }
    let found = client.find("44.0", &format!("select ReasonCode from {WHOLE}"));
    assert_eq!(found.texts("FaultCode"), ["INVALID_FIELD"], "{found}");
    let usage = with(CREDIT_OF_FEE, &[("Amount", "1.00"), ("SourceId", USAGE), ("Type", "Charge")]);
    let none = client.create("22.0", ITEM, &usage);
    assert_eq!(none.texts("FaultCode"), ["INVALID_TYPE"], "{none}");
    assert_eq!(client.create("23.0", ITEM, &usage).successes(), 1);
    assert_eq!(
        client.find("22.0", &format!("select Id from {ITEM}")).texts("FaultCode"),
        ["INVALID_TYPE"]
    );
    for version in ["18.0", "91.0", "150.0"] {
        let found =
            client.find(version, "select Id, ChargeAmount, ServiceStartDate from InvoiceItem");
        assert_eq!(found.texts("ChargeAmount"), ["60.00", "30.00", "50.00"], "{version}");
        let found = client.find(version, "select Id, TaxAmount, TaxDate from TaxationItem");
        assert_eq!(found.texts("TaxAmount"), ["10.00"], "{version}");
    }
}

#[test]
fn invoice_settlement_leaves_old_adjustments_to_be_read() {
    let mut client = Client::new(SEED);
    let whole = [("Amount", "1.00"), ("InvoiceId", OPEN), ("Type", "Credit")];
    let made = client.created(WHOLE, &whole);
    assert!(client.gateway.terminate().success());
    let folder = client.gateway.folder();
    fs::write(folder.join("switch.toml"), "[tenant]\ninvoice_settlement = true\n").unwrap();
    let loaded =
        finish(program(folder).args(["seed", "switch.toml", "--ledger", client.gateway.place()]));
    assert!(loaded.status.success(), "{loaded:?}");
    client.gateway.restart();
    let closed = "INVALID_VALUE: Invoice adjustments are not available while Invoice Settlement is \
                  enabled.";
    assert_eq!(client.refused(WHOLE, &whole), closed);
    assert_eq!(client.not_canceled(WHOLE, &made), closed);
    let answer = client.delete(WHOLE, &made);
    assert_eq!(answer.texts("success"), ["false"], "{answer}");
    assert_eq!(client.read(WHOLE, &made, &["Amount", "Status"]), ["1.00", "Processed"]);
}

/// Regression: the WSDL and the answers of a tenant without credit balances named them.
#[test]
fn a_tenant_without_credit_balances_has_nothing_of_them_in_its_wsdl_and_its_answers() {
    for switch in ["credit_balance = false", "invoice_settlement = true"] {
        let client = Client::new(&format!("[tenant]\n{switch}\n{SEED}"));
        let wsdl = client.gateway.connect().send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
        let wsdl = String::from_utf8(wsdl.body).unwrap();
        assert!(!wsdl.contains("CreditBalance"), "{switch}");
        for kept in ["\"InvoiceAdjustment\"", "\"InvoiceItemAdjustment\"", "\"SourceType\""] {
            assert!(wsdl.contains(kept), "{switch}: {kept}");
        }
        for (zoql, code, text) in [
            (
                "select Id from CreditBalanceAdjustment",
                "INVALID_TYPE",
                "invalid type for query: CreditBalanceAdjustment",
            ),
            (
                "select Id, CreditBalance from Account",
                "INVALID_FIELD",
                "invalid field for query: Account.creditbalance",
            ),
            (
                "select Id from Payment where AppliedCreditBalanceAmount = 0",
                "INVALID_FIELD",
                "invalid field for query: Payment.appliedcreditbalanceamount",
            ),
        ] {
            let reported = client.find("91.0", zoql);
            assert_eq!(reported.texts("FaultCode"), [code], "{switch}: {zoql}: {reported}");
            assert_eq!(reported.texts("FaultMessage"), [text], "{switch}: {zoql}");
        }
        // What is asked for all the same is refused with the reason.
        let fields = [("Amount", "1.00"), ("SourceTransactionId", NEGATIVE), ("Type", "Increase")];
        let reported = client.refused("CreditBalanceAdjustment", &fields);
        assert!(
            reported.starts_with("INVALID_VALUE: ") && reported.contains("enabled"),
            "{reported}"
        );
        assert_eq!(client.read("Account", ACCOUNT, &["Balance"]), ["-20.00"]);
    }
    let client = Client::new(SEED);
    assert_eq!(client.read("Account", ACCOUNT, &["CreditBalance"]), ["0"]);
}

#[test]
fn items_and_their_taxes_add_up_to_the_invoice() {
    let folder = tempfile::tempdir().unwrap();
    let load = |seed: &str| {
        fs::write(folder.path().join("seed.toml"), seed).unwrap();
        let args = ["seed", "seed.toml", "--ledger", "ledger.db"];
        let output = finish(program(folder.path()).args(args));
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (is_loaded, reported) =
        load(&SEED.replace("amount = \"60.00\", tax", "amount = \"61.00\", tax"));
    let wrong = "the items of invoice `INV00000001` and their taxes add up to `101`, and its \
                 amount is `100.00`";
    assert!(!is_loaded && reported.contains(wrong), "{reported}");
    let (is_loaded, reported) = load(SEED);
    assert!(is_loaded, "{reported}");
    assert!(load(SEED).0, "a second time nothing is new");
    for (from, to, wrong) in [
        (
            "name = \"Usage\"",
            "name = \"Other\"",
            "items is `4028e6a0000e00000000000000000002 (Usage): 30.00, tax none` in the ledger",
        ),
        ("items = [{ amount = \"50.00\" }]", "", "items is `1` in the ledger and `0` in the seed"),
        (FEE, "4028e6a0000e00000000000000000009", "4028e6a0000e00000000000000000001 (Fee)"),
    ] {
        let (is_loaded, reported) = load(&SEED.replace(from, to));
        assert!(!is_loaded && reported.contains(wrong), "{reported}");
    }
    let moved = "[[invoice]]\nid = \"4028e6a0000c00000000000000000005\"\nnumber = \"INV5\"\n\
        account = \"4028e6a0000a00000000000000000001\"\ndate = \"2026-01-02\"\namount = \"1.00\"\n\
        balance = \"1.00\"\n[[invoice.items]]\nid = \"4028e6a0000e00000000000000000001\"\n\
        amount = \"1.00\"\n";
    let (is_loaded, reported) = load(&format!("{SEED}{moved}"));
    assert!(!is_loaded && reported.contains("stands here twice"), "{reported}");
    let (is_loaded, reported) = load(moved);
    let other = "invoice item `4028e6a0000e00000000000000000001`: invoice is `INV00000001` in the \
                 ledger and `INV5` in the seed";
    assert!(!is_loaded && reported.contains(other), "{reported}");
}
