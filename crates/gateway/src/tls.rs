//! TLS for whoever calls: versions 1.2 and 1.3, no client certificates. The certificate can be replaced while the gateway
//! runs; connections that are open keep the one they began with.

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use world::{Kind, PortError};

/// A certificate and its key, ready for connections.
#[derive(Clone)]
pub struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// With the certificate of this server first in `chain`, then those that vouch for it.
    ///
    /// # Errors
    /// Of kind Invalid if the key is not that of the certificate, or one of them cannot be used.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, PortError> {
        Ok(Self { config: Arc::new(RwLock::new(config(chain, key)?)) })
    }

    /// The same for connections from now on.
    ///
    /// # Errors
    /// As [`Tls::new`]; what was in force stays so.
    pub fn replace(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), PortError> {
        let fresh = config(chain, key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, PortError> {
    let invalid = |text: String| PortError::new(Kind::Invalid, text);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| invalid(format!("cannot set up TLS: {error}")))?;
    let mut config =
        builder.with_no_client_auth().with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                invalid("the key is not that of the certificate".to_owned())
            }
            rustls::Error::InvalidCertificate(_) => invalid("the certificate is not one of X.509".to_owned()),
            _ => invalid("the key is of a kind that TLS does not use".to_owned()),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
