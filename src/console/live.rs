//! Pages that stay up to date: a stream of server-sent events, which say that something changed
//! and nothing of what.
//!
//! What must stay true: how many streams there are and how long each lasts is bounded; a stream
//! ends when its page is closed and when the gateway is stopped.

use super::{Answered, Console, answer};
use crate::http::{Inside, Part};
use crate::service::Service;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often it is looked whether something changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After how many looks without a change a page renews itself all the same: numbers move with time,
/// and other nodes may have written.
const QUIET_LOOKS: u32 = 10;
/// How many looks a stream lasts, ten minutes; browsers open another.
const LOOKS_MAX: u32 = 1_200;

/// Begins a stream.
pub(super) fn stream(console: &Console) -> Answered {
    let Ok(place) = Arc::clone(&console.live).try_acquire_owned() else {
        return Ok(answer::no_stream());
    };
    let (sender, parts) = mpsc::channel(4);
    let (service, inside) = (Arc::clone(&console.service), console.inside.clone());
    tokio::spawn(async move {
        keep(&service, &inside, &sender).await;
        drop(place);
    });
    Ok(answer::events(parts))
}

async fn keep(service: &Service, inside: &Inside, sender: &mpsc::Sender<Part>) {
    let mut known = state(service, inside);
    let mut quiet = 0;
    if sender.send(event(": here\nretry: 3000\n\n")).await.is_err() {
        return;
    }
    for _ in 0..LOOKS_MAX {
        tokio::select! {
            () = sender.closed() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if inside.is_stopping() {
            return;
        }
        let now = state(service, inside);
        quiet = if now == known { quiet + 1 } else { QUIET_LOOKS };
        let is_due = quiet >= QUIET_LOOKS;
        if is_due {
            (known, quiet) = (now, 0);
        }
        // What says nothing is sent as well: a page that went away is noticed by writing alone.
        let said = if is_due { "event: changed\ndata:\n\n" } else { ":\n\n" };
        if sender.send(event(said)).await.is_err() {
            return;
        }
    }
}

fn event(text: &'static str) -> Part {
    Ok(Bytes::from_static(text.as_bytes()))
}

/// What changes when something is written or a call is answered.
fn state(service: &Service, inside: &Inside) -> (u64, u64) {
    (service.ledger().stats().commits, inside.pulse().requests)
}
