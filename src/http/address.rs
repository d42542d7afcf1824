//! The address by which a caller came in: it is returned in ServerUrl and in the WSDL.
//!
//! What must stay true: the address holds nothing but an authority of plain characters, so it can
//! be put into a document; and what a proxy forwards counts only when the proxy is a trusted one.

use super::connection::Connection;
use super::network::Network;
use hyper::header::{FORWARDED, HOST, HeaderName};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Version};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The longest authority that is believed: 253 characters of a name, a colon, and a port.
const AUTHORITY_CHARS_MAX: usize = 259;

/// Why it is unknown by which address a caller came in. The texts are for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("The request has no Host header.")]
    Missing,
    #[error("The request has several Host headers.")]
    Several,
    #[error("The Host header is not a valid host and port.")]
    Invalid,
    #[error("A header of a proxy is not valid: Forwarded, or X-Forwarded-Host, -Port or -Proto.")]
    Forwarded,
}

/// Finds the address of a caller.
pub(super) struct Addresses {
    public_url: Option<String>,
    trusted_proxies: Vec<Network>,
}

impl Addresses {
    pub(super) fn new(public_url: Option<&str>, trusted_proxies: &[Network]) -> Self {
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        Self { public_url, trusted_proxies: trusted_proxies.to_vec() }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    /// The address of the caller: that of the socket, or where that is a trusted proxy's, the last
    /// one in X-Forwarded-For or else in Forwarded that is none. What stands before it, a
    /// caller may have invented.
    pub(super) fn caller(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut address = peer.to_canonical();
        let lines = |name: &HeaderName| {
            let lines: Vec<_> = headers.get_all(name).iter().collect();
            lines.into_iter().rev().map(|line| line.to_str().unwrap_or_default())
        };
        let mut hops: Vec<&str> =
            lines(&FORWARDED_FOR).flat_map(|line| line.rsplit(',').map(str::trim)).collect();
        if hops.is_empty() {
            let elements = lines(&FORWARDED).flat_map(|line| elements(line).into_iter().rev());
            hops = elements.map(|element| part(element, "for").unwrap_or_default()).collect();
        }
        for hop in hops {
            match forwarded_address(hop).filter(|_| self.trusts(address)) {
                Some(before) => address = before,
                None => break,
            }
        }
        address
    }

    /// Scheme and authority, without a slash at the end. A request whose Host is none is refused
    /// even if the public address is configured: it comes from no client that HTTP knows.
    pub(super) fn base_url(
        &self,
        head: &Parts,
        connection: &Connection,
    ) -> Result<String, AddressError> {
        let sent = sent_authority(head)?;
        if let Some(url) = &self.public_url {
            return Ok(url.clone());
        }
        let mut scheme = if connection.is_tls { "https" } else { "http" };
        let mut authority = sent.map(str::to_owned);
        if self.trusts(connection.peer.ip()) {
            let said = Forwarded::read(&head.headers)?;
            if let Some(host) = said.host {
                authority = Some(host).filter(|host| is_authority(host)).map(str::to_owned);
                authority.as_ref().ok_or(AddressError::Forwarded)?;
            }
            if let Some(proto) = said.proto {
                scheme = known_scheme(proto).ok_or(AddressError::Forwarded)?;
            }
            if let Some(port) = said.port {
                Some(port).filter(|port| is_port(port)).ok_or(AddressError::Forwarded)?;
                authority = authority.map(|host| at_port(&host, port, said.host.is_some(), scheme));
            }
        }
        Ok(authority.map_or_else(
            || format!("{scheme}://{}", connection.local),
            |authority| format!("{scheme}://{authority}"),
        ))
    }
}

/// What a trusted proxy reports of the request that it got.
struct Forwarded<'h> {
    host: Option<&'h str>,
    port: Option<&'h str>,
    proto: Option<&'h str>,
}

impl<'h> Forwarded<'h> {
    /// What the X-Forwarded headers say, or where there is none of them, Forwarded (RFC 7239). Of
    /// several values in a row the first is that of the proxy that the caller used.
    fn read(headers: &'h HeaderMap) -> Result<Self, AddressError> {
        let of = |name| first_forwarded(headers, name);
        let said = Self {
            host: of(&FORWARDED_HOST)?,
            port: of(&FORWARDED_PORT)?,
            proto: of(&FORWARDED_PROTO)?,
        };
        let Some(line) = headers.get(&FORWARDED) else { return Ok(said) };
        if said.host.or(said.port).or(said.proto).is_some() {
            return Ok(said);
        }
        let line = line.to_str().map_err(|_| AddressError::Forwarded)?;
        let first = elements(line).into_iter().next().unwrap_or_default();
        Ok(Self { host: part(first, "host"), port: None, proto: part(first, "proto") })
    }
}

