//! What a call to create asks for, as a list of names and values: the form that an idempotency key
//! is compared by.
//!
//! The list must stay the same from release to release, because a key is kept for 24 hours and an
//! upgrade may fall between a request and its retry. So it holds only what was sent: a field that a
//! later release adds does not appear in it until a client sends it. A field that is renamed, or a
//! value that is written differently, would make every retry across that upgrade a conflict; the
//! tests below hold the list to the letter.

use super::batch::Drafts;
use serde_json::{Error, Value};

/// The names and values of everything that was sent, sorted by name. Amounts have their shortest
/// form; prefixes, the order of fields and blanks around values do not show.
pub fn canonical(drafts: &Drafts) -> Result<Vec<(String, String)>, Error> {
    let mut list = Vec::new();
    add(&mut list, "", &serde_json::to_value(drafts)?);
    list.sort();
    Ok(list)
}

fn add(list: &mut Vec<(String, String)>, name: &str, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => return,
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                add(list, &format!("{name}[{index}]"), value);
            }
            // Two calls that differ in objects without a field differ in this.
            values.len().to_string()
        }
        Value::Object(fields) => {
            let dot = if name.is_empty() { "" } else { "." };
            for (field, value) in fields {
                add(list, &format!("{name}{dot}{field}"), value);
            }
            return;
        }
    };
    list.push((name.to_owned(), text));
}

#[cfg(test)]
mod tests {
    use super::super::account::AccountDraft;
    use super::super::{GatewayOption, RefundDraft, read};
    use super::*;

    fn lines(drafts: &Drafts) -> Vec<String> {
        let list = canonical(drafts).unwrap();
        list.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn a_refund_is_listed_as_in_every_release() {
        let mut draft: RefundDraft = read(&[
            ("Type", "Electronic"),
            ("SourceType", "CreditBalance"),
            ("Amount", " 010.50 "),
            ("AccountId", "402892c72b9e3319012b9e34b88e0001"),
            ("PaymentMethodId", "2c92c0f83dfa5201013dfa6656ff2b8b"),
            ("Comment", "null"),
            ("RefundDate", "2026-13-01"),
            ("PaymentId", "x"),
        ]);
        draft.set_gateway_options(vec![GatewayOption { name: "a".into(), value: "b".into() }]);
        draft.add_part("402892c72b9e3319012b9e34b88e0002", "1.0");
        let expected = [
            "Refunds=2",
            "Refunds[0].account_id=402892c72b9e3319012b9e34b88e0001",
            "Refunds[0].amount.value=10.5",
            "Refunds[0].comment=null",
            "Refunds[0].common.malformed_id.error.code=InvalidId",
            "Refunds[0].common.malformed_id.error.message.Field=PaymentId",
            "Refunds[0].common.malformed_id.error.message.value=x",
            "Refunds[0].gateway_options=1",
            "Refunds[0].gateway_options[0].name=a",
            "Refunds[0].gateway_options[0].value=b",
            "Refunds[0].parts=1",
            "Refunds[0].parts[0].amount.value=1",
            "Refunds[0].parts[0].invoice_id=402892c72b9e3319012b9e34b88e0002",
            "Refunds[0].payment_method_id=2c92c0f83dfa5201013dfa6656ff2b8b",
            "Refunds[0].refund_date.wrong.code=InvalidValue",
            "Refunds[0].refund_date.wrong.message.Field=RefundDate",
            "Refunds[0].refund_date.wrong.message.value=2026-13-01",
            "Refunds[0].refund_type=Electronic",
            "Refunds[0].source_type=CreditBalance",
        ];
        assert_eq!(lines(&Drafts::Refunds(vec![draft, RefundDraft::default()])), expected);
    }

    #[test]
    fn kept_values_and_custom_fields_stand_by_their_own_names() {
        let draft: AccountDraft = read(&[
            ("Name", "A"),
            ("Currency", "USD"),
            ("AutoPay", "true"),
            ("BillCycleDay", "7"),
            ("CrmId", "x"),
        ]);
        let expected = [
            "Accounts=1",
            "Accounts[0].common.kept.AutoPay=true",
            "Accounts[0].common.kept.BillCycleDay=7",
            "Accounts[0].common.kept.CrmId=x",
            "Accounts[0].currency=USD",
            "Accounts[0].name=A",
        ];
        assert_eq!(lines(&Drafts::Accounts(vec![draft])), expected);
    }

    #[test]
    fn what_was_not_sent_never_shows() {
        assert_eq!(lines(&Drafts::Refunds(vec![RefundDraft::default()])), ["Refunds=1"]);
        assert_eq!(lines(&Drafts::Accounts(vec![AccountDraft::default()])), ["Accounts=1"]);
    }
}
