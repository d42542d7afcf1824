//! A front door beside that of SOAP: any method, path and header reaches it, and any answer leaves.

use super::fake_ledger::FakeLedger;
use super::soap_door;
use super::wire::Wire;
use refund_gateway::call::{
    Answer, Call, Description, Door, Explain, Head, Header, Method, OperationName, Outcome,
    Refusal, Rejection, Reply, Replying, Route,
};
use refund_gateway::domain::origin::FrontDoor;
use refund_gateway::http::{Gateway, HttpSettings};
use refund_gateway::ledger::Ledger;
use refund_gateway::ledger::test_bench::KnownId;
use refund_gateway::service::clock::Clock;
use refund_gateway::service::{Service, ServiceSettings};
use std::sync::Arc;

/// Claims all below `/v1`, and answers what it was handed.
struct Echo;

fn json(status: u16, body: String) -> Answer {
    let body = ("application/json; charset=utf-8", body.into_bytes());
    Answer::new(status, body, OperationName::ObjectGet, Outcome::Ok)
}

fn header(name: &'static str, value: &str) -> Header {
    Header { name, value: value.to_owned() }
}

impl Explain for Echo {
    fn rejections(&self, _: &str) -> Vec<Rejection> {
        Vec::new()
    }

    fn near_misses(&self, _: &str, _: &str, _: &[KnownId]) -> Vec<String> {
        Vec::new()
    }
}

impl Door for Echo {
    fn kind(&self) -> FrontDoor {
        FrontDoor::Rest
    }

    fn endpoint(&self) -> &'static str {
        "/v1"
    }

    fn route<'p>(&self, _: Method, path: &'p str, _: Option<&'p str>) -> Option<Route<'p>> {
        path.starts_with("/v1/").then_some(Route::Call { version: "v1" })
    }

    fn headers(&self) -> &'static [&'static str] {
        &["authorization", "zuora-track-id"]
    }

    fn description(&self, version: &str, _: &str) -> Result<Description, String> {
        Err(format!("no {version}"))
    }

    fn takes(&self, method: Method, content_type: &str) -> bool {
        method.reads() || content_type.starts_with("application/json")
    }

    fn refuse(&self, refusal: Refusal, head: &Head) -> Answer {
        json(415, format!("{refusal:?} at {}", head.path))
    }

    fn answer(&self, call: Call) -> Replying<'_> {
        let Call { head, body, .. } = call;
        let reported = format!(
            "{:?} {} {:?} {:?} {:?} {}",
            head.method,
            head.path,
            head.query,
            head.header("authorization"),
            head.header("accept"),
            String::from_utf8_lossy(&body)
        );
        let answer = match head.method {
            Method::Patch => {
                Answer { headers: vec![header("allow", "GET, PUT")], ..json(405, reported) }
            }
            _ => Answer {
                headers: vec![
                    header("zuora-request-id", "7"),
                    header("set-cookie", "a=1"),
                    header("set-cookie", "b=2"),
                    header("cache-control", "no-transform"),
                ],
                ..json(201, reported)
            },
        };
        Box::pin(async { Reply::Answer(answer) })
    }
}

async fn open() -> Gateway {
    let ledger: Arc<dyn Ledger> = Arc::new(FakeLedger::default());
    let service = Service::start(ledger, Clock::system(), ServiceSettings::default()).await;
    let service = service.unwrap();
    let doors = soap_door(&service).into_iter().chain([Box::new(Echo) as Box<dyn Door>]);
    let any = "127.0.0.1:0".parse().unwrap();
    Gateway::start(service, doors, HttpSettings::default(), any, None).await.unwrap()
}

async fn ask(gateway: &Gateway, method: &str, target: &str, more: &str) -> super::Answer {
    let mut wire = Wire::connect(gateway.public_addr()).await;
    wire.send(format!("{method} {target} HTTP/1.1\r\nHost: g\r\n{more}")).await;
    wire.answer_to(method).await
}

#[tokio::test]
async fn a_door_is_handed_any_method_and_only_the_headers_that_it_reads() {
    let gateway = open().await;
    let headers = "Authorization: Bearer t\r\nAccept: */*\r\n\r\n";
    for method in ["GET", "DELETE"] {
        let answer = ask(&gateway, method, "/v1//object/./refund/7?a=b", headers).await;
        let method = if method == "GET" { "Get" } else { "Delete" };
        let reported =
            format!("{method} /v1/object/refund/7 Some(\"a=b\") Some(\"Bearer t\") None ");
        assert_eq!((answer.status, answer.text()), (201, reported));
    }
    let put = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let answer = ask(&gateway, "PUT", "/v1/x", put).await;
    assert_eq!(answer.text(), "Put /v1/x None None None {}");
    let xml = "Content-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>";
    let answer = ask(&gateway, "POST", "/v1/x", xml).await;
    assert_eq!((answer.status, answer.text()), (415, "ContentType(\"text/xml\") at /v1/x".into()));
}

#[tokio::test]
async fn a_door_answers_any_status_with_headers_of_its_own() {
    let gateway = open().await;
    let answer = ask(&gateway, "GET", "/v1/x", "\r\n").await;
    assert_eq!(answer.header("zuora-request-id"), Some("7"));
    assert_eq!(answer.header("cache-control"), Some("no-transform"));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let answer = ask(&gateway, "PATCH", "/v1/x", "\r\n").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, PUT")));
    let nowhere = ask(&gateway, "GET", "/v2", "\r\n").await;
    assert!(nowhere.text().contains("/apps/services/a/{version} or /v1"), "{}", nowhere.text());
    let wsdl = ask(&gateway, "GET", "/apps/services/a/91.0?wsdl", "\r\n").await;
    assert_eq!((wsdl.status, wsdl.header("content-type")), (200, Some("text/xml;charset=UTF-8")));
}
