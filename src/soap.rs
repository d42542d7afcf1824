//! The SOAP front door: bytes of a request in, bytes of an answer out. It knows SOAP, not HTTP.
//!
//! What must stay true: every request gets one well-formed answer in the SOAP that it spoke, or
//! none at all where the outcome is unknown; a fault means that nothing happened; no answer at
//! version V carries an element or code that the WSDL of V lacks.

mod create;
mod delete;
mod envelope;
pub mod explain;
pub mod fault;
mod login;
mod object;
mod ordered;
mod outcome;
mod query;
mod read;
mod refund;
mod refusal;
mod save_result;
mod security;
mod update;
mod user_info;
mod vendor;
pub mod wsdl;

pub use refusal::Refusal;

use crate::domain::id::ObjectId;
use crate::domain::version::ApiVersion;
use crate::service::{Caller, Service};
use crate::xml::{LimitKind, XmlLimits};
use bytes::Bytes;
use envelope::{Dialect, SoapVersion};
use fault::Fault;
use outcome::{Done, Failure};
use query::PageOf;
use read::{Operation, Proof, Read, Reading, Request, Row, Unreadable};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// The path of the endpoint, up to the version.
pub const ENDPOINT: &str = "/apps/services/a/";

/// Larger bodies are read off the async threads, because reading takes time and nothing can
/// interrupt it.
pub const READ_IN_PLACE_BYTES_MAX: usize = 64 * 1024;

/// The operation of a request that names none that is known, for metrics.
const NO_OPERATION: &str = "unknown";

/// The front door to a service.
pub struct Soap {
    service: Arc<Service>,
    reading: Arc<Reading>,
}

