//! The configuration file: every option of `serve`, and the settings that have no option.
//!
//! An unknown key is an error that names the file, the line and the key: a setting that is silently
//! ignored is believed to be in force.

use super::complaint::{read_text, wrong, wrong_place, wrong_text};
use super::demo::Demo;
use super::exit::{Failure, FailureCode};
use super::gateways::{self, Configured};
use super::roots::Roots;
use super::values::{AdminListen, AllowedHosts, LedgerPlace, Listen, Moment};
use super::webhooks;
use crate::domain::text::Wording;
use crate::domain::toml_text;
use crate::http::HttpSettings;
use crate::ledger::opening::LedgerSettings;
use crate::service::reconciliation::ReconciliationSettings;
use crate::service::retention::EventSettings;
use crate::service::{RestSettings, ServiceSettings, SoapSettings};
use crate::soap::fault::catalogue;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// What a configuration file may hold; what it leaves out has its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    /// `--listen`
    pub(super) listen: Option<Listen>,
    /// `--admin-listen`
    pub(super) admin_listen: Option<AdminListen>,
    /// `--admin-token-file`
    pub(super) admin_token_file: Option<PathBuf>,
    /// `--admin-allowed-hosts`
    pub(super) admin_allowed_hosts: Option<AllowedHosts>,
    /// `--ledger`
    pub(super) ledger: Option<LedgerPlace>,
    /// `--seed`
    pub(super) seed: Option<PathBuf>,
    /// `--demo`
    pub(super) demo: Option<Demo>,
    /// `--test`
    pub(super) test: Option<bool>,
    /// `--public-url`
    pub(super) public_url: Option<String>,
    /// `--strict`
    pub(super) strict: Option<bool>,
    /// `--single-transaction`
    pub(super) single_transaction: Option<bool>,
    /// `--idempotency-field`
    pub(super) idempotency_field: Option<String>,
    /// `--clock`
    pub(super) clock: Option<Moment>,
    /// `--id-seed`
    pub(super) id_seed: Option<u64>,
    /// `--record`
    pub(super) record: Option<PathBuf>,
    /// `--tls-roots`
    pub(super) tls_roots: Option<Roots>,
    /// What is logged, as in REFUND_GATEWAY_LOG, which goes before it.
    pub(super) log: Option<String>,
    /// `--allow-plaintext`
    pub(super) allow_plaintext: Option<bool>,
    /// `--allow-remote-test`
    pub(super) allow_remote_test: Option<bool>,
    /// How the use cases behave.
    pub(super) service: ServiceSettings,
    /// What the SOAP front door reads.
    pub(super) soap: SoapSettings,
    /// How many calls the REST front door takes.
    pub(super) rest: RestSettings,
    /// How the listeners behave.
    pub(super) http: HttpSettings,
    /// How much the ledger's writer takes on.
    pub(super) store: LedgerSettings,
    /// Other words for the texts of errors and faults, by those texts.
    pub(super) texts: BTreeMap<String, Spanned<String>>,
    /// Payment gateways of kind http.
    pub(super) gateway: Vec<Spanned<gateways::Written>>,
    /// The webhooks that events of refunds are delivered to.
    pub(super) webhook: Vec<Spanned<webhooks::Written>>,
    /// What is kept of what happens to refunds.
    pub(super) events: EventSettings,
    /// What is done about refunds that their gateways reject after all.
    pub(super) reconciliation: ReconciliationSettings,
}

/// A configuration file that was read, or the absence of one.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// What it holds.
    pub(super) written: Written,
    source: Option<(PathBuf, String)>,
}

impl Config {
    /// Reads the file, if there is one to read.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = read_text(path, "the configuration")?;
        let written = toml_text::read(&text).map_err(|error| wrong_text(path, &error))?;
        Ok(Self { written, source: Some((path.to_owned(), text)) })
    }

    /// The payment gateways that the file configures, checked.
    pub(super) fn gateways(&self) -> Result<Vec<Configured>, Failure> {
        let checked = gateways::check(&self.written.gateway);
        match &self.source {
            Some((path, text)) => checked.map_err(|wrong| wrong_place(path, text, &wrong)),
            None => Ok(Vec::new()),
        }
    }

    /// The words that the file wants for errors and faults, checked.
    pub(super) fn wording(&self) -> Result<Wording, Failure> {
        let Some((path, text)) = &self.source else { return Ok(Wording::default()) };
        let known: Vec<String> = catalogue().into_iter().map(|entry| entry.text).collect();
        let mut texts = self.written.texts.iter();
        texts.try_fold(Wording::default(), |wording, (reported, words)| {
            let wording = wording.with(&known, reported, words.get_ref());
            wording.map_err(|error| wrong_place(path, text, &wrong(words, error.to_string())))
        })
    }

    /// The texts that have other words: their keys, those words, and where they stand.
    pub(super) fn reworded(&self) -> impl Iterator<Item = (String, String, String)> {
        self.written.texts.iter().map(|(reported, words)| {
            let place = self.place_of_table(words.span().start);
            (format!("texts.\"{reported}\""), words.get_ref().clone(), place)
        })
    }

    /// The webhooks that the file configures, checked.
    pub(super) fn webhooks(&self) -> Result<Vec<webhooks::Configured>, Failure> {
        let checked = webhooks::check(&self.written.webhook);
        match &self.source {
            Some((path, text)) => checked.map_err(|wrong| wrong_place(path, text, &wrong)),
            None => Ok(Vec::new()),
        }
    }

    /// The environment variables that hold secrets of gateways and webhooks.
    pub(super) fn secret_variables(&self) -> Vec<String> {
        let gateways = self.written.gateway.iter().filter_map(|one| one.get_ref().secret_env());
        let webhooks = self.written.webhook.iter().filter_map(|one| one.get_ref().secret_env());
        gateways.chain(webhooks).map(str::to_owned).collect()
    }

    /// Where the table that begins at this byte does, such as `gateway.toml:12`.
    pub(super) fn place_of_table(&self, at: usize) -> String {
        let line = |text: &str| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
        let source = self.source.as_ref();
        source.map_or_else(String::new, |(path, text)| format!("{}:{}", path.display(), line(text)))
    }

    /// Where the file sets this key, such as `gateway.toml:12`; nothing if it does not.
    pub(super) fn place_of(&self, key: &str) -> Option<String> {
        let (path, text) = self.source.as_ref()?;
        let parts: Vec<&str> = key.split('.').collect();
        let line = toml_text::line_of(text, &parts)?;
        Some(format!("{}:{line}", path.display()))
    }

    /// A complaint about the value of `key`, wherever that was set.
    pub(super) fn complain(&self, key: &str, message: impl std::fmt::Display) -> Failure {
        let place = self.place_of(key).map_or_else(String::new, |place| format!("{place}: "));
        Failure::new(FailureCode::Configuration, format_args!("{place}{key} {message}"))
    }
}
