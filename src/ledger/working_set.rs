//! The rows that a batch of requests has met, and what it changes about them.
//!
//! Each row is read from the engine once a batch at most and written at its end. What must stay
//! true: a use case finds what those before it left; after [`Shelves::flush`] the engine has all of
//! it; after an error nothing is used again before [`Shelves::clear`].

mod changing;
mod flushing;
mod hashing;
mod loading;
mod looking;
mod marks;
#[cfg(test)]
mod tests;

use super::books::{Books, BooksError};
use super::record::{Record, Value};
use super::records::{
    Account, AccountRow, Adjustment, AuditObject, AuditRow, AuditSource, Balance, ClientRow,
    Collected, CreditMemo, CustomFieldRow, Delivery, Entry, EventRow, Exchange, GatewayIdentity,
    GatewayRow, Inquiry, Invoice, InvoiceAdjustment, Line, Locator, MemoLine, MemoPart, Meta,
    Method, MethodRow, MethodSnapshot, OperatorValue, Part, Payment, QueryMark, Refund,
    RefundDetail, RefundLine, Sending, SessionRow, SettlementEvent, StoredAnswer, TakenPart,
    TenantSetting, TokenRow, User, UserRow, Webhook,
};
use super::trail::ActSource;
use crate::domain::facts::AccountKey;
use chrono::{DateTime, Utc};
use flushing::Outdated;
use hashing::HashMap;
pub use loading::Unmet;
use loading::{Head, Wanted};
use looking::{Touched, load};
use marks::Before;
pub use marks::Mark;

/// How a row differs from what the engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not at all.
    Same,
    /// The engine does not have it.
    New,
    /// The engine has other values of it.
    Changed,
}

#[derive(Debug, Clone)]
struct Held<R> {
    /// None: it is not there, or not any more.
    row: Option<R>,
    state: State,
    /// The engine has a row of this key, which is to be removed.
    is_removed: bool,
}

