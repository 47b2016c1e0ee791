//! How users, repositories, pull requests and all the rest look in GitHub's JSON.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::world::{
    App, CheckRun, CheckSuite, Comment, Deployment, DeploymentStatus, Installation, Kind, Pull, Reaction, Repository,
    Status, User, World,
};

/// Links that a repository has, and what follows its own URL in them.
const REPOSITORY_LINKS: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// Links that a user has.
const USER_LINKS: &[(&str, &str)] = &[
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// The opaque id of something.
fn node(kind: &str, id: u64) -> String {
    format!("{kind}_{id:016x}")
}

fn with_links(mut value: Value, url: &str, links: &[(&str, &str)]) -> Value {
    let object = value.as_object_mut().unwrap();
    object.extend(links.iter().map(|(name, end)| ((*name).to_owned(), json!(format!("{url}{end}")))));
    value
}

impl User {
    pub fn json(&self, base: &str) -> Value {
        // Names of bots have brackets in them.
        let encoded = self.login.replace('[', "%5B").replace(']', "%5D");
        let (login, url) = (&self.login, format!("{base}/users/{encoded}"));
        let kind = match self.kind {
            Kind::User => "User",
            Kind::Bot => "Bot",
            Kind::Organization => "Organization",
        };
        let own = json!({
            "login": login, "id": self.id, "node_id": node("U", self.id), "avatar_url": format!("{base}/avatars/{}", self.id),
            "gravatar_id": "", "url": url, "html_url": format!("{base}/{encoded}"), "type": kind,
            "site_admin": false, "user_view_type": "public",
        });
        with_links(own, &url, USER_LINKS)
    }
}

impl World {
    /// A user in JSON; of one that has gone, the ghost.
    pub fn user_json(&self, login: &str) -> Value {
        match self.user(login) {
            Some(user) => user.json(&self.base),
            None => User { id: 10_137, login: "ghost".to_owned(), kind: Kind::User }.json(&self.base),
        }
    }

    pub fn public_user_json(&self, user: &User) -> Value {
        let mut value = user.json(&self.base);
        let object = value.as_object_mut().unwrap();
        for name in ["bio", "blog", "company", "email", "hireable", "location", "name"] {
            object.insert(name.to_owned(), Value::Null);
        }
        for name in ["followers", "following", "public_gists", "public_repos"] {
            object.insert(name.to_owned(), json!(0));
        }
        object.insert("created_at".to_owned(), json!(Timestamp::UNIX_EPOCH));
        object.insert("updated_at".to_owned(), json!(Timestamp::UNIX_EPOCH));
        value
    }

    /// A repository as it stands within other things.
    pub fn repository_json(&self, repository: &Repository) -> Value {
        let (base, name) = (&self.base, repository.full_name());
        let url = format!("{base}/repos/{name}");
        let open = repository.pulls.iter().filter(|pull| pull.is_open).count();
        let mut own = json!({
            "id": repository.id, "node_id": node("R", repository.id), "name": repository.name, "full_name": name,
            "private": repository.is_private, "owner": self.user_json(&repository.owner), "url": url,
            "html_url": format!("{base}/{name}"), "description": null, "fork": repository.fork_of.is_some(),
            "clone_url": format!("{base}/{name}.git"), "git_url": format!("git://{}/{name}.git", host(base)),
            "ssh_url": format!("git@{}:{name}.git", host(base)), "svn_url": format!("{base}/{name}"),
            "default_branch": repository.default_branch,
        });
        let figures = json!({
            "forks": 0, "forks_count": 0, "homepage": null, "has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true,
            "has_discussions": false, "language": null, "archived": repository.is_archived, "disabled": false,
            "mirror_url": null, "open_issues": open, "open_issues_count": open, "license": null,
            "pushed_at": Timestamp::UNIX_EPOCH, "size": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
            "created_at": Timestamp::UNIX_EPOCH, "updated_at": Timestamp::UNIX_EPOCH, "allow_forking": true,
            "is_template": false, "topics": [], "web_commit_signoff_required": false,
            "visibility": if repository.is_private { "private" } else { "public" },
        });
        merge(&mut own, figures);
        with_links(own, &url, REPOSITORY_LINKS)
    }

    /// A repository as it is answered when asked for by itself.
    pub fn full_repository_json(&self, repository: &Repository) -> Value {
        let mut value = self.repository_json(repository);
        let object = value.as_object_mut().unwrap();
        object.insert("network_count".to_owned(), json!(0));
        object.insert("subscribers_count".to_owned(), json!(0));
        if let Some(parent) = repository.fork_of {
            object.insert("parent".to_owned(), self.repository_json(self.repository(parent)));
            object.insert("source".to_owned(), self.repository_json(self.repository(parent)));
        }
        value
    }

    fn side_json(&self, repository: Option<u64>, branch: &str, sha: &str) -> Value {
        let repository = repository.map(|id| self.repository(id));
        let owner = repository.map(|repository| repository.owner.clone());
        let repository = repository.filter(|repository| !repository.is_deleted);
        json!({
            "label": owner.as_ref().map_or_else(|| branch.to_owned(), |owner| format!("{owner}:{branch}")),
            "ref": branch, "sha": sha, "user": owner.map(|owner| self.user_json(&owner)),
            "repo": repository.map(|repository| self.repository_json(repository)),
        })
    }

    /// A pull request as it stands in a listing.
    pub fn pull_json(&self, repository: &Repository, pull: &Pull) -> Value {
        let (base, name, number) = (&self.base, repository.full_name(), pull.number);
        let api = format!("{base}/repos/{name}");
        let (url, page) = (format!("{api}/pulls/{number}"), format!("{base}/{name}/pull/{number}"));
        let link = |href: &str| json!({ "href": href });
        let comments = format!("{api}/issues/{number}/comments");
        let links = json!({
        "self": link(&url), "html": link(&page), "issue": link(&format!("{api}/issues/{number}")),
        "comments": link(&comments), "review_comments": link(&format!("{url}/comments")),
        "review_comment": link(&format!("{api}/pulls/comments{{/number}}")),
        "commits": link(&format!("{url}/commits")),
        "statuses": link(&format!("{api}/statuses/{}", pull.head)),
        });
        json!({
            "id": pull.id, "node_id": node("PR", pull.id), "number": number, "title": pull.title, "body": pull.body,
            "state": if pull.is_open { "open" } else { "closed" }, "locked": false, "draft": pull.is_draft,
            "user": self.user_json(&pull.author), "author_association": "CONTRIBUTOR", "auto_merge": null,
            "assignee": null, "assignees": [], "requested_reviewers": [], "requested_teams": [], "labels": [],
            "milestone": null, "active_lock_reason": null, "created_at": pull.created_at, "updated_at": pull.updated_at,
            "closed_at": pull.closed_at, "merged_at": pull.merged_at, "merge_commit_sha": pull.merge_commit,
            "head": self.side_json(pull.head_repository, &pull.head_branch, &pull.head),
            "base": self.side_json(Some(repository.id), &pull.base_branch, &pull.base),
            "url": url, "html_url": page, "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
            "issue_url": format!("{api}/issues/{number}"), "comments_url": comments,
            "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
            "statuses_url": format!("{api}/statuses/{}", pull.head), "_links": links,
        })
    }

    /// A pull request as it is answered when asked for by itself.
    pub fn full_pull_json(&self, repository: &Repository, pull: &Pull) -> Value {
        let mut value = self.pull_json(repository, pull);
        let changes = repository.changes(&pull.base, &pull.head);
        let comments = repository.comments.iter().filter(|comment| comment.number == pull.number).count();
        let mergeable = pull.is_open.then_some(pull.merge_commit.is_some());
        let more = json!({
            "merged": pull.merged_at.is_some(), "mergeable": mergeable, "rebaseable": mergeable,
            "mergeable_state": if mergeable == Some(false) { "dirty" } else { "clean" },
            "merged_by": pull.merged_by.as_ref().map(|login| self.user_json(login)),
            "comments": comments, "review_comments": 0, "maintainer_can_modify": false,
            "commits": repository.ahead(&pull.base, &pull.head), "changed_files": changes.len(),
            "additions": changes.iter().map(|change| change.2).sum::<usize>(),
            "deletions": changes.iter().map(|change| change.3).sum::<usize>(),
        });
        merge(&mut value, more);
        value
    }

    /// A pull request as the issue that it also is.
    pub fn issue_json(&self, repository: &Repository, pull: &Pull) -> Value {
        let (base, name, number) = (&self.base, repository.full_name(), pull.number);
        let (api, page) = (format!("{base}/repos/{name}"), format!("{base}/{name}/pull/{number}"));
        let url = format!("{api}/issues/{number}");
        let comments = repository.comments.iter().filter(|comment| comment.number == number).count();
        let mut reactions = json!({ "url": format!("{url}/reactions"), "total_count": 0 });
        for content in ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] {
            merge(&mut reactions, json!({ content: 0 }));
        }
        json!({
            "id": pull.id, "node_id": node("I", pull.id), "number": number, "title": pull.title, "body": pull.body,
            "state": if pull.is_open { "open" } else { "closed" }, "state_reason": null, "locked": false,
            "user": self.user_json(&pull.author), "author_association": "CONTRIBUTOR", "assignee": null,
            "assignees": [], "labels": [], "milestone": null, "comments": comments, "draft": pull.is_draft,
            "active_lock_reason": null, "reactions": reactions, "created_at": pull.created_at,
            "updated_at": pull.updated_at, "closed_at": pull.closed_at, "url": url, "html_url": page,
            "repository_url": api, "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
            "timeline_url": format!("{url}/timeline"), "performed_via_github_app": null,
            "pull_request": {
                "url": format!("{api}/pulls/{number}"), "html_url": page, "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"), "merged_at": pull.merged_at,
            },
        })
    }

    pub fn status_json(&self, repository: &Repository, status: &Status) -> Value {
        json!({
            "id": status.id, "node_id": node("SC", status.id), "state": status.state, "context": status.context,
            "description": status.description, "target_url": status.target_url,
            "url": format!("{}/repos/{}/statuses/{}", self.base, repository.full_name(), status.sha),
            "avatar_url": self.user_json(&status.creator)["avatar_url"],
            "created_at": status.created_at, "updated_at": status.created_at,
        })
    }

    pub fn app_json(&self, app: &App) -> Value {
        json!({
            "id": app.id, "slug": app.slug, "node_id": node("A", app.id), "client_id": app.client_id,
            "owner": self.user_json(&app.owner), "name": app.name, "description": null,
            "external_url": "https://meshwright.example.com", "html_url": format!("{}/apps/{}", self.base, app.slug),
            "created_at": app.created_at, "updated_at": app.created_at, "permissions": app.permissions,
            "events": app.events, "installations_count": self.installations.iter().filter(|installation| installation.app == app.id).count(),
        })
    }

    pub fn installation_json(&self, installation: &Installation) -> Value {
        let (base, id) = (&self.base, installation.id);
        let app = self.app(installation.app);
        let account = self.user(&installation.account).unwrap();
        json!({
            "id": id, "app_id": app.id, "app_slug": app.slug, "client_id": app.client_id, "account": account.json(base),
            "target_id": account.id, "target_type": if account.kind == Kind::Organization { "Organization" } else { "User" },
            "repository_selection": if installation.selected.is_some() { "selected" } else { "all" },
            "access_tokens_url": format!("{base}/app/installations/{id}/access_tokens"),
            "repositories_url": format!("{base}/installation/repositories"),
            "html_url": format!("{base}/organizations/{}/settings/installations/{id}", account.login),
            "permissions": installation.permissions, "events": app.events, "single_file_name": null,
            "has_multiple_single_files": false, "single_file_paths": [], "created_at": installation.created_at,
            "updated_at": installation.created_at, "suspended_by": null,
            "suspended_at": installation.is_suspended.then_some(installation.created_at),
        })
    }

    /// The open pull requests whose head is this commit, as check runs show them.
    fn pulls_at(&self, repository: &Repository, sha: &str) -> Value {
        let side = |id: u64, branch: &str, sha: &str| {
            let repository = self.repository(id);
            json!({ "ref": branch, "sha": sha, "repo": {
                "id": id, "name": repository.name, "url": format!("{}/repos/{}", self.base, repository.full_name()),
            } })
        };
        // Those from forks are left out, as GitHub does.
        let is_ours = |pull: &&Pull| pull.is_open && pull.head == sha && pull.head_repository == Some(repository.id);
        repository
            .pulls
            .iter()
            .filter(is_ours)
            .map(|pull| {
                json!({
                    "id": pull.id, "number": pull.number,
                    "url": format!("{}/repos/{}/pulls/{}", self.base, repository.full_name(), pull.number),
                    "head": side(repository.id, &pull.head_branch, &pull.head),
                    "base": side(repository.id, &pull.base_branch, &pull.base),
                })
            })
            .collect()
    }

    pub fn check_suite_json(&self, repository: &Repository, suite: &CheckSuite) -> Value {
        let runs: Vec<&CheckRun> = repository.check_runs.iter().filter(|run| run.suite == suite.id).collect();
        let is_completed = !runs.is_empty() && runs.iter().all(|run| run.status == "completed");
        let worst = runs.iter().filter_map(|run| run.conclusion.clone()).find(|conclusion| conclusion != "success");
        let url = format!("{}/repos/{}/check-suites/{}", self.base, repository.full_name(), suite.id);
        let git = repository.git();
        let commit = git.find_commit(git2::Oid::from_str(&suite.sha).unwrap()).unwrap();
        let person = |by: git2::Signature<'_>| json!({ "name": by.name().unwrap_or_default(), "email": by.email().unwrap_or_default() });
        json!({
            "id": suite.id, "node_id": node("CS", suite.id), "head_branch": suite.branch, "head_sha": suite.sha,
            "status": if is_completed { "completed" } else { "queued" },
            "conclusion": is_completed.then(|| worst.unwrap_or_else(|| "success".to_owned())),
            "url": url, "before": null, "after": suite.sha, "pull_requests": self.pulls_at(repository, &suite.sha),
            "app": self.app_json(self.app(suite.app)), "repository": self.repository_json(repository),
            "created_at": suite.created_at, "updated_at": suite.created_at,
            "latest_check_runs_count": runs.len(), "check_runs_url": format!("{url}/check-runs"),
            "head_commit": {
                "id": suite.sha, "tree_id": commit.tree_id().to_string(), "message": commit.message().unwrap_or_default(),
                "timestamp": Timestamp::from_second(commit.time().seconds()).unwrap(),
                "author": person(commit.author()), "committer": person(commit.committer()),
            },
        })
    }

    pub fn check_run_json(&self, repository: &Repository, run: &CheckRun) -> Value {
        let url = format!("{}/repos/{}/check-runs/{}", self.base, repository.full_name(), run.id);
        let page = format!("{}/{}/runs/{}", self.base, repository.full_name(), run.id);
        json!({
            "id": run.id, "node_id": node("CR", run.id), "head_sha": run.sha, "name": run.name, "url": url,
            "html_url": page, "details_url": run.details_url.clone().unwrap_or(page), "status": run.status,
            "conclusion": run.conclusion, "started_at": run.started_at, "completed_at": run.completed_at,
            "external_id": run.external_id.clone().unwrap_or_default(), "check_suite": { "id": run.suite },
            "output": {
                "title": run.title, "summary": run.summary, "text": run.text,
                "annotations_count": run.annotations.len(), "annotations_url": format!("{url}/annotations"),
            },
            "app": self.app_json(self.app(run.app)), "pull_requests": self.pulls_at(repository, &run.sha),
        })
    }

    pub fn comment_json(&self, repository: &Repository, comment: &Comment) -> Value {
        let (base, name, id) = (&self.base, repository.full_name(), comment.id);
        let url = format!("{base}/repos/{name}/issues/comments/{id}");
        let count = |content: &str| comment.reactions.iter().filter(|reaction| reaction.content == content).count();
        let mut reactions = json!({ "url": format!("{url}/reactions"), "total_count": comment.reactions.len() });
        for content in ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] {
            reactions.as_object_mut().unwrap().insert(content.to_owned(), json!(count(content)));
        }
        json!({
            "id": id, "node_id": node("IC", id), "url": url, "body": comment.body,
            "html_url": format!("{base}/{name}/pull/{}#issuecomment-{id}", comment.number),
            "issue_url": format!("{base}/repos/{name}/issues/{}", comment.number),
            "user": self.user_json(&comment.author), "author_association": "NONE", "reactions": reactions,
            "performed_via_github_app": comment.app.map(|app| self.app_json(self.app(app))),
            "created_at": comment.created_at, "updated_at": comment.updated_at,
        })
    }

    pub fn reaction_json(&self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id, "node_id": node("REA", reaction.id), "content": reaction.content,
            "user": self.user_json(&reaction.by), "created_at": reaction.created_at,
        })
    }

    pub fn deployment_json(&self, repository: &Repository, deployment: &Deployment) -> Value {
        let api = format!("{}/repos/{}", self.base, repository.full_name());
        let url = format!("{api}/deployments/{}", deployment.id);
        json!({
            "id": deployment.id, "node_id": node("DE", deployment.id), "url": url, "sha": deployment.sha,
            "ref": deployment.reference, "task": deployment.task, "payload": deployment.payload,
            "environment": deployment.environment, "original_environment": deployment.environment,
            "description": deployment.description, "creator": self.user_json(&deployment.creator),
            "statuses_url": format!("{url}/statuses"), "repository_url": api,
            "created_at": deployment.created_at, "updated_at": deployment.created_at,
            "transient_environment": false, "production_environment": deployment.environment == "production",
        })
    }

    pub fn deployment_status_json(&self, repository: &Repository, of: &Deployment, status: &DeploymentStatus) -> Value {
        let api = format!("{}/repos/{}", self.base, repository.full_name());
        let url = format!("{api}/deployments/{}", of.id);
        json!({
            "id": status.id, "node_id": node("DES", status.id), "url": format!("{url}/statuses/{}", status.id),
            "state": status.state, "description": status.description, "environment": status.environment,
            "target_url": status.target_url, "log_url": status.target_url, "environment_url": status.environment_url,
            "creator": self.user_json(&status.creator), "deployment_url": url, "repository_url": api,
            "created_at": status.created_at, "updated_at": status.created_at,
        })
    }
}

/// The part of an address without the scheme.
fn host(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, host)| host)
}

/// Adds the fields of one object to another one.
pub fn merge(value: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    let object: &mut Map<String, Value> = value.as_object_mut().unwrap();
    object.extend(more);
}
