//! How far adjustments of invoices and of their lines may go: each rule by a draft that meets it
//! and one that does not.

use super::paying_tests::invoice as invoice_of;
use super::settlement_tests::{account, asking};
use super::*;
use crate::domain::draft::fields::Draft;
use crate::domain::draft::invoice_adjustment::{
    InvoiceAdjustmentChange, InvoiceAdjustmentDraft, ItemAdjustmentDraft,
};
use crate::domain::facts::Invoice;
use crate::domain::invoicing::{
    ExistingInvoiceAdjustment, InvoiceAdjustmentKey, InvoiceLine, LineKey,
};
use crate::domain::permission::Permissions;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{
    AdjustmentStatus, CustomizedObject, InvoiceAdjustmentType, LineKind,
};

const INVOICE: (&str, &str) = ("InvoiceId", "402892c72b9e3319012b9e34b88e0007");
const NUMBER: (&str, &str) = ("InvoiceNumber", "INV7");
const LINE: (&str, &str) = ("SourceId", "402892c72b9e3319012b9e34b88e0017");
const ITEM: (&str, &str) = ("SourceType", "InvoiceDetail");
const DATE: (&str, &str) = ("AdjustmentDate", "2026-09-21");
const CREDIT: (&str, &str) = ("Type", "Credit");
const CHARGE: (&str, &str) = ("Type", "Charge");

type Fields<'f> = &'f [(&'static str, &'static str)];

/// An invoice of so much, of which so much is to be paid.
fn invoice(amount: i64, balance: i64) -> Invoice {
    Invoice { amount: MinorUnits::new(amount), ..invoice_of(7, balance) }
}

fn facts(tenant: &Tenant, invoice: Invoice) -> InvoiceAdjustmentFacts<'_> {
    InvoiceAdjustmentFacts { tenant, by_id: Some(invoice.clone()), by_number: Some(invoice) }
}

fn set<D: Draft>(fields: Fields<'_>) -> D {
    let mut draft = D::default();
    for (name, text) in fields {
        assert!(draft.set(name, text), "{name}");
    }
    draft
}

/// What an adjustment of a whole invoice moves.
fn whole(fields: Fields<'_>, invoice: Invoice) -> Result<i64, RowError> {
    let tenant = Tenant::default();
    let draft: InvoiceAdjustmentDraft = set(fields);
    let facts = facts(&tenant, invoice);
    let decided = decide_invoice_adjustment(&draft, &facts, &asking(Permissions::all()))?;
    assert_eq!((decided.invoice, decided.line, decided.number), (InvoiceKey(7), None, None));
    Ok(decided.amount.units())
}

fn line() -> InvoiceLine {
    InvoiceLine {
        key: LineKey(3),
        invoice: InvoiceKey(7),
        kind: LineKind::InvoiceDetail,
        amount: MinorUnits::new(5_000),
        credited: MinorUnits::new(1_000),
    }
}

/// What an adjustment of a line moves, on an invoice that asks for 60.00.
fn item(fields: Fields<'_>, of_item: ItemFacts) -> Result<i64, RowError> {
    let tenant = Tenant::default();
    let draft: ItemAdjustmentDraft = set(fields);
    let facts = facts(&tenant, invoice(10_000, 6_000));
    let decided = decide_item_adjustment(&draft, &facts, &of_item, &asking(Permissions::all()))?;
    assert_eq!((decided.invoice, decided.line), (InvoiceKey(7), Some(LineKey(3))));
    Ok(decided.amount.units())
}

fn amount(text: &'static str) -> (&'static str, &'static str) {
    ("Amount", text)
}

#[test]
fn a_credit_is_at_most_what_the_invoice_asks_for() {
    let credit = |text, balance| whole(&[CREDIT, INVOICE, amount(text)], invoice(10_000, balance));
    assert_eq!(credit("60", 6_000), Ok(6_000));
    assert!(credit("60.01", 6_000).is_err() && credit("0.01", 0).is_err());
    assert!(credit("0.001", 6_000).is_err() && credit("0.01", -100).is_err());
}

#[test]
fn a_charge_fills_a_negative_invoice_to_zero_and_any_other_to_the_brim() {
    let charge = |text, amounts: (i64, i64)| {
        whole(&[CHARGE, INVOICE, amount(text)], invoice(amounts.0, amounts.1))
    };
    assert_eq!(charge("50", (-5_000, -5_000)), Ok(5_000));
    assert!(charge("50.01", (-5_000, -5_000)).is_err());
    assert!(charge("0.01", (-5_000, 0)).is_err());
    assert_eq!(charge("50.01", (0, 0)), Ok(5_001), "one of nothing is not negative");
    let brim = i64::MAX / 2;
    assert_eq!(charge("0.01", (10_000, brim - 1)), Ok(1));
    assert!(charge("0.02", (10_000, brim - 1)).is_err());
}

