//! The operations query and queryMore: objects read back, page by page.
//!
//! A query is typed against the fields of the caller's version, and its page is rendered with them:
//! no answer carries a field, or a form of a date, that the caller's WSDL lacks, also where a call
//! of another version made the locator.

mod render;

use super::envelope::{Dialect, QueryOptions, is_ours, refuse_reference};
use super::fault::{Fault, shown};
use super::outcome::{Done, Failure, Tally};
use super::vendor::unknown_object;
use crate::call::Holding;
use crate::domain::facts::Tenant;
use crate::domain::id::ObjectId;
use crate::domain::query::{Condition, QueryError, QueryObject, Test, TypedQuery, fields, typed};
use crate::domain::toml_text::slip;
use crate::domain::version::ApiVersion;
use crate::domain::zoql::{self, Comparator};
use crate::ledger::query::{QueryLocator, Start};
use crate::service::{CallContext, Service};
use crate::xml::ElementRef;
use std::sync::Arc;

/// A page that is asked for.
#[derive(Debug)]
pub(super) struct PageRequest {
    start: Start,
    rows_wanted: Option<u32>,
}

impl PageRequest {
    /// The accounts whose objects are asked for by the account's id.
    pub(super) fn accounts(&self) -> Vec<ObjectId> {
        let Start::Query(query) = &self.start else {
            return Vec::new();
        };
        let named = |condition: &Condition| match (condition.field.as_str(), &condition.test) {
            ("AccountId", Test::Id(Comparator::Equal, id)) => ObjectId::parse(id),
            ("Id", Test::Id(Comparator::Equal, id)) if query.object == QueryObject::Account => {
                ObjectId::parse(id)
            }
            _ => None,
        };
        query.conditions.iter().flatten().filter_map(named).collect()
    }
}

/// Reads the query string of a query.
pub(super) fn read(
    element: ElementRef<'_>,
    api: ApiVersion,
    options: QueryOptions,
    tenant: &Tenant,
) -> Result<PageRequest, Fault> {
    let text = text_below(element, "queryString")?.ok_or(Fault::NoQuery)?;
    let start = Start::Query(query(text, api, options.case_sensitive, tenant)?);
    Ok(PageRequest { start, rows_wanted: options.batch_size })
}

/// Reads the locator of a queryMore.
pub(super) fn read_more(
    element: ElementRef<'_>,
    options: QueryOptions,
) -> Result<PageRequest, Fault> {
    let text = text_below(element, "queryLocator")?.ok_or(Fault::NoLocator)?.trim();
    let locator = QueryLocator::parse(text).ok_or_else(|| Fault::WrongLocator(shown(text)))?;
    Ok(PageRequest { start: Start::Locator(locator), rows_wanted: options.batch_size })
}

/// The text of a parameter, if it has one.
fn text_below<'d>(element: ElementRef<'d>, name: &str) -> Result<Option<&'d str>, Fault> {
    let mut named =
        element.children().filter(|child| child.local() == name && is_ours(child.namespace()));
    let Some(child) = named.next() else {
        return Ok(None);
    };
    refuse_reference(child)?;
    Ok(Some(child.text()).filter(|_| !child.is_nil() && child.has_text()))
}

fn query(
    text: &str,
    api: ApiVersion,
    case_sensitive: bool,
    tenant: &Tenant,
) -> Result<TypedQuery, Fault> {
    let parsed = zoql::parse(text).map_err(QueryError::from)?;
    let object = QueryObject::from_name(&parsed.object);
    let object = object.filter(|object| is_in(api, *object, tenant));
    let object = object.ok_or_else(|| unknown_object(&parsed.object, api))?;
    let fields = fields(object, api, tenant);
    typed(&parsed, object, &fields, case_sensitive).map_err(|error| match error {
        QueryError::Field { object, field } => {
            match slip(&field, fields.iter().map(|field| &*field.name)) {
                Some(near) => {
                    Fault::QueryFieldMisspelt(shown(&object), shown(&field), near.to_owned())
                }
                None => Fault::QueryField(shown(&object), shown(&field)),
            }
        }
        other => other.into(),
    })
}

/// Whether the tenant's WSDL of a version has the object.
fn is_in(api: ApiVersion, object: QueryObject, tenant: &Tenant) -> bool {
    object.object().stand().covers_for(api, tenant.has_credit_balances())
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Syntax(error) => Self::MalformedQuery(error.to_string()),
            QueryError::Field { object, field } => Self::QueryField(shown(&object), shown(&field)),
            QueryError::Value { field, value } => Self::QueryValue(field, shown(&value)),
        }
    }
}

/// Finds the page and encodes it.
pub(super) async fn answer(
    service: &Arc<Service>,
    (call, holding): (&CallContext, &Holding),
    request: PageRequest,
    operation: render::PageOf,
    dialect: &Dialect,
) -> Result<Done, Failure> {
    let locator = match &request.start {
        Start::Locator(locator) => locator.to_string(),
        Start::Query(_) => String::new(),
    };
    let deadline = call.deadline.at();
    let page = service.find(&call.caller, request.start, request.rows_wanted, deadline).await;
    let (page, turn) = page.map_err(|failure| Failure::of_query(failure, locator.clone()))?;
    holding.hold(turn);
    // The locator may be one of a newer version, or older than a switch of the tenant.
    let tenant = service.tenant();
    if !is_in(dialect.api, page.query.object, &tenant) {
        return Err(Fault::WrongLocator(locator).into());
    }
    let fields = fields(page.query.object, dialect.api, &tenant);
    let body = render::page(&page, &fields, operation, dialect);
    Ok(Done { body, replayed: false, tally: Tally::default() })
}

pub(super) use render::PageOf;
