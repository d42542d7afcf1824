//! Which exchanges of a journal are meant: by operation, outcome, account, user, key and refund.
//!
//! What must stay true: what can name nothing is refused in words, and never matches nothing in
//! silence.

use super::Entry;
use crate::call::{OperationName, Outcome};
use crate::domain::error_code::ErrorCode;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::toml_text::meant;

/// The keys of a filter.
pub(in crate::http) const KEYS: [&str; 7] =
    ["operation", "outcome", "failed", "account", "user", "key", "refund"];

/// Which exchanges are meant; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct Filter {
    operation: Option<String>,
    outcome: Option<String>,
    failed: bool,
    account: Option<String>,
    user: Option<String>,
    key: Option<String>,
    refund: Option<WantedRefund>,
}

/// A refund by its number or its id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WantedRefund {
    written: String,
    number: Option<RefundNumber>,
}

impl Filter {
    /// Takes in what one of [`KEYS`] is to be; false for any other key.
    ///
    /// # Errors
    /// A sentence, where the value can name nothing.
    pub(in crate::http) fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let text = || Some(value.to_owned());
        match key {
            "operation" => {
                known_operation(value)?;
                self.operation = text();
            }
            "outcome" => {
                known_outcome(value)?;
                self.outcome = text();
            }
            "failed" => {
                let wrong = |_| format!("failed is neither true nor false: `{value}`");
                self.failed = value.parse().map_err(wrong)?;
            }
            "account" => {
                let id = ObjectId::parse(value);
                id.ok_or_else(|| format!("account: `{value}` is no id"))?;
                self.account = text();
            }
            "user" => self.user = text(),
            "key" => self.key = text(),
            "refund" => self.refund = Some(WantedRefund::parse(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether an exchange is meant.
    pub(in crate::http) fn takes(&self, entry: &Entry) -> bool {
        self.differences(entry).is_empty()
    }

    /// That it asks for nothing that only bodies say.
    ///
    /// # Errors
    /// A sentence, where it does.
    pub(in crate::http) fn check_without_bodies(&self) -> Result<(), String> {
        let asks = [("key", self.key.is_some()), ("refund", self.refund.is_some())];
        match asks.into_iter().find(|(_, asks)| *asks) {
            None => Ok(()),
            Some((key, _)) => Err(format!(
                "{key}: the journal of a ledger that is not for testing keeps no bodies, which \
                 alone say this; the audit has it"
            )),
        }
    }

    /// How many things it asks for.
    pub(super) fn len(&self) -> usize {
        let texts = [&self.operation, &self.outcome, &self.account, &self.user, &self.key];
        let texts = texts.into_iter().flatten().count();
        texts + usize::from(self.failed) + usize::from(self.refund.is_some())
    }

    /// What of an exchange is not as it asks for, in words.
    pub(super) fn differences(&self, entry: &Entry) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, wanted: &Option<String>, found: Option<&str>| {
            if let Some(wanted) = wanted.as_deref().filter(|wanted| Some(*wanted) != found) {
                let found = found.unwrap_or("not there");
                differences.push(format!("{what} is {found}, not {wanted}"));
            }
        };
        compare("operation", &self.operation, Some(entry.operation));
        compare("user", &self.user, entry.user.as_deref());
        compare("key", &self.key, entry.key.as_deref());
        let is_named = |id: &&String| Some(*id) == self.account.as_ref();
        let account = entry.accounts.iter().find(is_named).or(entry.accounts.first());
        compare("account", &self.account, account.map(String::as_str));
        if let Some(wanted) = &self.outcome
            && wanted != entry.outcome
            && !entry.answer.contains(&format!("Code>{wanted}<"))
        {
            differences.push(format!("outcome is {}, not {wanted}", entry.outcome));
        }
        if self.failed && !entry.has_failed() {
            differences.push("nothing was refused".to_owned());
        }
        if let Some(refund) = &self.refund
            && !refund.is_in(&entry.request)
            && !refund.is_in(&entry.answer)
        {
            differences.push(format!("the refund {} is not named", refund.written));
        }
        differences
    }
}

fn known_operation(name: &str) -> Result<(), String> {
    let known = || OperationName::named().map(OperationName::name);
    if name == OperationName::Unknown.name() || known().any(|known| known == name) {
        return Ok(());
    }
    Err(format!("operation: there is no `{name}`{}", meant(name, known())))
}

/// An outcome, the code of a row, or a number, as the codes of the REST API are.
fn known_outcome(name: &str) -> Result<(), String> {
    let codes = || ErrorCode::ALL.iter().map(|code| code.name());
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if is_number || Outcome::names().chain(codes()).any(|known| known == name) {
        return Ok(());
    }
    let known = Outcome::names().chain(codes());
    Err(format!("outcome: there is no `{name}`{}", meant(name, known)))
}

impl WantedRefund {
    fn parse(written: &str) -> Result<Self, String> {
        let number = written.strip_prefix("R-").and_then(|digits| digits.parse().ok());
        let number = number.and_then(RefundNumber::new);
        let of_id = ObjectId::parse_stored(written).map(|_| RefundId::parse(written));
        let number = match (number, of_id) {
            (Some(number), _) => Some(number),
            (None, Some(id)) => id.map(RefundId::number),
            (None, None) => {
                let why = "is neither the id nor the number of a refund, such as R-00000001";
                return Err(format!("refund: `{written}` {why}"));
            }
        };
        Ok(Self { written: written.to_owned(), number })
    }

    /// Whether a text names the refund, by its id or by its number.
    fn is_in(&self, text: &str) -> bool {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let mut words = text.split(|letter| !is_part(letter)).filter(|word| word.len() > 9);
        words.any(|word| {
            word == self.written || self.number.is_some_and(|number| names(word, number))
        })
    }
}

fn names(word: &str, number: RefundNumber) -> bool {
    let by_number = || word.strip_prefix("R-").and_then(|digits| digits.parse::<i64>().ok());
    match word.len() {
        32 => RefundId::parse(word).is_some_and(|id| id.number() == number),
        _ => by_number() == Some(number.value()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_is_found_by_its_id_and_by_its_number() {
        let number = RefundNumber::new(12).unwrap();
        let id = RefundId::new(1_700_000_000_000, 7, number).to_string();
        let other = RefundId::new(1_700_000_000_000, 7, RefundNumber::new(13).unwrap()).to_string();
        for wanted in ["R-00000012", &id] {
            let wanted = WantedRefund::parse(wanted).unwrap();
            assert!(wanted.is_in(&format!("<ns1:Id>{id}</ns1:Id>")));
            assert!(wanted.is_in("where RefundNumber = 'R-00000012'"));
            assert!(!wanted.is_in(&format!("<ns1:Id>{other}</ns1:Id>R-00000120 R-000000012x")));
        }
        for wrong in ["12", "R-0", "R-x", "", "P-00000001"] {
            assert!(WantedRefund::parse(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_can_name_nothing_is_refused() {
        let mut filter = Filter::default();
        assert!(filter.set("operation", "craete").unwrap_err().contains("`create`"));
        assert!(filter.set("account", "x").is_err() && filter.set("failed", "yes").is_err());
        assert!(filter.set("outcome", "sucess").unwrap_err().contains("there is no `sucess`"));
        assert!(filter.set("outcome", "orderd").unwrap_err().contains("`ordered`"));
        assert_eq!(filter.set("acount", "x"), Ok(false));
        assert_eq!(filter, Filter::default());
        for key in KEYS {
            let value = match key {
                "operation" => "create",
                "failed" => "true",
                "account" => "402892c72b9e3319012b9e34b88e0001",
                "outcome" => "INVALID_VALUE",
                "refund" => "R-00000001",
                _ => "x",
            };
            assert_eq!(filter.set(key, value), Ok(true), "{key}");
        }
        assert_eq!(filter.len(), KEYS.len());
    }
}
