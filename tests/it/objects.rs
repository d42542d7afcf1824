//! What objects are made of by themselves: accounts below others, the methods that every tenant
//! has, when and by whom everything was made, drafts of payments, and the days of refunds.

use crate::admin_api::done;
use crate::gateway::{TestGateway, envelope, finish, program, session_header};
use crate::stage::{INVOICE, OWNER, SEED, Stage, object, with};
use refund_gateway::domain::query::QueryObject;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::soap::wsdl;
use serde_json::json;
use std::collections::BTreeSet;

/// The id that stands for the maker of what a seed names.
const SYSTEM: &str = "bbc5e661e106c6dcd8dc6dd186454c2f";
const OTHER: &str = "1c629c8e55a26b654b5c193df7bffcbf";

fn check(stage: &Stage) -> String {
    stage.found("select Id from PaymentMethod where Name = 'Check'", "Id").remove(0)
}

fn adds_up(stage: &Stage) {
    let folder = stage.gateway.folder();
    let checked = finish(program(folder).args(["check", "--ledger", stage.gateway.place()]));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// Regression: a client of 25.0 to 42.0 that selects what its WSDL lists was refused for ParentId.
#[test]
fn every_field_of_every_served_object_can_be_selected_in_every_version() {
    let stage = Stage::new(&[]);
    let session = stage.gateway.login();
    let mut connection = stage.gateway.connect();
    let mut seen = BTreeSet::new();
    for (version, major) in (18..=90).chain([150]).map(|major| (ApiVersion::major(major), major)) {
        for object in QueryObject::ALL {
            let fields = wsdl::fields(version, object.name()).into_iter().map(|field| field.0);
            let is_queried =
                |name: &&str| object.object().field(name).is_some_and(|field| field.is_queried);
            let fields: Vec<_> = fields.filter(is_queried).collect();
            // The same fields need no second look.
            if fields.is_empty() || !seen.insert((object.name(), fields.clone())) {
                continue;
            }
            let query = format!("select Id, {} from {}", fields.join(", "), object.name());
            let body = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
            let envelope = envelope(&session_header(&session), &body);
            let answer = connection.post(&format!("/apps/services/a/{major}.0"), &envelope);
            assert_eq!(answer.status, 200, "{query} at {major}: {answer}");
        }
    }
    for major in [25, 42, 82] {
        let fields = wsdl::fields(ApiVersion::major(major), "Account");
        assert!(fields.contains(&("ParentId", "zns:ID")), "{major}");
    }
}

#[test]
fn an_account_belongs_below_another_and_never_below_itself() {
    let stage = Stage::new(&[]);
    let session = stage.gateway.login();
    let parent_of = |id: &str| {
        let query = format!("select Id, ParentId from Account where Id = '{id}'");
        let body = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
        let envelope = envelope(&session_header(&session), &body);
        let answer = stage.gateway.connect().post("/apps/services/a/38.0", &envelope);
        answer.texts("ParentId").pop().unwrap_or_default()
    };
    let fields = [("Name", "One"), ("Currency", "USD")];
    let child = stage.created("Account", &with(&fields, ("ParentId", OWNER)));
    assert_eq!(parent_of(&child), OWNER);
    let grandchild = stage.created("Account", &with(&fields, ("ParentId", &child)));
    assert_eq!(parent_of(OWNER), "");
    let circle = "An account cannot be below itself, nor below one that is below it.";
    for below in [OWNER, &child, &grandchild] {
        assert_eq!(stage.not_updated("Account", &[("Id", OWNER), ("ParentId", below)]), circle);
    }
    let unknown = "4028e6a0000a00000000000000ffffff";
    let reported = format!("Invalid value for field ParentId: {unknown}");
    assert_eq!(stage.refused("Account", &with(&fields, ("ParentId", unknown))), reported);
    assert_eq!(stage.not_updated("Account", &[("Id", &child), ("ParentId", unknown)]), reported);
    let reported = "Invalid value for field ParentId: x";
    assert_eq!(stage.refused("Account", &with(&fields, ("ParentId", "x"))), reported);
    let stays = "An account that others are below cannot be deleted.";
    assert_eq!(stage.not_deleted("Account", &child), stays);
    stage.updated("Account", &[("Id", &grandchild), ("ParentId", OWNER)]);
    assert_eq!(parent_of(&grandchild), OWNER);
    stage.updated("Account", &[("fieldsToNull", "ParentId"), ("Id", &grandchild)]);
    assert_eq!(parent_of(&grandchild), "");
    stage.deleted("Account", &child);
    adds_up(&stage);
}

/// Regression: `select Id from PaymentMethod where Name = 'Other'` found nothing.
#[test]
fn every_tenant_has_its_own_methods_and_finds_them_by_name() {
    let own = "\n[[payment_method]]\nid = \"4028e6a0000b00000000000000000001\"\ntype = \"Check\"\n\
               name = \"Cheque by post\"\n";
    let stage = Stage::of(TestGateway::seeded(&format!("{SEED}{own}"), &[]));
    for name in ["Check", "Cash", "WireTransfer", "Other"] {
        let query = format!(
            "select Id, Type, Active, AccountId, PaymentMethodStatus from PaymentMethod \
             where Name = '{name}'"
        );
        let ids = stage.found(&query, "Id");
        assert_eq!(ids.len(), 1, "{name}");
        assert_eq!(stage.found(&query, "Type"), [name]);
        assert_eq!(stage.found(&query, "Active"), ["true"]);
        assert_eq!(stage.found(&query, "PaymentMethodStatus"), ["Active"]);
        assert_eq!(stage.found(&query, "AccountId"), [""; 0]);
        let refund = [
            ("Type", "External"),
            ("SourceType", "CreditBalance"),
            ("AccountId", OWNER),
            ("Amount", "1"),
            ("PaymentMethodId", ids[0].as_str()),
        ];
        let refund = stage.created("Refund", &refund);
        let read = stage.read("Refund", &refund, &["MethodType", "PaymentMethodId"]);
        assert_eq!(read, [name, &ids[0]]);
        let changed = "A payment method of the tenant's own cannot be changed.";
        let closed = [("Id", ids[0].as_str()), ("PaymentMethodStatus", "Closed")];
        assert_eq!(stage.not_updated("PaymentMethod", &closed), changed);
        let stays = "A payment method of the tenant's own cannot be deleted.";
        assert_eq!(stage.not_deleted("PaymentMethod", &ids[0]), stays);
    }
    let named = "select Type from PaymentMethod where Name = 'Cheque by post'";
    assert_eq!(stage.found(named, "Type"), ["Check"]);
    // The name of a client's own method is what the client says.
    let cash = stage.created("PaymentMethod", &[("Type", "Cash"), ("Name", "Till 3")]);
    assert_eq!(stage.read("PaymentMethod", &cash, &["Name", "Type"]), ["Till 3", "Cash"]);
    let card = stage.card();
    assert_eq!(stage.read("PaymentMethod", &card, &["Name", "Active"]), ["", "false"]);
    // No gateway pays to them.
    let electronic = [
        ("Type", "Electronic"),
        ("SourceType", "CreditBalance"),
        ("AccountId", OWNER),
        ("Amount", "1"),
        ("PaymentMethodId", OTHER),
    ];
    let reported = format!("Invalid value for field PaymentMethodId: {OTHER}");
    assert_eq!(stage.refused("Refund", &electronic), reported);
    adds_up(&stage);
}

/// Regression: `where CreatedDate >= '2000-01-01T00:00:00'` found no seeded account.
#[test]
fn what_a_seed_made_has_a_date_and_a_maker() {
    let more = "\n[[payment_method]]\nid = \"4028e6a0000b00000000000000000001\"\ntype = \"Check\"\n\
                \n[[payment]]\nid = \"4028e6a0000d00000000000000000001\"\nnumber = \"P-1\"\n\
                account = \"4028e6a0000a00000000000000000001\"\ntype = \"External\"\n\
                amount = \"5.00\"\neffective_date = \"2026-01-03\"\n";
    let args = ["--clock", "2026-05-06T07:08:09.123Z"];
    let stage = Stage::of(TestGateway::seeded(&format!("{SEED}{more}"), &args));
    let clock = "2026-05-06T00:08:09.123-07:00";
    let fields = ["CreatedDate", "UpdatedDate", "CreatedById", "UpdatedById"];
    for (object, id, date) in [
        ("Account", OWNER, clock),
        ("PaymentMethod", "4028e6a0000b00000000000000000001", clock),
        ("Invoice", INVOICE, "2026-01-02T00:00:00.000-08:00"),
        ("Payment", "4028e6a0000d00000000000000000001", "2026-01-03T00:00:00.000-08:00"),
    ] {
        assert_eq!(stage.read(object, id, &fields), [date, date, SYSTEM, SYSTEM], "{object}");
        let query = format!(
            "select Id from {object} where CreatedDate >= '2000-01-01T00:00:00' and Id = '{id}'"
        );
        assert_eq!(stage.found(&query, "Id"), [id], "{object}");
        let query = format!("select Id from {object} where CreatedById = '{SYSTEM}'");
        assert!(stage.found(&query, "Id").iter().any(|found| found == id), "{object}");
    }
    let defaults = ["Batch", "BillCycleDay", "PaymentTerm"];
    let recorded = ["Batch1", "1", "Due Upon Receipt"];
    assert_eq!(stage.read("Account", OWNER, &defaults), recorded);
    stage.updated("Account", &[("Id", OWNER), ("Batch", "Batch7"), ("BillCycleDay", "15")]);
    assert_eq!(stage.read("Account", OWNER, &defaults), ["Batch7", "15", "Due Upon Receipt"]);
    stage.updated("Account", &[("fieldsToNull", "Batch"), ("Id", OWNER)]);
    assert_eq!(stage.read("Account", OWNER, &defaults), ["Batch1", "15", "Due Upon Receipt"]);
    // A user has changed it since.
    assert_ne!(stage.read("Account", OWNER, &["UpdatedById"]), [SYSTEM]);
    assert_eq!(stage.read("Account", OWNER, &["CreatedById"]), [SYSTEM]);
}

/// Regression: the items of seeded invoices and the taxes on them had no maker.
#[test]
fn the_lines_of_seeded_invoices_have_a_maker_too() {
    let items = "items = [{ name = \"Fee\", amount = \"90.00\", tax = \"10.00\" }]\n";
    let stage = Stage::of(TestGateway::seeded(&format!("{SEED}{items}"), &[]));
    for object in ["InvoiceItem", "TaxationItem"] {
        let query = format!(
            "select CreatedById, UpdatedById from {object} where InvoiceId = '{INVOICE}' and \
             CreatedById = '{SYSTEM}'"
        );
        assert_eq!(stage.found(&query, "CreatedById"), [SYSTEM], "{object}");
        assert_eq!(stage.found(&query, "UpdatedById"), [SYSTEM], "{object}");
    }
}

/// A draft of 60.00 by the tenant's own method.
fn draft(method: &str) -> [(&str, &str); 5] {
    [
        ("Type", "External"),
        ("Amount", "60"),
        ("AccountId", OWNER),
        ("PaymentMethodId", method),
        ("Status", "Draft"),
    ]
}

fn processed(id: &str) -> [(&str, &str); 2] {
    [("Id", id), ("Status", "Processed")]
}

/// Regression: `create` of a Payment with Status Draft was INVALID_VALUE.
#[test]
fn a_draft_moves_nothing_until_it_is_processed() {
    let stage = Stage::new(&[]);
    let method = check(&stage);
    let balance = || stage.read("Invoice", INVOICE, &["Balance", "PaymentAmount"]);
    let payment = stage.created("Payment", &draft(&method));
    let part = |amount: &'static str| {
        [("Amount", amount), ("InvoiceId", INVOICE), ("PaymentId", payment.as_str())]
    };
    let reported = "The applied amount 61.00 is greater than the unapplied amount 60.00.";
    assert_eq!(stage.refused("InvoicePayment", &part("61")), reported);
    stage.created("InvoicePayment", &part("50"));
    assert_eq!(balance(), ["100.00", "0"]);
    assert_eq!(stage.read("Payment", &payment, &["Status", "RefundAmount"]), ["Draft", "0"]);
    let refund = [
        ("Type", "External"),
        ("MethodType", "Check"),
        ("Amount", "1"),
        ("PaymentId", payment.as_str()),
    ];
    assert_eq!(stage.refused("Refund", &refund), "The payment P-00000001 is Draft.");
    let increase =
        [("Type", "Increase"), ("Amount", "1"), ("SourceTransactionId", payment.as_str())];
    assert_eq!(
        stage.refused("CreditBalanceAdjustment", &increase),
        "The payment P-00000001 is Draft."
    );
    adds_up(&stage);
    // Twice in one call: the second finds it done.
    let both = object("Payment", &processed(&payment)).repeat(2);
    let answer = stage.call("", &format!("<api:update>{both}</api:update>"));
    assert_eq!(answer.texts("Success"), ["true", "true"], "{answer}");
    assert_eq!(balance(), ["50.00", "50.00"]);
    stage.created("Refund", &refund);
    assert_eq!(stage.read("Payment", &payment, &["Status", "RefundAmount"]), ["Processed", "1.00"]);
    let back = stage.not_updated("Payment", &[("Id", &payment), ("Status", "Draft")]);
    assert_eq!(back, "Invalid value for field Status: Draft");
    assert_eq!(
        stage.not_deleted("Payment", &payment),
        "Objects of the type Payment cannot be deleted."
    );
    adds_up(&stage);
}

