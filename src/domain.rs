//! What a refund is and when it may be made: values, rules and codes.
//!
//! Everything here is a pure function of what it is given. No I/O, no clock, no XML, no SQL and no
//! HTTP ever enters this room, so that each rule can be read, tested and trusted on its own.

pub mod error_code;
pub mod version;
