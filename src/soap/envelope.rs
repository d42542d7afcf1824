//! The envelope: which SOAP it is, its headers as clients really write them, its operation.
//!
//! Names are matched by local part, because deployed clients put the session header into the api,
//! object, envelope or no namespace, or one of their own. What must stay true: a message that is
//! not clearly one operation is refused, never guessed at.

use super::fault::{Fault, shown, shown_namespace};
use super::login::Credentials;
use super::security::{self, is_security};
use crate::domain::boolean::parse_boolean;
use crate::domain::text::Wording;
use crate::domain::version::ApiVersion;
use crate::xml::content_type::media_type;
use crate::xml::{Children, ElementRef, Writer};

const API: &str = "http://api.zuora.com/";
pub(super) const OBJECT: &str = "http://object.api.zuora.com/";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// More than any session has; a longer text is none, and not worth keeping.
const SESSION_BYTES_MAX: usize = 1024;

/// The namespace that an answer's own element declares.
pub(super) const ANSWERS: [(&str, &str); 1] = [("xmlns:ns1", API)];

/// The version of SOAP, of the request and so of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SoapVersion {
    V11,
    V12,
}

impl SoapVersion {
    pub(super) const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => SOAP_11,
            Self::V12 => SOAP_12,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml;charset=UTF-8",
            Self::V12 => "application/soap+xml;charset=UTF-8",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }

    fn of_namespace(namespace: &str) -> Option<Self> {
        [Self::V11, Self::V12].into_iter().find(|version| version.namespace() == namespace)
    }

    /// What a caller speaks whose envelope cannot be read.
    pub(super) fn of_content_type(content_type: Option<&str>) -> Self {
        let media = content_type.map_or("", media_type);
        let is_12 = media.eq_ignore_ascii_case("application/soap+xml");
        if is_12 { Self::V12 } else { Self::V11 }
    }
}

/// What shapes the bytes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) soap: SoapVersion,
    pub(super) api: ApiVersion,
    /// The words of errors and faults.
    pub(super) wording: Wording,
}

impl Dialect {
    /// An answer up to its open Body, with room for so many bytes in all.
    pub(super) fn open_envelope(&self, bytes: usize) -> Writer {
        self.open_envelope_with(bytes, |_| {})
    }

    /// The same with what `header` writes before the Body.
    pub(super) fn open_envelope_with(
        &self,
        bytes: usize,
        header: impl FnOnce(&mut Writer),
    ) -> Writer {
        let mut writer = Writer::with_capacity(bytes);
        let namespaces = [("xmlns:soapenv", self.soap.namespace())];
        writer.declaration().open_with("soapenv:Envelope", &namespaces);
        header(&mut writer);
        writer.open("soapenv:Body");
        writer
    }
}

/// A message that is a SOAP envelope.
pub(super) struct Envelope<'d> {
    pub(super) soap: SoapVersion,
    header: Option<ElementRef<'d>>,
    body: ElementRef<'d>,
}

impl<'d> Envelope<'d> {
    /// The envelope that a document is.
    pub(super) fn read(root: ElementRef<'d>) -> Result<Self, Fault> {
        if root.local() != "Envelope" {
            return Err(Fault::NotAnEnvelope);
        }
        let soap = SoapVersion::of_namespace(root.namespace()).ok_or(Fault::VersionMismatch)?;
        let parts = |local| root.children().filter(move |part| part.is(soap.namespace(), local));
        let (mut headers, mut bodies) = (parts("Header"), parts("Body"));
        let header = headers.next();
        let body = bodies.next().ok_or(Fault::NotAnEnvelope)?;
        // Two readers could take different ones for the message.
        if headers.next().is_some() || bodies.next().is_some() {
            return Err(Fault::NotAnEnvelope);
        }
        Ok(Self { soap, header, body })
    }

    /// The Body's first element, and what follows it, which can only be meant for references.
    pub(super) fn operation(&self) -> Result<(ElementRef<'d>, Children<'d>), Fault> {
        let mut elements = self.body.children();
        let first = elements.next().ok_or(Fault::NoOperation)?;
        Ok((first, elements))
    }

    /// Refuses a header that must be understood, is meant for us, and is not known.
    pub(super) fn check_understood(&self, ignores_security: bool) -> Result<(), Fault> {
        let mut strict =
            self.headers().filter(|header| self.must_be_understood(*header) && is_for_us(*header));
        strict.try_for_each(|header| match is_security(header) {
            true if ignores_security => Ok(()),
            true => security::check_understood(header),
            false if is_known(header.local()) => Ok(()),
            false => {
                let namespace = shown_namespace(header.namespace());
                Err(Fault::NotUnderstood(shown(header.local()), namespace))
            }
        })
    }

