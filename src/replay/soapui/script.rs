//! The scripts in `${=...}` that only make a value up: a random id or number, a moment, a text.
//!
//! What must stay true: nothing is run. An expression is read as a closed list of calls and
//! literals, is bounded in length and depth, and reads nothing but the clock and randomness;
//! what is not on the list has no value here.

use super::moment::{Pattern, moment_of_epoch};
use chrono::{DateTime, Duration, Utc};

/// How long an expression may be.
const BYTES_MAX: usize = 1024;
/// How deep brackets may nest.
const DEPTH_MAX: usize = 16;
/// How many characters a random text may have.
const RANDOM_CHARACTERS_MAX: i64 = 256;

/// What a part of an expression is.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Whole(i64),
    Moment(DateTime<Utc>),
    /// A random number between 0 and 1 that was not multiplied yet, in 2^-32.
    Fraction(u32),
    /// A number of which only the whole part is known: it is no value before it is cut.
    Uncut(i64),
    /// `new Random()`
    Random,
    /// A formatter of moments.
    Pattern(Pattern),
}

/// The value of an expression at a moment, or none if it is not on the list.
pub(super) fn value(expression: &str, now: DateTime<Utc>) -> Option<String> {
    if expression.len() > BYTES_MAX {
        return None;
    }
    let mut rest = expression.trim().trim_end_matches(';').trim_end();
    while let Some(import) = rest.strip_prefix("import ") {
        rest = import.split_once([';', '\n'])?.1.trim_start();
    }
    let rest = rest.strip_prefix("return ").unwrap_or(rest);
    let mut reader = Reader { rest, now, depth: 0 };
    let value = reader.sum()?;
    reader.blank();
    if reader.rest.is_empty() { value.shown() } else { None }
}

