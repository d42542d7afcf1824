"""The built gateway with a ledger of its own, in which each stack has an account."""

import os
import signal
import subprocess
import sys

# What each account has at first and must have at the end: less 10.50, 10.25, and 50 times 1.00.
OPENING, CLOSING = "1000.00", "929.25"
USERNAME, PASSWORD = "interop@example.com", "interop"


def account(number):
    return f"{number:032x}"


def method(number):
    return f"{number + 1000:032x}"


def seeded(program, stacks, folder, options=""):
    """A gateway with an account for each stack, started with these options beside its seed."""
    (folder / "seed.toml").write_text(seed(stacks), encoding="utf-8")
    return Gateway(program, folder, f"--seed seed.toml {options}")


def seed(stacks):
    text = (
        f'[[user]]\nusername = "{USERNAME}"\npassword = "{PASSWORD}"\npermissions = '
        '["credit-balance-external-refund", "credit-balance-electronic-refund"]\n'
    )
    for number, stack in enumerate(stacks, 1):
        text += (
            f'[[account]]\nid = "{account(number)}"\nnumber = "A{number:08}"\n'
            f'name = "{stack.title}"\ncurrency = "USD"\ncredit_balance = "{OPENING}"\n'
            f'[[payment_method]]\nid = "{method(number)}"\naccount = "{account(number)}"\n'
            'type = "CreditCard"\n'
        )
    return text


class Gateway:
    """The built gateway in a folder that is gone afterwards. It starts with the seed, or the demo,
    that `start` names.
    """

    def __init__(self, program, folder, start):
        self.program, self.folder = program, folder
        arguments = f"serve --test {start} --ledger ledger.db --listen 127.0.0.1:0"
        self.errors = open(folder / "stderr.log", "wb")
        self.process = subprocess.Popen(
            [self.program, *arguments.split(), "--admin-listen", "none"],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if not k.startswith("REFUND_GATEWAY_")},
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening on http"):
            sys.exit(f"the gateway did not start: {line}{(folder / 'stderr.log').read_text()}")
        host, _, port = line.strip().rpartition("/")[2].partition(":")
        self.address = (host, int(port))
        # With --tls-self-signed a second line names the certificate's file.
        self.certificate = None
        if line.startswith("listening on https://"):
            line = self.process.stdout.readline().strip()
            self.certificate = line.removeprefix("certificate in ")

    def stop(self):
        """Drains and ends it; says the balances that the ledger then has, by account."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.errors.close()
        command = [self.program, "check", "--ledger", self.folder / "ledger.db"]
        check = subprocess.run(command, capture_output=True, text=True, check=False)
        if code != 0 or check.returncode != 0:
            sys.exit(f"the gateway ended with {code}\n{check.stdout}{check.stderr}")
        rows = [line.split() for line in check.stdout.splitlines()]
        return {row[0]: row[3] for row in rows if len(row) > 3 and len(row[0]) == 32}
