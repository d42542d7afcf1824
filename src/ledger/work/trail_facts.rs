//! What the audit keeps of an object that a call created, changed or deleted: facts and the names
//! of the other fields that were set, never free text, and never a number of a card or bank
//! account, which no draft holds.

use super::events;
use super::trail::{self, Done};
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::credit_memo::Step;
use crate::domain::id::{ObjectId, RefundId};
use crate::ledger::RowResult;
use crate::ledger::books::BooksError;
use crate::ledger::change::{Changes, Deletable};
use crate::ledger::records::Refund;
use crate::ledger::seed::SeedReport;
use crate::ledger::trail::{Act, Touched};
use crate::ledger::unit::Unit;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The longest text of a fact, in characters.
const FACT_CHARS_MAX: usize = 255;
/// What clients write for people; only that it was set is a fact.
const FREE_TEXTS: [&str; 3] = ["comment", "soft_descriptor", "soft_descriptor_phone"];

/// The type of the objects of a call to create.
pub const fn type_of_drafts(drafts: &Drafts) -> &'static str {
    match drafts {
        Drafts::Accounts(_) => "Account",
        Drafts::Adjustments(_) => "CreditBalanceAdjustment",
        Drafts::InvoiceAdjustments(_) => "InvoiceAdjustment",
        Drafts::InvoiceItemAdjustments(_) => "InvoiceItemAdjustment",
        Drafts::InvoicePayments(_) => "InvoicePayment",
        Drafts::PaymentMethods(_) => "PaymentMethod",
        Drafts::Refunds(_)
        | Drafts::MemoRefunds(_)
        | Drafts::PaymentRefunds(_)
        | Drafts::RefundSettlements(_) => "Refund",
        Drafts::CreditMemos(_) | Drafts::MemoSteps(_) => "CreditMemo",
        Drafts::Payments(_) | Drafts::SettlementPayments(_) | Drafts::PaymentSteps(_) => "Payment",
    }
}

/// What a call to create does, as the audit names it.
pub fn operation_of(drafts: &Drafts) -> &'static str {
    let (Drafts::MemoSteps(steps) | Drafts::PaymentSteps(steps)) = drafts else {
        return match drafts {
            Drafts::RefundSettlements(_) => "reconcile",
            _ => "create",
        };
    };
    match steps.first().map(|draft| &draft.step) {
        Some(Step::Post) => "post",
        Some(Step::Cancel) => "cancel",
        Some(Step::Apply(_)) => "apply",
        Some(Step::Unapply(_)) => "unapply",
        None => "create",
    }
}

/// Whether what a call made or settled are refunds, which refer to its record themselves.
pub const fn names_refunds(drafts: &Drafts) -> bool {
    matches!(
        drafts,
        Drafts::Refunds(_)
            | Drafts::MemoRefunds(_)
            | Drafts::PaymentRefunds(_)
            | Drafts::RefundSettlements(_)
    )
}

/// The type of the objects of a call to update.
pub const fn type_of_changes(changes: &Changes) -> &'static str {
    match changes {
        Changes::Accounts(_) => "Account",
        Changes::Adjustments(_) => "CreditBalanceAdjustment",
        Changes::InvoiceAdjustments(_) => "InvoiceAdjustment",
        Changes::InvoiceItemAdjustments(_) => "InvoiceItemAdjustment",
        Changes::Payments(_) => "Payment",
        Changes::PaymentMethods(_) => "PaymentMethod",
        Changes::Refunds(_) | Changes::SettlementRefunds(_) => "Refund",
    }
}

/// The type of the objects of a call to delete.
pub const fn type_of_deleted(object: Deletable) -> &'static str {
    match object {
        Deletable::Account => "Account",
        Deletable::InvoiceAdjustment => "InvoiceAdjustment",
        Deletable::InvoiceItemAdjustment => "InvoiceItemAdjustment",
        Deletable::PaymentMethod => "PaymentMethod",
        Deletable::Refund | Deletable::CanceledRefund => "Refund",
    }
}

/// What a call created, but for refunds, which refer to its record.
pub fn of_drafts(drafts: &Drafts, rows: &[RowResult]) -> Vec<Touched> {
    let object = type_of_drafts(drafts);
    match drafts {
        Drafts::Accounts(all) => touched(object, all, rows),
        Drafts::Adjustments(all) => touched(object, all, rows),
        Drafts::InvoiceAdjustments(all) => touched(object, all, rows),
        Drafts::InvoiceItemAdjustments(all) => touched(object, all, rows),
        Drafts::InvoicePayments(all) => touched(object, all, rows),
        Drafts::Payments(all) => touched(object, all, rows),
        Drafts::PaymentMethods(all) => touched(object, all, rows),
        Drafts::CreditMemos(all) => touched(object, all, rows),
        Drafts::MemoSteps(all) | Drafts::PaymentSteps(all) => touched(object, all, rows),
        Drafts::SettlementPayments(all) => touched(object, all, rows),
        Drafts::Refunds(_)
        | Drafts::MemoRefunds(_)
        | Drafts::PaymentRefunds(_)
        | Drafts::RefundSettlements(_) => Vec::new(),
    }
}

