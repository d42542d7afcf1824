//! What is never shown: passwords, sessions, numbers of cards and bank accounts.
//!
//! Everything that shows or keeps envelopes (reports, recordings, the journal) passes them through
//! here, so that which elements hold secrets is known in one place.

use crate::catalogue::Object;
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// How many characters a session's token has: the session types of generated clients allow no
/// more than 255.
pub const SESSION_CHARS: usize = 255;

/// The local names of elements and members that hold secrets beside those of the catalogue, in
/// lower case.
const OTHERS: [&str; 11] = [
    "password",
    // What the REST API proves callers by.
    "access_token",
    "refresh_token",
    "client_secret",
    "apisecretaccesskey",
    "session",
    // What WS-Security carries beside passwords.
    "binarysecuritytoken",
    // What other interfaces call the fields of PaymentMethod.
    "cardsecuritycode",
    "securitycode",
    "accountnumberorcardnumber",
    "bankaccountnumber",
];

/// The local names of elements whose text is a secret, in any case.
pub static ELEMENTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let fields = Object::ALL.iter().flat_map(|object| object.fields());
    let secret = fields.filter(|field| field.is_secret).map(|field| field.name);
    OTHERS.into_iter().chain(secret).collect()
});

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
    Regex::new(&format!(r"(?i)(<(?:[^<>\s/:]+:)?(?:{names})(?:\s(?:[^<>]*[^<>/])?)?>){text}")).ok()
});

/// An element with a secret that holds elements: its start tag, those, and its end, which may be
/// missing.
static NESTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = ELEMENTS.join("|");
    let start = format!(r"<(?:[^<>\s/:]+:)?(?:{names})(?:\s(?:[^<>]*[^<>/])?)?>");
    let end = format!(r"</(?:[^<>\s/:]+:)?(?:{names})\s*>");
    Regex::new(&format!(r"(?is)({start})[^<]*(<[^/!?<>][^<>]*>.*?)({end}|\z)")).ok()
});

/// The start tag of an element with a secret that has attributes.
static ATTRIBUTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = ELEMENTS.join("|");
    Regex::new(&format!(r"(?i)<(?:[^<>\s/:]+:)?(?:{names})\s[^<>]*>")).ok()
});

/// An attribute in no namespace, and its value in its quotes. `xsi:type` is none.
static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(\s[^\s=:<>]+\s*=\s*)("[^"]*"|'[^']*')"#).ok());

/// A member of a JSON object, or a field of a form, with a secret: its name, and its value.
static MEMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = ELEMENTS.join("|");
    let value = r#"(?:"((?:[^"\\]|\\.)*)"?|(-?[0-9][^,}\]\s]*))"#;
    let field = r"(^|&)((?:password|client_secret|access_token)=)([^&\s]*)";
    Regex::new(&format!(r#"(?is)("(?:{names})"\s*:\s*){value}|{field}"#)).ok()
});

/// The secrets of the members of a JSON document, which need not be complete, or of a form, as they
/// are written.
pub fn member_secrets(text: &str) -> Vec<&str> {
    let found = MEMBER.as_ref().into_iter().flat_map(|member| member.captures_iter(text));
    let value = |found: regex::Captures<'_>| {
        [2, 3, 6].iter().find_map(|group| found.get(*group)).map(|value| value.range())
    };
    let values = found.filter_map(value).filter_map(|at| text.get(at));
    values.filter(|value| !value.is_empty()).collect()
}

/// A JSON document, which need not be complete, or a form, with `instead` in the place of the
/// secrets of its members.
pub fn with_members(text: &str, instead: &str) -> String {
    let Some(member) = MEMBER.as_ref() else { return instead.to_owned() };
    let bare = |found: &regex::Captures<'_>| match (found.get(1), found.get(5)) {
        (Some(name), _) => format!("{}\"{instead}\"", name.as_str()),
        (None, Some(name)) => {
            let before = found.get(4).map_or("", |before| before.as_str());
            format!("{before}{}{instead}", name.as_str())
        }
        (None, None) => instead.to_owned(),
    };
    member.replace_all(text, bare).into_owned()
}

/// What the Type of a Password says by the UsernameToken profile of WS-Security, and so no secret.
const PASSWORD_TYPES: [&str; 2] = [
    "http://docs.oasis-open.org/wss/2004/01/\
     oasis-200401-wss-username-token-profile-1.0#PasswordText",
    "http://docs.oasis-open.org/wss/2004/01/\
     oasis-200401-wss-username-token-profile-1.0#PasswordDigest",
];

