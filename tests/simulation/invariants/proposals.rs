//! What must be so of proposals and of what people ask for under them, when all faults have stopped.

use meshwright::domain::forge::{Proposal, PullState, ReviewVerdict};
use meshwright::domain::id::Digest;
use meshwright::domain::report::Report;
use meshwright::port::forge::reviews::Reaction;
use meshwright::port::store::{ReportRow, Store};

use super::super::at_once::at_once;
use super::super::fleet::Outside;
use super::super::hooks::WRITER;
use super::super::mesh::proposals::Proposed;
use super::ALL;

/// Each open one was assessed as it stands now, and is told so; none that is closed counts as open.
pub fn of_proposals(outside: &Outside, store: &dyn Store, proposed: &[Proposed], policies: &Digest) -> Vec<String> {
    let mut wrong = Vec::new();
    for open in proposed {
        let what = format!("{} pull/{}", open.source, open.number);
        let Some(record) = at_once(store.proposal(&open.source, &Proposal::Pull(open.number))).unwrap() else {
            wrong.push(format!("{what} was never assessed"));
            continue;
        };
        let inputs = &record.inputs;
        if (&inputs.head, &inputs.base, &inputs.policies) != (&open.head, &open.base, policies) {
            wrong.push(format!("{what} was assessed as {inputs:?}, and stands at {} on {}", open.head, open.base));
        }
        let (verdict, state) = (record.verdict, record.state);
        if state != PullState::Open || verdict == ReviewVerdict::NotEvaluated || record.again > 0 {
            wrong.push(format!("{what} is {} and {}: {}", state.as_str(), verdict.as_str(), record.summary));
        }
        if open.conflicts != (verdict == ReviewVerdict::Conflicted) {
            wrong.push(format!("{what} conflicts: {}, and is {}", open.conflicts, verdict.as_str()));
        }
        if open.is_flawed && verdict != ReviewVerdict::Refused {
            wrong.push(format!("{what} has a flaw, and is {}", verdict.as_str()));
        }
    }
    for source in &outside.mesh.sources {
        for record in at_once(store.open_proposals(source)).unwrap() {
            let Proposal::Pull(number) = record.proposal else { continue };
            if !proposed.iter().any(|open| open.source == *source && open.number == number) {
                wrong.push(format!("{source} pull/{number} is recorded as open"));
            }
        }
    }
    wrong.extend(of_written(outside, store));
    wrong
}

/// The one comment of each pull request says what is wanted.
fn of_written(outside: &Outside, store: &dyn Store) -> Vec<String> {
    let mut wrong = Vec::new();
    let rows = at_once(store.report_rows(ALL)).unwrap();
    let is_given_up = |wanted: &Report| {
        let is_it = |row: &&ReportRow| row.sort == "comment" && row.revision == wanted.revision;
        rows.iter().filter(is_it).any(|row| row.delivery == "given-up")
    };
    for source in &outside.mesh.sources {
        for state in [PullState::Open, PullState::Closed, PullState::Merged] {
            for number in outside.mesh.pulls(source, state) {
                let Some(wanted) = at_once(store.wanted_comment(source, number)).unwrap() else { continue };
                let subject = wanted.subject();
                let key = (source.clone(), subject.clone(), wanted.sort().to_owned(), wanted.context.clone());
                let shown = outside.shown.lock().unwrap();
                let found = shown.reports.get(&key);
                let is_shown = found.is_some_and(|report| report.detail == wanted.detail);
                // Nobody waits for what was still to be said when it was closed.
                let nobody_waits = state == PullState::Closed && is_given_up(&wanted);
                if !is_shown && !nobody_waits {
                    wrong.push(format!("{source} {subject}: the comment is not as it is wanted: {found:?}"));
                }
            }
        }
    }
    wrong
}

/// What somebody asked for who may was answered, once; nobody else got anything.
pub fn of_comments(outside: &Outside, store: &dyn Store) -> Vec<String> {
    let mut wrong = Vec::new();
    for open in at_once(store.open_commands(ALL, &[])).unwrap() {
        wrong.push(format!("{} asked for {:?} and has no answer", open.author, open.asked));
    }
    let reactions = outside.reactions.lock().unwrap();
    for (comment, author) in &outside.world.seen.lock().unwrap().comments {
        match reactions.get(comment) {
            Some(Reaction::Seen) if author != WRITER => wrong.push(format!("{author} may not ask, and was obeyed")),
            None if author == WRITER => wrong.push(format!("the comment {comment} has no reaction")),
            _ => {}
        }
    }
    wrong
}
