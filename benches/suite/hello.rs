//! The do-nothing server: hyper, which answers every request with the same createResponse. What a
//! gateway reaches of its speed is what parsing, deciding and writing leave.

use crate::server::Server;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::Write as _;
use std::process::Command;

const ANSWER: &str = "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope \
    xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
    <ns1:createResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result>\
    <ns1:Id>0123456789abcdef0123456789abcdef</ns1:Id><ns1:Success>true</ns1:Success>\
    </ns1:result></ns1:createResponse></soapenv:Body></soapenv:Envelope>";

/// Starts this program again as the do-nothing server.
pub fn start() -> Server {
    Server::start("hello", Command::new(std::env::current_exe().unwrap()).arg("hello"))
}

/// Serves until the process is ended.
pub fn serve() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let answer = service_fn(|_| async {
                    let body = Full::new(Bytes::from_static(ANSWER.as_bytes()));
                    Ok::<_, Infallible>(hyper::Response::new(body))
                });
                let mut server = http1::Builder::new();
                server.timer(TokioTimer::new());
                // A client that goes ends its connection and nothing else.
                let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
}
