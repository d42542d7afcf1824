"""Runs a client of the matrix, takes it at its word, and shows how each fared."""

import os
import signal
import subprocess
import sys
import tempfile


class Outcome:
    """How one client fared: a word for each step, what went wrong, what it sent."""

    def __init__(self, stack, steps):
        self.stack = stack
        self.steps = {step: "none" if step in stack.skips else "unreached" for step in steps}
        self.troubles = []
        self.answers = "none"
        self.forms = {}
        self.seconds = 0.0
        self.is_missing = False

    def passed(self):
        words = set(self.steps.values())
        return not self.is_missing and not self.troubles and words <= {"ok", "none"}

    def listen(self, code, said, words):
        """Takes a client at its word: `ok STEP` and `FAILED STEP: why`, a line each."""
        for line in said.splitlines():
            word, _, rest = line.partition(" ")
            step, _, why = rest.partition(":")
            if word in ("ok", "FAILED") and step in self.steps:
                self.steps[step] = word
                if word == "FAILED":
                    self.troubles.append(f"{step}: {why.strip()[:1000]}")
        unreached = [step for step, word in self.steps.items() if word == "unreached"]
        if not self.troubles and (code != 0 or unreached):
            step = unreached[0] if unreached else "afterwards"
            if unreached:
                self.steps[step] = "FAILED"
            self.troubles.append(f"{step}: {ending(code)}: {words.strip()[-1000:]}")


def ending(code):
    return "took too long and was ended" if code is None else f"ended with {code}"


def clean(own, venv):
    """The environment of a client, with what is its own."""
    # A proxy from the environment would take the traffic away.
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return kept | {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}"} | own


def call(command, variables, seconds):
    """Runs a program in a group of its own; its exit code (None: out of time) and its words."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as words:
        process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, code = process.communicate()[0], None
        words.seek(0)
        return code, said, words.read()


def is_there(stack, variables):
    try:
        code, _, _ = call(stack.probe, variables, 60)
    except FileNotFoundError:
        return False
    return code == 0


WORDS = {"ok": ("✓", "32"), "FAILED": ("✗", "31"), "unreached": ("·", "33"), "none": ("–", "90")}


def cell(word, width):
    mark, colour = WORDS[word]
    text = f"{mark} {word}".ljust(width)
    is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{colour}m{text}\033[0m" if is_coloured else text


def progress(outcome):
    word = "ok" if outcome.passed() else "SKIPPED" if outcome.is_missing else "FAILED"
    print(f"{word:8} {outcome.stack.title:22} {outcome.seconds:5.1f} s", flush=True)
