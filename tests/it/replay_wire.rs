//! How `replay` sends and compares: byte for byte, with retries, and within a time.

use crate::gateway::{EXTERNAL_ACCOUNT, create_envelope, external_refund, login_envelope};
use crate::replaying::{Folder, created, queried, query};
use crate::wire::read_request;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const ANSWER: &str = "<e><Body><loginResponse/></Body></e>";

/// An endpoint that answers the request of each number, from 1, as `treat` says, or not at all.
fn endpoint(
    treat: impl Fn(usize) -> Option<String> + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    thread::spawn(move || {
        // Held, so that a request without an answer waits for one.
        let mut unanswered: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            read_request(&mut reader);
            match treat(counted.fetch_add(1, Ordering::SeqCst) + 1) {
                Some(answer) => stream.write_all(answer.as_bytes()).unwrap(),
                None => unanswered.push(stream),
            }
        }
    });
    (address, requests)
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[test]
fn what_reads_is_sent_again_and_what_writes_is_not() {
    let folder = Folder::with("read.request.xml", login_envelope("{{secret}}", "x"))
        .and("read.response.xml", ANSWER)
        .and("write.request.xml", create_envelope("x", &[external_refund(EXTERNAL_ACCOUNT, "1")]))
        .and("write.response.xml", ANSWER);
    let args = |address: SocketAddr| format!("http://{address}/apps/services/a/91.0");
    let user = ["--username", "a", "--password", "b"];
    for (first, sent) in
        [(String::new(), 2), (http("429 Too Many", ""), 2), (http("503 Busy", ""), 2)]
    {
        let (address, requests) = endpoint(move |number| {
            Some(if number == 1 { first.clone() } else { http("200 OK", ANSWER) })
        });
        let run = ["read.request.xml", "--retries", "1", "--endpoint", &args(address)];
        folder.passes(&[&run[..], &user].concat(), "1 passed, 0 failed");
        assert_eq!(requests.load(Ordering::SeqCst), sent);
    }
    let session = "<e><Body><loginResponse><Session>s</Session></loginResponse></Body></e>";
    let (address, requests) = endpoint(move |number| {
        Some(if number == 1 { http("200 OK", session) } else { String::new() })
    });
    let run = ["write.request.xml", "--retries", "5", "--endpoint", &args(address)];
    assert!(folder.reported(&[&run[..], &user].concat(), 1).contains("no answer"));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

/// Regression: `--update` wrote to whatever a link in the catalogue led to.
#[cfg(unix)]
#[test]
fn what_is_no_file_of_the_catalogue_is_not_written() {
    let folder = Folder::with("p/1.request.xml", login_envelope("demo@example.com", "demo"))
        .and("outside.xml", ANSWER);
    std::os::unix::fs::symlink(folder.path("outside.xml"), folder.path("p/1.response.xml"))
        .unwrap();
    let reported = folder.reported(&["p", "--update"], 4);
    assert!(reported.contains("is a symbolic link"), "{reported}");
    assert_eq!(std::fs::read_to_string(folder.path("outside.xml")).unwrap(), ANSWER);
}

/// Regression: `--update` wrote through a folder that was a link out of the catalogue.
#[cfg(unix)]
#[test]
fn a_folder_that_leads_out_of_the_catalogue_is_not_written() {
    let folder = Folder::with("real/p/1.request.xml", login_envelope("demo@example.com", "demo"))
        .and("real/p/1.response.xml", ANSWER)
        .and("catalogue/README", "");
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(folder.path(to), folder.path(name)).unwrap();
    };
    link("real", "catalogue/out");
    for named in ["catalogue/out", "catalogue/out/p", "catalogue/out/p/1.request.xml"] {
        let reported = folder.reported(&[named, "--update"], 4);
        assert!(reported.contains("leads out of the folder"), "{reported}");
        let kept = std::fs::read_to_string(folder.path("real/p/1.response.xml")).unwrap();
        assert_eq!(kept, ANSWER, "{named}");
    }
    // One that stays within is only another name.
    link("real", "newest");
    folder.passes(&["newest", "--update"], "0 passed, 0 failed, 1 updated");
}

#[test]
fn an_answer_has_to_come_in_time() {
    let folder =
        Folder::with("a.request.xml", login_envelope("a", "b")).and("a.response.xml", ANSWER);
    let (address, _) = endpoint(|_| None);
    let endpoint = format!("http://{address}");
    let reported =
        folder.reported(&["a.request.xml", "--timeout", "0.2", "--endpoint", &endpoint], 1);
    assert!(reported.contains("no answer within 200 ms"), "{reported}");
    let reported = folder.reported(&["a.request.xml", "--timeout", "soon"], 2);
    assert!(reported.contains("`soon` is no number of seconds"), "{reported}");
}

#[test]
fn bytes_are_compared_except_ids_sessions_and_times() {
    let folder = Folder::with("p/1.request.xml", login_envelope("demo@example.com", "demo"))
        .and("p/1.response.xml", ANSWER)
        .and("p/2.request.xml", create_envelope("x", &[external_refund(EXTERNAL_ACCOUNT, "1")]))
        .and("p/2.response.xml", created("4028925a2b9e3319012b9e34b88e4711").replace("true", "x"))
        .and("p/3.request.xml", query("x", "select Id, Amount, CreatedDate from Refund"))
        .and("p/3.response.xml", queried("<obj:Amount>1</obj:Amount>"));
    folder.passes(&["p", "--update"], "0 passed, 0 failed, 3 updated");
    folder.passes(&["p", "--compare", "bytes"], "3 passed, 0 failed");
    let file = folder.path("p/3.response.xml");
    let captured = std::fs::read_to_string(&file).unwrap();
    let wrong = captured
        .replace(":Success>true", ":Success>TRUE")
        .replace("<ns2:Amount>1", "<ns2:Amount>7");
    assert_ne!(captured, wrong);
    std::fs::write(&file, &wrong).unwrap();
    let offset = wrong.find("<ns2:Amount>7").unwrap() + "<ns2:Amount>".len();
    let reported = folder.reported(&["p", "--compare", "bytes"], 1);
    assert!(
        reported.contains(&format!("body: the first other byte is at offset {offset}")),
        "{reported}"
    );
    assert!(reported.contains("<ns2:Amount>7") && reported.contains("<ns2:Amount>1"), "{reported}");
    let json = folder.reported(&["p", "--compare", "bytes", "--json"], 1);
    assert!(json.contains(&format!("\"offset\":{offset}")), "{json}");
}
