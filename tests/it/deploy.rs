//! What is in `deploy/`, checked as far as that is possible without a cluster: the configurations
//! with the daemon's own parser, the unit with `systemd-analyze`, the manifests with `kubectl`, and
//! that what is said in several places is the same everywhere.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

#[test]
fn every_file_is_yaml_and_the_configurations_are_right() {
    for file in ["compose.yaml", "kubernetes/kustomization.yaml", "kubernetes/serviceaccount.yaml"] {
        assert!(yaml(file).is_object(), "{file}");
    }
    for file in ["meshwright.yaml", "kubernetes/meshwright.yaml", "kubernetes-replicas/meshwright.yaml"] {
        if let Err(error) = meshwright::config::parse(file, &read(file)) {
            panic!("deploy/{file}: {error:?}");
        }
    }
}

#[test]
fn the_kustomization_names_every_manifest_and_nothing_else() {
    let named = yaml("kubernetes/kustomization.yaml");
    let mut files: Vec<String> = std::fs::read_dir(deploy().join("kubernetes"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "kustomization.yaml")
        .collect();
    files.sort();
    let mut listed = texts(&named["resources"]);
    listed.extend(texts(&named["configMapGenerator"][0]["files"]));
    listed.sort();
    assert_eq!(files, listed);
}

#[test]
fn several_replicas_share_what_has_to_be_shared_and_nothing_else() {
    let named = yaml("kubernetes-replicas/kustomization.yaml");
    let mut listed = texts(&named["resources"]);
    listed.extend(texts(&named["configMapGenerator"][0]["files"]));
    listed.push(named["patches"][0]["path"].as_str().unwrap().to_owned());
    for file in listed.iter().filter(|file| *file != "../kubernetes") {
        assert!(yaml(&format!("kubernetes-replicas/{file}")).is_object(), "{file}");
    }
    let config = yaml("kubernetes-replicas/meshwright.yaml");
    assert_eq!(config["state"], json!({"file": "/run/secrets/meshwright/state-url"}), "SQLite has one writer");
    let set = yaml("kubernetes-replicas/statefulset.yaml");
    assert_eq!(set["metadata"]["name"], stateful_set()["metadata"]["name"]);
    assert!(set["spec"]["replicas"].as_u64().unwrap() > 1);
    let pod = &set["spec"]["template"]["spec"];
    let shared = format!("{}/artifacts", config["folder"].as_str().unwrap());
    assert_eq!(pod["containers"][0]["volumeMounts"], json!([{"name": "artifacts", "mountPath": shared}]));
    let claim = yaml("kubernetes-replicas/artifacts.yaml");
    assert_eq!(pod["volumes"][0]["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"]);
    assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteMany"]));
    // Running tasks are given 25 seconds, reports 5, handing back 5.
    assert!(stateful_set()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap() >= 40);
}

#[test]
fn port_paths_user_and_version_are_the_same_everywhere() {
    let (docker, compose, unit) = (read("Dockerfile"), yaml("compose.yaml"), read("systemd/meshwright.service"));
    let pod = pod();
    let container = &pod["containers"][0];

    // The command line: of the image, of the pod, of the unit.
    let command = docker.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let of_image = texts(&serde_json::from_str(command).unwrap());
    assert_eq!(of_image, ["serve", "--config", "/etc/meshwright/meshwright.yaml", "--listen", "0.0.0.0:8080"]);
    assert_eq!(texts(&container["args"]), of_image);
    assert!(unit.contains(" serve --config /etc/meshwright/meshwright.yaml --listen 127.0.0.1:8080\n"));

    // The port.
    assert!(docker.contains("\nEXPOSE 8080\n") && docker.contains("/dev/tcp/127.0.0.1/8080"));
    assert_eq!(container["ports"], json!([{"name": "http", "containerPort": 8080}]));
    let service = yaml("kubernetes/service.yaml");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "http");
    assert_eq!(service["spec"]["selector"], stateful_set()["spec"]["template"]["metadata"]["labels"]);
    let network = yaml("kubernetes/networkpolicy.yaml");
    assert_eq!(network["spec"]["ingress"][0]["ports"][0]["port"], 8080);
    assert_eq!(network["spec"]["podSelector"]["matchLabels"], service["spec"]["selector"]);
    let daemon = &compose["services"]["meshwright"];
    assert_eq!(texts(&daemon["ports"]), ["127.0.0.1:8080:8080"], "open to this machine only");

    // What is asked of it, and how.
    for (probe, path) in [("readinessProbe", "/readyz"), ("livenessProbe", "/healthz"), ("startupProbe", "/healthz")] {
        assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "http"}), "{probe}");
    }
    assert!(docker.contains("GET /healthz "));

    // The folders: what the configuration writes to is what is mounted.
    for file in ["meshwright.yaml", "kubernetes/meshwright.yaml"] {
        let config = yaml(file);
        assert_eq!(config["state"], "sqlite:///var/lib/meshwright/state.db", "{file}");
    }
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mounted = |path: &str| mounts.iter().find(|mount| mount["mountPath"] == path).map(|mount| &mount["name"]);
    assert_eq!(mounted("/var/lib/meshwright"), Some(&json!("state")));
    assert_eq!(mounted("/etc/meshwright"), Some(&json!("config")));
    assert_eq!(mounted("/run/secrets/meshwright"), Some(&json!("secrets")));
    assert_eq!(mounted("/tmp"), Some(&json!("tmp")));
    assert!(unit.contains("\nStateDirectory=meshwright\n") && docker.contains("\nWORKDIR /var/lib/meshwright\n"));
    assert!(texts(&daemon["volumes"]).iter().any(|volume| volume == "state:/var/lib/meshwright"));

    // The user.
    assert!(docker.contains("\nUSER 10001:10001\n"));
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        assert_eq!(pod["securityContext"][key], 10001, "{key}");
    }

    // The versions: ours, and the toolchain's.
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(yaml("kubernetes/kustomization.yaml")["images"][0], json!({"name": "meshwright", "newTag": version}));
    assert_eq!(container["image"], "meshwright");
    assert_eq!(daemon["image"], format!("meshwright:{version}"));
    let toolchain = read("../rust-toolchain.toml");
    assert!(toolchain.contains("channel = \"1.95.0\"") && docker.contains("\nFROM rust:1.95-slim-bookworm AS build\n"));
}

