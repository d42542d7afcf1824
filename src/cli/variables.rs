//! Environment variables with this program's prefix: one that nothing reads is a mistake, because a
//! setting that is silently ignored is believed to be in force.
//!
//! `serve` and `check` look; other commands share their environment with them.

use super::exit::{Failure, FailureCode};
use super::{admin_authorities, token};
use crate::domain::toml_text::suggest;
use clap::Command;
use std::collections::BTreeSet;

const PREFIX: &str = "REFUND_GATEWAY_";
/// Variables that are no option's: what is logged, and those of the commands that call the admin
/// API.
const OTHERS: [&str; 3] = ["REFUND_GATEWAY_LOG", token::VARIABLE, admin_authorities::VARIABLE];

/// Refuses variables with the prefix that are neither an option's, of any subcommand of `command`,
/// nor among `secrets`, which the configuration names, nor those by which container engines name
/// the addresses of a service that is called refund-gateway. `keys` are those of the configuration
/// file.
pub(super) fn check<'k>(
    command: &Command,
    secrets: &[String],
    keys: impl Iterator<Item = &'k str>,
) -> Result<(), Failure> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut known = BTreeSet::from(OTHERS.map(str::to_owned));
    known.extend(secrets.iter().cloned());
    collect(command, &mut known);
    let keys: Vec<&str> = keys.collect();
    match names.filter(|name| name.starts_with(PREFIX)).find_map(|name| wrong(&name, &known, &keys))
    {
        Some(message) => Err(Failure::new(FailureCode::Configuration, message)),
        None => Ok(()),
    }
}

/// Adds the variables of a command's options, and of its subcommands'.
fn collect(command: &Command, known: &mut BTreeSet<String>) {
    let names = command.get_arguments().filter_map(|argument| argument.get_env());
    known.extend(names.filter_map(|name| name.to_str().map(str::to_owned)));
    command.get_subcommands().for_each(|command| collect(command, known));
}

/// What is wrong with a variable of this name, if something is.
fn wrong(name: &str, known: &BTreeSet<String>, keys: &[&str]) -> Option<String> {
    if known.contains(name) || is_service_link(name) {
        return None;
    }
    let variable_of = |key: &str| format!("{PREFIX}{}", key.replace('.', "_").to_uppercase());
    if let Some(key) = keys.iter().find(|key| variable_of(key) == name) {
        return Some(format!(
            "{name} is read by nothing: {key} is a setting of the configuration file alone \
             (--config; `refund-gateway config example` shows it)"
        ));
    }
    let from_keys: Vec<String> = keys.iter().map(|key| variable_of(key)).collect();
    let names = known.iter().chain(&from_keys).map(String::as_str);
    let near = suggest(name, names).map(|near| format!("; did you mean {near}?"));
    Some(format!("there is no variable {name}{}", near.unwrap_or_default()))
}

/// Whether Kubernetes or Docker sets it for a service that is called refund-gateway.
fn is_service_link(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let is = |first: &str| rest == first || rest.starts_with(&format!("{first}_"));
    ["SERVICE_HOST", "SERVICE_PORT", "PORT"].into_iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Option<String> {
        let known = ["REFUND_GATEWAY_LISTEN", "REFUND_GATEWAY_LEDGER"].map(str::to_owned);
        wrong(name, &known.into(), &["listen", "http.body_bytes_max"])
    }

    #[test]
    fn variables_that_are_read_are_passed() {
        for name in [
            "REFUND_GATEWAY_LISTEN",
            "REFUND_GATEWAY_SERVICE_HOST",
            "REFUND_GATEWAY_SERVICE_PORT_HTTP",
            "REFUND_GATEWAY_PORT",
            "REFUND_GATEWAY_PORT_8080_TCP_ADDR",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_refused_with_what_was_meant() {
        let message = found("REFUND_GATEWAY_LISTN").unwrap();
        assert!(message.ends_with("did you mean REFUND_GATEWAY_LISTEN?"), "{message}");
        assert_eq!(
            found("REFUND_GATEWAY_SOMETHING_QUITE_ELSE"),
            Some("there is no variable REFUND_GATEWAY_SOMETHING_QUITE_ELSE".to_owned())
        );
    }

    #[test]
    fn a_setting_of_the_file_alone_is_said_to_be_one() {
        let message = found("REFUND_GATEWAY_HTTP_BODY_BYTES_MAX").unwrap();
        assert!(
            message.contains("http.body_bytes_max is a setting of the configuration file alone")
        );
    }
}
