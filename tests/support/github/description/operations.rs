//! Which of the described operations a request is.

use std::collections::BTreeMap;

use serde_json::Value;

/// All paths, by the number of their parts.
#[derive(Debug)]
pub struct Operations {
    paths: BTreeMap<usize, Vec<Vec<String>>>,
    /// Which methods a path has.
    methods: BTreeMap<String, Vec<String>>,
}

/// An operation, and what stands for its parameters in the path.
#[derive(Debug)]
pub struct Operation {
    /// Where it stands in the document.
    pub pointer: String,
    /// The pointer of its path, which may have parameters of its own.
    pub path_pointer: String,
    pub parameters: Vec<(String, String)>,
}

impl Operations {
    pub fn of(document: &Value) -> Self {
        let mut paths: BTreeMap<usize, Vec<Vec<String>>> = BTreeMap::new();
        let mut methods = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let parts: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
            paths.entry(parts.len()).or_default().push(parts);
            methods.insert(path.clone(), item.as_object().unwrap().keys().cloned().collect());
        }
        Self { paths, methods }
    }

    /// The operation that is most to the letter.
    pub fn find(&self, method: &str, path: &str) -> Option<Operation> {
        let method = method.to_lowercase();
        let given: Vec<&str> = path.split('/').skip(1).collect();
        // Where a repository went is asked for by its id, which is not described.
        let given: Vec<&str> = match given.as_slice() {
            ["repositories", id, rest @ ..] => ["repos", "-", id].into_iter().chain(rest.iter().copied()).collect(),
            _ => given,
        };
        let whole = self.best(&method, &given);
        // Names of branches and files have slashes in them.
        let has_slashes = |operation: &Operation| {
            ["{path}", "{ref}", "{branch}"].iter().any(|end| operation.path_pointer.ends_with(end))
        };
        whole.or_else(|| {
            (1..given.len()).rev().find_map(|at| {
                let tail = given[at - 1..].join("/");
                let mut shorter: Vec<&str> = given[..at - 1].to_vec();
                shorter.push(&tail);
                self.best(&method, &shorter).filter(has_slashes)
            })
        })
    }

    fn best(&self, method: &str, given: &[&str]) -> Option<Operation> {
        let is_parameter = |part: &str| part.starts_with('{');
        let fits = |path: &&Vec<String>| {
            let has_method = self.methods[&format!("/{}", path.join("/"))].iter().any(|known| known == method);
            has_method
                && path.iter().zip(given).all(|(part, given)| is_parameter(part) && !given.is_empty() || part == given)
        };
        let letters = |path: &&Vec<String>| path.iter().map(|part| !is_parameter(part)).collect::<Vec<bool>>();
        let path = self.paths.get(&given.len())?.iter().filter(fits).max_by_key(letters)?;
        let parameter = |(part, given): (&String, &&str)| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), (*given).to_owned()))
        };
        let path_pointer = format!("/paths/~1{}", path.join("~1"));
        Some(Operation {
            pointer: format!("{path_pointer}/{method}"),
            path_pointer,
            parameters: path.iter().zip(given).filter_map(parameter).collect(),
        })
    }
}
