//! What every process has, under the names that all programs give it: processor time, memory, open
//! files, and when it began. Read from /proc; where there is none, nothing is reported.

use crate::domain::number::saturated;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use std::fmt;
use std::fs;
use std::time::Duration;

/// Reads the state of this process.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    /// When the process began, in Unix seconds.
    started: Option<f64>,
}

/// What /proc says of the process, times in ticks and memory in pages.
struct Stat {
    ticks_used: u64,
    ticks_at_start: u64,
    bytes_virtual: u64,
    pages_resident: u64,
}

impl ProcessCollector {
    pub(super) fn new() -> Self {
        let booted = fs::read_to_string("/proc/stat").ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
            line.trim().parse::<u64>().ok()
        });
        let since_boot = Stat::read().map(|stat| of_ticks(stat.ticks_at_start));
        let started = booted.zip(since_boot).and_then(|(booted, since)| {
            Some(Duration::from_secs(booted).checked_add(since)?.as_secs_f64())
        });
        Self { started }
    }
}

impl Stat {
    /// The fields of proc(5), counted from behind the name, which may hold anything.
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // The state, behind the name, is the third field.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            ticks_used: number(14)?.checked_add(number(15)?)?,
            ticks_at_start: number(22)?,
            bytes_virtual: number(23)?,
            pages_resident: number(24)?,
        })
    }
}

fn of_ticks(ticks: u64) -> Duration {
    let a_second = clock_ticks_per_second().max(1);
    let nanos = (ticks % a_second).saturating_mul(1_000_000_000) / a_second;
    Duration::from_secs(ticks / a_second) + Duration::from_nanos(nanos)
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(stat) = Stat::read() {
            let used = ConstCounter::new(of_ticks(stat.ticks_used).as_secs_f64());
            let (help, unit) = ("Processor time used", Unit::Seconds);
            let kind = used.metric_type();
            used.encode(encoder.encode_descriptor("process_cpu", help, Some(&unit), kind)?)?;
            let resident = stat.pages_resident.saturating_mul(saturated::<u64>(page_size()));
            let sizes = [
                ("process_resident_memory", "Memory that is in use", resident),
                ("process_virtual_memory", "Addresses that are taken", stat.bytes_virtual),
            ];
            for (name, help, bytes) in sizes {
                let gauge = ConstGauge::new(saturated::<i64>(bytes));
                let kind = gauge.metric_type();
                gauge.encode(encoder.encode_descriptor(name, help, Some(&Unit::Bytes), kind)?)?;
            }
        }
        if let Some(started) = self.started {
            let gauge = ConstGauge::new(started);
            let (help, unit) = ("When the process began, in Unix time", Unit::Seconds);
            let kind = gauge.metric_type();
            let name = "process_start_time";
            gauge.encode(encoder.encode_descriptor(name, help, Some(&unit), kind)?)?;
        }
        // One of those that are counted is the folder that is being read.
        let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1));
        let most = getrlimit(Resource::Nofile).current;
        let counts = [
            ("process_open_fds", "Open files and connections", open.map(saturated::<i64>)),
            ("process_max_fds", "The most that may be open", most.map(saturated::<i64>)),
        ];
        for (name, help, count) in counts {
            let Some(count) = count else { continue };
            let gauge = ConstGauge::new(count);
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_hides_no_field() {
        let text = "1 (a) b) S 2 3 4 5 6 7 8 9 10 11 120 30 0 0 20 0 1 0 4444 1000000 250 0 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.ticks_used, stat.ticks_at_start), (150, 4444));
        assert_eq!((stat.bytes_virtual, stat.pages_resident), (1_000_000, 250));
        assert!(Stat::parse("1 (a) S 2").is_none() && Stat::parse("").is_none());
    }
}
