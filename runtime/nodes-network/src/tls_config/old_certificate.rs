//! X.509 version 1 certificates, which webpki does not read: devices and test set-ups still show them, and OpenSSL, so
//! Node, takes them.
//!
//! Only what a certificate that is trusted as itself needs: its key, its name and how long it is valid (RFC 5280 4.1).

use chrono::{NaiveDateTime, Utc};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
/// The object identifier of a common name, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

/// What a version 1 certificate says.
pub(super) struct OldCertificate<'a> {
    key: &'a [u8],
    not_before: NaiveDateTime,
    not_after: NaiveDateTime,
    common_name: Option<String>,
}

/// An element of a certificate and what comes after it.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
    rest: &'a [u8],
}

/// The next element.
fn element(der: &[u8]) -> Option<Element<'_>> {
    let (tag, first) = (*der.first()?, usize::from(*der.get(1)?));
    let (length, start) = if first < 0x80 {
        (first, 2)
    } else {
        let octets = der.get(2..2 + (first & 0x7f))?;
        if octets.is_empty() || octets.len() > 4 {
            return None;
        }
        (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), 2 + octets.len())
    };
    let end = start.checked_add(length)?;
    Some(Element { tag, content: der.get(start..end)?, whole: der.get(..end)?, rest: der.get(end..)? })
}

/// The content and the whole of an element of this kind, taken off the front.
fn take<'a>(der: &mut &'a [u8], expected: u8) -> Option<(&'a [u8], &'a [u8])> {
    let Element { tag, content, whole, rest } = element(der)?;
    *der = rest;
    (tag == expected).then_some((content, whole))
}

fn time(der: &mut &[u8]) -> Option<NaiveDateTime> {
    let Element { tag, content, rest, .. } = element(der)?;
    *der = rest;
    let text = std::str::from_utf8(content).ok()?;
    // RFC 5280 4.1.2.5.1: two digits of a year are of 1950 to 2049.
    let century = match text.get(..2) {
        Some(year) if tag == UTC_TIME => {
            if year < "50" {
                "20"
            } else {
                "19"
            }
        }
        _ => "",
    };
    NaiveDateTime::parse_from_str(&format!("{century}{text}"), "%Y%m%d%H%M%SZ").ok()
}

fn common_name(mut name: &[u8]) -> Option<String> {
    let mut found = None;
    while let Some((part, _)) = take(&mut name, SET) {
        let (attribute, _) = take(&mut &*part, SEQUENCE)?;
        if let Some(rest) = attribute.strip_prefix(COMMON_NAME) {
            found = Some(String::from_utf8_lossy(element(rest)?.content).into_owned());
        }
    }
    found
}

impl<'a> OldCertificate<'a> {
    /// Reads a certificate; `None` for one that is not of version 1 or damaged.
    pub(super) fn read(der: &'a CertificateDer<'_>) -> Option<OldCertificate<'a>> {
        let (certificate, _) = take(&mut der.as_ref(), SEQUENCE)?;
        let (mut fields, _) = take(&mut &*certificate, SEQUENCE)?;
        // Later versions begin with their number.
        take(&mut fields, INTEGER)?;
        let _algorithm = take(&mut fields, SEQUENCE)?;
        let _issuer = take(&mut fields, SEQUENCE)?;
        let (mut validity, _) = take(&mut fields, SEQUENCE)?;
        let (subject, _) = take(&mut fields, SEQUENCE)?;
        let (_, key) = take(&mut fields, SEQUENCE)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        Some(OldCertificate { key, not_before, not_after, common_name: common_name(subject) })
    }

    /// Valid now, and for this server: such certificates have no other name than the common one.
    pub(super) fn check(&self, server: &ServerName<'_>) -> Result<(), Error> {
        let now = Utc::now().naive_utc();
        if now < self.not_before {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > self.not_after {
            return Err(CertificateError::Expired.into());
        }
        match (&self.common_name, server) {
            (Some(own), ServerName::DnsName(asked)) if own.eq_ignore_ascii_case(asked.as_ref()) => Ok(()),
            _ => Err(CertificateError::NotValidForName.into()),
        }
    }

    /// Checks that who shows it has the key.
    pub(super) fn verify_signature(
        &self,
        message: &[u8],
        signed: &DigitallySignedStruct,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(self.key);
        let key = webpki::RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
        let usable = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, usable) = usable.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let verified = usable.iter().any(|one| key.verify_signature(*one, message, signed.signature()).is_ok());
        if verified { Ok(HandshakeSignatureValid::assertion()) } else { Err(CertificateError::BadSignature.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_certificates_are_no_certificates() {
        for der in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", b"\x30\x03\x30\x01\x02"] {
            assert!(OldCertificate::read(&CertificateDer::from(der)).is_none());
        }
    }

    #[test]
    fn names_and_times() {
        let name = b"\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02me";
        assert_eq!(common_name(name).as_deref(), Some("me"));
        let year = |der: &[u8]| time(&mut &*der).map(|at| at.format("%Y").to_string());
        assert_eq!(year(b"\x17\x0d490102030405Z").as_deref(), Some("2049"));
        assert_eq!(year(b"\x17\x0d500102030405Z").as_deref(), Some("1950"));
        assert_eq!(year(b"\x18\x0f21180220064855Z").as_deref(), Some("2118"));
    }
}
