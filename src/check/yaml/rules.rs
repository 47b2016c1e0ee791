//! What can be wrong with one file, before anybody asks what it says.

use crate::domain::finding::Severity;
use crate::domain::rule::Rule;

/// All rules of this room.
pub const RULES: &[Rule] = &[
    UNREADABLE,
    LINK,
    TOO_LARGE,
    ENCODING,
    CONTROL_CHARACTER,
    EMPTY,
    NOT_A_MAP,
    YAML,
    JSON,
    SEVERAL_DOCUMENTS,
    DUPLICATE_KEY,
    KEY_NOT_TEXT,
    COMPLEX_KEY,
    MERGE_KEY,
    TYPOGRAPHIC_QUOTES,
    TAG,
    NUMBER,
    TYPED_DIFFERENTLY,
    VERSION_LOSES_DIGIT,
    RECURSIVE_ALIAS,
    ALIAS_BOMB,
    TOO_DEEP,
    TOO_MANY_NODES,
];

/// Those that doubt how others read a scalar.
pub(in crate::check) const DOUBTS: [&Rule; 3] = [&TYPED_DIFFERENTLY, &VERSION_LOSES_DIGIT, &TYPOGRAPHIC_QUOTES];

pub(in crate::check) const UNREADABLE: Rule = Rule {
    id: "file/unreadable",
    severity: Severity::Error,
    meaning: "The root file of the descriptor could not be read: it is missing, a folder, or the repository itself cannot be read.",
    example: "meshwright validate no-such-file.yaml",
    remedy: "Check the path, or fetch again.",
    source: "Meshwright; what cannot be evaluated is a failure",
};

pub(in crate::check) const LINK: Rule = Rule {
    id: "file/link",
    severity: Severity::Error,
    meaning: "The root file, or a folder above it, is a symbolic link or a submodule. Links are not followed, because they can lead out of the repository.",
    example: "data-product-descriptor.yaml -> ../../etc/passwd",
    remedy: "Commit the file itself.",
    source: "Meshwright; links are how repositories read what is not theirs",
};

pub(in crate::check) const TOO_LARGE: Rule = Rule {
    id: "syntax/too-large",
    severity: Severity::Error,
    meaning: "A file is larger than 1 MiB.",
    example: "a descriptor with the data inside",
    remedy: "Move examples, data and generated parts out of the descriptor.",
    source: "Meshwright, limits",
};

pub(in crate::check) const ENCODING: Rule = Rule {
    id: "syntax/encoding",
    severity: Severity::Error,
    meaning: "A file is not UTF-8. A byte order mark in front of UTF-8 is fine.",
    example: "a file saved as UTF-16 or Latin-1",
    remedy: "Save the file as UTF-8.",
    source: "DPDS 1.0.0, Format; RFC 8259, 8.1",
};

pub(in crate::check) const CONTROL_CHARACTER: Rule = Rule {
    id: "syntax/control-character",
    severity: Severity::Error,
    meaning: "A file has a control character in it, raw or as the escape of U+0000. Binary files have them.",
    example: "displayName: \"Trips\\0\"",
    remedy: "Remove the character; write tabs and line breaks in quotes as \\t and \\n.",
    source: "YAML 1.2.2, 5.1 (printable characters)",
};

pub(in crate::check) const EMPTY: Rule = Rule {
    id: "syntax/empty",
    severity: Severity::Error,
    meaning: "A file has no content, or only comments.",
    example: "# to be done",
    remedy: "Write the content, or remove the file.",
    source: "DPDS 1.0.0, Data Product Descriptor Document",
};

pub(in crate::check) const NOT_A_MAP: Rule = Rule {
    id: "syntax/not-a-map",
    severity: Severity::Error,
    meaning: "The content of a descriptor is not a map of fields.",
    example: "- name: trips",
    remedy: "Begin with 'dataProductDescriptor: 1.0.0'.",
    source: "DPDS 1.0.0, Data Product Descriptor Document",
};

pub(in crate::check) const YAML: Rule = Rule {
    id: "syntax/yaml",
    severity: Severity::Error,
    meaning: "The text is not YAML 1.2.",
    example: "info: {name: trips",
    remedy: "Look at the indentation, the quotes and the colons around the place.",
    source: "YAML 1.2.2",
};

pub(in crate::check) const JSON: Rule = Rule {
    id: "syntax/json",
    severity: Severity::Error,
    meaning: "The text of a .json or .avsc file is not JSON.",
    example: "{\"name\": \"trips\",}",
    remedy: "Look for a comma too many, a missing quote, or a comment.",
    source: "RFC 8259",
};

pub(in crate::check) const SEVERAL_DOCUMENTS: Rule = Rule {
    id: "syntax/several-documents",
    severity: Severity::Error,
    meaning: "A file has more than one YAML document. Which one counts would depend on the reader.",
    example: "a: 1\n---\na: 2",
    remedy: "Put each document into a file of its own.",
    source: "DPDS 1.0.0, Format",
};

pub(in crate::check) const DUPLICATE_KEY: Rule = Rule {
    id: "syntax/duplicate-key",
    severity: Severity::Error,
    meaning: "A key stands twice in one map. Which one counts would depend on the reader.",
    example: "name: a\nname: b",
    remedy: "Keep one of them.",
    source: "YAML 1.2.2, 3.2.1.3; RFC 8259, 4",
};

