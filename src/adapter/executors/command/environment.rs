//! What a program is told: its environment and the task on its standard input.

use std::ffi::OsString;

use serde_json::{Map, Value, json};

use crate::port::executor::TaskCall;

use super::workspace::{Input, Workspace};

/// Where programs are looked for when the daemon itself has no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The whole environment of a program; nothing else of the daemon's is in it.
pub(super) struct Environment {
    /// Later ones win.
    pub(super) variables: Vec<(OsString, OsString)>,
}

impl Environment {
    /// PATH, the configured names, the secrets, and what Meshwright itself says, which nothing overrides.
    pub(super) fn of(
        call: &TaskCall,
        allowed: &[String],
        secrets: Vec<(String, String)>,
        workspace: &Workspace,
        inputs: &[Input],
    ) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let mut variables: Vec<(OsString, OsString)> = vec![("PATH".into(), path)];
        variables.extend(allowed.iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?))));
        variables.extend(secrets.into_iter().map(|(name, value)| (name.into(), value.into())));
        let product = call.descriptor.pointer("/info/name").and_then(Value::as_str);
        let said: [(&str, OsString); 16] = [
            ("HOME", workspace.home().into()),
            ("TMPDIR", workspace.temporary().into()),
            ("MESHWRIGHT_RUN", workspace.run().into()),
            ("MESHWRIGHT_TASK_KEY", call.key.as_str().into()),
            ("MESHWRIGHT_ACTIVITY", call.activity.as_str().into()),
            ("MESHWRIGHT_PRODUCT", call.container.product.as_str().into()),
            ("MESHWRIGHT_PRODUCT_NAME", product.unwrap_or(call.container.product.product_name()).into()),
            ("MESHWRIGHT_VERSION", call.version.version.to_string().into()),
            ("MESHWRIGHT_STAGE", call.container.stage.as_str().into()),
            ("MESHWRIGHT_TASK", call.task.as_str().into()),
            ("MESHWRIGHT_PHASE", call.phase.as_str().into()),
            ("MESHWRIGHT_REVISION", call.revision.as_str().into()),
            ("MESHWRIGHT_OUTPUT", workspace.output().into()),
            ("MESHWRIGHT_RESULT", workspace.result().into()),
            ("MESHWRIGHT_ATTEMPT", call.attempt.to_string().into()),
            ("MESHWRIGHT_TOKEN", call.token.0.to_string().into()),
        ];
        variables.extend(said.into_iter().map(|(name, value)| (name.into(), value)));
        variables.extend(inputs.iter().map(|input| ((&input.variable).into(), input.folder.clone().into())));
        // A name with '=' or a value with a NUL would make the spawn fail in an unclear way.
        variables.retain(|(name, value)| {
            let (name, value) = (name.as_encoded_bytes(), value.as_encoded_bytes());
            !name.is_empty() && !name.iter().any(|b| matches!(b, b'=' | 0)) && !value.contains(&0)
        });
        Self { variables }
    }
}

/// The task, as it stands on the program's standard input.
pub(super) fn task_json(call: &TaskCall, workspace: &Workspace, inputs: &[Input]) -> Value {
    let mut upstream = Map::new();
    for (port, offer) in &call.upstream {
        let folder = inputs.iter().find(|input| input.port == *port).map(|input| input.folder.to_string_lossy());
        upstream.insert(port.clone(), json!({"port": offer.port, "results": offer.results, "folder": folder}));
    }
    json!({
        "key": call.key,
        "activity": call.activity,
        "product": call.container.product,
        "stage": call.container.stage,
        "version": call.version.version.to_string(),
        "task": call.task,
        "phase": call.phase,
        "attempt": call.attempt,
        "template": call.template,
        "configurations": call.configurations,
        "descriptor": *call.descriptor,
        "revision": call.revision,
        "source": call.source,
        "upstream": upstream,
        "output": workspace.output().to_string_lossy(),
    })
}
