"""Compiles every change that cargo-mutants lists into one program, each behind a number.

A change alone costs a compile of the whole crate; here all of them cost a few. A function that is
changed in places becomes a `match` whose arms are its body, once with each change and once as it
is, and MUTATION in the environment of a process says which arm runs. With NOTED instead, the
process and those that it starts write into the file of that name which functions they come to, each
by the number of its first change.

What must stay true: the project's own tree is only read; a change is cargo-mutants' own, letter by
letter; without MUTATION the program does what it always does; and a change that does not compile is
taken out and counted, never passed over.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# What decides at run time. Constants are computed by the original: `const` functions stay so.
SWITCH = """\
//! Which change is made in this process.
#![allow(missing_docs)]
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
static CHOSEN: LazyLock<Option<u32>> =
    LazyLock::new(|| std::env::var("MUTATION").ok().and_then(|number| number.parse().ok()));
static NOTED: LazyLock<Option<Mutex<std::fs::File>>> = LazyLock::new(|| {
    let path = std::env::var_os("NOTED")?;
    std::fs::File::options().append(true).create(true).open(path).ok().map(Mutex::new)
});
static SEEN: [AtomicBool; %d] = [const { AtomicBool::new(false) }; %d];
const fn original(_first: u32) -> u32 {
    u32::MAX
}
fn at_run_time(first: u32) -> u32 {
    if let Some(number) = *CHOSEN {
        return number;
    }
    if let Some(file) = &*NOTED
        && !SEEN[first as usize].swap(true, Ordering::Relaxed)
    {
        let _ = file.lock().unwrap().write_all(format!("{first}\\n").as_bytes());
    }
    u32::MAX
}
pub const fn chosen(first: u32) -> u32 {
    std::intrinsics::const_eval_select((first,), original, at_run_time)
}
"""
FEATURES = "#![feature(core_intrinsics, const_eval_select)] "


def output(*command):
    return subprocess.run(command, cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout


class Change:
    """One change, as cargo-mutants lists it."""

    def __init__(self, listed):
        self.file, self.name = listed["file"], listed["name"]
        self.replacement, self.span = listed["replacement"], listed["span"]
        self.function = listed["function"]["span"]
        # A function has one type of `impl Trait`, and arms would have several.
        self.is_opaque = "impl " in (listed["function"]["return_type"] or "")
        self.number = self.first = None

    def key(self):
        """Changes of one function stand together."""
        return (self.file, *(self.function["start"].values()), self.name)

    def nameless_place(self):
        """Its name without line and column, which move."""
        file, _, _, rest = self.name.split(":", 3)
        return f"{file}:{rest}"


def all_changes(*arguments):
    """The changes that cargo-mutants lists, and how many more are decided while compiling."""
    listed = json.loads(output("cargo", "mutants", "--list", "--json", *arguments))
    # Constants, and the program's first lines, which are a crate of their own.
    found = [Change(one) for one in listed if one["function"] and one["file"] != "src/main.rs"]
    return found, len(listed) - len(found)


def opening_brace(text, start):
    """Where the body of the function that begins at `start` begins."""
    depth, at = 0, start
    while text[at] != "{" or depth > 0:
        if text.startswith("//", at):
            at = text.index("\n", at)
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
        at += 1
    return at


def rewritten(text, changes):
    """The text of a file with its changes behind their numbers, and which bytes are of which."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(place):
        return starts[place["line"] - 1] + place["column"] - 1

    functions, pieces = {}, []
    for change in changes:
        functions.setdefault(offset(change.function["start"]), []).append(change)
    for start, inside in functions.items():
        opened, closed = opening_brace(text, start) + 1, offset(inside[0].function["end"]) - 1
        pieces.append((opened, inside, f" match crate::mutation::chosen({inside[0].first}) {{"))
        for change in inside:
            before = text[opened:offset(change.span["start"])]
            after = text[offset(change.span["end"]):closed]
            arm = f"\n{change.number} => {{{before}{change.replacement} {after}\n}}"
            pieces.append((opened, change, arm))
        pieces.append((opened, inside, "\n_ => {"))
        pieces.append((closed, inside, "\n} }"))
    made, places, began, at = bytearray(), [], {}, 0
    for where, whose, piece in sorted(pieces, key=lambda one: one[0]):
        made += text[at:where].encode()
        began.setdefault(id(whose), len(made))
        made += piece.encode()
        places.append((began[id(whose)], len(made), whose))
        at = where
    return bytes(made + text[at:].encode()), places


