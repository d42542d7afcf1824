//! Setting the stage by SOAP, as a suite does before it refunds anything: accounts, methods and
//! payments are created, changed and deleted through the built program.

use crate::gateway::{ENDPOINT, TestGateway, envelope, session_header};
use crate::wire::Answer;
use std::fs;

pub const OWNER: &str = "4028e6a0000a00000000000000000001";
pub const INVOICE: &str = "4028e6a0000c00000000000000000001";

/// An account that owes 100.00 on an invoice, and one without anything.
pub const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
permissions = [
    "external-refund", "electronic-refund", "credit-balance-external-refund",
    "credit-balance-electronic-refund", "credit-balance-adjustment",
    "cancel-credit-balance-adjustment",
]

[[account]]
id = "4028e6a0000a00000000000000000001"
number = "A00000001"
name = "owner"
currency = "USD"
credit_balance = "10.00"

[[invoice]]
id = "4028e6a0000c00000000000000000001"
number = "INV00000001"
account = "4028e6a0000a00000000000000000001"
date = "2026-01-02"
amount = "100.00"
balance = "100.00"
"#;

/// A gateway, and a session on it.
pub struct Stage {
    pub gateway: TestGateway,
    session: String,
}

impl Stage {
    pub fn new(args: &[&str]) -> Self {
        Self::of(TestGateway::seeded(SEED, args))
    }

    pub fn of(gateway: TestGateway) -> Self {
        let session = gateway.login();
        Self { gateway, session }
    }

    pub fn call(&self, header: &str, body: &str) -> Answer {
        let header = format!("{}{header}", session_header(&self.session));
        self.gateway.post(ENDPOINT, &envelope(&header, body))
    }

    /// As [`Stage::call`], under an idempotency key.
    fn keyed(&self, key: &str, body: &str) -> Answer {
        let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", key)];
        let envelope = envelope(&session_header(&self.session), body);
        self.gateway.connect().send("POST", ENDPOINT, &headers, envelope.as_bytes())
    }

    pub fn create(&self, objects: &str) -> Answer {
        self.call("", &format!("<api:create>{objects}</api:create>"))
    }

    /// Creates one object and gives its id.
    pub fn created(&self, kind: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.create(&object(kind, fields));
        answer.texts("Id").pop().unwrap_or_else(|| panic!("{kind} {fields:?}: {answer}"))
    }

    /// The message of one object that is refused.
    pub fn refused(&self, kind: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.create(&object(kind, fields));
        assert_eq!((answer.status, answer.successes()), (200, 0), "{answer}");
        message(&answer)
    }

    pub fn update(&self, kind: &str, fields: &[(&str, &str)]) -> Answer {
        self.call("", &format!("<api:update>{}</api:update>", object(kind, fields)))
    }

    pub fn updated(&self, kind: &str, fields: &[(&str, &str)]) {
        let answer = self.update(kind, fields);
        assert_eq!(answer.successes(), 1, "{kind} {fields:?}: {answer}");
    }

    pub fn not_updated(&self, kind: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.update(kind, fields);
        assert_eq!((answer.status, answer.successes()), (200, 0), "{answer}");
        message(&answer)
    }

    fn delete(&self, kind: &str, id: &str) -> Answer {
        let body = format!("<api:delete><api:type>{kind}</api:type><api:ids>{id}</api:ids>");
        self.call("", &format!("{body}</api:delete>"))
    }

    pub fn deleted(&self, kind: &str, id: &str) {
        let answer = self.delete(kind, id);
        assert_eq!(answer.texts("success"), ["true"], "{kind} {id}: {answer}");
        assert_eq!(answer.texts("id"), [id]);
    }

    pub fn not_deleted(&self, kind: &str, id: &str) -> String {
        let answer = self.delete(kind, id);
        assert_eq!(answer.texts("success"), ["false"], "{answer}");
        assert_eq!(answer.texts("Code"), ["CANNOT_DELETE"], "{answer}");
        message(&answer)
    }

