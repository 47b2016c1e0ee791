//! Answers as GitHub gives them: JSON with a message and a link, lists in pages, entity tags.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What becomes of a request: both sides are answers, and the second one ends it early.
pub type Outcome = Result<Answer, Answer>;

/// An answer before it is written.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub enum Body {
    Empty,
    Json(Value),
    /// A list that is given in pages.
    List(Vec<Value>),
    /// A list that is given in pages, below a key, beside the count of all.
    Counted(&'static str, Vec<Value>),
    /// Something else, with its content type.
    Raw(&'static str, Vec<u8>),
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    pub fn ok(body: Value) -> Outcome {
        Ok(Self::new(200, body))
    }

    pub fn created(body: Value) -> Outcome {
        Ok(Self::new(201, body))
    }

    pub fn empty(status: u16) -> Outcome {
        Ok(Self { status, headers: Vec::new(), body: Body::Empty })
    }

    pub fn list(items: Vec<Value>) -> Outcome {
        Ok(Self { status: 200, headers: Vec::new(), body: Body::List(items) })
    }

    pub fn counted(key: &'static str, items: Vec<Value>) -> Outcome {
        Ok(Self { status: 200, headers: Vec::new(), body: Body::Counted(key, items) })
    }

    /// A page as load balancers show it.
    pub fn html(status: u16) -> Self {
        let page = format!("<html><head><title>{status}</title></head><body><h1>Unicorn!</h1></body></html>\n");
        Self { status, headers: Vec::new(), body: Body::Raw("text/html; charset=utf-8", page.into_bytes()) }
    }

    pub fn error(status: u16, message: &str) -> Self {
        let link = "https://docs.github.com/rest";
        Self::new(status, json!({ "message": message, "documentation_url": link, "status": status.to_string() }))
    }

    pub fn unauthorized() -> Self {
        Self::error(401, "Bad credentials")
    }

    pub fn forbidden(message: &str) -> Self {
        Self::error(403, message)
    }

    pub fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    pub fn unprocessable(message: &str) -> Self {
        Self::error(422, message)
    }

    /// 422 with a word about the field that is wrong.
    pub fn invalid(resource: &str, field: &str, message: &str) -> Self {
        let error = json!({ "resource": resource, "code": "custom", "field": field, "message": message });
        let link = "https://docs.github.com/rest";
        let body =
            json!({ "message": "Validation Failed", "errors": [error], "documentation_url": link, "status": "422" });
        Self::new(422, body)
    }

    pub fn with_header(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// Makes a page of a list, with links to the others.
    pub fn paged(mut self, url: &str, query: &[(String, String)]) -> Self {
        let items = match &self.body {
            Body::List(items) | Body::Counted(_, items) => items.clone(),
            Body::Empty | Body::Json(_) | Body::Raw(..) => return self,
        };
        let number = |name: &str, otherwise: usize| {
            let given = query.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok());
            given.unwrap_or(otherwise)
        };
        let size = number("per_page", 30).clamp(1, 100);
        let page = number("page", 1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let shown: Vec<Value> = items.iter().skip((page - 1) * size).take(size).cloned().collect();
        let mut links = Vec::new();
        let mut link = |to: usize, relation: &str| {
            let others = query.iter().filter(|(key, _)| key != "page").map(|(key, value)| format!("{key}={value}&"));
            links.push(format!("<{url}?{}page={to}>; rel=\"{relation}\"", others.collect::<String>()));
        };
        if page > 1 {
            link(page - 1, "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        if !links.is_empty() {
            self.headers.push(("link", links.join(", ")));
        }
        self.body = Body::Json(match self.body {
            Body::Counted(key, _) => json!({ "total_count": items.len(), key: shown }),
            _ => Value::Array(shown),
        });
        self
    }

    /// The content type and the bytes.
    pub fn bytes(&self) -> (&'static str, Vec<u8>) {
        match &self.body {
            Body::Empty => ("", Vec::new()),
            Body::Raw(kind, bytes) => (kind, bytes.clone()),
            Body::Json(value) => ("application/json; charset=utf-8", value.to_string().into_bytes()),
            Body::List(items) | Body::Counted(_, items) => {
                ("application/json; charset=utf-8", Value::Array(items.clone()).to_string().into_bytes())
            }
        }
    }

    /// The entity tag of these bytes.
    pub fn tag(bytes: &[u8]) -> String {
        let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("W/\"{hex}\"")
    }
}
