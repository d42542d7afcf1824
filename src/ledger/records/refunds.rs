//! Refunds, and the entries behind every credit balance.

use crate::domain::entry_kind::EntryKind;
use crate::domain::facts::{AccountKey, AdjustmentKey, MethodKey, PaymentKey};
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::money::MinorUnits;
use crate::domain::rules::MethodChoice;
use crate::domain::vocabulary::{GatewayState, MethodType, RefundStatus, RefundType, SourceType};
use crate::ledger::UserKey;
use crate::ledger::record::{Lookup, Record, record};
use chrono::{DateTime, NaiveDate, Utc};

record! {
    /// A refund. Its id is made of the moment of its creation, its salt and its number.
    Refund in "refund_row" [
        /// Its number.
        number: RefundNumber,
    ] {
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// The salt of its id.
        salt: i64,
        /// The account that it belongs to.
        account: AccountKey,
        /// The account's refund before it.
        previous: Option<RefundNumber>,
        /// How much, above zero.
        amount: MinorUnits,
        /// Who moves the money.
        refund_type as "type": RefundType,
        /// What it draws on.
        source_type: SourceType,
        /// How it is, or will be, paid.
        method_type: MethodType,
        /// The method that it goes to.
        payment_method: Option<MethodKey>,
        /// Where it stands.
        status: RefundStatus,
        /// The day it counts for.
        refund_day: NaiveDate,
        /// Who created it.
        created_by: UserKey,
        /// The record of the call that created it.
        audit: Option<i64>,
        /// How its method was chosen.
        method_choice: Option<MethodChoice>,
        /// What its source had to give before.
        source_before: Option<MinorUnits>,
        /// Its first entry.
        entry: Option<i64>,
        /// The payment that it gives back.
        payment: Option<PaymentKey>,
        /// Free text.
        comment: Option<String>,
        /// One of the tenant's codes.
        reason_code: Option<String>,
        /// Statement text.
        soft_descriptor: Option<String>,
        /// Statement phone number.
        soft_descriptor_phone: Option<String>,
        /// The gateway that pays it.
        gateway: Option<String>,
        /// Parameters for the gateway, a JSON array.
        gateway_options: Option<String>,
        /// Where it stands with its gateway.
        gateway_state: Option<GatewayState>,
        /// What the gateway answered.
        gateway_response: Option<String>,
        /// The code of that.
        gateway_response_code: Option<String>,
        /// The gateway's id of it.
        reference_id: Option<String>,
        /// Another of the gateway's ids.
        second_reference_id: Option<String>,
        /// When the gateway approved it.
        submitted_ms: Option<DateTime<Utc>>,
        /// When the gateway settled it.
        settled_ms: Option<DateTime<Utc>>,
        /// When it was cancelled.
        cancelled_ms: Option<DateTime<Utc>>,
        /// When its money was put back because its gateway rejected it after all.
        compensated_ms: Option<DateTime<Utc>>,
        /// When it was changed.
        updated_ms: Option<DateTime<Utc>>,
        /// The user who changed it last; none as long as only its creator and its gateway have.
        updated_by: Option<UserKey>,
        /// TransferredToAccounting.
        transferred_to_accounting: Option<String>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
    fault Refund::broken
}

/// The refunds that went to a payment method.
pub static REFUND_BY_METHOD: Lookup = Lookup::new(Refund::TABLE, &["payment_method"]);

impl Refund {
    /// Its id.
    pub fn id(&self) -> RefundId {
        // Salts have 24 bits; one that has more is no id of this program's.
        let salt = u32::try_from(self.salt).unwrap_or(u32::MAX);
        RefundId::new(self.created_ms.timestamp_millis(), salt, self.number)
    }

    /// The invariant that the row breaks, if it breaks one.
    fn broken(&self) -> Option<&'static str> {
        let is_electronic = self.refund_type == RefundType::Electronic;
        let has_target = self.gateway.is_some() && self.payment_method.is_some();
        let is_of_payment = self.source_type == SourceType::Payment;
        let is_of_balance = self.source_type == SourceType::CreditBalance;
        let faults = [
            (self.amount <= MinorUnits::ZERO, "its amount is not above zero"),
            (!(0..1 << 24).contains(&self.salt), "its salt has more than 24 bits"),
            (is_electronic && !has_target, "it is electronic without a gateway and a method"),
            (self.payment.is_some() != is_of_payment, "its payment does not fit its source"),
            (self.entry.is_some() != is_of_balance, "its entry does not fit its source"),
            (
                self.status == RefundStatus::Processing && !is_electronic,
                "it is in Processing and not electronic",
            ),
            (
                self.compensated_ms.is_some() && self.status != RefundStatus::Processed,
                "it is compensated and not Processed",
            ),
        ];
        faults.into_iter().find(|(is_broken, _)| *is_broken).map(|(_, fault)| fault)
    }
}

record! {
    /// A movement of a credit balance. Only ever added.
    Entry in "entry_row" [
        /// Its key, in the order of the movements.
        key: i64,
    ] {
        /// The account whose balance moved.
        account: AccountKey,
        /// Why.
        kind: EntryKind,
        /// By how much.
        delta: MinorUnits,
        /// The balance after it.
        balance: MinorUnits,
        /// The refund that is its cause.
        refund: Option<RefundNumber>,
        /// The adjustment that is its cause.
        adjustment: Option<AdjustmentKey>,
        /// When.
        at_ms: DateTime<Utc>,
    }
    fault Entry::broken
}

impl Entry {
    /// The invariant that the row breaks, if it breaks one.
    fn broken(&self) -> Option<&'static str> {
        let is_of_refund = self.kind.is_of_refund();
        let faults = [
            (!self.kind.allows(self.delta.units()), "its kind does not move a balance this way"),
            (self.balance < MinorUnits::ZERO, "the credit balance after it is below zero"),
            (self.refund.is_some() != is_of_refund, "its refund does not fit its kind"),
            (self.adjustment.is_some() == is_of_refund, "its adjustment does not fit its kind"),
        ];
        faults.into_iter().find(|(is_broken, _)| *is_broken).map(|(_, fault)| fault)
    }
}
