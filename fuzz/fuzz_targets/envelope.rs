//! See `envelope` in `checks.rs`.
#![no_main]
#![allow(dead_code, reason = "each target runs one of the checks")]

#[path = "../checks.rs"]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checks::envelope(bytes));
