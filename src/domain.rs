//! What a refund is and when it may be made: values, rules and codes.
//!
//! Everything here is a pure function of what it is given. No I/O, no clock, no XML, no SQL and no
//! HTTP ever enters this room, so that each rule can be read, tested and trusted on its own. What
//! objects, fields, closed sets of values and versions there are is said by the catalogue.

pub mod access;
pub mod age;
pub mod boolean;
pub mod calendar;
pub mod card_numbers;
pub mod collected;
pub mod custom_field;
pub mod custom_value;
pub mod draft;
pub mod entry_kind;
pub mod error_code;
pub mod event;
pub mod facts;
pub mod hex;
pub mod id;
pub mod invoicing;
pub mod lifecycle;
pub mod listing;
pub mod moment;
pub mod money;
pub mod number;
pub mod origin;
pub mod percent;
pub mod permission;
pub mod presets;
pub mod query;
pub mod reconciliation;
pub mod refund_name;
pub mod rest_path;
pub mod row_error;
pub mod rules;
pub mod schedule;
pub mod script;
pub mod secret;
pub mod text;
pub mod toml_text;
pub mod trace;
pub mod white_space;
pub mod zoql;

pub use crate::catalogue::{version, vocabulary};