impl Value {
    fn shown(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Whole(number) => Some(number.to_string()),
            Self::Moment(moment) => Some(moment.format("%a %b %d %H:%M:%S UTC %Y").to_string()),
            Self::Fraction(_) | Self::Uncut(_) | Self::Random | Self::Pattern(_) => None,
        }
    }

    fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.checked_add(other).map(Self::Whole),
            (Self::Uncut(one), Self::Whole(other)) | (Self::Whole(other), Self::Uncut(one)) => {
                one.checked_add(other).map(Self::Uncut)
            }
            (Self::Moment(moment), Self::Whole(days)) => {
                moment.checked_add_signed(Duration::try_days(days)?).map(Self::Moment)
            }
            (one @ Self::Text(_), other) | (one, other @ Self::Text(_)) => {
                Some(Self::Text(one.shown()? + &other.shown()?))
            }
            _ => None,
        }
    }

    fn minus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, Self::Whole(number)) if !matches!(one, Self::Text(_)) => {
                one.plus(Self::Whole(number.checked_neg()?))
            }
            _ => None,
        }
    }

    fn times(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.checked_mul(other).map(Self::Whole),
            (Self::Fraction(part), Self::Whole(number))
            | (Self::Whole(number), Self::Fraction(part)) => {
                let number = i128::from(number).checked_mul(i128::from(part))?;
                Some(Self::Uncut(i64::try_from(number >> 32).ok()?))
            }
            _ => None,
        }
    }

    /// Without what follows the point.
    fn whole(self) -> Option<Self> {
        match self {
            Self::Whole(number) | Self::Uncut(number) => Some(Self::Whole(number)),
            Self::Fraction(_) => Some(Self::Whole(0)),
            _ => None,
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
    now: DateTime<Utc>,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<Value> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?;
        let mut sum = self.product()?;
        loop {
            if self.take("+") {
                sum = sum.plus(self.product()?)?;
            } else if self.take("-") {
                sum = sum.minus(self.product()?)?;
            } else {
                self.depth = self.depth.saturating_sub(1);
                return Some(sum);
            }
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut product = self.part()?;
        while self.take("*") {
            product = product.times(self.part()?)?;
        }
        Some(product)
    }

    /// A literal, a call, or something in brackets, and the calls on it.
    fn part(&mut self) -> Option<Value> {
        for cast in ["(int)", "(long)", "(Integer)", "(Long)"] {
            if self.take(cast) {
                return self.part()?.whole();
            }
        }
        self.blank();
        let first = self.rest.chars().next()?;
        let mut value = match first {
            '(' => {
                self.take("(");
                let inside = self.sum()?;
                self.take(")").then_some(inside)?
            }
            '\'' | '"' => Value::Text(self.text(first)?),
            '0'..='9' => self.number()?,
            _ => self.named()?,
        };
        loop {
            if self.take("as int") || self.take("as long") {
                value = value.whole()?;
            } else if self.take(".") {
                let name = self.name()?;
                let arguments = self.arguments()?;
                value = method(value, name, arguments.as_deref())?;
            } else {
                return Some(value);
            }
        }
    }

    /// A literal without escapes, and in double quotes without a `$`, which would expand.
    fn text(&mut self, quote: char) -> Option<String> {
        let (text, rest) = self.rest.get(1..)?.split_once(quote)?;
        self.rest = rest;
        let expands = quote == '"' && text.contains('$');
        (!expands && !text.contains('\\')).then(|| text.to_owned())
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(['L', 'l', 'G', 'g']).unwrap_or(rest);
        // A decimal is only a text here.
        if let Some(after) = rest.strip_prefix('.').filter(|it| it.starts_with(char::is_numeric)) {
            let end = after.find(|it: char| !it.is_ascii_digit()).unwrap_or(after.len());
            let (decimals, rest) = after.split_at(end);
            self.rest = rest;
            return Some(Value::Text(format!("{digits}.{decimals}")));
        }
        digits.parse().ok().map(Value::Whole)
    }

    fn name(&mut self) -> Option<&'t str> {
        self.blank();
        let end = self.rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(name).filter(|name| !name.is_empty())
    }

    /// The arguments of a call, or none if nothing is called.
    fn arguments(&mut self) -> Option<Option<Vec<Value>>> {
        if !self.take("(") {
            return Some(None);
        }
        let mut arguments = Vec::new();
        if self.take(")") {
            return Some(Some(arguments));
        }
        loop {
            arguments.push(self.sum()?);
            if self.take(")") {
                return Some(Some(arguments));
            }
            self.take(",").then_some(())?;
        }
    }

    /// A call on a class, or a new object of one.
    fn named(&mut self) -> Option<Value> {
        let is_new = self.take("new ");
        let mut class = self.name()?;
        loop {
            // Packages are written in small letters, and do not matter.
            let is_package = class.starts_with(|it: char| it.is_ascii_lowercase());
            if !is_package {
                break;
            }
            self.take(".").then_some(())?;
            class = self.name()?;
        }
        if is_new {
            let arguments = self.arguments()??;
            return match (class, arguments.as_slice()) {
                ("Date", []) => Some(Value::Moment(self.now)),
                ("Date", [Value::Whole(millis)]) => moment_of_epoch(*millis).map(Value::Moment),
                ("Random" | "SecureRandom", []) => Some(Value::Random),
                ("SimpleDateFormat", [Value::Text(pattern)]) => {
                    Pattern::read(pattern).map(Value::Pattern)
                }
                ("String", [Value::Text(text)]) => Some(Value::Text(text.clone())),
                _ => None,
            };
        }
        self.take(".").then_some(())?;
        let name = self.name()?;
        let arguments = self.arguments()??;
        called(class, name, arguments, self.now)
    }
}

