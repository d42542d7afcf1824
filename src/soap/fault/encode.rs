//! Faults as bytes, in SOAP 1.1 exactly as they were recorded from the original.

use super::{Fault, FaultClass, FaultType};
use crate::domain::error_code::ErrorCode;
use crate::soap::envelope::{Dialect, SoapVersion};
use crate::xml::Writer;

const FAULTS: [(&str, &str); 1] = [("xmlns:fns", "http://fault.api.zuora.com/")];

/// The whole answer with `fault`.
pub(in crate::soap) fn encode(fault: &Fault, dialect: &Dialect) -> Vec<u8> {
    let text = dialect.wording.report(&fault.text());
    let header = fault.header_not_understood().filter(|_| dialect.soap == SoapVersion::V12);
    write(Looks::of(fault), fault.code(), &text, (dialect, header))
}

/// What a fault looks like beside its code and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::soap) struct Looks(FaultClass, FaultType);

impl Looks {
    /// Those of an error of the API that has none of its own.
    pub(in crate::soap) const PLAIN: Self =
        Self(FaultClass::Sender, FaultType::UnexpectedErrorFault);

    /// Those of `fault`.
    pub(in crate::soap) const fn of(fault: &Fault) -> Self {
        Self(fault.class(), fault.fault_type())
    }
}

/// The whole answer with a fault of these looks, this code and this text.
pub(in crate::soap) fn encode_as(
    looks: Looks,
    code: ErrorCode,
    text: &str,
    dialect: &Dialect,
) -> Vec<u8> {
    write(looks, code, text, (dialect, None))
}

/// The same, with the header that was not understood (SOAP 1.2, part 1, 5.4.8).
fn write(
    Looks(class, fault_type): Looks,
    code: ErrorCode,
    text: &str,
    (dialect, not_understood): (&Dialect, Option<(&str, &str)>),
) -> Vec<u8> {
    let mut writer = dialect.open_envelope_with(640 + 2 * text.len(), |writer| {
        if let Some((local, namespace)) = not_understood {
            write_not_understood(writer, local, namespace);
        }
    });
    writer.open_with("soapenv:Fault", &FAULTS);
    let code = code.for_version(dialect.api);
    match dialect.soap {
        SoapVersion::V11 => {
            writer.text_element("faultcode", &code_11(class, code));
            writer.text_element("faultstring", text).open("detail");
        }
        SoapVersion::V12 => {
            writer.open("soapenv:Code").text_element("soapenv:Value", code_12(class));
            writer.open("soapenv:Subcode").text_element("soapenv:Value", &prefixed(code));
            writer.close().close().open("soapenv:Reason");
            writer.open_with("soapenv:Text", &[("xml:lang", "en")]).text(text).close().close();
            writer.open("soapenv:Detail");
        }
    }
    detail(&mut writer, fault_type, code, text);
    writer.into_bytes()
}

fn write_not_understood(writer: &mut Writer, local: &str, namespace: &str) {
    writer.open("soapenv:Header");
    if namespace.is_empty() {
        writer.empty_with("soapenv:NotUnderstood", &[("qname", local)]);
    } else {
        let name = format!("ns1:{local}");
        writer.empty_with("soapenv:NotUnderstood", &[("qname", &name), ("xmlns:ns1", namespace)]);
    }
    writer.close();
}

fn detail(writer: &mut Writer, fault_type: FaultType, code: ErrorCode, text: &str) {
    writer.open(match fault_type {
        FaultType::LoginFault => "fns:LoginFault",
        FaultType::InvalidTypeFault => "fns:InvalidTypeFault",
        FaultType::InvalidValueFault => "fns:InvalidValueFault",
        FaultType::MalformedQueryFault => "fns:MalformedQueryFault",
        FaultType::InvalidQueryLocatorFault => "fns:InvalidQueryLocatorFault",
        FaultType::UnexpectedErrorFault => "fns:UnexpectedErrorFault",
    });
    writer.text_element("fns:FaultCode", code.name()).text_element("fns:FaultMessage", text);
}

/// The `faultcode` of SOAP 1.1. Clients compare the API's codes with their prefix, letter by
/// letter, so it is always `fns`.
fn code_11(class: FaultClass, code: ErrorCode) -> String {
    match class {
        FaultClass::Sender | FaultClass::Receiver => prefixed(code),
        FaultClass::Client => "soapenv:Client".to_owned(),
        FaultClass::VersionMismatch => "soapenv:VersionMismatch".to_owned(),
        FaultClass::MustUnderstand => "soapenv:MustUnderstand".to_owned(),
    }
}

/// The `Code` of SOAP 1.2, below which the API's code is a `Subcode`.
const fn code_12(class: FaultClass) -> &'static str {
    match class {
        FaultClass::Sender | FaultClass::Client => "soapenv:Sender",
        FaultClass::Receiver => "soapenv:Receiver",
        FaultClass::VersionMismatch => "soapenv:VersionMismatch",
        FaultClass::MustUnderstand => "soapenv:MustUnderstand",
    }
}

