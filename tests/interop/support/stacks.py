"""The stacks of the matrix, and how it is told whether each is installed."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parents[1]


class Stack:
    """A stack: its folder, the version of its WSDL, how it is told whether it is there."""

    def __init__(self, name, title, version, probe, arguments=(), folder=None, skips=("relogin",)):
        self.name, self.title, self.version, self.probe = name, title, version, probe
        self.arguments, self.folder, self.skips = arguments, HERE / (folder or name), skips


def python(module):
    return ["python3", "-c", f"import importlib.util as i; i.find_spec('{module}') or exit(1)"]


def shell(programs, file="/"):
    found = " && ".join(f"command -v {program}" for program in programs.split())
    return ["sh", "-c", f"{found} && test -e {file}"]


# The versions are spread over those that legacy programs were generated from.
ALL = (
    Stack("zeep", "Python zeep", "91.0", python("zeep")),
    Stack("suds", "Python suds-community", "63.0", python("suds")),
    Stack("zuora", "PyPI zuora, our WSDL", "48.0", python("zuora"), skips=()),
    Stack(
        "zuora-own-wsdl",
        "PyPI zuora, its WSDL",
        "48.0",
        python("zuora"),
        arguments=["--own-wsdl"],
        folder="zuora",
        skips=(),
    ),
    Stack("php", "PHP SoapClient", "79.0", ["php", "-r", "class_exists('SoapClient') or exit(1);"]),
    Stack("soap-lite", "Perl SOAP::Lite", "69.0", ["perl", "-MSOAP::Lite", "-e1"]),
    Stack("soap4r", "Ruby soap4r", "61.0", ["ruby", "-W0", "-e", "require 'soap/rpc/driver'"]),
    Stack("node-soap", "Node soap", "91.0", ["node", "-e", "require('soap')"]),
    Stack("strong-soap", "Node strong-soap", "150.0", ["node", "-e", "require('strong-soap')"]),
    Stack("mono", ".NET by Mono", "42.0", shell("wsdl mcs mono")),
    Stack("axis", "Java Axis 1.4", "38.0", shell("java javac", "/usr/share/java/axis.jar")),
    Stack("jaxws", "Java JAX-WS", "83.0", shell("java javac", "/usr/share/java/jaxws-tools.jar")),
    Stack("gsoap", "C++ gSOAP", "71.0", shell("wsdl2h soapcpp2 g++")),
    Stack("raw", "bare socket", "91.0", ["true"]),
)
