//! The seed file as it is written: its tables and keys, typed as far as a type can say it.
//!
//! Values that need a second look keep their place in the text, so that the second look can name
//! the line. Unknown keys are errors, because a key that is silently ignored is a wrong answer
//! later.

use crate::domain::id::ObjectId;
use crate::domain::permission::Permission;
use crate::domain::script::ScriptedAnswer;
use crate::domain::vocabulary::{
    CreditMemoStatus, CustomizedObject, MethodStatus, MethodType, PaymentType,
};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use toml::Spanned;

/// A table of a seed file, which names everything in the singular.
type Tables<T> = Vec<Spanned<T>>;

/// A whole seed file. Tables may come in any order, and refer forward.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSeed {
    pub(super) tenant: Option<WrittenTenant>,
    #[serde(default)]
    pub(super) user: Tables<WrittenUser>,
    #[serde(default)]
    pub(super) oauth_client: Tables<WrittenClient>,
    #[serde(default)]
    pub(super) gateway: Tables<WrittenGateway>,
    #[serde(default)]
    pub(super) account: Tables<WrittenAccount>,
    #[serde(default)]
    pub(super) payment_method: Tables<WrittenMethod>,
    #[serde(default)]
    pub(super) invoice: Tables<WrittenInvoice>,
    #[serde(default)]
    pub(super) payment: Tables<WrittenPayment>,
    #[serde(default)]
    pub(super) credit_memo: Tables<WrittenMemo>,
    #[serde(default)]
    pub(super) custom_field: Tables<WrittenCustomField>,
}

/// `[tenant]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTenant {
    pub(super) credit_balance: Option<bool>,
    pub(super) invoice_settlement: Option<bool>,
    pub(super) future_dated_adjustments: Option<bool>,
    pub(super) invoice_item_settlement: Option<bool>,
    pub(super) fx_data: Option<bool>,
    pub(super) currency_conversion_exports: Option<bool>,
    pub(super) home_currency: Option<Spanned<String>>,
    pub(super) reporting_currency: Option<Spanned<String>>,
    pub(super) zuora_version: Option<Spanned<String>>,
    pub(super) entities: Option<Spanned<Vec<String>>>,
    pub(super) payment_reason_codes: Option<Spanned<Vec<String>>>,
    pub(super) credit_memo_reason_codes: Option<Spanned<Vec<String>>>,
    pub(super) default_gateway: Option<Spanned<String>>,
    pub(super) time_zone: Option<Spanned<String>>,
    pub(super) reason_codes: Option<Spanned<Vec<String>>>,
    pub(super) adjustment_reason_codes: Option<Spanned<Vec<String>>>,
}

/// `[[user]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenUser {
    pub(super) username: Spanned<String>,
    pub(super) password: Option<Spanned<String>>,
    pub(super) password_hash: Option<Spanned<String>>,
    pub(super) permissions: Option<Vec<Permission>>,
    pub(super) orgs: Option<Spanned<Vec<String>>>,
}

/// `[[oauth_client]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenClient {
    pub(super) id: Spanned<String>,
    pub(super) secret: Spanned<String>,
    pub(super) user: Spanned<String>,
}

/// `[[account]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAccount {
    pub(super) id: Spanned<ObjectId>,
    pub(super) number: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) currency: Spanned<String>,
    pub(super) credit_balance: Spanned<DecimalText>,
    pub(super) opened: Option<Spanned<String>>,
    pub(super) default_payment_method: Option<Spanned<ObjectId>>,
    pub(super) gateway: Option<Spanned<String>>,
}

/// `[[payment_method]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMethod {
    pub(super) id: Spanned<ObjectId>,
    pub(super) account: Option<Spanned<ObjectId>>,
    #[serde(rename = "type")]
    pub(super) method_type: Spanned<MethodType>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) status: Option<MethodStatus>,
    pub(super) gateway: Option<Spanned<String>>,
}

