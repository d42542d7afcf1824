//! Cuts an expression into tokens, by the rules that separate a name from an operator and `*` from
//! "times": after an operand an operator follows, elsewhere an operand.

use super::super::characters::{is_name_part, is_name_start};
use super::XPathError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// A sign, or an operator that is a word.
    Sign(&'static str),
    Text(&'t str),
    Number(f64),
    Variable(&'t str),
    /// `p:name` or `name`; the prefix is empty if there is none.
    Name(&'t str, &'t str),
    /// `*`, `p:*` with the prefix, or `*:name` with the name.
    Any,
    AnyOf(&'t str),
    AnyNamed(&'t str),
    /// A name that an opening bracket follows.
    Call(&'t str, &'t str),
    /// A name that `::` follows.
    Axis(&'t str),
}

/// Longer signs stand before those that they begin with.
const SIGNS: [&str; 20] = [
    "::", "//", "..", "!=", "<=", ">=", "(", ")", "[", "]", "@", ",", "/", "|", "+", "-", "=", "<",
    ">", ".",
];
const WORDS: [&str; 4] = ["and", "or", "mod", "div"];

/// The tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, XPathError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_white);
    while !rest.is_empty() {
        let (token, after) = next(rest, tokens.last().is_some_and(ends_operand))
            .map_err(|why| XPathError::Syntax(format!("{why} at `{}`", start_of(rest))))?;
        tokens.push(token);
        rest = after.trim_start_matches(is_white);
    }
    Ok(tokens)
}

/// The start of a text, for a message.
pub(super) fn start_of(text: &str) -> String {
    text.chars().take(20).collect()
}

fn is_white(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Whether an operand ends with the token, so that an operator has to follow.
fn ends_operand(token: &Token<'_>) -> bool {
    match token {
        Token::Sign(sign) => matches!(*sign, ")" | "]" | "." | ".."),
        Token::Call(..) | Token::Axis(_) => false,
        _ => true,
    }
}

fn next(rest: &str, after_operand: bool) -> Result<(Token<'_>, &str), &'static str> {
    let first = rest.chars().next().unwrap_or_default();
    if matches!(first, '\'' | '"') {
        let inside = rest.get(1..).unwrap_or_default();
        let (text, after) = inside.split_once(first).ok_or("expected the end of a text")?;
        return Ok((Token::Text(text), after));
    }
    let follows = rest.get(first.len_utf8()..).unwrap_or_default();
    if first.is_ascii_digit() || (first == '.' && follows.starts_with(|c: char| c.is_ascii_digit()))
    {
        return number(rest);
    }
    if first == '*' {
        return Ok(star(follows, after_operand));
    }
    if first == '$' {
        let (name, after) = qualified(follows).ok_or("expected the name of a variable")?;
        return Ok((Token::Variable(name), after));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), rest.get(sign.len()..).unwrap_or_default()));
    }
    name(rest, after_operand)
}

fn number(rest: &str) -> Result<(Token<'_>, &str), &'static str> {
    let mut has_point = false;
    let end = rest.find(|character: char| {
        let is_point = character == '.' && !has_point;
        has_point |= is_point;
        !character.is_ascii_digit() && !is_point
    });
    let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
    // As in XPath 1.0, a point may end a number.
    let number = digits.parse().map_err(|_| "expected a number")?;
    Ok((Token::Number(number), after))
}

fn star(follows: &str, after_operand: bool) -> (Token<'_>, &str) {
    if after_operand {
        return (Token::Sign("*"), follows);
    }
    let named = follows.strip_prefix(':').and_then(unqualified);
    named.map_or((Token::Any, follows), |(name, after)| (Token::AnyNamed(name), after))
}

fn name(rest: &str, after_operand: bool) -> Result<(Token<'_>, &str), &'static str> {
    let (first, after) = unqualified(rest).ok_or("found what begins nothing")?;
    if after_operand {
        let word = WORDS.iter().find(|word| **word == first).ok_or("expected an operator")?;
        return Ok((Token::Sign(word), after));
    }
    let next = after.trim_start_matches(is_white);
    if next.starts_with("::") {
        return Ok((Token::Axis(first), next.get(2..).unwrap_or_default()));
    }
    let (prefix, local, after) = match after.strip_prefix(':') {
        None => ("", first, after),
        Some(after) if after.starts_with('*') => {
            return Ok((Token::AnyOf(first), after.get(1..).unwrap_or_default()));
        }
        Some(after) => {
            let (local, after) = unqualified(after).ok_or("expected a name after a prefix")?;
            (first, local, after)
        }
    };
    match after.trim_start_matches(is_white).strip_prefix('(') {
        Some(after) => Ok((Token::Call(prefix, local), after)),
        None => Ok((Token::Name(prefix, local), after)),
    }
}

/// A name without a colon, and what follows it.
fn unqualified(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with(is_name_start) {
        return None;
    }
    let end = text.find(|character| !is_name_part(character)).unwrap_or(text.len());
    Some(text.split_at(end))
}

/// A name that may have a prefix, and what follows it.
fn qualified(text: &str) -> Option<(&str, &str)> {
    let (first, after) = unqualified(text)?;
    let local = after.strip_prefix(':').and_then(unqualified);
    let length = local.map_or(first.len(), |(local, _)| first.len() + 1 + local.len());
    Some(text.split_at(length))
}
