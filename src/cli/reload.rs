//! What SIGHUP reads again: the certificate, the secrets of gateways and webhooks, and what is
//! logged.
//!
//! What must stay true: what is no good leaves in force what there was, and the log says so; calls
//! and connections go on as they are.

use super::config::Config;
use super::exit::Failure;
use super::logging::Logged;
use super::settings::Settings;
use crate::http::Gateway;
use crate::processor::http::Secret;
use std::path::PathBuf;

/// Whose secret it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Gateway(String),
    Webhook(String),
}

/// What is read again, and from where.
pub(super) struct Reload {
    config: Option<PathBuf>,
    secrets: Vec<(Owner, Secret)>,
    logged: Logged,
}

impl Reload {
    /// What of `settings` can be read again from the configuration file.
    pub(super) fn of(config: Option<PathBuf>, settings: &Settings, logged: Logged) -> Self {
        let gateways = settings.gateways.iter().map(|gateway| {
            (Owner::Gateway(gateway.ability.name.clone()), gateway.connector.secret.clone())
        });
        let webhooks = settings.webhooks.iter().map(|configured| {
            let webhook = &configured.webhook;
            (Owner::Webhook(webhook.name.clone()), webhook.secret.clone())
        });
        Self { config, secrets: gateways.chain(webhooks).collect(), logged }
    }

    /// Reads everything again.
    pub(super) fn again(&self, gateway: &Gateway) {
        match gateway.reload_tls() {
            Ok(()) if gateway.is_tls() => tracing::info!("the certificate was read again"),
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error,
                    "the certificate was not taken; the old one stays in force"
                );
            }
        }
        match self.configuration() {
            Ok(replaced) => tracing::info!(
                secrets_replaced = replaced,
                "the configuration was read again: secrets, and what is logged; other settings are \
                 read at a start"
            ),
            Err(failure) => {
                let why = format!("{:#}", failure.error);
                tracing::error!(
                    why,
                    "the configuration was not taken; what was in force before stays so"
                );
            }
        }
    }

    /// Takes over the secrets and the log of the configuration file, all of them or none, and says
    /// how many secrets are others now.
    fn configuration(&self) -> Result<usize, Failure> {
        let Some(path) = &self.config else { return Ok(0) };
        let config = Config::read(Some(path))?;
        let gateways = config.gateways()?.into_iter();
        let gateways = gateways.map(|one| (Owner::Gateway(one.ability.name), one.connector.secret));
        let webhooks = config.webhooks()?.into_iter();
        let webhooks = webhooks.map(|one| (Owner::Webhook(one.webhook.name), one.webhook.secret));
        let new: Vec<_> = gateways.chain(webhooks).collect();
        self.logged.become_as(config.written.log.as_deref())?;
        let replaced = self.secrets.iter().filter(|(owner, secret)| {
            let found = new.iter().find(|(other, _)| other == owner);
            found.is_some_and(|(_, new)| secret.replace_by(new))
        });
        Ok(replaced.count())
    }
}
