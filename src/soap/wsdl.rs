//! The WSDL of a version: what it says to clients, and what it promises to the rest of the gateway.
//!
//! Objects and their fields come from the catalogue, everything else from `wsdl/zuora.wsdl.in`,
//! whose lines state from and up to which version they stand (its head and `wsdl/README.md` explain
//! the notation). What must stay true: no guard and no placeholder reaches the output, and the
//! output is well-formed for any address.

mod compliance;
mod objects;
mod template;

use std::fmt::Write as _;

use self::template::{LINES, OPERATIONS};
use crate::domain::error_code::ErrorCode;
use crate::domain::facts::Tenant;
use crate::domain::version::ApiVersion;

pub use self::compliance::{Schema, is_described};
pub use self::objects::{fields, object_type, object_types};

/// Stands in the template where the service's address goes.
const ADDRESS: &str = "{address}";
/// Stands in the template on the line that is rendered once for each error code.
const ERROR_CODE: &str = "{ErrorCode}";
/// Stands in the template where the types of the objects go.
const OBJECTS: &str = "{Objects}";

/// The WSDL of `version` for a service at `address`, which is escaped here.
pub fn render(version: ApiVersion, address: &str) -> String {
    render_for(version, address, &Tenant::default())
}

/// The WSDL of `version` for a tenant: with the fields of its own, and without what only credit
/// balances have where there are none.
pub fn render_for(version: ApiVersion, address: &str, tenant: &Tenant) -> String {
    let address = escape(address);
    let mut wsdl = String::with_capacity(64 * 1024);
    for line in LINES.iter().filter(|line| line.stand.covers(version)) {
        if line.text == OBJECTS {
            objects::push_objects(version, tenant, &mut wsdl);
        } else if line.text.contains(ERROR_CODE) {
            for code in ErrorCode::ALL.iter().filter(|code| code.since() <= version) {
                push_line(&mut wsdl, line.indent, &line.text.replace(ERROR_CODE, code.name()));
            }
        } else if line.text.contains(ADDRESS) {
            push_line(&mut wsdl, line.indent, &line.text.replace(ADDRESS, &address));
        } else {
            push_line(&mut wsdl, line.indent, line.text);
        }
    }
    wsdl
}

/// The operations of `version`, in the order of the WSDL.
pub fn operations(version: ApiVersion) -> impl Iterator<Item = &'static str> {
    let operations = OPERATIONS.iter();
    operations.filter(move |(_, stand)| stand.covers(version)).map(|(name, _)| *name)
}

/// The operation of `version` that is called `name`, letter by letter.
pub fn operation(version: ApiVersion, name: &str) -> Option<&'static str> {
    let mut named = OPERATIONS.iter().filter(|(known, _)| *known == name);
    named.find(|(_, stand)| stand.covers(version)).map(|(name, _)| *name)
}

fn push_line(wsdl: &mut String, indent: usize, text: &str) {
    wsdl.extend(std::iter::repeat_n(' ', indent));
    wsdl.push_str(text);
    wsdl.push('\n');
}

