//! What calls what: recursion is refused, and so are functions that do not exist or whose answer
//! is not a matter of the input.
//!
//! A recursive function overflows the stack of the process that evaluates it, and OPA refuses
//! recursion too. Verdicts are part of plans, and planning is pure: the same commit has the same
//! verdict tomorrow, so a policy cannot look at the clock, at chance, or at the world.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{BUILTINS, Module};

use super::problem::problem;
use super::walk::{Place, Reference, RuleShape, imports_of, rules_of};
use crate::domain::finding::Finding;
use crate::domain::id::RepoPath;

/// Functions whose answer is not a matter of the input, whether the library has them or not.
const IMPURE: [&str; 6] =
    ["http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122"];

/// A module with what is known about it.
pub(super) struct ModuleShape {
    pub(super) file: RepoPath,
    /// The package's name, in parts.
    pub(super) package: Vec<String>,
    pub(super) imports: BTreeMap<String, Vec<String>>,
    pub(super) rules: Vec<RuleShape>,
}

impl ModuleShape {
    pub(super) fn new(file: RepoPath, package: Vec<String>, module: &Module) -> Self {
        Self { file, package, imports: imports_of(module), rules: rules_of(module) }
    }
}

/// A rule, by its path in `data`, with one of its definitions.
struct Node {
    path: Vec<String>,
    file: RepoPath,
    place: Place,
    calls: BTreeSet<usize>,
}

/// The rules of a policy set and what calls what.
pub(super) struct Graph {
    nodes: Vec<Node>,
    by_path: BTreeMap<Vec<String>, usize>,
}

impl Graph {
    /// Builds the graph. Calls of functions that are not there, or must not be called, are problems.
    pub(super) fn build(modules: &[ModuleShape], problems: &mut Vec<Finding>) -> Self {
        let mut graph = Self { nodes: Vec::new(), by_path: BTreeMap::new() };
        for module in modules {
            for rule in &module.rules {
                let path = full_path(&module.package, &rule.path);
                let index = graph.nodes.len();
                if !graph.by_path.contains_key(&path) {
                    graph.by_path.insert(path.clone(), index);
                    let (file, place) = (module.file.clone(), rule.place);
                    graph.nodes.push(Node { path, file, place, calls: BTreeSet::new() });
                }
            }
        }
        for module in modules {
            for rule in &module.rules {
                let from = graph.by_path.get(&full_path(&module.package, &rule.path)).copied();
                for reference in &rule.references {
                    let targets = graph.targets(module, reference);
                    if reference.is_call && targets.is_empty() {
                        problems.extend(wrong_call(module, reference));
                    }
                    if let Some(node) = from.and_then(|from| graph.nodes.get_mut(from)) {
                        node.calls.extend(targets);
                    }
                }
            }
        }
        graph
    }

    /// Whether any rule outside of `package` refers to something inside of it.
    pub(super) fn is_used(&self, package: &[String]) -> bool {
        let inside = |node: &Node| starts_with(&node.path, package);
        self.nodes
            .iter()
            .filter(|node| !inside(node))
            .flat_map(|node| &node.calls)
            .any(|&to| self.nodes.get(to).is_some_and(inside))
    }

    /// The rules that a reference can mean: those that it names, those around it and those below it.
    fn targets(&self, module: &ModuleShape, reference: &Reference) -> Vec<usize> {
        let Some((root, rest)) = reference.path.split_first() else { return Vec::new() };
        let path = if root == "data" {
            rest.to_vec()
        } else if let Some(target) = module.imports.get(root) {
            match target.split_first() {
                Some((root, inside)) if root == "data" => [inside, rest].concat(),
                _ => return Vec::new(),
            }
        } else {
            let path = full_path(&module.package, &reference.path);
            // A bare name is a rule of the package, or it is not a rule at all.
            let own = full_path(&module.package, std::slice::from_ref(root));
            if !self.by_path.range(own.clone()..).next().is_some_and(|(path, _)| starts_with(path, &own)) {
                return Vec::new();
            }
            path
        };
        let around = (1..=path.len()).filter_map(|length| self.by_path.get(path.get(..length)?));
        let below = self.by_path.range(path.clone()..).take_while(|(other, _)| starts_with(other, &path));
        let mut targets: Vec<usize> = around.copied().chain(below.map(|(_, &index)| index)).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Every circle of rules, once, at a rule that is in it.
    pub(super) fn recursions(&self) -> Vec<Finding> {
        let mut problems = Vec::new();
        let mut state = vec![State::Unseen; self.nodes.len()];
        for start in 0..self.nodes.len() {
            // Depth first without recursion of our own: the way down, with what is left of each.
            let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
            if state.get(start) == Some(&State::Unseen) {
                self.enter(start, &mut state, &mut way);
            }
            while let Some((_, left)) = way.last_mut() {
                let Some(next) = left.pop() else {
                    if let Some((done, _)) = way.pop() {
                        set(&mut state, done, State::Done);
                    }
                    continue;
                };
                match state.get(next) {
                    Some(State::Unseen) => self.enter(next, &mut state, &mut way),
                    Some(State::OnTheWay) => {
                        let mut circle: Vec<usize> =
                            way.iter().map(|(node, _)| *node).skip_while(|node| *node != next).collect();
                        // A circle is told from the rule that was read first, wherever it was entered.
                        let first = circle.iter().enumerate().min_by_key(|(_, node)| **node);
                        let first = first.map_or(0, |(position, _)| position);
                        circle.rotate_left(first);
                        problems.extend(self.circle(&circle));
                    }
                    Some(State::Done) | None => {}
                }
            }
        }
        problems
    }

    fn enter(&self, node: usize, state: &mut [State], way: &mut Vec<(usize, Vec<usize>)>) {
        set(state, node, State::OnTheWay);
        let calls = self.nodes.get(node).map(|node| node.calls.iter().copied().collect());
        way.push((node, calls.unwrap_or_default()));
    }

    fn circle(&self, circle: &[usize]) -> Option<Finding> {
        let first = self.nodes.get(*circle.first()?)?;
        let mut names: Vec<String> =
            circle.iter().filter_map(|&node| Some(self.nodes.get(node)?.path.join("."))).collect();
        names.push(first.path.join("."));
        let message = format!("the rule calls itself: {}", names.join(" -> "));
        let problem = problem(first.file.clone(), first.place.line, first.place.column, message);
        Some(problem.with_hint("Rego has no recursion: use a comprehension, `walk`, or `graph.reachable`"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    OnTheWay,
    Done,
}

fn set(state: &mut [State], node: usize, to: State) {
    if let Some(place) = state.get_mut(node) {
        *place = to;
    }
}

fn full_path(package: &[String], rule: &[String]) -> Vec<String> {
    package.iter().chain(rule).cloned().collect()
}

fn starts_with(path: &[String], beginning: &[String]) -> bool {
    path.get(..beginning.len()) == Some(beginning)
}

fn wrong_call(module: &ModuleShape, reference: &Reference) -> Option<Finding> {
    let name = reference.path.join(".");
    let at = |message| problem(module.file.clone(), reference.place.line, reference.place.column, message);
    if IMPURE.contains(&name.as_str()) {
        let message = format!("'{name}' cannot be called: its answer is not a matter of the input");
        return Some(
            at(message)
                .with_hint("a verdict is part of the plan, so the same commit must get the same verdict every time"),
        );
    }
    if name == "print" || BUILTINS.contains_key(name.as_str()) {
        return None;
    }
    let message = format!("there is no function '{name}'");
    Some(
        at(message).with_hint("define it in this package, import its package, or use one of Rego's built-in functions"),
    )
}
