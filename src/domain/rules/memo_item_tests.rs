//! What the items of a refund of a credit memo may name, one rule a test: how many there are, which
//! line each is of, and how many lines of a memo are refunded.

use super::settlement_tests::{EXTERNAL, ITEM, asking, item, line, memo, memo_draft, tenant, with};
use super::*;
use crate::domain::draft::json::Sent;
use crate::domain::draft::settlement_refunds::ItemDraft;
use crate::domain::facts::{CreditMemo, MemoLine};
use crate::domain::permission::Permissions;
use crate::domain::row_error::Category;

const OF_ITEM: &str = "creditMemoItemId";
const OF_TAX: &str = "creditTaxItemId";

/// Whether a refund of these items is made, else the kind of the error and its field.
fn refund(
    items: &[ItemDraft],
    total: &str,
    memo: CreditMemo,
    found: Option<MemoLine>,
) -> Result<(), (Category, Option<String>)> {
    let mut draft = memo_draft(&with(&EXTERNAL, ("totalAmount", total)));
    draft.items.extend(items.iter().cloned());
    let facts = MemoRefundFacts {
        tenant: &tenant(),
        gateways: &[Gateway::sandbox()],
        memo: Some(memo),
        method: None,
        gateway: None,
        lines: vec![found; items.len()],
    };
    let decided = decide_memo_refund(&draft, &facts, &asking(Permissions::all()));
    decided.map(drop).map_err(|error| (error.category(), error.field().map(str::to_owned)))
}

fn refused(kind: Category, field: &str) -> Result<(), (Category, Option<String>)> {
    Err((kind, Some(format!("items{field}"))))
}

#[test]
fn a_thousand_items_are_not_too_many() {
    let of = |count| {
        let items = vec![item(OF_ITEM, ITEM, "0.01"); count];
        refund(&items, "10", memo(), Some(line(1, ITEM, false)))
    };
    assert_eq!(of(1_000), refused(Category::Invalid, ".creditMemoItemId"), "it comes twice");
    assert_eq!(of(1_001), refused(Category::Invalid, ""));
}

#[test]
fn an_item_names_an_item_or_a_tax_and_not_both() {
    let mut none = ItemDraft::default();
    assert!(none.set("amount", Sent::Number("1")));
    let missing = refund(&[none], "1", memo(), None);
    assert_eq!(missing, refused(Category::Missing, ".creditMemoItemId"));
    let mut both = item(OF_ITEM, ITEM, "1");
    assert!(both.set(OF_TAX, Sent::Text(ITEM)));
    let twice = refund(&[both], "1", memo(), Some(line(1, ITEM, false)));
    assert_eq!(twice, refused(Category::Invalid, ".creditTaxItemId"));
}

#[test]
fn a_line_is_of_the_memo_and_of_the_kind_that_is_named() {
    let one = |found| refund(&[item(OF_ITEM, ITEM, "1")], "1", memo(), Some(found));
    let own = line(1, ITEM, false);
    assert_eq!(one(own.clone()), Ok(()));
    let wrong = || refused(Category::Invalid, ".creditMemoItemId");
    assert_eq!(one(MemoLine { memo: MemoKey(2), ..own }), wrong());
    assert_eq!(one(line(1, ITEM, true)), wrong());
}

#[test]
fn a_line_that_is_refunded_for_the_first_time_counts_among_those_of_its_memo() {
    let fresh = MemoLine { refunded: MinorUnits::ZERO, ..line(1, ITEM, false) };
    let with_refunded = |refunded_lines| {
        let memo = CreditMemo { refunded_lines, ..memo() };
        refund(&[item(OF_ITEM, ITEM, "1")], "1", memo, Some(fresh.clone()))
    };
    assert_eq!(with_refunded(14_999), Ok(()));
    assert!(with_refunded(15_000).is_err());
}