#[test]
fn a_draft_is_processed_by_the_rules_of_a_new_payment() {
    let stage = Stage::new(&[]);
    let method = check(&stage);
    let applied = [("InvoiceId", INVOICE), ("AppliedInvoiceAmount", "60")];
    let fields = [&draft(&method)[..], &applied].concat();
    let first = stage.created("Payment", &fields);
    let second = stage.created("Payment", &fields);
    stage.updated("Payment", &processed(&first));
    // What is owed is less by now than when it was drafted.
    let reported = "The applied amount 60.00 is greater than the invoice balance 40.00.";
    assert_eq!(stage.not_updated("Payment", &processed(&second)), reported);
    assert_eq!(stage.read("Payment", &second, &["Status"]), ["Draft"]);
    assert_eq!(stage.read("Invoice", INVOICE, &["Balance"]), ["40.00"]);
    stage.updated("Payment", &[("Id", &first), ("Status", "Canceled")]);
    stage.updated("Payment", &processed(&second));
    assert_eq!(stage.read("Invoice", INVOICE, &["Balance"]), ["40.00"]);
    // One that is given up never was.
    let third = stage.created("Payment", &draft(&method));
    stage.updated("Payment", &[("Id", &third), ("Status", "Canceled")]);
    let reported = "Invalid value for field Status: Processed";
    assert_eq!(stage.not_updated("Payment", &processed(&third)), reported);
    // A card that was closed meanwhile gives nothing.
    let card = stage.card();
    let of_card = with(&with(&draft(&card), ("Type", "Electronic")), ("ReferenceId", "ch_9"));
    let fourth = stage.created("Payment", &of_card);
    assert_eq!(stage.read("Payment", &fourth, &["GatewayState"]), ["NotSubmitted"]);
    stage.updated("PaymentMethod", &[("Id", &card), ("PaymentMethodStatus", "Closed")]);
    let reported = "The payment method of the payment P-00000004 is Closed.";
    assert_eq!(stage.not_updated("Payment", &processed(&fourth)), reported);
    let reported = "Invalid value for field Status: Voided";
    assert_eq!(stage.not_updated("Payment", &[("Id", &fourth), ("Status", "Voided")]), reported);
    adds_up(&stage);
}