    /// The values of the fields of one object, as a query shows them; empty for what has none.
    pub fn read(&self, kind: &str, id: &str, fields: &[&str]) -> Vec<String> {
        let query = format!("select {} from {kind} where Id = '{id}'", fields.join(", "));
        let body = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
        let answer = self.call("", &body);
        assert_eq!(answer.status, 200, "{answer}");
        fields.iter().map(|name| answer.texts(name).pop().unwrap_or_default()).collect()
    }

    /// The values of one field of everything that a query finds.
    pub fn found(&self, query: &str, field: &str) -> Vec<String> {
        let body = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
        let answer = self.call("", &body);
        assert_eq!(answer.status, 200, "{answer}");
        answer.texts(field)
    }

    pub fn card(&self) -> String {
        self.created("PaymentMethod", &card(OWNER))
    }
}

fn default_method<'a>(account: &'a str, method: &'a str) -> [(&'a str, &'a str); 2] {
    [("Id", account), ("DefaultPaymentMethodId", method)]
}

fn message(answer: &Answer) -> String {
    answer.texts("Message").pop().unwrap_or_else(|| panic!("no message in {answer}"))
}

pub fn object(kind: &str, fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("<obj:{name}>{value}</obj:{name}>");
    let fields: String = fields.iter().map(field).collect();
    format!("<api:zObjects xsi:type=\"obj:{kind}\">{fields}</api:zObjects>")
}

const CARD: &str = "4111111111111111";

fn card(account: &str) -> [(&str, &str); 8] {
    [
        ("Type", "CreditCard"),
        ("AccountId", account),
        ("CreditCardNumber", CARD),
        ("CreditCardSecurityCode", "7391"),
        ("CreditCardType", "Visa"),
        ("CreditCardExpirationMonth", "12"),
        ("CreditCardExpirationYear", "2031"),
        ("CreditCardHolderName", "One"),
    ]
}

pub fn with<'a>(
    fields: &[(&'a str, &'a str)],
    more: (&'a str, &'a str),
) -> Vec<(&'a str, &'a str)> {
    let rest = fields.iter().copied().filter(|(name, _)| *name != more.0);
    rest.chain([more]).collect()
}

#[test]
fn an_account_is_created_changed_and_deleted() {
    let stage = Stage::new(&[]);
    assert_eq!(stage.refused("Account", &[]), "Missing required value: Name");
    let named = [("Name", "One")];
    assert_eq!(stage.refused("Account", &named), "Missing required value: Currency");
    let fields = [("Name", "One"), ("Currency", "EUR"), ("AccountName", "unknown")];
    let id = stage.created("Account", &fields);
    let read = stage.read("Account", &id, &["Name", "Currency", "AccountNumber", "Status"]);
    assert_eq!(read, ["One", "EUR", "A00000002", "Draft"]);
    let taken = with(&fields, ("AccountNumber", "A00000001"));
    assert_eq!(stage.refused("Account", &taken), "The account number A00000001 is invalid.");
    stage.updated("Account", &[("Id", &id), ("Name", "Two"), ("Status", "Active")]);
    assert_eq!(stage.read("Account", &id, &["Name", "Status"]), ["Two", "Active"]);
    let currency = stage.not_updated("Account", &[("Id", &id), ("Currency", "USD")]);
    assert_eq!(currency, "Invalid value for field Currency: USD");
    let canceled = [("Id", OWNER), ("Status", "Canceled")];
    let refused = "An account with a credit balance cannot be canceled.";
    assert_eq!(stage.not_updated("Account", &canceled), refused);
    assert!(stage.not_deleted("Account", OWNER).contains("cannot be deleted"));
    stage.deleted("Account", &id);
    assert_eq!(stage.read("Account", &id, &["Name"]), [""]);
}