/// The elements of a Forwarded header, which commas part where they are not in quotes.
fn elements(line: &str) -> Vec<&str> {
    unquoted(line, ',').collect()
}

/// The value of a part of an element, without its quotes.
fn part<'l>(element: &'l str, name: &str) -> Option<&'l str> {
    let mut pairs = unquoted(element, ';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |character| {
        is_quoted ^= character == '"';
        !is_quoted && character == separator
    })
}

/// An address as proxies write it: with or without a port, one of IPv6 with or without brackets.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

/// The authority with a port that stands apart from it. One that the forwarded host has itself is
/// kept; the port that goes without saying is left out.
fn at_port(authority: &str, port: &str, is_forwarded: bool, scheme: &str) -> String {
    let ends = authority.rfind(']').map_or(0, |end| end + 1);
    let colon = authority.get(ends..).and_then(|rest| rest.find(':')).map(|at| ends + at);
    if colon.is_some() && is_forwarded {
        return authority.to_owned();
    }
    let host = colon.and_then(|colon| authority.get(..colon)).unwrap_or(authority);
    match (scheme, port) {
        ("https", "443") | ("http", "80") => host.to_owned(),
        _ => format!("{host}:{port}"),
    }
}

/// The authority in the request's line or else in its Host header; only HTTP/1.0 may have neither.
fn sent_authority(head: &Parts) -> Result<Option<&str>, AddressError> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(AddressError::Several);
    }
    let authority = match (head.uri.authority(), host) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().map_err(|_| AddressError::Invalid)?,
        (None, None) if head.version == Version::HTTP_10 => return Ok(None),
        (None, None) => return Err(AddressError::Missing),
    };
    if is_authority(authority) { Ok(Some(authority)) } else { Err(AddressError::Invalid) }
}

/// The first of the values that proxies have put in a row, which is the one that the caller used.
fn first_forwarded<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, AddressError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let value = value.to_str().map_err(|_| AddressError::Forwarded)?;
    Ok(Some(value.split(',').next().unwrap_or_default().trim()))
}

fn known_scheme(text: &str) -> Option<&'static str> {
    ["http", "https"].into_iter().find(|scheme| scheme.eq_ignore_ascii_case(text))
}

/// Whether `text` is a base for addresses: scheme, authority, perhaps a path.
pub(super) fn is_base_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    known_scheme(scheme).is_some() && is_authority(authority) && path.bytes().all(is_plain)
}

