//! What people decide about a rollout that waits for them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::id::{Digest, SourceName, StageName};
use crate::domain::time::Timestamp;

/// Who decided something, and through what. Both are told by the forge or by the machine, and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The login.
    pub name: String,
    /// The forge's name, or `command line`.
    pub via: String,
}

impl Person {
    /// What tells one person from another: the name, without regard to case, as forges compare logins.
    /// A person who comes by several ways under one name is one.
    pub fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.via)
    }
}

/// That somebody lets a plan's rollouts at a stage begin. It counts for exactly that plan, and as long as
/// the policies are those of when it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The source.
    pub source: SourceName,
    /// The plan's digest: it names the commit and all that would be done.
    pub plan: Digest,
    /// The stage.
    pub stage: StageName,
    /// The policies' digest at that moment.
    pub policies: Digest,
    /// Who.
    pub by: Person,
    /// When.
    pub at: Timestamp,
}

/// That nothing more may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Of this source.
    pub source: SourceName,
    /// Of this plan; without one, of all plans of the source, those to come too.
    pub plan: Option<Digest>,
    /// Who wants it.
    pub by: Person,
    /// Since when.
    pub at: Timestamp,
}

/// How many people have approved under these policies. What was approved under others does not count.
pub fn approvers(approvals: &[Approval], policies: &Digest) -> u32 {
    let people: BTreeSet<String> =
        approvals.iter().filter(|approval| approval.policies == *policies).map(|approval| approval.by.key()).collect();
    u32::try_from(people.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(name: &str, via: &str, policies: &str) -> Approval {
        Approval {
            source: "retail".parse().unwrap(),
            plan: Digest::of(b"plan"),
            stage: "prod".parse().unwrap(),
            policies: Digest::of(policies.as_bytes()),
            by: Person { name: name.to_owned(), via: via.to_owned() },
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn one_person_counts_once_and_only_under_the_policies_of_then() {
        let all = [
            approval("ann", "acme", "p"),
            approval("Ann", "acme", "p"),
            approval("ann", "command line", "p"),
            approval("bob", "acme", "older"),
        ];
        assert_eq!(approvers(&all, &Digest::of(b"p")), 1);
        assert_eq!(approvers(&all, &Digest::of(b"older")), 1);
        assert_eq!(approvers(&all, &Digest::of(b"newer")), 0);
        assert_eq!(approvers(&[approval("ann", "a", "p"), approval("bob", "a", "p")], &Digest::of(b"p")), 2);
    }
}
