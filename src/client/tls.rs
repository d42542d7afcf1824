//! TLS to an endpoint: the certificate is always verified, and against what is a choice.
//!
//! The authorities are Mozilla's, compiled in, so that the same binary trusts the same ones in a
//! container without any; or those of a file, and then no others, because a
//! private authority that is named must be the only one to speak for that host.

use super::Endpoint;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};

/// Whose signature under a server's certificate is believed.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Why a text holds no authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It is no PEM, or holds what is no certificate.
    #[error("holds no PEM of certificates: {0}")]
    Unreadable(String),
    /// It holds nothing.
    #[error("holds no certificate")]
    Empty,
}

impl Trust {
    /// The public authorities, as Mozilla keeps them.
    pub fn public() -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::of(roots)
    }

    /// The authorities of this PEM text, and no others.
    pub fn only(pem: &[u8]) -> Result<Self, TrustError> {
        let unreadable = |why: String| TrustError::Unreadable(why);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
        if roots.is_empty() { Err(TrustError::Empty) } else { Ok(Self::of(roots)) }
    }

    fn of(roots: RootCertStore) -> Self {
        let provider = Arc::new(crypto::ring::default_provider());
        let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
        let builder = ClientConfig::builder_with_provider(provider);
        let mut config = match builder.with_protocol_versions(versions) {
            Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
            Err(error) => unreachable!("the provider speaks both versions: {error}"),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }

    /// Speaks TLS on `stream`, once the peer has proved to be the endpoint's host.
    pub(super) async fn secure(
        &self,
        endpoint: &Endpoint,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let (host, _) = endpoint.address();
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await
    }
}
