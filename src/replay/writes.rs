//! Which requests could change something at an endpoint that is not ours to change.

use super::Options;
use super::error::ReplayError;
use super::exchange::Exchange;
use crate::client::Endpoint;
use crate::xml::{XmlLimits, decode, parse};

/// The operations that only read, and the login.
const READING: [&str; 5] = ["login", "getUserInfo", "query", "queryMore", "logout"];

/// Refuses what may change something at an endpoint on another machine, unless it may.
pub(super) fn refuse_write(
    endpoint: &Endpoint,
    exchange: &Exchange,
    options: &Options,
) -> Result<(), ReplayError> {
    if endpoint.is_loopback() || options.allow_writes || !may_write(&exchange.request) {
        return Ok(());
    }
    let message =
        format!("{} may change data at {endpoint}: allow it with --allow-writes", exchange.name);
    Err(ReplayError::Usage(message))
}

/// Whether a request may change something: everything of which the opposite is not certain.
pub(super) fn may_write(request: &[u8]) -> bool {
    let Ok(text) = decode(request, None) else { return true };
    let Ok(document) = parse(&text, &XmlLimits::default()) else { return true };
    let mut operations = document
        .root()
        .children()
        .filter(|child| child.local() == "Body")
        .flat_map(|body| body.children());
    let only = (operations.next(), operations.next());
    !matches!(only, (Some(operation), None) if READING.contains(&operation.local()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_reads_does_not_write() {
        for reading in
            ["<e><Header/><Body><login/></Body></e>", "<e><Body><a:query xmlns:a='x'/></Body></e>"]
        {
            assert!(!may_write(reading.as_bytes()), "{reading}");
        }
        for writing in [
            "<e><Body><create/></Body></e>",
            "<e><Body><login/><create/></Body></e>",
            "<e><Body><login/></Body><Body><create/></Body></e>",
            "<e><Body/></e>",
            "<login/>",
            "<e><Body><login/></Body>",
            "",
        ] {
            assert!(may_write(writing.as_bytes()), "{writing}");
        }
    }
}
