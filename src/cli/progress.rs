//! How far a long command is: a bar on a terminal, else a line every few seconds.

use super::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// How the bar looks.
const BAR: &str = "{bar:40} {percent} %, {eta} left";
/// How far apart lines are; a command that takes less shows none.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// What shows how far a command is. It is taken away when this is dropped.
pub(super) struct ShownProgress {
    /// On a terminal; else it is hidden.
    bar: ProgressBar,
    /// What is being done, as a line begins.
    what: String,
    /// When the last line was written, or the command began; none on a terminal.
    last_line: Option<Mutex<Instant>>,
}

impl ShownProgress {
    /// Shows progress of `what`, once there is some.
    pub(super) fn new(what: String) -> Self {
        if !io::stderr().is_terminal() {
            let last_line = Some(Mutex::new(Instant::now()));
            return Self { bar: ProgressBar::hidden(), what, last_line };
        }
        let style = ProgressStyle::with_template(BAR);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar: bar.with_style(style), what, last_line: None }
    }

    /// So much of so much is done.
    pub(super) fn at(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
        let Some(last_line) = &self.last_line else { return };
        let mut last_line = last_line.lock();
        if last_line.elapsed() >= BETWEEN_LINES {
            *last_line = Instant::now();
            let percent = done.saturating_mul(100) / all.max(1);
            terminal::note(&format!("{}: {percent} %", self.what));
        }
    }
}

impl Drop for ShownProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
