//! The rows of the ledger's tables, one file a subject, and the list of all whole records.
//!
//! A whole record has all columns of its table but their sum, which an engine makes and compares;
//! a narrower one has those that a use case reads.

use super::record::{Columns, Record, Table};

mod accounts;
mod billing;
mod gateways;
mod history;
mod invoicing;
mod queries;
mod refunds;
mod settings;
mod settlement;
mod users;

pub use accounts::{
    ACCOUNT_BY_DEFAULT_METHOD, ACCOUNT_BY_ID, ACCOUNT_BY_NUMBER, ACCOUNT_BY_PARENT, Account,
    AccountRow, Balance, META, METHOD_BY_ACCOUNT, METHOD_BY_ID, Meta, Method, MethodRow,
};
pub use billing::{
    ADJUSTMENT_BY_ACCOUNT, Adjustment, COLLECTED_BY_REFERENCE, Collected, INVOICE_BY_ACCOUNT,
    INVOICE_BY_ID, INVOICE_BY_NUMBER, Invoice, PART_BY_INVOICE, PART_BY_PAYMENT,
    PAYMENT_BY_ACCOUNT, PAYMENT_BY_ID, PAYMENT_BY_METHOD, PAYMENT_BY_NUMBER, Part, Payment,
    TAKEN_BY_REFUND, TakenPart,
};
pub use gateways::{
    Exchange, INQUIRIES, Inquiry, SENDING_OF_REFUND, Sending, SendingKind, SettlementEvent,
};
pub use history::{
    ANSWER_BY_AGE, AUDIT_SOURCE_BY_ALL, AuditObject, AuditRow, AuditSource, DELIVERY_BY_EVENT,
    DELIVERY_WAITING, Delivery, EVENT_BY_ACCOUNT, EventRow, StoredAnswer, WEBHOOK_BY_PLACE,
    Webhook,
};
pub use invoicing::{
    INVOICE_ADJUSTMENT_BY_ID, INVOICE_ADJUSTMENT_BY_LINE, INVOICE_ADJUSTMENT_BY_NUMBER,
    InvoiceAdjustment, LINE_BY_ID, LINE_BY_INVOICE, Line,
};
pub use queries::{LOCATOR_BY_LAST_USE, LOCATOR_BY_USER, Locator, MARK_BY_LOCATOR, QueryMark};
pub use refunds::{Entry, REFUND_BY_METHOD, Refund};
pub use settings::{
    CUSTOM_FIELDS, CustomFieldRow, GATEWAYS, GatewayRow, OperatorValue, TENANT_SETTINGS,
    TenantSetting,
};
pub use settlement::{
    CreditMemo, GATEWAY_BY_ID, GATEWAY_IDENTITIES, GatewayIdentity, MEMO_BY_ACCOUNT, MEMO_BY_ID,
    MEMO_BY_NUMBER, MEMO_LINE_BY_ID, MEMO_LINE_BY_MEMO, MEMO_PART_BY_MEMO, MemoLine, MemoPart,
    MethodSnapshot, REFUND_LINE_BY_REFUND, RefundDetail, RefundLine,
};
pub use users::{
    ClientRow, ISSUED, SESSION_BY_LAST_USE, SESSION_BY_USER, SESSIONS, SessionRow, TOKEN_BY_END,
    TokenRow, USER_BY_NAME, USERS, User, UserRow,
};

/// The whole record of a table, for a check that looks at every row of every table.
pub struct WholeRecord {
    /// The table.
    pub table: &'static Table,
    /// Reads a row by the types of its columns, and gives the invariant that it breaks, if it
    /// breaks one; the place of a column is the error where its value is not known.
    pub look: fn(&dyn Columns) -> Result<Option<&'static str>, usize>,
}

fn look<R: Record>(columns: &dyn Columns) -> Result<Option<&'static str>, usize> {
    R::read(columns).map(|row| row.fault())
}

macro_rules! whole {
    ($($record:ty),+ $(,)?) => {
        /// The whole records of all tables.
        pub static WHOLE: &[WholeRecord] =
            &[$(WholeRecord { table: <$record as Record>::TABLE, look: look::<$record> }),+];
    };
}

whole!(
    Meta,
    TenantSetting,
    GatewayRow,
    CustomFieldRow,
    OperatorValue,
    UserRow,
    SessionRow,
    ClientRow,
    TokenRow,
    AccountRow,
    MethodRow,
    Balance,
    Invoice,
    Line,
    InvoiceAdjustment,
    Payment,
    Part,
    Collected,
    CreditMemo,
    MemoLine,
    MemoPart,
    MethodSnapshot,
    GatewayIdentity,
    AuditSource,
    AuditRow,
    AuditObject,
    Refund,
    TakenPart,
    RefundDetail,
    RefundLine,
    Adjustment,
    Entry,
    Inquiry,
    Exchange,
    SettlementEvent,
    Sending,
    EventRow,
    Webhook,
    Delivery,
    StoredAnswer,
    Locator,
    QueryMark,
);
