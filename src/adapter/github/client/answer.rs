//! An answer of GitHub's, read in full and within limits.

use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::port::forge::ForgeError;

/// An answer with a status that is not an error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The document. One that is cut off, or is no such document, is a passing trouble of GitHub's.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = match self.body.first() {
                None => "nothing".to_owned(),
                Some(b'<') => "an HTML page".to_owned(),
                Some(_) => format!("a document that makes no sense: {error}"),
            };
            ForgeError::Transient(format!("GitHub answered with {what}"))
        })
    }

    /// Where the next page of a listing is, as its `link` header says.
    pub(crate) fn next_page(&self) -> Option<&str> {
        let links = self.headers.get("link")?.to_str().ok()?;
        links.split(',').find_map(|link| {
            let (target, parameters) = link.trim().split_once('>')?;
            let is_next =
                parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
            target.strip_prefix('<').filter(|_| is_next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_stands_in_the_link_header() {
        let answer = |link: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("link", link.parse().unwrap());
            Answer { headers, body: Vec::new() }
        };
        let both = answer("<https://h/a?page=1>; rel=\"prev\", <https://h/a?page=3>; rel=\"next\"");
        assert_eq!(both.next_page(), Some("https://h/a?page=3"));
        assert_eq!(answer("<https://h/a?page=1>; rel=\"prev\"").next_page(), None);
        assert_eq!(answer("nonsense").next_page(), None);
        assert_eq!(Answer::default().next_page(), None);
    }

    #[test]
    fn half_answers_and_pages_for_people_are_passing_troubles() {
        for body in ["", "<html>Unicorn!</html>", "{\"id\": 1", "[]"] {
            let answer = Answer { headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
            let outcome = answer.json::<std::collections::BTreeMap<String, u64>>();
            assert!(matches!(outcome, Err(ForgeError::Transient(_))), "{body}");
        }
    }
}
