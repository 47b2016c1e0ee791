//! The one comment of a pull request. It is found by its id, or else by its marker and its author: a
//! marker alone is anybody's to write. Nothing is edited but what is our own.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::adapter::github::client::{Refusal, Repository, Weight};
use crate::domain::report::{COMMENT_LIMIT, Comment};
use crate::port::forge::ForgeError;

use super::{cut, id};

/// A pull request with more than ten thousand comments is not read to its end.
const MOST_PAGES: usize = 100;

#[derive(Deserialize)]
struct Written {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<Author>,
    #[serde(default)]
    issue_url: String,
}

#[derive(Deserialize)]
struct Author {
    login: String,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

impl Written {
    fn is_by(&self, login: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(login))
    }

    fn is_on(&self, pull: u64) -> bool {
        self.issue_url.rsplit('/').next().is_some_and(|number| number == pull.to_string())
    }

    fn says(&self, body: &str) -> bool {
        let clean = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        clean(self.body.as_deref().unwrap_or_default()) == clean(body)
    }
}

/// The line by which a comment is found again: its first.
fn marker(body: &str) -> Option<&str> {
    body.lines().next().map(str::trim).filter(|line| line.starts_with("<!--") && line.ends_with("-->"))
}

pub(super) async fn publish(
    repository: Repository<'_>,
    comment: &Comment,
    login: &str,
    external: Option<&str>,
) -> Result<String, ForgeError> {
    let body = cut(&comment.text(), COMMENT_LIMIT);
    if let Some(written) = standing(repository, comment, login, id(external)).await? {
        if written.says(&body) {
            return Ok(written.id.to_string());
        }
        let path = format!("/issues/comments/{}", written.id);
        match repository.send(Method::PATCH, &path, &json!({ "body": body }), Weight::Write).await {
            Ok(_) => return Ok(written.id.to_string()),
            // Somebody removed it just now.
            Err(Refusal { status: Some(404 | 410), .. }) => {}
            Err(refusal) => return Err(refusal.error),
        }
    }
    let path = format!("/issues/{}/comments", comment.pull);
    let made: Created = repository.create(&path, &json!({ "body": body }), Weight::Content).await?.json()?;
    Ok(made.id.to_string())
}

pub(super) async fn shows(
    repository: Repository<'_>,
    comment: &Comment,
    login: &str,
    external: Option<&str>,
) -> Result<bool, ForgeError> {
    let written = standing(repository, comment, login, id(external)).await?;
    Ok(written.is_some_and(|written| written.says(&cut(&comment.text(), COMMENT_LIMIT))))
}

/// Our own comment on this pull request, if there is one; the oldest where there are several.
async fn standing(
    repository: Repository<'_>,
    comment: &Comment,
    login: &str,
    id: Option<u64>,
) -> Result<Option<Written>, ForgeError> {
    if let Some(id) = id
        && let Some(answer) = repository.find(&format!("/issues/comments/{id}")).await?
    {
        let written: Written = answer.json()?;
        if written.is_by(login) && written.is_on(comment.pull) {
            return Ok(Some(written));
        }
    }
    let Some(marker) = marker(&comment.body) else { return Ok(None) };
    let path = format!("/issues/{}/comments?per_page=100", comment.pull);
    let (written, _) = repository.pages(&path, MOST_PAGES, |page: Vec<Written>| ours(page, login, marker)).await?;
    Ok(written.into_iter().min_by_key(|written| written.id))
}

/// Of a page, only what is ours is kept.
fn ours(page: Vec<Written>, login: &str, wanted: &str) -> Vec<Written> {
    let is_ours = |written: &Written| {
        written.is_by(login) && written.body.as_deref().and_then(marker).is_some_and(|found| found == wanted)
    };
    page.into_iter().filter(is_ours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(id: u64, login: Option<&str>, body: &str) -> Written {
        let user = login.map(|login| Author { login: login.to_owned() });
        Written { id, body: Some(body.to_owned()), user, issue_url: "https://h/repos/a/b/issues/7".to_owned() }
    }

    #[test]
    fn a_marker_counts_only_in_our_own_comments_and_only_as_their_first_line() {
        let mark = "<!-- meshwright:source=retail -->";
        let page = vec![
            written(1, Some("mallory"), &format!("{mark}\nall is well")),
            written(2, Some("mesh[bot]"), &format!("> {mark}\nquoted")),
            written(3, Some("mesh[bot]"), &format!("text\n{mark}")),
            written(4, None, &format!("{mark}\nby a ghost")),
            written(5, Some("mesh[bot]"), "<!-- meshwright:source=retail-2 -->\nanother source's"),
            written(6, Some("Mesh[bot]"), &format!("{mark}\r\nours")),
        ];
        let found: Vec<u64> = ours(page, "mesh[bot]", mark).iter().map(|written| written.id).collect();
        assert_eq!(found, [6]);
    }

    #[test]
    fn line_ends_of_githubs_are_no_difference() {
        let mine = written(1, Some("mesh[bot]"), "a\r\nb\r\n");
        assert!(mine.says("a\nb") && !mine.says("a\nc") && mine.is_on(7) && !mine.is_on(17));
    }
}
