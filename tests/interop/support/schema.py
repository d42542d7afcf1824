"""The schemas of the WSDL that was served, and xmllint to judge answers by them.

The schemas are cut out as they stand; only their imports are told where the others are now. The
envelope's own schema is the one of tests/it/wsdl, so that both judge alike.
"""

import pathlib
import re
import shutil
import subprocess

ENVELOPE = pathlib.Path(__file__).resolve().parents[2] / "it" / "wsdl" / "envelope.xsd"
FILES = {
    "http://object.api.zuora.com/": "object.xsd",
    "http://api.zuora.com/": "api.xsd",
    "http://fault.api.zuora.com/": "fault.xsd",
}
PREFIXES = (
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:zns="http://api.zuora.com/" '
    'xmlns:ons="http://object.api.zuora.com/" xmlns:fns="http://fault.api.zuora.com/"'
)


def cut_out(wsdl, folder):
    """Writes the three schemas of a WSDL's text to `folder`, and the envelope's beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    schemas = re.findall(r"<schema .*?</schema>", wsdl, re.DOTALL)
    if len(schemas) != len(FILES):
        raise ValueError(f"{len(schemas)} schemas in the WSDL")
    for schema in schemas:
        schema = schema.replace("<schema ", f"<schema {PREFIXES} ", 1)
        for namespace, file in FILES.items():
            imported = f'<import namespace="{namespace}"'
            schema = schema.replace(imported, f'{imported} schemaLocation="{file}"')
        target = re.search(r'targetNamespace="([^"]*)"', schema).group(1)
        (folder / FILES[target]).write_text(schema, encoding="utf-8")
    shutil.copy(ENVELOPE, folder / "envelope.xsd")


def judge(folder, files):
    """The files that are not valid by the schemas in `folder`, each with xmllint's first word."""
    if not files:
        return {}
    command = ["xmllint", "--nonet", "--noout", "--schema", str(folder / "envelope.xsd")]
    told = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    if told.returncode not in (0, 3):
        raise ValueError(told.stderr.strip()[-2000:])
    lines = told.stderr.splitlines()
    if sum(line.endswith((" validates", " fails to validate")) for line in lines) != len(files):
        raise ValueError(f"xmllint judged not all of {len(files)} files")
    invalid = {}
    for line in lines:
        file, _, complaint = line.partition(":")
        if complaint:
            invalid.setdefault(pathlib.Path(file), complaint)
    if len(invalid) != sum(line.endswith(" fails to validate") for line in lines):
        raise ValueError(told.stderr.strip()[-2000:])
    return invalid
