//! What a change of a `.proto` file means to those who exchange the messages in their binary form.

use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const UPDATING: &str = "Protocol Buffers, Updating A Message Type";
const NAMES: &str = "names are no part of the binary form, but JSON and generated code rely on them";
const ONEOF: &str = "Protocol Buffers, Oneof, Backwards-compatibility issues";
const ENUMS: &str = "Protocol Buffers, Enum Behavior";
const RPC: &str = "gRPC over HTTP/2: a path is /package.Service/Method";

pub(super) const UNREADABLE: ContractRule = rule(
    "protobuf/unreadable",
    "One of the two editions is no `.proto` file that can be read.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);
pub(super) const TOO_LARGE: ContractRule = rule(
    "protobuf/too-large",
    "So many messages have other names that they are not compared to the end.",
    Unknown,
    Unknown,
    "the comparison is bounded",
);
pub(super) const SYNTAX: ContractRule = rule(
    "protobuf/syntax-changed",
    "The file moved from proto2 to proto3 or back: presence, closed enums and checks of text differ.",
    Unknown,
    Unknown,
    ENUMS,
);
pub(super) const PACKAGE: ContractRule =
    rule("protobuf/package-changed", "A package without services was renamed.", Unknown, Unknown, NAMES);
pub(super) const PACKAGE_OF_SERVICE: ContractRule =
    rule("protobuf/package-of-service-changed", "A package with services was renamed.", Breaking, Breaking, RPC);
pub(super) const MESSAGE_ADDED: ContractRule =
    rule("protobuf/message-added", "A message is new.", Compatible, Compatible, UPDATING);
pub(super) const MESSAGE_REMOVED: ContractRule =
    rule("protobuf/message-removed", "A message is gone.", Breaking, Breaking, UPDATING);
pub(super) const FIELD_ADDED: ContractRule =
    rule("protobuf/field-added", "A field is new.", Compatible, Compatible, UPDATING);
pub(super) const REQUIRED_ADDED: ContractRule =
    rule("protobuf/required-field-added", "A field that is `required` is new.", Compatible, Breaking, UPDATING);
pub(super) const FIELD_REMOVED: ContractRule = rule(
    "protobuf/field-removed",
    "A field is gone: readers find nothing in it any more, and what is sent in it is lost.",
    Breaking,
    Compatible,
    UPDATING,
);
pub(super) const FIELD_RENUMBERED: ContractRule =
    rule("protobuf/field-renumbered", "A field has another number.", Breaking, Breaking, UPDATING);
pub(super) const FIELD_RENAMED: ContractRule = rule(
    "protobuf/field-renamed",
    "Another name stands at a field's number: a new name for the same, or another meaning.",
    Unknown,
    Unknown,
    NAMES,
);
pub(super) const JSON_NAME: ContractRule =
    rule("protobuf/json-name-changed", "A field has another name in JSON.", Unknown, Unknown, NAMES);
pub(super) const RESERVED_USED: ContractRule = rule(
    "protobuf/reserved-used",
    "A field or a value uses a number or a name that was reserved because it had been in use.",
    Breaking,
    Breaking,
    "Protocol Buffers, Reserved Field Numbers",
);
pub(super) const RESERVATION_REMOVED: ContractRule = rule(
    "protobuf/reservation-removed",
    "A number or a name is no longer reserved: it may be used again, for something else.",
    Unknown,
    Unknown,
    "Protocol Buffers, Reserved Field Numbers",
);
pub(super) const TYPE_WIDENED: ContractRule = rule(
    "protobuf/type-widened",
    "A type became a wider one of the same encoding (`int32` to `int64`, an enum to `int32`, `string` to `bytes`): \
     readers of the former cut or refuse what does not fit.",
    Unknown,
    Compatible,
    UPDATING,
);
pub(super) const TYPE_NARROWED: ContractRule = rule(
    "protobuf/type-narrowed",
    "A type became a narrower one of the same encoding: what does not fit is cut or refused.",
    Compatible,
    Unknown,
    UPDATING,
);
pub(super) const TYPE_SAME_ENCODING: ContractRule = rule(
    "protobuf/type-of-same-encoding",
    "A type became another one of the same encoding; some values mean something else.",
    Unknown,
    Unknown,
    UPDATING,
);
pub(super) const TYPE_CHANGED: ContractRule =
    rule("protobuf/type-changed", "A type became one of another encoding.", Breaking, Breaking, UPDATING);
pub(super) const TYPE_RENAMED: ContractRule = rule(
    "protobuf/type-renamed",
    "A field has a message or an enum of another name for its type. The two are compared, because names are not sent.",
    Unknown,
    Unknown,
    NAMES,
);
pub(super) const TYPE_ELSEWHERE: ContractRule = rule(
    "protobuf/type-elsewhere",
    "A field has another type for its type, and one of the two is defined in a file that is not there.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);
pub(super) const BECAME_REPEATED: ContractRule = rule(
    "protobuf/became-repeated",
    "A single field became `repeated`: readers of the former keep the last value only.",
    Breaking,
    Compatible,
    UPDATING,
);
pub(super) const BECAME_SINGLE: ContractRule = rule(
    "protobuf/became-single",
    "A `repeated` field became a single one: of what is sent, the last value is kept.",
    Compatible,
    Breaking,
    UPDATING,
);
pub(super) const BECAME_REQUIRED: ContractRule =
    rule("protobuf/became-required", "A field became `required`.", Compatible, Breaking, UPDATING);
pub(super) const BECAME_OPTIONAL: ContractRule =
    rule("protobuf/became-optional", "A field is no longer `required`.", Breaking, Compatible, UPDATING);
pub(super) const PRESENCE: ContractRule = rule(
    "protobuf/presence-changed",
    "`optional` was added or removed in proto3: whether a field was set can, or can no longer, be asked.",
    Compatible,
    Compatible,
    "Protocol Buffers, Field Presence",
);
pub(super) const DEFAULT_CHANGED: ContractRule = rule(
    "protobuf/default-changed",
    "A field has another default: each side takes its own for what is not sent.",
    Unknown,
    Unknown,
    UPDATING,
);
pub(super) const INTO_ONEOF: ContractRule = rule(
    "protobuf/into-oneof",
    "A field became a member of a `oneof` with others: of several that are sent, the last is kept.",
    Compatible,
    Breaking,
    ONEOF,
);
pub(super) const OUT_OF_ONEOF: ContractRule = rule(
    "protobuf/out-of-oneof",
    "A field left a `oneof`, or moved to another: readers of the former drop all but one of the values.",
    Breaking,
    Compatible,
    ONEOF,
);
pub(super) const ONEOF_ALONE: ContractRule = rule(
    "protobuf/oneof-of-one",
    "A single field became a `oneof`, or the only member of one left it.",
    Compatible,
    Compatible,
    ONEOF,
);
pub(super) const ONEOF_GREW: ContractRule = rule(
    "protobuf/oneof-grew",
    "A `oneof` has a new member: where it is set, readers of the former find none set.",
    Unknown,
    Compatible,
    ONEOF,
);
pub(super) const ENUM_ADDED: ContractRule =
    rule("protobuf/enum-added", "An enum is new.", Compatible, Compatible, UPDATING);
pub(super) const ENUM_REMOVED: ContractRule =
    rule("protobuf/enum-removed", "An enum is gone.", Breaking, Breaking, UPDATING);
pub(super) const VALUE_ADDED: ContractRule = rule(
    "protobuf/enum-value-added",
    "An enum of proto3 has a new value: it is handed on as a number that readers do not know.",
    Unknown,
    Compatible,
    ENUMS,
);
pub(super) const VALUE_ADDED_TO_CLOSED: ContractRule = rule(
    "protobuf/enum-value-added-to-closed",
    "An enum of proto2 has a new value: to readers that do not know it, the field is not set.",
    Breaking,
    Compatible,
    ENUMS,
);
pub(super) const VALUE_REMOVED: ContractRule = rule(
    "protobuf/enum-value-removed",
    "A value of an enum is gone, and what is sent with it is no longer understood.",
    Compatible,
    Breaking,
    ENUMS,
);
pub(super) const VALUE_RENUMBERED: ContractRule =
    rule("protobuf/enum-value-renumbered", "A value of an enum has another number.", Breaking, Breaking, ENUMS);
pub(super) const VALUE_RENAMED: ContractRule = rule(
    "protobuf/enum-value-renamed",
    "Another name stands at the number of an enum's value.",
    Unknown,
    Unknown,
    NAMES,
);
pub(super) const SERVICE_ADDED: ContractRule =
    rule("protobuf/service-added", "A service or a method is new.", Compatible, Compatible, RPC);
pub(super) const SERVICE_REMOVED: ContractRule =
    rule("protobuf/service-removed", "A service is gone.", Breaking, Breaking, RPC);
pub(super) const METHOD_REMOVED: ContractRule =
    rule("protobuf/method-removed", "A method of a service is gone.", Breaking, Breaking, RPC);
pub(super) const METHOD_STREAMING: ContractRule = rule(
    "protobuf/method-streaming",
    "A method's request or response became a stream, or no longer is one.",
    Breaking,
    Breaking,
    "gRPC, service definition",
);
pub(super) const METHOD_TYPE: ContractRule = rule(
    "protobuf/method-type",
    "A method takes or gives a message of another name. Where both are known, they are compared.",
    Unknown,
    Unknown,
    NAMES,
);
pub(super) const EXTENSIONS: ContractRule = rule(
    "protobuf/extensions-changed",
    "Extensions, or the numbers set aside for them, differ. They are not compared further.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);

pub(super) const RULES: &[ContractRule] = &[
    FIELD_ADDED,
    REQUIRED_ADDED,
    FIELD_REMOVED,
    FIELD_RENUMBERED,
    FIELD_RENAMED,
    JSON_NAME,
    RESERVED_USED,
    RESERVATION_REMOVED,
    TYPE_WIDENED,
    TYPE_NARROWED,
    TYPE_SAME_ENCODING,
    TYPE_CHANGED,
    TYPE_RENAMED,
    TYPE_ELSEWHERE,
    BECAME_REPEATED,
    BECAME_SINGLE,
    BECAME_REQUIRED,
    BECAME_OPTIONAL,
    PRESENCE,
    DEFAULT_CHANGED,
    INTO_ONEOF,
    OUT_OF_ONEOF,
    ONEOF_ALONE,
    ONEOF_GREW,
    VALUE_ADDED,
    VALUE_ADDED_TO_CLOSED,
    VALUE_REMOVED,
    VALUE_RENUMBERED,
    VALUE_RENAMED,
    MESSAGE_ADDED,
    MESSAGE_REMOVED,
    ENUM_ADDED,
    ENUM_REMOVED,
    SERVICE_ADDED,
    SERVICE_REMOVED,
    METHOD_REMOVED,
    METHOD_STREAMING,
    METHOD_TYPE,
    PACKAGE,
    PACKAGE_OF_SERVICE,
    SYNTAX,
    EXTENSIONS,
    TOO_LARGE,
    UNREADABLE,
];