#[test]
fn what_is_needed_is_told_one_by_one() {
    let asks = || invoice(10_000, 6_000);
    let missing = |name| Err(RowError::missing(name));
    assert_eq!(whole(&[INVOICE, amount("1")], asks()), missing("Type"));
    assert_eq!(whole(&[INVOICE, CREDIT], asks()), missing("Amount"));
    assert_eq!(whole(&[CREDIT, amount("1")], asks()), missing("InvoiceId"));
    assert_eq!(whole(&[CREDIT, amount("1"), NUMBER], asks()), Ok(100));
    let known = ItemFacts { line: Some(line()), is_number_taken: false };
    let all = [CREDIT, amount("1"), DATE, INVOICE, LINE, ITEM];
    assert_eq!(item(&all, known), Ok(100));
    for (left_out, name) in [(2, "AdjustmentDate"), (4, "SourceId"), (5, "SourceType")] {
        let mut fields = all.to_vec();
        fields.remove(left_out);
        assert_eq!(item(&fields, known), missing(name));
    }
}

#[test]
fn an_adjustment_is_not_earlier_than_its_invoice() {
    let on = |date: &'static str| {
        whole(&[CREDIT, INVOICE, amount("1"), ("AdjustmentDate", date)], invoice(10_000, 6_000))
    };
    assert_eq!((on("2026-01-02"), on("2030-01-01")), (Ok(100), Ok(100)));
    assert_eq!(on("2026-01-01"), Err(RowError::invalid("AdjustmentDate", "2026-01-01")));
}

#[test]
fn the_invoice_is_named_by_id_by_number_or_by_both() {
    let tenant = Tenant::default();
    let decided = |fields: Fields<'_>, by_id: Option<i64>, by_number: Option<i64>| {
        let found = |key| invoice_of(key, 6_000);
        let draft: InvoiceAdjustmentDraft = set(&[&[CREDIT, amount("1")], fields].concat());
        let facts = InvoiceAdjustmentFacts {
            tenant: &tenant,
            by_id: by_id.map(found),
            by_number: by_number.map(found),
        };
        let decided = decide_invoice_adjustment(&draft, &facts, &asking(Permissions::all()));
        decided.map(|decided| decided.invoice.0)
    };
    let wrong = |(name, text): (&str, &str)| Err(RowError::invalid(name, text));
    assert_eq!(decided(&[INVOICE], Some(7), None), Ok(7));
    assert_eq!(decided(&[INVOICE], None, None), wrong(INVOICE));
    assert_eq!(decided(&[NUMBER], None, Some(8)), Ok(8));
    assert_eq!(decided(&[NUMBER], None, None), wrong(NUMBER));
    assert_eq!(decided(&[INVOICE, NUMBER], Some(7), Some(7)), Ok(7));
    assert_eq!(decided(&[INVOICE, NUMBER], Some(7), Some(8)), wrong(NUMBER));
    assert_eq!(decided(&[INVOICE, NUMBER], Some(7), None), wrong(NUMBER));
}

#[test]
fn a_credit_of_a_line_is_at_most_what_is_left_of_it() {
    let credit = |text, line| {
        let known = ItemFacts { line, is_number_taken: false };
        item(&[CREDIT, amount(text), DATE, INVOICE, LINE, ITEM], known)
    };
    assert_eq!(credit("40", Some(line())), Ok(4_000));
    assert!(credit("40.01", Some(line())).is_err());
    let large = InvoiceLine { amount: MinorUnits::new(9_000), ..line() };
    assert_eq!(credit("60", Some(large)), Ok(6_000));
    assert!(credit("60.01", Some(large)).is_err(), "the invoice asks for less");
    let wrong = Err(RowError::invalid(LINE.0, LINE.1));
    assert_eq!(credit("1", None), wrong);
    assert_eq!(credit("1", Some(InvoiceLine { invoice: InvoiceKey(8), ..line() })), wrong);
    assert_eq!(credit("1", Some(InvoiceLine { kind: LineKind::Tax, ..line() })), wrong);
    let number = ("AdjustmentNumber", "IIA-1");
    let fields = [CREDIT, amount("1"), DATE, INVOICE, LINE, ITEM, number];
    let known = |is_number_taken| ItemFacts { line: Some(line()), is_number_taken };
    assert_eq!(item(&fields, known(false)), Ok(100));
    assert_eq!(item(&fields, known(true)), Err(RowError::adjustment_number_taken("IIA-1")));
    assert_eq!(item(&fields[..6], known(true)), Ok(100));
}

