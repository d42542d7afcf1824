//! The bounds of the settings: a value outside of them is refused by name, never bent.

use crate::domain::number::saturated;
use crate::domain::toml_text::meant;
use crate::http::HttpSettings;
use crate::ledger::opening::LedgerSettings;
use crate::service::ServiceSettings;
use std::ops::RangeInclusive;

/// A setting that cannot be used.
pub(super) struct OutOfRange {
    /// Its key in a configuration file.
    pub(super) key: String,
    /// What is wrong with it.
    pub(super) message: String,
}

/// Milliseconds in ten minutes.
const TEN_MINUTES_MS: u64 = 600_000;

/// Checks every setting that has bounds.
pub(super) fn check(
    service: &ServiceSettings,
    store: &LedgerSettings,
    http: &HttpSettings,
) -> Result<(), OutOfRange> {
    let size = |value: usize| saturated::<u64>(value);
    let bounded: [(&str, u64, RangeInclusive<u64>); 12] = [
        ("service.session_idle_minutes", u64::from(service.session_idle_minutes), 15..=480),
        ("service.clock_gap_minutes", u64::from(service.clock_gap_minutes), 0..=720),
        ("service.password_hashes_max", size(service.password_hashes_max), 1..=64),
        ("service.login_wait_ms", service.login_wait_ms, 1..=TEN_MINUTES_MS),
        ("service.login_wrong_max", size(service.login_wrong_max), 0..=10_000),
        ("service.login_wrong_minutes", u64::from(service.login_wrong_minutes), 1..=1_440),
        ("service.login_refused_s", u64::from(service.login_refused_s), 1..=86_400),
        (
            "service.login_wrong_per_minute_max",
            size(service.login_wrong_per_minute_max),
            0..=100_000,
        ),
        ("service.gateway_wait_ms", service.gateway_wait_ms, 1..=TEN_MINUTES_MS),
        ("store.queue_max", size(store.queue_max), 1..=100_000),
        ("events.keep_days", u64::from(service.events.keep_days), 1..=36_500),
        ("store.batch_max", size(store.batch_max), 1..=10_000),
    ];
    if let Some((key, value, range)) =
        bounded.into_iter().find(|(_, value, range)| !range.contains(value))
    {
        let (least, most) = range.into_inner();
        let message = format!("is {value}; it must be from {least} to {most}");
        return Err(OutOfRange { key: key.to_owned(), message });
    }
    if let Some(field) = &service.idempotency_field
        && !FREE_TEXTS.contains(&field.as_str())
    {
        let meant = meant(field, FREE_TEXTS);
        let message = format!(
            "is `{field}`; it must be Comment, ReasonCode, SoftDescriptor or \
             SoftDescriptorPhone{meant}"
        );
        return Err(OutOfRange { key: "idempotency_field".to_owned(), message });
    }
    http.check().map_err(|wrong| OutOfRange {
        // The address is an option too, and known by that name.
        key: match wrong.key {
            "public_url" => wrong.key.to_owned(),
            key => format!("http.{key}"),
        },
        message: wrong.message.to_owned(),
    })
}

/// The fields of Refund into which callers may write what they like, and so a key.
const FREE_TEXTS: [&str; 4] = ["Comment", "ReasonCode", "SoftDescriptor", "SoftDescriptorPhone"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Object;

    #[test]
    fn only_a_field_of_free_text_can_carry_a_key() {
        let is_allowed = |name: &&str| {
            let idempotency_field = Some((*name).to_owned());
            let service = ServiceSettings { idempotency_field, ..ServiceSettings::default() };
            check(&service, &LedgerSettings::default(), &HttpSettings::default()).is_ok()
        };
        let names = Object::Refund.fields().iter().map(|field| field.name);
        let allowed: Vec<_> = names.filter(is_allowed).collect();
        assert_eq!(allowed, ["Comment", "ReasonCode", "SoftDescriptor", "SoftDescriptorPhone"]);
    }
}
