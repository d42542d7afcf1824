//! The functions: the core library of XPath 1.0, and some of 2.0.

use super::super::characters::is_space;
use super::super::namespaces::XML;
use super::evaluate::{Context, Evaluation};
use super::expression::Expression;
use super::nodes::Node;
use super::{XPathError, XPathValue, number, value};
use regex::RegexBuilder;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// How large a compiled pattern may be.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// What compiling a pattern costs, in steps.
const PATTERN_STEPS: usize = 2_000;

/// Name, function and how many arguments it takes.
type Known = (&'static str, Function, RangeInclusive<usize>);

macro_rules! functions {
    ($($name:literal $function:ident $arguments:expr;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function { $($function),* }

        const KNOWN: &[Known] = &[$(($name, Function::$function, $arguments)),*];
    };
}

functions! {
    "last" Last 0..=0;
    "position" Position 0..=0;
    "count" Count 1..=1;
    "id" Id 1..=1;
    "local-name" LocalName 0..=1;
    "namespace-uri" NamespaceUri 0..=1;
    "name" Name 0..=1;
    "string" String 0..=1;
    "concat" Concat 2..=usize::MAX;
    "starts-with" StartsWith 2..=2;
    "contains" Contains 2..=2;
    "substring-before" SubstringBefore 2..=2;
    "substring-after" SubstringAfter 2..=2;
    "substring" Substring 2..=3;
    "string-length" StringLength 0..=1;
    "normalize-space" NormalizeSpace 0..=1;
    "translate" Translate 3..=3;
    "boolean" Boolean 1..=1;
    "not" Not 1..=1;
    "true" True 0..=0;
    "false" False 0..=0;
    "lang" Lang 1..=1;
    "number" Number 0..=1;
    "sum" Sum 1..=1;
    "floor" Floor 1..=1;
    "ceiling" Ceiling 1..=1;
    "round" Round 1..=1;
    // From here on XPath 2.0.
    "exists" Exists 1..=1;
    "empty" Empty 1..=1;
    "matches" Matches 2..=3;
    "ends-with" EndsWith 2..=2;
    "lower-case" LowerCase 1..=1;
    "upper-case" UpperCase 1..=1;
}

impl Function {
    pub(super) fn of(name: &str) -> Option<Self> {
        KNOWN.iter().find(|(known, ..)| *known == name).map(|(_, function, _)| *function)
    }

    /// How many arguments it takes.
    pub(super) fn arguments(self) -> RangeInclusive<usize> {
        let known = KNOWN.iter().find(|(_, function, _)| *function == self);
        known.map_or(0..=0, |(_, _, arguments)| arguments.clone())
    }
}

/// A call that is evaluated.
struct Call<'c, 'e, 'n> {
    evaluation: &'c mut Evaluation<'e, 'n>,
    arguments: &'c [Expression],
    context: Context,
}

/// Evaluates a call. The parser has seen to the number of the arguments.
pub(super) fn call(
    evaluation: &mut Evaluation<'_, '_>,
    function: Function,
    arguments: &[Expression],
    context: Context,
) -> Result<XPathValue, XPathError> {
    let mut call = Call { evaluation, arguments, context };
    match function {
        Function::Last
        | Function::Position
        | Function::Count
        | Function::Number
        | Function::Sum
        | Function::Floor
        | Function::Ceiling
        | Function::Round
        | Function::StringLength => call.number_of(function).map(XPathValue::Number),
        Function::StartsWith
        | Function::Contains
        | Function::Boolean
        | Function::Not
        | Function::True
        | Function::False
        | Function::Lang
        | Function::Exists
        | Function::Empty
        | Function::Matches
        | Function::EndsWith => call.truth_of(function).map(XPathValue::Truth),
        // Without a DOCTYPE no attribute is an id.
        Function::Id => call.value(0).map(|_| XPathValue::Nodes(Vec::new())),
        _ => {
            let text = call.text_of(function)?;
            call.evaluation.budget.spend_on(&text)?;
            Ok(XPathValue::Text(text))
        }
    }
}

impl Call<'_, '_, '_> {
    fn value(&mut self, at: usize) -> Result<XPathValue, XPathError> {
        match self.arguments.get(at) {
            Some(argument) => self.evaluation.value(argument, self.context),
            // What is left out is the node of the context.
            None => Ok(XPathValue::Nodes(vec![self.context.node])),
        }
    }

    fn string(&mut self, at: usize) -> Result<String, XPathError> {
        let value = self.value(at)?;
        value::string(value, self.evaluation.nodes, &self.evaluation.budget)
    }

    fn number(&mut self, at: usize) -> Result<f64, XPathError> {
        let value = self.value(at)?;
        value::number(value, self.evaluation.nodes, &self.evaluation.budget)
    }

    fn set(&mut self, what: &'static str) -> Result<Vec<Node>, XPathError> {
        match self.value(0)? {
            XPathValue::Nodes(nodes) => Ok(nodes),
            _ => Err(XPathError::NoNodes(what)),
        }
    }

    fn number_of(&mut self, function: Function) -> Result<f64, XPathError> {
        Ok(match function {
            Function::Last => number::from_count(self.context.size),
            Function::Position => number::from_count(self.context.position),
            Function::Count => number::from_count(self.set("what `count` counts")?.len()),
            Function::Sum => {
                let mut numbers = Vec::new();
                for node in self.set("what `sum` adds")? {
                    let Evaluation { nodes, budget, .. } = &self.evaluation;
                    numbers.push(number::from_text(&value::text(nodes, node, budget)?));
                }
                number::sum(numbers.into_iter())
            }
            Function::Floor => self.number(0)?.floor(),
            Function::Ceiling => self.number(0)?.ceil(),
            Function::Round => number::round(self.number(0)?),
            Function::StringLength => number::from_count(self.string(0)?.chars().count()),
            _ => self.number(0)?,
        })
    }

    fn truth_of(&mut self, function: Function) -> Result<bool, XPathError> {
        Ok(match function {
            Function::True => true,
            Function::Boolean => value::truth(&self.value(0)?),
            Function::Not => !value::truth(&self.value(0)?),
            Function::StartsWith => self.string(0)?.starts_with(&self.string(1)?),
            Function::EndsWith => self.string(0)?.ends_with(&self.string(1)?),
            Function::Contains => self.string(0)?.contains(&self.string(1)?),
            Function::Exists => self.has_items()?,
            Function::Empty => !self.has_items()?,
            Function::Matches => self.matches()?,
            Function::Lang => self.lang()?,
            _ => false,
        })
    }

    /// Whether the argument is anything but no nodes.
    fn has_items(&mut self) -> Result<bool, XPathError> {
        Ok(!matches!(self.value(0)?, XPathValue::Nodes(nodes) if nodes.is_empty()))
    }

    fn text_of(&mut self, function: Function) -> Result<String, XPathError> {
        Ok(match function {
            Function::LocalName | Function::NamespaceUri | Function::Name => {
                let set = self.set("what has a name")?;
                let nodes = self.evaluation.nodes;
                let name = set.first().map(|node| match function {
                    Function::LocalName => nodes.local(*node),
                    Function::Name => nodes.qualified(*node),
                    _ => nodes.namespace(*node),
                });
                name.unwrap_or_default().to_owned()
            }
            Function::Concat => {
                let mut all = String::new();
                for at in 0..self.arguments.len() {
                    all.push_str(&self.string(at)?);
                }
                all
            }
            Function::SubstringBefore => {
                let (text, mark) = (self.string(0)?, self.string(1)?);
                text.split_once(&mark).map_or_else(String::new, |(before, _)| before.to_owned())
            }
            Function::SubstringAfter => {
                let (text, mark) = (self.string(0)?, self.string(1)?);
                text.split_once(&mark).map_or_else(String::new, |(_, after)| after.to_owned())
            }
            Function::Substring => {
                let (text, from) = (self.string(0)?, self.number(1)?);
                let length = match self.arguments.len() {
                    3 => Some(self.number(2)?),
                    _ => None,
                };
                number::substring(&text, from, length)
            }
            Function::NormalizeSpace => {
                let text = self.string(0)?;
                let is_white = |it: char| u8::try_from(it).is_ok_and(is_space);
                let words: Vec<&str> =
                    text.split(is_white).filter(|word| !word.is_empty()).collect();
                words.join(" ")
            }
            Function::Translate => {
                let (text, from, to) = (self.string(0)?, self.string(1)?, self.string(2)?);
                translated(&text, &from, &to)
            }
            Function::LowerCase => self.string(0)?.to_lowercase(),
            Function::UpperCase => self.string(0)?.to_uppercase(),
            _ => self.string(0)?,
        })
    }

    /// Whether the context is in the language, by the nearest `xml:lang`.
    fn lang(&mut self) -> Result<bool, XPathError> {
        let wanted = self.string(0)?.to_lowercase();
        let nodes = self.evaluation.nodes;
        let mut at = Some(self.context.node);
        while let Some(node) = at {
            let mut attributes = nodes.attributes(node);
            let lang =
                attributes.find(|it| nodes.local(*it) == "lang" && nodes.namespace(*it) == XML);
            if let Some(lang) = lang {
                let lang = nodes.text(lang).to_lowercase();
                let rest = lang.strip_prefix(&wanted);
                return Ok(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')));
            }
            at = nodes.parent(node);
        }
        Ok(false)
    }

    fn matches(&mut self) -> Result<bool, XPathError> {
        let (text, pattern) = (self.string(0)?, self.string(1)?);
        let flags = if self.arguments.len() > 2 { self.string(2)? } else { String::new() };
        if let Some(flag) = flags.chars().find(|flag| !"smix".contains(*flag)) {
            return Err(XPathError::Unknown(format!("`matches` has no flag `{flag}`")));
        }
        let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}:{pattern})") };
        let Evaluation { budget, pattern: last, .. } = &mut *self.evaluation;
        budget.spend_on(&text)?;
        if last.as_ref().is_none_or(|(known, _)| *known != pattern) {
            budget.spend(PATTERN_STEPS)?;
            let built = RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES_MAX).build();
            let built = built.map_err(|_| {
                XPathError::Unknown(format!("the pattern `{pattern}` is not understood"))
            })?;
            *last = Some((pattern, built));
        }
        Ok(last.as_ref().is_some_and(|(_, built)| built.is_match(&text)))
    }
}

/// The text with each character of `from` as the one of `to` at its place, or left out.
fn translated(text: &str, from: &str, to: &str) -> String {
    let mut table = HashMap::new();
    let mut to = to.chars();
    for character in from.chars() {
        let new = to.next();
        table.entry(character).or_insert(new);
    }
    let new = |it: char| table.get(&it).copied().unwrap_or(Some(it));
    text.chars().filter_map(new).collect()
}
