//! Reading a request's body: bounded in bytes on the wire, in time, and once more when inflated.
//!
//! What must stay true: what can be refused from the head alone is refused before the body is
//! asked for (so a client that waits for `100 Continue` never gets one), and the limit of the
//! inflated size is checked while inflating, because 64 KiB can hold 64 MiB; and since what is
//! inflated or large takes many times its size to be read, only so many have their turn at once. Of
//! a large body nothing beyond its beginning is held before it has its share of the budget.

use super::budget::{Budget, Client, FREE_BYTES, Share};
use super::connection::Connection;
use super::metrics::Limit;
use super::settings::HttpSettings;
use crate::call::{Door, Method, READ_IN_PLACE_BYTES_MAX, Refusal};
use crate::domain::number::saturated;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use std::future::Future;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Up to this many compressed bytes are inflated on the async thread: it takes a millisecond at the
/// worst.
const INFLATE_INLINE_BYTES: usize = 1024;

/// How long and how large a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits<'a> {
    pub(super) wire_bytes_max: usize,
    pub(super) inflated_bytes_max: usize,
    /// How long its bytes may take.
    pub(super) timeout: Duration,
    /// The turns of bodies that are inflated or large.
    pub(super) turns: &'a Arc<Semaphore>,
    /// What large bodies need a share of.
    pub(super) budget: &'a Budget,
    /// Until when a turn or a share is waited for.
    pub(super) turn_deadline: Instant,
}

/// What bodies of a listener have in common.
pub(super) struct BodyRoom {
    /// The turns of bodies that are inflated or large.
    pub(super) turns: Arc<Semaphore>,
    /// What large bodies and answers need a share of.
    pub(super) budget: Budget,
}

impl<'a> BodyLimits<'a> {
    /// The limits of `settings`; turns and shares are waited for until `turn_deadline`.
    pub(super) fn of(settings: &HttpSettings, room: &'a BodyRoom, turn_deadline: Instant) -> Self {
        Self {
            wire_bytes_max: settings.body_bytes_max,
            inflated_bytes_max: settings.inflated_bytes_max,
            timeout: Duration::from_millis(settings.body_timeout_ms),
            turns: &room.turns,
            budget: &room.budget,
            turn_deadline,
        }
    }

    /// A share for a body of so many bytes.
    async fn share(&self, bytes: usize) -> Result<Share, BodyError> {
        let share = self.budget.share(bytes, self.turn_deadline).await;
        share.ok_or(BodyError::Overloaded(Limit::TransitBytes))
    }
}

/// Why there is no body.
pub(super) enum BodyError {
    /// It is refused, perhaps for a limit.
    Refused(Refusal, Option<Limit>),
    /// Its turn or its share did not come in time.
    Overloaded(Limit),
    /// It broke off, or its chunks are none.
    Broken,
}

/// What a body is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
}

/// A body as it came and as it was meant.
pub(super) struct Received {
    /// How long it was on the wire.
    pub(super) wire_bytes: usize,
    /// The document.
    pub(super) document: Bytes,
    /// The turn of a document that is heavy to read, to be kept until that is done.
    pub(super) turn: Option<OwnedSemaphorePermit>,
}