#[test]
fn a_draft_brings_its_credit_when_it_is_processed() {
    let stage = Stage::new(&[]);
    let method = check(&stage);
    let credit = with(&draft(&method), ("AppliedCreditBalanceAmount", "25"));
    let payment = stage.created("Payment", &credit);
    assert_eq!(stage.gateway.balance(OWNER), "10.00");
    let shown = ["AppliedCreditBalanceAmount"];
    assert_eq!(stage.read("Payment", &payment, &shown), ["25.00"]);
    let rest = [("Amount", "36"), ("InvoiceId", INVOICE), ("PaymentId", payment.as_str())];
    let reported = "The applied amount 36.00 is greater than the unapplied amount 35.00.";
    assert_eq!(stage.refused("InvoicePayment", &rest), reported);
    stage.updated("Payment", &processed(&payment));
    assert_eq!(stage.gateway.balance(OWNER), "35.00");
    assert_eq!(stage.read("Payment", &payment, &shown), ["25.00"]);
    adds_up(&stage);
    let given_up = stage.created("Payment", &credit);
    stage.updated("Payment", &[("Id", &given_up), ("Status", "Canceled")]);
    assert_eq!(stage.gateway.balance(OWNER), "35.00");
    adds_up(&stage);
}

/// Regression: an External refund of a credit balance dated 1990-01-01 was taken.
#[test]
fn a_refund_of_a_past_day_is_covered_by_the_balance_of_that_day() {
    let opened = SEED.replace(
        "credit_balance = \"10.00\"",
        "credit_balance = \"10.00\"\nopened = \
                               \"2026-05-01\"",
    );
    let args = ["--clock", "2026-05-06T19:00:00Z"];
    let stage = Stage::of(TestGateway::seeded(&opened, &args));
    let refund = |amount: &'static str, day: &'static str| {
        [
            ("Type", "External"),
            ("SourceType", "CreditBalance"),
            ("MethodType", "Check"),
            ("AccountId", OWNER),
            ("Amount", amount),
            ("RefundDate", day),
        ]
    };
    for day in ["1990-01-01", "2026-04-30"] {
        let reported = format!("Invalid value for field RefundDate: {day}");
        assert_eq!(stage.refused("Refund", &refund("1", day)), reported);
    }
    stage.created("Refund", &refund("1", "2026-05-01"));
    // What came in today was not there yesterday.
    let method = check(&stage);
    let prepaid = [
        ("Type", "External"),
        ("AccountId", OWNER),
        ("AppliedCreditBalanceAmount", "20"),
        ("PaymentMethodId", method.as_str()),
    ];
    stage.created("Payment", &prepaid);
    assert_eq!(stage.gateway.balance(OWNER), "29.00");
    let reported = "The refund amount 10.00 is greater than the credit balance 9.00 that is \
                available on 2026-05-05.";
    assert_eq!(stage.refused("Refund", &refund("10", "2026-05-05")), reported);
    stage.created("Refund", &refund("9", "2026-05-05"));
    stage.created("Refund", &refund("20", "2026-05-06"));
    assert_eq!(stage.gateway.balance(OWNER), "0.00");
    adds_up(&stage);
    // Where no seed says since when, a balance is older than the API.
    let stage = Stage::new(&[]);
    let reported = "Invalid value for field RefundDate: 1990-01-01";
    assert_eq!(stage.refused("Refund", &refund("1", "1990-01-01")), reported);
    stage.created("Refund", &refund("1", "2012-01-15"));
    // An account without an opening balance has what came to it, from then on.
    let account = stage.created("Account", &[("Name", "One"), ("Currency", "USD")]);
    stage.created("Payment", &with(&prepaid, ("AccountId", &account)));
    let of_another = |day: &'static str| with(&refund("1", day), ("AccountId", &account)).len();
    assert_eq!(of_another("2012-01-15"), 6);
    let early = refund("1", "2012-01-15");
    let early = with(&early, ("AccountId", &account));
    let reported = "Invalid value for field RefundDate: 2012-01-15";
    assert_eq!(stage.refused("Refund", &early), reported);
}

