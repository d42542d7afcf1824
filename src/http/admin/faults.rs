//! Faults to order, as JSON writes them.
//!
//! What must stay true: a rule says one thing that happens, and what is written reads back.

use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::text::Text;
use crate::domain::toml_text::suggest;
use crate::domain::version::ApiVersion;
use crate::service::faults::{Effect, FaultRule, StandingRule};
use crate::soap::wsdl;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest delay, in milliseconds.
const DELAY_MS_MAX: u64 = 120_000;
/// The longest text, in characters.
const TEXT_CHARS_MAX: usize = 1_000;
/// The types that a body to order may have.
const CONTENT_TYPES: [&str; 4] =
    ["text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json", "text/xml"];

/// What can happen, but for the last.
const EFFECTS: &str = "row, fault, reset, truncate, cut_off, body";

/// A rule as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenFault {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
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
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenError {
    code: String,
    #[serde(default)]
    message: String,
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
            && wsdl::operation(ApiVersion::LAST, operation).is_none()
        {
            let known = wsdl::operations(ApiVersion::LAST);
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
            self.status.map(status).transpose()?.map(Effect::Status),
        ];
        let has_rows = matches!(self.operation.as_deref(), Some("create" | "update" | "delete"));
        if effects.iter().flatten().any(|effect| matches!(effect, Effect::Rows(_))) && !has_rows {
            return Err("row: needs the operation create, update or delete".to_owned());
        }
        let mut effects = effects.into_iter().flatten();
        let effect = effects.next();
        if effects.next().is_some() {
            return Err(format!("say one of {EFFECTS} and status"));
        }
        if effect.is_none() && self.delay_ms == 0 {
            return Err(format!("say delay_ms, {EFFECTS} or status"));
        }
        Ok(FaultRule {
            operation: self.operation,
            account,
            times: match self.times {
                None => Some(1),
                Some(0) => None,
                some => some,
            },
            delay: Duration::from_millis(self.delay_ms),
            effect: effect.unwrap_or(Effect::None),
        })
    }
}

impl WrittenError {
    fn read(self) -> Result<(ErrorCode, String), String> {
        let known = ErrorCode::ALL.iter().find(|code| code.name() == self.code);
        let names = || ErrorCode::ALL.iter().map(|code| code.name());
        let code = known.ok_or_else(|| format!("code: {}", none_of(&self.code, names())))?;
        if self.message.chars().count() > TEXT_CHARS_MAX {
            return Err(format!("message: at most {TEXT_CHARS_MAX} characters"));
        }
        let text = match self.message.as_str() {
            "" => format!("{} was ordered.", code.name()),
            text => text.to_owned(),
        };
        Ok((*code, text))
    }

    fn row(self) -> Result<Effect, String> {
        self.read().map(|(code, message)| {
            let message = Text::verbatim(message);
            Effect::Rows(RowError { code, message })
        })
    }

    fn fault(self) -> Result<Effect, String> {
        self.read().map(|(code, message)| Effect::Fault { code, message })
    }
}

/// That a name is none of those that there are, and which was probably meant.
fn none_of(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let near = suggest(name, known).map(|near| format!("; did you mean `{near}`?"));
    format!("there is no `{name}`{}", near.unwrap_or_default())
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

fn status(code: u16) -> Result<u16, String> {
    if (200..600).contains(&code) { Ok(code) } else { Err(format!("status: {code} is none")) }
}

impl From<StandingRule> for OrderedFault {
    fn from(StandingRule { id, rule }: StandingRule) -> Self {
        let mut written = WrittenFault {
            operation: rule.operation,
            account: rule.account.map(|id| id.to_string()),
            times: Some(rule.times.unwrap_or(0)),
            delay_ms: u64::try_from(rule.delay.as_millis()).unwrap_or(u64::MAX),
            ..WrittenFault::default()
        };
        let error = |code: ErrorCode, message| WrittenError { code: code.name().into(), message };
        match rule.effect {
            Effect::None => {}
            Effect::Rows(row) => written.row = Some(error(row.code, row.message.to_string())),
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
            Effect::Status(status) => written.status = Some(status),
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
        ] {
            let json = format!("{{{head},{tail}}}");
            let rule = checked(&json).unwrap();
            let told = OrderedFault::from(StandingRule { id: 1, rule }).written;
            assert_eq!(serde_json::to_string(&told).unwrap(), json);
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
            (r#"{"truncate":1,"status":500}"#, "say one of"),
            (r#"{"status":99}"#, "99"),
            (r#"{"body":{"status":500,"content_type":"image/png","text":""}}"#, "image/png"),
            (r#"{"colour":"red"}"#, "colour"),
        ] {
            let error = checked(json).unwrap_err();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
