//! The operation delete: objects of one type by their ids, each on its own, and one result for each
//! in their order, with names in lower case as the WSDL has them.

use super::envelope::{ANSWERS, Dialect, is_ours, refuse_reference};
use super::fault::Fault;
use super::outcome::{Done, Failure, Tally};
use super::vendor::unknown_type;
use super::wsdl;
use crate::domain::draft::batch::IDS_MAX;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::domain::white_space::trim;
use crate::ledger::RowResult;
use crate::ledger::change::SentId;
use crate::service::{CallContext, Service};
use crate::xml::ElementRef;

/// What a caller asks for.
#[derive(Debug)]
pub(super) struct DeleteRequest {
    /// The name of a type of the WSDL.
    type_name: &'static str,
    /// The ids; for one that has not the form of an id, its error.
    ids: Vec<SentId>,
}

/// Reads the type and the ids.
pub(super) fn read(element: ElementRef<'_>, api: ApiVersion) -> Result<DeleteRequest, Fault> {
    let below = |name: &'static str| {
        element.children().filter(move |child| child.local() == name && is_ours(child.namespace()))
    };
    let mut types = below("type").filter(|one| !one.is_nil() && one.has_text());
    let named = types.next().ok_or(Fault::DeleteWithoutType)?;
    refuse_reference(named)?;
    let text = trim(named.text());
    let known = wsdl::object_type(api, text);
    let type_name = known.ok_or_else(|| unknown_type(text, api))?;
    if types.next().is_some() {
        return Err(Fault::TypesMixed);
    }
    let mut ids = Vec::new();
    for id in below("ids") {
        refuse_reference(id)?;
        if ids.len() == IDS_MAX {
            return Err(Fault::TooManyIds);
        }
        if id.is_nil() {
            return Err(Fault::NoIds);
        }
        let text = trim(id.text());
        ids.push(ObjectId::parse(text).ok_or_else(|| RowError::invalid_id("Id", text)));
    }
    if ids.is_empty() {
        return Err(Fault::NoIds);
    }
    Ok(DeleteRequest { type_name, ids })
}

impl DeleteRequest {
    /// Whether it deletes refunds.
    pub(super) fn deletes_refunds(&self) -> bool {
        self.type_name == "Refund"
    }

    /// The id of each row, as far as it is one.
    pub(super) fn ids(&self) -> Vec<Option<&ObjectId>> {
        self.ids.iter().map(|id| id.as_ref().ok()).collect()
    }

    /// Makes these rows fail so, because a tester ordered it.
    pub(super) fn fail_rows(&mut self, rows: &[usize], error: &RowError) {
        for row in rows {
            if let Some(id) = self.ids.get_mut(*row) {
                *id = Err(error.clone());
            }
        }
    }
}

/// Deletes the objects and reports the results.
pub(super) async fn answer(
    service: &Service,
    call: &CallContext,
    request: DeleteRequest,
    dialect: &Dialect,
) -> Result<Done, Failure> {
    let rows = service.delete(call, request.type_name, request.ids).await?;
    let body = encode(&rows, dialect);
    Ok(Done { body, replayed: false, tally: Tally::of_others(rows) })
}

/// The answer: errors before id before success, and of those only what applies.
fn encode(rows: &[RowResult], dialect: &Dialect) -> Vec<u8> {
    let mut writer = dialect.open_envelope(256 + rows.len() * 200);
    writer.open_with("ns1:deleteResponse", &ANSWERS);
    for row in rows {
        writer.open("ns1:result");
        match row {
            Ok(saved) => {
                writer
                    .text_element("ns1:id", saved.id.as_str())
                    .text_element("ns1:success", "true");
            }
            Err(error) => {
                let code = error.code.for_version(dialect.api);
                writer.open("ns1:errors").text_element("ns1:Code", code.name());
                writer.text_element("ns1:Message", &dialect.wording.report(&error.message)).close();
                writer.text_element("ns1:success", "false");
            }
        }
        writer.close();
    }
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{XmlLimits, parse};

    fn read_call(parts: &str) -> Result<DeleteRequest, Fault> {
        let text = format!(
            "<delete xmlns='http://api.zuora.com/' xmlns:o='http://object.api.zuora.com/' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{parts}</delete>"
        );
        let document = parse(&text, &XmlLimits::default()).expect(&text);
        read(document.root(), ApiVersion::major(91))
    }

    #[test]
    fn type_and_ids_are_read_in_any_order_and_namespace_of_ours() {
        let id = "402892c72b9e3319012b9e34b88e0001";
        let read = read_call(&format!("<o:ids> {id} </o:ids><ids>x</ids><type>Refund</type>"));
        let read = read.expect("read");
        assert_eq!(read.type_name, "Refund");
        assert_eq!(read.ids[0], Ok(ObjectId::parse(id).unwrap()));
        assert_eq!(read.ids[1], Err(RowError::invalid_id("Id", "x")));
    }

    #[test]
    fn what_is_wrong_as_a_whole_is_a_fault() {
        let id = "<ids>7</ids>";
        for (parts, fault) in [
            (id.to_owned(), Fault::DeleteWithoutType),
            (format!("<type> </type>{id}"), Fault::DeleteWithoutType),
            (
                format!("<type>refund</type>{id}"),
                Fault::TypeMisspelt("refund".to_owned(), "Refund".to_owned()),
            ),
            (format!("<type>Contact</type>{id}"), Fault::TypeNotKept("Contact".to_owned())),
            ("<type>Refund</type>".to_owned(), Fault::NoIds),
            (format!("<type>Refund</type>{id}<ids i:nil='1'/>"), Fault::NoIds),
            (format!("<type>Refund</type>{}", id.repeat(51)), Fault::TooManyIds),
            (format!("<type>Refund</type><type>Account</type>{id}"), Fault::TypesMixed),
            ("<type>Refund</type><ids href='#1'/>".to_owned(), Fault::Reference),
        ] {
            assert_eq!(read_call(&parts).unwrap_err(), fault, "{parts}");
        }
    }
}
