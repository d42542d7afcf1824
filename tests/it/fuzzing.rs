//! The checks of the fuzzer without a fuzzer: everything in the corpora, and mutations of it for
//! some seconds, over the same functions; and the admin API, which is reached by its listener only.
//!
//! `FUZZ_SECONDS` says for how long in all; without it a few seconds. `FUZZ_SEED` repeats a run. An
//! input that fails is left in a file, whose name is in the message.
#![allow(clippy::print_stdout, reason = "it says what it tried, and with which seed")]

#[path = "../../fuzz/checks.rs"]
mod checks;

use crate::admin_api::token;
use crate::gateway::TestGateway;
use crate::wire::Connection;
use checks::CHECKS;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For how long inputs are mutated where nothing else is said, over all checks.
const SECONDS: u64 = 4;
/// No input grows beyond this.
const BYTES_MAX: usize = 16 * 1024;

/// What occurs in inputs and is worth more than its bytes.
const WORDS: [&str; 30] = [
    "<",
    "</",
    "/>",
    "\"",
    "'",
    "&amp;",
    "&#0;",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a>",
    "<?xml",
    "xsi:type",
    "xsi:nil=\"true\"",
    "{",
    "}",
    "[",
    "]",
    "null",
    "1e308",
    "-0.00",
    "99999999999",
    "9223372036854775807",
    "2026-02-29",
    "0000-00-00",
    "\u{feff}",
    "\0",
    "[[",
    "]]",
    " and ",
    "\n",
];

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder:?} has nothing to begin with");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Chance that follows from a seed alone (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((drawn ^ (drawn >> 31)) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Two places of a text of so many bytes, in their order.
    fn span(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        (start, (start + self.below(64)).min(length))
    }

    fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut bytes, corpus);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let (start, end) = self.span(bytes.len());
        match self.below(8) {
            0 if !bytes.is_empty() => {
                let place = self.below(bytes.len());
                bytes[place] ^= 1 << self.below(8);
            }
            1 => drop(bytes.drain(start..end)),
            2 => {
                let twice = bytes[start..end].to_vec();
                bytes.splice(start..start, twice);
            }
            3 => {
                let other = &corpus[self.below(corpus.len())];
                let (from, to) = self.span(other.len());
                bytes.splice(start..end, other[from..to].iter().copied());
            }
            4 => drop(bytes.splice(start..end, WORDS[self.below(WORDS.len())].bytes())),
            5 => bytes.truncate(start),
            6 => {
                let place = (start..end).find(|place| bytes[*place].is_ascii_digit());
                if let Some(place) = place {
                    bytes[place] = b'0' + u8::try_from(self.below(10)).unwrap();
                }
            }
            _ => bytes.insert(start, u8::try_from(self.below(256)).unwrap()),
        }
    }
}

fn try_one(name: &str, check: impl Fn(&[u8]), bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| check(bytes))).is_err() {
        let file = std::env::temp_dir().join(format!("fuzzing-{name}-{}", std::process::id()));
        fs::write(&file, bytes).unwrap();
        panic!("{name} fails on {}", file.display());
    }
}

/// Tries the corpus, and mutations of it until the time is over.
fn try_all(name: &str, check: impl Fn(&[u8]), time: Duration, random: &mut Random) -> u64 {
    let (corpus, started) = (corpus(name), Instant::now());
    corpus.iter().for_each(|bytes| try_one(name, &check, bytes));
    let mut count = 0;
    while started.elapsed() < time {
        try_one(name, &check, &random.mutated(&corpus));
        count += 1;
    }
    count
}

fn random() -> Random {
    let seed = setting("FUZZ_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("FUZZ_SEED={seed}");
    Random(seed)
}

fn time_of_each() -> Duration {
    let all = Duration::from_secs(setting("FUZZ_SECONDS").unwrap_or(SECONDS));
    all / u32::try_from(CHECKS.len() + 1).unwrap()
}

#[test]
fn whatever_comes_is_read_or_refused() {
    let mut random = random();
    for (name, check) in CHECKS {
        let count = try_all(name, check, time_of_each(), &mut random);
        println!("{name}: {count} mutations");
    }
}

/// Where the admin API takes JSON; a clock that goes anywhere would end sessions, and is not one.
const ADMIN: [(&str, &str); 8] = [
    ("POST", "/api/v1/faults"),
    ("POST", "/api/v1/users"),
    ("PUT", "/api/v1/tenant"),
    ("PUT", "/api/v1/gateways"),
    ("PUT", "/api/v1/gateways/sandbox/rules"),
    ("POST", "/api/v1/reconciliation"),
    ("POST", "/api/v1/seed"),
    ("POST", "/api/v1/reset"),
];

#[test]
fn whatever_the_admin_api_is_sent_it_answers() {
    let gateway = TestGateway::demo();
    let bearer = format!("Bearer {}", token(&gateway));
    let mut random = random();
    let check = |bytes: &[u8]| {
        let (first, body) = bytes.split_first().unwrap_or((&0, b""));
        let (method, path) = ADMIN[usize::from(*first) % ADMIN.len()];
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let answer = Connection::open(gateway.admin()).send(method, path, &headers, body);
        assert!((200..=503).contains(&answer.status) && answer.status != 500, "{answer}");
    };
    let count = try_all("admin_json", check, time_of_each(), &mut random);
    println!("admin_json: {count} mutations");
    assert_eq!(gateway.get_admin("/readyz").status, 200);
    assert!(!gateway.stderr().contains("panicked"), "{}", gateway.stderr());
}
