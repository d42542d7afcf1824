//! How many shards and nodes a rate of refunds takes: the model of docs/SCALE.md, and a simulation
//! of it, so that its latencies are those of queues and not of averages.
//!
//! A shard does one batch at a time; what arrives meanwhile is the next batch. Refunds arrive at
//! random, of accounts that are spread over the shards; some calls touch a second shard as well and
//! hold both. What must stay true: the same arguments give the same figures.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small program that computes and prints"
)]

use std::collections::VecDeque;
use std::process::ExitCode;

/// What is known of a shard and of a node, in microseconds where nothing else is said.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    /// Refunds a second that are wanted.
    target: f64,
    /// Round trips of a batch, and what one takes.
    trips: f64,
    trip_us: f64,
    /// A durable commit.
    sync_us: f64,
    /// What a batch costs besides, and each refund of it.
    base_us: f64,
    refund_us: f64,
    /// A node's processor time for a refund, and the cores of a node.
    node_us: f64,
    cores: f64,
    batch_max: usize,
    /// What of a shard's greatest rate may be used.
    share: f64,
    /// What part of the calls touches a second shard.
    across: f64,
    /// How long is simulated, in seconds.
    seconds: f64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            target: 100_000.0,
            trips: 2.0,
            trip_us: 500.0,
            sync_us: 1_000.0,
            base_us: 150.0,
            refund_us: 13.0,
            node_us: 60.0,
            cores: 8.0,
            batch_max: 256,
            share: 0.6,
            across: 0.0,
            seconds: 10.0,
        }
    }
}

impl Figures {
    /// Sets the figure of an option; false where there is none of that name or value.
    pub(crate) fn set(&mut self, name: &str, value: f64) -> bool {
        let place = match name {
            "--target" => &mut self.target,
            "--trips" => &mut self.trips,
            "--trip-us" => &mut self.trip_us,
            "--sync-us" => &mut self.sync_us,
            "--base-us" => &mut self.base_us,
            "--refund-us" => &mut self.refund_us,
            "--node-us" => &mut self.node_us,
            "--cores" => &mut self.cores,
            "--share" => &mut self.share,
            "--across" => &mut self.across,
            "--seconds" => &mut self.seconds,
            "--batch-max" => {
                self.batch_max = value as usize;
                return value >= 1.0;
            }
            _ => return false,
        };
        *place = value;
        value >= 0.0
    }

    /// How long a batch of so many refunds takes.
    fn batch_us(&self, refunds: usize) -> f64 {
        self.trips * self.trip_us + self.sync_us + self.base_us + refunds as f64 * self.refund_us
    }

    /// The greatest rate of a shard, in refunds a second.
    fn shard_rate(&self) -> f64 {
        self.batch_max as f64 / self.batch_us(self.batch_max) * 1e6
    }

    /// How many shards the rate takes; a call across two is work for both.
    fn shards(&self) -> usize {
        let work = self.target * (1.0 + self.across);
        (work / (self.shard_rate() * self.share)).ceil().max(1.0) as usize
    }

    fn nodes(&self) -> usize {
        let of_node = self.cores * 1e6 / self.node_us * self.share;
        (self.target / of_node).ceil().max(1.0) as usize
    }
}

/// Numbers that look drawn and follow from a seed (splitmix64).
struct Drawn(u64);

impl Drawn {
    /// At least 0 and less than 1.
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How long until the next of so many a microsecond.
    fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.part()).ln() / rate
    }
}

/// A shard: when it is free, and when what waits for it arrived.
#[derive(Debug, Clone, Default)]
struct Shard {
    free_at: f64,
    waiting: VecDeque<f64>,
    batches: u64,
    refunds: u64,
}

