#!/usr/bin/env python3
"""An adapter from refund-gateway's contract (docs/PROCESSORS.md) to an API like Stripe's.

It gives back payments (kind "referenced"); original_payment is a charge (ch_...) or a payment
intent (pi_...). Python's standard library is all that it needs.

What must stay true:
- One refund a reference. Before it creates one it looks for one with our reference in its metadata,
  under a lock of the reference; and it names the reference as the API's own idempotency key.
- An order is written down before anything is sent, and its answer before it is told.
- A decline is told only when the API refused for certain. Everything else is no answer (502).

One process for one journal: the locks are in its memory.
"""

import hashlib
import hmac
import json
import os
import re
import signal
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SKEW_S = 300
BODY_BYTES_MAX = 64 * 1024
TIMEOUT_S = 20
PATH = "/refunds"
REFERENCE = re.compile(r"[0-9a-zA-Z]{32}")
AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?")
PAYMENT = re.compile(r"(ch|pi)_[0-9a-zA-Z_]{1,250}")
# The API counts these otherwise than ISO 4217 does.
OTHER_UNITS = {"ISK", "UGX", "HUF", "TWD"}


class Refused(Exception):
    """A request that nothing was done for: the status and the body of its answer."""

    def __init__(self, status, body):
        super().__init__(body.get("message", body["status"]))
        self.status, self.body = status, body


class NoAnswer(Exception):
    """The API said nothing that can be relied on."""


class Journal:
    """What was ordered and answered, by reference, durable before anything is sent or told."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = full")
        self.db.execute(
            "create table if not exists refund (reference text primary key, body text not null,"
            " answer text)"
        )

    def find(self, reference):
        with self.lock:
            select = "select body, answer from refund where reference = ?"
            row = self.db.execute(select, (reference,)).fetchone()
        return row and (json.loads(row[0]), row[1] and json.loads(row[1]))

    def add(self, reference, order):
        with self.lock:
            insert = "insert into refund (reference, body) values (?, ?)"
            self.db.execute(insert, (reference, json.dumps(order, sort_keys=True)))

    def answer(self, reference, answer):
        with self.lock:
            update = "update refund set answer = ? where reference = ?"
            self.db.execute(update, (json.dumps(answer), reference))


class Locks:
    """A lock for each reference that is being worked on."""

    def __init__(self):
        self.guard = threading.Lock()
        self.held = set()

    def try_take(self, reference):
        with self.guard:
            if reference in self.held:
                return False
            self.held.add(reference)
            return True

    def release(self, reference):
        with self.guard:
            self.held.discard(reference)


class Api:
    """The part of the API that is needed."""

    def __init__(self, base, key):
        self.base, self.key = base.rstrip("/"), key

    def call(self, method, path, fields=None, key=None):
        """The status and the JSON of an answer; NoAnswer where there is none."""
        data = urllib.parse.urlencode(fields or {}).encode()
        url = self.base + path
        if method == "GET" and data:
            url, data = url + "?" + data.decode(), None
        request = urllib.request.Request(url, data or None, method=method)
        request.add_header("Authorization", "Bearer " + self.key)
        if key:
            request.add_header("Idempotency-Key", key)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            try:
                return error.code, json.load(error)
            except ValueError:
                raise NoAnswer("HTTP %d without JSON" % error.code) from None
        except (OSError, ValueError) as error:
            raise NoAnswer(str(error)) from None

    def get(self, path, fields=None):
        status, found = self.call("GET", path, fields)
        if status != 200:
            raise NoAnswer("HTTP %d to GET %s" % (status, path.split("/")[2]))
        return found

    def charge(self, payment):
        """The charge of a payment; none where there is no such payment."""
        status = 404
        if payment.startswith("pi_"):
            status, intent = self.call("GET", "/v1/payment_intents/" + payment)
            if status == 200:
                payment = intent.get("latest_charge") or ""
                payment = payment if isinstance(payment, str) else payment.get("id", "")
        if payment.startswith("ch_"):
            status, charge = self.call("GET", "/v1/charges/" + payment)
            if status == 200:
                return charge
        if status in (404, 200):
            return None
        raise NoAnswer("HTTP %d to the payment" % status)

    def find_refund(self, charge, reference):
        """The refund of a charge that carries our reference; none where there is none."""
        fields = {"charge": charge, "limit": 100}
        while True:
            page = self.get("/v1/refunds", fields)
            for refund in page["data"]:
                if refund.get("metadata", {}).get("reference") == reference:
                    return refund
            if not page.get("has_more") or not page["data"]:
                return None
            fields["starting_after"] = page["data"][-1]["id"]


def minor_units(order):
    """The amount in the currency's smallest unit: it comes with all decimals of its currency."""
    return int(order["amount"].replace(".", ""))


