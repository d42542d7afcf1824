//! From the bytes of a body to a typed request.
//!
//! All that costs time by the size of the body happens here and in one go, so that it can be done
//! off the async threads. A request that cannot be read becomes the fault that says why.

use super::create::{self, CreateRequest};
use super::delete::{self, DeleteRequest};
use super::envelope::{Envelope, SoapVersion, is_ours, refuse_reference};
use super::fault::{Fault, shown};
use super::login::{self, Credentials};
use super::query::{self, PageRequest};
use super::update::{self, UpdateRequest};
use super::vendor::operation_not_served;
use super::wsdl;
use crate::call::{CallLimit, Notes, OperationName};
use crate::domain::facts::Tenant;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::toml_text::suggest;
use crate::domain::version::ApiVersion;
use crate::xml::content_type::charset;
use crate::xml::{ElementRef, XmlError, XmlLimits, decode, parse};

/// How bodies are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) limits: XmlLimits,
    /// The field of Refund that may carry an idempotency key.
    pub(super) idempotency_field: Option<String>,
    /// Whether WS-Security headers are passed over.
    pub(super) ignores_security: bool,
}

/// A body that was read, or tried to be.
pub(super) struct Read {
    /// In which SOAP the answer has to be.
    pub(super) soap: SoapVersion,
    /// The version of the path; the first one where the path has none that is served.
    pub(super) api: ApiVersion,
    /// What is asked for.
    pub(super) request: Result<Request, Unreadable>,
}

/// Why there is no request.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) fault: Fault,
    pub(super) limit: Option<CallLimit>,
}

/// A call that was understood as far as the envelope goes.
pub(super) struct Request {
    pub(super) proof: Proof,
    pub(super) operation: Operation,
}

/// By what a call says whose it is.
pub(super) enum Proof {
    None,
    /// A session, also where a login stands beside it.
    Session(String),
    /// The login of a WS-Security header, or what is wrong with it.
    Token(Result<Credentials, Fault>),
}

/// The operation, and its request as far as it could be read. What is wrong with it is reported
/// only to callers with a session, so it is kept.
#[derive(Debug)]
pub(super) enum Operation {
    Login(Result<Credentials, Fault>),
    GetUserInfo,
    Create(Result<CreateRequest, Fault>),
    Update(Result<UpdateRequest, Fault>),
    Delete(Result<DeleteRequest, Fault>),
    Query(Result<PageRequest, Fault>),
    QueryMore(Result<PageRequest, Fault>),
    /// The original's, but not served.
    NotAvailable(OperationName),
}

impl Operation {
    /// Whether its rows make, change or delete refunds.
    pub(super) fn is_of_refunds(&self) -> bool {
        match self {
            Self::Create(Ok(create)) => create.makes_refunds(),
            Self::Update(Ok(update)) => update.changes_refunds(),
            Self::Delete(Ok(delete)) => delete.deletes_refunds(),
            _ => false,
        }
    }

    /// The name by which metrics count it.
    pub(super) const fn name(&self) -> OperationName {
        match self {
            Self::Login(_) => OperationName::Login,
            Self::GetUserInfo => OperationName::GetUserInfo,
            Self::Create(_) => OperationName::Create,
            Self::Update(_) => OperationName::Update,
            Self::Delete(_) => OperationName::Delete,
            Self::Query(_) => OperationName::Query,
            Self::QueryMore(_) => OperationName::QueryMore,
            Self::NotAvailable(name) => *name,
        }
    }
}

impl Operation {
    /// The accounts that the call names by AccountId, in an object or in a query.
    pub(super) fn accounts(&self) -> Vec<ObjectId> {
        match self {
            Self::Create(Ok(create)) => create.accounts().into_iter().flatten().cloned().collect(),
            Self::Query(Ok(page)) => page.accounts(),
            _ => Vec::new(),
        }
    }

    /// The idempotency key that the objects carry in a field.
    pub(super) fn key_in_fields(&self) -> Option<&str> {
        match self {
            Self::Create(Ok(create)) => create.key_in_fields(),
            _ => None,
        }
    }

    /// The account that each row names, or the id of the object that it is about.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        match self {
            Self::Create(Ok(create)) => create.accounts().into_iter().map(Row::Of).collect(),
            Self::Update(Ok(update)) => update.ids().into_iter().map(Row::About).collect(),
            Self::Delete(Ok(delete)) => delete.ids().into_iter().map(Row::About).collect(),
            _ => Vec::new(),
        }
    }

    /// Makes these rows fail with `error`, because a tester ordered it.
    pub(super) fn fail_rows(&mut self, rows: &[usize], error: &RowError) {
        match self {
            Self::Create(Ok(create)) => create.fail_rows(rows, error),
            Self::Update(Ok(update)) => update.fail_rows(rows, error),
            Self::Delete(Ok(delete)) => delete.fail_rows(rows, error),
            _ => {}
        }
    }
}

/// What a row says of the account that it is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'o> {
    /// Its object is that of this account.
    Of(Option<&'o ObjectId>),
    /// It is about the object of this id.
    About(Option<&'o ObjectId>),
}

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Self {
        Self { fault, limit: None }
    }
}

