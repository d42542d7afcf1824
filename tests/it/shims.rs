//! Libraries in C that are loaded into a gateway before the C library: `shim.c` in the folder of a
//! test, which includes `shims/calls.h`, compiled once a run.

use crate::skipped;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The library of a test; none where nothing compiles C for Linux.
pub fn compiled(test: &str) -> Option<PathBuf> {
    /// One at a time, and never one that another test is about to load.
    static COMPILING: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut made = COMPILING.lock().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(format!("{test}-{}.so", std::process::id()));
    if made.iter().any(|one| one == test) {
        return Some(library);
    }
    let has_compiler = Command::new("cc").arg("--version").output().is_ok();
    let what = format!("{test}: a compiler of C for Linux");
    if !skipped::is_installed(has_compiler && cfg!(target_os = "linux"), &what) {
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(test).join("shim.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library);
    let compiled = compiler.arg(source).arg("-ldl").output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    made.push(test.to_owned());
    Some(library)
}
