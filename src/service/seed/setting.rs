//! One setting of a seed by itself: what an operator says of the tenant or of a sandbox is checked
//! as a seed with nothing else in it, so that both know the same keys, values and words.

use super::Seed;
use crate::domain::toml_text::{TomlError, suggest};
use crate::ledger::operator::GatewaySetting;
use serde_json::Value;

/// The text that takes a bound of a gateway away.
const NONE: &str = "none";
/// The text that lets a gateway pay to methods of every type.
const ALL: &str = "all";

/// A setting of `[tenant]` in its stored form, or what is wrong with it. A text that the key does
/// not take is read as a truth value, and as a list of one text.
pub(in crate::service) fn tenant_setting(
    key: &str,
    value: &Value,
) -> Result<(&'static str, String), String> {
    let seed =
        first_that_reads(value, |value| format!("[tenant]\n{} = {value}\n", Value::from(key)))?;
    let setting = seed.plan.tenant.into_iter().next();
    setting.ok_or_else(|| format!("tenant.{key}: `{value}` sets nothing"))
}

/// A setting of the sandbox of this name, or what is wrong with it.
pub(in crate::service) fn gateway_setting(
    name: &str,
    key: &str,
    value: &Value,
) -> Result<GatewaySetting, String> {
    let known = GatewaySetting::KEYS;
    let Some(key) = known.into_iter().find(|known| *known == key) else {
        let help = match suggest(key, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        return Err(format!("gateway: unknown key `{key}`; {help}"));
    };
    let is = |text: &str| value.is_null() || value.as_str() == Some(text);
    match key {
        "refund_window_days" if is(NONE) => return Ok(GatewaySetting::RefundWindowDays(None)),
        "duplicate_window_s" if is(NONE) => return Ok(GatewaySetting::DuplicateWindowS(None)),
        "method_types" if is(ALL) => return Ok(GatewaySetting::MethodTypes(None)),
        _ => {}
    }
    let seed = first_that_reads(value, |value| {
        let name = Value::from(name);
        format!("[[gateway]]\nname = {name}\nkind = \"sandbox\"\n{key} = {value}\n")
    })?;
    let Some((gateway, script)) = seed.plan.gateways.into_iter().next() else {
        return Err(format!("gateway.{key}: `{value}` sets nothing"));
    };
    let switches = script.switches;
    Ok(match key {
        "active" => GatewaySetting::Active(gateway.active),
        "non_referenced_refunds" => {
            GatewaySetting::NonReferencedRefunds(gateway.non_referenced_refunds)
        }
        "method_types" => GatewaySetting::MethodTypes(gateway.method_types),
        "refund_window_days" => GatewaySetting::RefundWindowDays(switches.refund_window_days),
        "duplicate_window_s" => GatewaySetting::DuplicateWindowS(switches.duplicate_window_s),
        _ => GatewaySetting::RequireSettled(switches.require_settled),
    })
}

/// The seed that `text` makes of the first reading of `value` that it can be made of, or why of
/// none.
fn first_that_reads(value: &Value, text: impl Fn(&Value) -> String) -> Result<Seed, String> {
    let mut errors = Vec::new();
    for reading in readings(value) {
        match Seed::parse(&text(&reading)) {
            Ok(seed) => return Ok(seed),
            Err(error) => errors.push(error),
        }
    }
    // One that is of the right type says more of the value.
    let best = errors.iter().position(|error| !error.is_of_other_type);
    Err(match errors.into_iter().nth(best.unwrap_or(0)) {
        Some(TomlError { key, message, .. }) => format!("{key}: {message}"),
        None => format!("`{value}` is no truth value, number, text or list"),
    })
}

/// What a value may mean: itself, and where it is a text, what the command line cannot say in
/// another way. JSON of these is TOML as well.
fn readings(value: &Value) -> Vec<Value> {
    let Value::String(text) = value else {
        return match value {
            Value::Null | Value::Object(_) => Vec::new(),
            other => vec![other.clone()],
        };
    };
    let list = Value::from(vec![text.clone()]);
    match (text.as_str(), text.parse::<u32>()) {
        ("true", _) => vec![Value::Bool(true), list],
        ("false", _) => vec![Value::Bool(false), list],
        (_, Ok(number)) => vec![Value::from(number), value.clone(), list],
        _ => vec![value.clone(), list],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::MethodType;
    use serde_json::json;

    #[test]
    fn every_key_of_the_tenant_is_read_from_text_and_from_json() {
        for (key, value, stored) in [
            ("credit_balance", json!("false"), "false"),
            ("credit_balance", json!(false), "false"),
            ("invoice_settlement", json!("true"), "true"),
            ("future_dated_adjustments", json!(true), "true"),
            ("default_gateway", json!("cards"), "cards"),
            ("time_zone", json!("Europe/Berlin"), "Europe/Berlin"),
            ("reason_codes", json!(["A", "B"]), r#"["A","B"]"#),
            ("reason_codes", json!("A \"quoted\""), r#"["A \"quoted\""]"#),
            ("reason_codes", json!("7"), r#"["7"]"#),
        ] {
            assert_eq!(tenant_setting(key, &value), Ok((key, stored.to_owned())), "{key} {value}");
        }
    }

    #[test]
    fn what_cannot_be_set_is_told_in_the_words_of_a_seed() {
        let tenant = |key, value| tenant_setting(key, &value).unwrap_err();
        assert!(
            tenant("credit_balanc", json!("true")).contains("did you mean `credit_balance`?"),
            "{}",
            tenant("credit_balanc", json!("true"))
        );
        assert!(tenant("credit_balance", json!("yes")).contains("must be true or false"));
        assert!(tenant("time_zone", json!("Mars/X")).contains("`Mars/X` is no time zone"));
        assert!(tenant("reason_codes", json!([])).contains("at least one reason code"));
        assert!(tenant("time_zone", json!(null)).contains("no truth value"));
        let gateway = |key, value| gateway_setting("sandbox", key, &value).unwrap_err();
        assert!(gateway("activ", json!(true)).contains("did you mean `active`?"));
        assert!(gateway("rule", json!(true)).contains("known are active, "));
        assert!(gateway("refund_window_days", json!(0)).contains("from 1 to"));
        assert!(gateway("method_types", json!("CreditCrad")).contains("CreditCrad"));
        assert!(gateway("active", json!("1\nkind = 'http'")).contains("gateway.active"));
    }

    #[test]
    fn every_key_of_a_gateway_is_read_and_bounds_are_taken_away() {
        use GatewaySetting as Set;
        for (key, value, setting) in [
            ("active", json!("false"), Set::Active(false)),
            ("non_referenced_refunds", json!(true), Set::NonReferencedRefunds(true)),
            ("method_types", json!("ACH"), Set::MethodTypes(Some(vec![MethodType::Ach]))),
            ("method_types", json!("all"), Set::MethodTypes(None)),
            ("refund_window_days", json!("180"), Set::RefundWindowDays(Some(180))),
            ("refund_window_days", json!("none"), Set::RefundWindowDays(None)),
            ("duplicate_window_s", json!(120), Set::DuplicateWindowS(Some(120))),
            ("duplicate_window_s", json!(null), Set::DuplicateWindowS(None)),
            ("require_settled", json!("true"), Set::RequireSettled(true)),
        ] {
            assert_eq!(gateway_setting("a \"b\"", key, &value), Ok(setting), "{key} {value}");
        }
    }
}