#[test]
fn the_pod_is_restricted_and_the_only_one() {
    let set = stateful_set();
    assert_eq!(set["spec"]["replicas"], 1, "SQLite has one writer");
    let pod = pod();
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let expected = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    });
    for container in pod["containers"].as_array().unwrap() {
        assert_eq!(container["securityContext"], expected);
        assert!(container["resources"]["limits"]["memory"].is_string());
    }
    for forbidden in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
        assert!(pod.get(forbidden).is_none(), "{forbidden}");
    }
}

/// What the binary embeds has to be in the context of the image's build.
#[test]
fn the_image_is_built_from_all_that_is_embedded() {
    let ignore = read("Dockerfile.dockerignore");
    let allowed: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut embedded = vec!["migrations".to_owned()];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = String::from_utf8(embedded_source(&path)).unwrap();
            for after in text.split("include_dir!(\"$CARGO_MANIFEST_DIR/").skip(1) {
                embedded.push(after.split(['/', '"']).next().unwrap().to_owned());
            }
        }
    }
    embedded.sort();
    embedded.dedup();
    assert_eq!(embedded, ["demo", "examples-repo", "migrations", "policies"]);
    for folder in &embedded {
        assert!(allowed.contains(&folder.as_str()), "{folder} is embedded, and not in the image's context");
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if !has_part("systemd-analyze", &["--version"]) {
        return;
    }
    // The unit names the place where the binary is installed; here it is where cargo built it.
    let folder = tempfile::tempdir().unwrap();
    let unit = read("systemd/meshwright.service");
    let installed = "/usr/local/bin/meshwright";
    assert!(unit.contains(&format!("ExecStart={installed} ")));
    let built = unit.replace(installed, env!("CARGO_BIN_EXE_meshwright"));
    let file = folder.path().join("meshwright.service");
    write(&file, &built);
    let file = file.to_str().unwrap();
    let said = run("systemd-analyze", &["verify", "--man=no", file], "");
    // It speaks of other units of the machine as well.
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("meshwright")).collect();
    assert_eq!(about_us, Vec::<&str>::new());
    // From 0 (nothing is exposed) to 100; a unit without any of it has 96.
    run("systemd-analyze", &["security", "--no-pager", "--offline=yes", "--threshold=20", file], "");

    // The check can fail: a setting that does not exist is found.
    write(Path::new(file), &built.replace("ProtectHome=", "ProtectHouse="));
    let said = run("systemd-analyze", &["verify", "--man=no", file], "");
    assert!(said.contains("ProtectHouse"), "{said}");
}