#[test]
fn a_default_method_is_the_accounts_own_and_in_use() {
    let stage = Stage::new(&[]);
    let fields = [("Name", "One"), ("Currency", "USD")];
    let other = stage.created("Account", &fields);
    let method = stage.card();
    let foreign = stage.not_updated("Account", &default_method(&other, &method));
    assert_eq!(foreign, format!("Invalid value for field DefaultPaymentMethodId: {method}"));
    stage.updated("Account", &default_method(OWNER, &method));
    let read = |field| stage.read("Account", OWNER, &[field]).remove(0);
    assert_eq!(read("DefaultPaymentMethodId"), method);
    let stays = "The default payment method of an account cannot be deleted.";
    assert_eq!(stage.not_deleted("PaymentMethod", &method), stays);
    let away = [("fieldsToNull", "DefaultPaymentMethodId"), ("Id", OWNER)];
    stage.updated("Account", &away);
    assert_eq!(read("DefaultPaymentMethodId"), "");
    stage.updated("PaymentMethod", &[("Id", &method), ("PaymentMethodStatus", "Closed")]);
    assert_eq!(stage.read("PaymentMethod", &method, &["PaymentMethodStatus"]), ["Closed"]);
    assert_ne!(stage.update("Account", &default_method(OWNER, &method)).successes(), 1);
    let again = [("Id", method.as_str()), ("PaymentMethodStatus", "Active")];
    assert!(stage.not_updated("PaymentMethod", &again).contains("PaymentMethodStatus"));
    stage.deleted("PaymentMethod", &method);
}

#[test]
fn a_method_needs_what_its_type_needs() {
    let stage = Stage::new(&[]);
    assert_eq!(stage.refused("PaymentMethod", &[]), "Missing required value: Type");
    for (kind, missing) in [
        ("CreditCard", "CreditCardExpirationMonth"),
        ("ACH", "AchAbaCode"),
        ("BankTransfer", "BankTransferType"),
        ("PayPal", "PaypalBaid"),
        ("CreditCardReferenceTransaction", "TokenId"),
    ] {
        let owned = [("Type", kind), ("AccountId", OWNER)];
        let expected = format!("Missing required value: {missing}");
        assert_eq!(stage.refused("PaymentMethod", &owned), expected);
        let nobodys = stage.refused("PaymentMethod", &[("Type", kind)]);
        assert_eq!(nobodys, "Missing required value: AccountId");
    }
    stage.created("PaymentMethod", &[("Type", "Check")]);
    let iban = [
        ("Type", "BankTransfer"),
        ("AccountId", OWNER),
        ("BankTransferType", "SEPA"),
        ("IBAN", "DE89370400440532013000"),
    ];
    stage.created("PaymentMethod", &iban);
    let no_iban = with(&iban, ("IBAN", "DE88370400440532013000"));
    assert_eq!(stage.refused("PaymentMethod", &no_iban), "Invalid value for field IBAN");
}

