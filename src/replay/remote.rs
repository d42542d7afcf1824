//! What may go to an endpoint that is not on this machine: nothing, unless that is allowed, and
//! what may change something there only if that is allowed as well.

use super::Options;
use super::blanks;
use super::error::ReplayError;
use crate::client::Endpoint;
use crate::xml::{XmlLimits, decode, parse};

/// The operations that only read, and the login.
const READING: [&str; 5] = ["login", "getUserInfo", "query", "queryMore", "logout"];

/// The endpoint that was given, if it may be sent to.
pub(super) fn given_endpoint(options: &Options) -> Result<Option<Endpoint>, ReplayError> {
    let Some(url) = options.endpoint.as_deref() else { return Ok(None) };
    let endpoint = Endpoint::parse(url).map_err(|error| ReplayError::Usage(error.to_string()))?;
    if endpoint.is_loopback() || options.allow_remote {
        return Ok(Some(endpoint));
    }
    let message = format!("{endpoint} is not on this machine: allow it with --allow-remote");
    Err(ReplayError::Usage(message))
}

/// Refuses a request, by its name in reports, that may change something on another machine, unless
/// it may.
pub(super) fn refuse_write(
    endpoint: &Endpoint,
    name: &str,
    may_write: bool,
    options: &Options,
) -> Result<(), ReplayError> {
    if endpoint.is_loopback() || options.allow_writes || !may_write {
        return Ok(());
    }
    let message = format!("{name} may change data at {endpoint}: allow it with --allow-writes");
    Err(ReplayError::Usage(message))
}

/// Whether a request may change something: everything of which the opposite is not certain.
pub(super) fn may_write(request: &[u8]) -> bool {
    let request = blanks::neutral(request);
    let Ok(text) = decode(&request, None) else { return true };
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
