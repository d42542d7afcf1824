//! Answers in gzip, for those who ask for it.

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::ACCEPT_ENCODING;
use std::io::Write;

/// A body of more bytes than this is worth compressing.
pub(super) const WORTH_BYTES: usize = 1000;
/// A body of more bytes than this is compressed off the async threads.
const INLINE_BYTES_MAX: usize = 32 * 1024;

/// How much an encoding is wanted, in thousandths.
type Weight = u16;
const FULL_WEIGHT: Weight = 1000;

/// Whether the client takes gzip, and does not like the plain form better.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut plain) = (None, None, None);
    for value in headers.get_all(ACCEPT_ENCODING) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = Some(weight(parameters));
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = gzip.max(weight),
                "identity" => plain = weight,
                "*" => any = weight,
                _ => {}
            }
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= plain.unwrap_or(0)
}

/// The value of `q`; one that cannot be read is no wish.
fn weight(parameters: &str) -> Weight {
    for parameter in parameters.split(';') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("q") {
            return thousandths(value.trim()).unwrap_or(0);
        }
    }
    FULL_WEIGHT
}

fn thousandths(text: &str) -> Option<Weight> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_good = matches!(whole, "0" | "1")
        && fraction.len() <= 3
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{whole}{fraction:0<3}").parse().ok()?;
    (is_good && thousandths <= FULL_WEIGHT).then_some(thousandths)
}

/// The gzip form of `plain`; none if it could not be made, in which case the plain form will do.
pub(super) async fn gzip(plain: Bytes) -> Option<Vec<u8>> {
    if plain.len() <= INLINE_BYTES_MAX {
        return gzip_now(&plain);
    }
    tokio::task::spawn_blocking(move || gzip_now(&plain)).await.ok().flatten()
}

fn gzip_now(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn gzip_is_used_only_where_it_is_wanted() {
        let wants = |value: &'static str| {
            wants_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        for yes in ["gzip", "gzip,deflate", "deflate, GZIP;q=0.5", "x-gzip", "*", "identity, gzip"]
        {
            assert!(wants(yes), "{yes}");
        }
        for no in [
            "",
            "none",
            "identity",
            "deflate",
            "gzip;q=0",
            "gzip;q=0.000, *",
            "*;q=0",
            "identity, gzip;q=0.5",
            "gzip;q=2",
            "gzip;q=x",
        ] {
            assert!(!wants(no), "{no}");
        }
        assert!(!wants_gzip(&HeaderMap::new()));
    }

    #[test]
    fn weights_are_read_to_the_thousandth() {
        let read = ["0", "1", "0.5", "0.125", "1.000"].map(thousandths);
        assert_eq!(read, [Some(0), Some(1000), Some(500), Some(125), Some(1000)]);
        assert_eq!(["1.001", "0.1234", "-1", ".5", ""].map(thousandths), [None; 5]);
    }
}
