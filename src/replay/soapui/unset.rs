//! Properties whose value a project does not mean, because what would have set it was not run: a
//! script, a transfer that is not understood, a step that was skipped.
//!
//! What must stay true: such a value never gets into a request or an assertion, although the file
//! may hold an older one; what needs it is skipped and names what would have set it.

use super::model::{Properties, Step};
use super::scope::Owner;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How long a script may be that is searched for the names that it sets.
const SCRIPT_BYTES_MAX: usize = 1024 * 1024;

/// Names that are not known, by their owners, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Unset(BTreeMap<(String, String), String>);

impl Unset {
    pub(super) fn mark(&mut self, owner: Owner<'_>, name: &str, why: &str) {
        self.0.insert(key(owner, name), why.to_owned());
    }

    pub(super) fn clear(&mut self, owner: Owner<'_>, name: &str) {
        self.0.remove(&key(owner, name));
    }

    pub(super) fn why(&self, owner: Owner<'_>, name: &str) -> Option<&str> {
        self.0.get(&key(owner, name)).map(String::as_str)
    }

    /// Forgets the names of all owners but these.
    pub(super) fn keep(&mut self, owners: &[Owner<'_>]) {
        self.0.retain(|(of, _), _| owners.iter().any(|owner| owner.key() == of));
    }
}

/// What a property is kept by: its owner and its name, in any case.
pub(super) fn key(owner: Owner<'_>, name: &str) -> (String, String) {
    (owner.key().to_owned(), Properties::key(name))
}

/// A call that sets a property by its name, `a.b.setPropertyValue('x'`, and an assignment to one
/// that is looked up, each with what it is done to.
static SETTERS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let quoted = r#"(?:'([^'\n]+)'|"([^"\n]+)")"#;
    let call = r"([^\n;=]*)\.\s*(?:setPropertyValue|setProperty|addProperty|put)\s*\(\s*";
    let held = r"([^\n;=]*\b(?:context|properties))";
    let end = r"(?:\s*\.\s*value)?\s*(?:=(?:[^=~]|$)|\.\s*setValue\s*\()";
    let named = format!(r"{held}\s*(?:\.\s*(\w+)|\[\s*{quoted}\s*\]){end}");
    [format!("{call}{quoted}"), named].iter().filter_map(|it| Regex::new(it).ok()).collect()
});

/// The properties that a Groovy script sets, as far as its text says so, with their owners. A name
/// whose owner the text does not say is one of the case, the suite and the project.
pub(super) fn set_by<'s>(script: &'s str, steps: &'s [Step]) -> Vec<(Owner<'s>, &'s str)> {
    if script.len() > SCRIPT_BYTES_MAX {
        return Vec::new();
    }
    let mut set = Vec::new();
    for found in SETTERS.iter().flat_map(|setter| setter.captures_iter(script)) {
        let on = found.get(1).map_or("", |on| on.as_str());
        let Some(name) = found.iter().skip(2).flatten().last() else { continue };
        set.extend(owners(on, steps).into_iter().map(|owner| (owner, name.as_str())));
    }
    set
}

/// Whose property it is that is set on an expression such as `testRunner.testCase.testSuite`.
fn owners<'s>(on: &str, steps: &'s [Step]) -> Vec<Owner<'s>> {
    let is_quoted = |step: &&Step| {
        let name = &step.name;
        !name.is_empty() && ['\'', '"'].iter().any(|q| on.contains(&format!("{q}{name}{q}")))
    };
    if let Some(step) = steps.iter().find(is_quoted) {
        return vec![Owner::Step(&step.name)];
    }
    let on = on.trim_end().trim_end_matches("()").to_lowercase();
    let on = on.trim_end_matches(".properties");
    let known = [
        ("globalproperties", Owner::Global),
        ("project", Owner::Project),
        ("testsuite", Owner::Suite),
        ("testcase", Owner::Case),
        ("context", Owner::Case),
    ];
    match known.into_iter().find(|(end, _)| on.ends_with(end)) {
        Some((_, owner)) => vec![owner],
        None => vec![Owner::Case, Owner::Suite, Owner::Project],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::soapui::model::Kind;

    #[test]
    fn the_names_that_a_script_sets_are_found_with_their_owners() {
        let step = Step {
            name: "Props".to_owned(),
            disabled: false,
            of_type: "properties".to_owned(),
            kind: Kind::Unknown,
        };
        let steps = [step];
        for (script, set) in [
            ("testRunner.testCase.setPropertyValue('a', s)", vec![(Owner::Case, "a")]),
            ("x.testSuite.setPropertyValue( \"a b\" , s)", vec![(Owner::Suite, "a b")]),
            ("t.testSuite.getProject().setPropertyValue('a',s)", vec![(Owner::Project, "a")]),
            ("SoapUI.globalProperties.setPropertyValue('a','')", vec![(Owner::Global, "a")]),
            ("context.a = 1; context['b'] = 2", vec![(Owner::Case, "a"), (Owner::Case, "b")]),
            ("context.setProperty('a', 1)", vec![(Owner::Case, "a")]),
            ("testCase.properties['a'].value = 1", vec![(Owner::Case, "a")]),
            ("c.testSteps['Props'].setPropertyValue('a', 1)", vec![(Owner::Step("Props"), "a")]),
            (
                "def p = q()\np.setPropertyValue('a', 1)",
                vec![(Owner::Case, "a"), (Owner::Suite, "a"), (Owner::Project, "a")],
            ),
            ("if (context.a == 1) log.info(context['b'])", vec![]),
            ("testCase.getPropertyValue('a')", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(set_by(script, &steps), set, "{script}");
        }
    }

    #[test]
    fn a_mark_is_of_one_owner_and_its_name_has_no_case() {
        let mut unset = Unset::default();
        unset.mark(Owner::Case, "Session", "why");
        unset.mark(Owner::Project, "x", "why");
        assert_eq!(unset.why(Owner::Case, "SESSION"), Some("why"));
        assert_eq!(unset.why(Owner::Suite, "session"), None);
        unset.keep(&[Owner::Project]);
        assert_eq!(unset.why(Owner::Case, "session"), None);
        unset.clear(Owner::Project, "X");
        assert_eq!(unset.why(Owner::Project, "x"), None);
    }
}