class Adapter:
    def __init__(self, api, journal, secret):
        self.api, self.journal, self.secret, self.locks = api, journal, secret, Locks()

    def check_signature(self, method, path, headers, body):
        stamp = headers.get("Refund-Gateway-Time", "")
        text = "\n".join(["v1", method, path, stamp, hashlib.sha256(body).hexdigest()])
        expected = "v1=" + hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
        told = headers.get("Refund-Gateway-Signature", "")
        if not hmac.compare_digest(expected.encode(), told.encode()):
            raise refused(401, "the signature is wrong")
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > SKEW_S:
            raise refused(401, "the time is too far off")

    def refund(self, body, key):
        order = read_order(body)
        reference = order["reference"]
        if key != reference:
            raise refused(400, "the Idempotency-Key is not the reference")
        if not self.locks.try_take(reference):
            return echo(order, status="processing")
        try:
            known = self.journal.find(reference)
            if known is None:
                self.journal.add(reference, order)
            elif known[0] != order:
                raise Refused(409, {"reference": reference, "status": "conflict"})
            elif known[1] is not None:
                return known[1]
            return self.note(order, self.find(order) or self.create(order))
        finally:
            self.locks.release(reference)

    def inquire(self, reference):
        known = self.journal.find(reference)
        if known is None:
            raise never_heard(reference)
        order, answer = known
        if answer is not None:
            return answer
        if not self.locks.try_take(reference):
            return echo(order, status="processing")
        try:
            # An order that is written down and has no refund was never sent, or never arrived.
            found = self.find(order)
            if found is None:
                raise never_heard(reference)
            return self.note(order, found)
        finally:
            self.locks.release(reference)

    def note(self, order, answer):
        """Keeps an answer that is final."""
        if answer["status"] != "processing":
            self.journal.answer(order["reference"], answer)
        return answer

    def find(self, order):
        """What became of an order that was sent; none where the API has no refund of it."""
        charge = self.api.charge(order.get("original_payment", ""))
        if charge is None:
            return None
        refund = self.api.find_refund(charge["id"], order["reference"])
        return refund and outcome(order, refund)

    def create(self, order):
        if order["kind"] != "referenced":
            return declined(order, "kind", "Only payments can be given back.")
        if order["currency"] in OTHER_UNITS:
            return declined(order, "currency", "This currency is not supported.")
        charge = self.api.charge(order["original_payment"])
        if charge is None:
            return declined(order, "resource_missing", "There is no such payment.")
        if charge["currency"].upper() != order["currency"]:
            return declined(order, "currency", "The payment is in another currency.")
        fields = {
            "charge": charge["id"],
            "amount": minor_units(order),
            "metadata[reference]": order["reference"],
        }
        status, told = self.api.call("POST", "/v1/refunds", fields, key=order["reference"])
        if status == 200:
            return outcome(order, told)
        error = told.get("error", {})
        if status in (400, 402, 404) and error.get("type") != "idempotency_error":
            # It may refuse because this very order has been carried out before.
            found = self.find(order)
            if found is not None:
                return found
            code = error.get("code") or error.get("type") or "declined"
            return declined(order, code, error.get("message") or "Declined.")
        raise NoAnswer("HTTP %d to the refund" % status)


def refused(status, message):
    return Refused(status, {"status": "refused", "message": message})


def never_heard(reference):
    return Refused(404, {"reference": reference, "status": "never-heard"})


def echo(order, **more):
    return {name: order[name] for name in ("reference", "amount", "currency")} | more


def declined(order, code, message):
    return echo(order, status="declined", code=code, message=message)


def outcome(order, refund):
    """What a refund of the API means for the order that it was made for."""
    if refund["amount"] != minor_units(order):
        raise NoAnswer("the refund with the reference has another amount")
    status = refund.get("status")
    if status == "succeeded":
        return echo(
            order,
            status="approved",
            processor_reference=refund["id"],
            code=status,
            message="Refunded.",
        )
    if status in ("failed", "canceled"):
        return declined(order, status, refund.get("failure_reason") or "The refund failed.")
    return echo(order, status="processing")


def read_order(body):
    try:
        order = json.loads(body)
        texts = [order[name] for name in ("reference", "amount", "currency", "kind")]
        payment = order.get("original_payment", "")
        good = (
            REFERENCE.fullmatch(texts[0])
            and AMOUNT.fullmatch(texts[1])
            and re.fullmatch(r"[A-Z]{3}", texts[2])
            and texts[3] in ("referenced", "non-referenced")
            and (texts[3] != "referenced" or PAYMENT.fullmatch(payment))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        good = False
    if not good:
        raise refused(400, "the order cannot be read")
    return order


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self):
        self.handle_request(lambda body: self.order(body))

    def do_GET(self):
        self.handle_request(lambda body: self.inquiry())

    def order(self, body):
        if self.path != PATH:
            raise refused(404, "no such resource")
        return self.server.adapter.refund(body, self.headers.get("Idempotency-Key"))

    def inquiry(self):
        reference = self.path.removeprefix(PATH + "/")
        if reference == self.path or not REFERENCE.fullmatch(reference):
            raise refused(404, "no such resource")
        return self.server.adapter.inquire(reference)

    def handle_request(self, work):
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= BODY_BYTES_MAX:
                raise ValueError("length")
        except ValueError:
            self.close_connection = True
            return self.answer(413, {"status": "refused", "message": "the body is too long"})
        body = self.rfile.read(length)
        try:
            self.server.adapter.check_signature(self.command, self.path, self.headers, body)
            self.answer(200, work(body))
        except Refused as refusal:
            self.answer(refusal.status, refusal.body)
        except NoAnswer as why:
            self.log_message("no answer: %s", why)
            self.answer(502, {"status": "unknown", "message": "the API gave no answer"})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def setting(name, default=None):
    value = os.environ.get(name, default)
    if not value:
        sys.exit("error: set " + name)
    return value


def main():
    api = Api(setting("STRIPE_URL", "https://api.stripe.com"), setting("STRIPE_KEY"))
    with open(setting("SECRET_FILE"), encoding="ascii") as file:
        secret = file.read().rstrip("\r\n").encode()
    adapter = Adapter(api, Journal(setting("JOURNAL", "refunds.db")), secret)
    server = ThreadingHTTPServer(("127.0.0.1", int(setting("PORT", "9090"))), Handler)
    server.adapter = adapter
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening on http://127.0.0.1:%d" % server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
