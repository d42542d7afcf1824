//! The way of lines to where the log goes: through a bounded buffer to a thread of its own.
//!
//! What must stay true: logging never waits for the log's reader; what does not fit is lost.
//! The thread takes what has gathered a few milliseconds after the first line of it, so that a
//! request pays for copying its line and hardly ever for waking a thread.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// How many bytes of lines may wait.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long lines gather.
const GATHER: Duration = Duration::from_millis(5);
/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_secs(1);
/// A buffer that has become larger than this is given back to the system once it is written.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// Where lines are put in.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

/// Writes what is still waiting when it is dropped, as far as that is taken in time.
#[must_use = "what waits is lost without it"]
pub(in crate::cli) struct LastLines(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// There are lines, or there will be no more.
    filled: Condvar,
    /// The thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    is_idle: bool,
    is_closed: bool,
    has_ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// Begins a thread that writes lines to `out`.
pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<(Lines, LastLines)> {
    let shared =
        Arc::new(Shared { state: Mutex::default(), filled: Condvar::new(), ended: Condvar::new() });
    let read = Arc::clone(&shared);
    Builder::new().name("log".to_owned()).spawn(move || write_lines(&read, out))?;
    Ok((Lines(Arc::clone(&shared)), LastLines(shared)))
}

fn write_lines(shared: &Shared, mut out: impl Write) {
    let mut lines = Vec::new();
    while wait_for_lines(shared, &mut lines) {
        // What cannot be written is lost.
        let _ = out.write_all(&lines).and_then(|()| out.flush());
        lines.clear();
        lines.shrink_to(KEPT_BYTES_MAX);
    }
    shared.lock().has_ended = true;
    shared.ended.notify_all();
}

/// Takes what has gathered; false when there will be no more.
fn wait_for_lines(shared: &Shared, lines: &mut Vec<u8>) -> bool {
    let mut state = shared.lock();
    state.is_idle = true;
    while state.waiting.is_empty() && !state.is_closed {
        shared.filled.wait(&mut state);
    }
    state.is_idle = false;
    if !state.is_closed {
        shared.filled.wait_while_for(&mut state, |state| !state.is_closed, GATHER);
    }
    mem::swap(&mut state.waiting, lines);
    !(state.is_closed && lines.is_empty())
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.waiting.len().saturating_add(line.len()) <= BYTES_MAX {
            state.waiting.extend_from_slice(line);
        }
        let is_idle = mem::take(&mut state.is_idle);
        drop(state);
        if is_idle {
            self.0.filled.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Lines;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        self.0.filled.notify_all();
        // A reader that does not read is not waited for.
        self.0.ended.wait_while_for(&mut state, |state| !state.has_ended, LAST_LINES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Passes on what is written, once it may.
    struct Slow(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_by_the_end() {
        let (may, wait) = mpsc::channel();
        drop(may);
        let written = Arc::default();
        let (lines, last) = start(Slow(wait, Arc::clone(&written))).unwrap();
        for number in 0..1_000 {
            writeln!(&lines, "{number}").unwrap();
        }
        drop(last);
        let expected: String = (0..1_000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(written.lock().clone()).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_lost_and_waited_for_by_none() {
        let (may, wait) = mpsc::channel();
        let written = Arc::default();
        let (lines, last) = start(Slow(wait, Arc::clone(&written))).unwrap();
        let long = vec![b'x'; BYTES_MAX / 4];
        for _ in 0..20 {
            (&lines).write_all(&long).unwrap();
        }
        assert!(lines.0.lock().waiting.len() <= BYTES_MAX);
        drop(may);
        drop(last);
        let written = written.lock().len();
        assert!((BYTES_MAX..=2 * BYTES_MAX).contains(&written), "{written}");
    }
}