/// What a function of a class gives.
fn called(class: &str, name: &str, arguments: Vec<Value>, now: DateTime<Utc>) -> Option<Value> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const DIGITS: &str = "0123456789";
    let mut arguments = arguments.into_iter();
    let (first, second) = (arguments.next(), arguments.next());
    match (class, name, first, second) {
        ("UUID", "randomUUID", None, None) => uuid().map(Value::Text),
        ("System", "currentTimeMillis", None, None) => Some(Value::Whole(now.timestamp_millis())),
        ("Math", "random", None, None) => {
            random().and_then(|it| u32::try_from(it >> 32).ok()).map(Value::Fraction)
        }
        ("Math", "abs", Some(value), None) => match value.whole()? {
            Value::Whole(number) => number.checked_abs().map(Value::Whole),
            _ => None,
        },
        ("Math", "round" | "floor", Some(value), None)
        | ("Integer" | "Long" | "String", "valueOf" | "toString", Some(value), None) => {
            value.whole()
        }
        ("RandomStringUtils", _, Some(Value::Whole(count)), None) => {
            let characters = match name {
                "randomNumeric" => DIGITS.to_owned(),
                "randomAlphabetic" => LETTERS.to_owned(),
                "randomAlphanumeric" => format!("{LETTERS}{DIGITS}"),
                _ => return None,
            };
            random_text(count, &characters).map(Value::Text)
        }
        ("TimeZone", "getTimeZone", Some(Value::Text(zone)), None) => {
            matches!(zone.as_str(), "UTC" | "GMT" | "Z").then_some(Value::Text(zone))
        }
        ("LocalDate", "now", None, None) => Some(Value::Text(now.format("%Y-%m-%d").to_string())),
        ("Instant", "now", None, None) => {
            Some(Value::Text(now.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
        }
        _ => None,
    }
}

/// What a method, or a property if there are no brackets, gives of a value.
fn method(value: Value, name: &str, arguments: Option<&[Value]>) -> Option<Value> {
    let arguments = arguments.unwrap_or_default();
    match (value, name, arguments) {
        (value, "toString", []) => value.shown().map(Value::Text),
        (value, "intValue" | "toInteger" | "longValue" | "toLong", []) => value.whole(),
        (Value::Text(text), "toUpperCase", []) => Some(Value::Text(text.to_uppercase())),
        (Value::Text(text), "toLowerCase", []) => Some(Value::Text(text.to_lowercase())),
        (Value::Text(text), "trim", []) => Some(Value::Text(text.trim().to_owned())),
        (Value::Text(text), "replace", [Value::Text(from), Value::Text(to)]) => {
            Some(Value::Text(text.replace(from, to)))
        }
        // What is replaced is a pattern, which is followed as far as it is only a text.
        (Value::Text(text), "replaceAll", [Value::Text(from), Value::Text(to)]) => {
            let is_plain =
                |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | ' ' | '_' | ':');
            let is_plain = from.chars().all(is_plain) && !to.contains(['$', '\\']);
            is_plain.then(|| Value::Text(text.replace(from, to)))
        }
        (Value::Text(text), "substring", [Value::Whole(from), rest @ ..]) => {
            let length = i64::try_from(text.chars().count()).ok()?;
            let to = match rest {
                [] => length,
                [Value::Whole(to)] => *to,
                _ => return None,
            };
            let is_inside = 0 <= *from && *from <= to && to <= length;
            let (from, to) = (usize::try_from(*from).ok()?, usize::try_from(to).ok()?);
            let part = || text.chars().skip(from).take(to.saturating_sub(from)).collect();
            is_inside.then(|| Value::Text(part()))
        }
        (Value::Text(text), "take", [Value::Whole(count)]) => {
            let count = usize::try_from(*count).ok()?;
            Some(Value::Text(text.chars().take(count).collect()))
        }
        (Value::Random, "nextInt", [Value::Whole(bound)]) => below(*bound).map(Value::Whole),
        (Value::Moment(moment), "getTime" | "time", []) => {
            Some(Value::Whole(moment.timestamp_millis()))
        }
        (moment @ Value::Moment(_), "plus", [days]) => moment.plus(days.clone()),
        (moment @ Value::Moment(_), "minus", [days]) => moment.minus(days.clone()),
        (Value::Moment(moment), "format", [Value::Text(pattern), zone @ ..]) => {
            let is_known = matches!(zone, [] | [Value::Text(_)]);
            let pattern = Pattern::read(pattern).filter(|_| is_known)?;
            Some(Value::Text(pattern.format(moment)))
        }
        (Value::Pattern(pattern), "format", [Value::Moment(moment)]) => {
            Some(Value::Text(pattern.format(*moment)))
        }
        (Value::Pattern(pattern), "format", [Value::Whole(millis)]) => {
            Some(Value::Text(pattern.format(moment_of_epoch(*millis)?)))
        }
        _ => None,
    }
}

/// Eight random bytes as a number.
fn random() -> Option<u64> {
    getrandom::u64().ok()
}

/// A random number from 0 up to, but without, a bound.
fn below(bound: i64) -> Option<i64> {
    let bound = u64::try_from(bound).ok().filter(|bound| *bound > 0)?;
    i64::try_from(random()?.checked_rem(bound)?).ok()
}

fn random_text(count: i64, characters: &str) -> Option<String> {
    let characters: Vec<char> = characters.chars().collect();
    let bound = i64::try_from(characters.len()).ok()?;
    if !(0..=RANDOM_CHARACTERS_MAX).contains(&count) {
        return None;
    }
    let character = |_| characters.get(usize::try_from(below(bound)?).ok()?).copied();
    (0..count).map(character).collect()
}

