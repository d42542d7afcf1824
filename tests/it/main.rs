//! The integration tests, one binary: each module drives the library or the built program as its
//! users do. `gateway` and `wire` are what they share.

#![allow(unreachable_pub, reason = "nobody imports a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod admin_api;
mod admin_faults;
mod admin_journal;
mod admin_readings;
mod admin_stage;
mod audit_trail;
mod backups;
mod bad_server;
mod bank;
mod breaking_off;
mod call_order;
mod captures;
mod captures_rest;
mod captures_tools;
mod card_numbers;
mod cli;
mod clock;
mod clock_jumps;
mod console;
mod copies;
mod custom_fields;
mod damage;
mod determinism;
mod drawn;
mod drill;
mod durability;
mod events;
mod failover;
mod fault_matrix;
mod faults_doc;
mod faulty_disk;
mod first_minutes;
mod fixtures;
mod flips;
mod future_dated;
mod fuzzing;
mod gateway;
mod greedy;
mod hammer;
mod har_writers;
mod http;
mod installed;
mod invoice_adjustments;
mod ledger_copy;
mod login_guard;
mod logs;
mod lost_writes;
mod memory;
mod migration;
mod missing_log;
mod money;
mod nodes;
mod objects;
mod observability;
mod operations;
mod paid_once;
mod papers;
mod permissions;
mod postgres;
#[allow(dead_code, reason = "tests of the ledger itself use more of it")]
mod postgres_server;
mod processor;
mod processor_check;
mod processor_config;
mod processor_stub;
mod processor_tls;
mod published;
mod query;
mod query_ledger;
mod recipes;
mod reconciliation;
mod recorders;
mod recording;
mod recording_rest;
mod recording_upstream;
mod replay_choice;
mod replay_started;
mod replay_unknown;
mod replay_wire;
mod replaying;
mod resolving;
mod rest;
mod saved;
mod seed;
mod serving_tls;
mod session_script;
mod shims;
mod signals;
mod skipped;
mod soap;
mod soapui;
mod soapui_exports;
mod soapui_skipped;
mod stage;
mod stored;
mod strange_log;
mod stripe_adapter;
mod sums;
mod tls;
mod torn_log;
mod unseen;
mod verdicts;
mod waiting;
mod wire;
mod wording;
mod wsdl;
mod wsse;
