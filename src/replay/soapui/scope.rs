//! What properties there are while a case runs, and where steps find and leave values.

use super::model::{Case, Kind, Properties};
use std::collections::HashMap;

/// The properties that a step can see.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) project: Properties,
    pub(super) suite: Properties,
    pub(super) case: Properties,
    pub(super) steps: HashMap<String, Properties>,
    /// The steps of the case that were reached, the one that runs last.
    pub(super) reached: Vec<String>,
}

/// Whose properties are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'n> {
    Project,
    Suite,
    Case,
    /// Those of the program that would run the project elsewhere. Here there are none.
    Global,
    /// What is never read: the environment, the system.
    Never,
    Step(&'n str),
}

impl<'n> Owner<'n> {
    /// Reads `#TestCase#`, `#TestCase` or the name of a step.
    pub(super) fn of(text: &'n str) -> Self {
        let Some(scope) = text.strip_prefix('#') else { return Self::Step(text) };
        match scope.trim_end_matches('#') {
            "Project" => Self::Project,
            "TestSuite" => Self::Suite,
            "TestCase" => Self::Case,
            "Global" => Self::Global,
            "Env" | "System" => Self::Never,
            _ => Self::Step(text),
        }
    }
}

impl Scope {
    /// Begins a case: its own properties, and those that its steps begin with.
    pub(super) fn enter(&mut self, case: &Case) {
        self.case = case.properties.clone();
        self.steps.clear();
        self.reached.clear();
        for step in &case.steps {
            let properties = match &step.kind {
                Kind::Properties(properties) => properties.clone(),
                Kind::Request(request) => {
                    let mut properties = Properties::default();
                    properties.set("Request", request.body.clone());
                    properties.set("Endpoint", request.endpoint.clone());
                    properties
                }
                Kind::Transfers(_) | Kind::Delay(_) | Kind::Unknown => Properties::default(),
            };
            self.steps.insert(step.name.clone(), properties);
        }
    }

    pub(super) fn get(&self, owner: Owner<'_>, name: &str) -> Option<&str> {
        match owner {
            Owner::Project => self.project.get(name),
            Owner::Suite => self.suite.get(name),
            Owner::Case => self.case.get(name),
            Owner::Step(step) => self.steps.get(step)?.get(name),
            Owner::Global | Owner::Never => None,
        }
    }

    /// The nearest property of a name that does not say whose it is, and whose it is: that of the
    /// step that runs, of the steps before it, of the case and so on.
    pub(super) fn nearest(&self, name: &str) -> Option<(Owner<'_>, &str)> {
        let steps = self.reached.iter().rev().map(|step| Owner::Step(step));
        let mut owners = steps.chain([Owner::Case, Owner::Suite, Owner::Project]);
        owners.find_map(|owner| Some((owner, self.get(owner, name)?)))
    }

    /// Sets a property; false if there is nobody who could have it.
    pub(super) fn set(&mut self, owner: Owner<'_>, name: &str, value: String) -> bool {
        let properties = match owner {
            Owner::Project => Some(&mut self.project),
            Owner::Suite => Some(&mut self.suite),
            Owner::Case => Some(&mut self.case),
            Owner::Step(step) => self.steps.get_mut(step),
            Owner::Global | Owner::Never => None,
        };
        properties.map(|properties| properties.set(name, value)).is_some()
    }
}
