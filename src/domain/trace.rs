//! The trace that a call is part of, as W3C's Trace Context writes it: taken over from the caller,
//! written into log lines, and passed on with the calls that follow from it.
//!
//! What must stay true: what is malformed is as if it were not there, and nothing that a caller
//! sends goes further than its form allows.

use std::fmt;
use std::sync::Arc;

/// The length of `traceparent` in the version that is written here.
const PARENT_BYTES: usize = 55;
/// The most of `tracestate` that is passed on, in bytes.
const STATE_BYTES_MAX: usize = 512;
/// The flags that are known: sampled, and that the id is random.
const FLAGS_KNOWN: u8 = 0b11;

/// A trace, and the span in it that this gateway's work for one call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    trace: String,
    span: String,
    flags: u8,
    state: Option<String>,
}

impl TraceContext {
    /// The trace that `parent`, the value of `traceparent`, names, with a span of its own whose id
    /// is `span`; `state` is the value of `tracestate`, which is passed on as it is.
    pub fn continued(parent: &str, state: Option<&str>, span: &str) -> Option<Self> {
        let version = parent.get(..2).filter(|version| is_hex(version) && *version != "ff")?;
        let rest = parent.get(PARENT_BYTES..)?;
        // Later versions may say more, behind another dash.
        if !rest.is_empty() && (version == "00" || !rest.starts_with('-')) {
            return None;
        }
        let mut parts = parent.get(..PARENT_BYTES)?.split('-').skip(1);
        let (trace, caller, flags) = (parts.next()?, parts.next()?, parts.next()?);
        let is_good = parts.next().is_none()
            && is_id(trace, 32)
            && is_id(caller, 16)
            && is_id(span, 16)
            && flags.len() == 2
            && is_hex(flags);
        let flags = u8::from_str_radix(flags, 16).ok().filter(|_| is_good)? & FLAGS_KNOWN;
        let (trace, span) = (trace.to_owned(), span.to_owned());
        let is_state = |state: &&str| {
            let is_visible = state.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            (1..=STATE_BYTES_MAX).contains(&state.len()) && is_visible
        };
        let state = state.filter(is_state).map(str::to_owned);
        Some(Self(Arc::new(Inner { trace, span, flags, state })))
    }

    /// The id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.0.trace
    }

    /// The id of this gateway's span: 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        &self.0.span
    }

    /// The value of `tracestate` that is passed on, if there is one.
    pub fn state(&self) -> Option<&str> {
        self.0.state.as_deref()
    }
}

impl fmt::Display for TraceContext {
    /// The value of `traceparent` for those who are called, and for the answer.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { trace, span, flags, .. } = &*self.0;
        write!(out, "00-{trace}-{span}-{flags:02x}")
    }
}

/// Whether a text is so many lower-case digits that are not all 0.
fn is_id(text: &str, digits: usize) -> bool {
    text.len() == digits && is_hex(text) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const SPAN: &str = "53995c3f42cd8ad8";

    #[test]
    fn a_trace_goes_on_with_a_span_of_our_own() {
        let trace = TraceContext::continued(PARENT, Some("a=1,b=2"), SPAN).unwrap();
        assert_eq!((trace.trace_id(), trace.span_id()), (TRACE, SPAN));
        assert_eq!(trace.to_string(), format!("00-{TRACE}-{SPAN}-01"));
        assert_eq!(trace.state(), Some("a=1,b=2"));
        let later = format!("cc-{TRACE}-00f067aa0ba902b7-ff-what-comes-later");
        let later = TraceContext::continued(&later, None, SPAN).unwrap();
        assert_eq!(later.to_string(), format!("00-{TRACE}-{SPAN}-03"));
    }

    #[test]
    fn what_is_malformed_is_as_if_it_were_not_there() {
        let zeros = "0".repeat(32);
        for bad in [
            "",
            "00",
            &PARENT.to_uppercase(),
            &PARENT.replace("00-", "ff-"),
            &PARENT.replacen("00-", "0x-", 1),
            &format!("{PARENT}-more"),
            &format!("{PARENT} "),
            &PARENT.replacen("00-", "01-", 1).replace("-01", "-01x"),
            &PARENT.replace(TRACE, &zeros),
            &PARENT.replace("00f067aa0ba902b7", "0000000000000000"),
            &PARENT.replace("-01", "-0g"),
            &PARENT.replace("b7-01", "-b701"),
            &format!("00-{TRACE}é-0f067aa0ba902b7-01"),
        ] {
            assert_eq!(TraceContext::continued(bad, None, SPAN), None, "{bad}");
        }
        assert_eq!(TraceContext::continued(PARENT, None, "1"), None);
        for state in ["", "a\n", "a=é", &"x".repeat(513)] {
            let trace = TraceContext::continued(PARENT, Some(state), SPAN).unwrap();
            assert_eq!(trace.state(), None, "{state:?}");
        }
    }
}