/// `[[invoice]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenInvoice {
    pub(super) id: Spanned<ObjectId>,
    pub(super) number: Spanned<String>,
    pub(super) account: Spanned<ObjectId>,
    pub(super) date: Spanned<String>,
    pub(super) amount: Spanned<DecimalText>,
    pub(super) balance: Spanned<DecimalText>,
    #[serde(default)]
    pub(super) items: Vec<WrittenItem>,
}

/// One of `items`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenItem {
    pub(super) id: Option<Spanned<ObjectId>>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) amount: Spanned<DecimalText>,
    pub(super) tax: Option<Spanned<DecimalText>>,
}

/// `[[payment]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPayment {
    pub(super) id: Spanned<ObjectId>,
    pub(super) number: Spanned<String>,
    pub(super) account: Spanned<ObjectId>,
    #[serde(rename = "type")]
    pub(super) payment_type: Spanned<PaymentType>,
    pub(super) amount: Spanned<DecimalText>,
    pub(super) effective_date: Spanned<String>,
    pub(super) payment_method: Option<Spanned<ObjectId>>,
    pub(super) gateway: Option<Spanned<String>>,
    pub(super) reference_id: Option<Spanned<String>>,
    pub(super) settled: Option<bool>,
    #[serde(default)]
    pub(super) applied: Vec<WrittenPart>,
}

/// One of `applied`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPart {
    pub(super) invoice: Spanned<String>,
    pub(super) amount: Spanned<DecimalText>,
}

/// `[[credit_memo]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMemo {
    pub(super) id: Spanned<ObjectId>,
    pub(super) number: Spanned<String>,
    pub(super) account: Spanned<ObjectId>,
    pub(super) date: Spanned<String>,
    pub(super) status: Option<Spanned<CreditMemoStatus>>,
    pub(super) amount: Spanned<DecimalText>,
    #[serde(default)]
    pub(super) applied: Vec<WrittenPart>,
    #[serde(default)]
    pub(super) items: Vec<WrittenMemoItem>,
}

/// One of `items` of a credit memo.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMemoItem {
    pub(super) id: Option<Spanned<ObjectId>>,
    pub(super) amount: Spanned<DecimalText>,
    #[serde(default)]
    pub(super) taxes: Vec<WrittenMemoTax>,
}

/// One of `taxes` of an item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMemoTax {
    pub(super) id: Option<Spanned<ObjectId>>,
    pub(super) amount: Spanned<DecimalText>,
}

/// `[[custom_field]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCustomField {
    pub(super) object: CustomizedObject,
    pub(super) name: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) custom_type: Spanned<String>,
    pub(super) length: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) advanced: bool,
}

/// `[[gateway]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenGateway {
    pub(super) name: Spanned<String>,
    pub(super) id: Option<Spanned<ObjectId>>,
    pub(super) number: Option<Spanned<String>>,
    pub(super) kind: Spanned<String>,
    pub(super) active: Option<bool>,
    pub(super) non_referenced_refunds: Option<bool>,
    pub(super) method_types: Option<Spanned<Vec<MethodType>>>,
    pub(super) refund_window_days: Option<Spanned<u32>>,
    pub(super) duplicate_window_s: Option<Spanned<u32>>,
    pub(super) require_settled: Option<bool>,
    #[serde(default)]
    pub(super) rule: Vec<WrittenRule>,
}

/// `[[gateway.rule]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    pub(super) amount: Option<Spanned<DecimalText>>,
    pub(super) payment_method: Option<Spanned<ObjectId>>,
    pub(super) times: Option<Spanned<u32>>,
    pub(super) answer: ScriptedAnswer,
    pub(super) code: Option<String>,
    pub(super) text: Option<String>,
    pub(super) delay_ms: Option<Spanned<u64>>,
}

/// An amount, which is written in quotes, so that it never passes through floating point.
pub(super) struct DecimalText(pub(super) String);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = DecimalText;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an amount in quotes, such as \"100.00\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DecimalText, E> {
        Ok(DecimalText(text.to_owned()))
    }
}
