//! Walks the syntax tree of a module: which rules it has, and what each of them refers to.
//!
//! Names that are bound anywhere in a rule (arguments, `some`, `:=`, `every`) count as bound in the
//! whole of it, unless they are called. That can overlook a reference, and never invents one: a policy is not refused for a
//! recursion that it does not have, and one that was overlooked is stopped by the worker's limits.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{AssignOp, Expr, Literal, Module, Query, Ref, Rule, RuleHead, Span};

/// A place in a policy file; line and column count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// One definition of a rule or function. A rule of several definitions comes several times.
#[derive(Debug)]
pub(super) struct RuleShape {
    /// The rule's path behind its package, as far as it is written out.
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    /// What it refers to.
    pub(super) references: Vec<Reference>,
}

/// A name with its dots, as far as it is written out: `data.mesh.tags`, `valid_name`, `count`.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    /// Whether it stands where a function is called.
    pub(super) is_call: bool,
}

/// The rules of a module, in the order of the file.
pub(super) fn rules_of(module: &Module) -> Vec<RuleShape> {
    module.policy.iter().map(|rule| rule_shape(rule)).collect()
}

/// The names under which a module imports something, with what they stand for.
pub(super) fn imports_of(module: &Module) -> BTreeMap<String, Vec<String>> {
    let mut imports = BTreeMap::new();
    for import in &module.imports {
        let (path, _) = flatten(&import.refr, &mut |_| {});
        let alias = import.r#as.as_ref().map(|span| span.text().to_owned());
        if let Some(alias) = alias.or_else(|| path.last().cloned()) {
            imports.insert(alias, path);
        }
    }
    imports
}

fn place(span: &Span) -> Place {
    Place { line: span.line, column: span.col }
}

fn rule_shape(rule: &Rule) -> RuleShape {
    let mut walk = Walk::default();
    let mut bound = BTreeSet::new();
    let head = match rule {
        Rule::Spec { head, bodies, .. } => {
            for body in bodies {
                if let Some(assign) = &body.assign {
                    walk.expression(&assign.value);
                }
                walk.query(&body.query, &mut bound);
            }
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    if let Some(assign) = assign {
                        walk.expression(&assign.value);
                    }
                    refr
                }
                RuleHead::Set { refr, key, .. } => {
                    if let Some(key) = key {
                        walk.expression(key);
                    }
                    refr
                }
                RuleHead::Func { refr, args, assign, .. } => {
                    args.iter().for_each(|argument| pattern(argument, &mut bound));
                    if let Some(assign) = assign {
                        walk.expression(&assign.value);
                    }
                    refr
                }
            }
        }
        Rule::Default { refr, args, value, .. } => {
            args.iter().for_each(|argument| pattern(argument, &mut bound));
            walk.expression(value);
            refr
        }
    };
    let (path, _) = flatten(head, &mut |index| walk.expression(index));
    bound.append(&mut walk.bound);
    let mut references = walk.references;
    // A function is no value that a variable could hold, so a call always means the function.
    references
        .retain(|reference| reference.is_call || reference.path.first().is_some_and(|root| !bound.contains(root)));
    RuleShape { path, place: place(rule.span()), references }
}

/// The written-out beginning of a reference, and where it begins. Every index expression is handed
/// to `index`; so is what is indexed, where that has no name.
fn flatten<'a>(mut expression: &'a Ref<Expr>, index: &mut dyn FnMut(&'a Ref<Expr>)) -> (Vec<String>, Place) {
    let mut parts: Vec<Option<String>> = Vec::new();
    let start = loop {
        match expression.as_ref() {
            Expr::RefDot { refr, field, .. } => {
                parts.push(field.1.as_string().ok().map(|name| name.to_string()));
                expression = refr;
            }
            Expr::RefBrack { refr, index: inner, .. } => {
                match inner.as_ref() {
                    Expr::String { value, .. } | Expr::RawString { value, .. } => {
                        parts.push(value.as_string().ok().map(|name| name.to_string()));
                    }
                    _ => {
                        parts.push(None);
                        index(inner);
                    }
                }
                expression = refr;
            }
            Expr::Var { span, .. } => {
                parts.push(Some(span.text().to_owned()));
                break place(span);
            }
            other => {
                index(expression);
                parts.push(None);
                break place(other.span());
            }
        }
    };
    (parts.into_iter().rev().map_while(|part| part).collect(), start)
}

/// The variables that a pattern binds.
fn pattern(expression: &Ref<Expr>, bound: &mut BTreeSet<String>) {
    match expression.as_ref() {
        Expr::Var { span, .. } => {
            bound.insert(span.text().to_owned());
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| pattern(item, bound)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| pattern(value, bound)),
        _ => {}
    }
}

#[derive(Default)]
struct Walk {
    references: Vec<Reference>,
    /// Bound in comprehensions and nested queries.
    bound: BTreeSet<String>,
}

impl Walk {
    fn query(&mut self, query: &Ref<Query>, bound: &mut BTreeSet<String>) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { vars, .. } => bound.extend(vars.iter().map(|span| span.text().to_owned())),
                Literal::SomeIn { key, value, collection, .. } => {
                    for binding in key.iter().chain([value]) {
                        pattern(binding, bound);
                        self.expression(binding);
                    }
                    self.expression(collection);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expression(expr),
                Literal::Every { key, value, domain, query, .. } => {
                    bound.extend(key.iter().chain([value]).map(|span| span.text().to_owned()));
                    self.expression(domain);
                    self.query(query, bound);
                }
            }
            for with in &statement.with_mods {
                self.expression(&with.r#as);
            }
        }
    }

    fn nested(&mut self, query: &Ref<Query>) {
        let mut bound = BTreeSet::new();
        self.query(query, &mut bound);
        self.bound.append(&mut bound);
    }

    fn reference(&mut self, expression: &Ref<Expr>, is_call: bool) {
        let mut inner = Vec::new();
        let (path, place) = flatten(expression, &mut |index| inner.push(index.clone()));
        if !path.is_empty() {
            self.references.push(Reference { path, place, is_call });
        }
        for index in inner {
            self.expression(&index);
        }
    }

    fn expression(&mut self, expression: &Ref<Expr>) {
        match expression.as_ref() {
            Expr::String { .. } | Expr::RawString { .. } | Expr::Number { .. } => {}
            Expr::Bool { .. } | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expression, false),
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.expression(item)),
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.expression(key);
                    self.expression(value);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expression(term);
                self.nested(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expression(key);
                self.expression(value);
                self.nested(query);
            }
            Expr::Call { fcn, params, .. } => {
                self.reference(fcn, true);
                params.iter().for_each(|parameter| self.expression(parameter));
            }
            Expr::UnaryExpr { expr, .. } => self.expression(expr),
            Expr::BinExpr { lhs, rhs, .. } | Expr::BoolExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } => {
                self.expression(lhs);
                self.expression(rhs);
            }
            Expr::AssignExpr { op, lhs, rhs, .. } => {
                if *op == AssignOp::ColEq {
                    let mut bound = BTreeSet::new();
                    pattern(lhs, &mut bound);
                    self.bound.append(&mut bound);
                }
                self.expression(lhs);
                self.expression(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                for part in key.iter().chain([value, collection]) {
                    self.expression(part);
                }
            }
        }
    }
}
