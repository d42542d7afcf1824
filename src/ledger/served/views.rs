//! What the v1 operations read: one object by its key, or a page of a list.
//!
//! What must stay true: a read is one snapshot; a list is found here, and what it shows is made by
//! the same function as inside a transaction.

use super::conditions::Conditions;
use super::{Backend, Served};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::facts::{MemoKey, PaymentKey};
use crate::domain::id::RefundNumber;
use crate::domain::refund_name::RefundName;
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Field, Value};
use crate::ledger::records::{CreditMemo, Meta, Payment, Refund};
use crate::ledger::unit::{Unit, World};
use crate::ledger::views::{
    CreditMemoView, ListObjects, ListPage, ListRefunds, MemoItemView, PaymentView, RefundFilter,
    RefundPartView, RefundSort, RefundView, Views,
};
use crate::ledger::work::beginning::SALT;
use crate::ledger::work::views;
use crate::ledger::working_set::Shelves;

impl<B: Backend> Views for Served<B> {
    fn refund(&self, key: ObjectKey) -> Reply<Option<RefundView>> {
        self.backend.read(move |reader| look(reader, |unit| views::refund(unit, &key)))
    }

    fn refund_part(&self, key: ObjectKey) -> Reply<Option<RefundPartView>> {
        self.backend.read(move |reader| look(reader, |unit| views::refund_part(unit, &key)))
    }

    fn refunds(&self, list: ListRefunds) -> Reply<ListPage<RefundView>> {
        self.backend.read(move |reader| {
            reader.begin_snapshot()?;
            let (keys, has_more) = refund_keys(reader, &list)?;
            let view = |unit: &mut Unit<'_>, number| {
                let row: Refund = unit.existing(&(number,))?;
                views::refund_of(unit, row)
            };
            let rows = shown(reader, keys.into_iter().filter_map(RefundNumber::new), view)?;
            Ok(ListPage { rows, has_more })
        })
    }

    fn credit_memo(&self, key: ObjectKey) -> Reply<Option<CreditMemoView>> {
        self.backend.read(move |reader| look(reader, |unit| views::credit_memo(unit, &key)))
    }

    fn credit_memo_items(&self, key: ObjectKey) -> Reply<Option<Vec<MemoItemView>>> {
        self.backend.read(move |reader| look(reader, |unit| views::credit_memo_items(unit, &key)))
    }

    fn credit_memos(&self, list: ListObjects) -> Reply<ListPage<CreditMemoView>> {
        self.backend.read(move |reader| {
            reader.begin_snapshot()?;
            let (keys, has_more) = object_keys(reader, "credit_memo", &list)?;
            let view = |unit: &mut Unit<'_>, key| {
                let row: CreditMemo = unit.existing(&(key,))?;
                views::credit_memo_of(unit, row)
            };
            let rows = shown(reader, keys.into_iter().map(MemoKey), view)?;
            Ok(ListPage { rows, has_more })
        })
    }

    fn payment(&self, key: ObjectKey) -> Reply<Option<PaymentView>> {
        self.backend.read(move |reader| look(reader, |unit| views::payment(unit, &key)))
    }

    fn payments(&self, list: ListObjects) -> Reply<ListPage<PaymentView>> {
        self.backend.read(move |reader| {
            reader.begin_snapshot()?;
            let (keys, has_more) = object_keys(reader, "payment", &list)?;
            let view = |unit: &mut Unit<'_>, key| {
                let row: Payment = unit.existing(&(key,))?;
                views::payment_of(unit, row)
            };
            let rows = shown(reader, keys.into_iter().map(PaymentKey), view)?;
            Ok(ListPage { rows, has_more })
        })
    }
}

