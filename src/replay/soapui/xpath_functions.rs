//! Functions of XPath 2.0 that testers use and XPath 1.0 lacks.

use regex::RegexBuilder;
use sxd_xpath::function::{Args, Error, Function};
use sxd_xpath::{Context, Value, context};

/// How large a compiled pattern may be.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Copy)]
enum Added {
    Exists,
    Empty,
    Matches,
    EndsWith,
    LowerCase,
    UpperCase,
}

/// Makes the functions known.
pub(super) fn add_to(context: &mut Context<'_>) {
    for (name, function) in [
        ("exists", Added::Exists),
        ("empty", Added::Empty),
        ("matches", Added::Matches),
        ("ends-with", Added::EndsWith),
        ("lower-case", Added::LowerCase),
        ("upper-case", Added::UpperCase),
    ] {
        context.set_function(name, function);
    }
}

impl Function for Added {
    fn evaluate<'c, 'd>(
        &self,
        _context: &context::Evaluation<'c, 'd>,
        args: Vec<Value<'d>>,
    ) -> Result<Value<'d>, Error> {
        let mut args = Args(args);
        args.exactly(match self {
            Self::Matches | Self::EndsWith => 2,
            Self::Exists | Self::Empty | Self::LowerCase | Self::UpperCase => 1,
        })?;
        Ok(match self {
            Self::Exists => Value::Boolean(has_items(&mut args)?),
            Self::Empty => Value::Boolean(!has_items(&mut args)?),
            Self::LowerCase => Value::String(args.pop_string()?.to_lowercase()),
            Self::UpperCase => Value::String(args.pop_string()?.to_uppercase()),
            Self::EndsWith => {
                let end = args.pop_string()?;
                Value::Boolean(args.pop_string()?.ends_with(&end))
            }
            Self::Matches => {
                let pattern = args.pop_string()?;
                let pattern = RegexBuilder::new(&pattern)
                    .size_limit(PATTERN_BYTES_MAX)
                    .build()
                    .map_err(|error| Error::Other(error.to_string()))?;
                Value::Boolean(pattern.is_match(&args.pop_string()?))
            }
        })
    }
}

/// Whether the argument is anything but no nodes.
fn has_items(args: &mut Args<'_>) -> Result<bool, Error> {
    Ok(match args.0.pop().ok_or(Error::ArgumentMissing)? {
        Value::Nodeset(nodes) => nodes.size() > 0,
        Value::Boolean(_) | Value::Number(_) | Value::String(_) => true,
    })
}
