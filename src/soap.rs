//! The SOAP front door: bytes of a request in, bytes of an answer out. It knows SOAP, not HTTP.
//!
//! What must stay true: every request gets one well-formed answer in the SOAP that it spoke, or
//! none at all where the outcome is unknown; a fault means that nothing happened; no answer at
//! version V carries an element or code that the WSDL of V lacks.

mod answer;
mod call_facts;
mod create;
mod delete;
mod envelope;
pub mod explain;
pub mod fault;
mod login;
mod notes;
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

pub use answer::SoapAnswer;
pub use call_facts::CallFacts;
pub use notes::{CallNotes, NotedObject, Notes, Texts};
pub use refusal::Refusal;

use crate::domain::id::ObjectId;
use crate::domain::origin::Origin;
use crate::domain::version::ApiVersion;
use crate::service::{Caller, Service};
use crate::xml::XmlLimits;
use bytes::Bytes;
use envelope::{Dialect, SoapVersion};
use fault::Fault;
use outcome::{Done, Failure};
use query::PageOf;
use read::{Operation, Proof, Read, Reading, Request, Row, Unreadable};
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
    /// Where it comes from.
    pub origin: Origin,
    /// The body, inflated.
    pub body: Bytes,
    /// The turn of a body that takes much memory to read; given back as soon as it is read.
    pub turn: Option<OwnedSemaphorePermit>,
    /// Until when the work must have begun.
    pub deadline: Instant,
    /// Where it is noted what the call said, if anywhere.
    pub notes: Option<Arc<Notes>>,
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
            Ok(request) => {
                let mut facts = CallFacts::default();
                let accounts = request.operation.accounts().into_iter();
                facts.note_accounts(accounts.map(|id| id.to_string()));
                let reply = self.perform(call, request, &dialect, &mut facts).await;
                reply.knowing(facts)
            }
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
            let (content_type, notes) = (call.content_type.as_deref(), call.notes.as_deref());
            return self.reading.read(&body, content_type, &call.version, &tenant, notes);
        }
        let reading = Arc::clone(&self.reading);
        let (version, content_type) = (call.version.clone(), call.content_type.clone());
        let notes = call.notes.clone();
        let work = move || {
            let (content_type, notes) = (content_type.as_deref(), notes.as_deref());
            let read = reading.read(&body, content_type, &version, &tenant, notes);
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
    async fn perform(
        &self,
        call: SoapCall,
        request: Request,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> SoapReply {
        let operation = request.operation.name();
        let is_test = self.service.ledger().test_bench().is_some();
        let accounts = if is_test { request.operation.accounts() } else { Vec::new() };
        if let Some(notes) = &call.notes {
            notes.know(&self.service, &request, call.idempotency_key.as_deref()).await;
        }
        let work = self.perform_or_suffer(call, request, dialect, facts);
        let reply = self.service.perform(operation, accounts, work).await;
        reply.unwrap_or(SoapReply::Abort(operation))
    }

    async fn perform_or_suffer(
        &self,
        call: SoapCall,
        request: Request,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> SoapReply {
        if !self.service.faults().any() {
            return self.perform_as_asked(call, request, dialect, facts).await;
        }
        let operation = &request.operation;
        let rows = self.accounts_of_rows(operation).await;
        let mut accounts = operation.accounts();
        accounts.extend(rows.iter().flatten().cloned());
        match self.service.faults().take(operation.name(), &accounts) {
            None => self.perform_as_asked(call, request, dialect, facts).await,
            Some(rule) => self.suffer((rule, &rows), call, request, dialect, facts).await,
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
        facts: &mut CallFacts,
    ) -> SoapReply {
        let operation = request.operation.name();
        let ignored_fields = match &request.operation {
            Operation::Create(Ok(create)) => create.ignored_fields,
            Operation::Update(Ok(update)) => update.ignored_fields,
            _ => 0,
        };
        match self.done(call, request, dialect, facts).await {
            Ok(done) => {
                facts.note_rows(&done.tally.rows);
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
        facts: &mut CallFacts,
    ) -> Result<Done, Failure> {
        let proof = request.proof;
        let origin = call.origin.at_version(&call.version);
        match request.operation {
            Operation::Login(credentials) => {
                let server_url = format!("{}{ENDPOINT}{}", call.base_url, call.version);
                let credentials = credentials?;
                facts.note_user(credentials.username());
                let from = origin.caller_address();
                login::answer(&self.service, &credentials, from, &server_url, dialect).await
            }
            Operation::GetUserInfo => Ok(user_info::answer(
                &self.caller(proof, origin, call.deadline, facts).await?,
                dialect,
            )),
            Operation::Create(create) => {
                let caller = self.caller(proof, origin, call.deadline, facts).await?;
                let (key, deadline) = (call.idempotency_key, call.deadline);
                create::answer(&self.service, caller, create?, key, dialect, deadline).await
            }
            Operation::Update(update) => {
                let caller = self.caller(proof, origin, call.deadline, facts).await?;
                update::answer(&self.service, &caller, update?, dialect, call.deadline).await
            }
            Operation::Delete(delete) => {
                let caller = self.caller(proof, origin, call.deadline, facts).await?;
                delete::answer(&self.service, &caller, delete?, dialect, call.deadline).await
            }
            Operation::Query(page) => {
                let caller = self.caller(proof, origin, call.deadline, facts).await?;
                let (of, deadline) = (PageOf::Query, call.deadline);
                query::answer(&self.service, &caller, page?, of, dialect, deadline).await
            }
            Operation::QueryMore(page) => {
                let caller = self.caller(proof, origin, call.deadline, facts).await?;
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
        origin: Origin,
        deadline: Instant,
        facts: &mut CallFacts,
    ) -> Result<Caller, Failure> {
        let address = origin.caller_address();
        let caller = async {
            match proof {
                Proof::None => Err(Fault::InvalidSession.into()),
                Proof::Session(session) => Ok(self.service.authenticate(&session).await?),
                Proof::Token(credentials) => credentials?.caller(&self.service, address).await,
            }
        };
        let caller = timeout_at(deadline, caller).await.map_err(|_| Fault::TooLate)??;
        facts.note_user(&caller.username);
        Ok(Caller { origin, ..caller })
    }
}

#[cfg(test)]
mod tests;
