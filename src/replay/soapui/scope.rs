//! What properties there are while a case runs, and where steps find and leave values.

use super::model::{Assertion, Case, Kind, Properties, Step, Suite};
use super::unset::{Unset, key, set_by};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// The properties that a step can see.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) project: Properties,
    pub(super) suite: Properties,
    pub(super) case: Properties,
    pub(super) steps: HashMap<String, Properties>,
    /// The steps of the case that were reached, the one that runs last.
    pub(super) reached: Vec<String>,
    /// The moment at which the clock stands still, if it does.
    pub(super) clock: Option<DateTime<Utc>>,
    /// Properties of the command line, by their owners: they win over the file.
    given: BTreeMap<(String, String), String>,
    /// The steps of the case that were not run, each with the reason.
    not_run: HashMap<String, &'static str>,
    unset: Unset,
}

/// Whose properties are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'n> {
    Project,
    Suite,
    Case,
    /// Those of the program that would run the project elsewhere. Here only the command line gives
    /// any.
    Global,
    /// The environment, which is never read: only the command line gives any.
    Env,
    /// The same of the system.
    System,
    Step(&'n str),
}

/// Why a property has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// The project has no such property.
    Unknown,
    /// What would have set it was not run: says what, and why.
    Unset(String),
}

/// Why a step is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRun {
    /// The project says so. What it would have set keeps the value that the file gives it.
    Disabled,
    /// It is not understood here, or needs what is not there, or comes after one that failed.
    Skipped,
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
            "Env" => Self::Env,
            "System" => Self::System,
            _ => Self::Step(text),
        }
    }

    /// What [`Self::of`] reads as this owner.
    pub(super) fn key(self) -> &'n str {
        match self {
            Self::Project => "#Project",
            Self::Suite => "#TestSuite",
            Self::Case => "#TestCase",
            Self::Global => "#Global",
            Self::Env => "#Env",
            Self::System => "#System",
            Self::Step(name) => name,
        }
    }
}

impl NotRun {
    fn word(self) -> &'static str {
        match self {
            Self::Disabled => "is disabled",
            Self::Skipped => "was skipped",
        }
    }
}

impl Scope {
    /// Begins a project: its own properties.
    pub(super) fn of_project(properties: &Properties, script: &str) -> Self {
        let mut scope = Self { project: properties.clone(), ..Self::default() };
        scope.leave_out_script(script, "the set-up script of the project", &[]);
        scope
    }

