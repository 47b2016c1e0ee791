//! What can be wrong with a reference.

use crate::domain::finding::Severity;
use crate::domain::rule::Rule;

/// All rules of this room.
pub const RULES: &[Rule] = &[
    NOT_FOUND,
    NO_FRAGMENT,
    NO_SLASH,
    MALFORMED,
    REMOTE,
    REMOTE_NOT_FOLLOWED,
    ANCHOR_NOT_FOLLOWED,
    RECURSIVE_DEFINITION,
    MEANING_MOVED,
    LEADS_NOWHERE,
    CYCLE,
    TOO_DEEP,
    OUTSIDE,
    LINK,
    SUBMODULE,
    FOLDER,
    NOT_A_DOCUMENT,
    SIBLING_IGNORED,
    NOT_HERE,
    TOO_MANY_FILES,
    TOO_MANY_BYTES,
    TOO_MANY_NODES,
];

pub(in crate::check) const NOT_FOUND: Rule = Rule {
    id: "ref/not-found",
    severity: Severity::Error,
    meaning: "A referenced file is not in the repository.",
    example: "$ref: ports/trisp.yaml",
    remedy: "Correct the path; it is relative to the file in which it stands.",
    source: "DPDS 1.0.0, Reference Object",
};

pub(in crate::check) const NO_FRAGMENT: Rule = Rule {
    id: "ref/no-such-part",
    severity: Severity::Error,
    meaning: "The file (or the document itself) is there, and has nothing at the JSON pointer behind the '#'.",
    example: "$ref: '#/components/apis/trisp'",
    remedy: "Correct the spelling; names are case-sensitive.",
    source: "DPDS 1.0.0, Reference Object; RFC 6901",
};

pub(in crate::check) const NO_SLASH: Rule = Rule {
    id: "ref/no-slash",
    severity: Severity::Error,
    meaning: "The part behind the '#' does not begin with '/', so it is not a JSON pointer. The switch 'compatibility.slashless-references' allows it.",
    example: "$ref: '#components/apis/trips'",
    remedy: "Write '#/components/apis/trips'.",
    source: "RFC 6901, 3",
};

pub(in crate::check) const MALFORMED: Rule = Rule {
    id: "ref/malformed",
    severity: Severity::Error,
    meaning: "The text of a reference cannot be read.",
    example: "$ref: 'ports\\trips.yaml'",
    remedy: "Write '#/components/…', 'file.yaml' or 'file.yaml#/pointer'.",
    source: "RFC 3986",
};

pub(in crate::check) const REMOTE: Rule = Rule {
    id: "ref/remote",
    severity: Severity::Error,
    meaning: "A reference of the descriptor leads to another machine. What is deployed must be in the commit that was reviewed, so nothing is fetched.",
    example: "$ref: https://example.com/port.json",
    remedy: "Commit the file and reference it by its path.",
    source: "Meshwright; the content of a revision never changes",
};

pub(in crate::check) const REMOTE_NOT_FOLLOWED: Rule = Rule {
    id: "ref/remote-not-followed",
    severity: Severity::Warning,
    meaning: "A definition in another language references another machine. The reference is left as it is, and nobody checks what it stands for.",
    example: "definition: {components: {schemas: {Trip: {$ref: 'https://example.com/trip.json'}}}}",
    remedy: "Commit the file and reference it by its path.",
    source: "Meshwright; nothing is fetched",
};

pub(in crate::check) const ANCHOR_NOT_FOLLOWED: Rule = Rule {
    id: "ref/anchor-not-followed",
    severity: Severity::Warning,
    meaning: "A definition references a part of another file by the name of an anchor. It is left as it is.",
    example: "$ref: 'defs.json#Trip'",
    remedy: "Use a JSON pointer behind the '#'.",
    source: "JSON Schema 2020-12, 8.2.2",
};

pub(in crate::check) const RECURSIVE_DEFINITION: Rule = Rule {
    id: "ref/recursive-definition",
    severity: Severity::Warning,
    meaning: "A file that a definition references leads back to itself. The inner reference is left as it is.",
    example: "$ref: node.json, inside of node.json",
    remedy: "Nothing, when who reads the definition has the file too.",
    source: "Meshwright; a definition cannot hold itself",
};

pub(in crate::check) const LEADS_NOWHERE: Rule = Rule {
    id: "ref/leads-nowhere",
    severity: Severity::Warning,
    meaning: "A definition in another language references a part of itself ('#/…') that is not there.",
    example: "schema: {$ref: '#/components/schemas/Tirp'}, in an OpenAPI document",
    remedy: "Correct the spelling, or add the part; names are case-sensitive.",
    source: "RFC 6901; the specification of the definition's language",
};

