//! The load: one thread that keeps many connections busy, each with one request at a time.
//!
//! What must stay true: every answer is checked, and the thread costs less than what it measures;
//! what it did cost is part of each sample. Nothing is allocated for a request.

use crate::framing::{Framing, framing};
use crate::requests::{ID_LENGTH, Template, account};
use crate::server::{Server, own_cpu_us};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::Serialize;
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which ids requests are about.
#[derive(Clone)]
pub enum Ids<'a> {
    /// Any of so many accounts of the seed, in no order.
    Accounts(u64),
    /// Always this account.
    Account(u64),
    /// These, one after the other.
    List(&'a [[u8; ID_LENGTH]]),
}

/// Counts ids over all loads, so that none repeats what one before it did.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Ids<'_> {
    fn next(&self) -> [u8; ID_LENGTH] {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        match self {
            Self::Accounts(count) => account(scattered(next) % count),
            Self::Account(number) => account(*number),
            Self::List(ids) => ids[usize::try_from(scattered(next)).unwrap() % ids.len()],
        }
    }
}

/// The finalizer of splitmix64: neighbours become numbers that have nothing in common.
fn scattered(number: u64) -> u64 {
    let mut value = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// When no more requests are sent.
#[derive(Clone, Copy)]
pub enum Until {
    Elapsed(Duration),
    Sent(u64),
}

/// What is sent to a server, and over how many connections.
pub struct Load<'a> {
    pub template: &'a Template,
    pub ids: Ids<'a>,
    pub connections: usize,
}

/// What one sample came to.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    pub server: &'static str,
    pub requests: u64,
    pub per_second: f64,
    /// Processor time of the server for a request.
    pub cpu_us: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Bytes that the server had written to a disk, for a request.
    pub written: f64,
    /// The most resident memory of the server meanwhile.
    pub peak_mb: f64,
    /// How much of one core the load took.
    pub load_cores: f64,
    /// Whether the machine was found at its usual speed before and after.
    pub is_clean: bool,
}

impl Sample {
    /// What another program says of itself: how many a second, and the mean of what each took.
    pub fn of_rate(server: &'static str, per_second: f64, mean_ms: f64) -> Self {
        Self {
            server,
            requests: 0,
            per_second,
            cpu_us: 0.0,
            p50_ms: mean_ms,
            p99_ms: mean_ms,
            written: 0.0,
            peak_mb: 0.0,
            load_cores: 0.0,
            is_clean: true,
        }
    }
}

impl Load<'_> {
    /// Sends until it is enough and all answers are there.
    pub fn run(&self, server: &Server, until: Until) -> Sample {
        let mut poll = Poll::new().unwrap();
        let mut connections: Vec<Connection> =
            (0..self.connections).map(|at| self.connect(server, &poll, at)).collect();
        let mut events = Events::with_capacity(1024);
        let mut waits_us: Vec<u32> = Vec::with_capacity(1 << 20);
        server.forget_peak();
        let before = (server.cpu_us(), server.written_bytes(), own_cpu_us());
        let started = Instant::now();
        let mut sent = 0;
        let mut open = 0;
        for connection in &mut connections {
            connection.send(self, Instant::now());
            (sent, open) = (sent + 1, open + 1);
        }
        while open > 0 {
            poll.poll(&mut events, Some(PATIENCE)).unwrap();
            assert!(!events.is_empty(), "{} does not answer", server.name);
            for event in &events {
                let connection = &mut connections[event.token().0];
                if !connection.receive(self.template) {
                    continue;
                }
                let now = Instant::now();
                let wait = now.duration_since(connection.sent_at).as_micros();
                waits_us.push(u32::try_from(wait).unwrap());
                let is_enough = match until {
                    Until::Elapsed(duration) => now.duration_since(started) >= duration,
                    Until::Sent(count) => sent >= count,
                };
                if is_enough {
                    open -= 1;
                } else {
                    connection.send(self, now);
                    sent += 1;
                }
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let of_each = |after: u64, before: u64| (after - before) as f64 / sent as f64;
        waits_us.sort_unstable();
        let quantile = |share: usize| f64::from(waits_us[waits_us.len() * share / 100]) / 1_000.0;
        Sample {
            server: server.name,
            requests: sent,
            per_second: sent as f64 / seconds,
            cpu_us: of_each(server.cpu_us(), before.0),
            p50_ms: quantile(50),
            p99_ms: quantile(99),
            written: of_each(server.written_bytes(), before.1),
            peak_mb: server.peak_mb(),
            load_cores: (own_cpu_us() - before.2) as f64 / 1e6 / seconds,
            is_clean: true,
        }
    }

    fn connect(&self, server: &Server, poll: &Poll, at: usize) -> Connection {
        let stream = std::net::TcpStream::connect(&server.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(at), Interest::READABLE).unwrap();
        Connection {
            stream,
            request: self.template.bytes.clone(),
            answer: vec![0; 4096],
            length: 0,
            framing: None,
            found_at: 0,
            is_waiting: false,
            sent_at: Instant::now(),
        }
    }
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// How much of `answer` was received.
    length: usize,
    framing: Option<Framing>,
    /// Where the last answer held what is expected: the next one most likely does as well.
    found_at: usize,
    is_waiting: bool,
    sent_at: Instant,
}

impl Connection {
    fn send(&mut self, load: &Load<'_>, now: Instant) {
        load.template.fill(&mut self.request, || load.ids.next());
        (self.length, self.framing, self.is_waiting, self.sent_at) = (0, None, true, now);
        let mut rest = self.request.as_slice();
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                // The buffers of a socket hold many requests, so this hardly ever happens.
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => panic!("sending: {error}"),
            }
        }
    }

    /// Receives what is there; whether the answer is whole now.
    fn receive(&mut self, template: &Template) -> bool {
        while self.is_waiting {
            if self.length == self.answer.len() {
                self.answer.resize(self.length * 2, 0);
            }
            match self.stream.read(&mut self.answer[self.length..]) {
                Ok(0) => panic!("the server closed a connection"),
                Ok(count) => self.length += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("receiving: {error}"),
            }
            let answer = &self.answer[..self.length];
            if self.framing.is_none() {
                self.framing = framing(answer);
            }
            if self.framing.is_some_and(|framing| framing.is_whole(answer)) {
                self.is_waiting = false;
                self.check(template);
                return true;
            }
        }
        false
    }

    fn check(&mut self, template: &Template) {
        let answer = &self.answer[..self.length];
        let expected = template.expected;
        if template.count == 1 {
            let end = self.found_at + expected.len();
            if answer.get(self.found_at..end) == Some(expected) {
                return;
            }
        }
        let mut found = 0;
        for (at, part) in answer.windows(expected.len()).enumerate() {
            if part[0] == expected[0] && part == expected {
                found += 1;
                self.found_at = at;
            }
        }
        assert_eq!(found, template.count, "in {}", String::from_utf8_lossy(answer));
    }
}
