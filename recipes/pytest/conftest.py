"""Fixtures for pytest: a refund gateway for the run, and an account for each test.

Each worker of pytest-xdist makes its own fixtures of the run, and so has a gateway and a ledger of
its own; tests of one worker share them and are kept apart by their accounts.
"""

import base64
import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
import uuid

import pytest

PROGRAM = os.environ.get("REFUND_GATEWAY", "refund-gateway")
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:api="http://api.zuora.com/" xmlns:obj="http://object.api.zuora.com/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)


class Gateway:
    """A running gateway on a test ledger that is gone when it ends."""

    username, password = "demo@example.com", "demo"

    def __init__(self):
        self.token = secrets.token_urlsafe(24)
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--demo", "--listen", "127.0.0.1:0", "--ledger", ":memory:"],
            env={**os.environ, "REFUND_GATEWAY_ADMIN_TOKEN": self.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        # Two lines come once it accepts connections.
        self.url = self._address("listening on ")
        self.admin_url = self._address("admin on ")

    def _address(self, start):
        line = self.process.stdout.readline().strip()
        assert line.startswith(start), f"the gateway did not start: {line!r}"
        return line[len(start) :]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def soap(self, body, header="", version="91.0"):
        """The answer to a SOAP call, as text; faults are answers too."""
        request = urllib.request.Request(
            f"{self.url}/apps/services/a/{version}",
            ENVELOPE.format(header=header, body=body).encode(),
            {"Content-Type": "text/xml; charset=utf-8"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as fault:
            return fault.read().decode()

    def rest(self, method, path, body=None):
        """The status and the JSON of a REST call."""
        user = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return self._json(f"{self.url}{path}", method, body, f"Basic {user}")

    def admin(self, method, path, body=None):
        """The status and the JSON of a call of the admin API."""
        return self._json(f"{self.admin_url}/api/v1/{path}", method, body, f"Bearer {self.token}")

    @staticmethod
    def _json(url, method, body, authorization):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def add_account(self, credit_balance="100.00"):
        """A new account, by its id."""
        account = uuid.uuid4().hex
        toml = (
            f'[[account]]\nid = "{account}"\nnumber = "A-{account[:12]}"\nname = "A test"\n'
            f'currency = "USD"\ncredit_balance = "{credit_balance}"\n'
        )
        status, answered = self.admin("POST", "seed", {"toml": toml})
        assert status == 200, answered
        return account

    def verify(self, **expected):
        """Fails unless the calls that were made are as expected; says what came near."""
        status, answered = self.admin("POST", "journal/verify", expected)
        assert status == 200, answered
        assert answered["verified"], json.dumps(answered, indent=2)

    def order_fault(self, **fault):
        """Lets the next call that matches fail."""
        status, answered = self.admin("POST", "faults", fault)
        assert status == 201, answered


@pytest.fixture(scope="session")
def gateway():
    """One gateway for all tests of this process."""
    running = Gateway()
    yield running
    running.stop()


@pytest.fixture
def account(gateway):
    """An account of the test's own, with 100.00 USD of credit."""
    return gateway.add_account()
