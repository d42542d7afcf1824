//! `--tls-self-signed`: a certificate for one run of `serve`, for tests.

use super::exit::{Failure, FailureCode, OrFail};
use super::settings::Settings;
use crate::http::{TlsSettings, write_self_signed};
use std::path::PathBuf;
use tempfile::TempDir;

/// The folder of a certificate that goes when the run does.
pub(super) struct SelfSigned {
    _folder: TempDir,
    /// The certificate's file, for those who are to believe it.
    pub(super) certificate: PathBuf,
}

/// Makes a certificate and puts it in force, if the settings want one; what they hold beside it is
/// a contradiction that the listeners report.
pub(super) fn make(settings: &mut Settings) -> Result<Option<SelfSigned>, Failure> {
    let tls = &mut settings.http.tls;
    if !tls.self_signed || tls.cert.is_some() || tls.key.is_some() {
        return Ok(None);
    }
    let doing = "making a self-signed certificate";
    let folder = tempfile::Builder::new().prefix("refund-gateway-tls-").tempdir();
    let folder = folder.or_fail(FailureCode::Runtime, doing)?;
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let own = settings.listen.ip().to_string();
    if !settings.listen.ip().is_unspecified() && !hosts.contains(&own) {
        hosts.push(own);
    }
    let (certificate, key) =
        write_self_signed(folder.path(), hosts).or_fail(FailureCode::Runtime, doing)?;
    settings.http.tls = TlsSettings {
        cert: Some(certificate.clone()),
        key: Some(key),
        self_signed: false,
        ..settings.http.tls.clone()
    };
    Ok(Some(SelfSigned { _folder: folder, certificate }))
}
