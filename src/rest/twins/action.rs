//! `/v1/action/…`: up to fifty objects of one type, each on its own, and queries.

use super::fault::Fault;
use super::records;
use super::zobject::ZObject;
use super::{REFUND, Twin, TwinStop, result};
use crate::catalogue::Object;
use crate::domain::draft::batch::{IDS_MAX, OBJECTS_MAX};
use crate::domain::facts::Tenant;
use crate::domain::id::ObjectId;
use crate::domain::query::{QueryError, QueryObject, TypedQuery, fields, typed};
use crate::domain::row_error::RowError;
use crate::domain::text::Wording;
use crate::domain::version::ApiVersion;
use crate::domain::zoql;
use crate::json::{Json, JsonWriter};
use crate::ledger::RowResult;
use crate::ledger::query::{FindError, QueryLocator, Start};
use crate::rest::answer::Response;
use crate::rest::body::document;
use crate::rest::failing::Stop;
use crate::service::CallContext;
use crate::service::query::QueryFailure;
use crate::service::refusal::Failure;

impl Twin<'_> {
    /// Creates objects.
    pub(super) async fn create(mut self) -> Result<Response, TwinStop> {
        let json = document(self.body).map_err(Fault::of_body)?;
        let (name, objects) = self.objects(&json)?;
        self.create_all(name, &objects, "action/create".to_owned(), results).await
    }

    /// Changes objects.
    pub(super) async fn update(mut self) -> Result<Response, TwinStop> {
        let json = document(self.body).map_err(Fault::of_body)?;
        let (name, objects) = self.objects(&json)?;
        let rows = self.change_all(name, &objects).await?;
        Ok(Response::done(results(&rows, &self.context, &self.wording)))
    }

    /// Deletes objects.
    pub(super) async fn delete(self) -> Result<Response, TwinStop> {
        let json = document(self.body).map_err(Fault::of_body)?;
        let name = self.type_name_in(&json)?;
        let ids = json.get("ids").and_then(Json::items).unwrap_or_default();
        if ids.len() > IDS_MAX {
            return Err(Fault::TooManyIds.into());
        }
        let texts: Option<Vec<&str>> = ids.iter().map(Json::text).collect();
        let texts = texts.filter(|texts| !texts.is_empty()).ok_or(Fault::NoIds)?;
        let parse = |text: &str| {
            ObjectId::parse(text.trim()).ok_or_else(|| RowError::invalid_id("Id", text))
        };
        let row = |(row, text)| self.ordered.get(&row).cloned().map_or_else(|| parse(text), Err);
        let ids = texts.into_iter().enumerate().map(row).collect();
        let rows = self.service.delete(&self.context, name, ids).await?;
        self.facts.note_rows(&rows, name == REFUND);
        let mut json = JsonWriter::new();
        json.list();
        for row in &rows {
            match row {
                Ok(saved) => {
                    json.object().name("id").text(saved.id.as_str());
                    json.name("success").bool(true).close();
                }
                Err(error) => {
                    let code = error.code.for_version(self.context.version);
                    json.object().name("success").bool(false).name("errors").list().object();
                    json.name("Code").text(code.name());
                    json.name("Message").text(&self.wording.report(&error.message));
                    json.close().close().close();
                }
            }
        }
        Ok(Response::done(json.into_bytes()))
    }

    /// The first page of a query.
    pub(super) async fn query(self) -> Result<Response, TwinStop> {
        let json = document(self.body).map_err(Fault::of_body)?;
        let text = json.get("queryString").and_then(Json::text).ok_or(Fault::NoQuery)?;
        let query = query(text, self.context.version, &self.tenant)?;
        let rows = batch_size(&json);
        self.page(Start::Query(query), rows, "").await
    }

    /// A later page of a query.
    pub(super) async fn query_more(self) -> Result<Response, TwinStop> {
        let json = document(self.body).map_err(Fault::of_body)?;
        let text = json.get("queryLocator").and_then(Json::text).ok_or(Fault::NoQuery)?;
        let locator = QueryLocator::parse(text.trim());
        let locator = locator.ok_or_else(|| Fault::wrong_locator(text))?;
        let rows = batch_size(&json);
        self.page(Start::Locator(locator), rows, text).await
    }

    async fn page(
        &self,
        start: Start,
        rows: Option<u32>,
        locator: &str,
    ) -> Result<Response, TwinStop> {
        let (caller, deadline) = (&self.context.caller, self.context.deadline.at());
        let page = match self.service.find(caller, start, rows, deadline).await {
            Ok((page, turn)) => {
                self.holding.hold(turn);
                page
            }
            Err(QueryFailure::Find(FindError::NoLocator)) => {
                return Err(Fault::wrong_locator(locator).into());
            }
            Err(failure) => return Err(Stop::from(Failure::from(failure)).into()),
        };
        let fields = fields(page.query.object, self.context.version, &self.tenant);
        Ok(Response::done(records::page(&page, &fields)))
    }

    /// The objects of a call, one to fifty, and the name of their type.
    fn objects<'j>(&self, json: &'j Json) -> Result<(&'static str, Vec<ZObject<'j>>), Fault> {
        let name = self.type_name_in(json)?;
        let objects = json.get("objects").and_then(Json::items).unwrap_or_default();
        if objects.len() > OBJECTS_MAX {
            return Err(Fault::TooManyObjects);
        }
        if objects.is_empty() || objects.iter().any(|object| object.members().is_none()) {
            return Err(Fault::NoObjects);
        }
        Ok((name, objects.iter().map(ZObject::new).collect()))
    }

    /// The type that the document names, which the WSDL of the caller's version must have.
    fn type_name_in(&self, json: &Json) -> Result<&'static str, Fault> {
        if json.members().is_none() {
            return Err(Fault::NoObject);
        }
        let name = json.get("type").and_then(Json::text).ok_or(Fault::NoType)?;
        let has_credit_balances = self.tenant.has_credit_balances();
        let mut known = Object::ALL.iter().filter(|object| {
            let version = self.context.version;
            object.name() == name && object.stand().covers_for(version, has_credit_balances)
        });
        known.next().map(|object| object.name()).ok_or_else(|| Fault::unknown_type(name))
    }
}

/// The results of all rows, in their order.
fn results(rows: &[RowResult], call: &CallContext, wording: &Wording) -> Vec<u8> {
    let mut json = JsonWriter::new();
    json.list();
    for row in rows {
        result(row, call, wording, &mut json);
    }
    json.into_bytes()
}

/// How many rows a page is to have, as `conf.batchSize` says.
fn batch_size(json: &Json) -> Option<u32> {
    match json.get("conf")?.get("batchSize")? {
        Json::Number(digits) | Json::Text(digits) => digits.parse().ok(),
        _ => None,
    }
}

fn query(text: &str, api: ApiVersion, tenant: &Tenant) -> Result<TypedQuery, Fault> {
    let parsed = zoql::parse(text).map_err(|error| Fault::Query(QueryError::from(error)))?;
    let is_there = |object: &QueryObject| {
        object.object().stand().covers_for(api, tenant.has_credit_balances())
    };
    let object = QueryObject::from_name(&parsed.object).filter(is_there);
    let object = object.ok_or_else(|| Fault::query_type(&parsed.object))?;
    typed(&parsed, object, &fields(object, api, tenant), false).map_err(Fault::Query)
}
