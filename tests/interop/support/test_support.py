"""The matrix's own judges can say no: what is wrong is found, what is right passes.

Run by: python3 -m unittest discover tests/interop/support
"""

import gzip
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import relay  # noqa: E402
import schema  # noqa: E402
import seen  # noqa: E402

API = "http://api.zuora.com/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
# As the served WSDL has them, with one element each.
WSDL = "".join(
    f'<schema elementFormDefault="qualified" xmlns="http://www.w3.org/2001/XMLSchema" '
    f'targetNamespace="{namespace}"><element name="{name}" type="int" /></schema>'
    for namespace, name in (
        ("http://object.api.zuora.com/", "a"),
        (API, "b"),
        ("http://fault.api.zuora.com/", "c"),
    )
)


def envelope(body):
    return f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body>{body}</e:Body></e:Envelope>'


def request(text):
    return text.replace("\n", "\r\n").encode()


class Exchanges(unittest.TestCase):
    ANSWER = request("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi")

    def test_gzip_is_inflated_for_the_judges(self):
        body = gzip.compress(b"hi")
        head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(body)}\n\n"
        sent = request("GET / HTTP/1.1\n\n")
        (exchange,) = relay._exchanges(sent, request(head) + body)
        self.assertEqual(exchange.answer.content(), b"hi")

    def test_chunks_and_a_continue_on_one_connection(self):
        sent = request("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3;x=y\nabc\n0\nT: t\n\n")
        sent += request("POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 1\n\nd")
        answers = self.ANSWER + request("HTTP/1.1 100 Continue\n\n") + self.ANSWER
        first, second = relay._exchanges(sent, answers)
        self.assertEqual((first.request.body, first.is_continued), (b"abc", False))
        self.assertEqual((second.request.body, second.is_continued), (b"d", True))
        self.assertEqual(second.answer.body, b"hi")

    def test_what_is_cut_or_unasked_is_an_error(self):
        get = request("GET / HTTP/1.1\n\n")
        for sent, received in (
            (get, self.ANSWER[:-1]),
            (get, b""),
            (get, self.ANSWER + self.ANSWER),
            (get[:-2], self.ANSWER),
        ):
            with self.assertRaises(ValueError):
                relay._exchanges(sent, received)


class Schemas(unittest.TestCase):
    def judge(self, *bodies):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            schema.cut_out(WSDL, folder)
            files = []
            for number, body in enumerate(bodies):
                files.append(folder / f"{number}.xml")
                files[-1].write_text(body)
            return schema.judge(folder, files)

    def test_what_is_valid_passes(self):
        self.assertEqual(self.judge(envelope(f'<b xmlns="{API}">1</b>')), {})

    def test_what_is_not_is_told(self):
        good = envelope(f'<b xmlns="{API}">1</b>')
        for bad in (good.replace(">1<", ">x<"), good.replace("b", "d"), "<a/>"):
            told = self.judge(good, bad)
            self.assertEqual([file.name for file in told], ["1.xml"], bad)

    def test_what_is_no_xml_is_an_error(self):
        with self.assertRaises(ValueError):
            self.judge("not XML")


class Forms(unittest.TestCase):
    def forms(self, body, head="POST / HTTP/1.0\n"):
        message = request(f"{head}Content-Length: {len(body)}\n\n{body}")
        return seen.forms([relay._exchanges(message, Exchanges.ANSWER)])

    def test_a_plain_request_has_none_of_the_needed_forms(self):
        body = envelope(f'<create xmlns="{API}"><zObjects><A/><B/></zObjects></create>')
        found = self.forms(body, "POST / HTTP/1.1\nHost: h\n")
        self.assertEqual([form for form in seen.NEEDED if form in found], [])

    def test_each_needed_form_is_found(self):
        body = envelope(
            f'<e:create xmlns:e="{API}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:x="http://www.w3.org/2001/XMLSchema"><e:zObjects>'
            '<B i:type="x:int"/><A i:nil="true"/></e:zObjects></e:create>'
        ).replace("<e:Body>", '<e:Header><s e:mustUnderstand="1"/></e:Header><e:Body>')
        chunks = f"{len(body):x}\n{body}\n0\n\n"
        found = self.forms(body, "POST / HTTP/1.0\nConnection: TE, close\n")
        head = "POST / HTTP/1.1\nExpect: 100-continue\nTransfer-Encoding: chunked\n\n"
        found |= seen.forms([relay._exchanges(request(head + chunks), Exchanges.ANSWER)])
        self.assertEqual([form for form in seen.NEEDED if form not in found], [])
        self.assertEqual(found["Expect: 100-continue"], "100 came to 0 of 1")


if __name__ == "__main__":
    unittest.main()