/// Reads a body that the headers allow and `door` takes, within the limits. Meanwhile the
/// connection can be asked for its place.
pub(super) async fn receive(
    (door, method): (&dyn Door, Method),
    headers: &HeaderMap,
    body: Incoming,
    (limits, connection): (BodyLimits<'_>, &Connection),
) -> Result<Received, BodyError> {
    if let Some(value) = headers.get(CONTENT_TYPE) {
        let text = String::from_utf8_lossy(value.as_bytes());
        if !door.takes(method, &text) {
            return Err(BodyError::Refused(Refusal::ContentType(text.into_owned()), None));
        }
    }
    let encoding = content_encoding(headers)?;
    let wire = read(body, limits, connection).await?;
    let wire_bytes = wire.len();
    let is_heavy = encoding == Encoding::Gzip || wire_bytes > READ_IN_PLACE_BYTES_MAX;
    let turn = if is_heavy { Some(take_turn(limits).await?) } else { None };
    let (document, turn) = match encoding {
        Encoding::Identity => (wire, turn),
        Encoding::Gzip => inflate(wire, limits.inflated_bytes_max, turn).await?,
    };
    Ok(Received { wire_bytes, document, turn })
}

async fn take_turn(limits: BodyLimits<'_>) -> Result<OwnedSemaphorePermit, BodyError> {
    let turn = Arc::clone(limits.turns).acquire_owned();
    let turn = timeout_at(limits.turn_deadline, turn).await.ok().and_then(Result::ok);
    turn.ok_or(BodyError::Overloaded(Limit::HeavyRequests))
}

fn content_encoding(headers: &HeaderMap) -> Result<Encoding, BodyError> {
    let mut found = Encoding::Identity;
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(value.as_bytes());
        for token in text.split(',').map(|token| token.trim().to_ascii_lowercase()) {
            match token.as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" if found == Encoding::Identity => found = Encoding::Gzip,
                _ => {
                    let refusal = Refusal::ContentEncoding(text.trim().to_owned());
                    return Err(BodyError::Refused(refusal, None));
                }
            }
        }
    }
    Ok(found)
}

/// Reads a body as it is on the wire. One that is long, or whose length is unknown and turns out to
/// be, waits for its share before more of it is taken.
pub(super) async fn read(
    mut body: Incoming,
    limits: BodyLimits<'_>,
    connection: &Connection,
) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let stated = usize::try_from(body.size_hint().lower()).map_err(|_| too_large())?;
    if stated > limits.wire_bytes_max {
        return Err(too_large());
    }
    connection.idleness.await_more();
    let mut beginning = Vec::new();
    if stated <= FREE_BYTES {
        let most = limits.wire_bytes_max.min(FREE_BYTES);
        match in_time(limits.timeout, short(&mut body, most)).await? {
            Short::Whole(bytes) => {
                connection.idleness.work();
                return Ok(bytes);
            }
            Short::Longer(bytes) if bytes.len() > limits.wire_bytes_max => return Err(too_large()),
            Short::Longer(bytes) => beginning = bytes,
        }
    }
    let expected = if stated > FREE_BYTES { stated } else { limits.wire_bytes_max };
    let share = limits.share(expected).await?;
    let sending = limits.budget.sending(&connection.pace);
    let most = limits.wire_bytes_max;
    let whole = long(&mut body, beginning, expected, most, &sending);
    let whole = in_time(limits.timeout, whole).await?;
    connection.idleness.work();
    Ok(share.around(whole))
}

fn too_large() -> BodyError {
    BodyError::Refused(Refusal::BodyTooLarge, Some(Limit::BodyBytes))
}

async fn in_time<T>(
    timeout: Duration,
    reading: impl Future<Output = Result<T, BodyError>>,
) -> Result<T, BodyError> {
    let read = tokio::time::timeout(timeout, reading).await;
    let too_slow = |_| BodyError::Refused(Refusal::BodyTooSlow, Some(Limit::BodyTimeout));
    read.map_err(too_slow)?
}

/// A body that needs no share, or its beginning.
enum Short {
    Whole(Bytes),
    Longer(Vec<u8>),
}

/// Reads up to `most` bytes and what came with them. A body that came in one piece, which is the
/// rule, is not copied.
async fn short(body: &mut Incoming, most: usize) -> Result<Short, BodyError> {
    let Some(first) = next_piece(body).await? else {
        return Ok(Short::Whole(Bytes::new()));
    };
    if body.is_end_stream() && first.len() <= most {
        return Ok(Short::Whole(first));
    }
    let mut whole = Vec::from(first);
    while whole.len() <= most {
        match next_piece(body).await? {
            Some(piece) => whole.extend_from_slice(&piece),
            None => return Ok(Short::Whole(whole.into())),
        }
    }
    Ok(Short::Longer(whole))
}

