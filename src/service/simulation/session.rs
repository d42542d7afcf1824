//! A session that a caller uses: it ends after its idle time and not before, however wrong the
//! machine's clock is.

use super::Simulation;
use crate::ledger::UserKey;
use crate::service::Service;
use crate::service::session::SessionError;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// After how long without use it ends, as configured.
const IDLE_MAX: TimeDelta = TimeDelta::minutes(15);
/// For how long it is good in any case: things get old half as fast again where the clock is wrong.
const SURELY_GOOD: TimeDelta = TimeDelta::minutes(10);
/// After how long it is over in any case: things get old half as fast where the clock is wrong, and
/// the last use that is written may be a minute old.
const SURELY_OVER: TimeDelta = TimeDelta::minutes(33);

/// A session, and when it was really used last.
#[derive(Clone)]
pub(super) struct InUse {
    token: String,
    /// When that use began, from which its idle time counts. Time may pass in the middle of it.
    began: DateTime<Utc>,
    /// When it was over.
    last_used: DateTime<Utc>,
    /// The number of the process, whose start may have taken an hour for a minute.
    life: u64,
}

impl Simulation {
    /// Uses the session, or begins one.
    pub(super) async fn use_session(&self, service: &Arc<Service>) {
        if !self.world.chance(150) {
            return;
        }
        let found = self.session.lock().clone();
        let life = self.book.lock().counts.lives;
        let Some(session) = found else { return self.begin_session(service, life).await };
        let began = self.world.real_now();
        let idle = began - session.last_used;
        let answer = service.authenticate(&session.token).await.map(|caller| caller.user);
        let idle_after = self.world.real_now() - session.began;
        self.world.log(|| format!("a session after {idle} to {idle_after}: {answer:?}"));
        match answer {
            Ok(_) if idle > SURELY_OVER && life == session.life => {
                self.world.fail(format!("a session is good after {idle}"));
            }
            Ok(user) => {
                assert_eq!(user, UserKey(1));
                let last_used = self.world.real_now();
                *self.session.lock() = Some(InUse { began, last_used, ..session });
                self.book.lock().counts.sessions_used += 1;
            }
            Err(SessionError::Invalid) if idle_after < SURELY_GOOD && life == session.life => {
                self.world.fail(format!("a session is over after {idle_after}"));
            }
            Err(SessionError::Invalid) => {
                self.session.lock().take();
                self.book.lock().counts.sessions_ended += 1;
            }
            Err(SessionError::Ledger(_)) => {}
        }
    }

    async fn begin_session(&self, service: &Arc<Service>, life: u64) {
        let (at, began) = (service.clock().aged(), self.world.real_now());
        let opened = service.ledger().open_session(UserKey(1), at, at - IDLE_MAX).await;
        if let Ok(token) = opened {
            *self.session.lock() = Some(InUse { token, began, last_used: began, life });
        }
    }
}