#[test]
fn a_payment_pays_invoices_and_is_taken_back() {
    let stage = Stage::new(&[]);
    let check = stage.created("PaymentMethod", &[("Type", "Check")]);
    let owed = || stage.read("Invoice", INVOICE, &["Balance"]).remove(0);
    let external = [
        ("Type", "External"),
        ("Amount", "80"),
        ("AccountId", OWNER),
        ("PaymentMethodId", check.as_str()),
        ("Status", "Processed"),
        ("EffectiveDate", "2026-01-03"),
    ];
    let applied = [&external[..], &[("InvoiceId", INVOICE)]].concat();
    let missing = "Missing required value: AppliedInvoiceAmount";
    assert_eq!(stage.refused("Payment", &applied), missing);
    let applied = with(&applied, ("AppliedInvoiceAmount", "50"));
    let payment = stage.created("Payment", &applied);
    assert_eq!(owed(), "50.00");
    let part = |amount| [("Amount", amount), ("InvoiceId", INVOICE), ("PaymentId", &*payment)];
    let again = stage.refused("InvoicePayment", &part("10"));
    assert_eq!(again, "The payment P-00000001 is already applied to the invoice INV00000001.");
    let second = stage.created("Payment", &with(&external, ("Amount", "70")));
    let second_part = with(&part("60"), ("PaymentId", &second));
    let over = stage.refused("InvoicePayment", &second_part);
    assert_eq!(over, "The applied amount 60.00 is greater than the invoice balance 50.00.");
    stage.created("InvoicePayment", &with(&second_part, ("Amount", "20")));
    assert_eq!(owed(), "30.00");
    assert!(
        stage.not_updated("Payment", &[("Id", &second), ("Status", "Voided")]).contains("Void")
    );
    stage.updated("Payment", &[("Id", &second), ("Status", "Canceled")]);
    assert_eq!(owed(), "50.00");
    let refund = [("Type", "External"), ("Amount", "5"), ("PaymentId", &payment)];
    stage.created("Refund", &with(&refund, ("MethodType", "Check")));
    let used = stage.not_updated("Payment", &[("Id", &payment), ("Status", "Canceled")]);
    assert!(used.contains("P-00000001"), "{used}");
    stage.not_deleted("Payment", &payment);
    stage.not_deleted("PaymentMethod", &check);
}

#[test]
fn an_electronic_payment_is_refunded_to_its_card() {
    let stage = Stage::new(&[]);
    let method = stage.card();
    let payment = [
        ("Type", "Electronic"),
        ("Amount", "30"),
        ("AccountId", OWNER),
        ("PaymentMethodId", method.as_str()),
    ];
    let without = &payment[..3];
    assert!(
        stage.refused("Payment", without).starts_with("Invalid value for field PaymentMethodId")
    );
    let payment = stage.created("Payment", &payment);
    let refund = [("Type", "Electronic"), ("Amount", "12"), ("PaymentId", payment.as_str())];
    let refund = stage.created("Refund", &refund);
    let read = stage.read("Refund", &refund, &["Status", "PaymentMethodId", "SourceType"]);
    assert_eq!(read, ["Processed", method.as_str(), "Payment"]);
    stage.updated("Refund", &[("Id", &refund), ("TransferredToAccounting", "Yes")]);
    let processing = [("Id", refund.as_str()), ("Status", "Processing")];
    assert!(stage.not_updated("Refund", &processing).contains("Status"));
    stage.updated("Refund", &[("Id", &refund), ("Status", "Canceled")]);
    stage.deleted("Refund", &refund);
}

#[test]
fn an_overpayment_becomes_credit() {
    let stage = Stage::new(&[]);
    let check = stage.created("PaymentMethod", &[("Type", "Check")]);
    let fields = [
        ("Type", "External"),
        ("Amount", "20"),
        ("AccountId", OWNER),
        ("PaymentMethodId", check.as_str()),
    ];
    let payment = stage.created("Payment", &with(&fields, ("AppliedCreditBalanceAmount", "0")));
    let increase =
        [("Type", "Increase"), ("Amount", "15"), ("SourceTransactionId", payment.as_str())];
    stage.created("CreditBalanceAdjustment", &increase);
    assert_eq!(stage.gateway.balance(OWNER), "25.00");
}

