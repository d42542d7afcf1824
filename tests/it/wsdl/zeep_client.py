"""Loads a WSDL with zeep, makes one create call whose answers are given, and tells what it saw.

Usage: zeep_client.py WSDL ANSWER FAULT REQUEST
Writes the request that it would have sent to REQUEST. Prints one fact a line: `address`,
`operation`, `field` (of Refund, own fields only), `result` and `fault`. Nothing leaves the machine.
"""

import datetime
import decimal
import sys

import requests
import zeep
import zeep.exceptions
import zeep.transports


class Stub(zeep.transports.Transport):
    """Keeps what is posted and answers from a file."""

    def __init__(self, answer, status):
        super().__init__()
        self.answer, self.status = answer, status

    def post(self, address, message, headers):
        self.address, self.message = address, message
        response = requests.Response()
        response.status_code = self.status
        response.headers["Content-Type"] = "text/xml;charset=UTF-8"
        with open(self.answer, "rb") as file:
            response._content = file.read()
        return response


def create(client):
    refund = client.get_type("{http://object.api.zuora.com/}Refund")
    known = [name for name, _ in refund.elements]
    types = dict(refund.elements)
    date = datetime.datetime(2026, 1, 2, 3, 4, 5)
    if types["RefundDate"].type.name == "date":
        date = date.date()
    wanted = {
        "AccountId": "402892c72b9e3319012b9e34b88e0001",
        "Amount": decimal.Decimal("10.50"),
        "Comment": "caf\u00e9 & <more>",
        "MethodType": "Check",
        "PaymentMethodId": "2c92c0f83dfa5201013dfa6656ff2b8b",
        "RefundDate": date,
        "SourceType": "CreditBalance",
        "Type": "External",
    }
    fields = {name: value for name, value in wanted.items() if name in known}
    header = client.get_element("{http://api.zuora.com/}SessionHeader")(session="token")
    return client.service.create(
        zObjects=[refund(**fields)], _soapheaders={"SessionHeader": header}
    )


def main(wsdl, answer, fault, request):
    stub = Stub(answer, 200)
    client = zeep.Client(wsdl, transport=stub)
    binding = client.service._binding
    for name in binding._operations:
        print("operation", name)
    refund = client.get_type("{http://object.api.zuora.com/}Refund")
    for name, element in refund.elements:
        if name not in ("fieldsToNull", "Id"):
            print("field", name, element.type.name)
    (result,) = create(client)
    print("address", stub.address)
    with open(request, "wb") as file:
        file.write(stub.message)
    print("result", result.Id, result.Success, result.Errors)
    stub.answer, stub.status = fault, 500
    try:
        create(client)
    except zeep.exceptions.Fault as error:
        print("fault", error.code, error.detail[0].tag, error.message)


main(*sys.argv[1:])
