//! What is read of a certificate (X.509, RFC 5280): until when it is good, and whom it names.
//!
//! What must stay true: nothing here decides whether a certificate is genuine; that has been
//! verified before, or it is our own. What cannot be read is not there.

use chrono::{DateTime, Utc};
use x509_cert::Certificate as X509;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::time::Time;

/// `id-at-commonName`.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The parts of a certificate that count here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// From when and until when it is good.
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    /// The common names of its subject and its alternative names.
    pub(super) names: Vec<String>,
}

impl Certificate {
    /// Reads a certificate in DER.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let read = X509::from_der(der).ok()?;
        let certificate = read.tbs_certificate();
        let validity = certificate.validity();
        let (from, until) = (moment(validity.not_before), moment(validity.not_after));
        let mut names = common_names(certificate.subject());
        if let Ok(Some((_, SubjectAltName(all)))) = certificate.get_extension() {
            names.extend(all.iter().filter_map(alternative_name));
        }
        Some(Self { from, until, names })
    }
}

fn moment(time: Time) -> DateTime<Utc> {
    time.to_system_time().into()
}

/// The common names that are ASCII or UTF-8.
fn common_names(subject: &Name) -> Vec<String> {
    let named = subject.iter().filter(|attribute| attribute.oid == COMMON_NAME);
    let texts = named.map(|attribute| &attribute.value).filter(|value| {
        matches!(value.tag(), Tag::Utf8String | Tag::PrintableString | Tag::Ia5String)
    });
    texts.filter_map(|value| String::from_utf8(value.value().to_vec()).ok()).collect()
}

/// An address of mail, a host name or a URI.
fn alternative_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Rfc822Name(text)
        | GeneralName::DnsName(text)
        | GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    fn certificate() -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["host.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "no name of a user");
        params.distinguished_name.push(DnType::CommonName, "Jane Zo\u{eb}");
        let mail = SanType::Rfc822Name("jane@example.com".try_into().unwrap());
        params.subject_alt_names.push(mail);
        params.not_before = date_time_ymd(1999, 1, 2);
        params.not_after = date_time_ymd(2055, 3, 4);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn dates_and_names_are_read() {
        let read = Certificate::read(&certificate()).unwrap();
        assert_eq!(read.names, ["Jane Zo\u{eb}", "host.example", "jane@example.com"]);
        assert_eq!((read.from.year(), read.from.month(), read.from.day()), (1999, 1, 2));
        assert_eq!((read.until.year(), read.until.month(), read.until.day()), (2055, 3, 4));
    }

    #[test]
    fn what_is_cut_off_or_changed_is_read_without_harm() {
        let whole = certificate();
        for end in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..end]), None, "{end}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = Certificate::read(&changed);
        }
    }
}