#[test]
fn a_payment_brings_credit_by_itself_as_documented() {
    let stage = Stage::new(&[]);
    let check = stage.created("PaymentMethod", &[("Type", "Check")]);
    // The documented examples have no Amount: it is what they apply.
    let overpaid = [
        ("AccountId", OWNER),
        ("InvoiceNumber", "INV00000001"),
        ("AppliedInvoiceAmount", "100"),
        ("AppliedCreditBalanceAmount", "50"),
        ("EffectiveDate", "2026-01-05"),
        ("PaymentMethodId", &check),
        ("Type", "External"),
    ];
    let payment = stage.created("Payment", &overpaid);
    let fields = ["Amount", "AppliedCreditBalanceAmount", "RefundAmount"];
    assert_eq!(stage.read("Payment", &payment, &fields), ["150.00", "50.00", "0"]);
    assert_eq!(stage.read("Invoice", INVOICE, &["Balance"]), ["0"]);
    assert_eq!(stage.gateway.balance(OWNER), "60.00");
    let query = format!(
        "<api:query><api:queryString>select Id, Type, ReasonCode, SourceTransactionType from \
         CreditBalanceAdjustment where SourceTransactionId = '{payment}'</api:queryString>\
         </api:query>"
    );
    let made = stage.call("", &query);
    assert_eq!(made.texts("Type"), ["Increase"], "{made}");
    assert_eq!(made.texts("ReasonCode"), ["Standard Refund"]);
    // What it brought is no longer the payment's, and is not taken back.
    let canceled = [("Id", payment.as_str()), ("Status", "Canceled")];
    assert!(stage.not_updated("Payment", &canceled).contains("cannot be taken back"));
    let id = made.texts("Id").remove(0);
    let canceled = [("Id", id.as_str()), ("Status", "Canceled")];
    let refused = stage.not_updated("CreditBalanceAdjustment", &canceled);
    assert_eq!(refused, "An increase from an overpayment cannot be canceled.");
    let refund =
        [("Type", "External"), ("MethodType", "Check"), ("Amount", "101"), ("PaymentId", &payment)];
    assert!(stage.refused("Refund", &refund).contains("refundable amount 100.00"));
    // Nothing but credit: a payment for what is to come.
    let rest = |name: &&(&str, &str)| !name.0.contains("Invoice");
    let prepaid: Vec<_> = overpaid.iter().filter(rest).copied().collect();
    stage.created("Payment", &prepaid);
    assert_eq!(stage.gateway.balance(OWNER), "110.00");
    let less = with(&prepaid, ("Amount", "49"));
    let reported = "The applied amount 50.00 is greater than the unapplied amount 49.00.";
    assert_eq!(stage.refused("Payment", &less), reported);
    let later = with(&prepaid, ("EffectiveDate", "2099-01-05"));
    let reported = "Invalid value for field EffectiveDate: 2099-01-05";
    assert_eq!(stage.refused("Payment", &later), reported);
    for wrong in ["x", "-1", "0.001", "99999999999999.99"] {
        let reported = format!("Invalid value for field AppliedCreditBalanceAmount: {wrong}");
        let fields = with(&prepaid, ("AppliedCreditBalanceAmount", wrong));
        assert_eq!(stage.refused("Payment", &fields), reported);
    }
    let unknown = with(&overpaid, ("InvoiceNumber", "INV9"));
    let reported = "Invalid value for field InvoiceNumber: INV9";
    assert_eq!(stage.refused("Payment", &unknown), reported);
    let nothing: Vec<_> = prepaid.iter().filter(|field| !field.0.contains("Amount")).collect();
    let nothing: Vec<_> = nothing.into_iter().copied().collect();
    assert_eq!(stage.refused("Payment", &nothing), "Missing required value: Amount");
    assert_eq!(stage.gateway.balance(OWNER), "110.00");
}

#[test]
fn a_credit_balance_that_is_full_fails_a_row_and_not_the_call() {
    let stage = Stage::new(&[]);
    let check = stage.created("PaymentMethod", &[("Type", "Check")]);
    let prepaid = [
        ("AccountId", OWNER),
        ("AppliedCreditBalanceAmount", "9999999999999999"),
        ("PaymentMethodId", check.as_str()),
        ("Type", "External"),
    ];
    for _ in 0..4 {
        stage.created("Payment", &prepaid);
    }
    let full = "40000000000000006.00";
    assert_eq!(stage.gateway.balance(OWNER), full);
    let small = object("Payment", &with(&prepaid, ("AppliedCreditBalanceAmount", "1")));
    let rows = stage.create(&format!("{}{small}", object("Payment", &prepaid)));
    assert_eq!(rows.texts("Success"), ["false", "true"], "{rows}");
    let reported = "The credit balance has no room for 9999999999999999.00 more.";
    assert_eq!(rows.texts("Message"), [reported]);
    let rest = with(&prepaid[..3], ("Amount", "9999999999999999"));
    let rest: Vec<_> = with(&rest, ("Type", "External"));
    let rest = with(&rest, ("AppliedCreditBalanceAmount", "0"));
    let payment = stage.created("Payment", &rest);
    let increase = [
        ("Type", "Increase"),
        ("Amount", "9999999999999999"),
        ("SourceTransactionId", payment.as_str()),
    ];
    assert_eq!(stage.refused("CreditBalanceAdjustment", &increase), reported);
    assert_eq!(stage.gateway.balance(OWNER), "40000000000000007.00");
}

