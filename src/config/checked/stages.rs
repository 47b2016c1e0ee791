//! Stages: their names, and what comes before what.

use crate::config::error::Problems;
use crate::config::{GateConfig, StageConfig};
use crate::domain::id::StageName;
use crate::domain::stage::{Gate, Stage};
use crate::domain::suggest::did_you_mean;

use super::name;

/// Every name in `after` is an earlier stage; with that, there can be no circle.
pub(super) fn check(stages: &[StageConfig], problems: &mut Problems) -> Vec<Stage> {
    let mut checked: Vec<Stage> = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let at = format!("/stages/{index}");
        let earlier: Vec<&str> = stages.iter().take(index).map(|stage| stage.name.as_str()).collect();
        if earlier.contains(&stage.name.as_str()) {
            problems
                .at(&format!("{at}/name"), format!("there is another stage '{}'", stage.name))
                .hint("name each once");
        }
        let mut after: Vec<StageName> = Vec::new();
        for (place, text) in stage.after.iter().enumerate() {
            let at = format!("{at}/after/{place}");
            if *text == stage.name {
                problems.at(&at, format!("the stage '{text}' cannot come after itself"));
            } else if earlier.contains(&text.as_str()) {
                match text.parse::<StageName>() {
                    Ok(name) if !after.contains(&name) => after.push(name),
                    _ => {}
                }
            } else if stages.iter().any(|other| other.name == *text) {
                problems
                    .at(&at, format!("the stage '{text}' comes later than '{}'", stage.name))
                    .hint("write stages in the order in which versions are promoted");
            } else {
                let known = did_you_mean(text, earlier.iter().copied());
                problems.at(&at, format!("there is no earlier stage '{text}'")).hint(known);
            }
        }
        if let Some(name) = name(&stage.name, &format!("{at}/name"), problems) {
            let gate = stage.gate.as_ref().and_then(|gate| gate_of(gate, &at, problems));
            checked.push(Stage { name, after, gate, on_new_commit: stage.on_new_commit });
        }
    }
    checked
}

/// More approvals than this nobody comes by.
const MOST_APPROVALS: u32 = 100;

fn gate_of(gate: &GateConfig, at: &str, problems: &mut Problems) -> Option<Gate> {
    let approvals = gate.approvals;
    if (1..=MOST_APPROVALS).contains(&approvals) {
        return Some(Gate { approvals });
    }
    problems
        .at(&format!("{at}/gate/approvals"), format!("a gate takes 1 to {MOST_APPROVALS} approvals, not {approvals}"))
        .hint("leave 'gate' out where nobody has to approve");
    None
}