fn existing(adjustment_type: InvoiceAdjustmentType, invoice: Invoice) -> ExistingInvoiceAdjustment {
    ExistingInvoiceAdjustment {
        key: InvoiceAdjustmentKey(1),
        invoice,
        adjustment_type,
        amount: MinorUnits::new(1_000),
        status: AdjustmentStatus::Processed,
    }
}

const WHOLE: CustomizedObject = CustomizedObject::InvoiceAdjustment;

/// Whether an adjustment is cancelled; and whether it is deleted, which has the same bounds.
fn cancelled(adjustment: &ExistingInvoiceAdjustment) -> Result<bool, RowError> {
    let (tenant, all) = (Tenant::default(), asking(Permissions::all()));
    let id = ObjectId::parse(INVOICE.1).unwrap();
    let change: InvoiceAdjustmentChange = set(&[("Id", INVOICE.1), ("Status", "Canceled")]);
    let deleted =
        decide_invoice_adjustment_deletion(&id, WHOLE, Some(adjustment), &tenant, &all).map(drop);
    let update = decide_invoice_adjustment_update(&change, WHOLE, Some(adjustment), &tenant, &all);
    if adjustment.is_live() {
        assert_eq!(deleted, update.as_ref().map(|_| ()).map_err(Clone::clone));
    }
    update.map(|update| update.cancels)
}

#[test]
fn what_an_adjustment_moved_goes_back_where_there_is_room() {
    use InvoiceAdjustmentType::{Charge, Credit};
    let brim = i64::MAX / 2;
    assert_eq!(cancelled(&existing(Credit, invoice(10_000, brim - 1_000))), Ok(true));
    assert!(cancelled(&existing(Credit, invoice(10_000, brim - 999))).is_err());
    assert_eq!(cancelled(&existing(Charge, invoice(10_000, 1_000))), Ok(true));
    let paid = cancelled(&existing(Charge, invoice(10_000, 999)));
    let (balance, currency) = (MinorUnits::new(999), account().currency);
    assert_eq!(paid, Err(RowError::charge_paid_since("INV7", balance, currency)));
    assert_eq!(cancelled(&existing(Charge, invoice(-5_000, -4_000))), Ok(true));
    assert!(cancelled(&existing(Charge, invoice(-5_000, -4_001))).is_err());
    let gone = ExistingInvoiceAdjustment {
        status: AdjustmentStatus::Canceled,
        ..existing(Charge, invoice(10_000, 0))
    };
    assert_eq!(cancelled(&gone), Err(RowError::invalid("Status", "Canceled")));
    let (tenant, all) = (Tenant::default(), asking(Permissions::all()));
    let id = ObjectId::parse(INVOICE.1).unwrap();
    let delete = |adjustment| {
        decide_invoice_adjustment_deletion(&id, WHOLE, adjustment, &tenant, &all).map(drop)
    };
    assert_eq!(delete(Some(&gone)), Ok(()), "one that counts no more moves nothing");
    assert_eq!(delete(None), Err(RowError::invalid("Id", INVOICE.1)));
}

#[test]
fn invoices_are_adjusted_where_the_tenant_the_version_and_the_user_let_them() {
    let adjustment = existing(InvoiceAdjustmentType::Credit, invoice(10_000, 0));
    let change: InvoiceAdjustmentChange = set(&[("Id", INVOICE.1)]);
    let update = |object, tenant: &Tenant, asking: &Asking| {
        decide_invoice_adjustment_update(&change, object, Some(&adjustment), tenant, asking)
            .map(|update| update.cancels)
    };
    let (all, tenant) = (asking(Permissions::all()), Tenant::default());
    assert_eq!(update(WHOLE, &tenant, &all), Ok(false));
    let settlement = Tenant { invoice_settlement: true, ..Tenant::default() };
    let off = Err(RowError::invoice_adjustments_under_settlement());
    assert_eq!(update(WHOLE, &settlement, &all), off);
    let old = Asking { version: ApiVersion::major(23), ..all };
    let too_old = Err(RowError::too_old_for_invoice_adjustments());
    assert_eq!(update(WHOLE, &tenant, &old), too_old);
    let first = Asking { version: ApiVersion::INVOICE_ADJUSTMENTS, ..all };
    assert_eq!(update(WHOLE, &tenant, &first), Ok(false));
    let of_line = CustomizedObject::InvoiceItemAdjustment;
    assert_eq!(update(of_line, &tenant, &old), Ok(false));
    let none = asking(Permissions::NONE);
    assert!(update(WHOLE, &tenant, &none).is_err() && update(of_line, &tenant, &none).is_err());
}
