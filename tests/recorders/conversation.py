"""What the client of every recorder says: python3 conversation.py URL [PROXY]."""

import re
import sys
import urllib.error
import urllib.request

ACCOUNT = "402892c72b9e3319012b9e34b88e0001"
ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:api="http://api.zuora.com/" xmlns:obj="http://object.api.zuora.com/"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <soapenv:Header>{header}</soapenv:Header>
  <soapenv:Body>{body}</soapenv:Body>
</soapenv:Envelope>
"""


def refund(amount):
    return (
        '<api:create><api:zObjects xsi:type="obj:Refund">'
        f"<obj:AccountId>{ACCOUNT}</obj:AccountId><obj:Amount>{amount}</obj:Amount>"
        "<obj:Comment>d\u00e9j\u00e0 vu \u20ac</obj:Comment>"
        "<obj:MethodType>Check</obj:MethodType>"
        "<obj:SourceType>CreditBalance</obj:SourceType><obj:Type>External</obj:Type>"
        "</api:zObjects></api:create>"
    )


def query(zoql):
    return f"<api:query><api:queryString>{zoql}</api:queryString></api:query>"


def speak(post):
    """Says everything by `post`, which takes an envelope and returns the text of the answer."""

    def call(body, session=None):
        header = ""
        if session is not None:
            header = (
                f"<api:SessionHeader><api:session>{session}</api:session></api:SessionHeader>"
            )
        return post(ENVELOPE.format(header=header, body=body))

    login = call(
        "<api:login><api:username>demo@example.com</api:username>"
        "<api:password>demo</api:password></api:login>"
    )
    session = re.search("<ns1:Session>(.*?)</", login).group(1)
    created = re.search("<ns1:Id>(.*?)</", call(refund("12.50"), session)).group(1)
    fields = "Id, AccountId, Amount, Comment, RefundNumber, CreatedDate"
    found = call(query(f"SELECT {fields} FROM Refund WHERE Id = '{created}'"), session)
    number = re.search("<ns2:RefundNumber>(.*?)</", found).group(1)
    by_number = call(query(f"SELECT Amount FROM Refund WHERE RefundNumber = '{number}'"), session)
    assert "<ns2:Amount>12.50</" in by_number, by_number
    assert "false" in call(refund("100000"), session)
    assert "INVALID_SESSION" in call(query("SELECT Id FROM Refund"), "expired")


def by_urllib(url, proxies):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))

    def post(envelope):
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        request = urllib.request.Request(url, envelope.encode(), headers)
        try:
            return opener.open(request, timeout=30).read().decode()
        except urllib.error.HTTPError as fault:
            return fault.read().decode()

    return post


if __name__ == "__main__":
    proxies = {"http": sys.argv[2]} if len(sys.argv) > 2 else {}
    speak(by_urllib(sys.argv[1], proxies))
