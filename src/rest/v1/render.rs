//! What the v1 operations answer with: refunds, credit memos, payments and their parts.
//!
//! Keys, their order and their nulls are those of the sample of "Refund a payment". Amounts are
//! numbers with at most the currency's decimals; moments are in the tenant's zone.

use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::json::JsonWriter;
use crate::ledger::views::{
    CreditMemoView, MemoItemView, PaymentView, RefundPartItemView, RefundPartView, RefundView, View,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

/// A writer that knows how values are written.
pub(in crate::rest) struct Page {
    json: JsonWriter,
    zone: Tz,
}

impl Page {
    /// An empty document, for moments of this zone.
    pub(in crate::rest) fn new(zone: Tz) -> Self {
        Self { json: JsonWriter::new(), zone }
    }

    /// What the bytes are.
    pub(in crate::rest) fn into_bytes(self) -> Vec<u8> {
        self.json.into_bytes()
    }

    /// The writer.
    pub(in crate::rest) fn json(&mut self) -> &mut JsonWriter {
        &mut self.json
    }

    fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.json.name(name).text(value);
        self
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        self.json.name(name).text_or_null(value);
        self
    }

    fn id(&mut self, name: &str, value: Option<&ObjectId>) -> &mut Self {
        self.maybe(name, value.map(ObjectId::as_str))
    }

    fn amount(&mut self, name: &str, value: MinorUnits, currency: Currency) -> &mut Self {
        self.json.name(name).number(currency.decimal(value).normalize());
        self
    }

    fn moment(&mut self, name: &str, value: Option<DateTime<Utc>>) -> &mut Self {
        let zone = self.zone;
        let text =
            value.map(|moment| moment.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string());
        self.maybe(name, text.as_deref())
    }

    /// Values of the tenant's own fields.
    fn custom(&mut self, values: &Map<String, Value>) {
        for (name, value) in values {
            match value {
                Value::Null => {}
                Value::Bool(value) => {
                    self.json.name(name).bool(*value);
                }
                Value::String(text) => {
                    self.json.name(name).text(text);
                }
                other => {
                    self.json.name(name).text(&other.to_string());
                }
            }
        }
    }

    /// The answer to a call about one object.
    pub(in crate::rest) fn view(&mut self, view: &View) {
        self.json.object();
        match view {
            View::Refund(refund) => {
                self.refund(refund);
                self.written_off(refund);
                self.json.name("success").bool(true);
                self.refund_notes(refund);
            }
            View::CreditMemo(memo) => {
                self.credit_memo(memo);
                self.json.name("success").bool(true);
            }
            View::Payment(payment) => {
                self.payment(payment);
                self.json.name("success").bool(true);
                self.custom(&payment.custom);
            }
        }
        self.json.close();
    }

    /// A refund in a list.
    pub(in crate::rest) fn refund_row(&mut self, refund: &RefundView) {
        self.json.object();
        self.refund(refund);
        self.refund_notes(refund);
        self.json.close();
    }

    fn refund(&mut self, refund: &RefundView) {
        self.text("id", refund.id.as_str()).text("number", &refund.number);
        self.text("status", refund.status.name()).text("type", refund.refund_type.name());
        self.text("methodType", refund.method_type.name());
        self.text("accountId", refund.account_id.as_str());
        self.amount("amount", refund.amount, refund.currency);
        self.text("refundDate", &refund.refund_date.to_string());
        self.maybe("comment", refund.comment.as_deref());
        self.id("paymentMethodId", refund.payment_method_id.as_ref());
        self.id("paymentMethodSnapshotId", refund.payment_method_snapshot_id.as_ref());
        self.id("paymentId", refund.payment_id.as_ref());
        self.maybe("paymentNumber", refund.payment_number.as_deref());
        self.id("creditMemoId", refund.credit_memo_id.as_ref());
        self.maybe("reasonCode", refund.reason_code.as_deref());
        self.id("gatewayId", refund.gateway_id.as_ref());
        self.maybe("paymentGatewayNumber", refund.gateway_number.as_deref());
        self.maybe("gatewayResponse", refund.gateway_response.as_deref());
        self.maybe("gatewayResponseCode", refund.gateway_response_code.as_deref());
        self.text("gatewayState", refund.gateway_state.name());
        self.moment("markedForSubmissionOn", refund.marked_for_submission_on);
        self.maybe("referenceId", refund.reference_id.as_deref());
        self.maybe("secondRefundReferenceId", refund.second_reference_id.as_deref());
        self.maybe("softDescriptor", refund.soft_descriptor.as_deref());
        self.maybe("softDescriptorPhone", refund.soft_descriptor_phone.as_deref());
        self.moment("submittedOn", refund.submitted_on);
        self.moment("settledOn", refund.settled_on);
        self.moment("cancelledOn", refund.cancelled_on);
        self.moment("createdDate", Some(refund.created_date));
        self.text("createdById", refund.created_by_id.as_str());
        self.moment("updatedDate", Some(refund.updated_date));
        self.text("updatedById", refund.updated_by_id.as_str());
        self.moment("refundTransactionTime", refund.submitted_on);
        self.finance(refund);
        self.maybe("gatewayReconciliationStatus", refund.reconciliation_status.as_deref());
        self.maybe("gatewayReconciliationReason", refund.reconciliation_reason.as_deref());
        self.maybe("payoutId", refund.payout_id.as_deref());
    }

    /// What an unapply and refund wrote off.
    fn written_off(&mut self, refund: &RefundView) {
        let Some(all) = &refund.written_off else { return };
        self.json.name("writeOff").bool(!all.is_empty());
        if all.is_empty() {
            return;
        }
        self.json.name("writeOffResults").object().name("errorMessage").null();
        self.json.name("transactions").list();
        for one in all {
            self.json.object();
            self.amount("appliedAmount", one.amount, refund.currency);
            self.amount("creditMemoAmount", one.amount, refund.currency);
            self.text("creditMemoNumber", &one.memo).text("creditMemoStatus", "Posted");
            self.maybe("debitMemoNumber", None).text("invoiceNumber", &one.invoice);
            self.json.close();
        }
        self.json.close().close();
    }

    fn finance(&mut self, refund: &RefundView) {
        self.json.name("financeInformation").object();
        for name in ["bankAccountAccountingCode", "unappliedPaymentAccountingCode"] {
            self.maybe(name, refund.notes.get(name).map(String::as_str));
            self.json.name(&format!("{name}Type")).null();
        }
        self.text("transferredToAccounting", &refund.transferred_to_accounting);
        self.json.close();
    }

    /// The fields for NetSuite and the tenant's own, where they have values.
    fn refund_notes(&mut self, refund: &RefundView) {
        for (name, value) in refund.notes.iter().filter(|(name, _)| name.ends_with("__NS")) {
            self.text(name, value);
        }
        self.custom(&refund.custom);
    }

    /// A credit memo, within an object that is open.
    pub(in crate::rest) fn credit_memo(&mut self, memo: &CreditMemoView) {
        let currency = memo.currency;
        self.text("id", memo.id.as_str()).text("number", &memo.number);
        self.text("accountId", memo.account_id.as_str());
        self.text("accountNumber", &memo.account_number);
        self.text("currency", currency.code()).text("status", memo.status.name());
        self.text("creditMemoDate", &memo.date.to_string());
        self.amount("amount", memo.amount, currency);
        self.amount("taxAmount", memo.tax_amount, currency);
        self.amount("appliedAmount", memo.applied, currency);
        self.amount("refundAmount", memo.refunded, currency);
        self.amount("unappliedAmount", memo.unapplied, currency);
        self.amount("balance", memo.unapplied, currency);
        self.maybe("comment", memo.comment.as_deref());
        self.maybe("reasonCode", memo.reason_code.as_deref());
        self.id("postedById", memo.posted_by_id.as_ref()).moment("postedOn", memo.posted_on);
        self.moment("cancelledOn", memo.cancelled_on);
        self.moment("createdDate", Some(memo.created_date));
        self.id("createdById", memo.created_by_id.as_ref());
        self.moment("updatedDate", Some(memo.updated_date));
        self.id("updatedById", memo.updated_by_id.as_ref());
    }

    /// An item of a credit memo, or the tax on one.
    pub(in crate::rest) fn memo_item(
        &mut self,
        item: &MemoItemView,
        currency: Currency,
        is_tax: bool,
    ) {
        self.json.object();
        self.text("id", item.id.as_str());
        self.maybe(if is_tax { "name" } else { "skuName" }, item.name.as_deref());
        self.amount("amount", item.amount, currency);
        self.amount("refundAmount", item.refunded, currency);
        let rest = item.amount.units().saturating_sub(item.refunded.units());
        self.amount("unappliedAmount", MinorUnits::new(rest), currency);
        self.moment("createdDate", Some(item.created_date));
        self.moment("updatedDate", Some(item.updated_date));
        if !is_tax {
            self.json.name("taxationItems").object().name("data").list();
            for tax in &item.taxes {
                self.memo_item(tax, currency, true);
            }
            self.json.close().close();
        }
        self.json.close();
    }

    /// A payment, within an object that is open.
    pub(in crate::rest) fn payment(&mut self, payment: &PaymentView) {
        let currency = payment.currency;
        self.text("id", payment.id.as_str()).text("number", &payment.number);
        self.text("accountId", payment.account_id.as_str());
        self.text("accountNumber", &payment.account_number);
        self.text("currency", currency.code()).text("status", payment.status.name());
        self.text("type", payment.payment_type.name());
        self.text("effectiveDate", &payment.effective_date.to_string());
        self.amount("amount", payment.amount, currency);
        self.amount("appliedAmount", payment.applied, currency);
        self.amount("refundAmount", payment.refunded, currency);
        self.amount("creditBalanceAmount", payment.to_credit_balance, currency);
        self.amount("unappliedAmount", payment.unapplied, currency);
        self.id("paymentMethodId", payment.payment_method_id.as_ref());
        self.id("gatewayId", payment.gateway_id.as_ref());
        self.maybe("paymentGatewayNumber", payment.gateway_number.as_deref());
        self.text("gatewayState", if payment.is_settled { "Settled" } else { "Submitted" });
        self.maybe("referenceId", payment.reference_id.as_deref());
        self.maybe("comment", payment.comment.as_deref());
        self.moment("createdDate", Some(payment.created_date));
        self.id("createdById", payment.created_by_id.as_ref());
        self.moment("updatedDate", Some(payment.updated_date));
        self.id("updatedById", payment.updated_by_id.as_ref());
    }

    /// What a refund took, within an object that is open.
    pub(in crate::rest) fn part(&mut self, part: &RefundPartView) {
        let refund = &part.refund;
        self.text("id", part.id.as_str());
        self.amount("amount", part.amount, refund.currency);
        self.id("paymentId", part.payment_id.as_ref());
        self.id("creditMemoId", part.credit_memo_id.as_ref());
        self.moment("createdDate", Some(refund.created_date));
        self.text("createdById", refund.created_by_id.as_str());
        self.moment("updatedDate", Some(refund.updated_date));
        self.text("updatedById", refund.updated_by_id.as_str());
    }

    /// What a refund took of an item, within an object that is open.
    pub(in crate::rest) fn item_part(&mut self, item: &RefundPartItemView, of: &RefundView) {
        self.text("id", item.id.as_str());
        self.amount("amount", item.amount, of.currency);
        self.id("creditMemoItemId", item.memo_item_id.as_ref());
        self.id("creditTaxItemId", item.tax_item_id.as_ref());
        self.moment("createdDate", Some(item.created_date));
        self.text("createdById", of.created_by_id.as_str());
        self.moment("updatedDate", Some(of.updated_date));
        self.text("updatedById", of.updated_by_id.as_str());
    }
}
