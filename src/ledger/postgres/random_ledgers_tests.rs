//! Random ledgers for tests of queries: names and comments in many scripts, currencies of none to
//! four decimals, fields of the tenant's own, refunds in every state, and much that has no value.

use super::reading_tests::small_plan;
use crate::domain::custom_field::{CustomField, CustomFields, CustomName, CustomType};
use crate::domain::custom_value::CustomDraft;
use crate::domain::draft::RefundDraft;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft;
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::CustomizedObject;
use crate::ledger::change::{Changes, Update};
use crate::ledger::conformance::{id, request};
use crate::ledger::orders::{Exchange, ExchangeKind, Transcript};
use crate::ledger::seed::SeedPlan;
use crate::ledger::{Created, Ledger};
use chrono::{DateTime, Days, NaiveDate, Utc};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const CURRENCIES: [&str; 4] = ["USD", "KWD", "JPY", "CLF"];

/// Letters whose case, length or order is another one than in ASCII, what ZOQL and SQL write in a
/// way of their own, and what is written in two ways.
const PIECES: [&str; 52] = [
    "a", "B", "z", "Z", "0", "10", "Ä", "ä", "ß", "ẞ", "İ", "ı", "I", "i", "Σ", "σ", "ς", "ΟΔΟΣ",
    "Ǆ", "ǅ", "ǆ", "ﬁ", "\u{212a}", "\u{212b}", "å", "é", "e\u{301}", "Ж", "ж", "Ա", "ա", "Ა", "ა",
    "Ꭰ", "ꭰ", "Ⅷ", "ⅷ", "Ａ", "ａ", "名", "前", "𐐀", "𐐨", "😀", "_", "%", "'", "\"", "\\", " ",
    "\u{200d}", "\u{fffd}",
];

/// What all cases of one ledger begin with.
#[derive(Debug, Clone)]
pub(super) struct Given {
    accounts: Vec<GivenAccount>,
    refunds: Vec<GivenRefund>,
}

#[derive(Debug, Clone)]
struct GivenAccount {
    name: String,
    notes: Option<String>,
    currency: &'static str,
    opening: i64,
    own: Own,
}

#[derive(Debug, Clone)]
struct GivenRefund {
    account: usize,
    units: i64,
    is_electronic: bool,
    /// Created by the call of the one before.
    is_of_same_call: bool,
    comment: Option<String>,
    days_ago: u64,
    /// What its gateway says, if anything.
    verdict: Option<bool>,
    own: Own,
}

/// Values of the tenant's own fields, as they are sent.
#[derive(Debug, Clone)]
struct Own([Option<String>; 4]);

pub(super) fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(select(&PIECES[..]), 1..6).prop_map(|pieces| pieces.concat())
}

fn own() -> impl Strategy<Value = Own> {
    let decimal = (-3_000_i64..3_000, 0_u32..5)
        .prop_map(|(units, scale)| rust_decimal::Decimal::new(units, scale).to_string());
    let yes = any::<bool>().prop_map(|yes| yes.to_string());
    let day = (0_u64..60).prop_map(|days| day_before(days).to_string());
    (option::of(text()), option::of(decimal), option::of(yes), option::of(day))
        .prop_map(|(text, decimal, yes, day)| Own([text, decimal, yes, day]))
}

