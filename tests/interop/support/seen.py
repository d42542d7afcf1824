"""What the stacks really sent, read off the captured requests.

`forms` tells for one stack which of the forms below its requests had, each with a word or two about
it. What must stay true: a form is found in the bytes, never assumed from the stack's name.
"""

import re
import xml.parsers.expat

API = "http://api.zuora.com/"
OBJECTS = "http://object.api.zuora.com/"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

# Of these the matrix must show each from at least one stack, or it proves less than it says.
NEEDED = (
    "HTTP/1.0",
    "a body in chunks",
    "Expect: 100-continue",
    "Connection: close",
    "a prefix that changes its meaning",
    "xsi:type on values",
    "xsi:nil on fields that are not set",
    'mustUnderstand="1"',
    "fields in another order",
)


def forms(connections):
    """The forms of one stack's requests, from its relay's exchanges."""
    found = {}
    exchanges = [exchange for connection in connections for exchange in connection]
    posts = [exchange for exchange in exchanges if exchange.request.first.startswith("POST")]
    if any(exchange.answer.header("content-encoding") == "gzip" for exchange in exchanges):
        found["answers in gzip"] = ""
    for exchange in posts:
        _transport(exchange, found)
        _document(exchange.request.body, found)
    if any(len(connection) > 1 for connection in connections):
        found["several calls on a connection"] = ""
    continued = sum(exchange.is_continued for exchange in posts)
    asked = sum(bool(exchange.request.header("expect")) for exchange in posts)
    if asked:
        found["Expect: 100-continue"] = f"100 came to {continued} of {asked}"
    return found


def _transport(exchange, found):
    request = exchange.request
    if request.first.endswith("HTTP/1.0"):
        found["HTTP/1.0"] = ""
    if not request.all("host"):
        found["no Host"] = ""
    if request.header("transfer-encoding"):
        found["a body in chunks"] = ""
    if "close" in request.header("connection").lower():
        found["Connection: close"] = ""
    if "," in request.header("connection"):
        found["Connection with several tokens"] = request.header("connection")
    encodings = request.header("accept-encoding")
    if encodings and "gzip" not in encodings:
        found["Accept-Encoding without gzip"] = encodings
    action = request.all("soapaction")
    found["SOAPAction"] = " ".join(action) if action else "none"
    found["Content-Type"] = request.header("content-type")


class _Reader:
    """Walks a document as it is written: prefixes are kept apart from what they stand for."""

    def __init__(self):
        self.scopes = [{}]
        self.meanings = {}
        self.prefixes = {}
        self.path = []
        self.fields = None
        self.nils = 0
        self.found = {}

    def resolve(self, name, is_attribute=False):
        prefix, colon, local = name.rpartition(":")
        if is_attribute and not colon:
            return "", local
        return self.scopes[-1].get(prefix, ""), local

    def start(self, name, attributes):
        scope = dict(self.scopes[-1])
        for key, value in attributes.items():
            if key == "xmlns" or key.startswith("xmlns:"):
                prefix = key[6:]
                scope[prefix] = value
                # A default namespace is there to be changed; a prefix is not.
                if prefix and value:
                    self.meanings.setdefault(prefix, set()).add(value)
                self.prefixes.setdefault(value, set()).add(prefix)
        self.scopes.append(scope)
        namespace, local = self.resolve(name)
        self.path.append(local)
        if local == "zObjects":
            self.fields, self.nils = [], 0
        elif self.fields is not None and len(self.path) == 5:
            self.fields.append(local)
        for key, value in attributes.items():
            self.attribute(local, key, value)

    def attribute(self, element, key, value):
        namespace, local = self.resolve(key, is_attribute=True)
        if namespace == INSTANCE and local == "nil" and value.strip() in ("1", "true"):
            self.nils += self.fields is not None
            most = max(self.nils, self.found.get("nils", 0))
            self.found["nils"] = most
        elif namespace == INSTANCE and local == "type":
            if self.resolve(value)[0] == SCHEMA:
                self.found.setdefault("xsi:type on values", set()).add(value)
            else:
                self.found.setdefault("zObjects typed as", {value})
        elif local == "mustUnderstand":
            self.found[f'mustUnderstand="{value}"'] = {element}
        elif local == "encodingStyle":
            self.found["encodingStyle"] = {element}
        elif local == "actor":
            self.found["actor"] = {element}

    def end(self, name):
        if self.path[-1] == "zObjects":
            in_order = sorted(self.fields, key=str.lower)
            if [name for name in self.fields if name not in ("fieldsToNull", "Id")] != [
                name for name in in_order if name not in ("fieldsToNull", "Id")
            ]:
                self.found["fields in another order"] = set()
            self.fields = None
        self.path.pop()
        self.scopes.pop()


def _document(body, found):
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.Parse(body, True)
    nils = reader.found.pop("nils", 0)
    if nils:
        label = "xsi:nil on fields that are not set"
        found[label] = f"{max(nils, int(found.get(label, '0').split()[0]))} in an object"
    for label, values in reader.found.items():
        # Some number their prefixes on and on; the first says enough.
        if label == "zObjects typed as" and label in found:
            continue
        known = set(filter(None, found.get(label, "").split(" ")))
        found[label] = " ".join(sorted(known | values))
    rebound = sorted(prefix for prefix, uris in reader.meanings.items() if len(uris) > 1)
    if rebound:
        found["a prefix that changes its meaning"] = " ".join(rebound)
    doubled = {prefix for prefix in reader.prefixes.get(API, ()) if prefix}
    if len(doubled) > 1:
        found["two prefixes for one namespace"] = " ".join(sorted(doubled))
    if re.search(rb"[^?]>\s*\n\s*<[^/?]", body):
        found["pretty-printed"] = ""
    if b"<![CDATA[" in body:
        found["CDATA"] = ""
    if not body.lstrip().startswith(b"<?xml"):
        found["no XML declaration"] = ""


def report(by_stack):
    """Lines that tell each form and who sent it, with the same details told once."""
    labels = sorted({label for found in by_stack.values() for label in found}, key=str.lower)
    lines = []
    for label in labels:
        details = {}
        for stack, found in by_stack.items():
            if label in found:
                details.setdefault(found[label], []).append(stack)
        for detail, stacks in details.items():
            head = f"{label}: {detail}" if detail else label
            lines.append((head, ", ".join(stacks)))
    return lines
