//! The REST front door: JSON in, JSON out, over the same use cases as SOAP. It knows JSON and the
//! paths of the REST API, not HTTP.
//!
//! What must stay true: every request gets one answer, or none at all where the outcome is unknown;
//! an answer that says no means that nothing happened; no amount is ever a floating point number.

mod access;
mod answer;
mod asked;
mod body;
mod connections;
mod description;
mod error;
mod explain;
mod failing;
mod headers;
mod limits;
mod ordered;
mod paths;
mod query;
mod token;
mod twins;
mod unserved;
mod v1;
mod version;

use crate::call::{
    self, Answer, Call, CallFacts, Description, Door, Explain, Head, Header, Method, OperationName,
    Rejection, Reply, Replying, Route,
};
use crate::domain::origin::FrontDoor;
use crate::domain::row_error::RowError;
use crate::domain::text::Text;
use crate::domain::version::ApiVersion;
use crate::ledger::test_bench::KnownId;
use crate::service::deadline::Deadline;
use crate::service::refusal::{Failure, Refusal};
use crate::service::{CallContext, Caller, Service};
use access::Proof;
use answer::{JSON, Manner, Response};
use error::{Reason, Wrong};
use failing::Unanswered;
use limits::Limits;
use paths::{Found, Keys, Operation};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use twins::Twin;
use unserved::{no_access, nothing, takes, too_many, wrong_method, wrong_type};
use v1::V1;
use version::ZuoraVersion;

/// The front door to a service.
pub struct Rest {
    service: Arc<Service>,
    limits: Limits,
}

impl Rest {
    /// The front door to `service`.
    pub fn new(service: Arc<Service>) -> Self {
        let limits = Limits::new(&service.settings().rest);
        Self { service, limits }
    }

    /// How the caller is answered.
    fn manner(&self, head: &Head) -> Manner {
        let version = match head.header(headers::VERSION) {
            Some(sent) => ZuoraVersion::meant_by(sent),
            None => match &self.service.tenant().zuora_version {
                Some(usual) => ZuoraVersion::meant_by(usual),
                None => ZuoraVersion::newest(),
            },
        };
        // One that the caller gave is its own, and callers cannot set this one.
        let given = head.header(headers::REQUEST_ID);
        let id = head.origin.request_id.clone().filter(|_| given.is_none());
        let id = id.or_else(|| self.service.next_request_id());
        let request_id = id.map_or_else(|| "0".repeat(32), |id| id.to_string());
        Manner { version, request_id, wording: self.service.settings().wording.clone() }
    }

    async fn reply(&self, call: Call) -> Reply {
        let manner = self.manner(&call.head);
        let place = self.limits.enter(self.service.clock().passing());
        let found = paths::find(call.head.method, &call.head.path);
        let operation = match &found {
            Found::Operation(operation, ..) => operation.name(),
            Found::OtherMethods(_) | Found::Nothing => OperationName::Unknown,
        };
        let track_id = call.head.header(headers::TRACK_ID).map(headers::track_id);
        let reply = match (&track_id, place.refused_s) {
            (Some(Err(words)), _) => {
                let refused = manner.refuse(&Reason::of_request(Wrong::Header, words.clone()));
                Reply::Answer(refused.into_answer(operation, CallFacts::default()))
            }
            (_, Some(seconds)) => {
                let refused = too_many(&manner, seconds);
                Reply::Answer(refused.into_answer(operation, CallFacts::default()))
            }
            _ => self.perform(&call, found, &manner).await,
        };
        reply.changed(|answer| {
            answer.headers.extend(place.headers);
            let own = |name, value| Header { name, value };
            answer.headers.push(own("zuora-request-id", manner.uuid()));
            if let Some(Ok(track_id)) = track_id {
                answer.headers.push(own(headers::TRACK_ID, track_id.to_owned()));
            }
        })
    }

    /// Answers a call as it was asked; the rows in `ordered` fail.
    async fn perform_as_asked(
        &self,
        call: &Call,
        found: Found<'_>,
        manner: &Manner,
        ordered: BTreeMap<usize, RowError>,
    ) -> Reply {
        let mut facts = CallFacts::default();
        let operation = match &found {
            Found::Operation(operation, ..) => operation.name(),
            Found::OtherMethods(_) | Found::Nothing => OperationName::Unknown,
        };
        match self.respond(call, found, manner, (&mut facts, ordered)).await {
            Ok(response) => Reply::Answer(response.into_answer(operation, facts)),
            Err(Unanswered) => Reply::Abort(operation, Box::new(facts)),
        }
    }

