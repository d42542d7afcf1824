//! An exchange without its secrets, in such a way that it can be replayed.
//!
//! A live session becomes `{{session:NAME}}` of the user whose login was recorded before, else
//! `{{session}}`; the password of a login that succeeded becomes `{{password}}`. Where the answer
//! says that the session was invalid, or the login failed, a word that is certainly neither takes
//! their place. A number of a card or of a bank that is good becomes a published test number, so
//! that a replay is answered as the recording was, and of other such values only the form is left.
//! Wherever else a secret stands, it becomes `{{secret}}`.

use super::compare::usual_status;
use super::live::PASSWORD;
use super::raw::{Text, View, pattern};
use super::secret::{TEST_NUMBERS, UNTOLD, secrets_in, untold_answer, without_values};
use super::subject::Subject;
use crate::domain::draft::masked::{MaskedNumber, is_security_code};
use crate::domain::rest_path::bare;
use crate::domain::secret::{ELEMENTS, with_members};
use regex::bytes::Regex;
use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

/// What an invalid session and a wrong password become.
pub(super) const NO_SESSION: &str = "no-session-at-all";
pub(super) const NO_PASSWORD: &str = "not-the-password";
/// The sessions of so many logins are known to be whose they are.
const SESSIONS_MAX: usize = 10_000;
/// A placeholder names no longer user.
const NAME_CHARACTERS_MAX: usize = 200;
/// The name of a folder is no longer.
const REST_NAME_CHARACTERS_MAX: usize = 80;

static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&ELEMENTS));
static USERNAME: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&["username"]));

/// Takes secrets out of exchanges, one after the other.
#[derive(Default)]
pub(super) struct Scrub {
    users: HashMap<String, String>,
    order: VecDeque<String>,
}

/// An exchange that may be written down.
pub(super) struct Scrubbed {
    /// The operation, in letters that a file's name may have.
    pub(super) operation: String,
    pub(super) request: Vec<u8>,
    pub(super) response: Vec<u8>,
}

impl Scrub {
    /// The exchange without its secrets.
    pub(super) fn scrubbed(&mut self, request: &[u8], response: &[u8]) -> Scrubbed {
        let is_fault = usual_status(response) != 200;
        let has_code = |code: &[u8]| response.windows(code.len()).any(|found| found == code);
        let is_invalid_session = is_fault && has_code(b"INVALID_SESSION");
        // A WS-Security login can be right in a call that fails for another reason.
        let is_wrong_login =
            is_fault && (operation_of(request) == "login" || has_code(b"INVALID_LOGIN"));
        let view = View::of(request);
        let mut edits = Vec::new();
        for text in view.texts(SECRETS.as_ref()) {
            let reported = view.said(&text.at);
            if reported.is_empty() {
                continue;
            }
            let written = match text.element.as_str() {
                "session" if is_invalid_session => NO_SESSION.to_owned(),
                "session" => self.placeholder(&reported),
                "password" if is_wrong_login => NO_PASSWORD.to_owned(),
                "password" => PASSWORD.to_owned(),
                element => stand_in(element, &reported),
            };
            edits.push((text.at, written));
        }
        if !is_fault {
            self.learn(&view, response);
        }
        let secrets = [secrets_in(request), secrets_in(response)].concat();
        let request_without = without_values(&view.with(&edits), &secrets);
        Scrubbed {
            operation: operation_of(request),
            request: request_without,
            response: untold_answer(response, &secrets),
        }
    }

    fn placeholder(&self, session: &str) -> String {
        match self.users.get(session) {
            Some(user) => format!("{{{{session:{user}}}}}"),
            None => "{{session}}".to_owned(),
        }
    }

