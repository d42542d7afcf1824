//! Credit memos, and what only refunds of these and of unapplied payments have.

use crate::domain::facts::{AccountKey, InvoiceKey, MemoKey, MemoLineKey, MemoPartKey, MethodKey};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{
    CreditMemoStatus, MethodStatus, MethodType, RefundTransactionType,
};
use crate::ledger::UserKey;
use crate::ledger::record::{ByName, DayText, Lookup, Record, record};
use chrono::{DateTime, Utc};

record! {
    /// A credit memo.
    CreditMemo in "credit_memo" [
        /// Its key.
        key: MemoKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// Its number.
        number: String,
        /// Whose it is.
        account: AccountKey,
        /// The day of the memo.
        date: DayText,
        /// Where it stands.
        status: ByName<CreditMemoStatus>,
        /// What it is worth, above zero.
        amount: MinorUnits,
        /// What of it is applied to invoices.
        applied: MinorUnits,
        /// What refunds gave back or hold.
        refunded: MinorUnits,
        /// Free text.
        comment: Option<String>,
        /// One of the tenant's codes.
        reason_code: Option<String>,
        /// Who created it, where it is known.
        created_by: Option<UserKey>,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// Who changed it last.
        updated_by: Option<UserKey>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
        /// Who posted it, where it is known.
        posted_by: Option<UserKey>,
        /// When it was posted, where it is known.
        posted_ms: Option<DateTime<Utc>>,
        /// When it was given up.
        cancelled_ms: Option<DateTime<Utc>>,
    }
    fault CreditMemo::broken
}

impl CreditMemo {
    /// What is neither applied nor refunded.
    pub fn unapplied(&self) -> MinorUnits {
        let gone = self.applied.units().saturating_add(self.refunded.units());
        MinorUnits::new(self.amount.units().saturating_sub(gone))
    }

    /// The invariant that the row breaks, if it breaks one.
    fn broken(&self) -> Option<&'static str> {
        let is_moved = self.applied != MinorUnits::ZERO || self.refunded != MinorUnits::ZERO;
        let is_negative = self.applied < MinorUnits::ZERO || self.refunded < MinorUnits::ZERO;
        let faults = [
            (self.amount <= MinorUnits::ZERO, "it is worth nothing"),
            (is_negative, "less than nothing is taken of it"),
            (self.unapplied() < MinorUnits::ZERO, "more is taken of it than it is worth"),
            (
                is_moved && self.status.0 != CreditMemoStatus::Posted,
                "money of it has moved, and it is not posted",
            ),
        ];
        faults.into_iter().find(|(is_broken, _)| *is_broken).map(|(_, fault)| fault)
    }
}

/// A credit memo by its id.
pub static MEMO_BY_ID: Lookup = Lookup::new(CreditMemo::TABLE, &["id"]);
/// A credit memo by its number.
pub static MEMO_BY_NUMBER: Lookup = Lookup::new(CreditMemo::TABLE, &["number"]);
/// The credit memos of an account.
pub static MEMO_BY_ACCOUNT: Lookup = Lookup::new(CreditMemo::TABLE, &["account"]);

record! {
    /// An item of a credit memo, or the tax on one.
    MemoLine in "credit_memo_line" [
        /// Its key.
        key: MemoLineKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// The memo that it stands on.
        memo: MemoKey,
        /// Of a tax, the item that it is on.
        item: Option<MemoLineKey>,
        /// What it is called.
        name: Option<String>,
        /// What it is worth, above zero.
        amount: MinorUnits,
        /// What refunds took of it or hold.
        refunded: MinorUnits,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
    }
    fault |line| (line.refunded < MinorUnits::ZERO || line.refunded > line.amount)
        .then_some("more is taken of it than it is worth")
}

/// A line of a credit memo by its id.
pub static MEMO_LINE_BY_ID: Lookup = Lookup::new(MemoLine::TABLE, &["id"]);
/// The lines of a credit memo.
pub static MEMO_LINE_BY_MEMO: Lookup = Lookup::new(MemoLine::TABLE, &["memo"]);

record! {
    /// What of a credit memo is applied to an invoice.
    MemoPart in "credit_memo_part" [
        /// Its key.
        key: MemoPartKey,
    ] {
        /// The memo.
        memo: MemoKey,
        /// The invoice.
        invoice: InvoiceKey,
        /// How much; zero once all came back.
        amount: MinorUnits,
        /// What of it the opening balance of the invoice knows of.
        seeded: MinorUnits,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
    }
    fault |part| (part.amount < MinorUnits::ZERO).then_some("less than nothing is applied")
}

/// What of a credit memo is applied.
pub static MEMO_PART_BY_MEMO: Lookup = Lookup::new(MemoPart::TABLE, &["memo"]);

record! {
    /// A payment method as it was when a refund went to it. Only ever added.
    MethodSnapshot in "payment_method_snapshot" [
        /// Its key.
        key: i64,
    ] {
        /// Its id.
        id: ObjectId,
        /// The method.
        method: MethodKey,
        /// Its type.
        method_type as "type": ByName<MethodType>,
        /// Whether it could still be used.
        status: ByName<MethodStatus>,
        /// Its own gateway.
        gateway: Option<String>,
        /// What is only kept, a JSON object.
        kept: String,
        /// When.
        created_ms: DateTime<Utc>,
    }
}

record! {
    /// What only refunds by the v1 operations have.
    RefundDetail in "refund_detail" [
        /// The refund.
        refund: RefundNumber,
    ] {
        /// The credit memo that it gives back.
        credit_memo: Option<MemoKey>,
        /// The method that it went to, as it was.
        snapshot: Option<i64>,
        /// refundTransactionType.
        transaction_type: Option<ByName<RefundTransactionType>>,
        /// gatewayReconciliationStatus.
        reconciliation_status: Option<String>,
        /// gatewayReconciliationReason.
        reconciliation_reason: Option<String>,
        /// payoutId.
        payout_id: Option<String>,
        /// Accounting codes and fields for NetSuite, a JSON object.
        notes: String,
        /// customRates, a JSON array.
        rates: Option<String>,
    }
}

record! {
    /// What a refund takes of an item of its credit memo, or of the tax on one.
    RefundLine in "refund_credit_memo_line" [
        /// Its key.
        key: i64,
    ] {
        /// The refund.
        refund: RefundNumber,
        /// The item or the tax.
        line: MemoLineKey,
        /// How much, above zero.
        amount: MinorUnits,
        /// When it was created.
        created_ms: DateTime<Utc>,
    }
}

/// What a refund takes of items and taxes.
pub static REFUND_LINE_BY_REFUND: Lookup = Lookup::new(RefundLine::TABLE, &["refund"]);
record! {
    /// By which id and number clients of the v1 operations know a gateway.
    GatewayIdentity in "gateway_identity" [
        /// Its name.
        name: String,
    ] {
        /// Its id.
        id: ObjectId,
        /// Its number, such as `PG-00000001`.
        number: String,
    }
}

/// A gateway by its id.
pub static GATEWAY_BY_ID: Lookup = Lookup::new(GatewayIdentity::TABLE, &["id"]);
/// Every gateway that has an id and a number.
pub static GATEWAY_IDENTITIES: Lookup = Lookup::new(GatewayIdentity::TABLE, &[]);
