//! `/v1/object/…`: one object of a type that the path names.

use super::fault::Fault;
use super::records;
use super::zobject::ZObject;
use super::{REFUND, Twin, TwinStop, result};
use crate::call::Outcome;
use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::domain::query::{Condition, QueryField, QueryObject, Test, TypedQuery, fields};
use crate::domain::row_error::RowError;
use crate::domain::zoql::Comparator;
use crate::json::{Json, JsonWriter, Member};
use crate::ledger::RowResult;
use crate::ledger::query::Start;
use crate::rest::answer::Response;
use crate::rest::body::document;
use crate::service::refusal::Failure;

impl Twin<'_> {
    /// Creates one object.
    pub(super) async fn create_object(mut self) -> Result<Response, TwinStop> {
        let json = self.object_document()?;
        let shape = format!("object {}", self.template);
        let (name, objects) = (self.type_name(), [ZObject::new(&json)]);
        let made = self.create_all(name, &objects, shape, one).await?;
        let Response { status, outcome, body, .. } = of_result(made.body);
        Ok(Response { status, outcome, body, ..made })
    }

    /// Changes one object.
    pub(super) async fn update_object(mut self) -> Result<Response, TwinStop> {
        let mut json = self.object_document()?;
        let id = self.id()?;
        if let Json::Object(members) = &mut json {
            members.retain(|member| &*member.name != "Id");
            members.push(Member { name: "Id".into(), value: Json::Text(id.as_str().into()) });
        }
        let rows = self.change_all(self.type_name(), &[ZObject::new(&json)]).await?;
        Ok(of_result(one(&rows, &self.context, &self.wording)))
    }

    /// Deletes one object; its answer has names in lower case, as that of SOAP's delete.
    pub(super) async fn delete_object(self) -> Result<Response, TwinStop> {
        let text = self.keys.object();
        let id = ObjectId::parse(text).ok_or_else(|| RowError::invalid_id("Id", text));
        let id = self.ordered.get(&0).cloned().map_or(id, Err);
        let rows = self.service.delete(&self.context, self.type_name(), vec![id]).await?;
        let is_refund = self.type_name() == REFUND;
        self.facts.note_rows(&rows, is_refund);
        let Some(Ok(saved)) = rows.first() else {
            return Ok(of_result(one(&rows, &self.context, &self.wording)));
        };
        let mut json = JsonWriter::new();
        json.object().name("success").bool(true).name("id").text(saved.id.as_str());
        Ok(Response::done(json.into_bytes()))
    }

    /// Reads one object; `fields` names those to be read.
    pub(super) async fn get_object(self) -> Result<Response, TwinStop> {
        let id = self.id()?;
        let object = QueryObject::from_name(self.type_name()).ok_or(Fault::NotFound)?;
        let known = fields(object, self.context.version, &self.tenant);
        let parameters = self.parameters()?;
        let wanted = parameters.get("fields").filter(|names| !names.is_empty());
        let wanted: Vec<&str> = wanted.map_or_else(Vec::new, |names| names.split(',').collect());
        let is_wanted = |field: &&QueryField| {
            let by_name = wanted.is_empty() || wanted.contains(&&*field.name);
            by_name || field.name == "Id"
        };
        let names = known.iter().filter(is_wanted).map(|field| field.name.to_string()).collect();
        let by_id = Condition {
            field: "Id".to_owned(),
            test: Test::Id(Comparator::Equal, id.as_str().to_owned()),
        };
        let query = TypedQuery {
            object,
            fields: names,
            conditions: vec![vec![by_id]],
            case_sensitive: false,
        };
        let (caller, deadline) = (&self.context.caller, self.context.deadline.at());
        let found = self.service.find(caller, Start::Query(query), Some(1), deadline).await;
        let (page, _turn) = found.map_err(Failure::from)?;
        let row = page.rows.first().ok_or(Fault::NotFound)?;
        let mut json = JsonWriter::new();
        records::record(&mut json, &page, row, &known);
        Ok(Response::done(json.into_bytes()))
    }

    /// The document, which must be an object.
    fn object_document(&self) -> Result<Json, Fault> {
        let json = document(self.body).map_err(Fault::of_body)?;
        if json.members().is_none() { Err(Fault::NoObject) } else { Ok(json) }
    }

    /// The id in the path.
    fn id(&self) -> Result<ObjectId, Fault> {
        ObjectId::parse(self.keys.object()).ok_or(Fault::NotFound)
    }

    /// The type that the path names.
    fn type_name(&self) -> &'static str {
        let segment = self.template.trim_start_matches("/v1/object/");
        match segment.split('/').next().unwrap_or_default() {
            "account" => "Account",
            "credit-balance-adjustment" => "CreditBalanceAdjustment",
            "payment" => "Payment",
            "refund-invoice-payment" => "RefundInvoicePayment",
            "refund-transaction-log" => "RefundTransactionLog",
            _ => "Refund",
        }
    }
}

/// The document about the one row of a call.
fn one(
    rows: &[RowResult],
    call: &crate::service::CallContext,
    wording: &crate::domain::text::Wording,
) -> Vec<u8> {
    let mut json = JsonWriter::new();
    for row in rows.iter().take(1) {
        result(row, call, wording, &mut json);
    }
    json.into_bytes()
}

/// The answer with such a document: 400 where the row failed.
fn of_result(body: Vec<u8>) -> Response {
    if body.starts_with(b"{\"Success\":false") {
        return Response::of(400, body, Outcome::Failed(ErrorCode::InvalidValue));
    }
    Response::done(body)
}
