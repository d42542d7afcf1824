//! Why what the v1 operations ask for cannot be done: credit memos, unapplied payments, and refunds
//! of both. Texts that are not recorded from the original are our own.

use super::super::error_code::ErrorCode;
use super::super::money::{Currency, MinorUnits};
use super::super::vocabulary::{CreditMemoStatus, RefundType};
use super::{Category, RowError, SHOWN_CHARS_MAX};

impl RowError {
    /// A text is longer than its field allows.
    pub fn too_long_field(field: &str, chars_max: usize) -> Self {
        let most = chars_max.to_string();
        let template = "The value of <Field> is longer than <most> characters.";
        Self::wrong(template, [("Field", field), ("most", &most)])
    }

    /// A list has more members than its field allows.
    pub fn too_many(field: &str, most: usize) -> Self {
        let most = most.to_string();
        Self::wrong("<Field> has more than <most> members.", [("Field", field), ("most", &most)])
    }

    /// What the path names is not there (documented text).
    pub fn no_such(key: &str) -> Self {
        let shown: String = key.chars().take(SHOWN_CHARS_MAX).collect();
        let template = "Cannot find entity by key: '<key>'.";
        Self::wrong(template, [("key", &shown)]).of(Category::NotFound)
    }

    /// Invoice Settlement is off, with which alone there are credit memos and unapplied payments.
    pub fn settlement_off() -> Self {
        let text = "This operation is only available while Invoice Settlement is enabled.";
        Self::reported(ErrorCode::ApiDisabled, text, [])
    }

    /// Invoice Item Settlement is off, with which alone items can be named.
    pub fn item_settlement_off(field: &str) -> Self {
        let template = "<Field> is only available while Invoice Item Settlement is enabled.";
        Self::reported(ErrorCode::ApiDisabled, template, [("Field", field)])
    }

    /// A field that a refund of this type has to leave empty.
    pub fn must_be_empty(field: &str, refund_type: RefundType) -> Self {
        let template = "<Field> must be empty for an <Type> refund.";
        Self::wrong(template, [("Field", field), ("Type", refund_type.name())])
    }

    /// Both features together leave no place for rates of the client's own.
    pub fn rates_excluded() -> Self {
        let template = "<Field> cannot be set while both Fx data and the currency conversion \
                        information in data source exports are enabled.";
        Self::wrong(template, [("Field", "customRates")])
    }

    /// Only a credit memo that is posted can be applied and refunded.
    pub fn memo_not_posted(number: &str, status: CreditMemoStatus) -> Self {
        let values = [("number", number), ("Status", status.name())];
        Self::wrong("The credit memo <number> is <Status>.", values)
    }

    /// Less is unapplied than is wanted; `source` is the word for what it is of.
    pub fn over_unapplied_of(
        amount: MinorUnits,
        rest: MinorUnits,
        currency: Currency,
        (source, number): (&str, &str),
    ) -> Self {
        let (amount, rest) = (currency.format(amount), currency.format(rest));
        let template = "The amount <amount> is greater than the unapplied amount <rest> of the \
                        <source> <number>.";
        let values =
            [("amount", amount.as_str()), ("rest", &rest), ("source", source), ("number", number)];
        Self::wrong(template, values)
    }

    /// Less is applied to an invoice than is to come back from it.
    pub fn over_applied_to(
        amount: MinorUnits,
        rest: MinorUnits,
        currency: Currency,
        invoice: &str,
        (source, number): (&str, &str),
    ) -> Self {
        let (amount, rest) = (currency.format(amount), currency.format(rest));
        let template = "The amount <amount> is greater than <rest>, what of the <source> <number> \
                        is applied to the invoice <invoice>.";
        let values = [
            ("amount", amount.as_str()),
            ("rest", &rest),
            ("source", source),
            ("number", number),
            ("invoice", invoice),
        ];
        Self::wrong(template, values)
    }

    /// Less is left of an item, or of the tax on one, than is wanted.
    pub fn over_item(amount: MinorUnits, rest: MinorUnits, currency: Currency, id: &str) -> Self {
        let (amount, rest) = (currency.format(amount), currency.format(rest));
        let template = "The amount <amount> is greater than <rest>, what is left of the credit \
                        memo item <id>.";
        Self::wrong(template, [("amount", &amount), ("rest", &rest), ("id", id)])
    }

    /// The amounts of the parts do not add up to the whole.
    pub fn sum_differs(
        field: &str,
        sum: MinorUnits,
        amount: MinorUnits,
        currency: Currency,
    ) -> Self {
        let (sum, amount) = (currency.format(sum), currency.format(amount));
        let template = "<Field> add up to <sum>, and the total amount is <amount>.";
        let values = [("Field", field), ("sum", &sum), ("amount", &amount)];
        Self::wrong(template, values).of(Category::Rule)
    }

