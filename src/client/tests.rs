//! The connection against a socket that answers by a script.

use super::*;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Serves each connection with one list of answers and then closes it; counts what it received.
async fn server(connections: Vec<Vec<&'static str>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&received);
    tokio::spawn(async move {
        for answers in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                let mut seen = Vec::new();
                while !seen.ends_with(b"\r\n\r\nbody") {
                    let mut buffer = [0; 1024];
                    let length = stream.read(&mut buffer).await.unwrap();
                    assert_ne!(length, 0, "closed within a request");
                    seen.extend_from_slice(&buffer[..length]);
                }
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
        std::future::pending::<()>().await;
    });
    (address, received)
}

fn connection(address: SocketAddr, limits: ClientLimits) -> Connection {
    Connection::new(Endpoint::parse(&format!("http://{address}")).unwrap(), limits)
}

async fn post(connection: &mut Connection) -> Result<Answer, ClientError> {
    connection.post("/x", &HeaderMap::new(), Bytes::from_static(b"body")).await
}

#[tokio::test]
async fn a_connection_is_kept_and_opened_again_when_it_was_closed() {
    let (address, received) = server(vec![vec![OK, OK], vec![OK]]).await;
    let mut connection = connection(address, ClientLimits::default());
    for _ in 0..3 {
        let answer = post(&mut connection).await.unwrap();
        assert_eq!((answer.status, &*answer.body, answer.cut), (StatusCode::OK, &b"ok"[..], false));
    }
    assert_eq!(received.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_request_that_was_received_is_never_sent_again() {
    let (address, received) = server(vec![vec![OK, ""], vec![OK]]).await;
    let mut connection = connection(address, ClientLimits::default());
    post(&mut connection).await.unwrap();
    let error = post(&mut connection).await.expect_err("closed without an answer");
    assert!(matches!(error, ClientError::Broken(_)), "{error}");
    assert_eq!(received.load(Ordering::SeqCst), 2);
    assert_eq!(post(&mut connection).await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let (address, _) = server(vec![vec![OK], vec![OK]]).await;
    let limits = ClientLimits { body_bytes_max: 1, ..ClientLimits::default() };
    let mut connection = connection(address, limits);
    for _ in 0..2 {
        let answer = post(&mut connection).await.unwrap();
        assert_eq!((&*answer.body, answer.cut), (&b"o"[..], true));
    }
}

#[tokio::test]
async fn waiting_has_an_end() {
    let (address, _) =
        server(vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", ""]]).await;
    let limits = ClientLimits { exchange: Duration::from_millis(50), ..ClientLimits::default() };
    let error = post(&mut connection(address, limits)).await.expect_err("half an answer");
    assert!(matches!(error, ClientError::Timeout(_)), "{error}");
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = post(&mut connection(address, ClientLimits::default())).await.expect_err("nobody");
    assert!(error.to_string().contains(&format!("http://{address}")), "{error}");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
