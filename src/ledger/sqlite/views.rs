//! What the v1 operations read: one object by its key, or a page of a list.
//!
//! What must stay true: a read is one snapshot; a list is found here, and what it shows is made by
//! the same function as inside a transaction.

use super::SqliteLedger;
use super::books::{SqliteBooks, Texts};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::facts::{MemoKey, PaymentKey};
use crate::domain::id::RefundNumber;
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::records::{CreditMemo, Payment, Refund};
use crate::ledger::unit::{Unit, World};
use crate::ledger::views::{
    CreditMemoView, ListObjects, ListPage, ListRefunds, MemoItemView, PaymentView, RefundFilter,
    RefundPartView, RefundSort, RefundView, Views,
};
use crate::ledger::work::views;
use crate::ledger::working_set::Shelves;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

impl Views for SqliteLedger {
    fn refund(&self, key: ObjectKey) -> Reply<Option<RefundView>> {
        self.readers.read(move |connection| look(connection, |_, unit| views::refund(unit, &key)))
    }

    fn refund_part(&self, key: ObjectKey) -> Reply<Option<RefundPartView>> {
        self.readers
            .read(move |connection| look(connection, |_, unit| views::refund_part(unit, &key)))
    }

    fn refunds(&self, list: ListRefunds) -> Reply<ListPage<RefundView>> {
        self.readers.read(move |connection| {
            look(connection, |connection, unit| {
                let (keys, has_more) = refund_keys(connection, &list)?;
                let mut rows = Vec::with_capacity(keys.len());
                for number in keys.into_iter().filter_map(RefundNumber::new) {
                    let row: Refund = unit.existing(&(number,))?;
                    rows.push(views::refund_of(unit, row)?);
                }
                Ok(ListPage { rows, has_more })
            })
        })
    }

    fn credit_memo(&self, key: ObjectKey) -> Reply<Option<CreditMemoView>> {
        self.readers
            .read(move |connection| look(connection, |_, unit| views::credit_memo(unit, &key)))
    }

    fn credit_memo_items(&self, key: ObjectKey) -> Reply<Option<Vec<MemoItemView>>> {
        self.readers.read(move |connection| {
            look(connection, |_, unit| views::credit_memo_items(unit, &key))
        })
    }

    fn credit_memos(&self, list: ListObjects) -> Reply<ListPage<CreditMemoView>> {
        self.readers.read(move |connection| {
            look(connection, |connection, unit| {
                let (keys, has_more) = object_keys(connection, "credit_memo", &list)?;
                let mut rows = Vec::with_capacity(keys.len());
                for key in keys {
                    let row: CreditMemo = unit.existing(&(MemoKey(key),))?;
                    rows.push(views::credit_memo_of(unit, row)?);
                }
                Ok(ListPage { rows, has_more })
            })
        })
    }

    fn payment(&self, key: ObjectKey) -> Reply<Option<PaymentView>> {
        self.readers.read(move |connection| look(connection, |_, unit| views::payment(unit, &key)))
    }

    fn payments(&self, list: ListObjects) -> Reply<ListPage<PaymentView>> {
        self.readers.read(move |connection| {
            look(connection, |connection, unit| {
                let (keys, has_more) = object_keys(connection, "payment", &list)?;
                let mut rows = Vec::with_capacity(keys.len());
                for key in keys {
                    let row: Payment = unit.existing(&(PaymentKey(key),))?;
                    rows.push(views::payment_of(unit, row)?);
                }
                Ok(ListPage { rows, has_more })
            })
        })
    }
}

/// Looks at the rows of one snapshot.
fn look<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection, &mut Unit<'_>) -> Result<T, BooksError>,
) -> rusqlite::Result<T> {
    let snapshot = connection.unchecked_transaction()?;
    let select = "select cast(value as integer) from meta where key = 'salt'";
    let row_salt = snapshot.query_row(select, [], |row| row.get(0)).optional()?.unwrap_or(0);
    let world = World { row_salt, ..World::default() };
    let (mut texts, mut shelves) = (Texts::default(), Shelves::default());
    let mut books = SqliteBooks::new(&snapshot, &mut texts);
    let found = work(&snapshot, &mut Unit::new(&mut shelves, &mut books, &world))?;
    Ok(found)
}

/// A statement that is put together, and the values that are bound to its places.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// A condition with one place, which is written `?`.
    fn add(&mut self, text: &str, value: Value) {
        self.values.push(value);
        self.texts.push(text.replace('?', &format!("?{}", self.values.len())));
    }

    /// That an expression is this text, or nothing.
    fn is(&mut self, expression: &str, text: Option<&String>) {
        let value = text.map_or(Value::Null, |text| Value::Text(text.clone()));
        self.add(&format!("{expression} is ?"), value);
    }

    fn all(&self) -> String {
        match self.texts.is_empty() {
            true => "true".to_owned(),
            false => self.texts.join(" and "),
        }
    }
}

/// The numbers of a page of refunds, and whether another page follows.
fn refund_keys(
    connection: &Connection,
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
    page(connection, &select, conditions.values, list.page, list.page_size)
}

fn add_filter(conditions: &mut Conditions, filter: &RefundFilter) {
    let second = |moment: &chrono::DateTime<chrono::Utc>| Value::Integer(moment.timestamp());
    match filter {
        RefundFilter::AccountId(id) => conditions.is("account.id", id.as_ref()),
        RefundFilter::Amount(amount) => conditions.add(
            "amount_against(refund.amount, account.currency, ?) = 0",
            Value::Text(amount.to_string()),
        ),
        RefundFilter::CreatedById(id) => conditions.is("user.id", id.as_ref()),
        RefundFilter::CreatedDate(moment) => {
            conditions.add("refund.created_ms / 1000 = ?", second(moment));
        }
        RefundFilter::MethodType(name) => conditions.is("refund.method_type", name.as_ref()),
        RefundFilter::Number(number) => {
            conditions.is("printf('R-%08d', refund.number)", number.as_ref());
        }
        RefundFilter::PaymentId(id) => conditions.is("payment.id", id.as_ref()),
        RefundFilter::RefundDate(day) => {
            conditions.add("refund.refund_date = ?", Value::Text(day.to_string()));
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
    connection: &Connection,
    table: &'static str,
    list: &ListObjects,
) -> Result<(Vec<i64>, bool), BooksError> {
    let mut conditions = Conditions::default();
    if let Some(id) = &list.account_id {
        let account = "object.account = (select key from account_row where id = ?)";
        conditions.add(account, Value::Text(id.to_string()));
    }
    if let Some(status) = &list.status {
        conditions.add("object.status = ?", Value::Text(status.clone()));
    }
    let all = conditions.all();
    let select =
        format!("select object.key from {table} as object where {all} order by object.key desc");
    page(connection, &select, conditions.values, list.page, list.page_size)
}

/// The keys that a statement finds for a page, and whether another page follows.
fn page(
    connection: &Connection,
    select: &str,
    mut values: Vec<Value>,
    page: u32,
    page_size: u32,
) -> Result<(Vec<i64>, bool), BooksError> {
    let size = i64::from(page_size.max(1));
    let before = i64::from(page.max(1) - 1).saturating_mul(size);
    let places = values.len();
    values.extend([Value::Integer(size + 1), Value::Integer(before)]);
    let select = format!("{select} limit ?{} offset ?{}", places + 1, places + 2);
    let mut statement = connection.prepare_cached(&select)?;
    let keys = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    let mut keys = keys.collect::<Result<Vec<i64>, _>>()?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let has_more = keys.len() > size;
    keys.truncate(size);
    Ok((keys, has_more))
}
