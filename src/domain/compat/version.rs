//! Which version a change requires: Semantic Versioning 2.0.0 as DPDS 1.0.0 wants it.
//!
//! | what others rely on | from 1.0.0 on | before 1.0.0 |
//! |---|---|---|
//! | a port's major version changed | major | major |
//! | breaks | major | minor |
//! | cannot be told | minor | minor |
//! | goes on as before | minor | patch |
//! | is untouched | patch | patch |
//!
//! What cannot be told needs no less than what is compatible, before 1.0.0 no less than what breaks; whether
//! it is enough is for people to say, so it is always shown.

use semver::Version;

use super::Compatibility;

/// How far a version has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Patch,
    Minor,
    Major,
}

/// The smallest version that may follow `recorded`, with all that is `compatibility` in it. `port_major`
/// says whether the major version of a port changed.
///
/// After a pre-release, the release that it announced is enough where its number says enough: `2.0.0-rc.1`
/// may become `2.0.0` with whatever change.
pub fn required(recorded: &Version, compatibility: Compatibility, port_major: bool) -> Version {
    let Version { major, minor, patch, .. } = *recorded;
    let announced = !recorded.pre.is_empty();
    match step(recorded, compatibility, port_major) {
        Step::Patch if announced => Version::new(major, minor, patch),
        Step::Minor if announced && patch == 0 => Version::new(major, minor, patch),
        Step::Major if announced && major > 0 && minor == 0 && patch == 0 => Version::new(major, minor, patch),
        Step::Patch => Version::new(major, minor, patch.saturating_add(1)),
        Step::Minor => Version::new(major, minor.saturating_add(1), 0),
        Step::Major => Version::new(major.saturating_add(1), 0, 0),
    }
}

/// Whether a version is at least as high as what is required. A pre-release counts as the version that it
/// announces.
pub fn is_enough(version: &Version, required: &Version) -> bool {
    let number = |version: &Version| (version.major, version.minor, version.patch);
    number(version) >= number(required)
}

const fn step(recorded: &Version, compatibility: Compatibility, port_major: bool) -> Step {
    let is_available = recorded.major > 0;
    match compatibility {
        _ if port_major => Step::Major,
        Compatibility::Breaking if is_available => Step::Major,
        Compatibility::Breaking | Compatibility::Unknown => Step::Minor,
        Compatibility::Compatible if is_available => Step::Minor,
        Compatibility::Compatible | Compatibility::Identical => Step::Patch,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Compatibility; 4] =
        [Compatibility::Identical, Compatibility::Compatible, Compatibility::Unknown, Compatibility::Breaking];

    #[test]
    fn versions_that_people_know() {
        use Compatibility::{Breaking, Compatible, Identical, Unknown};
        let cases = [
            ("1.2.3", Identical, false, "1.2.4"),
            ("1.2.3", Compatible, false, "1.3.0"),
            ("1.2.3", Unknown, false, "1.3.0"),
            ("1.2.3", Breaking, false, "2.0.0"),
            ("1.2.3", Identical, true, "2.0.0"),
            ("0.2.3", Compatible, false, "0.2.4"),
            ("0.2.3", Unknown, false, "0.3.0"),
            ("0.2.3", Breaking, false, "0.3.0"),
            ("0.2.3", Breaking, true, "1.0.0"),
            ("2.0.0-rc.1", Breaking, false, "2.0.0"),
            ("1.3.0-rc.1", Breaking, false, "2.0.0"),
            ("1.3.0-rc.1", Compatible, false, "1.3.0"),
            ("1.3.1-rc.1", Compatible, false, "1.4.0"),
            ("0.0.0-a", Breaking, true, "1.0.0"),
            ("1.2.3+build.7", Identical, false, "1.2.4"),
        ];
        for (recorded, compatibility, port_major, expected) in cases {
            let version = required(&recorded.parse().unwrap(), compatibility, port_major);
            assert_eq!(version.to_string(), expected, "{recorded} {compatibility:?} {port_major}");
        }
        assert!(is_enough(&"2.0.0-rc.1".parse().unwrap(), &"2.0.0".parse().unwrap()));
    }

    fn version() -> impl Strategy<Value = Version> {
        (0..4u64, 0..4u64, 0..4u64, prop_oneof![3 => Just(""), 1 => Just("-rc.1"), 1 => Just("+7")])
            .prop_map(|(major, minor, patch, rest)| format!("{major}.{minor}.{patch}{rest}").parse().unwrap())
    }

    /// The rule itself, put otherwise: which of two versions may follow each other.
    fn is_legal(recorded: &Version, next: &Version, compatibility: Compatibility, port_major: bool) -> bool {
        let major = next.major > recorded.major;
        let minor = major || (next.major == recorded.major && next.minor > recorded.minor);
        let any = minor || (next.major, next.minor) == (recorded.major, recorded.minor) && next.patch > recorded.patch;
        match (compatibility, recorded.major) {
            _ if port_major => major,
            (Compatibility::Breaking, 1..) => major,
            (Compatibility::Compatible, 1..) | (Compatibility::Unknown | Compatibility::Breaking, _) => minor,
            _ => any,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_the_smallest_legal_one(
            recorded in version(), next in version(), at in 0..4usize, port_major in any::<bool>()
        ) {
            prop_assume!(recorded.pre.is_empty());
            let needed = required(&recorded, ALL[at], port_major);
            prop_assert!(is_legal(&recorded, &needed, ALL[at], port_major));
            prop_assert_eq!(is_enough(&next, &needed), is_legal(&recorded, &next, ALL[at], port_major));
        }

        #[test]
        fn it_goes_forward_and_grows_with_the_weight(recorded in version(), port_major in any::<bool>()) {
            let needed = ALL.map(|compatibility| required(&recorded, compatibility, port_major));
            for (lighter, heavier) in needed.iter().zip(&needed[1..]) {
                prop_assert!(lighter <= heavier);
            }
            for version in needed {
                prop_assert!(version.cmp_precedence(&recorded).is_gt());
                prop_assert!(version.pre.is_empty() && version.build.is_empty());
            }
        }
    }
}