    /// Remembers whose session the answer to a login gives.
    fn learn(&mut self, request: &View<'_>, response: &[u8]) {
        let answer = View::of(response);
        let is_session = |text: &Text| text.element == "session";
        let mut sessions = answer.texts(SECRETS.as_ref()).into_iter().filter(is_session);
        let user = request.texts(USERNAME.as_ref()).into_iter().next();
        let (Some(session), Some(user)) = (sessions.next(), user) else { return };
        let user = request.said(&user.at);
        let can_be_named = user.chars().all(|character| character.is_ascii_graphic())
            && (1..=NAME_CHARACTERS_MAX).contains(&user.len())
            && !user.contains(['{', '}', '<', '>', '&']);
        if !can_be_named {
            return;
        }
        let session = answer.said(&session.at);
        if self.users.insert(session.clone(), user).is_none() {
            self.order.push_back(session);
            if self.order.len() > SESSIONS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.users.remove(&oldest);
            }
        }
    }
}

/// A call of the REST API without its secrets; it is named by its method and its path.
pub(super) fn scrubbed_rest(method: &str, path: &str, bodies: [&[u8]; 2]) -> Scrubbed {
    let secrets = bodies.map(secrets_in).concat();
    let [request, response] = bodies.map(|body| {
        let body = with_members(&String::from_utf8_lossy(body), UNTOLD);
        without_values(body.as_bytes(), &secrets)
    });
    let is_plain = |letter: char| letter.is_ascii_alphanumeric();
    let words = bare(path).split(|letter| !is_plain(letter)).filter(|word| !word.is_empty());
    let method = method.to_ascii_lowercase();
    let named: Vec<&str> = std::iter::once(method.as_str()).chain(words).collect();
    let operation = named.join("-").chars().take(REST_NAME_CHARACTERS_MAX).collect();
    Scrubbed { operation, request, response }
}

/// What is written in the place of a value of a card, a bank or a token. A good number becomes one
/// that belongs to no person; of everything else only the form is left, because what it is taken or
/// refused for is part of the recording.
fn stand_in(element: &str, reported: &str) -> String {
    let [card, account, iban] = TEST_NUMBERS;
    let lies_in = |least: u16, most: u16| {
        reported.parse::<u16>().is_ok_and(|number| (least..=most).contains(&number))
    };
    let good = match element {
        "creditcardexpirationmonth" => {
            return if lies_in(1, 12) { "12" } else { UNTOLD }.to_owned();
        }
        "creditcardexpirationyear" => {
            return if lies_in(1970, 9999) { "2099" } else { UNTOLD }.to_owned();
        }
        "creditcardsecuritycode" if is_security_code(reported) => Some("123"),
        // Such a number is refused where it does not belong.
        _ if MaskedNumber::card(reported).is_some() => Some(card),
        // The number of a European account is its IBAN.
        "iban" | "banktransferaccountnumber" if MaskedNumber::iban(reported).is_some() => {
            Some(iban)
        }
        "achaccountnumber" | "banktransferaccountnumber" => {
            MaskedNumber::account(reported).map(|_| account)
        }
        _ => None,
    };
    good.map_or_else(|| form_of(reported), str::to_owned)
}

/// A text with every digit and letter replaced, in such a way that no good card number comes of it.
fn form_of(reported: &str) -> String {
    let replaced = |character: char| match character {
        _ if character.is_ascii_digit() => '1',
        _ if character.is_ascii_punctuation() || character.is_whitespace() => character,
        _ => 'X',
    };
    reported.chars().map(replaced).collect()
}