/// A request to the endpoint.
pub struct SoapCall {
    /// The last segment of the path, as sent.
    pub version: String,
    /// Where the caller reaches the gateway: scheme and authority, without a slash at the end.
    pub base_url: String,
    /// The content type, as sent.
    pub content_type: Option<String>,
    /// The Idempotency-Key header, as sent.
    pub idempotency_key: Option<Vec<u8>>,
    /// The address of the caller.
    pub address: IpAddr,
    /// The body, inflated.
    pub body: Bytes,
    /// The turn of a body that takes much memory to read; given back as soon as it is read.
    pub turn: Option<OwnedSemaphorePermit>,
    /// Until when the work must have begun.
    pub deadline: Instant,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoapReply {
    /// It is answered.
    Answer(SoapAnswer),
    /// What was done by this operation cannot be told: what is sent breaks off.
    Abort(&'static str),
    /// A tester ordered that the connection is closed before the first byte.
    Reset(&'static str),
}

/// An answer, and what metrics want to know of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SoapAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type.
    pub content_type: &'static str,
    /// The envelope.
    pub body: Vec<u8>,
    /// After how many bytes of the body the connection is closed, because a tester ordered it.
    pub cut_after: Option<usize>,
    /// The Retry-After, in seconds.
    pub retry_after_s: Option<u32>,
    /// Whether this is the stored answer to an earlier request (`Idempotent-Replayed: true`).
    pub replayed: bool,
    /// The operation: a name of the WSDL, or `unknown`.
    pub operation: &'static str,
    /// `ok`, the error code of a fault, or `Client`, `VersionMismatch`, `MustUnderstand`.
    pub outcome: &'static str,
    /// The limit that the document exceeded.
    pub limit: Option<LimitKind>,
    /// How many rows failed.
    pub row_errors: u32,
    /// How many refunds were created.
    pub refunds: u32,
    /// How many fields with a value were passed over.
    pub ignored_fields: u32,
}

impl Soap {
    /// The front door to `service`; documents are read within `limits`.
    pub fn new(service: Arc<Service>, limits: XmlLimits) -> Self {
        let settings = service.settings();
        let idempotency_field = settings.idempotency_field.clone();
        let ignores_security = settings.soap.ignore_wsse;
        let reading = Arc::new(Reading { limits, idempotency_field, ignores_security });
        Self { service, reading }
    }

    /// The WSDL of `version` for a service at `address`, as its tenant's settings make it.
    pub fn wsdl(&self, version: ApiVersion, address: &str) -> String {
        wsdl::render_for(version, address, &self.service.tenant())
    }

    /// Answers a request.
    pub async fn answer(&self, mut call: SoapCall) -> SoapReply {
        let read = self.read(&mut call).await;
        let dialect = self.dialect(read.soap, read.api);
        match read.request {
            Ok(request) => self.perform(call, request, &dialect).await,
            Err(Unreadable { fault, limit }) => {
                let answer = SoapAnswer::fault(&fault, NO_OPERATION, &dialect);
                SoapReply::Answer(SoapAnswer { limit, ..answer })
            }
        }
    }

    /// The answer to a request that is refused before its body is read. What the caller speaks is
    /// known by the content type alone then.
    pub fn refuse(&self, refusal: Refusal, content_type: Option<&str>) -> SoapAnswer {
        let soap = SoapVersion::of_content_type(content_type);
        let dialect = self.dialect(soap, refusal.api());
        SoapAnswer::fault(&refusal.into(), NO_OPERATION, &dialect)
    }

    fn dialect(&self, soap: SoapVersion, api: ApiVersion) -> Dialect {
        Dialect { soap, api, wording: self.service.settings().wording.clone() }
    }

    /// Reads the body and lets go of it: what follows may wait for long, and needs only what was
    /// understood.
    async fn read(&self, call: &mut SoapCall) -> Read {
        let (body, turn) = (std::mem::take(&mut call.body), call.turn.take());
        let tenant = self.service.tenant();
        if body.len() <= READ_IN_PLACE_BYTES_MAX {
            return self.reading.read(&body, call.content_type.as_deref(), &call.version, &tenant);
        }
        let reading = Arc::clone(&self.reading);
        let (version, content_type) = (call.version.clone(), call.content_type.clone());
        let work = move || {
            let read = reading.read(&body, content_type.as_deref(), &version, &tenant);
            drop((body, turn));
            read
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request could not be read");
            Read {
                soap: SoapVersion::of_content_type(call.content_type.as_deref()),
                api: ApiVersion::FIRST,
                request: Err(Fault::NotProcessed.into()),
            }
        })
    }

    /// Does what is asked, unless a tester ordered something else, or replaces the ledger below it.
    async fn perform(&self, call: SoapCall, request: Request, dialect: &Dialect) -> SoapReply {
        let operation = request.operation.name();
        let is_test = self.service.ledger().test_bench().is_some();
        let accounts = if is_test { request.operation.accounts() } else { Vec::new() };
        let work = self.perform_or_suffer(call, request, dialect);
        let reply = self.service.perform(operation, accounts, work).await;
        reply.unwrap_or(SoapReply::Abort(operation))
    }

    async fn perform_or_suffer(
        &self,
        call: SoapCall,
        request: Request,
        dialect: &Dialect,
    ) -> SoapReply {
        if !self.service.faults().any() {
            return self.perform_as_asked(call, request, dialect).await;
        }
        let operation = &request.operation;
        let rows = self.accounts_of_rows(operation).await;
        let mut accounts = operation.accounts();
        accounts.extend(rows.iter().flatten().cloned());
        match self.service.faults().take(operation.name(), &accounts) {
            None => self.perform_as_asked(call, request, dialect).await,
            Some(rule) => self.suffer(rule, &rows, call, request, dialect).await,
        }
    }

    /// The account of each row, as far as it is known.
    async fn accounts_of_rows(&self, operation: &Operation) -> Vec<Option<ObjectId>> {
        let rows = operation.rows();
        let about = |row: &Row<'_>| match row {
            Row::About(id) => id.cloned(),
            Row::Of(_) => None,
        };
        let mut found = self.service.accounts_of(rows.iter().filter_map(about).collect()).await;
        let mut next = || found.pop_front().flatten();
        let account = |row: Row<'_>| match row {
            Row::Of(account) => account.cloned(),
            Row::About(id) => id.and_then(|_| next()),
        };
        rows.into_iter().map(account).collect()
    }

    async fn perform_as_asked(
        &self,
        call: SoapCall,
        request: Request,
        dialect: &Dialect,
    ) -> SoapReply {
        let operation = request.operation.name();
        let ignored_fields = match &request.operation {
            Operation::Create(Ok(create)) => create.ignored_fields,
            Operation::Update(Ok(update)) => update.ignored_fields,
            _ => 0,
        };
        match self.done(call, request, dialect).await {
            Ok(done) => {
                let answer = SoapAnswer::done(done, operation, dialect);
                SoapReply::Answer(SoapAnswer { ignored_fields, ..answer })
            }
            Err(Failure::Fault(fault)) => {
                SoapReply::Answer(SoapAnswer::fault(&fault, operation, dialect))
            }
            Err(Failure::Unknown(why)) => {
                tracing::error!(operation, why, "the outcome is unknown, so no answer is given");
                SoapReply::Abort(operation)
            }
        }
    }

    async fn done(
        &self,
        call: SoapCall,
        request: Request,
        dialect: &Dialect,
    ) -> Result<Done, Failure> {
        let proof = request.proof;
        match request.operation {
            Operation::Login(credentials) => {
                let server_url = format!("{}{ENDPOINT}{}", call.base_url, call.version);
                login::answer(&self.service, &credentials?, call.address, &server_url, dialect)
                    .await
            }
            Operation::GetUserInfo => Ok(user_info::answer(
                &self.caller(proof, call.address, call.deadline).await?,
                dialect,
            )),
            Operation::Create(create) => {
                let caller = self.caller(proof, call.address, call.deadline).await?;
                let (key, deadline) = (call.idempotency_key, call.deadline);
                create::answer(&self.service, caller, create?, key, dialect, deadline).await
            }
            Operation::Update(update) => {
                let caller = self.caller(proof, call.address, call.deadline).await?;
                update::answer(&self.service, &caller, update?, dialect, call.deadline).await
            }
            Operation::Delete(delete) => {
                let caller = self.caller(proof, call.address, call.deadline).await?;
                delete::answer(&self.service, &caller, delete?, dialect, call.deadline).await
            }
            Operation::Query(page) => {
                let caller = self.caller(proof, call.address, call.deadline).await?;
                let (of, deadline) = (PageOf::Query, call.deadline);
                query::answer(&self.service, &caller, page?, of, dialect, deadline).await
            }
            Operation::QueryMore(page) => {
                let caller = self.caller(proof, call.address, call.deadline).await?;
                let (of, deadline) = (PageOf::QueryMore, call.deadline);
                query::answer(&self.service, &caller, page?, of, dialect, deadline).await
            }
            Operation::NotAvailable(name) => {
                Err(Fault::OperationNotAvailable(name.to_owned()).into())
            }
        }
    }

    /// The caller behind a session, or behind the login that the call carries.
    async fn caller(
        &self,
        proof: Proof,
        address: IpAddr,
        deadline: Instant,
    ) -> Result<Caller, Failure> {
        let caller = async {
            match proof {
                Proof::None => Err(Fault::InvalidSession.into()),
                Proof::Session(session) => Ok(self.service.authenticate(&session).await?),
                Proof::Token(credentials) => credentials?.caller(&self.service, address).await,
            }
        };
        timeout_at(deadline, caller).await.map_err(|_| Fault::TooLate)?
    }
}

impl fmt::Debug for SoapAnswer {
    /// Without the body, which may hold a session.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("SoapAnswer");
        out.field("status", &self.status).field("operation", &self.operation);
        out.field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

impl SoapAnswer {
    fn done(done: Done, operation: &'static str, dialect: &Dialect) -> Self {
        Self {
            status: 200,
            content_type: dialect.soap.content_type(),
            body: done.body,
            cut_after: None,
            retry_after_s: None,
            replayed: done.replayed,
            operation,
            outcome: "ok",
            limit: None,
            row_errors: done.tally.row_errors,
            refunds: done.tally.refunds,
            ignored_fields: 0,
        }
    }

    fn fault(fault: &Fault, operation: &'static str, dialect: &Dialect) -> Self {
        Self {
            status: fault.status(),
            content_type: dialect.soap.content_type(),
            body: fault::encode(fault, dialect),
            cut_after: None,
            retry_after_s: fault.retry_after_s(),
            replayed: false,
            operation,
            outcome: fault.outcome(),
            limit: None,
            row_errors: 0,
            refunds: 0,
            ignored_fields: 0,
        }
    }
}

#[cfg(test)]
mod tests;