class Program:
    """A copy of the tree with the changes in it, and what is compiled of that."""

    def __init__(self, target, changes):
        self.tree, self.changes = target / "tree", sorted(changes, key=lambda one: one.key())
        self.not_compiled, self.not_switched, self.places = [], [], {}
        self.env = {**os.environ, "CARGO_TARGET_DIR": str(target / "built"),
                    "CARGO_PROFILE_DEV_DEBUG": "0",
                    "RUSTC_WORKSPACE_WRAPPER": str(Path(__file__).with_name("compiler"))}
        for number, change in enumerate(self.changes):
            change.number = number
            before = self.changes[number - 1]
            is_first = number == 0 or before.key()[:3] != change.key()[:3]
            change.first = number if is_first else before.first
        # The tree may go on changing.
        names = output("git", "ls-files", "-co", "--exclude-standard").splitlines()
        self.texts = {name: (TOP / name).read_bytes() for name in names if (TOP / name).is_file()}
        count = len(self.changes)
        self.texts["src/mutation.rs"] = (SWITCH % (count, count)).encode()
        self.texts["src/lib.rs"] = (FEATURES.encode() + self.texts["src/lib.rs"]
                                    + b"pub mod mutation;\n")

    def write(self):
        """Makes the copy, and touches what differs alone, so that little is compiled anew."""
        self.places, texts = {}, dict(self.texts)
        for file in {change.file for change in self.changes}:
            inside = [change for change in self.changes if change.file == file]
            texts[file], self.places[file] = rewritten(texts[file].decode(), inside)
        for path in [path for path in self.tree.rglob("*") if path.is_file()]:
            if str(path.relative_to(self.tree)) not in texts:
                path.unlink()
        for name, text in texts.items():
            path = self.tree / name
            if not path.exists() or path.read_bytes() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text)
                if (TOP / name).exists():
                    shutil.copymode(TOP / name, path)

    def build(self, *what):
        """Compiles, without what does not compile, and says where each program of tests lies."""
        while True:
            self.write()
            done = subprocess.run(
                ["cargo", "test", "--locked", "--no-run", "--message-format=json", *what],
                cwd=self.tree, env=self.env, check=False, stdout=subprocess.PIPE, text=True)
            messages = [json.loads(line) for line in done.stdout.splitlines()]
            if done.returncode == 0:
                return {message["target"]["name"]: message["executable"] for message in messages
                        if message.get("executable") and message["profile"]["test"]}
            errors = [message["message"] for message in messages
                      if message["reason"] == "compiler-message"
                      and message["message"]["level"] == "error"]
            if not self.take_out(errors):
                raise SystemExit("\n".join(error["rendered"] for error in errors) or "no build")
            print(f"{len(self.not_compiled) + len(self.not_switched)} changes do not compile, "
                  f"{len(self.changes)} are left", flush=True)

    def take_out(self, errors):
        """Takes out the changes that errors are about; says whether there are any."""
        bad = [self.blamed(error) for error in errors]
        arms = [whose for whose in bad if isinstance(whose, Change)]
        # An arm that is wrong may have made the others wrong.
        whole = [one for whose in bad if isinstance(whose, list) for one in whose if not arms]
        out = {*arms, *whole}
        self.not_compiled += [one for one in out if one in arms and not one.is_opaque]
        self.not_switched += [one for one in out if one in whole or one.is_opaque]
        self.changes = [one for one in self.changes if one not in out]
        return bool(out)

    def blamed(self, error):
        """The change in whose arm an error is, or all of a function that cannot have arms."""
        spans = sorted(error["spans"], key=lambda span: not span["is_primary"])
        for span in spans:
            around = [(end - begin, whose) for begin, end, whose in
                      self.places.get(span["file_name"], [])
                      if begin <= span["byte_start"] and span["byte_end"] <= end]
            if around:
                return min(around, key=lambda one: one[0])[1]
        return None
