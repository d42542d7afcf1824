//! A SoapUI project: suites, cases and steps, each with what the runner needs of it. What is not
//! known keeps its type, so that reports can name it.

use std::collections::BTreeMap;

/// A project.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) properties: Properties,
    /// The scripts that would run before the suites.
    pub(super) script: String,
    pub(super) interfaces: Vec<Interface>,
    pub(super) suites: Vec<Suite>,
}

/// What requests are made by.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    /// The namespace of its binding; empty if the file does not say.
    pub(super) namespace: String,
    pub(super) is_soap_12: bool,
    /// Operations and their SOAPAction.
    pub(super) actions: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) disabled: bool,
    pub(super) properties: Properties,
    /// The script that would run before the cases.
    pub(super) script: String,
    pub(super) cases: Vec<Case>,
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) disabled: bool,
    /// Whether the first step that fails ends the case.
    pub(super) fail_on_error: bool,
    pub(super) properties: Properties,
    /// The script that would run before the steps.
    pub(super) script: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) disabled: bool,
    /// The type as the file names it.
    pub(super) of_type: String,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Request(Request),
    Properties(Properties),
    Transfers(Vec<Transfer>),
    /// Milliseconds, as written.
    Delay(String),
    /// A script in Groovy, which is not run.
    Script(String),
    Unknown,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) interface: String,
    pub(super) operation: String,
    pub(super) endpoint: String,
    pub(super) body: String,
    pub(super) headers: Vec<(String, String)>,
    /// What of it is not sent, by the words for it.
    pub(super) left_out: Vec<&'static str>,
    pub(super) assertions: Vec<Assertion>,
}

#[derive(Debug, Clone)]
pub(super) struct Assertion {
    pub(super) name: String,
    pub(super) of_type: String,
    pub(super) disabled: bool,
    /// What it is set to, by the names in the file, in lower case.
    pub(super) settings: BTreeMap<String, String>,
}

/// One line of a property transfer.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) name: String,
    pub(super) disabled: bool,
    pub(super) source: End,
    pub(super) target: End,
    /// The language of the paths: XPATH, XQUERY, JSONPATH.
    pub(super) language: String,
    pub(super) fail_on_error: bool,
    pub(super) null_on_missing: bool,
    pub(super) ignore_empty: bool,
    pub(super) to_all: bool,
    pub(super) entitize: bool,
    /// Whether elements are transferred whole, not by their text.
    pub(super) whole: bool,
    /// Whether what is in an element takes the place of what is in the target.
    pub(super) children: bool,
}

/// Where a transfer begins or ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// A step, or `#TestCase#`, `#TestSuite#`, `#Project#`, `#Global#`.
    pub(super) step: String,
    /// The property of it: Request, Response, or any name.
    pub(super) property: String,
    /// An XPath into it; empty for all of it.
    pub(super) path: String,
}

/// Properties by their names, in any case.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties(BTreeMap<String, String>);

impl Properties {
    /// What a name is kept by.
    pub(super) fn key(name: &str) -> String {
        name.to_lowercase()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&Self::key(name)).map(String::as_str)
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(Self::key(name), value);
    }

    /// Names, in lower case, and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Project {
    pub(super) fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }
}

impl Assertion {
    /// A setting; empty if it is not there.
    pub(super) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.setting(name).trim() == "true"
    }
}
