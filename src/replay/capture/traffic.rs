//! One exchange of HTTP as a recorder wrote it down, and what of it is SOAP that can be sent again.

use super::CaptureFile;
use crate::client::Uri;
use crate::replay::compare::operation_name;
use crate::replay::exchange::{Exchange, Nature, Piece};
use crate::replay::rules::Rules;
use crate::xml::decode;
use base64ct::{Base64, Encoding};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::sync::Arc;

/// The request headers that are sent again.
const SENT: [&str; 2] = ["soapaction", "idempotency-key"];
/// A body may inflate to so much.
const INFLATED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An exchange of HTTP.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) request: Option<Body>,
    /// The status; none or 0 if there was no answer.
    pub(super) status: Option<u16>,
    pub(super) response_headers: Vec<(String, String)>,
    /// The body of the answer, if the recorder kept it.
    pub(super) response: Option<Body>,
}

/// A body as recorders write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Characters, which were decoded.
    Text(String),
    /// Bytes, as they came.
    Bytes(Vec<u8>),
}

impl Body {
    /// Bytes that are written in base64, with any white space.
    pub(super) fn base64(text: &str) -> Result<Self, String> {
        let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let decoded = Base64::decode_vec(&text).map(Self::Bytes);
        decoded.map_err(|_| "its body is no base64".to_owned())
    }

    fn into_bytes(self, headers: &[(String, String)]) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(marked(text)),
            Self::Bytes(bytes) => inflated(bytes, headers),
        }
    }
}

/// A text as bytes of UTF-8; with a byte order mark where it says that it is something else.
fn marked(text: String) -> Vec<u8> {
    let declaration = text.split_once("?>").map_or("", |(declaration, _)| declaration);
    let says_otherwise =
        declaration.contains("encoding") && !declaration.to_ascii_lowercase().contains("utf-8");
    if text.is_ascii() || !says_otherwise || text.starts_with('\u{feff}') {
        return text.into_bytes();
    }
    format!("\u{feff}{text}").into_bytes()
}

fn inflated(bytes: Vec<u8>, headers: &[(String, String)]) -> Result<Vec<u8>, String> {
    let is_gzip = header(headers, "content-encoding").is_some_and(|value| value.contains("gzip"));
    if !is_gzip || !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(bytes.as_slice()).take(INFLATED_BYTES_MAX + 1);
    let read = decoder.read_to_end(&mut plain).map_err(|error| format!("its gzip: {error}"))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > INFLATED_BYTES_MAX {
        return Err(format!("its body inflates to more than {INFLATED_BYTES_MAX} bytes"));
    }
    Ok(plain)
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut found = headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

impl Traffic {
    /// The piece that it is, the `number`th of its file.
    pub(super) fn into_piece(mut self, file: &CaptureFile, number: usize) -> Result<Piece, String> {
        let place = format!("{}/{number}", file.name());
        let printable = crate::replay::canonical::printable;
        let skipped = |why: String| {
            let name = format!("{place} {}", printable(&self.method));
            Ok(Piece::Skipped { name, why: printable(&why) })
        };
        let uri: Uri = self.url.parse().map_err(|_| format!("`{}` is no URL", self.url))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let request = self.request.take().map(|body| body.into_bytes(&self.headers));
        let request = request.transpose()?.unwrap_or_default();
        if !self.is_soap(&request) {
            return skipped(format!("{} {path} is no SOAP call", self.method));
        }
        let Some(status) = self.status.filter(|status| *status != 0) else {
            return skipped("no answer was captured".to_owned());
        };
        let Some(response) = self.response.take() else {
            return skipped("the body of its answer was not captured".to_owned());
        };
        let expected = Some(response.into_bytes(&self.response_headers)?);
        let sent = self
            .headers
            .iter()
            .filter(|(name, _)| SENT.iter().any(|sent| name.eq_ignore_ascii_case(sent)));
        let content_type = header(&self.headers, "content-type").unwrap_or_default();
        let captured = Rules::captured(&path, content_type, sent, status)?;
        let rules = Arc::new(Rules::clone(&file.rules).over(&captured));
        let name =
            format!("{place} {}", operation_name(&request).unwrap_or_else(|| self.method.clone()));
        let nature = Nature::Captured;
        let exchange = Exchange { name, request, expected, rules, nature, files: None };
        Ok(Piece::Exchange(Box::new(exchange)))
    }

    fn is_soap(&self, request: &[u8]) -> bool {
        let content_type = header(&self.headers, "content-type").unwrap_or_default();
        let is_xml = ["xml", "text/plain"].iter().any(|kind| content_type.contains(kind));
        let text = decode(request, None);
        let begins = text
            .is_ok_and(|text| text.trim_start_matches('\u{feff}').trim_start().starts_with('<'));
        let has_action = header(&self.headers, "soapaction").is_some();
        self.method.eq_ignore_ascii_case("post") && (begins || has_action || is_xml)
    }
}
