//! What must not leave this machine by accident: a test ledger, passwords and tokens in plain HTTP,
//! and ids that come again.
//!
//! What must stay true: each rule holds for both listeners, on any ledger, and its refusal
//! names the option that lifts it.

use super::exit::{Failure, FailureCode};
use super::gateways::Configured;
use super::settings::Settings;
use std::net::SocketAddr;

/// The settings; refused where something would leave this machine by them that was not said to.
pub(super) fn checked(settings: Settings) -> Result<Settings, Failure> {
    let admin = settings.admin_listen.map(|address| ("admin_listen", address));
    let listeners = [Some(("listen", settings.listen)), admin];
    for (key, address) in listeners.into_iter().flatten().filter(|(_, it)| is_remote(*it)) {
        if settings.test && !settings.allow_remote_test {
            return Err(refusal(
                format!(
                    "whoever reaches a test ledger can reset it, and {address} is not loopback"
                ),
                "listen on 127.0.0.1, or say --allow-remote-test",
            ));
        }
        let tls = &settings.http.tls;
        let has_tls = tls.self_signed || tls.cert.is_some();
        let is_plain = !has_tls || (key != "listen" && !tls.admin);
        if is_plain && !settings.allow_plaintext {
            let secrets = if key == "listen" { "passwords" } else { "the token of the admin API" };
            return Err(refusal(
                format!(
                    "{key} {address} is not loopback, and plain HTTP shows {secrets} to the network"
                ),
                "name a certificate (--tls-cert, --tls-key; for the admin listener also \
                 http.tls.admin), listen on 127.0.0.1 behind a proxy that speaks TLS, or say \
                 --allow-plaintext",
            ));
        }
    }
    refuse_repeated_keys(&settings)?;
    Ok(settings)
}

fn is_remote(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

fn refusal(message: String, hint: &str) -> Failure {
    Failure::with_hint(FailureCode::Configuration, message, hint)
}

/// Refuses to let ids that come again reach a processor that moves money: it would take a new
/// refund for one that it has paid.
fn refuse_repeated_keys(settings: &Settings) -> Result<(), Failure> {
    let repeats = settings.id_seed.is_some() || settings.clock.is_some();
    let is_remote = |one: &&Configured| !one.connector.endpoint.is_loopback();
    match settings.gateways.iter().find(is_remote).filter(|_| repeats) {
        None => Ok(()),
        Some(gateway) => {
            let name = &gateway.ability.name;
            let message = format!(
                "ids that follow from clock or id_seed come again, and gateway `{name}` is not \
                 loopback: its processor would take a new refund for an old one"
            );
            let hint = "leave clock and id_seed away, or name a processor on this machine";
            Err(Failure::with_hint(FailureCode::Configuration, message, hint))
        }
    }
}