#[test]
fn a_payment_brings_credit_only_where_an_adjustment_could() {
    let check = "4028e6a0000b00000000000000000001";
    let method = format!("\n[[payment_method]]\nid = \"{check}\"\ntype = \"Check\"\n");
    let prepaid = [
        ("AccountId", OWNER),
        ("AppliedCreditBalanceAmount", "5"),
        ("PaymentMethodId", check),
        ("Type", "External"),
    ];
    let without = SEED.replace("\"credit-balance-adjustment\",", "");
    let off = format!("[tenant]\ncredit_balance = false\n{SEED}");
    for (seed, reported) in [
        (without, "The user lacks the permission credit-balance-adjustment."),
        (off, "The Credit Balance feature is not enabled."),
    ] {
        let stage = Stage::of(TestGateway::seeded(&format!("{seed}{method}"), &[]));
        assert_eq!(stage.refused("Payment", &prepaid), reported);
        assert_eq!(stage.gateway.balance(OWNER), "10.00");
    }
    // Under Invoice Settlement it stays what the payment has left.
    let settled = format!("[tenant]\ninvoice_settlement = true\n{SEED}{method}");
    let stage = Stage::of(TestGateway::seeded(&settled, &[]));
    let payment = stage.created("Payment", &prepaid);
    assert_eq!(stage.read("Payment", &payment, &["Amount", "RefundAmount"]), ["5.00", "0"]);
    assert_eq!(stage.gateway.balance(OWNER), "10.00");
}

#[test]
fn an_update_of_a_payment_passes_over_what_it_cannot_change() {
    for (args, changed) in [(&[][..], true), (&["--strict"][..], false)] {
        let stage = Stage::new(args);
        let check = stage.created("PaymentMethod", &[("Type", "Check")]);
        let fields = [
            ("Type", "External"),
            ("Amount", "20"),
            ("AccountId", OWNER),
            ("PaymentMethodId", check.as_str()),
        ];
        let payment = stage.created("Payment", &fields);
        let update = [("Id", payment.as_str()), ("Amount", "30"), ("Comment", "c")];
        let answer = stage.update("Payment", &update);
        assert_eq!(answer.successes(), usize::from(changed), "{answer}");
        if !changed {
            assert_eq!(message(&answer), "Invalid field: Amount");
        }
        let comment = if changed { "c" } else { "" };
        assert_eq!(stage.read("Payment", &payment, &["Amount", "Comment"]), ["20.00", comment]);
    }
}

