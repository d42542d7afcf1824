//! The numbers of XPath: doubles, with its own rules for texts and for rounding.
#![expect(
    clippy::float_arithmetic,
    reason = "XPath has no other numbers, and none of them becomes an amount of money"
)]

use super::super::characters::trim;
use super::expression::{Calculation, Comparison};
use crate::domain::number::saturated;

/// A number as a text: without an exponent, and without a point if it is whole.
pub(super) fn to_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // Adding zero makes one of minus zero.
    format!("{}", number + 0.0)
}

/// A text as a number: digits with at most one point and a minus, white space around it; else not
/// a number.
pub(super) fn from_text(text: &str) -> f64 {
    let text = trim(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let points = digits.bytes().filter(|byte| *byte == b'.').count();
    let is_number = digits.bytes().any(is_digit)
        && digits.bytes().all(|byte| is_digit(byte) || byte == b'.')
        && points <= 1;
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// A count or a position as a number.
pub(super) fn from_count(count: usize) -> f64 {
    f64::from(saturated::<u32>(count))
}

pub(super) fn is_equal(one: f64, other: f64) -> bool {
    one.partial_cmp(&other).is_some_and(std::cmp::Ordering::is_eq)
}

pub(super) fn is_true(number: f64) -> bool {
    !number.is_nan() && !is_equal(number, 0.0)
}

pub(super) fn compares(comparison: Comparison, one: f64, other: f64) -> bool {
    match comparison {
        Comparison::Equal => is_equal(one, other),
        Comparison::Unequal => !is_equal(one, other),
        Comparison::Less => one < other,
        Comparison::LessOrEqual => one <= other,
        Comparison::Greater => one > other,
        Comparison::GreaterOrEqual => one >= other,
    }
}

pub(super) fn calculate(calculation: Calculation, one: f64, other: f64) -> f64 {
    match calculation {
        Calculation::Add => one + other,
        Calculation::Subtract => one - other,
        Calculation::Multiply => one * other,
        Calculation::Divide => one / other,
        Calculation::Remainder => one % other,
    }
}

pub(super) fn negate(number: f64) -> f64 {
    -number
}

pub(super) fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    // A sum of floats begins with minus zero.
    numbers.fold(0.0, |sum, number| sum + number)
}

/// Rounds to the nearest whole number, halves up.
pub(super) fn round(number: f64) -> f64 {
    // From here on all doubles are whole, and half of one is more than their accuracy.
    if number.abs() < 4_503_599_627_370_496.0 { (number + 0.5).floor() } else { number }
}

/// The characters of a text from a position on, counted from 1, both rounded; up to `length` of
/// them if there is one.
pub(super) fn substring(text: &str, from: f64, length: Option<f64>) -> String {
    let first = round(from);
    let end = length.map_or(f64::INFINITY, |length| first + round(length));
    let mut position = 0.0;
    let mut is_inside = || {
        position += 1.0;
        position >= first && position < end
    };
    text.chars().filter(|_| is_inside()).collect()
}
