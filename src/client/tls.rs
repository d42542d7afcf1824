//! TLS to an endpoint: the certificate is always verified, and against what is a choice.
//!
//! The authorities are Mozilla's, compiled in, so that the same binary trusts the same ones in a
//! container without any; where that was chosen, those of the platform; or those of a file, and
//! then no others, because a private authority that is named must be the only one to speak for that
//! host.

use super::Endpoint;
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::{Arc, LazyLock, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    self, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, crypto,
};

/// Whose signature under a server's certificate is believed.
#[derive(Clone)]
pub struct Trust(Authorities);

#[derive(Clone)]
enum Authorities {
    /// Those that all know.
    Public,
    /// Those of a file.
    Named(Arc<ClientConfig>),
}

static COMPILED: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    with_roots(roots)
});
/// What the platform verifies, once that was chosen for this process.
static PLATFORM: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// Why a text holds no authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It is no PEM, or holds what is no certificate.
    #[error("holds no PEM of certificates: {0}")]
    Unreadable(String),
    /// It holds nothing.
    #[error("holds no certificate")]
    Empty,
    /// The platform has none that can be used.
    #[error("cannot be used: {0}")]
    Platform(String),
}

impl Trust {
    /// The public authorities: as Mozilla keeps them, or the platform's where that was chosen.
    pub fn public() -> Self {
        Self(Authorities::Public)
    }

    /// From here on the public authorities are those of the platform, in all of the process.
    ///
    /// # Errors
    /// Why the platform's cannot be used.
    pub fn believe_platform() -> Result<(), TrustError> {
        let config = builder().with_platform_verifier();
        let config = config.map_err(|error| TrustError::Platform(error.to_string()))?;
        PLATFORM.get_or_init(|| finished(config.with_no_client_auth()));
        Ok(())
    }

    /// The authorities of this PEM text, and no others.
    pub fn only(pem: &[u8]) -> Result<Self, TrustError> {
        let unreadable = |why: String| TrustError::Unreadable(why);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
        match roots.is_empty() {
            true => Err(TrustError::Empty),
            false => Ok(Self(Authorities::Named(with_roots(roots)))),
        }
    }

    fn config(&self) -> Arc<ClientConfig> {
        let public = || PLATFORM.get().unwrap_or(&COMPILED);
        Arc::clone(match &self.0 {
            Authorities::Public => public(),
            Authorities::Named(config) => config,
        })
    }

    /// Speaks TLS on `stream`, once the peer has proved to be the endpoint's host.
    pub(super) async fn secure(
        &self,
        endpoint: &Endpoint,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let (host, _) = endpoint.address();
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        TlsConnector::from(self.config()).connect(name, stream).await
    }
}

/// The beginning of a configuration: ring, and the versions that are spoken.
fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let provider = Arc::new(crypto::ring::default_provider());
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    match ClientConfig::builder_with_provider(provider).with_protocol_versions(versions) {
        Ok(builder) => builder,
        Err(error) => unreachable!("the provider speaks both versions: {error}"),
    }
}

fn with_roots(roots: RootCertStore) -> Arc<ClientConfig> {
    finished(builder().with_root_certificates(roots).with_no_client_auth())
}

fn finished(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