impl From<XmlError> for Unreadable {
    fn from(error: XmlError) -> Self {
        let limit = match &error {
            XmlError::Limit(kind) => Some(CallLimit::Document(*kind)),
            _ => None,
        };
        Self { fault: Fault::from(&error), limit }
    }
}

impl Reading {
    /// Reads a body, and notes what it says. An unsupported version is reported before anything
    /// that is wrong with it.
    pub(super) fn read(
        &self,
        body: &[u8],
        content_type: Option<&str>,
        version: &str,
        tenant: &Tenant,
        notes: Option<&Notes>,
    ) -> Read {
        let mut soap = SoapVersion::of_content_type(content_type);
        let api = version.parse::<ApiVersion>();
        let served = *api.as_ref().unwrap_or(&ApiVersion::FIRST);
        let request = self.request(body, content_type, (served, tenant), &mut soap, notes);
        let request = match api {
            Ok(_) => request,
            Err(unsupported) => Err(Fault::from(unsupported).into()),
        };
        Read { soap, api: served, request }
    }

    fn request(
        &self,
        body: &[u8],
        content_type: Option<&str>,
        (api, tenant): (ApiVersion, &Tenant),
        soap: &mut SoapVersion,
        notes: Option<&Notes>,
    ) -> Result<Request, Unreadable> {
        let text = decode(body, content_type.and_then(charset))?;
        let document = parse(&text, &self.limits)?;
        let envelope = Envelope::read(document.root()).inspect_err(|fault| {
            if *fault == Fault::VersionMismatch {
                *soap = SoapVersion::V11;
            }
        })?;
        *soap = envelope.soap;
        envelope.check_understood(self.ignores_security)?;
        let (element, mut others) = envelope.operation()?;
        if let (Some(notes), Some(name)) = (notes, known_operation(element, api)) {
            notes.read(name, element);
        }
        let operation = self.operation(element, &envelope, api, tenant)?;
        // Done or not, a second one would have no answer.
        if others.any(|other| known_operation(other, api).is_some()) {
            return Err(Fault::SeveralOperations.into());
        }
        let proof = match envelope.session() {
            Some(session) => Proof::Session(session),
            None if self.ignores_security => Proof::None,
            None => envelope.credentials().map_or(Proof::None, Proof::Token),
        };
        Ok(Request { proof, operation })
    }

    fn operation(
        &self,
        element: ElementRef<'_>,
        envelope: &Envelope<'_>,
        api: ApiVersion,
        tenant: &Tenant,
    ) -> Result<Operation, Fault> {
        let known = known_operation(element, api).ok_or_else(|| unknown_operation(element, api))?;
        let checked = refuse_reference(element);
        let custom = &tenant.custom_fields;
        Ok(match known {
            OperationName::Login => Operation::Login(checked.and_then(|()| login::read(element))),
            OperationName::GetUserInfo => Operation::GetUserInfo,
            OperationName::Create => {
                let single = envelope.use_single_transaction();
                let field = self.idempotency_field.as_deref();
                let read = |()| create::read(element, api, single, field, custom);
                Operation::Create(checked.and_then(read))
            }
            OperationName::Update => {
                Operation::Update(checked.and_then(|()| update::read(element, api, custom)))
            }
            OperationName::Delete => {
                Operation::Delete(checked.and_then(|()| delete::read(element, api)))
            }
            OperationName::Query => {
                let options = envelope.query_options();
                Operation::Query(checked.and_then(|()| query::read(element, api, options, tenant)))
            }
            OperationName::QueryMore => {
                let options = envelope.query_options();
                Operation::QueryMore(checked.and_then(|()| query::read_more(element, options)))
            }
            other => Operation::NotAvailable(other),
        })
    }
}

/// The fault about an element that is no operation, with the one that was probably meant.
fn unknown_operation(element: ElementRef<'_>, api: ApiVersion) -> Fault {
    let name = shown(element.local());
    let near = suggest(&name, wsdl::operations(api)).filter(|_| is_ours(element.namespace()));
    match near {
        Some(near) => Fault::OperationMisspelt(name, near.to_owned()),
        None => Fault::UnknownOperation(name),
    }
}

/// The operation of the WSDL that an element of the Body asks for.
fn known_operation(element: ElementRef<'_>, api: ApiVersion) -> Option<OperationName> {
    if !is_ours(element.namespace()) {
        return None;
    }
    // Alone among the operations, rasd's element has a name of its own.
    let name = match element.local() {
        "rasdRequest" => "rasd",
        name => name,
    };
    let known = wsdl::operation(api, name).or_else(|| operation_not_served(name));
    known.and_then(OperationName::from_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::vendor::OPERATIONS;

    #[test]
    fn every_operation_of_the_wsdl_and_of_others_has_a_name() {
        let ours = (18..=150).flat_map(|major| wsdl::operations(ApiVersion::major(major)));
        for name in ours.chain(OPERATIONS) {
            let known = OperationName::from_name(name);
            assert_eq!(known.map(OperationName::name), Some(name));
        }
    }
}
