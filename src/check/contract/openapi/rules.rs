//! What a change of an OpenAPI document means to those who call the API. Rules of what is sent to it have
//! their weight where others send, those of what it answers where others read. For webhooks and callbacks
//! it is the other way round.

use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const CALLED: &str = "whoever calls it names it";
const PARAMETER: &str = "OpenAPI 3.1, Parameter Object";
const BODY: &str = "OpenAPI 3.1, Request Body Object";
const STATUS: &str = "RFC 9110, section 15: a client knows the class of every status";
const SECURITY: &str = "OpenAPI 3.1, Security Requirement Object";
const UNTOLD: &str = "what is not understood is not compatible";

pub(super) const UNREADABLE: ContractRule = rule(
    "openapi/unreadable",
    "One of the two editions is no OpenAPI 3 document that can be read.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const TOO_LARGE: ContractRule =
    rule("openapi/too-large", "There is too much to be compared to the end.", Unknown, Unknown, UNTOLD);
pub(super) const REFERENCE: ContractRule = rule(
    "openapi/reference-not-followed",
    "A `$ref` that does not lead into the document itself was added, removed or replaced.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const SERVER_ADDED: ContractRule =
    rule("openapi/server-added", "A server is new.", Compatible, Compatible, CALLED);
pub(super) const SERVER_REMOVED: ContractRule = rule(
    "openapi/server-removed",
    "A server is gone: the API moved, or its base path did.",
    Breaking,
    Breaking,
    CALLED,
);
pub(super) const SERVER_VARIABLE: ContractRule = rule(
    "openapi/server-variable-changed",
    "A variable in a server's address stands for something else by default, or may no longer be what it could be.",
    Breaking,
    Breaking,
    "OpenAPI 3.1, Server Variable Object",
);
pub(super) const SERVER_VALUE: ContractRule = rule(
    "openapi/server-value-added",
    "A variable in a server's address may be one thing more.",
    Compatible,
    Compatible,
    "OpenAPI 3.1, Server Variable Object",
);
pub(super) const PATH_ADDED: ContractRule =
    rule("openapi/path-added", "A path is new.", Compatible, Compatible, CALLED);
pub(super) const PATH_REMOVED: ContractRule =
    rule("openapi/path-removed", "A path is gone.", Breaking, Breaking, CALLED);
pub(super) const OPERATION_ADDED: ContractRule =
    rule("openapi/operation-added", "An operation is new.", Compatible, Compatible, CALLED);
pub(super) const OPERATION_REMOVED: ContractRule =
    rule("openapi/operation-removed", "An operation is gone.", Breaking, Breaking, CALLED);
pub(super) const OPERATION_DEPRECATED: ContractRule =
    rule("openapi/operation-deprecated", "An operation is declared as deprecated.", Compatible, Compatible, CALLED);
pub(super) const OPERATION_ID: ContractRule = rule(
    "openapi/operation-id-changed",
    "An operation has another id. It is not sent, but generated clients are named for it.",
    Unknown,
    Unknown,
    "OpenAPI 3.1, Operation Object",
);
pub(super) const PARAMETER_ADDED: ContractRule =
    rule("openapi/parameter-added", "A parameter is new, and may be left out.", Compatible, Compatible, PARAMETER);
pub(super) const PARAMETER_REQUIRED: ContractRule =
    rule("openapi/required-parameter-added", "A parameter is new and required.", Compatible, Breaking, PARAMETER);
pub(super) const PARAMETER_REMOVED: ContractRule = rule(
    "openapi/parameter-removed",
    "A parameter is gone: it is refused, or does nothing.",
    Breaking,
    Breaking,
    PARAMETER,
);
pub(super) const PARAMETER_BECAME_REQUIRED: ContractRule =
    rule("openapi/parameter-became-required", "A parameter became required.", Compatible, Breaking, PARAMETER);
pub(super) const PARAMETER_BECAME_OPTIONAL: ContractRule =
    rule("openapi/parameter-became-optional", "A parameter is no longer required.", Breaking, Compatible, PARAMETER);
pub(super) const PARAMETER_STYLE: ContractRule = rule(
    "openapi/parameter-style-changed",
    "A parameter is written otherwise: `style`, `explode`, `allowReserved`, or content instead of a schema.",
    Breaking,
    Breaking,
    PARAMETER,
);
pub(super) const BODY_ADDED: ContractRule =
    rule("openapi/body-added", "A request may have a body now.", Compatible, Compatible, BODY);
pub(super) const BODY_REQUIRED: ContractRule =
    rule("openapi/body-required", "A request must have a body now.", Compatible, Breaking, BODY);
pub(super) const BODY_OPTIONAL: ContractRule =
    rule("openapi/body-optional", "A request may be without its body now.", Breaking, Compatible, BODY);
pub(super) const BODY_REMOVED: ContractRule =
    rule("openapi/body-removed", "A request no longer has a body.", Breaking, Breaking, BODY);
pub(super) const MEDIA_ADDED: ContractRule = rule(
    "openapi/media-type-added",
    "One more media type is accepted or offered.",
    Compatible,
    Compatible,
    "RFC 9110, section 12: it is asked for",
);
pub(super) const MEDIA_REMOVED: ContractRule =
    rule("openapi/media-type-removed", "A media type is no longer accepted or offered.", Breaking, Breaking, CALLED);
pub(super) const MEDIA_WIDENED: ContractRule = rule(
    "openapi/media-type-widened",
    "A range of media types (`text/*`, `*/*`) stands where one type of it, or a narrower range, stood: what is answered \
     may be any of it.",
    Unknown,
    Compatible,
    "OpenAPI 3.1, Media Type Object: a key is a media type or a range of them",
);
pub(super) const MEDIA_NARROWED: ContractRule = rule(
    "openapi/media-type-narrowed",
    "Some media types stand where a range of them stood: others are no longer accepted.",
    Compatible,
    Breaking,
    "OpenAPI 3.1, Media Type Object: a key is a media type or a range of them",
);
pub(super) const ENCODING: ContractRule = rule(
    "openapi/encoding-changed",
    "The parts of a form or of a multipart body are encoded otherwise.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const RESPONSE_ADDED: ContractRule =
    rule("openapi/response-added", "One more status may be answered.", Compatible, Compatible, STATUS);
pub(super) const RESPONSE_REMOVED: ContractRule = rule(
    "openapi/response-removed",
    "A status that is no success is no longer answered.",
    Compatible,
    Compatible,
    STATUS,
);
pub(super) const SUCCESS_REMOVED: ContractRule =
    rule("openapi/success-removed", "A status of success is no longer answered.", Breaking, Breaking, CALLED);
pub(super) const HEADER_ADDED: ContractRule =
    rule("openapi/header-added", "A response has one more header.", Compatible, Compatible, CALLED);
pub(super) const HEADER_REMOVED: ContractRule =
    rule("openapi/header-removed", "A header of a response is gone.", Breaking, Breaking, CALLED);
pub(super) const HEADER_OPTIONAL: ContractRule = rule(
    "openapi/header-became-optional",
    "A header of a response is no longer always there.",
    Breaking,
    Compatible,
    "OpenAPI 3.1, Header Object",
);
pub(super) const SECURITY_TIGHTENED: ContractRule = rule(
    "openapi/security-tightened",
    "Who was let in is not let in in the same way: another scheme, or one more scope.",
    Breaking,
    Breaking,
    SECURITY,
);
pub(super) const SECURITY_LOOSENED: ContractRule =
    rule("openapi/security-loosened", "There is one more way to be let in.", Compatible, Compatible, SECURITY);
pub(super) const SCHEME_CHANGED: ContractRule = rule(
    "openapi/security-scheme-changed",
    "A security scheme that is in use has another type, place or name.",
    Breaking,
    Breaking,
    "OpenAPI 3.1, Security Scheme Object",
);
pub(super) const SCHEME_DETAILS: ContractRule = rule(
    "openapi/security-scheme-details",
    "Another detail of a security scheme differs: flows, addresses, the format of a token.",
    Unknown,
    Unknown,
    "OpenAPI 3.1, Security Scheme Object",
);

pub(super) const RULES: &[ContractRule] = &[
    SERVER_ADDED,
    SERVER_REMOVED,
    SERVER_VARIABLE,
    SERVER_VALUE,
    PATH_ADDED,
    PATH_REMOVED,
    OPERATION_ADDED,
    OPERATION_REMOVED,
    OPERATION_DEPRECATED,
    OPERATION_ID,
    PARAMETER_ADDED,
    PARAMETER_REQUIRED,
    PARAMETER_REMOVED,
    PARAMETER_BECAME_REQUIRED,
    PARAMETER_BECAME_OPTIONAL,
    PARAMETER_STYLE,
    BODY_ADDED,
    BODY_REQUIRED,
    BODY_OPTIONAL,
    BODY_REMOVED,
    MEDIA_ADDED,
    MEDIA_REMOVED,
    MEDIA_WIDENED,
    MEDIA_NARROWED,
    ENCODING,
    RESPONSE_ADDED,
    RESPONSE_REMOVED,
    SUCCESS_REMOVED,
    HEADER_ADDED,
    HEADER_REMOVED,
    HEADER_OPTIONAL,
    SECURITY_TIGHTENED,
    SECURITY_LOOSENED,
    SCHEME_CHANGED,
    SCHEME_DETAILS,
    REFERENCE,
    TOO_LARGE,
    UNREADABLE,
];
