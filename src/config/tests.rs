use std::path::Path;
use std::time::Duration;

use super::*;

const SKETCH: &str = r#"
mesh: { namespace: com.example }
state: sqlite://.meshwright/state.db
sources:
  - name: retail
    url: https://github.com/acme/retail-data-products.git
    branch: main
    descriptors: ["**/data-product-descriptor.{yaml,yml,json}"]
    poll: 60s
    credentials: { basic: { username: x-access-token, password: { env: RETAIL_TOKEN } } }
  - { name: local, url: ../products, cron: "0 */5 * * * *", timezone: Europe/Rome, forge: notes }
stages:
  - { name: dev }
  - { name: prod, after: [dev] }
policies: [ { path: policies } ]
executors:
  warehouse: { kind: sql, phase: provision, url: { env: WAREHOUSE_URL } }
  lake: { kind: sql, phase: provision, url: "sqlite://lake" }
  dbt: { kind: command, phase: build, command: ["./bin/build"], timeout: 1500ms, secrets: { TOKEN: { file: token } } }
forges:
  notes: { kind: local }
"#;

fn check(text: &str) -> Result<Checked, Vec<ConfigError>> {
    parse("meshwright.yaml", text)?.check(Path::new("/mesh"))
}

fn errors(text: &str) -> Vec<String> {
    check(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_configuration_is_read_into_domain_types() {
    let checked = check(SKETCH).unwrap();
    assert_eq!(checked.namespace.as_str(), "com.example");
    assert_eq!(checked.state, StateLocation::Sqlite("/mesh/.meshwright/state.db".into()));
    let retail = &checked.sources[0];
    assert_eq!(retail.schedule, Schedule::Every(Duration::from_secs(60)));
    assert_eq!(retail.location.transport(), Transport::Https);
    assert_eq!(retail.fetch_timeout, Duration::from_secs(120));
    let local = &checked.sources[1];
    assert_eq!(local.location.local_path(), Some(Path::new("/products")));
    let cron = Schedule::Cron(Box::new(super::CronSchedule::parse("0 */5 * * * *", Some("Europe/Rome")).unwrap()));
    assert_eq!(local.schedule, cron);
    assert_eq!(checked.platform.stages[1].after[0].as_str(), "dev");
    let dbt: crate::domain::id::ExecutorName = "dbt".parse().unwrap();
    assert_eq!(checked.platform.executors[&dbt].timeout_seconds, 2, "planning counts in whole seconds");
    let CheckedExecutorKind::Command { secrets, .. } = &checked.executors[&dbt].kind else { panic!("a command") };
    assert_eq!(secrets["TOKEN"], SecretRef::File("/mesh/token".into()));
    assert_eq!(checked.policies, [Path::new("/mesh/policies")]);
}

#[test]
fn the_least_configuration_has_working_defaults() {
    let checked = check("mesh: { namespace: com.example }\n").unwrap();
    assert!(checked.sources.is_empty() && checked.policies.is_empty());
    assert_eq!(checked.policy_limits.timeout, Duration::from_secs(2));
}

#[test]
fn the_platform_digest_changes_with_what_planning_depends_on_only() {
    let base = check(SKETCH).unwrap();
    let same = check(&SKETCH.replace("poll: 60s", "poll: 5m").replace("WAREHOUSE_URL", "OTHER")).unwrap();
    assert_eq!(base.platform_digest(), same.platform_digest());
    for (from, to) in [("com.example", "com.other"), ("phase: build", "phase: deploy"), ("after: [dev]", "after: []")] {
        let other = check(&SKETCH.replace(from, to)).unwrap();
        assert_ne!(base.platform_digest(), other.platform_digest(), "{from}");
    }
    let globs = check(&SKETCH.replace("{yaml,yml,json}", "yaml")).unwrap();
    assert_ne!(base.platform_digest_for(&base.sources[0]), globs.platform_digest_for(&globs.sources[0]));
    assert_eq!(base.platform_digest_for(&base.sources[1]), globs.platform_digest_for(&globs.sources[1]));
}

#[test]
fn a_key_that_is_not_known_has_a_place_and_a_suggestion() {
    let found = check("mesh: { namespace: a }\nsources:\n  - nmae: x\n    url: y\n").unwrap_err();
    let unknown = found.iter().find(|error| error.message.contains("nmae")).unwrap();
    assert_eq!(unknown.place, Some(Place { line: 3, column: 5, length: 4 }));
    assert!(unknown.hint.as_ref().unwrap().starts_with("did you mean 'name'? there are name, url, branch"));
    assert!(found.iter().any(|error| error.message == "the key 'name' is missing"), "{found:?}");
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let text = "mesh: { namespace: 1a }\nstate: mysql://x\nsources:\n  - { name: A, url: 'http://h/a', poll: soon }\n  - { name: A, url: '.', poll: 1m, cron: '* *' }\nstages: [{ name: dev, after: [prod] }, { name: prod, after: [dve] }]\n";
    let found = errors(text);
    let lines: Vec<&str> = found.iter().map(|text| text.split(':').nth(1).unwrap()).collect();
    assert!(lines.is_sorted(), "{found:#?}");
    for wanted in [
        "'1a' is no mesh namespace",
        "the state is not a place that is known",
        "plain http:// is allowed to this machine only",
        "'soon' is not a length of time",
        "there is another source 'A'",
        "`poll` and `cron` exclude each other",
        "the stage 'prod' comes later than 'dev'",
        "there is no earlier stage 'dve' (did you mean 'dev'?",
    ] {
        assert!(found.iter().any(|text| text.contains(wanted)), "{wanted}: {found:#?}");
    }
}

#[test]
fn a_record_on_a_server_is_named_or_its_place_is() {
    let plain = check("mesh: { namespace: a }\nstate: postgres://mesh@db/state?schema=prod\n").unwrap();
    assert_eq!(plain.state, StateLocation::Postgres(UrlRef::Plain("postgres://mesh@db/state?schema=prod".to_owned())));
    assert_eq!(plain.folder, std::path::Path::new("/mesh/.meshwright"));
    let kept = check("mesh: { namespace: a }\nstate: { file: keys/state }\nfolder: work\n").unwrap();
    let at = SecretRef::File("/mesh/keys/state".into());
    assert_eq!((kept.state, kept.folder), (StateLocation::Postgres(UrlRef::Secret(at)), "/mesh/work".into()));
    let beside = check("mesh: { namespace: a }\nstate: sqlite:///var/lib/mesh/state.db\n").unwrap();
    assert_eq!(beside.folder, std::path::Path::new("/var/lib/mesh"));
}

#[test]
fn secrets_are_never_said() {
    for text in [
        "mesh: { namespace: a }\nsources: [{ name: a, url: 'https://me:hunter2@h/a' }]\n",
        "mesh: { namespace: a }\nsources: [{ name: a, url: 'https://h/a', credentials: { basic: { username: u, password: hunter2 } } }]\n",
        "mesh: { namespace: a }\nsources: [{ name: a, url: 'https://h/a', passwrod: hunter2 }]\n",
        "mesh: { namespace: a }\nexecutors: { w: { kind: sql, phase: build, url: 'postgres://u:hunter2@h/d' } }\n",
        "mesh: { namespace: a }\nexecutors: { w: { kind: sql, phase: build, url: { env: 'hunter2!' } } }\n",
        "mesh: { namespace: a }\nexecutors: { w: { kind: command, phase: build, command: [x], env: ['T=hunter2'] } }\n",
        "mesh: { namespace: a }\nexecutors: { w: { kind: command, phase: build, command: [x], secrets: { T: hunter2 } } }\n",
        "mesh: { namespace: a }\nstate: postgres://u:hunter2@h/d\n",
        "mesh: { namespace: a, password: \"hunter2 }\n",
        "mesh: { namespace: a }\nsources: hunter2\n",
        "mesh: { namespace: a }\npassword: |\n  hunter2\n",
    ] {
        let found = check(text).unwrap_err();
        assert!(!format!("{found:?}").contains("hunter2"), "{text}\n{found:#?}");
    }
}

#[test]
fn a_gate_takes_people() {
    let gate = |gate: &str| SKETCH.replace("after: [dev] }", &format!("after: [dev], gate: {gate} }}"));
    let checked = check(&gate("{ approvals: 2 }")).unwrap();
    assert_eq!(checked.platform.gate(&"prod".parse().unwrap()).unwrap().approvals, 2);
    assert_eq!(checked.platform.gate(&"dev".parse().unwrap()), None);
    let without = check(SKETCH).unwrap();
    assert_ne!(checked.platform_digest_for(&checked.sources[0]), without.platform_digest_for(&without.sources[0]));
    for (wrong, why) in [
        ("{ approvals: 0 }", "at least 1"),
        ("{ approvals: 101 }", "1 to 100 approvals"),
        ("{ approvals: -1 }", "at least 1"),
        ("{ approvals: two }", "a whole number is wanted here"),
        ("{}", "'approvals' is missing"),
        ("{ approvals: 1, people: [ann] }", "'people' is not known"),
    ] {
        let said = errors(&gate(wrong));
        assert!(said.len() == 1 && said[0].contains(why), "{wrong}: {said:?}");
    }
}

#[test]
fn texts_that_are_no_configuration_are_errors_and_nothing_worse() {
    for text in [
        "",
        "[]",
        "x",
        "mesh: [",
        "a: &a [*a]",
        "? {a: b}\n: c",
        "1: 2",
        "mesh: !tag {namespace: a}",
        "---\na: 1\n---\nb: 2\n",
        "mesh: {namespace: a}\nmesh: {namespace: b}\n",
        "\u{0}",
        "mesh: {namespace: null}",
        "mesh: {namespace: .nan}",
    ] {
        assert!(check(text).is_err(), "{text:?}");
    }
    let deep = format!("mesh: {}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(check(&deep).is_err());
    let twice = check("mesh: {namespace: a}\nmesh: {namespace: b}\n").unwrap_err();
    assert_eq!(twice[0].place.unwrap().line, 2, "{twice:?}");
}

#[test]
fn containers_never_share_a_schema() {
    let with = |schema: &str| {
        format!(
            "mesh: {{ namespace: a }}\nexecutors: {{ w: {{ kind: sql, phase: build, url: 'sqlite://x', schema: '{schema}' }} }}\n"
        )
    };
    assert!(check(&with("{stage}_{product}_{major}_{schema}")).is_ok());
    assert!(errors(&with("{product}_{major}"))[0].contains("'{stage}' is not in its name"));
    assert!(errors(&with("{stage}{prodct}{major}"))[0].contains("did you mean 'product'?"));
}

#[test]
fn credentials_fit_their_transport() {
    let text = "mesh: { namespace: a }\nsources: [{ name: a, url: 'ssh://git@h/a', credentials: { basic: { username: u, password: { env: P } } } }]\n";
    assert!(errors(text)[0].contains("for https:// only"));
}

#[test]
fn a_github_is_known_by_its_address_and_its_sources_by_their_urls() {
    let text = r#"
mesh: { namespace: a }
sources:
  - { name: one, url: "https://github.com/acme/Retail.git", forge: acme }
  - { name: two, url: "git@github.com:acme/two.git", forge: acme, credentials: { ssh: { key: k, known_hosts: h } } }
  - { name: three, url: "https://mirror.test/x", forge: acme, repository: other/three }
  - { name: four, url: "https://git.corp.test/acme/four", forge: corp }
  - { name: five, url: "https://gitlab.test/group/sub/five.git", forge: lab }
  - { name: six, url: "https://github.com/acme/six" }
forges:
  acme:
    kind: github
    app_id: 12345
    private_key: { file: key.pem }
    webhook_secrets: [ { env: NEW }, { file: old } ]
    deployments: true
    comment: always
  corp: { kind: github, url: "https://git.corp.test/", token: { env: TOKEN } }
  lab: { kind: gitlab, webhook_secret: { env: LAB } }
"#;
    let checked = check(text).unwrap();
    let repositories: Vec<Option<&str>> = checked.sources.iter().map(|source| source.repository.as_deref()).collect();
    let wanted = ["acme/Retail", "acme/two", "other/three", "acme/four", "group/sub/five"];
    assert_eq!(repositories, wanted.map(Some).into_iter().chain([None]).collect::<Vec<_>>());
    let forge = |name: &str| &checked.forges[&name.parse().unwrap()];
    let CheckedForge::Github(acme) = forge("acme") else { panic!("a GitHub") };
    assert_eq!(acme.api.as_str(), "https://api.github.com");
    assert_eq!(acme.access, GithubAccess::App { id: 12345, private_key: SecretRef::File("/mesh/key.pem".into()) });
    assert_eq!(acme.webhook_secrets, [SecretRef::Env("NEW".to_owned()), SecretRef::File("/mesh/old".into())]);
    assert!(acme.deployments);
    let CheckedForge::Github(corp) = forge("corp") else { panic!("a GitHub") };
    assert_eq!((corp.api.as_str(), corp.url.as_str()), ("https://git.corp.test/api/v3", "https://git.corp.test"));
    use crate::domain::forge::CommentMode::{Always, Never, OnChange};
    let modes: Vec<_> = checked.sources.iter().map(|source| checked.comment_mode(source)).collect();
    assert_eq!(modes, [Always, Always, Always, OnChange, Never, Never]);
    assert_eq!((forge("lab").kind(), forge("lab").webhook_secrets().len()), ("gitlab", 1));
}

#[test]
fn a_repository_at_another_host_is_not_taken_for_one_at_the_forge() {
    for url in
        ["https://github.com.evil.test/a/b", "https://evil.test/github.com/a/b", "https://github.com/a", "/srv/a/b"]
    {
        let text = format!(
            "mesh: {{ namespace: a }}\nsources: [{{ name: s, url: '{url}', forge: f }}]\nforges: {{ f: {{ kind: github, token: {{ env: T }} }} }}\n"
        );
        assert!(errors(&text)[0].contains("does not say what the forge calls the repository"), "{url}");
    }
}

#[test]
fn webhooks_have_limits_that_can_only_be_made_narrower() {
    let checked = check("mesh: { namespace: com.example }\n").unwrap().webhooks;
    assert_eq!((checked.max_body_bytes, checked.keep), (25 * 1024 * 1024, 100_000));
    assert_eq!(checked.keep_for, Duration::from_secs(14 * 24 * 60 * 60));
    let found = errors(
        "mesh: { namespace: com.example }\nwebhooks:\n  max_body_mib: 26\n  keep: 1\n  keep_for: 10s\n  secret: hush\n",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    let found = errors("mesh: { namespace: com.example }\nwebhooks: { max_body_mib: 26, keep: 1, keep_for: 10s }\n");
    assert_eq!(found.len(), 3, "{found:?}");
    for (error, place) in found.iter().zip(["max_body_mib", "keep", "keep_for"]) {
        assert!(error.contains("out of bounds"), "{place}: {error}");
    }
}
