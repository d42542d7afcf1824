//! Where a call comes from: its front door, the version it speaks, the address of its caller, and
//! the id by which the log and the audit know it.
//!
//! The origin is one value that travels with a call from the listener to the ledger. What must stay
//! true: it holds no secret, every part is bounded, and nothing in it decides anything.

use super::trace::TraceContext;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// By which way a call reached the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrontDoor {
    /// The SOAP endpoint.
    Soap,
    /// The JSON endpoint.
    Rest,
    /// The admin API.
    Admin,
    /// The console in a browser.
    Console,
    /// A command on the machine of the ledger.
    CommandLine,
    /// A seed that is loaded at a start.
    Seed,
    /// A payment gateway's answer.
    Gateway,
}

impl FrontDoor {
    /// Every front door.
    pub const ALL: [Self; 7] = [
        Self::Soap,
        Self::Rest,
        Self::Admin,
        Self::Console,
        Self::CommandLine,
        Self::Seed,
        Self::Gateway,
    ];

    /// The name in the ledger and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Soap => "soap",
            Self::Rest => "rest",
            Self::Admin => "admin",
            Self::Console => "console",
            Self::CommandLine => "command line",
            Self::Seed => "seed",
            Self::Gateway => "gateway",
        }
    }

    /// The front door of this name, letter for letter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.name() == name)
    }
}

/// The id of a request: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The longest id that is taken over from a caller, in characters.
    pub const CHARS_MAX: usize = 64;

    /// The id in `text`, if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_good = (1..=Self::CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_good.then(|| Self(text.into()))
    }

    /// The characters of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Where a call comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its front door.
    pub door: FrontDoor,
    /// The API version that the call speaks, in the words of its front door, at most 32 characters.
    pub version: Option<Arc<str>>,
    /// The address of the caller, as the socket or a trusted proxy reports it.
    pub address: Option<IpAddr>,
    /// The id of the request.
    pub request_id: Option<RequestId>,
    /// The trace that the call is part of. It is not recorded.
    pub trace: Option<TraceContext>,
}

impl Origin {
    /// The longest version, in characters.
    const VERSION_CHARS_MAX: usize = 32;

    /// What comes through `door` from the gateway's own machine or process.
    pub const fn of(door: FrontDoor) -> Self {
        Self { door, version: None, address: None, request_id: None, trace: None }
    }

    /// A request that came through `door` over the network.
    pub const fn of_request(door: FrontDoor, address: IpAddr, request_id: RequestId) -> Self {
        Self {
            door,
            version: None,
            address: Some(address),
            request_id: Some(request_id),
            trace: None,
        }
    }

    /// The address of the caller; the unspecified address where there is none.
    pub fn caller_address(&self) -> IpAddr {
        self.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// The same at a version of the API.
    #[must_use]
    pub fn at_version(self, version: &str) -> Self {
        let end = version.floor_char_boundary(Self::VERSION_CHARS_MAX);
        Self { version: version.get(..end).map(Into::into), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_request_is_short_and_visible() {
        let longest = "x".repeat(RequestId::CHARS_MAX);
        for good in ["a", "0b1c-2", "~!{}\"", &longest] {
            assert_eq!(RequestId::parse(good).map(|id| id.to_string()).as_deref(), Some(good));
        }
        for bad in ["", " ", "a b", "a\n", "é", "\u{1b}[31m", &format!("{longest}x")] {
            assert_eq!(RequestId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn doors_read_back_and_versions_are_bounded() {
        for door in FrontDoor::ALL {
            assert_eq!(FrontDoor::from_name(door.name()), Some(door));
        }
        let origin = Origin::of(FrontDoor::Soap).at_version(&"é".repeat(40));
        assert_eq!(origin.version.as_deref(), Some("é".repeat(16).as_str()));
    }
}