/// Regression: a declined refund of a payment left a RefundInvoicePayment of its amount, while the
/// RefundAmount of the payment was 0.
#[test]
fn parts_of_a_refund_are_those_that_its_payment_counts() {
    let seed = format!(
        "{SEED}\n[[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n[[gateway.rule]]\n\
         amount = \"13.00\"\nanswer = \"decline\"\n"
    );
    let stage = Stage::of(TestGateway::seeded(&seed, &[]));
    let card = stage.card();
    let payment = stage.created(
        "Payment",
        &[
            ("Type", "Electronic"),
            ("AppliedInvoiceAmount", "100"),
            ("InvoiceId", INVOICE),
            ("AccountId", OWNER),
            ("PaymentMethodId", &card),
        ],
    );
    let refund = |amount: &'static str| {
        [("Type", "Electronic"), ("Amount", amount), ("PaymentId", payment.as_str())]
    };
    let agree = |amount: &str, parts: &[&str]| {
        assert_eq!(stage.read("Payment", &payment, &["RefundAmount"]), [amount]);
        let applied = "select RefundAmount from InvoicePayment";
        assert_eq!(stage.found(applied, "RefundAmount"), [amount]);
        let shown = "select RefundAmount from RefundInvoicePayment";
        assert_eq!(stage.found(shown, "RefundAmount"), parts);
        assert_eq!(stage.read("Invoice", INVOICE, &["Balance", "RefundAmount"]), [amount; 2]);
        adds_up(&stage);
    };
    let declined = stage.created("Refund", &refund("13"));
    assert_eq!(stage.read("Refund", &declined, &["Status"]), ["Error"]);
    agree("0", &[]);
    let paid = stage.created("Refund", &refund("30"));
    agree("30.00", &["30.00"]);
    stage.updated("Refund", &[("Id", &paid), ("Status", "Canceled")]);
    agree("0", &[]);
    let paid = stage.created("Refund", &refund("40"));
    agree("40.00", &["40.00"]);
    stage.deleted("Refund", &paid);
    stage.deleted("Refund", &declined);
    agree("0", &[]);
}

