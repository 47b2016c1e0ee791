//! Whose language is spoken where: it decides what a `$ref` means.

use crate::check::yaml::segments;

/// What stands at a place of a descriptor, as far as references are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The whole descriptor.
    Root,
    /// `components`: a map of libraries.
    Components,
    /// One library of `components`, and the stages of `lifecycleInfo`: the keys are names.
    Named,
    /// `internalComponents`.
    Internal,
    /// DPDS' own objects: a `$ref` is a Reference Object.
    Structure,
    /// The `definition` of a Standard Definition: itself an object or a Reference Object, and what
    /// is in it speaks its own language.
    Definition,
    /// Inside of a definition: OpenAPI, AsyncAPI, the datastore API, JSON Schema and the like.
    Foreign,
    /// `configurations`: an object or a Reference Object; what is in it belongs to the executor.
    Configurations,
    /// Extensions and configurations: nothing is touched.
    Opaque,
}

/// What a `$ref` at a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// DPDS expects it: it must lead somewhere.
    Ours,
    /// Another language's: files are followed, the rest is left.
    Theirs,
    /// An ordinary field.
    None,
}

impl Mode {
    /// What a `$ref` in a map of this mode is.
    pub(super) fn reference(self) -> Meaning {
        match self {
            Mode::Root | Mode::Opaque => Meaning::None,
            Mode::Foreign => Meaning::Theirs,
            Mode::Components
            | Mode::Named
            | Mode::Internal
            | Mode::Structure
            | Mode::Definition
            | Mode::Configurations => Meaning::Ours,
        }
    }

    /// The mode of the value under `key`.
    pub(super) fn of_field(self, key: &str) -> Self {
        match self {
            Mode::Opaque | Mode::Configurations => Mode::Opaque,
            Mode::Foreign | Mode::Definition => Mode::Foreign,
            Mode::Named => Mode::Structure,
            Mode::Root | Mode::Components | Mode::Internal | Mode::Structure if key.starts_with("x-") => Mode::Opaque,
            Mode::Components => Mode::Named,
            Mode::Root => match key {
                "components" => Mode::Components,
                "internalComponents" => Mode::Internal,
                _ => Mode::Structure,
            },
            Mode::Internal if key == "lifecycleInfo" => Mode::Named,
            Mode::Internal => Mode::Structure,
            Mode::Structure => match key {
                "definition" => Mode::Definition,
                "configurations" => Mode::Configurations,
                _ => Mode::Structure,
            },
        }
    }

    /// The mode of an item of a list.
    pub(super) fn of_item(self) -> Self {
        match self {
            Mode::Definition => Mode::Foreign,
            Mode::Configurations => Mode::Opaque,
            same => same,
        }
    }

    /// The mode of what a reference at this place stands for.
    pub(super) fn of_target(self) -> Self {
        match self {
            Mode::Definition => Mode::Foreign,
            same => same,
        }
    }

    /// Whether a file that is neither YAML nor JSON may stand here, as a text.
    pub(super) fn takes_text(self) -> bool {
        matches!(self, Mode::Definition | Mode::Foreign)
    }
}

/// What belongs in the place of a list, where a reference stands instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instead {
    /// References, in the place of each item.
    Items,
    /// Texts.
    Texts,
}

impl std::fmt::Display for Instead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Instead::Items => "write the list, with a reference in the place of each item: - $ref: 'file.yaml#/0'",
            Instead::Texts => "write the list; its items are no references either",
        })
    }
}

/// What to write where a reference stands in the place of a list. A Reference Object stands for an object, so DPDS has
/// them in the place of items only. `None` where there is no list of DPDS.
pub(super) fn instead_of_reference(pointer: &str) -> Option<Instead> {
    let place: Vec<_> = segments(pointer).collect();
    let place: Vec<&str> = place.iter().map(AsRef::as_ref).collect();
    match place.as_slice() {
        // Names that people chose.
        ["components", _, _] => None,
        ["interfaceComponents", _]
        | ["internalComponents", "applicationComponents" | "infrastructuralComponents"]
        | ["internalComponents", "lifecycleInfo", _] => Some(Instead::Items),
        [.., "tags" | "contactPoints" | "dependsOn" | "consumesFrom" | "providesTo"] => Some(Instead::Texts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(path: &[&str]) -> Mode {
        path.iter().fold(Mode::Root, |mode, step| if *step == "[]" { mode.of_item() } else { mode.of_field(step) })
    }

    #[test]
    fn names_are_not_taken_for_fields() {
        let api = ["interfaceComponents", "outputPorts", "[]", "promises", "api", "definition"];
        assert_eq!(along(&api), Mode::Definition);
        assert_eq!(along(&[&api[..], &["paths"]].concat()), Mode::Foreign);
        assert_eq!(along(&["components", "apis", "definition"]), Mode::Structure);
        assert_eq!(along(&["components", "apis", "configurations", "definition"]), Mode::Definition);
        assert_eq!(along(&["internalComponents", "lifecycleInfo", "definition", "[]"]), Mode::Structure);
        assert_eq!(along(&["internalComponents", "lifecycleInfo", "dev", "[]", "configurations", "a"]), Mode::Opaque);
        assert_eq!(along(&["info", "x-more", "definition"]), Mode::Opaque);
    }
}