/// `--local` makes kubectl read the manifest into its own types and write it out again: what it
/// does not know is lost on the way, and what has the wrong type is refused.
#[test]
fn kubectl_knows_every_field_of_the_manifests() {
    if !has_part("kubectl", &["version", "--client"]) {
        return;
    }
    let rendered = documents(&run("kubectl", &["kustomize", deploy().join("kubernetes").to_str().unwrap()], ""));
    let kinds: Vec<&str> = rendered.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ServiceAccount", "ConfigMap", "Service", "StatefulSet", "NetworkPolicy"]);

    let set = find(&rendered, "StatefulSet");
    assert_eq!(lost_fields(&set, &["set", "serviceaccount"], &["meshwright"]), Vec::<String>::new());
    let service = find(&rendered, "Service");
    let selector = "app.kubernetes.io/name=meshwright";
    assert_eq!(lost_fields(&service, &["set", "selector"], &[selector]), Vec::<String>::new());

    // The generated name of the ConfigMap has found its way into the pod.
    let config = find(&rendered, "ConfigMap")["metadata"]["name"].clone();
    let volumes = set["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    assert!(config.as_str().unwrap().starts_with("meshwright-config-"));
    assert!(volumes.iter().any(|volume| volume["configMap"]["name"] == config), "{config}");
    assert_eq!(find(&rendered, "ConfigMap")["data"]["meshwright.yaml"], read("kubernetes/meshwright.yaml"));

    // The check can fail: a misspelt field is found.
    let mut wrong = set.clone();
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = json!({"periodSeconds": 5});
    let lost = lost_fields(&wrong, &["set", "serviceaccount"], &["meshwright"]);
    assert_eq!(lost, ["/spec/template/spec/containers/0/readinesProbe/periodSeconds"]);
}

/// A dry run asks a cluster which kinds there are, and nothing else. So it gets one that knows these.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_kubectl_creates_all_of_it() {
    if !has_part("kubectl", &["version", "--client"]) {
        return;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, kinds_of_a_cluster()).await });
    let dry_run = tokio::task::spawn_blocking(move || {
        let home = tempfile::tempdir().unwrap();
        let cache = format!("--cache-dir={}", home.path().display());
        let rendered = run("kubectl", &["kustomize", deploy().join("kubernetes").to_str().unwrap()], "");
        let (server, arguments) = (format!("--server={server}"), ["create", "--dry-run=client", "--validate=false"]);
        run("kubectl", &[&arguments[..], &[&server, &cache, "--output=name", "--filename=-"]].concat(), &rendered)
    });
    let said = dry_run.await.unwrap();
    serving.abort();
    for name in ["serviceaccount/", "configmap/", "service/", "statefulset.apps/", "networkpolicy.networking.k8s.io/"] {
        assert!(said.lines().any(|line| line.starts_with(&format!("{name}meshwright"))), "{name}: {said}");
    }
}