pub(in crate::check) const MEANING_MOVED: Rule = Rule {
    id: "ref/meaning-moved",
    severity: Severity::Warning,
    meaning: "A file that was put into a definition has a reference to itself ('#/…'), which now means the whole definition.",
    example: "$ref: '#/Trip', in a file that another definition references",
    remedy: "Reference the file by its name.",
    source: "JSON Reference, 3; the base of a reference is the document in which it stands",
};

pub(in crate::check) const CYCLE: Rule = Rule {
    id: "ref/cycle",
    severity: Severity::Error,
    meaning: "A reference leads back to where it stands, so there is no end to putting it in.",
    example: "a: {$ref: '#/components/apis/a'}",
    remedy: "Write one of the parts out.",
    source: "JSON Reference, 3",
};

pub(in crate::check) const TOO_DEEP: Rule = Rule {
    id: "ref/too-deep",
    severity: Severity::Error,
    meaning: "References lead to references more than 32 times.",
    example: "a -> b -> c -> …",
    remedy: "Reference the part itself.",
    source: "Meshwright, limits",
};

pub(in crate::check) const OUTSIDE: Rule = Rule {
    id: "ref/outside",
    severity: Severity::Error,
    meaning: "A reference leads out of the repository, or begins at the root of the file system.",
    example: "$ref: ../../../etc/passwd",
    remedy: "Paths are relative to the file in which they stand, and stay in the repository.",
    source: "Meshwright; a descriptor reads only its own commit",
};

pub(in crate::check) const LINK: Rule = Rule {
    id: "ref/link",
    severity: Severity::Error,
    meaning: "A referenced file, or a folder above it, is a symbolic link. Links are not followed, because they can lead out of the repository.",
    example: "$ref: link-to-port.yaml",
    remedy: "Reference the file itself.",
    source: "Meshwright; links are how repositories read what is not theirs",
};

pub(in crate::check) const SUBMODULE: Rule = Rule {
    id: "ref/submodule",
    severity: Severity::Error,
    meaning: "A referenced file is in a submodule, which is another repository.",
    example: "$ref: vendor/shared/port.yaml",
    remedy: "Copy the file into this repository.",
    source: "Meshwright; a descriptor reads only its own commit",
};

pub(in crate::check) const FOLDER: Rule = Rule {
    id: "ref/folder",
    severity: Severity::Error,
    meaning: "A reference leads to a folder.",
    example: "$ref: ports",
    remedy: "Reference a file in it.",
    source: "DPDS 1.0.0, Reference Object",
};

pub(in crate::check) const NOT_A_DOCUMENT: Rule = Rule {
    id: "ref/not-a-document",
    severity: Severity::Error,
    meaning: "A reference leads to a file that is neither YAML nor JSON, in a place where only fields can stand. The 'definition' of an API or a template may be any text.",
    example: "outputPorts: [{$ref: trips.sql}]",
    remedy: "Reference a file that ends in .yaml, .yml or .json.",
    source: "DPDS 1.0.0, Reference Object",
};

pub(in crate::check) const SIBLING_IGNORED: Rule = Rule {
    id: "ref/sibling-ignored",
    severity: Severity::Warning,
    meaning: "A field stands beside a '$ref' and has no effect. Only 'description' counts there.",
    example: "{$ref: port.yaml, version: 2.0.0}",
    remedy: "Move the field into what is referenced.",
    source: "DPDS 1.0.0, Reference Object; JSON Reference, 3",
};

pub(in crate::check) const NOT_HERE: Rule = Rule {
    id: "ref/not-here",
    severity: Severity::Error,
    meaning: "A reference stands in the place of a whole list. DPDS has references in the place of a list's items, and its schema wants a list here, so other readers refuse it. An object may stand elsewhere, also where the schema does not say so ('info', 'owner'): what it means is plain.",
    example: "outputPorts: {$ref: ports.yaml}",
    remedy: "Write the list, with a reference in the place of each item.",
    source: "DPDS 1.0.0, Reference Object; the type of the field in question",
};

pub(in crate::check) const TOO_MANY_FILES: Rule = Rule {
    id: "ref/too-many-files",
    severity: Severity::Error,
    meaning: "A descriptor references more than 200 files.",
    example: "a port per table of a large database",
    remedy: "Put small parts together.",
    source: "Meshwright, limits",
};

pub(in crate::check) const TOO_MANY_BYTES: Rule = Rule {
    id: "ref/too-many-bytes",
    severity: Severity::Error,
    meaning: "A descriptor with all its files, or with all its references replaced, has more than 8 MiB.",
    example: "the same large definition referenced by every port",
    remedy: "Move examples, data and generated parts out.",
    source: "Meshwright, limits",
};

pub(in crate::check) const TOO_MANY_NODES: Rule = Rule {
    id: "ref/too-many-values",
    severity: Severity::Error,
    meaning: "With all its references replaced, a descriptor has more than 100,000 values.",
    example: "references to files that reference files, ten times each",
    remedy: "Reference less, or split the product.",
    source: "Meshwright, limits",
};