    /// The moment that it is.
    #[expect(clippy::disallowed_methods, reason = "without a clock of its own a project has ours")]
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.unwrap_or_else(Utc::now)
    }

    /// Sets a property for the whole project, before anything is run: one of the project, or of
    /// the owner in the name (`#Global#x`).
    pub(super) fn give(&mut self, name: &str, value: &str) {
        let owned = name.strip_prefix('#').and_then(|rest| rest.split_once('#'));
        let (owner, name) = match owned {
            Some((owner, name)) => (format!("#{owner}"), name),
            None => ("#Project".to_owned(), name),
        };
        self.given.insert(key(Owner::of(&owner), name), value.to_owned());
    }

    /// Begins a suite: its own properties.
    pub(super) fn enter_suite(&mut self, suite: &Suite) {
        self.suite = suite.properties.clone();
        self.unset.keep(&[Owner::Project, Owner::Global]);
        if !suite.disabled {
            self.leave_out_script(&suite.script, "the set-up script of the suite", &[]);
        }
    }

    /// Begins a case: its own properties, and those that its steps begin with.
    pub(super) fn enter(&mut self, case: &Case) {
        self.case = case.properties.clone();
        self.steps.clear();
        self.reached.clear();
        self.not_run.clear();
        self.unset.keep(&[Owner::Suite, Owner::Project, Owner::Global]);
        for step in &case.steps {
            let properties = match &step.kind {
                Kind::Properties(properties) => properties.clone(),
                Kind::Request(request) => {
                    let mut properties = Properties::default();
                    properties.set("Request", request.body.clone());
                    properties.set("Endpoint", request.endpoint.clone());
                    properties
                }
                Kind::Transfers(_) | Kind::Delay(_) | Kind::Script(_) | Kind::Unknown => {
                    Properties::default()
                }
            };
            self.steps.insert(step.name.clone(), properties);
        }
        if !case.disabled {
            self.leave_out_script(&case.script, "the set-up script of the case", &case.steps);
        }
    }

    /// A property, unless what would have set it was not run.
    pub(super) fn get(&self, owner: Owner<'_>, name: &str) -> Result<&str, Absent> {
        if let Some(given) = self.given.get(&key(owner, name)) {
            return Ok(given);
        }
        if let Some(why) = self.unset.why(owner, name) {
            return Err(Absent::Unset(why.to_owned()));
        }
        let properties = match owner {
            Owner::Project => Some(&self.project),
            Owner::Suite => Some(&self.suite),
            Owner::Case => Some(&self.case),
            Owner::Step(step) => self.steps.get(step),
            Owner::Global | Owner::Env | Owner::System => None,
        };
        if let Some(value) = properties.and_then(|properties| properties.get(name)) {
            return Ok(value);
        }
        match owner {
            Owner::Step(step) => Err(self.not_run.get(step).map_or(Absent::Unknown, |word| {
                Absent::Unset(format!("the step `{step}` {word}"))
            })),
            _ => Err(Absent::Unknown),
        }
    }

    /// The nearest property of a name that does not say whose it is, and whose it is: that of the
    /// step that runs, of the steps before it, of the case and so on.
    pub(super) fn nearest(&self, name: &str) -> Result<(Owner<'_>, &str), Absent> {
        let steps = self.reached.iter().rev().map(|step| Owner::Step(step));
        for owner in steps.chain([Owner::Case, Owner::Suite, Owner::Project, Owner::Global]) {
            // A step that was not run has properties that are unknown, and need not be meant.
            let is_marked = self.unset.why(owner, name).is_some();
            match self.get(owner, name) {
                Ok(value) => return Ok((owner, value)),
                Err(absent @ Absent::Unset(_)) if is_marked => return Err(absent),
                Err(_) => {}
            }
        }
        Err(Absent::Unknown)
    }

    /// Sets a property; false if its owner does not exist.
    pub(super) fn set(&mut self, owner: Owner<'_>, name: &str, value: String) -> bool {
        self.unset.clear(owner, name);
        self.given.remove(&key(owner, name));
        let properties = match owner {
            Owner::Project => Some(&mut self.project),
            Owner::Suite => Some(&mut self.suite),
            Owner::Case => Some(&mut self.case),
            Owner::Step(step) => self.steps.get_mut(step),
            Owner::Global | Owner::Env | Owner::System => None,
        };
        properties.map(|properties| properties.set(name, value)).is_some()
    }

    /// Notes that a step of a case was not run, so that nothing uses what it would have set.
    pub(super) fn pass_over(&mut self, step: &Step, case: &Case, why: NotRun) {
        self.not_run.insert(step.name.clone(), why.word());
        let reported = format!("the step `{}` would have set it, and {}", step.name, why.word());
        match &step.kind {
            Kind::Transfers(lines) => {
                for line in lines.iter().filter(|line| !line.disabled) {
                    let end = &line.target;
                    self.leave_out(Owner::of(&end.step), &end.property, &reported, why);
                }
            }
            Kind::Script(script) => {
                for (owner, name) in set_by(script, &case.steps) {
                    self.leave_out(owner, name, &reported, why);
                }
            }
            Kind::Request(_) | Kind::Properties(_) | Kind::Delay(_) | Kind::Unknown => {}
        }
    }

    /// Notes that the script of an assertion was not run.
    pub(super) fn pass_over_assertion(&mut self, assertion: &Assertion) {
        let reported = format!("the assertion `{}`", assertion.name);
        self.leave_out_script(assertion.setting("scripttext"), &reported, &[]);
    }

    /// Notes that a value was not set.
    pub(super) fn leave_out(&mut self, owner: Owner<'_>, name: &str, reported: &str, why: NotRun) {
        let has_value = self.get(owner, name).is_ok_and(|value| !value.is_empty());
        if why == NotRun::Skipped || !has_value {
            self.unset.mark(owner, name, reported);
        }
    }

    fn leave_out_script(&mut self, script: &str, what: &str, steps: &[Step]) {
        let reported = format!("{what} would have set it, and scripts are not run here");
        for (owner, name) in set_by(script, steps) {
            self.leave_out(owner, name, &reported, NotRun::Skipped);
        }
    }
}