/// Reads the rest of a body that has its share, as long as its client does not stall while others
/// wait.
async fn long(
    body: &mut Incoming,
    mut whole: Vec<u8>,
    expected: usize,
    most: usize,
    sending: &Client,
) -> Result<Vec<u8>, BodyError> {
    whole.reserve_exact(expected.saturating_sub(whole.len()));
    loop {
        let piece = tokio::select! {
            biased;
            piece = next_piece(body) => piece?,
            () = sending.goes() => {
                return Err(BodyError::Refused(Refusal::BodyTooSlow, Some(Limit::Stalled)));
            }
        };
        let Some(piece) = piece else { return Ok(whole) };
        if whole.len() + piece.len() > most {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
    }
}

/// The next bytes; trailers are passed over.
async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Inflates a body; its turn lasts as long as the work does, whether or not a caller waits for it.
async fn inflate(
    wire: Bytes,
    bytes_max: usize,
    turn: Option<OwnedSemaphorePermit>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), BodyError> {
    let is_small = wire.len() <= INFLATE_INLINE_BYTES;
    let work = move || (inflate_now(&wire, bytes_max), turn);
    let (inflated, turn) = if is_small {
        work()
    } else {
        let lost = |_| (Err(Refusal::BadGzip), None);
        tokio::task::spawn_blocking(work).await.unwrap_or_else(lost)
    };
    match inflated {
        Ok(document) => Ok((document.into(), turn)),
        Err(refusal) => {
            let is_large = matches!(refusal, Refusal::InflatedTooLarge);
            Err(BodyError::Refused(refusal, is_large.then_some(Limit::InflatedBytes)))
        }
    }
}

/// What was packed as gzip, unless it is damaged or would be more than `bytes_max` bytes.
///
/// # Errors
/// Which of the two it is.
pub fn inflate_now(wire: &[u8], bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let one_too_many = saturated::<u64>(bytes_max).saturating_add(1);
    let mut inflated = Vec::with_capacity(wire.len().saturating_mul(2).min(bytes_max));
    let mut decoder = MultiGzDecoder::new(wire).take(one_too_many);
    decoder.read_to_end(&mut inflated).map_err(|_| Refusal::BadGzip)?;
    if inflated.len() > bytes_max { Err(Refusal::InflatedTooLarge) } else { Ok(inflated) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use hyper::header::HeaderValue;
    use prometheus_client::metrics::gauge::Gauge;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn headers(name: hyper::header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_and_identity_are_the_only_encodings() {
        let encoding = |value| content_encoding(&headers(CONTENT_ENCODING, value)).ok();
        assert_eq!(encoding("identity"), Some(Encoding::Identity));
        assert_eq!(encoding("GZIP"), Some(Encoding::Gzip));
        assert_eq!(encoding("identity, x-gzip"), Some(Encoding::Gzip));
        assert_eq!(encoding("deflate"), None);
        assert_eq!(encoding("gzip, gzip"), None);
    }

    #[tokio::test]
    async fn a_turn_that_does_not_come_is_not_waited_for_beyond_its_deadline() {
        let budget = Budget::new(1, Gauge::default());
        let room = BodyRoom { turns: Arc::new(Semaphore::new(1)), budget };
        let limits = BodyLimits::of(&HttpSettings::default(), &room, Instant::now());
        let turn = take_turn(limits).await.ok().unwrap();
        assert!(matches!(take_turn(limits).await, Err(BodyError::Overloaded(_))));
        let (_, turn) = inflate(gzip(b"<a/>").into(), 4, Some(turn)).await.ok().unwrap();
        assert!(matches!(take_turn(limits).await, Err(BodyError::Overloaded(_))));
        drop(turn);
        assert!(take_turn(limits).await.is_ok());
    }

    #[test]
    fn inflating_stops_at_the_limit_and_at_damage() {
        let bomb = gzip(&vec![0; 1_000_000]);
        assert!(matches!(inflate_now(&bomb, 999_999), Err(Refusal::InflatedTooLarge)));
        assert_eq!(inflate_now(&bomb, 1_000_000).map(|plain| plain.len()).ok(), Some(1_000_000));
        let whole = gzip(b"<a/>");
        for damaged in [&whole[..whole.len() - 1], b"<a/>", b""] {
            assert!(matches!(inflate_now(damaged, 100), Err(Refusal::BadGzip)));
        }
    }
}
