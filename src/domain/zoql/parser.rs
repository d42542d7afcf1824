//! From words to the tree. One word of look-ahead is enough, and nothing is nested.

use super::lexer::{Lexer, Placed, Token};
use super::{
    CHARS_MAX, CONDITIONS_MAX, Comparison, Literal, Operator, Position, Query, SyntaxError,
};
use crate::domain::calendar::Moment;
use crate::domain::money::parse_decimal;

/// Words that are never names.
const RESERVED: [&str; 9] =
    ["select", "from", "where", "and", "or", "like", "null", "true", "false"];

/// Reads a query.
pub fn parse(text: &str) -> Result<Query, SyntaxError> {
    if text.chars().nth(CHARS_MAX).is_some() {
        return Err(SyntaxError::TooLong);
    }
    let mut lexer = Lexer::new(text);
    let next = lexer.next()?;
    Parser { lexer, next }.query()
}

struct Parser<'q> {
    lexer: Lexer<'q>,
    next: Option<Placed>,
}

impl Parser<'_> {
    fn query(mut self) -> Result<Query, SyntaxError> {
        self.keyword("select", "`select`")?;
        let mut fields = vec![self.name("a field name")?];
        while self.take(|token| *token == Token::Comma)?.is_some() {
            fields.push(self.name("a field name")?);
        }
        self.keyword("from", "`,` or `from`")?;
        let object = self.name("an object name")?;
        let conditions = if self.take_keyword("where")? { self.conditions()? } else { Vec::new() };
        if self.next.is_some() {
            let expected =
                if conditions.is_empty() { "`where` or the end" } else { "`and`, `or` or the end" };
            return Err(self.expected(expected));
        }
        Ok(Query { fields, object, conditions })
    }

    fn conditions(&mut self) -> Result<Vec<Vec<Comparison>>, SyntaxError> {
        let mut groups = Vec::new();
        let mut group = vec![self.comparison()?];
        let mut count = 1;
        loop {
            let is_and = self.take_keyword("and")?;
            if !is_and {
                groups.push(std::mem::take(&mut group));
                if !self.take_keyword("or")? {
                    return Ok(groups);
                }
            }
            count += 1;
            if count > CONDITIONS_MAX {
                return Err(SyntaxError::TooManyConditions { at: self.at() });
            }
            group.push(self.comparison()?);
        }
    }

    fn comparison(&mut self) -> Result<Comparison, SyntaxError> {
        let field = self.name("a field name")?;
        let operator_at = Position(self.at());
        let operator = if self.take_keyword("like")? {
            Operator::Like
        } else {
            match self.take(|token| matches!(token, Token::Comparator(_)))? {
                Some((Token::Comparator(comparator), _)) => Operator::Order(comparator),
                _ => return Err(self.expected("an operator")),
            }
        };
        let literal_at = Position(self.at());
        let literal = self.literal()?;
        Ok(Comparison { field, operator, literal, operator_at, literal_at })
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        for (word, literal) in [
            ("null", Literal::Null),
            ("true", Literal::Boolean(true)),
            ("false", Literal::Boolean(false)),
        ] {
            if self.take_keyword(word)? {
                return Ok(literal);
            }
        }
        let is_value = |token: &Token| match token {
            Token::Quoted(_) => true,
            Token::Bare(text) => parse_decimal(text).is_some() || Moment::parse(text).is_some(),
            _ => false,
        };
        match self.take(is_value)? {
            Some((Token::Quoted(text), _)) => Ok(Literal::Quoted(text)),
            Some((Token::Bare(text), _)) => Ok(Literal::Bare(text)),
            _ => Err(self.expected("a value")),
        }
    }

    fn name(&mut self, expected: &'static str) -> Result<String, SyntaxError> {
        let is_name = |token: &Token| match token {
            Token::Word(word) => !RESERVED.iter().any(|one| one.eq_ignore_ascii_case(word)),
            _ => false,
        };
        match self.take(is_name)? {
            Some((Token::Word(text), _)) => Ok(text),
            _ => Err(self.expected(expected)),
        }
    }

    fn keyword(&mut self, word: &str, expected: &'static str) -> Result<(), SyntaxError> {
        if self.take_keyword(word)? { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn take_keyword(&mut self, wanted: &str) -> Result<bool, SyntaxError> {
        let is_wanted =
            |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        self.take(is_wanted).map(|taken| taken.is_some())
    }

    /// The next word, if it is such a one.
    fn take(&mut self, wanted: impl Fn(&Token) -> bool) -> Result<Option<Placed>, SyntaxError> {
        if !self.next.as_ref().is_some_and(|(token, _)| wanted(token)) {
            return Ok(None);
        }
        let following = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.next, following))
    }

    /// Where the next word stands.
    fn at(&self) -> usize {
        self.next.as_ref().map_or_else(|| self.lexer.end(), |(_, at)| *at)
    }

    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError::Expected { expected, at: self.at() }
    }
}
