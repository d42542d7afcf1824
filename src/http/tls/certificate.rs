//! What is read of a certificate (X.509, RFC 5280): until when it is good, and whom it names.
//!
//! What must stay true: nothing here decides whether a certificate is genuine; that has been
//! verified before, or it is our own. What cannot be read is not there.

use chrono::{DateTime, NaiveDateTime, Utc};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const OCTETS: u8 = 0x04;
const IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const TIME: u8 = 0x18;
/// The types of text that are ASCII or UTF-8.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
/// An address of mail, a host name and a URI among alternative names.
const NAMES: [u8; 3] = [0x81, 0x82, 0x86];
/// `id-at-commonName`.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// `id-ce-subjectAltName`.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

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
        let mut fields = Der(Der(Der(der).inside(SEQUENCE)?).inside(SEQUENCE)?);
        if fields.tag() == Some(VERSION) {
            fields.inside(VERSION)?;
        }
        let (_serial, _signature, _issuer) = (fields.next()?, fields.next()?, fields.next()?);
        let mut validity = Der(fields.inside(SEQUENCE)?);
        let from = moment(validity.next()?)?;
        let until = moment(validity.next()?)?;
        let mut names = common_names(fields.inside(SEQUENCE)?);
        let extensions = fields.find(|(tag, _)| *tag == EXTENSIONS);
        if let Some((_, extensions)) = extensions {
            names.extend(alternative_names(extensions));
        }
        Some(Self { from, until, names })
    }
}

/// Values of DER, one after another.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// What is in the next value, if it has this tag.
    fn inside(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, inside)| inside)
    }
}

impl<'d> Iterator for Der<'d> {
    type Item = (u8, &'d [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match *first {
            short if short < 0x80 => (usize::from(short), rest),
            long => {
                let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                let digit = |length: usize, byte: &u8| {
                    length.checked_mul(256)?.checked_add(usize::from(*byte))
                };
                (bytes.iter().try_fold(0, digit)?, rest)
            }
        };
        let (inside, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, inside))
    }
}

fn moment((tag, text): (u8, &[u8])) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = match tag {
        // RFC 5280, 4.1.2.5.1: years up to 49 are of this century.
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        TIME => text.to_owned(),
        _ => return None,
    };
    let moment = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%SZ").ok()?;
    Some(moment.and_utc())
}

fn common_names(subject: &[u8]) -> Vec<String> {
    let sets = Der(subject).filter(|(tag, _)| *tag == SET);
    let attributes = sets.flat_map(|(_, set)| Der(set)).filter(|(tag, _)| *tag == SEQUENCE);
    let value = |(_, attribute): (u8, &[u8])| {
        let mut parts = Der(attribute);
        parts.inside(IDENTIFIER).filter(|kind| *kind == COMMON_NAME)?;
        let (tag, text) = parts.next()?;
        TEXTS.contains(&tag).then(|| String::from_utf8(text.to_vec()).ok()).flatten()
    };
    attributes.filter_map(value).collect()
}

fn alternative_names(extensions: &[u8]) -> Vec<String> {
    let all = Der(extensions).inside(SEQUENCE).unwrap_or_default();
    let names = Der(all).filter(|(tag, _)| *tag == SEQUENCE).find_map(|(_, extension)| {
        let mut parts = Der(extension);
        parts.inside(IDENTIFIER).filter(|kind| *kind == ALTERNATIVE_NAMES)?;
        let (_, octets) = parts.find(|(tag, _)| *tag == OCTETS)?;
        Der(octets).inside(SEQUENCE)
    });
    let texts = Der(names.unwrap_or_default()).filter(|(tag, _)| NAMES.contains(tag));
    texts.filter_map(|(_, text)| String::from_utf8(text.to_vec()).ok()).collect()
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