fn kinds_of_a_cluster() -> axum::Router {
    let resources = |version: &str, kinds: &[(&str, &str)]| {
        let list: Vec<Value> = kinds
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind, "namespaced": true, "verbs": ["create", "get"]}))
            .collect();
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": list})
    };
    let group = |name: &str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    let core = [("serviceaccounts", "ServiceAccount"), ("configmaps", "ConfigMap"), ("services", "Service")];
    let answers = [
        ("/api", json!({"kind": "APIVersions", "versions": ["v1"]})),
        (
            "/apis",
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group("apps"), group("networking.k8s.io")]}),
        ),
        ("/api/v1", resources("v1", &core)),
        ("/apis/apps/v1", resources("apps/v1", &[("statefulsets", "StatefulSet")])),
        ("/apis/networking.k8s.io/v1", resources("networking.k8s.io/v1", &[("networkpolicies", "NetworkPolicy")])),
    ];
    answers.into_iter().fold(axum::Router::new(), |router, (path, answer)| {
        router.route(path, axum::routing::get(move || async move { axum::Json(answer) }))
    })
}

/// The fields that are gone after kubectl has read the manifest and written it out again.
fn lost_fields(manifest: &Value, verb: &[&str], arguments: &[&str]) -> Vec<String> {
    let local = ["--local", "--output=json", "--filename=-"];
    let answer = run("kubectl", &[verb, &local, arguments].concat(), &manifest.to_string());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let mut lost = Vec::new();
    leaves(manifest, "", &mut |pointer, value| {
        if answer.pointer(pointer) != Some(value) {
            lost.push(pointer.to_owned());
        }
    });
    lost
}

fn leaves(value: &Value, pointer: &str, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, inner) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(inner, &format!("{pointer}/{key}"), visit);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, inner) in items.iter().enumerate() {
                leaves(inner, &format!("{pointer}/{index}"), visit);
            }
        }
        leaf => visit(pointer, leaf),
    }
}

fn find(documents: &[Value], kind: &str) -> Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap().clone()
}

fn stateful_set() -> Value {
    yaml("kubernetes/statefulset.yaml")
}

fn pod() -> Value {
    stateful_set()["spec"]["template"]["spec"].clone()
}

#[expect(clippy::disallowed_methods, reason = "the test reads the sources")]
fn embedded_source(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

#[expect(clippy::disallowed_methods, reason = "the test reads what is checked")]
fn read(file: &str) -> String {
    let path = deploy().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "systemd-analyze wants a file")]
fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
}

fn yaml(file: &str) -> Value {
    let mut documents = documents(&read(file));
    assert_eq!(documents.len(), 1, "deploy/{file}");
    documents.remove(0)
}

fn documents(text: &str) -> Vec<Value> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Whether a program is there; where nothing may be skipped, it must be.
#[expect(clippy::disallowed_methods, reason = "the test asks for the program")]
fn has_part(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !there {
        let required = std::env::var_os("MESHWRIGHT_REQUIRE_PARTS").is_some_and(|value| value == "1");
        assert!(!required, "{program} is missing, and MESHWRIGHT_REQUIRE_PARTS=1 wants every part to be there");
        eprintln!("SKIPPED: {program} is not there, so what it would check in deploy/ is not checked");
    }
    there
}

/// Runs a program to its end, and answers with all that it says; only on success, unless it is
/// `systemd-analyze verify`, which says by its words what it thinks.
#[expect(clippy::disallowed_methods, reason = "the test asks the programs that will read these files")]
fn run(program: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .env_remove("KUBECONFIG")
        .env("SYSTEMD_COLORS", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    if arguments.first() == Some(&"verify") {
        return errors.into_owned();
    }
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