#[test]
fn a_reset_makes_the_tenants_methods_and_the_dates_anew() {
    let args = ["--clock", "2026-05-06T07:08:09Z"];
    let stage = Stage::of(TestGateway::seeded(SEED, &args));
    let fields = [("Name", "One"), ("Currency", "USD"), ("ParentId", OWNER)];
    let child = stage.created("Account", &fields);
    // The account above is made anew, and the one below stays.
    done(&stage.gateway, "POST", "clock/advance", &json!({ "seconds": 60 }));
    done(&stage.gateway, "POST", "reset", &json!({ "account": OWNER }));
    let stage = Stage::of(stage.gateway);
    assert_eq!(stage.read("Account", &child, &["Name"]), ["One"]);
    let made = |stage: &Stage| stage.read("Account", OWNER, &["CreatedDate"]).remove(0);
    assert_eq!(made(&stage), "2026-05-06T00:09:09.000-07:00");
    adds_up(&stage);
    done(&stage.gateway, "POST", "reset", &json!({}));
    let stage = Stage::of(stage.gateway);
    assert_eq!(made(&stage), "2026-05-06T00:08:09.000-07:00");
    let names = "select Name from PaymentMethod where AccountId = null";
    assert_eq!(stage.found(names, "Name"), ["Check", "Cash", "WireTransfer", "Other"]);
    adds_up(&stage);
}
