//! The points at which the process is killed, and how each is reached on purpose, without anything
//! in the gateway that is only for tests: the test holds the ledger's file, takes all the room
//! that there is for calls, or acts while the processor stands at a moment of the protocol.

use super::{ORDERS, PATIENCE, ROOM, electronic_refunds};
use crate::gateway::{TestGateway, create_envelope, electronic_refund};
use crate::processor_stub::{Behaviour, Moment, ProcessorStub};
use crate::verdicts::metric;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Write, copy, sink};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Where the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Point {
    /// The request is there and waits for the ledger's file.
    BeforeTheHold,
    /// So many microseconds after the request was sent.
    AroundTheHold,
    /// The amounts are held; the gateway has no room for another call.
    AfterTheHold,
    /// The gateway was connected to and has read nothing.
    BeforeTheCall,
    /// The gateway has read an order and done nothing.
    AfterTheCallWasSent,
    /// The gateway has done it and answered nothing.
    AfterTheGatewayDidIt,
    /// The gateway has answered, and what it said waits for the ledger's file.
    BeforeThePost,
    /// So many microseconds after the gateway's answer left.
    AroundThePost,
    /// The verdict is in the ledger and the client has its answer.
    AfterThePost,
}

impl Point {
    const ALL: [Self; 9] = [
        Self::BeforeTheHold,
        Self::AroundTheHold,
        Self::AfterTheHold,
        Self::BeforeTheCall,
        Self::AfterTheCallWasSent,
        Self::AfterTheGatewayDidIt,
        Self::BeforeThePost,
        Self::AroundThePost,
        Self::AfterThePost,
    ];

    /// Each in its turn.
    pub(super) fn of(seed: u64) -> Self {
        let turn = seed % u64::try_from(Self::ALL.len()).unwrap();
        Self::ALL[usize::try_from(turn).unwrap()]
    }

    /// Whether it can be seen from outside that the process was there.
    pub(super) fn can_be_seen(self) -> bool {
        !matches!(self, Self::AroundTheHold | Self::AroundThePost)
    }

    /// What the processor does with the orders, which a point may have to choose in part.
    pub(super) fn behaviours(self, mut drawn: Vec<Behaviour>) -> Vec<Behaviour> {
        match self {
            // Something must be done, answered, or posted.
            Self::AfterTheGatewayDidIt | Self::AfterThePost => drawn[0] = Behaviour::Normal,
            // The first verdict waits for the file alone, and the others wait behind it.
            Self::BeforeThePost => {
                let later = Behaviour::Slow(Duration::from_millis(30));
                drawn = vec![Behaviour::Normal, later.clone(), later];
            }
            _ => {}
        }
        drawn
    }
}

/// Creates electronic refunds, kills the process at the point, and says whether it was there.
pub(super) fn strike(
    gateway: &mut TestGateway,
    stub: &ProcessorStub,
    point: Point,
    behaviours: Vec<Behaviour>,
    micros: u64,
) -> bool {
    if point == Point::BeforeTheCall {
        // What was asked about earlier has left connections that are kept.
        gateway.kill9();
        gateway.restart();
    }
    let before = electronic_refunds(&gateway.stored()).len();
    let target = Target::of(gateway);
    let scene = Scene { gateway, stub, target: target.clone(), before, micros };
    let was_reached = match point {
        Point::BeforeTheHold => scene.before_the_hold(behaviours),
        Point::AroundTheHold => scene.around_the_hold(behaviours),
        Point::AfterTheHold => scene.after_the_hold(behaviours),
        Point::BeforeTheCall => scene.at_the_gateway(Moment::Connected, behaviours),
        Point::AfterTheCallWasSent => scene.at_the_gateway(Moment::Received, behaviours),
        Point::AfterTheGatewayDidIt => scene.at_the_gateway(Moment::Worked, behaviours),
        Point::BeforeThePost => scene.before_the_post(behaviours),
        Point::AroundThePost => scene.around_the_post(behaviours),
        Point::AfterThePost => scene.after_the_post(behaviours),
    };
    target.kill();
    gateway.ended();
    stub.watch(|_| {});
    was_reached
}

/// The process that is killed.
#[derive(Clone)]
struct Target {
    pid: Pid,
    is_dead: Arc<AtomicBool>,
}

impl Target {
    fn of(gateway: &TestGateway) -> Self {
        let pid = i32::try_from(gateway.pid()).ok().and_then(Pid::from_raw).unwrap();
        Self { pid, is_dead: Arc::default() }
    }