impl Shard {
    /// Does the batches that end before `now`, and takes note of how long their refunds took.
    fn run_until(&mut self, now: f64, figures: &Figures, took: &mut Vec<f64>) {
        while let Some(first) = self.waiting.front() {
            let begin = self.free_at.max(*first);
            let count = self.waiting.partition_point(|arrived| *arrived <= begin);
            let count = count.clamp(1, figures.batch_max);
            let end = begin + figures.batch_us(count);
            if end > now {
                return;
            }
            took.extend(self.waiting.drain(..count).map(|arrived| end - arrived));
            self.free_at = end;
            self.batches += 1;
            self.refunds += count as u64;
        }
    }
}

/// What a simulation came to.
struct Found {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    refunds_a_batch: f64,
    left: usize,
}

fn simulate(figures: &Figures, shards: usize) -> Found {
    let (mut drawn, mut now) = (Drawn(13), 0.0);
    let mut all = vec![Shard::default(); shards];
    let mut took = Vec::new();
    let (rate, end) = (figures.target / 1e6, figures.seconds * 1e6);
    let place = |drawn: &mut Drawn| (drawn.part() * shards as f64) as usize % shards;
    while now < end {
        now += drawn.wait(rate);
        let is_across = drawn.part() < figures.across;
        for _ in 0..1 + usize::from(is_across) {
            if let Some(shard) = all.get_mut(place(&mut drawn)) {
                shard.run_until(now, figures, &mut took);
                shard.waiting.push_back(now);
            }
        }
    }
    all.iter_mut().for_each(|shard| shard.run_until(end, figures, &mut took));
    took.sort_by(f64::total_cmp);
    let quantile = |part: f64| {
        let place = (took.len() as f64 * part) as usize;
        took.get(place).copied().unwrap_or(0.0) / 1_000.0
    };
    let sum = |of: fn(&Shard) -> u64| all.iter().map(of).sum::<u64>() as f64;
    Found {
        per_second: sum(|shard| shard.refunds) / figures.seconds / (1.0 + figures.across),
        p50_ms: quantile(0.5),
        p99_ms: quantile(0.99),
        refunds_a_batch: sum(|shard| shard.refunds) / sum(|shard| shard.batches).max(1.0),
        left: all.iter().map(|shard| shard.waiting.len()).sum(),
    }
}

/// What a shard does, and what the rate takes: two lines.
pub(crate) fn sizes(figures: &Figures) -> String {
    format!(
        "a shard: {:.1} ms a batch of {}, {:.0} refunds/s at most\n\
         {:.0} refunds/s at a share of {:.2}: {} shards (each with its standby), {} nodes of {:.0} \
         cores\n",
        figures.batch_us(figures.batch_max) / 1_000.0,
        figures.batch_max,
        figures.shard_rate(),
        figures.target,
        figures.share,
        figures.shards(),
        figures.nodes(),
        figures.cores
    )
}

/// What is simulated of so many shards, of fewer and of more, as a table.
pub(crate) fn table(figures: &Figures) -> String {
    let shards = figures.shards();
    let counts = [shards / 2, shards * 3 / 4, shards, shards * 3 / 2, shards * 2];
    let rows = counts.map(|count| {
        let count = count.max(1);
        let found = simulate(figures, count);
        format!(
            "| {count} | {:.0} | {:.1} | {:.1} | {:.1} | {} |\n",
            found.per_second, found.refunds_a_batch, found.p50_ms, found.p99_ms, found.left
        )
    });
    let head = "| shards | refunds/s | refunds a batch | p50 ms | p99 ms | left waiting |\n\
                | --- | --- | --- | --- | --- | --- |\n";
    format!("{head}{}", rows.concat())
}

fn main() -> ExitCode {
    let mut figures = Figures::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse().ok());
        if !value.is_some_and(|value| figures.set(&name, value)) {
            eprintln!("usage: capacity [--target N] [--trips N] [--trip-us N] [--sync-us N]");
            eprintln!("    [--base-us N] [--refund-us N] [--node-us N] [--cores N] [--share PART]");
            eprintln!("    [--across PART] [--batch-max N] [--seconds N]");
            return ExitCode::from(2);
        }
    }
    print!("{}\n{}", sizes(&figures), table(&figures));
    ExitCode::SUCCESS
}
