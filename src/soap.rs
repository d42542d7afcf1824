//! The SOAP front door: bytes of a request in, bytes of an answer out. It knows SOAP, not HTTP.
//!
//! What must stay true: every request gets one well-formed answer in the SOAP that it spoke, or
//! none at all where the outcome is unknown; a fault means that nothing happened; no answer at
//! version V carries an element or code that the WSDL of V lacks.

mod answer;
mod create;
mod delete;
mod envelope;
mod explain;
pub mod fault;
mod login;
mod notes;
mod object;
mod ordered;
mod outcome;
mod paths;
mod query;
mod read;
mod refusal;
mod save_result;
mod security;
mod update;
mod user_info;
mod vendor;
pub mod wsdl;

use crate::call::{
    Answer, Call, CallFacts, Description, Door, Explain, Head, Method, OperationName,
    READ_IN_PLACE_BYTES_MAX, Refusal, Rejection, Reply, Replying, Route,
};
use crate::domain::id::ObjectId;
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::version::ApiVersion;
use crate::ledger::test_bench::KnownId;
use crate::service::deadline::Deadline;
use crate::service::{CallContext, Caller, Service};
use crate::xml::XmlLimits;
use envelope::{Dialect, SoapVersion};
use fault::Fault;
use outcome::{Done, Failure};
use paths::ENDPOINT;
use query::PageOf;
use read::{Operation, Proof, Read, Reading, Request, Row, Unreadable};
use std::pin::pin;
use std::sync::Arc;

/// The type of a WSDL.
const WSDL_TYPE: &str = "text/xml;charset=UTF-8";

/// The front door to a service.
pub struct Soap {
    service: Arc<Service>,
    reading: Arc<Reading>,
}

/// What is asked, and by which call. It is boxed where it goes from one future to the next: each of
/// them has a place of its own for what it is handed.
struct Asked {
    call: Call,
    request: Request,
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

    async fn reply(&self, mut call: Call) -> Reply {
        let read = match self.read_in_place(&mut call) {
            Some(read) => read,
            None => Box::pin(self.read_elsewhere(&mut call)).await,
        };
        let dialect = self.dialect(read.soap, read.api);
        match read.request {
            Ok(request) => {
                let mut facts = CallFacts::default();
                facts.note_accounts(request.operation.accounts());
                let asked = Box::new(Asked { call, request });
                let reply = self.perform(asked, &dialect, &mut facts).await;
                reply.with_facts(facts)
            }
            Err(Unreadable { fault, limit }) => {
                let answer = Answer::fault(&fault, OperationName::Unknown, &dialect);
                Reply::Answer(Answer { limit, ..answer })
            }
        }
    }

    fn dialect(&self, soap: SoapVersion, api: ApiVersion) -> Dialect {
        Dialect { soap, api, wording: self.service.settings().wording.clone() }
    }

    /// Reads a body that is not long, and lets go of it: what follows may wait for long, and needs
    /// only what was understood.
    fn read_in_place(&self, call: &mut Call) -> Option<Read> {
        if call.body.len() > READ_IN_PLACE_BYTES_MAX {
            return None;
        }
        let (body, _turn) = (std::mem::take(&mut call.body), call.turn.take());
        let tenant = self.service.tenant();
        let (content_type, notes) = (call.head.content_type.as_deref(), call.notes.as_deref());
        Some(self.reading.read(&body, content_type, &call.head.version, &tenant, notes))
    }