    /// The login in the WS-Security headers that are meant for us.
    pub(super) fn credentials(&self) -> Option<Result<Credentials, Fault>> {
        let headers = self.headers().filter(|header| is_security(*header) && is_for_us(*header));
        security::credentials(headers)
    }

    fn headers(&self) -> impl Iterator<Item = ElementRef<'d>> {
        self.header.into_iter().flat_map(|header| header.children())
    }

    fn must_be_understood(&self, header: ElementRef<'d>) -> bool {
        let value = |namespace| header.attribute(namespace, "mustUnderstand").map(str::trim);
        [SOAP_11, SOAP_12].into_iter().filter_map(value).any(|value| match value {
            "1" => true,
            "true" => self.soap == SoapVersion::V12,
            _ => false,
        })
    }

    /// The session: `session` below SessionHeader, or else all the text there, as one generator
    /// writes it under a name of its own.
    pub(super) fn session(&self) -> Option<String> {
        let header = self.header?.descendants().find(|one| is_session_header(one.local()))?;
        if header.is_nil() {
            return None;
        }
        let named = header.descendants().find(|one| one.local().eq_ignore_ascii_case("session"));
        let token = match named {
            Some(session) if session.is_nil() => String::new(),
            Some(session) => session.text().to_owned(),
            None => {
                let mut text = header.text().to_owned();
                text.extend(header.descendants().map(|one| one.text()));
                text
            }
        };
        let token = token.trim();
        (1..=SESSION_BYTES_MAX).contains(&token.len()).then(|| token.to_owned())
    }

    /// QueryOptions, in whatever namespace.
    pub(super) fn query_options(&self) -> QueryOptions {
        let options = self.headers().find(|header| header.local() == "QueryOptions");
        let option = |name: &str| {
            let mut below = options.into_iter().flat_map(|options| options.descendants());
            let found = below.find(|one| one.local() == name && !one.is_nil());
            found.map(|option| option.text().trim())
        };
        QueryOptions {
            batch_size: option("batchSize").and_then(|size| size.parse().ok()),
            case_sensitive: option("caseSensitive").and_then(parse_boolean).unwrap_or(false),
        }
    }

    /// CallOptions/useSingleTransaction: all rows of a create or none; it has an effect only where
    /// the setting `single_transaction` is on.
    pub(super) fn use_single_transaction(&self) -> bool {
        let options = self.headers().find(|header| header.local() == "CallOptions");
        let mut below = options.into_iter().flat_map(|options| options.descendants());
        let option = below.find(|one| one.local() == "useSingleTransaction" && !one.is_nil());
        option.and_then(|option| parse_boolean(option.text().trim())).unwrap_or(false)
    }
}

/// What QueryOptions says; what cannot be read there is passed over, as clients write anything into
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct QueryOptions {
    /// How many rows a page is to have; 0 means as many as it can.
    pub(super) batch_size: Option<u32>,
    /// Whether texts are compared letter by letter.
    pub(super) case_sensitive: bool,
}

fn is_session_header(local: &str) -> bool {
    local.eq_ignore_ascii_case("SessionHeader")
}

fn is_known(local: &str) -> bool {
    is_session_header(local) || matches!(local, "CallOptions" | "QueryOptions")
}

/// Whether the header is meant for the last receiver; SOAP 1.1 calls it actor, SOAP 1.2 role.
fn is_for_us(header: ElementRef<'_>) -> bool {
    let actor = header.attribute(SOAP_11, "actor").or_else(|| header.attribute(SOAP_12, "role"));
    matches!(
        actor.map_or("", str::trim),
        "" | "http://schemas.xmlsoap.org/soap/actor/next"
            | "http://www.w3.org/2003/05/soap-envelope/role/next"
            | "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"
    )
}

/// Whether operations, objects and fields may be in `namespace`: clients use the api's, the
/// objects' or none, in any mixture.
pub(super) fn is_ours(namespace: &str) -> bool {
    matches!(namespace, API | OBJECT | "")
}