/// What an element that holds a secret holds otherwise than as its text: the values of attributes,
/// and the texts of elements below it.
pub fn misplaced_secrets(text: &str) -> Vec<&str> {
    let (Some(nested), Some(attributed), Some(attribute)) =
        (NESTED.as_ref(), ATTRIBUTED.as_ref(), ATTRIBUTE.as_ref())
    else {
        return Vec::new();
    };
    let groups = |found: &regex::Captures<'_>, group| found.get(group).map(|part| part.range());
    let below = nested.captures_iter(text).filter_map(|found| groups(&found, 2));
    let below = below.filter_map(|at| text.get(at)).flat_map(|inner| {
        inner.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text))
    });
    let tags = attributed.find_iter(text).map(|tag| tag.as_str());
    let values = tags.flat_map(|tag| {
        let values = attribute.captures_iter(tag).filter_map(|found| groups(&found, 2));
        values.filter_map(|at| tag.get(at)).map(|value| value.trim_matches(['"', '\'']))
    });
    let is_secret = |value: &&str| !value.is_empty() && !PASSWORD_TYPES.contains(value);
    below.chain(values).map(str::trim).filter(is_secret).collect()
}

/// A text that need not be well-formed, without the secrets of its elements.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let (Some(secret), Some(nested), Some(attributed), Some(attribute)) =
        (RAW.as_ref(), NESTED.as_ref(), ATTRIBUTED.as_ref(), ATTRIBUTE.as_ref())
    else {
        return Cow::Borrowed(HIDDEN);
    };
    let bare_tag = |tag: &regex::Captures<'_>| {
        let tag = tag.get(0).map_or("", |tag| tag.as_str());
        attribute.replace_all(tag, "${1}\"hidden\"").into_owned()
    };
    let mut shown = Cow::Borrowed(text);
    let (whole, start) = (format!("${{1}}{HIDDEN}${{3}}"), format!("${{1}}{HIDDEN}"));
    for (part, shown_as) in [(nested, whole), (secret, start)] {
        if part.is_match(&shown) {
            shown = Cow::Owned(part.replace_all(&shown, shown_as.as_str()).into_owned());
        }
    }
    if MEMBER.as_ref().is_some_and(|member| member.is_match(&shown)) {
        shown = Cow::Owned(with_members(&shown, HIDDEN));
    }
    if attributed.is_match(&shown) {
        shown = Cow::Owned(attributed.replace_all(&shown, bare_tag).into_owned());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_any_text() {
        let cases = [
            ("<a:password>demo</a:password>", "<a:password><!-- hidden --></a:password>"),
            ("<Session x:a='1'>s\ne</Session>", "<Session x:a='1'><!-- hidden --></Session>"),
            ("<IBAN a='1' b = \"2\" i:t='3'/>", "<IBAN a=\"hidden\" b = \"hidden\" i:t='3'/>"),
            ("<IBAN>1<v>2</v>3</IBAN>4", "<IBAN><!-- hidden --></IBAN>4"),
            ("<IBAN><v a='5'><w>2</w>", "<IBAN><!-- hidden -->"),
            ("<x:IBAN/><v>2</v><IBAN>3</IBAN>", "<x:IBAN/><v>2</v><IBAN><!-- hidden --></IBAN>"),
            ("<password><![CDATA[a]]b<c]]>d</", "<password><!-- hidden --></"),
            ("<password><![CDATA[never closed", "<password><!-- hidden -->"),
            ("<password>a<?b?>c</", "<password><!-- hidden --></"),
            ("<SESSION>cut off", "<SESSION><!-- hidden -->"),
            (
                "{\"access_token\": \"a\\\"b\",\"x\":1}",
                "{\"access_token\": \"<!-- hidden -->\",\"x\":1}",
            ),
            (
                "{\"creditCardNumber\":41,\"x\":1}",
                "{\"creditCardNumber\":\"<!-- hidden -->\",\"x\":1}",
            ),
            ("{\"password\":\"cut off", "{\"password\":\"<!-- hidden -->\""),
            ("a=1&client_secret=s&b=2", "a=1&client_secret=<!-- hidden -->&b=2"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn what_is_misplaced_in_an_element_with_a_secret_is_found() {
        let text = "<a:IBAN x='one' i:type='no'><v>two</v>\n<w>three<w/></w></a:IBAN><v>no</v>\
                    <IBAN>told by the element</IBAN><Comment x='no'>no</Comment>";
        assert_eq!(misplaced_secrets(text), ["two", "three", "one"]);
        let text = format!("<w:Password Type='{}'>no</w:Password>", PASSWORD_TYPES[1]);
        assert_eq!(misplaced_secrets(&text), [""; 0]);
        let text = "<a:IBAN x='one' i:type='no'><v>two</v>\n<w>three<w/></w></a:IBAN><v>no</v>";
        assert_eq!(misplaced_secrets(text), ["two", "three", "one"]);
    }

    #[test]
    fn everything_else_stays() {
        for text in ["<SessionHeader>1</SessionHeader>", "<Id>password</Id>", "session", ""] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
