//! The certificates of one control plane: its own authority, its serving
//! certificate, and one for each user.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::{StartError, io};

/// Who signs for one control plane. Each has its own, so that the certificate of
/// one opens no other.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both PEM.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new authority.
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("{name}-ca"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Self(CertifiedIssuer::self_signed(params, key()).expect("fixed parameters are valid"))
    }

    /// Its own certificate, PEM.
    pub(super) fn certificate(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server on loopback.
    pub(super) fn server(&self) -> Identity {
        let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("fixed names are valid");
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// A certificate that makes its bearer the Kubernetes user `name` in `groups`.
    pub(super) fn user(&self, name: &str, groups: &[&str]) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        // rcgen keeps one value a type of name, so a list of groups would lose all but the last.
        assert!(groups.len() <= 1, "a client certificate carries one group; use impersonation for more");
        if let Some(group) = groups.first() {
            params.distinguished_name.push(DnType::OrganizationName, *group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("fixed parameters are valid");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Identity {
    /// Writes `<name>.crt` and `<name>.key` into `folder`.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> Result<(), StartError> {
        write(&folder.join(format!("{name}.crt")), &self.certificate)?;
        write(&folder.join(format!("{name}.key")), &self.key)
    }
}

/// Writes the key pair with which the server signs service account tokens:
/// `service-accounts.key` and `service-accounts.pub`.
pub(super) fn write_signing_key(folder: &Path) -> Result<(), StartError> {
    let key = key();
    write(&folder.join("service-accounts.key"), &key.serialize_pem())?;
    write(&folder.join("service-accounts.pub"), &key.public_key_pem())
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system gives random numbers")
}

fn write(path: &Path, text: &str) -> Result<(), StartError> {
    std::fs::write(path, text).map_err(io(path.display()))
}