pub(super) fn given() -> impl Strategy<Value = Given> {
    let account = (text(), option::of(text()), select(&CURRENCIES[..]), 0_i64..20_000, own())
        .prop_map(|(name, notes, currency, opening, own)| GivenAccount {
            name,
            notes,
            currency,
            opening,
            own,
        });
    let (comment, verdict) = (option::of(text()), option::of(any::<bool>()));
    let numbers = (0_usize..6, 1_i64..2_000, 0_u64..40);
    let refund = (numbers, any::<bool>(), any::<bool>(), comment, verdict, own()).prop_map(
        |((account, units, days_ago), is_electronic, is_of_same_call, comment, verdict, own)| {
            GivenRefund {
                account,
                units,
                is_electronic,
                is_of_same_call,
                comment,
                days_ago,
                verdict,
                own,
            }
        },
    );
    (prop::collection::vec(account, 6), prop::collection::vec(refund, 5..40))
        .prop_map(|(accounts, refunds)| Given { accounts, refunds })
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn day_before(days: u64) -> NaiveDate {
    at(0).date_naive() - Days::new(days)
}

fn number_of(place: usize) -> i64 {
    i64::try_from(place).unwrap() + 1
}

fn currency(account: &GivenAccount) -> Currency {
    Currency::from_code(account.currency).unwrap()
}

fn custom_fields() -> Vec<CustomField> {
    let types = [
        ("Words__c", CustomType::String { length: 100 }),
        ("Sum__c", CustomType::Decimal),
        ("Is__c", CustomType::Boolean),
        ("Since__c", CustomType::Date),
    ];
    let of = |object| {
        types.map(|(name, custom_type)| CustomField {
            object,
            name: CustomName::parse(name).unwrap(),
            custom_type,
            is_required: false,
            is_advanced: false,
        })
    };
    [CustomizedObject::Account, CustomizedObject::Refund].into_iter().flat_map(of).collect()
}

fn seed(given: &Given) -> SeedPlan {
    let plan = small_plan();
    let accounts = plan.accounts.iter().zip(&given.accounts).map(|(mut seeded, account)| {
        seeded.name = account.name.clone();
        seeded.currency = currency(account);
        seeded.opening = MinorUnits::new(account.opening);
        seeded
    });
    SeedPlan { accounts: accounts.collect(), custom_fields: custom_fields(), ..plan }
}

/// Sets what is there of these values.
fn set(draft: &mut impl Draft, fields: &[(&str, Option<&str>)]) {
    for (field, text) in fields {
        assert!(text.is_none_or(|text| draft.set(field, text)), "{field}");
    }
}

fn set_own(draft: &mut CustomDraft, own: &Own, object: CustomizedObject, known: &CustomFields) {
    let names = ["Words__c", "Sum__c", "Is__c", "Since__c"];
    for (name, text) in names.into_iter().zip(&own.0) {
        if let Some(text) = text {
            draft.set(known.find(object, name).unwrap(), text);
        }
    }
}

/// Brings a ledger to what is given.
pub(super) async fn fill(ledger: &dyn Ledger, given: &Given) {
    ledger.load_seed(seed(given)).await.unwrap().unwrap();
    let known = ledger.tenant().custom_fields.clone();
    let changes = given.accounts.iter().enumerate().map(|(place, account)| {
        let mut draft = AccountDraft::default();
        let id = id('a', number_of(place));
        set(&mut draft, &[("Id", Some(id.as_str())), ("Notes", account.notes.as_deref())]);
        set_own(&mut draft.common.custom, &account.own, CustomizedObject::Account, &known);
        draft
    });
    let changes = Changes::Accounts(changes.collect());
    let update = Update { context: request(&[], false, None, 1).context, changes };
    for row in ledger.update(update).await.unwrap() {
        row.unwrap();
    }
    let calls = given.refunds.chunk_by(|_, next| next.is_of_same_call);
    for (second, refunds) in (2..).zip(calls) {
        let drafts = refunds.iter().map(|refund| draft(refund, given, &known)).collect();
        let mut create = request(&[], false, None, second);
        create.batch.drafts = Drafts::Refunds(drafts);
        let Created::Fresh { orders, .. } = ledger.create(create).await.unwrap() else { panic!() };
        for (order, refund) in orders.iter().zip(refunds.iter().cycle()) {
            if let Some(verdict) = refund.verdict.map(|approves| verdict(approves, refund)) {
                let transcript = Transcript::new(refund.comment.as_deref(), None);
                let kind = ExchangeKind::Refund;
                let exchange = Exchange { kind, transcript, at: at(second) };
                let number = order.refund.number();
                assert!(ledger.end_refund(number, verdict, exchange).await.unwrap());
            }
        }
    }
}

fn draft(refund: &GivenRefund, given: &Given, known: &CustomFields) -> RefundDraft {
    let mut draft = RefundDraft::default();
    let number = number_of(refund.account);
    let units = MinorUnits::new(refund.units);
    let amount = currency(&given.accounts[refund.account]).format(units);
    let day = day_before(refund.days_ago).to_string();
    let refund_type = if refund.is_electronic { "Electronic" } else { "External" };
    set(
        &mut draft,
        &[
            ("AccountId", Some(id('a', number).as_str())),
            ("Amount", Some(&amount)),
            ("Comment", refund.comment.as_deref()),
            ("PaymentMethodId", Some(id('b', number).as_str())),
            ("RefundDate", (!refund.is_electronic).then_some(&*day)),
            ("SourceType", Some("CreditBalance")),
            ("Type", Some(refund_type)),
        ],
    );
    set_own(&mut draft.common.custom, &refund.own, CustomizedObject::Refund, known);
    draft
}

fn verdict(approves: bool, refund: &GivenRefund) -> Verdict {
    let text = refund.comment.clone().unwrap_or_default();
    let response = Response { code: refund.units.to_string(), text };
    match approves {
        true => Verdict::Approved {
            reference_id: refund.account.to_string(),
            second_reference_id: refund.comment.clone(),
            response,
        },
        false => Verdict::Declined { response },
    }
}