    /// Answers a call, or finds that its outcome is unknown.
    async fn respond(
        &self,
        call: &Call,
        found: Found<'_>,
        manner: &Manner,
        (facts, ordered): (&mut CallFacts, BTreeMap<usize, RowError>),
    ) -> Result<Response, Unanswered> {
        let (operation, template, keys) = match found {
            Found::Operation(operation, template, keys) => (operation, template, keys),
            Found::OtherMethods(allow) => return Ok(wrong_method(manner, allow)),
            Found::Nothing => return Ok(nothing(manner, &call.head)),
        };
        if !takes(operation, &call.head) {
            return Ok(manner.refuse(&wrong_type(call.head.content_type.as_deref())));
        }
        if let Err(words) = self.check_scope(&call.head, None) {
            return Ok(no_access(manner, words));
        }
        match operation {
            Operation::Token => return self.token(call, manner).await,
            Operation::OpenApi => {
                call.holding.take_turn().await;
                return Ok(description::answer(&call.head.base_url));
            }
            _ => {}
        }
        let caller = self.caller(&call.head, &call.deadline, manner, operation).await;
        let (caller, session) = match caller {
            Ok(known) => known,
            Err(failure) => return failing::of_access(failure, manner, template),
        };
        note_user(call, facts, &caller);
        if let Err(words) = self.check_scope(&call.head, Some(&caller)) {
            return Ok(no_access(manner, words));
        }
        if operation == Operation::Connections {
            return connected(session, &call.head.base_url, manner);
        }
        if template.starts_with("/v1/object/") || template.starts_with("/v1/action/") {
            let found = (operation, template, keys);
            return self.twin(call, found, caller, manner, (facts, ordered)).await;
        }
        let deadline = call.deadline.clone();
        let v1 = V1 {
            service: &self.service,
            tenant: self.service.tenant(),
            context: CallContext { caller, version: ApiVersion::LAST, deadline },
            manner: manner.clone(),
            head: &call.head,
            template,
            keys,
            body: &call.body,
            facts,
            ordered,
        };
        Box::pin(v1.answer(operation)).await.or_else(|stop| failing::answer(stop, manner))
    }

    /// Answers a twin of an operation of SOAP.
    async fn twin(
        &self,
        call: &Call,
        (operation, template, keys): (Operation, &'static str, Keys<'_>),
        caller: Caller,
        manner: &Manner,
        (facts, ordered): (&mut CallFacts, BTreeMap<usize, RowError>),
    ) -> Result<Response, Unanswered> {
        let version = match wsdl_version(&call.head) {
            Ok(version) => version,
            Err(reason) => return Ok(manner.refuse(&reason)),
        };
        let twin = Twin {
            service: &self.service,
            tenant: self.service.tenant(),
            context: CallContext { caller, version, deadline: call.deadline.clone() },
            wording: manner.wording.clone(),
            head: &call.head,
            template,
            keys,
            body: &call.body,
            holding: &call.holding,
            facts,
            ordered,
        };
        let answered = Box::pin(twin.answer(operation)).await;
        answered.or_else(|stop| failing::answer(stop, manner))
    }

    /// That the entity of a call is one of the tenant's; once the caller is known, that its orgs
    /// are the caller's.
    fn check_scope(&self, head: &Head, caller: Option<&Caller>) -> Result<(), Text> {
        match caller {
            None => {
                let sent = head.header(headers::ENTITY_IDS);
                headers::check_entity(sent, &self.service.tenant().entities)
            }
            Some(caller) => {
                headers::check_orgs(head.header(headers::ORG_IDS), caller.orgs.as_deref())
            }
        }
    }

    /// A token for a client.
    async fn token(&self, call: &Call, manner: &Manner) -> Result<Response, Unanswered> {
        let from = call.head.origin.caller_address();
        let token = token::answer(&self.service, &call.body, from, &manner.uuid()).await;
        token.or_else(|stop| failing::answer(stop, manner))
    }

