//! What is never shown: passwords, sessions, numbers of cards and bank accounts.
//!
//! Whoever shows or keeps envelopes (reports, recordings, the journal) takes them through here, so
//! that which elements hold secrets is known in one place.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// The local names, in lower case, of elements whose text is a secret.
pub const ELEMENTS: [&str; 30] = [
    "password",
    "session",
    // The fields of PaymentMethod that tell a card, a bank account or a token for one.
    "creditcardnumber",
    "creditcardmasknumber",
    "creditcardsecuritycode",
    "creditcardexpirationmonth",
    "creditcardexpirationyear",
    "cardsecuritycode",
    "securitycode",
    "achabacode",
    "achaccountname",
    "achaccountnumber",
    "achaccountnumbermask",
    "accountnumberorcardnumber",
    "bankaccountnumber",
    "banktransferaccountname",
    "banktransferaccountnumber",
    "banktransferaccountnumbermask",
    "bankidentificationnumber",
    "bankbranchcode",
    "bankcheckdigit",
    "bankcode",
    "businessidentificationcode",
    "iban",
    "mandateid",
    "tokenid",
    "secondtokenid",
    "paypalbaid",
    "paypalpreapprovalkey",
    "devicesessionid",
];

/// What is shown in the place of a secret; a comment, which no value can be mistaken for.
pub const HIDDEN: &str = "<!-- hidden -->";

/// Whether an element of this local name holds a secret.
pub fn is_secret(local: &str) -> bool {
    ELEMENTS.iter().any(|name| local.eq_ignore_ascii_case(name))
}

/// The start tag of an element with a secret, and the text that follows it.
static RAW: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = ELEMENTS.join("|");
    let text = r"(?:<!\[CDATA\[(?:[^\]]|\](?:[^\]]|\][^>]))*(?:\]\]>)?|<!--|<\?|[^<])*";
    Regex::new(&format!(r"(?i)(<(?:[^<>\s/:]+:)?(?:{names})(?:\s[^<>]*)?>){text}")).ok()
});

/// A text that need not be well-formed, without the secrets of its elements.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    match RAW.as_ref() {
        Some(secret) => secret.replace_all(text, format!("${{1}}{HIDDEN}")),
        None => Cow::Borrowed(HIDDEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_any_text() {
        let cases = [
            ("<a:password>demo</a:password>", "<a:password><!-- hidden --></a:password>"),
            ("<Session x='1'>s\ne</Session>", "<Session x='1'><!-- hidden --></Session>"),
            ("<password><![CDATA[a]]b<c]]>d</", "<password><!-- hidden --></"),
            ("<password><![CDATA[never closed", "<password><!-- hidden -->"),
            ("<password>a<?b?>c</", "<password><!-- hidden --></"),
            ("<SESSION>cut off", "<SESSION><!-- hidden -->"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in ["<SessionHeader>1</SessionHeader>", "<Id>password</Id>", "session", ""] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
