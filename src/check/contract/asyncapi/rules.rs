//! What a change of an AsyncAPI document means to those who exchange messages with the application.

use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const USED: &str = "whoever sends to it or reads from it names it";
const VALUES: &str = "a message that was never met breaks who reads, one that is refused breaks who sends";
const UNTOLD: &str = "what is not understood is not compatible";

pub(super) const UNREADABLE: ContractRule = rule(
    "asyncapi/unreadable",
    "One of the two editions is no document of AsyncAPI 2 or 3 that can be read.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const TOO_LARGE: ContractRule =
    rule("asyncapi/too-large", "There is too much to be compared to the end.", Unknown, Unknown, UNTOLD);
pub(super) const REFERENCE: ContractRule = rule(
    "asyncapi/reference-not-followed",
    "A `$ref` that does not lead into the document itself was added, removed or replaced.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const SERVER_ADDED: ContractRule =
    rule("asyncapi/server-added", "A server is new.", Compatible, Compatible, USED);
pub(super) const SERVER_REMOVED: ContractRule = rule(
    "asyncapi/server-removed",
    "A server is gone: the broker moved, or speaks another protocol.",
    Breaking,
    Breaking,
    USED,
);
pub(super) const CHANNEL_ADDED: ContractRule =
    rule("asyncapi/channel-added", "A channel is new: a topic, a queue.", Compatible, Compatible, USED);
pub(super) const CHANNEL_REMOVED: ContractRule =
    rule("asyncapi/channel-removed", "A channel is gone, or has another address.", Breaking, Breaking, USED);
pub(super) const OPERATION_ADDED: ContractRule = rule(
    "asyncapi/operation-added",
    "A channel can be read, or sent to, that could not be.",
    Compatible,
    Compatible,
    USED,
);
pub(super) const OPERATION_REMOVED: ContractRule = rule(
    "asyncapi/operation-removed",
    "A channel can no longer be read, or no longer be sent to.",
    Breaking,
    Breaking,
    USED,
);
pub(super) const MESSAGE_ADDED: ContractRule =
    rule("asyncapi/message-added", "One more kind of message stands in a channel.", Breaking, Compatible, VALUES);
pub(super) const MESSAGE_REMOVED: ContractRule =
    rule("asyncapi/message-removed", "A kind of message no longer stands in a channel.", Compatible, Breaking, VALUES);
pub(super) const CONTENT_TYPE: ContractRule =
    rule("asyncapi/content-type-changed", "Messages are encoded otherwise.", Breaking, Breaking, VALUES);
pub(super) const SCHEMA_FORMAT: ContractRule = rule(
    "asyncapi/schema-format-changed",
    "The payload is described in another language, so the two cannot be compared.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const PAYLOAD: ContractRule = rule(
    "asyncapi/payload-not-understood",
    "A payload differs that is described in a language which is not understood.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const DETAILS: ContractRule = rule(
    "asyncapi/details-changed",
    "Bindings, traits, parameters, security of operations or servers, variables of servers, replies or correlation ids \
     differ; they are not compared further.",
    Unknown,
    Unknown,
    UNTOLD,
);

pub(super) const RULES: &[ContractRule] = &[
    SERVER_ADDED,
    SERVER_REMOVED,
    CHANNEL_ADDED,
    CHANNEL_REMOVED,
    OPERATION_ADDED,
    OPERATION_REMOVED,
    MESSAGE_ADDED,
    MESSAGE_REMOVED,
    CONTENT_TYPE,
    SCHEMA_FORMAT,
    PAYLOAD,
    DETAILS,
    REFERENCE,
    TOO_LARGE,
    UNREADABLE,
];