    /// More items of one credit memo than can be refunded.
    pub fn too_many_items(number: &str, most: usize) -> Self {
        let most = most.to_string();
        let template = "More than <most> items of the credit memo <number> would be refunded.";
        Self::wrong(template, [("most", &most), ("number", number)])
    }

    /// A field that only an external refund lets a client change.
    pub fn external_only(field: &str) -> Self {
        let template = "<Field> can only be changed for an External refund.";
        Self::wrong(template, [("Field", field)]).of(Category::Rule)
    }

    /// A refund of a credit balance is not changed under Invoice Settlement.
    pub fn not_of_settlement() -> Self {
        let text = "A refund of a credit balance cannot be canceled or deleted.";
        Self::wrong(text, [])
    }

    /// Only a Canceled refund can be deleted.
    pub fn refund_not_canceled(status: &str) -> Self {
        let template = "A refund in status <Status> cannot be deleted. Cancel it first.";
        Self::reported(ErrorCode::CannotDelete, template, [("Status", status)])
    }

    /// What a gateway reports does not go with the refund; `why` is in the words of the
    /// reconciliation.
    pub fn not_reconciled(why: &str) -> Self {
        Self::wrong("The refund cannot be reconciled: <why>.", [("why", why)])
    }

    /// A credit memo of a gateway's own is not written off with.
    pub fn write_off_without_invoice() -> Self {
        let template = "<Field> needs an invoice that the payment is unapplied from.";
        Self::wrong(template, [("Field", "writeOff")]).of(Category::Rule)
    }

    /// There are no debit memos here, so none can be named.
    pub fn no_debit_memos() -> Self {
        let template = "There are no debit memos here, so <Field> must be empty.";
        Self::wrong(template, [("Field", "debitMemos")])
    }

    /// Nothing is left of a payment that could be refunded.
    pub fn nothing_to_refund(number: &str) -> Self {
        Self::wrong("Nothing of the payment <number> is left to be refunded.", [("number", number)])
    }

    /// One of each of these errors, with places instead of values, and what brings it about; for
    /// the documentation, and for other words.
    pub fn settlement_samples() -> Vec<(Self, &'static str)> {
        let (yen, one) = (Currency::YEN, MinorUnits::new(1));
        let of = ("<source>", "<number>");
        vec![
            (Self::too_long_field("<Field>", 1), "v1: a text longer than its field allows"),
            (Self::too_many("<Field>", 1), "v1: a list with more members than its field allows"),
            (Self::no_such("<key>"), "v1: nothing has the id or number in the path (documented)"),
            (Self::settlement_off(), "v1: Invoice Settlement is off in the tenant"),
            (Self::item_settlement_off("<Field>"), "v1: Invoice Item Settlement is off"),
            (
                Self::must_be_empty("<Field>", RefundType::External),
                "v1: a field that this type of refund has to leave empty",
            ),
            (Self::rates_excluded(), "v1: customRates while both features are on"),
            (
                Self::memo_not_posted("<number>", CreditMemoStatus::Draft),
                "v1: a credit memo that is not in the status that the operation needs",
            ),
            (
                Self::over_unapplied_of(one, one, yen, of),
                "v1: more than is unapplied of a payment or a credit memo",
            ),
            (
                Self::over_applied_to(one, one, yen, "<invoice>", of),
                "v1: more is to be unapplied from an invoice than is applied to it",
            ),
            (
                Self::over_item(one, one, yen, "<id>"),
                "v1: more than is left of an item or of the tax on one",
            ),
            (
                Self::sum_differs("<Field>", one, one, yen),
                "v1: items that do not add up to the total amount",
            ),
            (
                Self::too_many_items("<number>", 1),
                "v1: more than 15,000 items of one credit memo would be refunded",
            ),
            (Self::external_only("<Field>"), "v1: referenceId of an electronic refund"),
            (Self::not_of_settlement(), "v1: a refund of a credit balance is final"),
            (Self::refund_not_canceled("<Status>"), "v1: a refund that is not Canceled"),
            (Self::not_reconciled("<why>"), "v1: a settlement that does not go with the refund"),
            (
                Self::write_off_without_invoice(),
                "v1: writeOff where nothing is unapplied from an invoice",
            ),
            (Self::no_debit_memos(), "v1: a debit memo is named; no invoice can stand for it"),
            (
                Self::nothing_to_refund("<number>"),
                "v1: unapply and refund of a payment that is used up",
            ),
        ]
    }
}
