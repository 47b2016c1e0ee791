//! Comments on issues and pull requests, and reactions to them.

use serde_json::json;

use super::{Call, number};
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::{Caller, Need};
use crate::support::github::world::{Comment, Reaction, Repository, World};

const LONGEST_BODY: usize = 65_536;
const PERMISSIONS: &[&str] = &["issues", "pull_requests"];
const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

pub fn answer(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    let read = |world: &World| world.enter(&call.caller, name, Need::Read(PERMISSIONS));
    let say = |world: &World| world.enter(&call.caller, name, Need::Say(PERMISSIONS));
    Some(match (call.method.as_str(), rest) {
        ("GET", ["issues", issue, "comments"]) => read(world).and_then(|id| {
            let (found, issue) = (world.repository(id), number(issue)?);
            found.pull(issue).ok_or_else(Answer::not_found)?;
            let comments = found.comments.iter().filter(|comment| comment.number == issue);
            Answer::list(comments.map(|comment| world.comment_json(found, comment)).collect())
        }),
        ("POST", ["issues", issue, "comments"]) => say(world).and_then(|id| write(world, call, id, number(issue)?)),
        ("GET", ["issues", "comments", comment]) => read(world).and_then(|id| {
            let found = world.repository(id);
            Answer::ok(world.comment_json(found, find(found, comment)?))
        }),
        ("PATCH", ["issues", "comments", comment]) => say(world).and_then(|id| edit(world, call, id, comment)),
        ("DELETE", ["issues", "comments", comment]) => say(world).and_then(|id| {
            let comment = own(world, call, id, comment)?.id;
            world.repository_mut(id).comments.retain(|known| known.id != comment);
            Answer::empty(204)
        }),
        ("GET", ["issues", "comments", comment, "reactions"]) => read(world).and_then(|id| {
            let reactions = find(world.repository(id), comment)?.reactions.iter();
            let wanted = |reaction: &&Reaction| call.asked("content").is_none_or(|content| reaction.content == content);
            Answer::list(reactions.filter(wanted).map(|reaction| world.reaction_json(reaction)).collect())
        }),
        ("POST", ["issues", "comments", comment, "reactions"]) => {
            say(world).and_then(|id| react(world, call, id, comment))
        }
        _ => return None,
    })
}

fn find<'a>(repository: &'a Repository, comment: &str) -> Result<&'a Comment, Answer> {
    let id = number(comment)?;
    repository.comments.iter().find(|comment| comment.id == id).ok_or_else(Answer::not_found)
}

/// A comment that the caller may change: their own, or any for who may write.
fn own<'a>(world: &'a World, call: &Call, id: u64, comment: &str) -> Result<&'a Comment, Answer> {
    let comment = find(world.repository(id), comment)?;
    let login = world.acts_as(&call.caller);
    let may_write = matches!(&call.caller, Caller::Person { login } if matches!(world.role(id, login).as_str(), "admin" | "maintain" | "write"));
    if comment.author == login || may_write {
        Ok(comment)
    } else if matches!(call.caller, Caller::Person { .. }) {
        Err(Answer::forbidden("Must have admin rights to Repository."))
    } else {
        Err(Answer::forbidden("Resource not accessible by integration"))
    }
}

fn body(call: &Call) -> Result<String, Answer> {
    let body = call.text("body").unwrap_or_default();
    if body.trim().is_empty() {
        return Err(Answer::invalid("IssueComment", "body", "body can't be blank"));
    }
    if body.chars().count() > LONGEST_BODY {
        return Err(Answer::invalid("IssueComment", "body", "body is too long (maximum is 65536 characters)"));
    }
    Ok(body)
}

fn write(world: &mut World, call: &Call, id: u64, issue: u64) -> Outcome {
    world.repository(id).pull(issue).ok_or_else(Answer::not_found)?;
    let body = body(call)?;
    let author = world.acts_as(&call.caller);
    let app = match &call.caller {
        Caller::Installation { app, .. } => Some(*app),
        _ => None,
    };
    let comment = world.comment(id, issue, &author, app, &body);
    let found = world.repository(id);
    let comment = found.comments.iter().find(|known| known.id == comment).ok_or_else(Answer::not_found)?;
    Answer::created(world.comment_json(found, comment))
}

fn edit(world: &mut World, call: &Call, id: u64, comment: &str) -> Outcome {
    let (comment, body) = (own(world, call, id, comment)?.id, body(call)?);
    let by = world.acts_as(&call.caller);
    world.edit_comment(id, comment, &by, &body);
    let found = world.repository(id);
    let comment = found.comments.iter().find(|known| known.id == comment).ok_or_else(Answer::not_found)?;
    Answer::ok(world.comment_json(found, comment))
}

fn react(world: &mut World, call: &Call, id: u64, comment: &str) -> Outcome {
    let comment = find(world.repository(id), comment)?;
    let (comment, known) = (comment.id, comment.reactions.clone());
    let content = call.text("content").filter(|content| REACTIONS.contains(&content.as_str()));
    let content =
        content.ok_or_else(|| Answer::invalid("Reaction", "content", "content is not included in the list"))?;
    let by = world.acts_as(&call.caller);
    // The same one twice is there once, and then the code is 200.
    if let Some(reaction) = known.iter().find(|reaction| reaction.by == by && reaction.content == content) {
        return Answer::ok(world.reaction_json(reaction));
    }
    let reaction = Reaction { id: world.new_id(), by, content, created_at: world.now() };
    let value = world.reaction_json(&reaction);
    let place = world.repository_mut(id).comments.iter_mut().find(|known| known.id == comment);
    place.ok_or_else(Answer::not_found)?.reactions.push(reaction);
    Answer::created(value)
}

impl World {
    /// Writes a comment, tells of it, and returns its id.
    pub fn comment(&mut self, repository: u64, number: u64, author: &str, app: Option<u64>, body: &str) -> u64 {
        let (id, now) = (self.new_id(), self.now());
        let comment = Comment {
            id,
            number,
            author: author.to_owned(),
            body: body.to_owned(),
            created_at: now,
            updated_at: now,
            app,
            reactions: Vec::new(),
        };
        self.repository_mut(repository).comments.push(comment);
        self.tell_comment(repository, id, "created", author, json!({}));
        id
    }

    pub fn edit_comment(&mut self, repository: u64, comment: u64, by: &str, body: &str) {
        let now = self.now();
        let found = self.repository_mut(repository);
        let comment = found.comments.iter_mut().find(|known| known.id == comment).unwrap();
        let before = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        let id = comment.id;
        self.tell_comment(repository, id, "edited", by, json!({ "changes": { "body": { "from": before } } }));
    }

    fn tell_comment(&mut self, repository: u64, id: u64, action: &str, by: &str, more: serde_json::Value) {
        let found = self.repository(repository);
        let comment = found.comments.iter().find(|comment| comment.id == id).unwrap();
        let issue = self.issue_json(found, found.pull(comment.number).unwrap());
        let mut payload = json!({ "issue": issue, "comment": self.comment_json(found, comment) });
        crate::support::github::json::merge(&mut payload, more);
        let event = "issue_comment";
        self.tell(&crate::support::github::hooks::Happening {
            event,
            action: Some(action),
            repository,
            by,
            only: None,
            payload,
        });
    }
}
