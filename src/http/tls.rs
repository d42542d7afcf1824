//! TLS of the listeners: certificate and key from files, read again without dropping a connection,
//! and certificates of clients.
//!
//! What must stay true: a gateway starts only with a certificate that is good now and a key that
//! belongs to it; a new one that is not leaves the old one in force; a client's certificate opens
//! nothing that is shut without it, it only narrows down whose calls its connection may carry.

mod certificate;

use certificate::Certificate;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use parking_lot::RwLock;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{WantsServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{
    self, ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion, crypto, version,
};
use tokio_rustls::server::TlsStream;

/// The first byte that a client of TLS sends: a record with a handshake.
const HANDSHAKE: u8 = 22;
/// How long a certificate is good that was made for tests.
const SELF_SIGNED_DAYS: i64 = 30;

/// TLS as it is configured; without a certificate there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// The certificate and those that lead to its authority, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Its key, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The authorities of clients' certificates, in PEM; without them none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Whether a certificate is made for this run instead, which only tests can believe.
    #[serde(skip_serializing)]
    pub self_signed: bool,
    /// Whether a client without a certificate is turned away.
    pub require_client_certificate: bool,
    /// Whether TLS 1.3 is left away, for clients that fail where it is offered.
    pub only_1_2: bool,
    /// Whether the admin listener speaks TLS too.
    pub admin: bool,
    /// How long a handshake may take.
    pub handshake_timeout_ms: u64,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            cert: None,
            key: None,
            client_ca: None,
            self_signed: false,
            require_client_certificate: false,
            only_1_2: false,
            admin: false,
            handshake_timeout_ms: 10_000,
        }
    }
}

/// Why there is no TLS. The texts are for operators.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There are two certificates.
    #[error("a self-signed certificate stands beside one from a file; keep one of them")]
    Two,
    /// One of the two is missing.
    #[error("a certificate needs its key, and a key its certificate: name both")]
    Half,
    /// Clients cannot be verified.
    #[error("certificates of clients need a certificate of the gateway: name it and its key")]
    NoCertificate,
    /// Clients must show a certificate, and no authority is named that issues them.
    #[error("certificates of clients are required, but no authority of theirs is named")]
    NoAuthority,
    /// A file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said, or what is wrong with what it holds.
        why: String,
    },
    /// The key is that of another certificate.
    #[error("the key in {} does not belong to the certificate in {}", key.display(),
        certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The certificate is not good now.
    #[error("the certificate in {} is good from {from} to {until}; it is {now} now",
        path.display())]
    Expired {
        /// Its file.
        path: PathBuf,
        /// From when.
        from: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Something that rustls does not take.
    #[error("TLS cannot be set up: {0}")]
    Refused(String),
}

/// What the listeners share to speak TLS.
pub(super) struct Tls {
    settings: TlsSettings,
    /// What the next connection is spoken to with.
    config: RwLock<Arc<ServerConfig>>,
}

/// Why a connection has no TLS.
pub(super) enum NoTls {
    /// The client speaks plain HTTP.
    Plain(TcpStream),
    /// The handshake failed, or took too long.
    Failed,
}

impl Tls {
    /// TLS as it is configured, if it is.
    pub(super) fn of(settings: &TlsSettings) -> Result<Option<Self>, TlsError> {
        if settings.self_signed && (settings.cert.is_some() || settings.key.is_some()) {
            return Err(TlsError::Two);
        }
        if settings.cert.is_none() && settings.key.is_none() {
            let wants_clients = settings.client_ca.is_some() || settings.require_client_certificate;
            return if wants_clients { Err(TlsError::NoCertificate) } else { Ok(None) };
        }
        let config = RwLock::new(Arc::new(load(settings)?));
        Ok(Some(Self { settings: settings.clone(), config }))
    }

    /// Reads the files again. Connections go on as they are; the next has what was read, or if that
    /// is no good, what there was.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(load(&self.settings)?);
        *self.config.write() = config;
        Ok(())
    }

    /// Shakes hands with a client, within the time for it.
    pub(super) async fn accept(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, NoTls> {
        let patience = Duration::from_millis(self.settings.handshake_timeout_ms);
        let acceptor = TlsAcceptor::from(Arc::clone(&*self.config.read()));
        let shaking = async {
            let mut first = [0];
            match stream.peek(&mut first).await {
                Ok(1) if first == [HANDSHAKE] => {}
                Ok(1) => return Err(NoTls::Plain(stream)),
                _ => return Err(NoTls::Failed),
            }
            acceptor.accept(stream).await.map_err(|error| {
                tracing::debug!(%error, "a handshake failed");
                NoTls::Failed
            })
        };
        tokio::time::timeout(patience, shaking).await.unwrap_or(Err(NoTls::Failed))
    }
}