/// The address as the content of an attribute. Characters that no XML can carry, and white space
/// that a parser would normalise, have no place in an address either: they are percent-encoded.
fn escape(address: &str) -> String {
    let mut escaped = String::with_capacity(address.len());
    for character in address.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\0'..=' ' | '\u{7f}' | '\u{fffe}' | '\u{ffff}' => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(escaped, "%{byte:02X}");
                }
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;
    use crate::catalogue::Object;
    use crate::domain::custom_field::{CustomField, CustomFields, CustomName, CustomType};
    use crate::domain::listing;
    use crate::domain::vocabulary::CustomizedObject;

    const HERE: &str = "http://127.0.0.1:8080/apps/services/a/91.0";

    fn every_version() -> impl Iterator<Item = ApiVersion> {
        (18..=150).map(ApiVersion::major)
    }

    /// The values of `attribute` on each `<element …>` of the rendered text, with their lines.
    fn values<'a>(wsdl: &'a str, tag: &str, attribute: &str) -> Vec<&'a str> {
        let start = format!("<{tag} ");
        let key = format!(" {attribute}=\"");
        let lines = wsdl.lines().map(str::trim_start).filter(|line| line.starts_with(&start));
        lines.filter_map(|line| line.split_once(&key)?.1.split('"').next()).collect()
    }

    #[test]
    fn every_version_is_well_formed_and_leaks_no_notation() {
        for version in every_version() {
            let wsdl = render(version, HERE);
            assert!(wsdl.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<definitions "));
            let mut reader = Reader::from_str(&wsdl);
            reader.config_mut().check_end_names = true;
            let mut depth = 0_i32;
            loop {
                match reader.read_event().unwrap() {
                    Event::Start(tag) => {
                        depth += 1;
                        assert!(tag.attributes().all(|attribute| attribute.is_ok()));
                    }
                    Event::Empty(tag) => assert!(tag.attributes().all(|each| each.is_ok())),
                    Event::End(_) => depth -= 1,
                    Event::Text(text) => assert!(text.trim().is_empty()),
                    Event::Decl(_) => {}
                    Event::Eof => break,
                    other => panic!("{version}: {other:?}"),
                }
            }
            assert_eq!(depth, 0, "{version}");
            for line in wsdl.lines() {
                let text = line.trim_start();
                let is_markup = text.starts_with('<')
                    || text.starts_with("xmlns:")
                    || text.starts_with("targetNamespace");
                assert!(is_markup, "{version}: {line}");
                assert!(text.matches('<').count() <= 1, "{version}: two tags in {line}");
                assert!(!line.contains("{E") && !line.contains("{a"), "{version}: {line}");
                assert!((line.len() - text.len()) % 4 == 0, "{version}: odd indentation: {line}");
            }
        }
    }

    #[test]
    fn soap_1_2_is_nowhere() {
        for version in every_version() {
            let wsdl = render(version, HERE);
            assert!(!wsdl.contains("soap12") && !wsdl.contains("2003/05/soap"), "{version}");
        }
    }

    #[test]
    fn names_that_generated_clients_compile_against_stand_in_every_version() {
        for version in every_version() {
            let wsdl = render(version, HERE);
            for needed in [
                "<service name=\"ZuoraService\">",
                "<port name=\"Soap\" binding=\"zns:SoapBinding\">",
                "<portType name=\"Soap\">",
                "<binding name=\"SoapBinding\" type=\"zns:Soap\">",
                "<soap:binding style=\"document\" transport=\"http://schemas.xmlsoap.org/soap/http\" />",
                "<part name=\"SessionHeader\" element=\"zns:SessionHeader\" />",
                "<soap:address location=\"http://127.0.0.1:8080/apps/services/a/91.0\" />",
            ] {
                assert_eq!(wsdl.matches(needed).count(), 1, "{version}: {needed}");
            }
            assert_eq!(
                values(&wsdl, "schema", "targetNamespace"),
                [
                    "http://object.api.zuora.com/",
                    "http://api.zuora.com/",
                    "http://fault.api.zuora.com/"
                ],
            );
            assert!(values(&wsdl, "soap:operation", "soapAction").iter().all(|it| it.is_empty()));
        }
    }

    #[test]
    fn refund_grew_as_the_published_wsdls_did() {
        let mut known = BTreeSet::new();
        for (major, count, added) in [
            (
                19,
                15,
                "AccountId AccountingCode Amount Comment Gateway GatewayResponse \
                 GatewayResponseCode MethodType PaymentId ReferenceID RefundDate RefundNumber \
                 RefundTransactionTime Status Type",
            ),
            (25, 19, "CreatedById CreatedDate UpdatedById UpdatedDate"),
            (27, 21, "SourceType TransferredToAccounting"),
            (
                30,
                27,
                "GatewayOptionData GatewayState MarkedForSubmissionOn PaymentMethodId SettledOn \
                 SubmittedOn",
            ),
            (32, 28, "CancelledOn"),
            (35, 30, "SoftDescriptor SoftDescriptorPhone"),
            (45, 31, "ReasonCode"),
            (48, 32, "SecondRefundReferenceId"),
            (61, 33, "PaymentMethodSnapshotId"),
            (64, 34, "RefundInvoicePaymentData"),
            (69, 34, ""),
            (91, 34, ""),
        ] {
            known.extend(added.split_ascii_whitespace());
            let version = ApiVersion::major(major);
            let names: Vec<_> = fields(version, "Refund").iter().map(|field| field.0).collect();
            assert_eq!(names.len(), count, "{version}");
            assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), known, "{version}");
        }
    }

    #[test]
    fn fields_are_in_alphabetical_order_and_none_is_there_twice() {
        for version in every_version() {
            for object in object_types(version) {
                let names: Vec<_> =
                    fields(version, object).iter().map(|field| field.0.to_lowercase()).collect();
                assert!(!names.is_empty(), "{version} {object}");
                assert!(names.is_sorted_by(|one, next| one < next), "{version} {object}");
            }
            let base = fields(version, "zObject");
            assert_eq!(base, [("fieldsToNull", "string"), ("Id", "zns:ID")]);
        }
    }

    #[test]
    fn calendar_fields_turn_plain_at_69() {
        let type_of = |major, object, name| {
            let fields = fields(ApiVersion::major(major), object);
            fields.iter().find(|field| field.0 == name).map(|field| field.1)
        };
        for (object, name) in [
            ("Refund", "RefundDate"),
            ("CreditBalanceAdjustment", "AdjustmentDate"),
            ("Account", "LastInvoiceDate"),
        ] {
            assert_eq!(type_of(68, object, name), Some("dateTime"));
            assert_eq!(type_of(69, object, name), Some("date"));
            assert_eq!(type_of(91, object, "CreatedDate"), Some("dateTime"));
        }
        for version in every_version() {
            let has_date = object_types(version)
                .iter()
                .any(|object| fields(version, object).iter().any(|field| field.1 == "date"));
            assert_eq!(has_date, version.has_plain_dates(), "{version}");
        }
    }

    #[test]
    fn a_tenth_belongs_to_its_whole_version() {
        let render_at = |version: &str| render(version.parse().unwrap(), HERE);
        assert_eq!(render_at("68.9"), render_at("68.0"));
        assert_ne!(render_at("69.0"), render_at("68.9"));
    }

    #[test]
    fn objects_and_operations_come_with_their_versions() {
        let at = ApiVersion::major;
        let old = [
            "Account",
            "Invoice",
            "InvoiceAdjustment",
            "InvoiceItem",
            "InvoicePayment",
            "Payment",
            "PaymentMethod",
            "Refund",
            "RefundInvoicePayment",
            "RefundTransactionLog",
            "TaxationItem",
        ];
        let types = |major| object_types(at(major));
        assert_eq!(types(18), old);
        assert!(types(22).contains(&"CreditBalanceAdjustment"));
        assert!(!types(22).contains(&"InvoiceItemAdjustment"));
        assert!(types(23).contains(&"InvoiceItemAdjustment"));
        assert!(types(30).contains(&"GatewayOption"));
        assert_eq!(types(150).len(), 14);
        // Without queryMore, a client of 18.0 could do nothing with a locator.
        let first = [
            "login",
            "subscribe",
            "create",
            "generate",
            "update",
            "delete",
            "query",
            "queryMore",
            "getUserInfo",
        ];
        assert_eq!(operations(at(18)).collect::<Vec<_>>(), first);
        for (name, since) in [("amend", 29), ("execute", 36), ("rasd", 61)] {
            assert_eq!(operation(at(since - 1), name), None);
            assert_eq!(operation(at(since), name), Some(name));
        }
        assert_eq!(operations(ApiVersion::LAST).count(), 12);
        assert_eq!(operation(ApiVersion::LAST, "Create"), None);
        assert!(fields(at(21), "CreditBalanceAdjustment").is_empty());
        assert!(fields(at(91), "Subscription").is_empty());
    }

    #[test]
    fn amounts_are_doubles_at_18_and_decimals_from_19_on() {
        for object in object_types(ApiVersion::FIRST) {
            let of_type = |major, wanted| {
                let fields = fields(ApiVersion::major(major), object).into_iter();
                fields.filter(|field| field.1 == wanted).map(|field| field.0).collect::<Vec<_>>()
            };
            assert_eq!(of_type(18, "double"), of_type(19, "decimal"), "{object}");
            assert!(of_type(18, "decimal").is_empty() && of_type(19, "double").is_empty());
        }
        assert!(fields(ApiVersion::FIRST, "Refund").contains(&("Amount", "double")));
    }

    #[test]
    fn headers_and_the_id_pattern_follow_the_version() {
        let rendered = |major| render(ApiVersion::major(major), HERE);
        let bound = |major| values(&rendered(major), "soap:header", "part").join(" ");
        assert!(bound(18).contains("QueryOptions") && !bound(24).contains("CallOptions"));
        assert_eq!(bound(25).matches("CallOptions").count(), 1);
        let pattern = |major| values(&rendered(major), "pattern", "value").concat();
        assert_eq!(pattern(19), "[a-zA-Z0-9]{32}");
        assert_eq!(pattern(20), "[a-zA-Z0-9]{32}|\\d+");
    }

    #[test]
    fn error_codes_are_those_of_the_version() {
        for version in every_version() {
            let wsdl = render(version, HERE);
            let expected: Vec<_> = ErrorCode::ALL
                .iter()
                .filter(|code| code.since() <= version)
                .map(|code| code.name())
                .collect();
            assert_eq!(values(&wsdl, "enumeration", "value"), expected, "{version}");
        }
    }

    #[test]
    fn what_is_referred_to_is_there() {
        for version in every_version() {
            let wsdl = render(version, HERE);
            let mut known: BTreeSet<String> = BTreeSet::new();
            let mut prefix = "";
            for line in wsdl.lines().map(str::trim) {
                for (schema, its) in [("//object", "ons"), ("//api", "zns"), ("//fault", "fns")] {
                    if line.starts_with("<schema ") && line.contains(schema) {
                        prefix = its;
                    }
                }
                for tag in ["complexType", "simpleType", "element", "message"] {
                    if let [name] = values(line, tag, "name").as_slice() {
                        let own = if tag == "message" { "zns" } else { prefix };
                        known.insert(format!("{own}:{name}"));
                    }
                }
            }
            for (tag, attribute) in [
                ("element", "type"),
                ("extension", "base"),
                ("part", "element"),
                ("input", "message"),
                ("output", "message"),
                ("fault", "message"),
                ("soap:header", "message"),
            ] {
                let used = values(&wsdl, tag, attribute);
                assert!(!used.is_empty(), "{version} {tag}");
                for name in used.iter().filter(|name| name.contains(':')) {
                    assert!(known.contains(*name), "{version}: {tag} {name}");
                }
            }
            let (_, binding) = wsdl.split_once("<binding ").unwrap();
            let expected: Vec<_> = operations(version).collect();
            assert_eq!(values(binding, "operation", "name"), expected, "{version}");
        }
    }

    #[test]
    fn fields_of_a_tenants_own_are_sorted_in() {
        let field = |object, name, custom_type| CustomField {
            object,
            name: CustomName::parse(name).unwrap(),
            custom_type,
            is_required: false,
            is_advanced: false,
        };
        let refund = CustomizedObject::Refund;
        let custom_fields = CustomFields::new(vec![
            field(refund, "zone__c", CustomType::Boolean),
            field(refund, "amountPaid__c", CustomType::Decimal),
            field(refund, "CaseDate__c", CustomType::Date),
            field(CustomizedObject::Account, "AAA__c", CustomType::String { length: 5 }),
        ]);
        let tenant = Tenant { custom_fields, ..Tenant::default() };
        for version in every_version() {
            let reported = render_for(version, HERE, &tenant);
            let standing = |reported: &str, object| {
                let (_, rest) =
                    reported.split_once(&format!("<complexType name=\"{object}\">")).unwrap();
                let (own, _) = rest.split_once("</sequence>").unwrap();
                values(own, "element", "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            let mut names = standing(&reported, "Refund");
            let folded: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
            assert!(folded.is_sorted(), "{version}: {names:?}");
            names.retain(|name| name.ends_with("__c"));
            assert_eq!(names, ["amountPaid__c", "CaseDate__c", "zone__c"]);
            assert_eq!(standing(&reported, "Account")[0], "AAA__c");
            let date = if version.has_plain_dates() { "date" } else { "dateTime" };
            assert!(
                reported
                    .contains(&format!("name=\"CaseDate__c\" nillable=\"true\" type=\"{date}\""))
            );
            let mut without: Vec<_> =
                reported.lines().filter(|line| !line.contains("__c")).collect();
            without.push("");
            assert_eq!(without.join("\n"), render(version, HERE));
        }
    }

    #[test]
    fn what_only_credit_balances_have_goes_with_them() {
        let off = Tenant { credit_balance: false, ..Tenant::default() };
        let settlement = Tenant { invoice_settlement: true, ..Tenant::default() };
        let is_of_credit = |line: &&str| {
            ["CreditBalance\"", "AppliedCreditBalanceAmount\"", "CreditBalanceAdjustmentAmount\""]
                .iter()
                .any(|name| line.contains(name))
        };
        for version in every_version() {
            let whole = render(version, HERE);
            let reported = render_for(version, HERE, &off);
            assert_eq!(reported, render_for(version, HERE, &settlement), "{version}");
            assert!(!reported.contains("CreditBalance"), "{version}");
            let (before, rest) = whole
                .split_once("<complexType name=\"CreditBalanceAdjustment\">")
                .unwrap_or((&whole, ""));
            let after = rest.split_once("</complexType>\n").map_or("", |(_, after)| after);
            let others = format!("{}{after}", before.trim_end_matches(' '));
            let mut others: Vec<_> = others.lines().filter(|line| !is_of_credit(line)).collect();
            others.push("");
            assert_eq!(reported, others.join("\n"), "{version}");
            let types: Vec<_> = listing::objects(version, &off).map(Object::name).collect();
            assert!(!types.contains(&"CreditBalanceAdjustment"), "{version}");
            assert!(types.contains(&"InvoiceAdjustment"), "{version}");
        }
        let account = listing::fields(Object::Account, ApiVersion::LAST, &off);
        assert!(account.iter().all(|field| field.name != "CreditBalance"));
        assert_eq!(account.len() + 1, fields(ApiVersion::LAST, "Account").len());
    }

    #[test]
    fn a_hostile_address_is_escaped() {
        let version = ApiVersion::LAST;
        let wsdl = render(version, "http://a/\"'><x>&y=\u{1}\n {ErrorCode}\u{fffe}");
        let escaped = "\"http://a/&quot;&apos;&gt;&lt;x&gt;&amp;y=%01%0A%20{ErrorCode}%EF%BF%BE\"";
        assert!(wsdl.contains(escaped));
        assert_eq!(wsdl.lines().count(), render(version, HERE).lines().count());
    }
}