fn operation_of(request: &[u8]) -> String {
    let is_plain =
        |name: &String| name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Subject::of(request).operation.filter(is_plain).unwrap_or_else(|| "post".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    const FAULT: &[u8] = b"<e><Body><Fault><c>fns:INVALID_SESSION</c></Fault></Body></e>";
    const DONE: &[u8] = b"<e><Body><createResponse/></Body></e>";

    fn login(user: &str) -> String {
        format!(
            "<e><Body><login><username>{user}</username><password>hunter2</password></login>\
             </Body></e>"
        )
    }

    fn call(session: &str) -> String {
        format!("<e><Header><h:Session>{session}</h:Session></Header><Body><create/></Body></e>")
    }

    #[test]
    fn sessions_are_their_users_and_passwords_are_nobodys() {
        let mut scrub = Scrub::default();
        let session = "s".repeat(255);
        let answer = format!(
            "<e><Body><loginResponse><Session>{session}</Session></loginResponse></Body></e>"
        );
        let done = scrub.scrubbed(login("a@b.c").as_bytes(), answer.as_bytes());
        assert_eq!(done.operation, "login");
        assert!(text(&done.request).contains("<password>{{password}}</password>"));
        assert!(text(&done.response).contains("<Session>example-session-"));
        let created = scrub.scrubbed(call(&session).as_bytes(), DONE);
        assert!(text(&created.request).contains("<h:Session>{{session:a@b.c}}</h:Session>"));
        let strange = scrub.scrubbed(call("of before the recording").as_bytes(), DONE);
        assert!(text(&strange.request).contains("<h:Session>{{session}}</h:Session>"));
    }

    #[test]
    fn what_failed_fails_again() {
        let mut scrub = Scrub::default();
        let refused = scrub.scrubbed(call("expired").as_bytes(), FAULT);
        assert!(text(&refused.request).contains(">no-session-at-all<"));
        let refused = scrub.scrubbed(login("a").as_bytes(), FAULT);
        assert!(text(&refused.request).contains("<password>not-the-password</password>"));
        let blank = scrub.scrubbed(call(" ").as_bytes(), FAULT);
        assert_eq!(text(&blank.request), call(" "));
    }

    #[test]
    fn a_secret_is_nowhere_in_any_encoding() {
        let mut scrub = Scrub::default();
        let card = "5500000000000004";
        let request = format!(
            "<e><Body><create><CreditCardNumber>{card}</CreditCardNumber><Comment>card {card}\
             </Comment></create></Body></e>"
        );
        let answer = format!(
            "<e><Body><createResponse><Message>{card} is bad</Message>\
             </createResponse></Body></e>"
        );
        let done = scrub.scrubbed(request.as_bytes(), answer.as_bytes());
        let written = text(&done.request);
        assert!(written.contains("<CreditCardNumber>4111111111111111</"), "{written}");
        assert!(written.contains("<Comment>card {{secret}}</Comment>"), "{written}");
        assert!(text(&done.response).contains("<Message>{{secret}} is bad</Message>"));
        let wide: Vec<u8> = request.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let done = scrub.scrubbed(&wide, DONE);
        let units: Vec<u16> =
            done.request.chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        let narrow = String::from_utf16(&units).unwrap();
        assert!(narrow.contains("<Comment>card {{secret}}</Comment>"), "{narrow}");
        assert!(!narrow.contains(card), "{narrow}");
    }

    #[test]
    fn what_is_written_is_taken_or_refused_as_the_secret_was() {
        for (element, reported, written) in [
            ("creditcardnumber", "5500 0000 0000 0004", "4111111111111111"),
            ("creditcardnumber", "5500000000000005", "1111111111111111"),
            ("creditcardexpirationmonth", "7", "12"),
            ("creditcardexpirationmonth", "13", "{{secret}}"),
            ("creditcardexpirationyear", "2031", "2099"),
            ("creditcardsecuritycode", "9876", "123"),
            ("creditcardsecuritycode", "98765", "11111"),
            ("iban", "DE89370400440532013000", "GB82WEST12345698765432"),
            ("achaccountnumber", "9-87", "555001112223"),
            ("achaccountnumber", "9!", "1!"),
            ("tokenid", "tok_9a", "XXX_1X"),
            ("tokenid", "5500000000000004", "4111111111111111"),
        ] {
            assert_eq!(stand_in(element, reported), written, "{element} {reported}");
        }
        for digits in 12..=19 {
            assert_eq!(MaskedNumber::card(&form_of(&"9".repeat(digits))), None, "{digits}");
        }
    }
}