/// Answers a client that speaks plain HTTP, and reads what it still sends, because the answer could
/// be lost with it otherwise.
pub(super) async fn tell_plain(stream: &mut TcpStream) -> io::Result<()> {
    let text = "This port speaks TLS. Use https.\n";
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
                Connection: close\r\nContent-Length:";
    stream.write_all(format!("{head} {}\r\n\r\n{text}", text.len()).as_bytes()).await?;
    stream.shutdown().await?;
    let mut thrown_away = [0; 1024];
    while stream.read(&mut thrown_away).await? > 0 {}
    Ok(())
}

/// Whom the certificate of a client names, if it showed one.
pub(super) fn names_of_client(stream: &TlsStream<TcpStream>) -> Option<Arc<[String]>> {
    let shown = stream.get_ref().1.peer_certificates()?.first()?;
    Some(Certificate::read(shown).map(|it| it.names).unwrap_or_default().into())
}

fn load(settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
    let (Some(certificate), Some(key)) = (&settings.cert, &settings.key) else {
        return Err(TlsError::Half);
    };
    let chain = certificates(certificate)?;
    check_dates(certificate, &chain, real_now())?;
    let key_der = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|error| in_file(key, format_args!("it holds no key in PEM: {error}")))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let certified =
        CertifiedKey::from_der(chain, key_der, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { key: key.clone(), certificate: certificate.clone() }
            }
            error => in_file(key, error),
        })?;
    let builder = with_clients(settings, provider)?;
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The beginning of a configuration: versions, and how clients are verified.
fn with_clients(
    settings: &TlsSettings,
    provider: Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, TlsError> {
    let versions: &[&SupportedProtocolVersion] = match settings.only_1_2 {
        true => &[&version::TLS12],
        false => &[&version::TLS13, &version::TLS12],
    };
    let refused = |error: &dyn std::fmt::Display| TlsError::Refused(error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions).map_err(|error| refused(&error))?;
    Ok(match &settings.client_ca {
        None if settings.require_client_certificate => return Err(TlsError::NoAuthority),
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities)? {
                roots.add(authority).map_err(|error| in_file(authorities, error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = match settings.require_client_certificate {
                true => verifier,
                false => verifier.allow_unauthenticated(),
            };
            let verifier = verifier.build().map_err(|error| in_file(authorities, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    })
}

/// The moment by the machine's clock, by which clients judge a certificate too.
#[expect(clippy::disallowed_methods, reason = "certificates are about real time")]
fn real_now() -> DateTime<Utc> {
    Utc::now()
}

fn check_dates(
    path: &Path,
    chain: &[CertificateDer<'_>],
    now: DateTime<Utc>,
) -> Result<(), TlsError> {
    let first = chain.first().ok_or_else(|| in_file(path, "it holds no certificate in PEM"))?;
    let read = Certificate::read(first);
    let Certificate { from, until, .. } =
        read.ok_or_else(|| in_file(path, "what it holds is no certificate of X.509"))?;
    match (from..=until).contains(&now) {
        true => Ok(()),
        false => Err(TlsError::Expired { path: path.to_owned(), from, until, now }),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| in_file(path, format_args!("it is no PEM: {error}")))?;
    if found.is_empty() {
        return Err(in_file(path, "it holds no certificate in PEM"));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| in_file(path, error))
}

fn in_file(path: &Path, why: impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), why: why.to_string() }
}

/// Writes a certificate for `hosts` that is signed by its own key, and that key, which only its
/// owner may read, into `folder`. For tests: it is good for 30 days.
pub fn write_self_signed(
    folder: &Path,
    hosts: Vec<String>,
) -> Result<(PathBuf, PathBuf), TlsError> {
    let refused = |error: rcgen::Error| TlsError::Refused(error.to_string());
    let mut params = CertificateParams::new(hosts).map_err(refused)?;
    params.distinguished_name.push(DnType::CommonName, "refund-gateway self-signed");
    let now = real_now();
    let day = |moment: DateTime<Utc>| {
        let part = |number: u32| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(moment.year(), part(moment.month()), part(moment.day()))
    };
    params.not_before = day(now - TimeDelta::days(1));
    params.not_after = day(now + TimeDelta::days(SELF_SIGNED_DAYS));
    let key = KeyPair::generate().map_err(refused)?;
    let certificate = params.self_signed(&key).map_err(refused)?;
    let [certificate_file, key_file] =
        ["self-signed.crt", "self-signed.key"].map(|name| folder.join(name));
    let write = |path: &Path, text: &str, mode: u32| {
        let _ = fs::remove_file(path);
        let opened = fs::OpenOptions::new().create_new(true).write(true).mode(mode).open(path);
        opened
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| in_file(path, error))
    };
    write(&certificate_file, &certificate.pem(), 0o644)?;
    write(&key_file, &key.serialize_pem(), 0o600)?;
    Ok((certificate_file, key_file))
}