#[test]
fn a_single_transaction_is_all_or_nothing_where_it_is_switched_on() {
    let refund = |amount: &str| {
        let fields = [
            ("AccountId", OWNER),
            ("Amount", amount),
            ("MethodType", "Check"),
            ("SourceType", "CreditBalance"),
            ("Type", "External"),
        ];
        object("Refund", &fields)
    };
    let single = "<api:CallOptions><api:useSingleTransaction>true</api:useSingleTransaction>\
                  </api:CallOptions>";
    let body = |amounts: &[&str]| {
        let objects: String = amounts.iter().map(|amount| refund(amount)).collect();
        format!("<api:create>{objects}</api:create>")
    };
    let off = Stage::new(&[]);
    assert_eq!(off.call(single, &body(&["1", "1000", "2"])).successes(), 2);
    assert_eq!(off.gateway.balance(OWNER), "7.00");
    let on = Stage::new(&["--single-transaction"]);
    let answer = on.call(single, &body(&["1", "1000", "2"]));
    assert_eq!((answer.status, answer.successes()), (200, 0), "{answer}");
    let codes = ["TRANSACTION_FAILED", "INVALID_VALUE", "TRANSACTION_FAILED"];
    assert_eq!(answer.texts("Code"), codes);
    assert_eq!(on.gateway.balance(OWNER), "10.00");
    // Nothing is left of it, not even a number.
    let ids = on.call(single, &body(&["1", "2"])).texts("Id");
    assert_eq!(on.read("Refund", &ids[0], &["RefundNumber"]), ["R-00000001"]);
    assert_eq!(on.call("", &body(&["1", "1000"])).successes(), 1);
    assert_eq!(on.gateway.balance(OWNER), "6.00");
}

#[test]
fn a_keyed_create_of_any_object_is_done_once() {
    let stage = Stage::new(&[]);
    let account = object("Account", &[("Name", "One"), ("Currency", "USD")]);
    let body = format!("<api:create>{account}</api:create>");
    let (first, again) = (stage.keyed("k", &body), stage.keyed("k", &body));
    assert_eq!(first.successes(), 1, "{first}");
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again}");
    assert_eq!(first.body, again.body);
}

#[test]
fn a_keyed_refund_of_a_payment_moves_its_money_once() {
    let stage = Stage::new(&[]);
    let method = stage.card();
    let payment = [
        ("Type", "Electronic"),
        ("Amount", "80"),
        ("AccountId", OWNER),
        ("PaymentMethodId", &method),
        ("InvoiceId", INVOICE),
        ("AppliedInvoiceAmount", "80"),
    ];
    let payment = stage.created("Payment", &payment);
    for (refund_type, refunded, owed) in
        [("External", "30.00", "50.00"), ("Electronic", "60.00", "80.00")]
    {
        let fields = [
            ("Type", refund_type),
            ("Amount", "30"),
            ("PaymentId", &payment),
            ("MethodType", "CreditCard"),
        ];
        let body = format!("<api:create>{}</api:create>", object("Refund", &fields));
        let answers = [(); 3].map(|()| stage.keyed(refund_type, &body));
        for answer in &answers {
            assert_eq!((answer.successes(), &answer.body), (1, &answers[0].body), "{answer}");
        }
        assert_eq!(answers[2].header("idempotent-replayed"), Some("true"), "{refund_type}");
        assert_eq!(stage.read("Payment", &payment, &["RefundAmount"]), [refunded]);
        assert_eq!(stage.read("Invoice", INVOICE, &["Balance"]), [owed]);
        // The same key and another amount is another request.
        let other = stage.keyed(refund_type, &body.replace(">30<", ">1<"));
        assert_eq!(other.status, 422, "{other}");
        assert_eq!(stage.read("Payment", &payment, &["RefundAmount"]), [refunded]);
    }
}

#[test]
fn a_key_means_nothing_to_update_and_delete() {
    let stage = Stage::new(&[]);
    let id = stage.created("Account", &[("Name", "One"), ("Currency", "USD")]);
    for name in ["Two", "Three"] {
        let account = object("Account", &[("Id", &id), ("Name", name)]);
        let answer = stage.keyed("k", &format!("<api:update>{account}</api:update>"));
        assert_eq!((answer.successes(), answer.header("idempotent-replayed")), (1, None));
        assert_eq!(stage.read("Account", &id, &["Name"]), [name]);
    }
    let delete = format!("<api:delete><api:type>Account</api:type><api:ids>{id}</api:ids>");
    let delete = || stage.keyed("k", &format!("{delete}</api:delete>")).texts("success");
    assert_eq!([delete(), delete()], [["true"], ["false"]]);
}

