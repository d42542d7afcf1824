"""What each stack is given so that it believes the certificate of a gateway that speaks TLS."""

import subprocess

# The stacks whose own TLS is tried: those of the time of the original's clients, and today's.
STACKS = "axis jaxws mono gsoap php soap-lite zeep suds node-soap".split()
STORE_PASSWORD = "changeit"


def variables(stack, certificate, folder):
    """The environment that leads a stack to `certificate`; what it needs is made in `folder`."""
    return PLACES[stack.name](certificate, folder)


def python(certificate, _folder):
    return {"REQUESTS_CA_BUNDLE": str(certificate), "SSL_CERT_FILE": str(certificate)}


def java(certificate, folder):
    store = folder / "trusted.p12"
    command = ["keytool", "-importcert", "-noprompt", "-alias", "gateway", "-file", certificate]
    command += ["-keystore", store, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]
    subprocess.run(command, check=True, capture_output=True)
    trust = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword="
    return {"JAVA_TOOL_OPTIONS": trust + STORE_PASSWORD}


def mono(certificate, folder):
    """A user's store of authorities, in a home of its own."""
    home = folder / "home"
    home.mkdir()
    own = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    command = ["cert-sync", "--quiet", "--user", certificate]
    subprocess.run(command, check=True, capture_output=True, env=own)
    return {"HOME": str(home)}


def php(certificate, folder):
    (folder / "tls.ini").write_text(f"openssl.cafile={certificate}\n", encoding="utf-8")
    # An empty entry stands for the folder that PHP was built with.
    return {"PHP_INI_SCAN_DIR": f":{folder}"}


def perl(certificate, _folder):
    return {"PERL_LWP_SSL_CA_FILE": str(certificate)}


def node(certificate, _folder):
    return {"NODE_EXTRA_CA_CERTS": str(certificate)}


def gsoap(certificate, _folder):
    """The client names it to OpenSSL itself; curl fetches the WSDL."""
    return {"INTEROP_AUTHORITY": str(certificate)}


PLACES = {
    "axis": java,
    "jaxws": java,
    "mono": mono,
    "gsoap": gsoap,
    "php": php,
    "soap-lite": perl,
    "zeep": python,
    "suds": python,
    "node-soap": node,
}