    /// Kills it once: it is not waited for before the end of the strike, so the id stays its own.
    fn kill(&self) {
        if !self.is_dead.swap(true, Ordering::SeqCst) {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// Everything that a strike needs.
struct Scene<'a> {
    gateway: &'a TestGateway,
    stub: &'a ProcessorStub,
    target: Target,
    /// How many electronic refunds there were.
    before: usize,
    micros: u64,
}

impl Scene<'_> {
    fn before_the_hold(&self, behaviours: Vec<Behaviour>) -> bool {
        self.stub.script(behaviours);
        let body = self.orders();
        let file = self.gateway.stored().hold();
        let _client = self.post(&body);
        until("the request is being worked on", || {
            metric(self.gateway, "refund_gateway_requests_in_flight") > 0
        });
        thread::sleep(Duration::from_micros(self.micros));
        self.target.kill();
        drop(file);
        self.refunds().len() == self.before
    }

    fn around_the_hold(&self, behaviours: Vec<Behaviour>) -> bool {
        self.stub.script(behaviours);
        let _client = self.post(&self.orders());
        thread::sleep(Duration::from_micros(self.micros));
        self.target.kill();
        true
    }

    fn after_the_hold(&self, behaviours: Vec<Behaviour>) -> bool {
        let asked = self.stub.refunds();
        self.stub.script(vec![Behaviour::Hang; ROOM]);
        let session = self.gateway.login();
        let _hanging =
            self.post(&create_envelope(&session, &vec![electronic_refund("0.01"); ROOM]));
        until("all the room is taken", || self.stub.refunds() == asked + ROOM);
        self.stub.script(behaviours);
        let _client = self.post(&self.orders());
        until("the amounts are held", || self.refunds().len() == self.before + ROOM + ORDERS);
        self.target.kill();
        self.stub.refunds() == asked + ROOM
    }

    fn at_the_gateway(&self, wanted: Moment, behaviours: Vec<Behaviour>) -> bool {
        self.stub.script(behaviours);
        let body = self.orders();
        let (target, was_there) = (self.target.clone(), Arc::new(AtomicBool::new(false)));
        let reached = Arc::clone(&was_there);
        self.stub.watch(move |moment| {
            if moment == wanted {
                reached.store(true, Ordering::SeqCst);
                target.kill();
            }
        });
        self.post_and_wait(&body);
        was_there.load(Ordering::SeqCst)
    }

    fn before_the_post(&self, behaviours: Vec<Behaviour>) -> bool {
        self.stub.script(behaviours);
        let body = self.orders();
        let file = Arc::new(Mutex::new(None));
        let (ledger, held) = (self.gateway.stored(), Arc::clone(&file));
        self.stub.watch(move |moment| {
            let mut held = held.lock().unwrap();
            if moment == Moment::Received && held.is_none() {
                *held = Some(ledger.hold());
            }
        });
        let _client = self.post(&body);
        until("verdicts wait for the file", || {
            let is_held = file.lock().unwrap().is_some();
            is_held && metric(self.gateway, "refund_gateway_ledger_queue_depth") > 0
        });
        self.target.kill();
        let open = self.refunds().values().filter(|status| *status == "Processing").count();
        drop(file.lock().unwrap().take());
        open == ORDERS
    }

    fn around_the_post(&self, behaviours: Vec<Behaviour>) -> bool {
        self.stub.script(behaviours);
        let body = self.orders();
        let (target, micros) = (self.target.clone(), self.micros / 2);
        self.stub.watch(move |moment| {
            if moment == Moment::Answered {
                thread::sleep(Duration::from_micros(micros));
                target.kill();
            }
        });
        self.post_and_wait(&body);
        true
    }

    fn after_the_post(&self, behaviours: Vec<Behaviour>) -> bool {
        self.stub.script(behaviours);
        self.post_and_wait(&self.orders());
        self.target.kill();
        let processed = |status: &&String| *status == "Processed";
        self.refunds().values().filter(processed).count() > self.earlier_processed()
    }

    fn earlier_processed(&self) -> usize {
        // Ids are time-ordered, so that the new refunds are the last ones.
        let earlier = self.refunds().into_values().take(self.before);
        earlier.filter(|status| status == "Processed").count()
    }

    fn refunds(&self) -> std::collections::BTreeMap<String, String> {
        electronic_refunds(&self.gateway.stored())
    }

    /// The envelope of the orders.
    fn orders(&self) -> String {
        let orders: [String; ORDERS] = ["0.02", "0.03", "0.04"].map(electronic_refund);
        create_envelope(&self.gateway.login(), &orders)
    }

    fn post(&self, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.gateway.public()).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n",
            crate::gateway::ENDPOINT,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        stream
    }

    /// Whatever becomes of it: an answer, or the end of the connection.
    fn post_and_wait(&self, body: &str) {
        let mut client = self.post(body);
        let _ = copy(&mut client, &mut sink());
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