pub(in crate::check) const KEY_NOT_TEXT: Rule = Rule {
    id: "syntax/key-not-text",
    severity: Severity::Warning,
    meaning: "A key is a number, a truth value or null in YAML. It is read as the text that stands there.",
    example: "responses:\n  200: {}",
    remedy: "Put the key in quotes.",
    source: "DPDS 1.0.0, Format: keys are strings",
};

pub(in crate::check) const COMPLEX_KEY: Rule = Rule {
    id: "syntax/complex-key",
    severity: Severity::Error,
    meaning: "A key is a list, a map, an alias, or is missing.",
    example: "? [a, b]\n: c",
    remedy: "Give the field a name.",
    source: "DPDS 1.0.0, Format: keys are strings",
};

pub(in crate::check) const TYPOGRAPHIC_QUOTES: Rule = Rule {
    id: "scalar/typographic-quotes",
    severity: Severity::Warning,
    meaning: "A text stands in typographic quotes, as word processors and chat programs make them of plain ones. They are letters to YAML, and part of the text.",
    example: "displayName: “Daily trips”",
    remedy: "Write plain quotes.",
    source: "YAML 1.2.2, 7.3",
};

pub(in crate::check) const MERGE_KEY: Rule = Rule {
    id: "syntax/merge-key",
    severity: Severity::Error,
    meaning: "The key '<<' merges maps in YAML 1.1 and is an ordinary key in YAML 1.2, so readers differ.",
    example: "<<: *defaults",
    remedy: "Write the fields out, or use '$ref'.",
    source: "YAML 1.2.2",
};

pub(in crate::check) const TAG: Rule = Rule {
    id: "syntax/tag",
    severity: Severity::Error,
    meaning: "A value has a tag that means nothing in JSON, or that its value does not fit.",
    example: "secret: !!binary aGVsbG8=",
    remedy: "Remove the tag.",
    source: "DPDS 1.0.0, Format: JSON's types only",
};

pub(in crate::check) const NUMBER: Rule = Rule {
    id: "syntax/number",
    severity: Severity::Error,
    meaning: "A number is infinite, not a number, or too large to be read exactly.",
    example: "limit: .inf",
    remedy: "Write a number that JSON has, or put it in quotes to make it a text.",
    source: "DPDS 1.0.0, Format: JSON's types only",
};

pub(in crate::check) const TYPED_DIFFERENTLY: Rule = Rule {
    id: "scalar/typed-differently",
    severity: Severity::Warning,
    meaning: "A scalar without quotes is one thing in YAML 1.2 and another in YAML 1.1, which the usual readers of Python, Java and Ruby speak. Such are words for truth values (yes, no, on, off), octal numbers (0123), numbers with underscores (1_000) or of base 60 (1:30), dates (2024-06-01), and numbers that only YAML 1.2 knows (089, 0o17, 1e3). It is read as YAML 1.2 says.",
    example: "countries: [de, no]",
    remedy: "Put it in quotes where a text is meant; write numbers in plain digits, and truth values as true and false.",
    source: "DPDS 1.0.0, Format: YAML 1.2; YAML 1.1, types bool, int, float and timestamp",
};

pub(in crate::check) const VERSION_LOSES_DIGIT: Rule = Rule {
    id: "scalar/version-loses-digit",
    severity: Severity::Warning,
    meaning: "A version without quotes is a number, and its last digit is lost: 1.10 is 1.1. Where DPDS itself asks for a text, it is the error schema/type.",
    example: "x-api-version: 1.10",
    remedy: "Put the version in quotes.",
    source: "YAML 1.2.2, 10.3.2; DPDS 1.0.0, Format",
};

pub(in crate::check) const RECURSIVE_ALIAS: Rule = Rule {
    id: "syntax/recursive-alias",
    severity: Severity::Error,
    meaning: "An alias stands inside of what it stands for.",
    example: "a: &a [*a]",
    remedy: "Write the part out where it is needed.",
    source: "DPDS 1.0.0, Format: JSON has no cycles",
};

pub(in crate::check) const ALIAS_BOMB: Rule = Rule {
    id: "syntax/alias-bomb",
    severity: Severity::Error,
    meaning: "Aliases stand for more values or text than a descriptor may have. A few lines of aliases on aliases can stand for billions.",
    example: "b: &b [*a, *a, *a, *a]",
    remedy: "Write the parts out, or move them to a file and reference it.",
    source: "Meshwright, limits",
};

pub(in crate::check) const TOO_DEEP: Rule = Rule {
    id: "syntax/too-deep",
    severity: Severity::Error,
    meaning: "Maps and lists stand more than 64 deep inside each other.",
    example: "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    remedy: "Flatten the content.",
    source: "Meshwright, limits",
};

pub(in crate::check) const TOO_MANY_NODES: Rule = Rule {
    id: "syntax/too-many-values",
    severity: Severity::Error,
    meaning: "A file has more than 100,000 values.",
    example: "a generated list of all partitions",
    remedy: "Move what is large out of the descriptor.",
    source: "Meshwright, limits",
};