/// Whether `text` is a host name or an IP address with at most a port behind it.
pub fn is_authority(text: &str) -> bool {
    if text.len() > AUTHORITY_CHARS_MAX {
        return false;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        let port_is_good = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().is_ok() && port_is_good;
    }
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(is_plain) && is_port(port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::idle::Idlers;
    use hyper::Request;
    use std::sync::Arc;

    fn base_url(addresses: &Addresses, request: Request<()>) -> Result<String, AddressError> {
        let peer = "[::ffff:10.0.0.1]:4000".parse().unwrap();
        let local = "127.0.0.1:8080".parse().unwrap();
        let idler = Idlers::default().take_in();
        let connection = Connection::new(peer, local, Arc::clone(&idler.idleness));
        addresses.base_url(&request.into_parts().0, &connection)
    }

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn the_callers_own_host_is_told_back() {
        let addresses = Addresses::new(None, &[]);
        for host in ["localhost", "127.0.0.1:8080", "api.example.com:443", "[::1]:80", "a_b"] {
            let url = base_url(&addresses, request(&[("host", host)]));
            assert_eq!(url, Ok(format!("http://{host}")));
        }
        let absolute = Request::builder().uri("http://other:81/x").header("host", "h");
        assert_eq!(base_url(&addresses, absolute.body(()).unwrap()), Ok("http://other:81".into()));
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        let addresses = Addresses::new(None, &[]);
        let long = "a".repeat(300);
        for host in
            ["", "a b", "a/b", "user@host", "a:b", "a:99999", "a:1:2", "a<b", "[::1", "[x]", &long]
        {
            let url = base_url(&addresses, request(&[("host", host)]));
            assert_eq!(url, Err(AddressError::Invalid), "{host}");
        }
        let two = request(&[("host", "a"), ("host", "a")]);
        assert_eq!(base_url(&addresses, two), Err(AddressError::Several));
        assert_eq!(base_url(&addresses, request(&[])), Err(AddressError::Missing));
    }

    #[test]
    fn http_1_0_may_come_without_a_host() {
        let mut old = request(&[]);
        *old.version_mut() = Version::HTTP_10;
        let url = base_url(&Addresses::new(None, &[]), old);
        assert_eq!(url, Ok("http://127.0.0.1:8080".into()));
    }

    #[test]
    fn only_a_trusted_proxy_forwards() {
        let forwarded = || {
            request(&[
                ("host", "inside"),
                ("x-forwarded-host", "outside.example, inside"),
                ("x-forwarded-proto", "HTTPS"),
            ])
        };
        let stranger = Addresses::new(None, &["10.0.0.2".parse().unwrap()]);
        assert_eq!(base_url(&stranger, forwarded()), Ok("http://inside".into()));
        let trusted = Addresses::new(None, &["10.0.0.1".parse().unwrap()]);
        assert_eq!(base_url(&trusted, forwarded()), Ok("https://outside.example".into()));
        let bad = request(&[("host", "inside"), ("x-forwarded-host", "<script>")]);
        assert_eq!(base_url(&trusted, bad), Err(AddressError::Forwarded));
    }

    #[test]
    fn a_port_and_the_standard_header_count_as_well() {
        let trusted = Addresses::new(None, &["10.0.0.0/8".parse().unwrap()]);
        for (headers, expected) in [
            (
                &[("x-forwarded-port", "8443"), ("x-forwarded-proto", "https")][..],
                "https://in:8443",
            ),
            (&[("x-forwarded-port", "443"), ("x-forwarded-proto", "https")], "https://in"),
            (&[("x-forwarded-host", "out"), ("x-forwarded-port", "81")], "http://out:81"),
            (&[("x-forwarded-host", "out:82"), ("x-forwarded-port", "81")], "http://out:82"),
            (&[("forwarded", "for=1.2.3.4;HOST=\"out:83\";proto=https, host=x")], "https://out:83"),
            (&[("forwarded", "proto=https;host=out"), ("x-forwarded-host", "x")], "http://x"),
            (&[("forwarded", "for=\"[2001:db8::1]:4711\"")], "http://in:80"),
        ] {
            let all = [&[("host", "in:80")][..], headers].concat();
            assert_eq!(base_url(&trusted, request(&all)), Ok(expected.into()), "{headers:?}");
        }
        for bad in [("x-forwarded-port", "x"), ("forwarded", "host=\"<b>\"")] {
            let url = base_url(&trusted, request(&[("host", "in"), bad]));
            assert_eq!(url, Err(AddressError::Forwarded), "{bad:?}");
        }
    }

    #[test]
    fn the_caller_is_whom_trusted_proxies_name() {
        let caller = |peer: &str, headers: &[(&str, &str)]| {
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            let request = request(headers);
            let peer = peer.parse().unwrap();
            Addresses::new(None, &trusted).caller(request.headers(), peer).to_string()
        };
        let name = "x-forwarded-for";
        assert_eq!(caller("192.0.2.7", &[(name, "198.51.100.1")]), "192.0.2.7");
        assert_eq!(caller("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(caller("::ffff:10.0.0.1", &[(name, "198.51.100.1")]), "198.51.100.1");
        // What stands before an address that is no proxy's can be invented.
        let invented = [(name, "1.1.1.1, 198.51.100.1"), (name, "10.0.0.2")];
        assert_eq!(caller("10.0.0.1", &invented), "198.51.100.1");
        assert_eq!(caller("10.0.0.1", &[(name, "[2001:db8::1]:4711")]), "2001:db8::1");
        let standard = ("forwarded", "for=1.1.1.1, for=\"198.51.100.1:80\";by=x, for=10.0.0.9");
        assert_eq!(caller("10.0.0.1", &[standard]), "198.51.100.1");
        for bad in ["unknown", "", "<b>", "1.2.3.4.5"] {
            assert_eq!(caller("10.0.0.1", &[(name, bad)]), "10.0.0.1", "{bad}");
        }
    }

    #[test]
    fn the_configured_address_wins_but_a_bad_host_is_still_refused() {
        let addresses = Addresses::new(Some("https://pay.example/zuora/"), &[]);
        let url = base_url(&addresses, request(&[("host", "inside")]));
        assert_eq!(url, Ok("https://pay.example/zuora".into()));
        assert_eq!(base_url(&addresses, request(&[("host", "")])), Err(AddressError::Invalid));
    }

    #[test]
    fn a_public_address_needs_a_scheme_and_no_query() {
        assert!(is_base_url("https://pay.example:8443/zuora"));
        for bad in ["pay.example", "ftp://pay.example", "https://", "https://a/?x", "http://a b"] {
            assert!(!is_base_url(bad), "{bad}");
        }
    }
}
