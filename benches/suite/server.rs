//! A server under measurement: a process of its own, and what Linux counts of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// How many microseconds a tick of /proc/PID/stat has; it is 10 ms wherever Linux runs.
const TICK_US: u64 = 10_000;

/// A process that prints `listening on http://ADDR` and is ended with this.
pub struct Server {
    child: Child,
    pub name: &'static str,
    pub address: String,
}

impl Server {
    pub fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect(name);
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{name} did not start: {line}")).to_owned();
        // Keeps the pipe open and empty for as long as the process lives.
        std::thread::spawn(move || lines.lines().count());
        Self { child, name, address }
    }

    /// Whether a library is loaded into the process.
    pub fn has_loaded(&self, library: &str) -> bool {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.child.id())).unwrap();
        maps.contains(library)
    }

    /// User and system time so far, in microseconds.
    pub fn cpu_us(&self) -> u64 {
        cpu_us(&self.child.id().to_string())
    }

    /// Bytes that the process had written to a disk so far; 0 on tmpfs.
    pub fn written_bytes(&self) -> u64 {
        let io = fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        line.unwrap().parse().unwrap()
    }

    /// Resident memory now, in MB.
    pub fn resident_mb(&self) -> f64 {
        self.status_mb("VmRSS:")
    }

    /// The most resident memory since the last `forget_peak`, in MB.
    pub fn peak_mb(&self) -> f64 {
        self.status_mb("VmHWM:")
    }

    pub fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    fn status_mb(&self, key: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        megabytes(&status, key).unwrap()
    }

    /// Ends the process as an operator does, and waits until it has gone.
    pub fn stop(mut self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{} ended with {status}", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A figure of /proc/PID/status in MB; none once the process has ended.
pub fn megabytes(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// User and system time of this process so far, in microseconds.
pub fn own_cpu_us() -> u64 {
    cpu_us("self")
}

/// Fields 14 and 15 of /proc/PID/stat, behind the program's name, which may hold blanks.
fn cpu_us(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() * TICK_US
}