/// What was looked up: the address of the lookup, and the values.
type Place = (usize, Vec<Value<'static>>);

/// The rows of one table that were met.
#[derive(Debug)]
pub struct Shelf<R: Record> {
    rows: HashMap<R::Key, Held<R>>,
    /// The keys of the rows that were added, changed or removed, in that order.
    touched: Vec<R::Key>,
    /// Which keys the engine has for what was looked up.
    found: HashMap<Place, Vec<R::Key>>,
    /// The first rows that the engine has for what was looked up.
    heads: HashMap<Place, Head<R>>,
    /// What is to be looked up in the next round.
    wanted: Wanted<R>,
    /// Which of the touched rows have which values, for each lookup that was asked for.
    indexes: HashMap<usize, Touched<R::Key>>,
    /// The newest key, where keys are counted.
    newest: Option<i64>,
    /// Keys were counted, but what is the newest one has to be looked up anew.
    is_newest_forgotten: bool,
    /// How many keys were counted that no row has.
    unused: u32,
    /// What has changed since a mark, if there is one.
    before: Option<Before<R>>,
}

impl<R: Record> Default for Shelf<R> {
    fn default() -> Self {
        Self {
            rows: HashMap::default(),
            touched: Vec::new(),
            found: HashMap::default(),
            heads: HashMap::default(),
            wanted: Wanted::default(),
            indexes: HashMap::default(),
            newest: None,
            is_newest_forgotten: false,
            unused: 0,
            before: None,
        }
    }
}

impl<R: Record> Shelf<R> {
    /// The row of a key.
    pub(super) fn get(
        &mut self,
        books: &mut dyn Books,
        key: &R::Key,
    ) -> Result<Option<&R>, BooksError> {
        if !self.rows.contains_key(key) {
            let mut row = None;
            load(books, R::BY_KEY, &R::key_values(key), usize::MAX, |found| row = Some(found))?;
            let held = Held { row, state: State::Same, is_removed: false };
            self.rows.insert(key.clone(), held);
        }
        Ok(self.rows.get(key).and_then(|held| held.row.as_ref()))
    }

    /// A row that was met before.
    pub(super) fn met(&self, key: &R::Key) -> Option<&R> {
        self.rows.get(key).and_then(|held| held.row.as_ref())
    }

    /// The row of a key that may be met once alone: it is not kept here.
    pub(super) fn peek(
        &mut self,
        books: &mut dyn Books,
        key: &R::Key,
    ) -> Result<Option<R>, BooksError> {
        if let Some(held) = self.rows.get(key) {
            return Ok(held.row.clone());
        }
        let mut row = None;
        load(books, R::BY_KEY, &R::key_values(key), usize::MAX, |found| row = Some(found))?;
        Ok(row)
    }

    /// The newest key of a table whose keys are counted, at least `floor`.
    pub(super) fn newest(&mut self, books: &mut dyn Books, floor: i64) -> Result<i64, BooksError> {
        let newest = match self.newest {
            Some(newest) => newest,
            None => books.newest(R::BY_KEY)?.unwrap_or(0),
        };
        let newest = newest.max(floor);
        (self.newest, self.is_newest_forgotten) = (Some(newest), false);
        Ok(newest)
    }

    /// The next key of a table whose keys are counted, above `floor`.
    pub(super) fn next_key(
        &mut self,
        books: &mut dyn Books,
        floor: i64,
    ) -> Result<i64, BooksError> {
        let next = self.newest(books, floor)?.saturating_add(1);
        self.newest = Some(next);
        self.unused += 1;
        Ok(next)
    }
}

/// Declares the shelves of all records, in the order in which they are flushed. After an arrow
/// stands that of a narrower record of the same table: it follows the whole rows.
macro_rules! shelves {
    ($($shelf:ident: $record:ty $(=> $view:ident)?,)+) => {
        /// All rows that a batch has met.
        #[derive(Debug, Default)]
        pub struct Shelves {
            $($shelf: Shelf<$record>,)+
            /// What is to be removed because of its age.
            outdated: Vec<Outdated>,
            /// The audit source that was used last, and its key: most calls of a batch share one.
            pub(super) latest_source: Option<(ActSource, i64)>,
            /// Rows that the world is made from were changed.
            pub(super) is_world_changed: bool,
            /// The moment of the newest refund, where its number is the newest that was given.
            pub(super) latest_refund: Option<DateTime<Utc>>,
            /// The last event that a webhook has collected, so that none gets a number before it.
            pub(super) latest_collected: Option<i64>,
            /// The accounts whose balance was compared with the entry that made it what it is.
            compared: HashMap<AccountKey, ()>,
        }

        impl Shelves {
            /// Hands over to the engine what differs.
            pub fn flush(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
                $(self.$shelf.flush(books)?;)+
                self.remove_outdated(books)
            }

            /// Sets the mark to which [`Shelves::go_back`] goes back.
            pub(super) fn set_mark(&mut self) -> Mark {
                $(self.$shelf.set_mark();)+
                Mark {
                    outdated: self.outdated.clone(),
                    latest_source: self.latest_source.clone(),
                    is_world_changed: self.is_world_changed,
                    latest_refund: self.latest_refund,
                }
            }

            /// Takes back everything since the mark.
            pub(super) fn go_back(&mut self, mark: Mark) {
                $(self.$shelf.go_back();)+
                let Mark { outdated, latest_source, is_world_changed, latest_refund } = mark;
                (self.outdated, self.latest_source) = (outdated, latest_source);
                (self.is_world_changed, self.latest_refund) = (is_world_changed, latest_refund);
            }

            /// Lets everything since the mark stand.
            pub(super) fn forget_mark(&mut self) {
                $(self.$shelf.forget_mark();)+
            }

            /// Says to the engine what is wanted, and wants it no more.
            pub(super) fn foresee(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
                $(self.$shelf.foresee(books)?;)+
                $(self.$shelf.want_nothing();)+
                Ok(())
            }

            /// Looks up all that is wanted, table by table.
            pub(super) fn load(&mut self, books: &mut dyn Books) -> Result<(), BooksError> {
                $(self.$shelf.foresee(books)?;)+
                $(self.$shelf.load(books)?;)+
                Ok(())
            }

            /// Says to the engine which newest keys were forgotten, because they will be asked
            /// for again; whether any were.
            pub(super) fn foresee_newest(
                &mut self,
                books: &mut dyn Books,
            ) -> Result<bool, BooksError> {
                let mut is_any = false;
                $(if std::mem::take(&mut self.$shelf.is_newest_forgotten) {
                    books.foresee_newest(<$record as Record>::BY_KEY)?;
                    is_any = true;
                })+
                Ok(is_any)
            }

            /// Forgets every row. Newest keys stay unless one was counted that no row has.
            pub(super) fn forget_rows(&mut self) {
                self.compared.clear();
                let mut is_newest = true;
                $(is_newest &= self.$shelf.forget_rows();)+
                if !is_newest {
                    self.forget_newest();
                }
            }

            /// Forgets every row after they were committed. What nearly every batch asks for, the
            /// newest keys and the latest source and moment, is kept: nothing else may have
            /// written to the engine when the next batch begins.
            pub fn begin_anew(&mut self) {
                self.forget_rows();
                self.outdated.clear();
                self.is_world_changed = false;
            }

            /// Forgets everything that the engine can be asked again.
            pub fn clear(&mut self) {
                self.begin_anew();
                self.forget_newest();
            }

            /// Forgets what is kept from batch to batch, because something else wrote.
            pub fn forget_newest(&mut self) {
                $(self.$shelf.is_newest_forgotten |= self.$shelf.newest.take().is_some();)+
                (self.latest_source, self.latest_refund) = (None, None);
                self.latest_collected = None;
            }
        }

        $(impl Shelved for $record {
            fn shelf(shelves: &mut Shelves) -> &mut Shelf<Self> {
                &mut shelves.$shelf
            }

            $(fn show(shelves: &mut Shelves, key: &Self::Key) {
                let row = shelves.$shelf.met(key).map(From::from);
                shelves.$view.show(key, row);
            })?
        })+
    };
}

impl Shelves {
    /// Whether the balance of an account was compared with the entry that made it what it is.
    pub(super) fn is_compared(&self, account: AccountKey) -> bool {
        self.compared.contains_key(&account)
    }

    /// Notes that it was.
    pub(super) fn note_compared(&mut self, account: AccountKey) {
        self.compared.insert(account, ());
    }
}

/// A record that has a shelf.
pub trait Shelved: Record {
    /// Its shelf.
    fn shelf(shelves: &mut Shelves) -> &mut Shelf<Self>;

    /// Has a narrower record of the same table, if there is one, follow the row of a key.
    fn show(_shelves: &mut Shelves, _key: &Self::Key) {}
}

shelves! {
    meta: Meta,
    tenant_settings: TenantSetting,
    gateways: GatewayRow,
    custom_fields: CustomFieldRow,
    operator_values: OperatorValue,
    user_rows: UserRow => users,
    users: User,
    sessions: SessionRow,
    clients: ClientRow,
    tokens: TokenRow,
    account_rows: AccountRow => accounts,
    accounts: Account,
    method_rows: MethodRow => methods,
    methods: Method,
    balances: Balance,
    invoices: Invoice,
    lines: Line,
    invoice_adjustments: InvoiceAdjustment,
    payments: Payment,
    parts: Part,
    collected: Collected,
    credit_memos: CreditMemo,
    memo_lines: MemoLine,
    memo_parts: MemoPart,
    method_snapshots: MethodSnapshot,
    gateway_identities: GatewayIdentity,
    audit_sources: AuditSource,
    audit: AuditRow,
    audit_objects: AuditObject,
    refunds: Refund,
    taken_parts: TakenPart,
    refund_details: RefundDetail,
    refund_lines: RefundLine,
    adjustments: Adjustment,
    entries: Entry,
    inquiries: Inquiry,
    exchanges: Exchange,
    settlement_events: SettlementEvent,
    sendings: Sending,
    events: EventRow,
    webhooks: Webhook,
    deliveries: Delivery,
    answers: StoredAnswer,
    locators: Locator,
    query_marks: QueryMark,
}
