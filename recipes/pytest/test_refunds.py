"""What tests with the fixtures of conftest.py look like."""

import re


def log_in(gateway):
    answer = gateway.soap(
        f"<api:login><api:username>{gateway.username}</api:username>"
        f"<api:password>{gateway.password}</api:password></api:login>"
    )
    session = re.search("Session>([^<]+)<", answer).group(1)
    return f"<api:SessionHeader><api:session>{session}</api:session></api:SessionHeader>"


def refund(gateway, account, amount):
    return gateway.soap(
        '<api:create><api:zObjects xsi:type="obj:Refund"><obj:Type>External</obj:Type>'
        "<obj:SourceType>CreditBalance</obj:SourceType><obj:MethodType>Check</obj:MethodType>"
        f"<obj:AccountId>{account}</obj:AccountId><obj:Amount>{amount}</obj:Amount>"
        "</api:zObjects></api:create>",
        log_in(gateway),
    )


def balance(gateway, account):
    answer = gateway.soap(
        "<api:query><api:queryString>select CreditBalance from Account where "
        f"Id = '{account}'</api:queryString></api:query>",
        log_in(gateway),
    )
    return re.search("CreditBalance>([^<]+)<", answer).group(1)


def test_a_refund_takes_its_amount_from_the_balance(gateway, account):
    assert "Success>true<" in refund(gateway, account, "10")
    assert float(balance(gateway, account)) == 90
    gateway.verify(
        operation="create", account=account, fields={"Amount": 10}, count=1
    )


def test_another_account_is_not_touched(gateway, account):
    assert "Success>true<" in refund(gateway, gateway.add_account("5.00"), "5")
    assert float(balance(gateway, account)) == 100


def test_more_than_there_is_is_refused(gateway, account):
    assert "INVALID_VALUE" in refund(gateway, account, "100.01")
    assert float(balance(gateway, account)) == 100


def test_a_fault_that_was_ordered_comes_once(gateway, account):
    gateway.order_fault(
        operation="create", account=account, row={"code": "LOCK_COMPETITION"}, times=1
    )
    assert "LOCK_COMPETITION" in refund(gateway, account, "1")
    assert "Success>true<" in refund(gateway, account, "1")