/// The views of the rows of these keys, in one unit of work.
fn shown<K, V>(
    reader: &mut dyn Reader,
    keys: impl Iterator<Item = K>,
    mut view: impl FnMut(&mut Unit<'_>, K) -> Result<V, BooksError>,
) -> Result<Vec<V>, BooksError> {
    look(reader, |unit| keys.map(|key| view(unit, key)).collect())
}

/// Looks at the rows of one snapshot.
fn look<T>(
    reader: &mut dyn Reader,
    work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
) -> Result<T, BooksError> {
    reader.begin_snapshot()?;
    let salt = reader.record::<Meta>(&(SALT.to_owned(),))?;
    let row_salt = salt.and_then(|salt| salt.value.parse().ok()).unwrap_or(0);
    let world = World { row_salt, ..World::default() };
    work(&mut Unit::new(&mut Shelves::default(), reader.books(), &world))
}

/// The numbers of a page of refunds, and whether another page follows.
fn refund_keys(
    reader: &mut dyn Reader,
    list: &ListRefunds,
) -> Result<(Vec<i64>, bool), BooksError> {
    let mut conditions = Conditions::default();
    for filter in &list.filters {
        add_filter(&mut conditions, filter);
    }
    let mut order: Vec<String> = list
        .sort
        .iter()
        .map(|(field, descends)| {
            format!("{} {}", sorted_by(*field), if *descends { "desc" } else { "asc" })
        })
        .collect();
    order.push("refund.number desc".to_owned());
    let from = "refund left join account on account.key = refund.account \
                left join payment on payment.key = refund.payment \
                left join user on user.key = refund.created_by \
                left join user as changer \
                on changer.key = coalesce(refund.updated_by, refund.created_by)";
    let (all, order) = (conditions.all(), order.join(", "));
    let select = format!("select refund.number from {from} where {all} order by {order}");
    page(reader, &select, conditions, list.page, list.page_size)
}

fn add_filter(conditions: &mut Conditions, filter: &RefundFilter) {
    let second = |moment: &chrono::DateTime<chrono::Utc>| Value::Integer(moment.timestamp());
    match filter {
        RefundFilter::AccountId(id) => conditions.is("account.id", id.as_ref()),
        RefundFilter::Amount(amount) => conditions.add(
            "amount_against(refund.amount, account.currency, ?) = 0",
            amount.to_string().into(),
        ),
        RefundFilter::CreatedById(id) => conditions.is("user.id", id.as_ref()),
        RefundFilter::CreatedDate(moment) => {
            conditions.add("refund.created_ms / 1000 = ?", second(moment));
        }
        RefundFilter::MethodType(name) => conditions.is("refund.method_type", name.as_ref()),
        RefundFilter::Number(number) => {
            match number.as_deref().map(|text| (text, RefundName::parse(text))) {
                Some((text, Some(RefundName::Number(number)))) if number.to_string() == text => {
                    conditions.add("refund.number = ?", number.stored().into_owned());
                }
                _ => conditions.never(),
            }
        }
        RefundFilter::PaymentId(id) => conditions.is("payment.id", id.as_ref()),
        RefundFilter::RefundDate(day) => {
            conditions.add("refund.refund_date = ?", day.to_string().into());
        }
        RefundFilter::Status(name) => conditions.is("refund.status", name.as_ref()),
        RefundFilter::Type(name) => conditions.is("refund.type", name.as_ref()),
        RefundFilter::UpdatedById(id) => conditions.is("changer.id", id.as_ref()),
        RefundFilter::UpdatedDate(moment) => {
            let updated = "coalesce(refund.updated_ms, refund.created_ms) / 1000 = ?";
            conditions.add(updated, second(moment));
        }
    }
}

/// The expression by which refunds are put in order; amounts by their minor units.
const fn sorted_by(field: RefundSort) -> &'static str {
    match field {
        RefundSort::Number => "refund.number",
        RefundSort::AccountId => "account.id",
        RefundSort::Amount => "refund.amount",
        RefundSort::RefundDate => "refund.refund_date",
        RefundSort::PaymentId => "payment.id",
        RefundSort::CreatedDate => "refund.created_ms",
        RefundSort::CreatedById => "user.id",
        RefundSort::UpdatedDate => "coalesce(refund.updated_ms, refund.created_ms)",
        RefundSort::UpdatedById => "changer.id",
    }
}

/// The keys of a page of credit memos or payments, newest first, and whether another page follows.
fn object_keys(
    reader: &mut dyn Reader,
    table: &'static str,
    list: &ListObjects,
) -> Result<(Vec<i64>, bool), BooksError> {
    let mut conditions = Conditions::default();
    if let Some(id) = &list.account_id {
        let account = "object.account = (select key from account_row where id = ?)";
        conditions.add(account, id.to_string().into());
    }
    if let Some(status) = &list.status {
        conditions.add("object.status = ?", status.clone().into());
    }
    let all = conditions.all();
    let select =
        format!("select object.key from {table} as object where {all} order by object.key desc");
    page(reader, &select, conditions, list.page, list.page_size)
}

/// The keys that a statement finds for a page, and whether another page follows.
fn page(
    reader: &mut dyn Reader,
    select: &str,
    mut conditions: Conditions,
    page: u32,
    page_size: u32,
) -> Result<(Vec<i64>, bool), BooksError> {
    let size = i64::from(page_size.max(1));
    let before = i64::from(page.max(1) - 1).saturating_mul(size);
    let limit = conditions.bind(Value::Integer(size + 1));
    let offset = conditions.bind(Value::Integer(before));
    let select = format!("{select} limit {limit} offset {offset}");
    let mut keys = reader.list(&select, conditions.values(), |row| row.get::<i64>(0))?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let has_more = keys.len() > size;
    keys.truncate(size);
    Ok((keys, has_more))
}
