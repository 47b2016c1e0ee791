//! Runs the unit tests of a policy set: the `test_` rules of its `*_test.rego` files.

use regorus::Engine;
use serde::{Deserialize, Serialize};

use super::evaluate::eval;
use super::file::{FileKind, PolicyFile};
use super::graph::Graph;
use super::problem::cut;
use super::set::{Loading, rule_path};
use crate::domain::finding::{Finding, Location};

/// The most that is kept of what one test prints, in lines and characters of each.
const MAX_PRINTED_LINES: usize = 100;
const MAX_PRINTED_LINE: usize = 1000;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyTestOutcome {
    /// The rule is true.
    Passed,
    /// The rule is anything else, or undefined.
    Failed,
    /// The rule could not be evaluated.
    Error,
}

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTestResult {
    /// Package and rule: `mesh.ownership_test.test_mailbox`.
    pub name: String,
    /// Where the rule stands.
    pub location: Location,
    /// How it ended.
    pub outcome: PolicyTestOutcome,
    /// Why it did not pass.
    pub message: Option<String>,
    /// What it printed: `file:line: text`.
    pub printed: Vec<String>,
}

/// One test, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTest {
    /// Package and rule.
    pub name: String,
    /// Where the rule stands.
    pub location: Location,
    /// Where the engine finds the rule.
    path: String,
}

impl PolicyTest {
    /// The result of this test.
    pub fn ended(&self, outcome: PolicyTestOutcome, message: Option<String>) -> PolicyTestResult {
        let (name, location) = (self.name.clone(), self.location.clone());
        PolicyTestResult { name, location, outcome, message, printed: Vec::new() }
    }
}

/// A policy set with its tests.
#[derive(Debug)]
pub struct TestSuite {
    engine: Engine,
    tests: Vec<PolicyTest>,
}

impl TestSuite {
    /// Loads policies and tests.
    pub fn load(files: &[PolicyFile]) -> Result<TestSuite, Vec<Finding>> {
        // What is wrong with the policies alone is said without the tests, as the daemon would say it.
        super::PolicySet::load(files)?;
        let mut loading = Loading::new(files, FileKind::Test)?;
        let modules = loading.module_shapes();
        let graph = Graph::build(&modules, &mut loading.problems);
        loading.problems.extend(graph.recursions());
        let mut tests: Vec<PolicyTest> = Vec::new();
        for module in modules.iter().filter(|module| module.file.as_str().ends_with("_test.rego")) {
            for rule in &module.rules {
                let [name] = rule.path.as_slice() else { continue };
                let path = rule_path(&module.package, name);
                if name.starts_with("test_") && tests.last().is_none_or(|last| last.path != path) {
                    let (line, column) = (rule.place.line, rule.place.column);
                    let location = Location { file: module.file.clone(), line, column, length: 0 };
                    let name = format!("{}.{name}", module.package.join("."));
                    tests.push(PolicyTest { name, location, path });
                }
            }
        }
        Ok(TestSuite { engine: loading.finish()?, tests })
    }

    /// The tests, in the order of the files.
    pub fn tests(&self) -> &[PolicyTest] {
        &self.tests
    }

    /// Runs one test, by its position among [`TestSuite::tests`]; `None` where there is none.
    pub fn run(&self, position: usize) -> Option<PolicyTestResult> {
        let test = self.tests.get(position)?;
        let mut engine = self.engine.clone();
        let mut result = match eval(&mut engine, &test.path) {
            Ok(Some(serde_json::Value::Bool(true))) => test.ended(PolicyTestOutcome::Passed, None),
            Ok(None) => test.ended(PolicyTestOutcome::Failed, Some("the rule is undefined".to_owned())),
            Ok(Some(other)) => {
                let message = format!("the rule is {}, not true", cut(&other.to_string(), 200));
                test.ended(PolicyTestOutcome::Failed, Some(message))
            }
            Err(error) => test.ended(PolicyTestOutcome::Error, Some(error.on_one_line())),
        };
        let printed = engine.take_prints().unwrap_or_default();
        result.printed = printed.iter().take(MAX_PRINTED_LINES).map(|line| cut(line, MAX_PRINTED_LINE)).collect();
        if printed.len() > MAX_PRINTED_LINES {
            result.printed.push(format!("… and {} lines more", printed.len() - MAX_PRINTED_LINES));
        }
        Some(result)
    }

    /// Runs all tests.
    pub fn run_all(&self) -> Vec<PolicyTestResult> {
        (0..self.tests.len()).filter_map(|position| self.run(position)).collect()
    }
}