/// Whether `secret` is in `files`. Four digits turn up by chance, in the middle of a time, an id or
/// a token; a short secret is one only where it stands alone.
fn holds(files: &[u8], secret: &[u8]) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let found = files.windows(secret.len()).enumerate().filter(|(_, bytes)| *bytes == secret);
    let mut alone = found.map(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| files.get(at));
        secret.len() > 4 || !is_part(before) && !is_part(files.get(at + secret.len()))
    });
    alone.any(|is_alone| is_alone)
}

/// Numbers of cards and bank accounts and security codes are in no answer, no line of the log and
/// no file, whatever is wrong with the call that carries them.
#[test]
fn no_number_of_a_card_or_a_bank_account_is_kept_or_told() {
    let mut stage = Stage::of(TestGateway::traced(SEED));
    let secrets = [CARD, "7391", "DE89370400440532013000", "987654321098", "5500000000000005"];
    let mut reported = String::new();
    let ach = [
        ("Type", "ACH"),
        ("AccountId", OWNER),
        ("AchAbaCode", "011000015"),
        ("AchAccountName", "One"),
        ("AchAccountNumber", "987654321098"),
        ("AchAccountType", "Checking"),
        ("AchBankName", "Bank"),
    ];
    let bank = [
        ("Type", "BankTransfer"),
        ("AccountId", OWNER),
        ("BankTransferType", "SEPA"),
        ("IBAN", "DE89370400440532013000"),
    ];
    let token =
        [("Type", "CreditCardReferenceTransaction"), ("AccountId", OWNER), ("TokenId", CARD)];
    let good = card(OWNER).to_vec();
    let calls = [
        good.clone(),
        with(&good, ("CreditCardNumber", "5500000000000005 ")),
        with(&good, ("CreditCardExpirationYear", CARD)),
        with(&good, ("AccountId", "4028e6a0000a0000000000000000000f")),
        with(&good, ("CreditCardNumber", "4111111111111111<obj:x/>")),
        [&good[..], &[("CreditCardNumber", CARD)]].concat(),
        [&good[..], &[("CreditCardSecurityCode", "7391")]].concat(),
        ach.to_vec(),
        with(&ach, ("AchAccountNumber", "987654321098é")),
        bank.to_vec(),
        token.to_vec(),
    ];
    for fields in &calls {
        reported.push_str(&stage.create(&object("PaymentMethod", fields)).to_string());
    }
    assert_eq!(reported.matches("<ns1:Success>true").count(), 3, "{reported}");
    let body = format!("<api:create>{}</api:create>", object("PaymentMethod", &good));
    reported.push_str(&stage.keyed("k", &body).to_string());
    // A call that is broken in the middle of a number, and one that is no call.
    let whole = envelope(&session_header(&stage.session), &body);
    let (broken, _) = whole.split_once("</obj:CreditCardNumber>").unwrap();
    reported.push_str(&stage.gateway.post(ENDPOINT, broken).to_string());
    reported
        .push_str(&stage.gateway.post(ENDPOINT, &whole.replace("create>", "make>")).to_string());
    let masks = stage.call(
        "",
        "<api:query><api:queryString>select Id, CreditCardMaskNumber, AchAccountNumberMask, \
         BankTransferAccountNumberMask from PaymentMethod</api:queryString></api:query>",
    );
    reported.push_str(&masks.to_string());
    assert!(reported.contains(">************1111<"), "{reported}");
    assert!(stage.gateway.terminate().success());
    let mut files: Vec<u8> = reported.into_bytes();
    files.extend(stage.gateway.stderr().into_bytes());
    for file in fs::read_dir(stage.gateway.folder()).unwrap() {
        files.extend(fs::read(file.unwrap().path()).unwrap());
    }
    for secret in secrets {
        assert!(!holds(&files, secret.as_bytes()), "{secret}");
    }
}
