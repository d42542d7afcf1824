//! Faults to order, as JSON writes them.
//!
//! What must stay true: a rule says one thing that happens, and beside it at most what the answer
//! looks like from outside; what is written reads back.

use super::ordered_headers;
use crate::call::OperationName;
use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::domain::number::saturated;
use crate::domain::row_error::RowError;
use crate::domain::text::Text;
use crate::domain::toml_text::meant;
use crate::service::faults::{Effect, FaultRule, StandingRule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest delay, in milliseconds.
const DELAY_MS_MAX: u64 = 120_000;
/// The longest text, in characters.
const TEXT_CHARS_MAX: usize = 1_000;
/// The types that a body to order may have.
const CONTENT_TYPES: [&str; 4] =
    ["text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json", "text/xml"];

/// What can happen.
const EFFECTS: &str = "row, fault, reset, truncate, cut_off and body";

/// A rule as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenFault {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    skip: u32,
    /// Absent: once. 0: until it is removed.
    times: Option<u32>,
    delay_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<WrittenError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<WrittenError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_off: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<WrittenBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenError {
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum When {
    Before,
    After,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBody {
    status: u16,
    content_type: Option<String>,
    text: String,
}

/// A rule that stands, with its number.
#[derive(Debug, Serialize)]
pub(super) struct OrderedFault {
    id: u64,
    #[serde(flatten)]
    written: WrittenFault,
}

impl WrittenFault {
    /// The rule, or what is wrong with it.
    pub(super) fn checked(self) -> Result<FaultRule, String> {
        if let Some(operation) = &self.operation
            && !OperationName::named().any(|known| known.name() == operation)
        {
            let known = OperationName::named().map(OperationName::name);
            return Err(format!("operation: {}", none_of(operation, known)));
        }
        let account = match self.account {
            None => None,
            Some(id) => {
                Some(ObjectId::parse(&id).ok_or_else(|| format!("account: `{id}` is no id"))?)
            }
        };
        if self.delay_ms > DELAY_MS_MAX {
            return Err(format!("delay_ms: at most {DELAY_MS_MAX}"));
        }
        let effects = [
            self.row.map(WrittenError::row).transpose()?,
            self.fault.map(WrittenError::fault).transpose()?,
            self.reset.map(|when| Effect::Reset { after: matches!(when, When::After) }),
            self.truncate.map(|bytes| Effect::Truncate { bytes }),
            self.cut_off.map(|bytes| Effect::CutOff { bytes }),
            self.body.map(WrittenBody::checked).transpose()?,
        ];
        let (status, headers) =
            (self.status.map(status).transpose()?, ordered_headers::checked(self.headers)?);
        let operation = self.operation.as_deref().and_then(OperationName::from_name);
        let has_rows = operation.is_some_and(OperationName::has_rows);
        if effects.iter().flatten().any(|effect| matches!(effect, Effect::Rows(_))) && !has_rows {
            let needed = "create, update or delete, or one of REST that changes something";
            return Err(format!("row: needs the operation {needed}"));
        }
        let mut effects = effects.into_iter().flatten();
        let effect = effects.next();
        if effects.next().is_some() {
            return Err(format!("say one of {EFFECTS}"));
        }
        let is_dressed = status.is_some() || !headers.is_empty();
        match &effect {
            None if self.delay_ms == 0 && !is_dressed => {
                return Err(format!("say delay_ms, status, headers, or one of {EFFECTS}"));
            }
            Some(Effect::Reset { .. }) if is_dressed => {
                return Err("reset: there is no answer to give a status or headers".to_owned());
            }
            Some(Effect::Body { .. }) if status.is_some() => {
                return Err("status: body has a status of its own".to_owned());
            }
            _ => {}
        }
        Ok(FaultRule {
            operation: self.operation,
            account,
            skip: self.skip,
            times: match self.times {
                None => Some(1),
                Some(0) => None,
                some => some,
            },
            delay: Duration::from_millis(self.delay_ms),
            effect: effect.unwrap_or(Effect::None),
            status,
            headers,
        })
    }
}

impl WrittenError {
    fn read(self) -> Result<(ErrorCode, Option<String>), String> {
        let known = ErrorCode::ALL.iter().find(|code| code.name() == self.code);
        let names = || ErrorCode::ALL.iter().map(|code| code.name());
        let code = known.ok_or_else(|| format!("code: {}", none_of(&self.code, names())))?;
        let message = self.message.filter(|text| !text.is_empty());
        if message.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
            return Err(format!("message: at most {TEXT_CHARS_MAX} characters"));
        }
        Ok((*code, message))
    }

    fn row(self) -> Result<Effect, String> {
        self.read().map(|(code, message)| {
            let ordered = || format!("{} was ordered.", code.name());
            let message = Text::verbatim(message.unwrap_or_else(ordered));
            Effect::Rows(RowError::new(code, message))
        })
    }

    fn fault(self) -> Result<Effect, String> {
        self.read().map(|(code, message)| Effect::Fault { code, message })
    }
}

/// That a name is none of those that there are, and which was probably meant.
fn none_of(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    format!("there is no `{name}`{}", meant(name, known))
}

impl WrittenBody {
    fn checked(self) -> Result<Effect, String> {
        let wanted = self.content_type.as_deref().unwrap_or("text/html");
        let same = |known: &&&str| known.split(';').next() == wanted.split(';').next();
        let known = CONTENT_TYPES.iter().find(same);
        let content_type = *known.ok_or_else(|| {
            format!("content_type: `{wanted}` is none of {}", CONTENT_TYPES.join(", "))
        })?;
        Ok(Effect::Body { status: status(self.status)?, content_type, text: self.text })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn status(code: u16) -> Result<u16, String> {
    if (200..600).contains(&code) { Ok(code) } else { Err(format!("status: {code} is none")) }
}

impl From<StandingRule> for OrderedFault {
    fn from(StandingRule { id, rule }: StandingRule) -> Self {
        let mut written = WrittenFault {
            operation: rule.operation,
            account: rule.account.map(|id| id.to_string()),
            skip: rule.skip,
            times: Some(rule.times.unwrap_or(0)),
            delay_ms: saturated::<u64>(rule.delay.as_millis()),
            status: rule.status,
            headers: ordered_headers::shown(rule.headers),
            ..WrittenFault::default()
        };
        let error = |code: ErrorCode, message| WrittenError { code: code.name().into(), message };
        match rule.effect {
            Effect::None => {}
            Effect::Rows(row) => written.row = Some(error(row.code, Some(row.message.to_string()))),
            Effect::Fault { code, message } => written.fault = Some(error(code, message)),
            Effect::Reset { after } => {
                written.reset = Some(if after { When::After } else { When::Before });
            }
            Effect::Truncate { bytes } => written.truncate = Some(bytes),
            Effect::CutOff { bytes } => written.cut_off = Some(bytes),
            Effect::Body { status, content_type, text } => {
                let content_type = Some(content_type.to_owned());
                written.body = Some(WrittenBody { status, content_type, text });
            }
        }
        Self { id, written }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> Result<FaultRule, String> {
        serde_json::from_str::<WrittenFault>(json).map_err(|error| error.to_string())?.checked()
    }

    #[test]
    fn what_is_written_reads_back() {
        for [head, tail] in [
            [
                r#""operation":"create","times":3,"delay_ms":5"#,
                r#""row":{"code":"INVALID_ID","message":"no"}"#,
            ],
            [
                r#""times":1,"delay_ms":0"#,
                r#""fault":{"code":"LOCK_COMPETITION","message":"later"}"#,
            ],
            [
                r#""account":"402892c72b9e3319012b9e34b88e0001","times":0,"delay_ms":0"#,
                r#""reset":"after""#,
            ],
            [r#""times":1,"delay_ms":0"#, r#""truncate":40"#],
            [r#""times":1,"delay_ms":0"#, r#""cut_off":0"#],
            [
                r#""times":1,"delay_ms":0"#,
                r#""body":{"status":500,"content_type":"application/json","text":"x"}"#,
            ],
            [r#""times":1,"delay_ms":7"#, r#""status":503"#],
            [
                r#""skip":2,"times":1,"delay_ms":0"#,
                r#""fault":{"code":"INVALID_SESSION"},"status":401,"headers":{"retry-after":"5"}"#,
            ],
        ] {
            let json = format!("{{{head},{tail}}}");
            let rule = checked(&json).unwrap();
            let reported = OrderedFault::from(StandingRule { id: 1, rule }).written;
            assert_eq!(serde_json::to_string(&reported).unwrap(), json);
        }
    }

    #[test]
    fn what_cannot_be_ordered_is_refused_by_name() {
        for (json, named) in [
            (r#"{"row":{"code":"NONSENSE"}}"#, "NONSENSE"),
            (r#"{"fault":{"code":"TRANSACTION_FAILD"}}"#, "did you mean `TRANSACTION_FAILED`?"),
            (r#"{"operation":"craete","delay_ms":1}"#, "did you mean `create`?"),
            (r#"{"row":{"code":"INVALID_VALUE"}}"#, "operation"),
            (r#"{"operation":"refund","delay_ms":1}"#, "refund"),
            (r#"{"account":"x","delay_ms":1}"#, "account"),
            (r#"{"delay_ms":120001}"#, "delay_ms"),
            (r#"{}"#, "say delay_ms"),
            (r#"{"truncate":1,"cut_off":1}"#, "say one of"),
            (r#"{"reset":"after","status":500}"#, "reset"),
            (r#"{"body":{"status":500,"text":""},"status":500}"#, "status"),
            (r#"{"headers":{"Connection":"close"}}"#, "Connection"),
            (r#"{"skip":-1,"status":500}"#, "-1"),
            (r#"{"status":99}"#, "99"),
            (r#"{"body":{"status":500,"content_type":"image/png","text":""}}"#, "image/png"),
            (r#"{"colour":"red"}"#, "colour"),
        ] {
            let error = checked(json).unwrap_err();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