fn prefixed(code: ErrorCode) -> String {
    format!("fns:{}", code.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Wording;
    use crate::domain::version::ApiVersion;
    use crate::xml::{XmlLimits, parse};

    fn reported(fault: &Fault, soap: SoapVersion, api: u16) -> String {
        let (api, wording) = (ApiVersion::major(api), Wording::default());
        let dialect = Dialect { soap, api, wording };
        String::from_utf8(encode(fault, &dialect)).expect("UTF-8")
    }

    #[test]
    fn a_failed_login_is_told_as_it_was_recorded() {
        let expected = "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope \
             xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
             <soapenv:Fault xmlns:fns=\"http://fault.api.zuora.com/\">\
             <faultcode>fns:INVALID_VALUE</faultcode>\
             <faultstring>Invalid login. User name and password do not match.</faultstring>\
             <detail><fns:LoginFault><fns:FaultCode>INVALID_VALUE</fns:FaultCode>\
             <fns:FaultMessage>Invalid login. User name and password do not match.\
             </fns:FaultMessage></fns:LoginFault></detail></soapenv:Fault></soapenv:Body>\
             </soapenv:Envelope>";
        assert_eq!(reported(&Fault::WrongLogin, SoapVersion::V11, 91), expected);
    }

    #[test]
    fn soap_12_has_code_subcode_reason_and_detail() {
        let expected = "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope \
             xmlns:soapenv=\"http://www.w3.org/2003/05/soap-envelope\"><soapenv:Body>\
             <soapenv:Fault xmlns:fns=\"http://fault.api.zuora.com/\"><soapenv:Code>\
             <soapenv:Value>soapenv:Receiver</soapenv:Value><soapenv:Subcode>\
             <soapenv:Value>fns:LOCK_COMPETITION</soapenv:Value></soapenv:Subcode></soapenv:Code>\
             <soapenv:Reason><soapenv:Text xml:lang=\"en\">A request with this Idempotency-Key is \
             still running. Retry later.</soapenv:Text></soapenv:Reason><soapenv:Detail>\
             <fns:UnexpectedErrorFault><fns:FaultCode>LOCK_COMPETITION</fns:FaultCode>\
             <fns:FaultMessage>A request with this Idempotency-Key is still running. Retry later.\
             </fns:FaultMessage></fns:UnexpectedErrorFault></soapenv:Detail></soapenv:Fault>\
             </soapenv:Body></soapenv:Envelope>";
        assert_eq!(reported(&Fault::KeyRunning, SoapVersion::V12, 91), expected);
    }

    #[test]
    fn soap_12_names_the_header_that_was_not_understood_in_a_header() {
        let fault = Fault::NotUnderstood("Route".to_owned(), "urn:r&d".to_owned());
        let text = reported(&fault, SoapVersion::V12, 91);
        let block = "<soapenv:Header><soapenv:NotUnderstood qname=\"ns1:Route\" \
             xmlns:ns1=\"urn:r&amp;d\" /></soapenv:Header><soapenv:Body>";
        assert!(text.contains(block), "{text}");
        assert!(!reported(&fault, SoapVersion::V11, 91).contains("Header>"));
        let security = Fault::SecurityNotProcessed("Signature".to_owned(), "urn:w".to_owned());
        let text = reported(&security, SoapVersion::V12, 91);
        assert!(text.contains("qname=\"ns1:Security\" xmlns:ns1=\"urn:w\""), "{text}");
    }

    #[test]
    fn a_code_that_the_callers_version_lacks_is_never_told() {
        let text = reported(&Fault::TooManyRequests, SoapVersion::V11, 59);
        assert!(text.contains("<faultcode>fns:UNKNOWN_ERROR</faultcode>"), "{text}");
        assert!(text.contains("<fns:FaultCode>UNKNOWN_ERROR</fns:FaultCode>"), "{text}");
        assert!(!text.contains("REQUEST_EXCEEDED_LIMIT"), "{text}");
    }

    #[test]
    fn every_fault_is_well_formed_whatever_the_caller_sent() {
        for fault in
            [Fault::samples(), vec![Fault::UnknownOperation("]]>\0<&\u{FFFF}".into())]].concat()
        {
            for soap in [SoapVersion::V11, SoapVersion::V12] {
                let text = reported(&fault, soap, 18);
                let document = parse(&text, &XmlLimits::default()).expect(&text);
                assert!(document.root().is(soap.namespace(), "Envelope"), "{text}");
            }
        }
    }

    #[test]
    fn no_version_is_told_a_code_that_its_wsdl_lacks() {
        for major in 18..=150 {
            let wsdl = crate::soap::wsdl::render(ApiVersion::major(major), "http://localhost/");
            for fault in Fault::samples() {
                let text = reported(&fault, SoapVersion::V11, major);
                let (_, rest) = text.split_once("<fns:FaultCode>").expect(&text);
                let (code, _) = rest.split_once('<').expect(&text);
                assert!(wsdl.contains(&format!("value=\"{code}\"")), "{code} at {major}.0");
            }
        }
    }
}
