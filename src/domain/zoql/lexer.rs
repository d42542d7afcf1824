//! The words of a query: names, values, operators and commas, each with its place.

use super::{Comparator, SyntaxError};

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
    rest: &'q str,
    /// How many characters come before the rest.
    before: usize,
    end: usize,
}

impl<'q> Lexer<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        Self { rest: text, before: 0, end: text.chars().count() + 1 }
    }

    /// One after the last character.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Placed>, SyntaxError> {
        self.run(char::is_whitespace);
        let at = self.before + 1;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let token = match first {
            first if first.is_ascii_alphabetic() || first == '_' => {
                let word = self.run(|next| next.is_ascii_alphanumeric() || next == '_');
                Token::Word(word.to_owned())
            }
            first if first.is_ascii_digit() || matches!(first, '+' | '-' | '.') => {
                let continues = |next: char| {
                    next.is_ascii_alphanumeric() || matches!(next, '+' | '-' | '.' | ':')
                };
                Token::Bare(self.run(continues).to_owned())
            }
            quote @ ('\'' | '"') => {
                self.take(quote);
                Token::Quoted(self.quoted(quote, at)?)
            }
            _ => self.sign(at)?,
        };
        Ok(Some((token, at)))
    }

    /// A comma or an operator, which are all that is left.
    fn sign(&mut self, at: usize) -> Result<Token, SyntaxError> {
        let signs = [
            (",", Token::Comma),
            ("=", Token::Comparator(Comparator::Equal)),
            ("!=", Token::Comparator(Comparator::NotEqual)),
            (">=", Token::Comparator(Comparator::GreaterOrEqual)),
            (">", Token::Comparator(Comparator::Greater)),
            ("<=", Token::Comparator(Comparator::LessOrEqual)),
            ("<", Token::Comparator(Comparator::Less)),
        ];
        let found = signs.into_iter().find(|(sign, _)| self.rest.starts_with(sign));
        let expected = "a name, a value or an operator";
        let (sign, token) = found.ok_or(SyntaxError::Expected { expected, at })?;
        self.skip(sign.len());
        Ok(token)
    }

    /// Takes the next character, if it is this one.
    fn take(&mut self, wanted: char) -> bool {
        let is_next = self.rest.starts_with(wanted);
        if is_next {
            self.skip(wanted.len_utf8());
        }
        is_next
    }

    /// Takes what begins the rest and is so many bytes long.
    fn skip(&mut self, bytes: usize) -> &'q str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.before += taken.chars().count();
        taken
    }

    /// Takes all characters up to the first that does not continue them.
    fn run(&mut self, continues: impl Fn(char) -> bool) -> &'q str {
        let end = self.rest.find(|next| !continues(next)).unwrap_or(self.rest.len());
        self.skip(end)
    }

    /// A text whose opening quote, at `at`, was taken.
    fn quoted(&mut self, quote: char, at: usize) -> Result<String, SyntaxError> {
        let mut text = String::new();
        loop {
            text.push_str(self.run(|next| next != quote && next != '\\'));
            if self.take(quote) {
                return Ok(text);
            }
            let escape_at = self.before + 1;
            if !self.take('\\') {
                return Err(SyntaxError::Unterminated { at });
            }
            let letter = self.rest.chars().next().ok_or(SyntaxError::Unterminated { at })?;
            let escape = ESCAPES.iter().find(|(known, _)| *known == letter);
            let (_, meant) = escape.ok_or(SyntaxError::UnknownEscape { at: escape_at })?;
            self.take(letter);
            text.push(*meant);
        }
    }
}
