//! Who the stories are about.

use crate::support::github::{Hub, RepositoryHandle};

use super::clone::Clone;

/// Everything comes to dev, and waits before prod.
pub const STAGES: &str = "  - name: dev\n  - { name: prod, after: [dev], gate: { approvals: 1 } }";

/// Their repository: Alice writes, Paula maintains, Rita reads.
pub fn retail(hub: &Hub) -> RepositoryHandle<'_> {
    hub.repository("acme/retail-data-products")
        .private()
        .collaborator("alice", "write")
        .collaborator("paula", "maintain")
        .collaborator("rita", "read")
}

/// Alice's clone. She has pushed a mesh of six products, with this commit.
pub fn alice(retail: RepositoryHandle<'_>) -> (Clone, String) {
    let alice = Clone::of(retail, "alice");
    alice.copy("examples-repo");
    let first = alice.push("A small retail mesh");
    (alice, first)
}
