//! The settings of the listeners: a table of the file, of which some keys are options too.

use super::{Sources, shown};
use crate::http::{HttpSettings, TlsSettings};
use std::path::PathBuf;

/// The options of TLS.
pub(super) struct TlsOptions {
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) client_ca: Option<PathBuf>,
    pub(super) self_signed: Option<bool>,
}

impl Sources<'_> {
    pub(super) fn http(&mut self, public_url: Option<String>) -> HttpSettings {
        let written = &self.config.written;
        let address = written.public_url.clone().or_else(|| written.http.public_url.clone());
        let public_url = self.optional("public_url", public_url, address, String::clone);
        let tls =
            TlsSettings { cert: None, key: None, client_ca: None, ..written.http.tls.clone() };
        let rest = HttpSettings { public_url: None, tls, ..written.http.clone() };
        HttpSettings { public_url, ..self.table("http", &rest) }
    }

    /// TLS, of which some keys are options too.
    pub(super) fn tls(&mut self, options: TlsOptions) -> TlsSettings {
        let written = self.config.written.http.tls.clone();
        let mut file = |key: &str, option: Option<PathBuf>, written| {
            self.optional(key, option, written, |path| shown(path))
        };
        let cert = file("tls_cert", options.cert, written.cert.clone());
        let key = file("tls_key", options.key, written.key.clone());
        let client_ca = file("tls_client_ca", options.client_ca, written.client_ca.clone());
        let self_signed = written.self_signed.then_some(true);
        let self_signed = self.choose("tls_self_signed", options.self_signed, self_signed, false);
        TlsSettings { cert, key, client_ca, self_signed, ..written }
    }
}
