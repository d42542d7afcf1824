//! From tokens to an expression, by recursive descent that is bounded.

use super::super::namespaces::XML;
use super::XPathError;
use super::expression::{Axis, Calculation, Comparison, Expression, Start, Step, Test};
use super::function::Function;
use super::token::{Token, tokens};

/// How deep brackets and signs may nest.
pub const NESTING_MAX: usize = 64;

/// Reads an expression whose prefixes mean what `namespaces` says.
pub(super) fn parse(text: &str, namespaces: &[(String, String)]) -> Result<Expression, XPathError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { rest: &tokens, namespaces, depth: 0 };
    let expression = parser.expression()?;
    match parser.rest.first() {
        None => Ok(expression),
        Some(_) => Err(parser.expected("an operator")),
    }
}

struct Parser<'p, 't> {
    rest: &'p [Token<'t>],
    namespaces: &'p [(String, String)],
    depth: usize,
}

impl<'p, 't> Parser<'p, 't> {
    fn peek(&self) -> Option<&'p Token<'t>> {
        self.rest.first()
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn is_at(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_at = self.is_at(sign);
        if is_at {
            self.skip();
        }
        is_at
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), XPathError> {
        if self.take(sign) { Ok(()) } else { Err(self.expected(&format!("`{sign}`"))) }
    }

    fn expected(&self, what: &str) -> XPathError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Sign(sign)) => format!("`{sign}`"),
            Some(Token::Text(text)) => format!("the text `{text}`"),
            Some(Token::Number(_)) => "a number".to_owned(),
            Some(Token::Variable(name)) => format!("`${name}`"),
            Some(Token::Name("", name) | Token::Call("", name)) => format!("`{name}`"),
            Some(Token::Name(prefix, name) | Token::Call(prefix, name)) => {
                format!("`{prefix}:{name}`")
            }
            Some(Token::Any) => "`*`".to_owned(),
            Some(Token::AnyOf(prefix)) => format!("`{prefix}:*`"),
            Some(Token::AnyNamed(name)) => format!("`*:{name}`"),
            Some(Token::Axis(name)) => format!("`{name}::`"),
        };
        XPathError::Syntax(format!("expected {what}, found {found}"))
    }

    /// An expression of any kind, inside of brackets or as the whole.
    fn expression(&mut self) -> Result<Expression, XPathError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            let why = format!("its brackets nest deeper than {NESTING_MAX}");
            return Err(XPathError::Syntax(why));
        }
        let mut alternatives = vec![self.conjunction()?];
        while self.take("or") {
            alternatives.push(self.conjunction()?);
        }
        self.depth -= 1;
        Ok(alone_or(alternatives, Expression::Or))
    }

    fn conjunction(&mut self) -> Result<Expression, XPathError> {
        let mut parts = vec![self.equality()?];
        while self.take("and") {
            parts.push(self.equality()?);
        }
        Ok(alone_or(parts, Expression::And))
    }

    fn equality(&mut self) -> Result<Expression, XPathError> {
        let signs = [("=", Comparison::Equal), ("!=", Comparison::Unequal)];
        self.chain(&signs, Self::relation, Expression::Compare)
    }

    fn relation(&mut self) -> Result<Expression, XPathError> {
        let signs = [
            ("<", Comparison::Less),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            (">=", Comparison::GreaterOrEqual),
        ];
        self.chain(&signs, Self::sum, Expression::Compare)
    }

    fn sum(&mut self) -> Result<Expression, XPathError> {
        let signs = [("+", Calculation::Add), ("-", Calculation::Subtract)];
        self.chain(&signs, Self::product, Expression::Calculate)
    }

    fn product(&mut self) -> Result<Expression, XPathError> {
        let signs = [
            ("*", Calculation::Multiply),
            ("div", Calculation::Divide),
            ("mod", Calculation::Remainder),
        ];
        self.chain(&signs, Self::signed, Expression::Calculate)
    }

    /// Operands with operators of one rank between them.
    fn chain<O: Copy>(
        &mut self,
        signs: &[(&str, O)],
        operand: fn(&mut Self) -> Result<Expression, XPathError>,
        chained: fn(Box<Expression>, Vec<(O, Expression)>) -> Expression,
    ) -> Result<Expression, XPathError> {
        let first = operand(self)?;
        let mut further = Vec::new();
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.is_at(sign)) {
            self.skip();
            further.push((*operator, operand(self)?));
        }
        Ok(if further.is_empty() { first } else { chained(Box::new(first), further) })
    }

    fn signed(&mut self) -> Result<Expression, XPathError> {
        let mut signs = 0_usize;
        while self.take("-") {
            signs += 1;
        }
        let operand = self.union()?;
        Ok(match signs {
            0 => operand,
            // Twice is more than nothing: it makes a number.
            _ if signs.is_multiple_of(2) => {
                Expression::Negate(Box::new(Expression::Negate(Box::new(operand))))
            }
            _ => Expression::Negate(Box::new(operand)),
        })
    }

    fn union(&mut self) -> Result<Expression, XPathError> {
        let mut parts = vec![self.path()?];
        while self.take("|") {
            parts.push(self.path()?);
        }
        Ok(alone_or(parts, Expression::Union))
    }

    fn path(&mut self) -> Result<Expression, XPathError> {
        if self.take("/") {
            let steps = if self.begins_step() { self.steps()? } else { Vec::new() };
            return Ok(Expression::Path(Start::Root, steps));
        }
        if self.is_at("//") {
            return Ok(Expression::Path(Start::Root, self.further_steps(Vec::new())?));
        }
        if self.begins_step() {
            return Ok(Expression::Path(Start::Context, self.steps()?));
        }
        let primary = self.primary()?;
        let predicates = self.predicates()?;
        let steps = self.further_steps(Vec::new())?;
        if predicates.is_empty() && steps.is_empty() {
            return Ok(primary);
        }
        Ok(Expression::Path(Start::Filter(Box::new(primary), predicates), steps))
    }

    fn primary(&mut self) -> Result<Expression, XPathError> {
        let token = self.peek();
        match token {
            Some(Token::Sign("(")) => {
                self.skip();
                let inside = self.expression()?;
                self.expect(")")?;
                Ok(inside)
            }
            Some(Token::Text(text)) => {
                self.skip();
                Ok(Expression::Text((*text).to_owned()))
            }
            Some(Token::Number(number)) => {
                self.skip();
                Ok(Expression::Number(*number))
            }
            Some(Token::Variable(name)) => {
                Err(XPathError::Unknown(format!("the variable `${name}` has no value here")))
            }
            Some(Token::Call(prefix, name)) => {
                self.skip();
                self.call(prefix, name)
            }
            _ => Err(self.expected("an expression")),
        }
    }

    fn call(&mut self, prefix: &str, name: &str) -> Result<Expression, XPathError> {
        if !prefix.is_empty() {
            self.namespace(prefix)?;
            let why = format!("the function `{prefix}:{name}` is not known here");
            return Err(XPathError::Unknown(why));
        }
        let function = Function::of(name).ok_or_else(|| {
            XPathError::Unknown(format!("the function `{name}` is not known here"))
        })?;
        let mut arguments = Vec::new();
        if !self.take(")") {
            arguments.push(self.expression()?);
            while self.take(",") {
                arguments.push(self.expression()?);
            }
            self.expect(")")?;
        }
        if !function.arguments().contains(&arguments.len()) {
            let why = format!("the function `{name}` does not take {} arguments", arguments.len());
            return Err(XPathError::Unknown(why));
        }
        Ok(Expression::Call(function, arguments))
    }

    /// Whether a step of a path begins here.
    fn begins_step(&self) -> bool {
        match self.peek() {
            Some(Token::Sign(sign)) => matches!(*sign, "." | ".." | "@"),
            Some(Token::Call("", name)) => is_node_type(name),
            Some(
                Token::Name(..)
                | Token::Any
                | Token::AnyOf(_)
                | Token::AnyNamed(_)
                | Token::Axis(_),
            ) => true,
            _ => false,
        }
    }

    fn steps(&mut self) -> Result<Vec<Step>, XPathError> {
        let first = self.step()?;
        self.further_steps(vec![first])
    }

    fn further_steps(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>, XPathError> {
        loop {
            let is_deep = self.is_at("//");
            if !is_deep && !self.is_at("/") {
                return Ok(steps);
            }
            self.skip();
            let mut step = self.step()?;
            if is_deep && step.axis == Axis::Child && step.predicates.is_empty() {
                // The same nodes, found in one go.
                step.axis = Axis::Descendant;
            } else if is_deep {
                steps.push(any(Axis::DescendantOrSelf));
            }
            steps.push(step);
        }
    }

    fn step(&mut self) -> Result<Step, XPathError> {
        let here = [(".", Axis::Itself), ("..", Axis::Parent)];
        if let Some((_, axis)) = here.into_iter().find(|(sign, _)| self.take(sign)) {
            // XPath 1.0 has no predicates here; such an expression is one of 2.0.
            return Ok(Step { predicates: self.predicates()?, ..any(axis) });
        }
        let axis = match self.peek() {
            Some(Token::Axis(name)) => {
                let axis = Axis::of(name)
                    .ok_or_else(|| XPathError::Syntax(format!("there is no axis `{name}`")))?;
                self.skip();
                axis
            }
            Some(Token::Sign("@")) => {
                self.skip();
                Axis::Attribute
            }
            _ => Axis::Child,
        };
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn test(&mut self) -> Result<Test, XPathError> {
        let test = match self.peek() {
            Some(Token::Any) => Test::Any,
            Some(Token::AnyOf(prefix)) => Test::Namespace(self.namespace(prefix)?),
            Some(Token::AnyNamed(name)) => Test::Local((*name).to_owned()),
            Some(Token::Name(prefix, name)) => {
                let namespace =
                    if prefix.is_empty() { String::new() } else { self.namespace(prefix)? };
                Test::Name { namespace, local: (*name).to_owned() }
            }
            Some(Token::Call("", name)) if is_node_type(name) => {
                self.skip();
                return self.node_type(name);
            }
            Some(Token::Call("", name)) => {
                let why = format!("a call of `{name}` as a step of a path is of XPath 2.0");
                return Err(XPathError::Unknown(why));
            }
            _ => return Err(self.expected("a name")),
        };
        self.skip();
        Ok(test)
    }

    fn node_type(&mut self, name: &str) -> Result<Test, XPathError> {
        let test = match name {
            "text" => Test::Text,
            "comment" => Test::Comment,
            "node" => Test::Node,
            _ => {
                if matches!(self.peek(), Some(Token::Text(_))) {
                    self.skip();
                }
                Test::Instruction
            }
        };
        self.expect(")")?;
        Ok(test)
    }

    fn predicates(&mut self) -> Result<Vec<Expression>, XPathError> {
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.expression()?);
            self.expect("]")?;
        }
        Ok(predicates)
    }

    fn namespace(&self, prefix: &str) -> Result<String, XPathError> {
        let declared = self.namespaces.iter().rev().find(|(known, _)| known == prefix);
        match declared {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if prefix == "xml" => Ok(XML.to_owned()),
            None => Err(XPathError::Undeclared(prefix.to_owned())),
        }
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}

/// A step to any node of an axis.
fn any(axis: Axis) -> Step {
    Step { axis, test: Test::Node, predicates: Vec::new() }
}

/// The only one of a list, or all of it as what it makes together.
fn alone_or(mut parts: Vec<Expression>, together: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() > 1 {
        return together(parts);
    }
    parts.pop().unwrap_or_else(|| together(Vec::new()))
}