    /// The caller by its proof, and the session that [`Operation::Connections`] opens.
    async fn caller(
        &self,
        head: &Head,
        deadline: &Deadline,
        manner: &Manner,
        operation: Operation,
    ) -> Result<(Caller, Option<String>), Failure> {
        let from = head.origin.caller_address();
        let known = pin!(async {
            Ok(match access::proof(head) {
                Proof::Nothing => return Err(Failure::from(Refusal::InvalidSession)),
                Proof::Bearer(token) => (self.service.bearer(&token).await?, None),
                Proof::Session(session) => {
                    (self.service.authenticate(&session).await?, Some(session))
                }
                Proof::Password(name, _) if !head.users.allow(&name) => {
                    return Err(Failure::from(Refusal::WrongLogin));
                }
                Proof::Password(name, secret) if operation == Operation::Connections => {
                    let login = Box::pin(self.service.login(&name, &secret, from));
                    let session = login.await?;
                    (self.service.authenticate(&session).await?, Some(session))
                }
                Proof::Password(name, secret) => {
                    let identified = Box::pin(self.service.identify(&name, &secret, from));
                    (identified.await?, None)
                }
            })
        });
        let (caller, session) = deadline.bound(known).await.ok_or(Refusal::TooLate)??;
        if !head.users.allow(&caller.username) {
            return Err(Failure::from(Refusal::InvalidSession));
        }
        let origin = head.origin.clone().at_version(&manner.version.to_string());
        Ok((Caller { origin, ..caller }, session))
    }
}

/// Notes who calls, for the log and for a journal.
fn note_user(call: &Call, facts: &mut CallFacts, caller: &Caller) {
    facts.note_user(&caller.username);
    if let Some(notes) = &call.notes {
        notes.lock().user = Some(caller.username.to_string());
    }
}

/// The version of the WSDL whose fields a twin speaks.
fn wsdl_version(head: &Head) -> Result<ApiVersion, Reason> {
    let Some(sent) = head.header(headers::WSDL_VERSION) else { return Ok(WSDL_VERSION) };
    sent.trim().parse().map_err(|_| {
        let sent: String = sent.chars().take(32).collect();
        let words = "X-Zuora-WSDL-Version <version> is not served.";
        Reason::of_request(Wrong::Header, Text::new(words, [("version", &sent)]))
    })
}

/// The version of the WSDL where a caller says none (documented).
const WSDL_VERSION: ApiVersion = ApiVersion::major(79);

/// The answer to a call that opened this session; a token opens none.
fn connected(
    session: Option<String>,
    base_url: &str,
    manner: &Manner,
) -> Result<Response, Unanswered> {
    match session {
        Some(session) => Ok(connections::answer(&session, base_url)),
        None => failing::answer(Failure::from(Refusal::InvalidSession).into(), manner),
    }
}

impl Explain for Rest {
    fn rejections(&self, answer: &str) -> Vec<Rejection> {
        explain::rejections(answer)
    }

    fn near_misses(&self, request: &str, _version: &str, known: &[KnownId]) -> Vec<String> {
        explain::near_misses(request, known)
    }
}

impl Door for Rest {
    fn kind(&self) -> FrontDoor {
        FrontDoor::Rest
    }

    fn endpoint(&self) -> &'static str {
        "/v1"
    }

    fn route<'p>(
        &self,
        _method: Method,
        path: &'p str,
        _query: Option<&'p str>,
    ) -> Option<Route<'p>> {
        paths::is_ours(path).then_some(Route::Call { version: "v1" })
    }

    fn headers(&self) -> &'static [&'static str] {
        &headers::WANTED
    }

    fn description(&self, _version: &str, _base_url: &str) -> Result<Description, String> {
        Err("The description of the REST API is at /openapi.json.".to_owned())
    }

    /// Every type: which one is right depends on the path.
    fn takes(&self, _method: Method, _content_type: &str) -> bool {
        true
    }

    fn refuse(&self, refusal: call::Refusal, head: &Head) -> Answer {
        let manner = self.manner(head);
        let response = manner.refuse(&failing::of_body(&refusal));
        let headers = vec![Header { name: "zuora-request-id", value: manner.uuid() }];
        let operation = OperationName::Unknown;
        Answer {
            headers,
            ..Answer::new(response.status, (JSON, response.body), operation, response.outcome)
        }
    }

    fn answer(&self, call: Call) -> Replying<'_> {
        Box::pin(self.reply(call))
    }
}
