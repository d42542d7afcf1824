//! The words of a query: names, values, operators and commas, each with its place.

use super::{Comparator, SyntaxError};
use std::iter::{Enumerate, Peekable};
use std::str::Chars;

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A number, a day or a moment; whether it really is one is not known yet.
    Bare(String),
    /// A text in quotes, its escapes resolved.
    Quoted(String),
    /// A comparison.
    Comparator(Comparator),
    /// `,`
    Comma,
}

/// A word and where it stands, from 1.
pub(super) type Placed = (Token, usize);

/// The characters that an escape can stand for, and its letter.
const ESCAPES: [(char, char); 8] = [
    ('b', '\u{8}'),
    ('f', '\u{C}'),
    ('n', '\n'),
    ('r', '\r'),
    ('t', '\t'),
    ('\'', '\''),
    ('"', '"'),
    ('\\', '\\'),
];

/// The letter of the escape that a text in single quotes needs for `character`.
pub(super) fn escape_of(character: char) -> Option<char> {
    let needed = ESCAPES.iter().find(|(_, meant)| *meant == character && character != '"');
    needed.map(|(letter, _)| *letter)
}

/// Cuts a query into words.
pub(super) struct Lexer<'q> {
    rest: Peekable<Enumerate<Chars<'q>>>,
    end: usize,
}

impl<'q> Lexer<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        Self { rest: text.chars().enumerate().peekable(), end: text.chars().count() + 1 }
    }

    /// One after the last character.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Placed>, SyntaxError> {
        while self.rest.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        let Some((index, first)) = self.rest.next() else {
            return Ok(None);
        };
        let at = index + 1;
        let token = match first {
            ',' => Token::Comma,
            '\'' | '"' => Token::Quoted(self.quoted(first, at)?),
            '=' => Token::Comparator(Comparator::Equal),
            '!' if self.take('=') => Token::Comparator(Comparator::NotEqual),
            '>' if self.take('=') => Token::Comparator(Comparator::GreaterOrEqual),
            '>' => Token::Comparator(Comparator::Greater),
            '<' if self.take('=') => Token::Comparator(Comparator::LessOrEqual),
            '<' => Token::Comparator(Comparator::Less),
            first if first.is_ascii_alphabetic() || first == '_' => {
                Token::Word(self.run(first, |next| next.is_ascii_alphanumeric() || next == '_'))
            }
            first if first.is_ascii_digit() || matches!(first, '+' | '-' | '.') => {
                let continues = |next: char| {
                    next.is_ascii_alphanumeric() || matches!(next, '+' | '-' | '.' | ':')
                };
                Token::Bare(self.run(first, continues))
            }
            _ => {
                return Err(SyntaxError::Expected {
                    expected: "a name, a value or an operator",
                    at,
                });
            }
        };
        Ok(Some((token, at)))
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest.next_if(|(_, character)| *character == wanted).is_some()
    }

    fn run(&mut self, first: char, continues: impl Fn(char) -> bool) -> String {
        let mut text = String::from(first);
        while let Some((_, next)) = self.rest.next_if(|(_, character)| continues(*character)) {
            text.push(next);
        }
        text
    }

    fn quoted(&mut self, quote: char, at: usize) -> Result<String, SyntaxError> {
        let mut text = String::new();
        loop {
            let (index, next) = self.rest.next().ok_or(SyntaxError::Unterminated { at })?;
            if next == quote {
                return Ok(text);
            }
            if next != '\\' {
                text.push(next);
                continue;
            }
            let (_, letter) = self.rest.next().ok_or(SyntaxError::Unterminated { at })?;
            let escape = ESCAPES.iter().find(|(known, _)| *known == letter);
            let (_, meant) = escape.ok_or(SyntaxError::UnknownEscape { at: index + 1 })?;
            text.push(*meant);
        }
    }
}
