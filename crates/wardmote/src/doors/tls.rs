//! The certificate of this server and its key, from files that are read again when they change.

use crate::failure::{Exit, Failure};
use gateway::Tls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use zeroize::Zeroizing;

/// A larger file is none of ours.
const LARGEST: u64 = 1 << 20;

/// Where they are, and what was read.
pub(crate) struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Option<SystemTime>; 2],
    tls: Tls,
}

impl Certificate {
    /// Reads both files.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, Failure> {
        let seen = [changed(certificate), changed(key)];
        let (chain, secret) = pair(certificate, key)?;
        let tls = Tls::new(chain, secret).map_err(|error| unusable(certificate, key, &error))?;
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), seen, tls })
    }

    /// For connections.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reads them again if one has changed, and says what came of it.
    pub(crate) fn renew(&mut self) -> Option<String> {
        let seen = [changed(&self.certificate), changed(&self.key)];
        if seen == self.seen {
            return None;
        }
        self.seen = seen;
        let renewed = pair(&self.certificate, &self.key).and_then(|(chain, key)| {
            self.tls.replace(chain, key).map_err(|error| unusable(&self.certificate, &self.key, &error))
        });
        Some(match renewed {
            Ok(()) => format!("the certificate in `{}` is new; it is in use now", self.certificate.display()),
            Err(failure) => format!("{}; the earlier certificate stays in use", failure.message()),
        })
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|meta| meta.modified()).ok()
}

fn unusable(certificate: &Path, key: &Path, error: &world::PortError) -> Failure {
    let (certificate, key) = (certificate.display(), key.display());
    Failure::new(Exit::Input, format!("TLS cannot use `{certificate}` with `{key}`: {error}"))
        .with_help("the certificate of this server comes first in its file, then those that vouch for it")
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn pair(certificate: &Path, key: &Path) -> Result<Pair, Failure> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes(open(certificate)?, certificate)?).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
        Failure::new(Exit::Input, format!("`{}` holds no certificate in PEM", certificate.display()))
            .with_help("give the file with `-----BEGIN CERTIFICATE-----` to --tls-cert, and the one with the private key to --tls-key")
    })?;
    let file = open(key)?;
    let mode = file
        .metadata()
        .map_err(|error| Failure::io(format!("read `{}`", key.display()), error))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        let text =
            format!("`{}` is a private key that others may read (mode {:03o})", key.display(), mode & 0o777);
        return Err(Failure::new(Exit::Input, text).with_help(format!("run `chmod 600 {}`", key.display())));
    }
    let secret = PrivateKeyDer::from_pem_slice(&bytes(file, key)?).map_err(|_| {
        Failure::new(
            Exit::Input,
            format!("`{}` holds no private key in PEM without a passphrase", key.display()),
        )
        .with_help("`openssl pkey -in KEY -out FILE` writes one without a passphrase; keep it with mode 600")
    })?;
    Ok((chain, secret))
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| Failure::io(format!("read `{}`", path.display()), error))
}

fn bytes(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(LARGEST).read_to_end(&mut bytes);
    read.map_err(|error| Failure::io(format!("read `{}`", path.display()), error))?;
    Ok(bytes)
}