/// A random UUID of version 4.
fn uuid() -> Option<String> {
    let high = (random()? & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
    let low = (random()? & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    let digits = format!("{high:016x}{low:016x}");
    let cut = |from: usize, to: usize| digits.get(from..to);
    let parts = [cut(0, 8)?, cut(8, 12)?, cut(12, 16)?, cut(16, 20)?, cut(20, 32)?];
    Some(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(expression: &str) -> Option<String> {
        let now = DateTime::parse_from_rfc3339("2026-01-30T04:05:06.007Z").expect("a moment");
        value(expression, now.to_utc())
    }

    #[test]
    fn what_the_clock_says_is_formatted() {
        for (expression, expected) in [
            ("new Date().format('yyyy-MM-dd')", "2026-01-30"),
            ("new Date().format(\"yyyy-MM-dd'T'HH:mm:ss.SSSZ\")", "2026-01-30T04:05:06.007+0000"),
            ("(new Date() + 2).format('dd.MM.yy')", "01.02.26"),
            ("(new Date() - 30).format('yyyy-MM-dd')", "2025-12-31"),
            ("new Date().plus(1).format('EEE d MMM')", "Sat 31 Jan"),
            ("new java.text.SimpleDateFormat(\"yyyyMMdd\").format(new Date())", "20260130"),
            (
                "import java.text.SimpleDateFormat; new SimpleDateFormat('HH:mm').format(new \
                 Date()+1)",
                "04:05",
            ),
            (
                "new Date().format('yyyy-MM-dd HH:mm', TimeZone.getTimeZone('UTC'))",
                "2026-01-30 04:05",
            ),
            ("System.currentTimeMillis()", "1769745906007"),
            ("new Date().getTime()", "1769745906007"),
            ("new Date().time", "1769745906007"),
            ("new Date(System.currentTimeMillis() + 86400000L).format('dd')", "31"),
            ("java.time.LocalDate.now().toString()", "2026-01-30"),
            ("'REF-' + new Date().format('yyyy')", "REF-2026"),
        ] {
            assert_eq!(at(expression).as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn literals_and_sums_are_values() {
        for (expression, expected) in [
            ("1+1", "2"),
            ("'a' + 1", "a1"),
            ("\"x\"", "x"),
            ("10.50", "10.50"),
            (" 7 ;", "7"),
            ("'ab-c'.toUpperCase().replace('-', '').substring(1)", "BC"),
        ] {
            assert_eq!(at(expression).as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn what_is_random_has_its_form() {
        let has_form = |expression: &str, form: &str| {
            let value = at(expression).unwrap_or_else(|| panic!("{expression}"));
            let form = regex::Regex::new(&format!("^(?:{form})$")).expect(form);
            assert!(form.is_match(&value), "{expression}: {value}");
        };
        let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
        has_form("java.util.UUID.randomUUID()", uuid);
        has_form("UUID.randomUUID().toString()", uuid);
        has_form("UUID.randomUUID().toString().replaceAll('-','')", "[0-9a-f]{32}");
        has_form("UUID.randomUUID().toString().toUpperCase().substring(0, 8)", "[0-9A-F]{8}");
        has_form("(int)(Math.random()*1000)", "[0-9]{1,3}");
        has_form("(int)(Math.random()*9000)+1000", "[0-9]{4}");
        has_form("Math.round(Math.random() * 10 + 5)", "[0-9]{1,2}");
        has_form("new Random().nextInt(10)", "[0-9]");
        has_form("Math.abs(new java.util.Random().nextInt(10)) + 1", "[0-9]{1,2}");
        let texts = "org.apache.commons.lang.RandomStringUtils";
        has_form(&format!("{texts}.randomNumeric(6)"), "[0-9]{6}");
        has_form(
            &format!("{texts}3.RandomStringUtils.randomAlphabetic(4)")
                .replace("RandomStringUtils3.", "lang3."),
            "[A-Za-z]{4}",
        );
        has_form(&format!("'REF' + {texts}.randomAlphanumeric(5)"), "REF[A-Za-z0-9]{5}");
        assert_ne!(at("UUID.randomUUID()"), at("UUID.randomUUID()"));
    }

    #[test]
    fn whatever_else_a_script_says_has_no_value() {
        let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
        for expression in [
            "",
            "x",
            "1 +",
            "'a",
            "System.getenv('PATH')",
            "System.getProperty('user.home')",
            "new File('/etc/passwd').text",
            "'id'.execute().text",
            "context.expand('${x}')",
            "Math.random()",
            "Math.random() * 10",
            "\"${x}\"",
            "new Date().format('yyyy-QQ')",
            "UUID.randomUUID().toString().replaceAll('[^a]','')",
            "testRunner.testCase.name",
            "RandomStringUtils.randomNumeric(100000)",
            "9223372036854775807 + 1",
            "new Date() + 9223372036854775807",
            "'é'.substring(1, 0)",
            &deep,
        ] {
            assert_eq!(at(expression), None, "{expression}");
        }
    }
}
