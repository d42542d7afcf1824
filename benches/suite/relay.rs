//! A relay that makes a server far away: it holds what it is sent for a while in each direction.
//!
//! The time is calibrated against the round trip of a byte, so that a wake-up that comes late is
//! part of it; what the relay itself costs of the processor is reported.

use crate::server::Server;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How many round trips a calibration takes.
const TRIPS: usize = 400;
/// How often the time is corrected.
const CORRECTIONS: u32 = 4;

/// A relay, and what its round trip came to.
pub struct Relay {
    pub server: Server,
    pub port: u16,
    pub trip_us: f64,
}

impl Relay {
    /// Starts a relay to a port whose round trip is so long.
    pub fn start(port: u16, wanted: Duration) -> Self {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let echo_port = echo.local_addr().unwrap().port();
        thread::spawn(move || echo.incoming().flatten().for_each(answer));
        let direct_us = median_us(echo_port);
        let wanted_us = wanted.as_secs_f64() * 1e6;
        let mut hold_us = (wanted_us - direct_us).max(0.0) / 2.0;
        for _ in 0..CORRECTIONS {
            let (_tried, tried_port) = started(echo_port, hold_us);
            hold_us = (hold_us + (wanted_us - median_us(tried_port)) / 2.0).max(0.0);
        }
        let (tried, tried_port) = started(echo_port, hold_us);
        let trip_us = median_us(tried_port);
        drop(tried);
        let (server, port) = started(port, hold_us);
        println!(
            "the relay holds {hold_us:.0} us each way: a round trip of {trip_us:.0} us, of \
             {direct_us:.0} us without it"
        );
        Self { server, port, trip_us }
    }
}

/// Starts this program again as a relay.
fn started(port: u16, hold_us: f64) -> (Server, u16) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["relay", &port.to_string(), &format!("{hold_us:.0}")]);
    let server = Server::start("relay", &mut command);
    let port = server.address.rsplit(':').next().unwrap().parse().unwrap();
    (server, port)
}

/// Sends back what comes.
fn answer(mut stream: TcpStream) {
    thread::spawn(move || {
        stream.set_nodelay(true).unwrap();
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
    });
}

fn median_us(port: u16) -> f64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let trip = |_| {
        let began = Instant::now();
        let mut byte = [7];
        stream.write_all(&byte).unwrap();
        stream.read_exact(&mut byte).unwrap();
        began.elapsed().as_secs_f64() * 1e6
    };
    let mut trips: Vec<f64> = (0..TRIPS).map(trip).collect();
    trips.sort_by(f64::total_cmp);
    trips[TRIPS / 2]
}

/// Relays until the process is ended.
pub fn serve(port: u16, hold: Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    for near in listener.incoming().flatten() {
        let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
        for (from, to) in [(&near, &far), (&far, &near)] {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            from.set_nodelay(true).unwrap();
            carry(from, to, hold);
        }
    }
}

/// Carries what comes from one side to the other, each piece when its time has come.
fn carry(mut from: TcpStream, to: TcpStream, hold: Duration) {
    let (held, due) = channel();
    thread::spawn(move || deliver(&due, to));
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let piece = (Instant::now() + hold, buffer[..length].to_vec());
            if held.send(piece).is_err() {
                return;
            }
        }
    });
}

fn deliver(due: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    while let Ok((at, piece)) = due.recv() {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
