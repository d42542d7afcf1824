"""The clients of the REST API: each has a gateway of its own, with the demo of Invoice Settlement,
and steps of its own. What they leave behind is checked by the ledger.
"""

import os
import pathlib
import tempfile
import time

import client
from gateway import Gateway
from stacks import HERE, Stack, python

ACCOUNT, METHOD = "2c92c0f83ddb61af013ddc5736b1025a", "2c92c0f83dfa5201013dfa6656ff2b8b"
CLIENT, SECRET = "00000000-0000-4000-8000-000000000001", "demo-secret"
DEMO = "--demo=invoice-settlement"

STEPS = {
    "zuora-sdk": "token memo memo-refund payment payment-refund unapply read list update reconcile "
    "cancel errors objects actions",
    "schemathesis": "document calls",
}
# Seconds for the calls of a client: long enough for a slow machine.
CLIENT_TIME = 300

ALL = (
    Stack("zuora-sdk", "PyPI zuora-sdk 3.21", "v1", python("zuora_sdk"), skips=()),
    Stack("schemathesis", "PyPI schemathesis", "v1", python("schemathesis"), skips=()),
)


def run(stack, program, place):
    """One client: makes its calls, and leaves a ledger that is right."""
    outcome = client.Outcome(stack, STEPS[stack.name].split())
    variables = client.clean({}, place / "venv")
    if not client.is_there(stack, variables):
        outcome.is_missing = True
        return outcome
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="interop-") as folder:
        gateway = Gateway(program, pathlib.Path(folder), DEMO)
        try:
            variables |= {
                "INTEROP_HOST": "http://{}:{}".format(*gateway.address),
                "INTEROP_CLIENT": CLIENT,
                "INTEROP_SECRET": SECRET,
                "INTEROP_ACCOUNT": ACCOUNT,
                "INTEROP_METHOD": METHOD,
                "INTEROP_BUILD": folder,
            }
            code, said, words = client.call([stack.folder / "client"], variables, CLIENT_TIME)
            outcome.listen(code, said, words)
            kept = place / "run" / stack.name
            kept.mkdir(parents=True, exist_ok=True)
            (kept / "client.log").write_text(said + words, encoding="utf-8")
        finally:
            gateway.stop()
    outcome.seconds = time.monotonic() - started
    return outcome


def run_all(chosen, program, place):
    """Runs the clients one after the other, and prints what each did."""
    outcomes = []
    for stack in chosen:
        outcomes.append(run(stack, program, place))
        client.progress(outcomes[-1])
    for outcome in outcomes:
        if outcome.is_missing:
            print(f"\n{outcome.stack.title}: SKIPPED: not installed; run tests/interop/install")
            continue
        print(f"\n{outcome.stack.title}")
        cells = (f"{step} {client.cell(word, 0)}" for step, word in outcome.steps.items())
        print("  " + "  ".join(cells))
    return outcomes
