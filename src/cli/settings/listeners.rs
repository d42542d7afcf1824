//! The settings of the listeners: a table of the file, of which some keys are options too.

use super::{Sources, shown};
use crate::cli::config::Config;
use crate::cli::credentials;
use crate::cli::exit::Failure;
use crate::http::{HttpSettings, TlsSettings};
use std::path::PathBuf;

/// The options of TLS.
pub(super) struct TlsOptions {
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    self_signed: Option<bool>,
}

impl TlsOptions {
    /// The files of certificate, key and clients' authorities, and whether one is made.
    pub(super) fn of(
        (cert, key, client_ca): (Option<PathBuf>, Option<PathBuf>, Option<PathBuf>),
        self_signed: Option<bool>,
    ) -> Self {
        Self { cert, key, client_ca, self_signed }
    }
}

/// One address in two places of one file is a contradiction that waits to happen.
pub(super) fn refuse_two_addresses(config: &Config) -> Result<(), Failure> {
    let written = &config.written;
    if written.public_url.is_some() && written.http.public_url.is_some() {
        return Err(
            config.complain("http.public_url", "stands beside public_url; keep one of them")
        );
    }
    Ok(())
}

/// Replaces credentials of the service manager by the files that they are.
pub(super) fn find_credentials(tls: &mut TlsSettings, config: &Config) -> Result<(), Failure> {
    let files = [("cert", &mut tls.cert), ("key", &mut tls.key), ("client_ca", &mut tls.client_ca)];
    for (key, file) in files {
        if let Some(path) = file {
            let found = credentials::file_of(path);
            *path = found.map_err(|error| config.complain(&format!("http.tls.{key}"), error))?;
        }
    }
    Ok(())
}

impl Sources<'_> {
    pub(super) fn http(&mut self, public_url: Option<String>, tls: TlsOptions) -> HttpSettings {
        let in_force = self.tls(tls);
        let written = &self.config.written;
        let address = written.public_url.clone().or_else(|| written.http.public_url.clone());
        let public_url = self.optional("public_url", public_url, address, String::clone);
        let tls =
            TlsSettings { cert: None, key: None, client_ca: None, ..written.http.tls.clone() };
        let rest = HttpSettings { public_url: None, tls, ..written.http.clone() };
        HttpSettings { public_url, tls: in_force, ..self.table("http", &rest) }
    }

    /// TLS, of which some keys are options too.
    fn tls(&mut self, options: TlsOptions) -> TlsSettings {
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