/// Refuses an element that only refers to another one, as SOAP encoding has it: what it stands for
/// would be missed.
pub(super) fn refuse_reference(element: ElementRef<'_>) -> Result<(), Fault> {
    if element.attribute("", "href").is_some() { Err(Fault::Reference) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Document, XmlLimits, parse};

    fn document(text: &str) -> Document<'_> {
        parse(text, &XmlLimits::default()).expect(text)
    }

    fn in_11(header: &str) -> String {
        format!(
            "<e:Envelope xmlns:e='{SOAP_11}' xmlns:f='{SOAP_12}' xmlns:api='{API}' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><e:Header>{header}</e:Header>\
             <e:Body><api:create/></e:Body></e:Envelope>"
        )
    }

    fn session(header: &str) -> Option<String> {
        let text = in_11(header);
        let document = document(&text);
        Envelope::read(document.root()).expect(&text).session()
    }

    #[test]
    fn the_session_is_found_wherever_clients_put_it() {
        for header in [
            "<api:SessionHeader><api:session>s</api:session></api:SessionHeader>",
            "<SessionHeader><session>\n s </session></SessionHeader>",
            "<e:SessionHeader><o:Session xmlns:o='http://object.api.zuora.com/'>s</o:Session>\
             </e:SessionHeader>",
            "<n1:SessionHeader xmlns:n1='ns1' e:mustUnderstand='0'><n1:session>s</n1:session>\
             </n1:SessionHeader>",
            "<x:more xmlns:x='x'><sessionheader><a><SESSION>s</SESSION></a></sessionheader>\
             </x:more>",
            "<api:SessionHeader><d:sessionField xmlns:d='d'><![CDATA[s]]></d:sessionField>\
             </api:SessionHeader>",
            "<api:SessionHeader>s</api:SessionHeader>",
        ] {
            assert_eq!(session(header).as_deref(), Some("s"), "{header}");
        }
    }

    #[test]
    fn a_text_that_is_longer_than_any_session_is_none() {
        let header = |bytes| format!("<SessionHeader>{}</SessionHeader>", "s".repeat(bytes));
        assert_eq!(session(&header(SESSION_BYTES_MAX)).map(|text| text.len()), Some(1024));
        assert_eq!(session(&header(SESSION_BYTES_MAX + 1)), None);
    }

    #[test]
    fn without_a_token_there_is_no_session() {
        for header in [
            "",
            "<api:SessionHeader/>",
            "<api:SessionHeader><api:session/></api:SessionHeader>",
            "<api:SessionHeader><api:session> \n</api:session></api:SessionHeader>",
            "<api:SessionHeader><api:session i:nil='true'>s</api:session></api:SessionHeader>",
            "<api:SessionHeader i:nil='1'><api:session>s</api:session></api:SessionHeader>",
            "<api:session>s</api:session>",
        ] {
            assert_eq!(session(header), None, "{header}");
        }
    }

    fn understood(header: &str) -> Result<(), Fault> {
        let text = in_11(header);
        let document = document(&text);
        Envelope::read(document.root()).expect(&text).check_understood(false)
    }

    #[test]
    fn only_unknown_headers_for_us_must_not_demand_to_be_understood() {
        for header in [
            "<x:Security xmlns:x='x'/>",
            "<x:Security xmlns:x='x' e:mustUnderstand='0'/>",
            "<x:Security xmlns:x='x' mustUnderstand='1'/>",
            "<x:Security xmlns:x='x' e:mustUnderstand='1' e:actor='urn:somebody-else'/>",
            "<api:SessionHeader e:mustUnderstand='1'/>",
            "<api:CallOptions e:mustUnderstand='1'/><api:QueryOptions e:mustUnderstand='1'/>",
        ] {
            assert_eq!(understood(header), Ok(()), "{header}");
        }
        for header in [
            "<x:Security xmlns:x='x' e:mustUnderstand='1'/>",
            "<x:Security xmlns:x='x' f:mustUnderstand=' 1 '/>",
            "<x:Security xmlns:x='x' e:mustUnderstand='1' \
             e:actor='http://schemas.xmlsoap.org/soap/actor/next'/>",
        ] {
            let expected = Fault::NotUnderstood("Security".to_owned(), "x".to_owned());
            assert_eq!(understood(header), Err(expected), "{header}");
        }
    }

    const WSSE: &str =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

    #[test]
    fn of_a_security_header_only_what_is_not_done_is_not_understood() {
        let security = |namespace: &str, must: u8, inside: &str| {
            let must = format!("e:mustUnderstand='{must}'");
            understood(&format!("<w:Security xmlns:w='{namespace}' {must}>{inside}</w:Security>"))
        };
        let token = "<w:UsernameToken/><u:Timestamp xmlns:u='urn:u'/>";
        for namespace in [WSSE, "http://schemas.xmlsoap.org/ws/2002/07/secext"] {
            assert_eq!(security(namespace, 1, token), Ok(()));
        }
        let signature = format!("{token}<d:Signature xmlns:d='urn:d'/>");
        let expected = Err(Fault::SecurityNotProcessed("Signature".to_owned(), WSSE.to_owned()));
        assert_eq!(security(WSSE, 1, &signature), expected);
        assert_eq!(security(WSSE, 0, &signature), Ok(()));
        let unknown = Err(Fault::NotUnderstood("Security".to_owned(), "urn:other".to_owned()));
        assert_eq!(security("urn:other", 1, token), unknown);
    }

    #[test]
    fn in_soap_12_true_means_must_too() {
        let text = in_11("<Security e:mustUnderstand='true'/>");
        assert_eq!(understood("<Security e:mustUnderstand='true'/>"), Ok(()));
        let text = text.replace(SOAP_11, "urn:old").replace(SOAP_12, SOAP_11);
        let text = text.replace("urn:old", SOAP_12);
        let document = document(&text);
        let envelope = Envelope::read(document.root()).expect(&text);
        assert_eq!(envelope.soap, SoapVersion::V12);
        assert!(envelope.check_understood(false).is_err());
    }

    #[test]
    fn single_transaction_is_read_from_call_options() {
        let single = |header: &str| {
            let text = in_11(header);
            let document = document(&text);
            Envelope::read(document.root()).expect(&text).use_single_transaction()
        };
        let option = |value: &str| {
            format!(
                "<api:CallOptions><api:useSingleTransaction>{value}</api:useSingleTransaction>\
                 </api:CallOptions>"
            )
        };
        assert!(single(&option("true")) && single(&option(" 1")) && single(&option("Yes")));
        assert!(!single(&option("false")) && !single("<api:CallOptions/>") && !single(""));
    }

    #[test]
    fn query_options_are_read_from_either_namespace_and_junk_is_passed_over() {
        let options = |header: &str| {
            let text = in_11(header);
            let document = document(&text);
            Envelope::read(document.root()).expect(&text).query_options()
        };
        let given = QueryOptions { batch_size: Some(5), case_sensitive: true };
        for header in [
            "<api:QueryOptions><api:batchSize> 5 </api:batchSize>\
             <api:caseSensitive>true</api:caseSensitive></api:QueryOptions>",
            "<o:QueryOptions xmlns:o='http://object.api.zuora.com/'><o:caseSensitive>1\
             </o:caseSensitive><o:batchSize>5</o:batchSize></o:QueryOptions>",
            "<QueryOptions><batchSize>5</batchSize><caseSensitive>yes</caseSensitive>\
             </QueryOptions>",
        ] {
            assert_eq!(options(header), given, "{header}");
        }
        for header in [
            "",
            "<api:QueryOptions/>",
            "<QueryOptions><item><key>batchSize</key><value>100</value></item></QueryOptions>",
            "<QueryOptions><batchSize>-1</batchSize><caseSensitive i:nil='1'/></QueryOptions>",
            "<QueryOptions><batchSize>many</batchSize><caseSensitive>maybe</caseSensitive>\
             </QueryOptions>",
        ] {
            assert_eq!(options(header), QueryOptions::default(), "{header}");
        }
    }

    fn refused(text: &str) -> Fault {
        let document = document(text);
        let read = Envelope::read(document.root()).and_then(|envelope| envelope.operation());
        read.map(|operation| format!("{operation:?}")).expect_err(text)
    }

    #[test]
    fn what_is_not_clearly_one_message_is_refused() {
        let envelope =
            |inside: &str| format!("<e:Envelope xmlns:e='{SOAP_11}'>{inside}</e:Envelope>");
        assert_eq!(refused("<create/>"), Fault::NotAnEnvelope);
        assert_eq!(refused("<Envelope><Body/></Envelope>"), Fault::VersionMismatch);
        assert_eq!(refused("<Envelope xmlns='urn:other'/>"), Fault::VersionMismatch);
        assert_eq!(refused(&envelope("")), Fault::NotAnEnvelope);
        assert_eq!(refused(&envelope("<Body><create/></Body>")), Fault::NotAnEnvelope);
        assert_eq!(refused(&envelope("<e:Body/>")), Fault::NoOperation);
        assert_eq!(refused(&envelope("<e:Body>create</e:Body>")), Fault::NoOperation);
        let twice = "<e:Body><create/></e:Body>";
        assert_eq!(refused(&envelope(&twice.repeat(2))), Fault::NotAnEnvelope);
        let headers = format!("<e:Header/><e:Header/>{twice}");
        assert_eq!(refused(&envelope(&headers)), Fault::NotAnEnvelope);
    }

    #[test]
    fn the_content_type_tells_the_soap_of_what_cannot_be_read() {
        let of = |content_type| SoapVersion::of_content_type(content_type);
        assert_eq!(of(Some("Application/SOAP+xml; action=x")), SoapVersion::V12);
        assert_eq!(of(Some("application/soap+xml, text/xml")), SoapVersion::V12);
        assert_eq!(of(Some("text/xml;charset=UTF-8")), SoapVersion::V11);
        assert_eq!(of(None), SoapVersion::V11);
    }
}