    /// The same of a long one, by a thread that may take its time.
    async fn read_elsewhere(&self, call: &mut Call) -> Read {
        let (body, turn) = (std::mem::take(&mut call.body), call.turn.take());
        let tenant = self.service.tenant();
        let reading = Arc::clone(&self.reading);
        let (version, content_type) = (call.head.version.clone(), call.head.content_type.clone());
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
                soap: SoapVersion::of_content_type(call.head.content_type.as_deref()),
                api: ApiVersion::FIRST,
                request: Err(Fault::NotProcessed.into()),
            }
        })
    }

    /// Does what is asked, unless a tester ordered something else, or replaces the ledger below it.
    async fn perform(&self, asked: Box<Asked>, dialect: &Dialect, facts: &mut CallFacts) -> Reply {
        let operation = asked.request.operation.name();
        let is_test = self.service.ledger().test_bench().is_some();
        let accounts = if is_test { asked.request.operation.accounts() } else { Vec::new() };
        if let Some(notes) = &asked.call.notes {
            let key = asked.call.head.idempotency_key.as_deref();
            Box::pin(notes.know(&self.service, &asked.request, key)).await;
        }
        // What is handed over by value has a place in each future that hands it on.
        let work = pin!(self.perform_or_inject(asked, dialect, facts));
        let reply = self.service.perform(operation.name(), accounts, work).await;
        reply.unwrap_or_else(|| Reply::Abort(operation, Box::default()))
    }

    async fn perform_or_inject(
        &self,
        asked: Box<Asked>,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Reply {
        match self.service.faults().any() {
            true => Box::pin(self.inject_if_ordered(asked, dialect, facts)).await,
            false => self.perform_as_asked(asked, dialect, facts).await,
        }
    }

    async fn inject_if_ordered(
        &self,
        asked: Box<Asked>,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Reply {
        let operation = &asked.request.operation;
        let rows = self.accounts_of_rows(operation).await;
        let mut accounts = operation.accounts();
        accounts.extend(rows.iter().flatten().cloned());
        match self.service.faults().take(operation.name().name(), &accounts) {
            None => self.perform_as_asked(asked, dialect, facts).await,
            Some(rule) => self.inject((rule, &rows), asked, dialect, facts).await,
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
        asked: Box<Asked>,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Reply {
        let operation = asked.request.operation.name();
        let ignored_fields = match &asked.request.operation {
            Operation::Create(Ok(create)) => create.ignored_fields,
            Operation::Update(Ok(update)) => update.ignored_fields,
            _ => 0,
        };
        let is_of_refunds = asked.request.operation.is_of_refunds();
        match self.done(asked, dialect, facts).await {
            Ok(done) => {
                facts.note_rows(&done.tally.rows, is_of_refunds);
                let answer = Answer::done(done, operation, dialect);
                Reply::Answer(Answer { ignored_fields, ..answer })
            }
            Err(Failure::Fault(fault)) => Reply::Answer(Answer::fault(&fault, operation, dialect)),
            Err(Failure::Unknown(why)) => {
                tracing::error!(%operation, why, "the outcome is unknown, so no answer is given");
                Reply::Abort(operation, Box::default())
            }
        }
    }

    async fn done(
        &self,
        asked: Box<Asked>,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Result<Done, Failure> {
        let Asked { call, request } = *asked;
        let proof = request.proof;
        let origin = call.head.origin.at_version(&call.head.version);
        if let Operation::Login(credentials) = request.operation {
            let server_url = format!("{}{ENDPOINT}{}", call.head.base_url, call.head.version);
            let credentials = credentials?;
            facts.note_user(&credentials.username().into());
            if !call.head.users.allow(credentials.username()) {
                return Err(Fault::WrongLogin.into());
            }
            let from = origin.caller_address();
            let login = login::answer(&self.service, &credentials, from, &server_url, dialect);
            return Box::pin(login).await;
        }
        if let Operation::NotAvailable(name) = request.operation {
            return Err(Fault::OperationNotAvailable(name.to_string()).into());
        }
        let deadline = call.deadline;
        let caller = self.caller(proof, origin, &deadline, facts).await?;
        if !call.head.users.allow(&caller.username) {
            return Err(Fault::InvalidSession.into());
        }
        let context = CallContext { caller, version: dialect.api, deadline };
        let (service, holding) = (&self.service, &call.holding);
        // What most of them hold while they wait is much, and would be moved about with the call.
        match request.operation {
            Operation::Create(create) => {
                create::answer(service, context, create?, call.head.idempotency_key, dialect).await
            }
            Operation::Update(update) => {
                Box::pin(update::answer(service, &context, update?, dialect)).await
            }
            Operation::Delete(delete) => {
                Box::pin(delete::answer(service, &context, delete?, dialect)).await
            }
            Operation::Query(page) => {
                Box::pin(query::answer(service, (&context, holding), page?, PageOf::Query, dialect))
                    .await
            }
            Operation::QueryMore(page) => {
                Box::pin(query::answer(
                    service,
                    (&context, holding),
                    page?,
                    PageOf::QueryMore,
                    dialect,
                ))
                .await
            }
            Operation::Login(_) | Operation::NotAvailable(_) | Operation::GetUserInfo => {
                Ok(user_info::answer(&context.caller, dialect))
            }
        }
    }

    /// The caller behind a session, or behind the login that the call carries.
    async fn caller(
        &self,
        proof: Proof,
        origin: Origin,
        deadline: &Deadline,
        facts: &mut CallFacts,
    ) -> Result<Caller, Failure> {
        let address = origin.caller_address();
        let caller = pin!(async {
            match proof {
                Proof::None => Err(Fault::InvalidSession.into()),
                Proof::Session(session) => Ok(self.service.authenticate(&session).await?),
                Proof::Token(credentials) => {
                    let credentials = credentials?;
                    Box::pin(credentials.caller(&self.service, address)).await
                }
            }
        });
        let caller = deadline.bound(caller).await.ok_or(Fault::TooLate)??;
        facts.note_user(&caller.username);
        Ok(Caller { origin, ..caller })
    }
}

impl Explain for Soap {
    fn rejections(&self, answer: &str) -> Vec<Rejection> {
        explain::rejections(answer)
    }

    fn near_misses(&self, request: &str, version: &str, known: &[KnownId]) -> Vec<String> {
        explain::near_misses(request, version.parse().unwrap_or(ApiVersion::LAST), known)
    }
}

impl Door for Soap {
    fn kind(&self) -> FrontDoor {
        FrontDoor::Soap
    }

    fn endpoint(&self) -> &'static str {
        "/apps/services/a/{version}"
    }

    fn route<'p>(
        &self,
        method: Method,
        path: &'p str,
        query: Option<&'p str>,
    ) -> Option<Route<'p>> {
        paths::route(method, path, query)
    }

    /// The WSDL, as the tenant's settings make it.
    fn description(&self, version: &str, base_url: &str) -> Result<Description, String> {
        let Ok(parsed) = version.parse::<ApiVersion>() else {
            let (first, last) = (ApiVersion::FIRST, ApiVersion::LAST);
            return Err(format!("There is no such API version; {first} to {last} are served."));
        };
        let address = format!("{base_url}{ENDPOINT}{version}");
        let text = wsdl::render_for(parsed, &address, &self.service.tenant());
        let (operation, content_type) = (OperationName::Wsdl, WSDL_TYPE);
        Ok(Description { operation, content_type, text })
    }

    fn takes(&self, _: Method, content_type: &str) -> bool {
        refusal::may_be_xml(content_type)
    }

    /// What the caller speaks is known by the content type alone then.
    fn refuse(&self, refusal: Refusal, head: &Head) -> Answer {
        let soap = SoapVersion::of_content_type(head.content_type.as_deref());
        let dialect = self.dialect(soap, refusal::version_of(&refusal, &head.version));
        Answer::fault(&refusal.into(), OperationName::Unknown, &dialect)
    }

    fn answer(&self, call: Call) -> Replying<'_> {
        Box::pin(self.reply(call))
    }
}

#[cfg(test)]
mod tests;