/// What a call changed.
pub fn of_changes(changes: &Changes, rows: &[RowResult]) -> Vec<Touched> {
    let object = type_of_changes(changes);
    match changes {
        Changes::Accounts(all) => touched(object, all, rows),
        Changes::Adjustments(all) => touched(object, all, rows),
        Changes::InvoiceAdjustments(all) => touched(object, all, rows),
        Changes::InvoiceItemAdjustments(all) => touched(object, all, rows),
        Changes::Payments(all) => touched(object, all, rows),
        Changes::PaymentMethods(all) => touched(object, all, rows),
        Changes::Refunds(all) => touched(object, all, rows),
        Changes::SettlementRefunds(all) => touched(object, all, rows),
    }
}

fn touched<D: Serialize>(object: &'static str, drafts: &[D], rows: &[RowResult]) -> Vec<Touched> {
    let pairs = drafts.iter().zip(rows);
    let of_row = |(draft, row): (&D, &RowResult)| {
        let id = row.as_ref().ok()?.to_string();
        Some(Touched { object, id, facts: facts(draft) })
    };
    pairs.filter_map(of_row).collect()
}

/// The values that a draft gives, by the names of its fields, and under `other_fields` the names of
/// those whose values are not kept here.
fn facts<D: Serialize>(draft: &D) -> Value {
    let Ok(Value::Object(fields)) = serde_json::to_value(draft) else {
        return json!({});
    };
    let mut facts = Map::new();
    let mut others: Vec<String> = Vec::new();
    for (name, field) in &fields {
        if name == "common" {
            others.extend(names_in_common(field));
            continue;
        }
        let Some(value) = given(field) else { continue };
        match value {
            Value::String(text) if !FREE_TEXTS.contains(&name.as_str()) => {
                let text: String = text.chars().take(FACT_CHARS_MAX).collect();
                facts.insert(name.clone(), json!(text));
            }
            Value::Bool(_) | Value::Number(_) => {
                facts.insert(name.clone(), value.clone());
            }
            _ => others.push(name.clone()),
        }
    }
    if !others.is_empty() {
        facts.insert("other_fields".to_owned(), json!(others));
    }
    Value::Object(facts)
}

/// The value of a field as drafts are written down: null where it was not sent, of an amount its
/// value, of a day its text.
fn given(field: &Value) -> Option<&Value> {
    match field {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(parts) => parts.get("value").or_else(|| parts.get("text")).or(Some(field)),
        other => Some(other),
    }
}

/// The names of the fields that are only kept, of the tenant's own, and of those that were emptied.
fn names_in_common(common: &Value) -> Vec<String> {
    let keys = |name: &str| {
        let fields = common.get(name).and_then(Value::as_object);
        fields.into_iter().flat_map(Map::keys).cloned().collect::<Vec<_>>()
    };
    let texts = |name: &str| {
        let items = common.get(name).and_then(Value::as_array);
        let items = items.into_iter().flatten().filter_map(Value::as_str);
        items.map(str::to_owned).collect::<Vec<_>>()
    };
    let kept = ["kept", "custom"].into_iter().flat_map(keys);
    kept.chain(["nulls", "kept_nulls"].into_iter().flat_map(texts)).collect()
}

/// What a refund is just before it is deleted, as it is reported to webhooks, and the record of the
/// call that created it.
pub fn of_refund(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Value, BooksError> {
    let Some(number) = RefundId::parse(id.as_str()).map(RefundId::number) else {
        return Ok(json!({}));
    };
    let created_in = unit.get::<Refund>(&(number,))?.map(|refund| refund.audit);
    let (Some(created_in), Some((_, mut facts))) = (created_in, events::describe(unit, number)?)
    else {
        return Ok(json!({}));
    };
    if let Value::Object(facts) = &mut facts {
        facts.insert("created_in".to_owned(), json!(created_in));
    }
    Ok(facts)
}

/// Records a seed that added something.
pub fn record_seed(
    unit: &mut Unit<'_>,
    act: Option<&Act>,
    report: SeedReport,
) -> Result<(), BooksError> {
    let Some(act) = act.filter(|_| report.added > 0) else {
        return Ok(());
    };
    let facts = json!({ "added": report.added, "unchanged": report.unchanged });
    let touched = Touched { object: "Seed", id: act.origin.door.name().to_owned(), facts };
    trail::keep(unit, act, Done::new("seed", "Seed"), &[touched])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::fields::Draft as _;
    use crate::domain::draft::payment::PaymentDraft;

    #[test]
    fn amounts_and_names_are_facts_and_free_text_is_none() {
        let mut draft = PaymentDraft::default();
        for (field, text) in [
            ("Amount", "20.00"),
            ("Comment", "between us"),
            ("EffectiveDate", "2026-01-02"),
            ("Type", "External"),
        ] {
            assert!(draft.set(field, text), "{field}");
        }
        let facts = facts(&draft);
        assert_eq!(
            facts,
            json!({
                "amount": "20",
                "effective_date": "2026-01-02",
                "payment_type": "External",
                "other_fields": ["comment"],
            })
        );
    }
}
