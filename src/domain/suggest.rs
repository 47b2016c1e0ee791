//! 'Did you mean …?', for names in descriptors, in the configuration and on the command line.

/// The name that was probably meant, if one of them is near enough.
pub fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    /// Longer words are no typing mistakes of names, and comparing them costs their product.
    const LONGEST: usize = 64;
    /// More names than any map of DPDS, and than the list of rules; a hostile map has more.
    const MOST: usize = 200;
    if written.len() > LONGEST {
        return None;
    }
    let allowed = (written.chars().count() / 4).clamp(1, 3);
    // Quotes of word processors are letters to parsers.
    let folded = written.trim_matches(['“', '”', '„', '‘', '’', '«', '»']).to_ascii_lowercase();
    let letters = folded.chars().count();
    let near = names.into_iter().take(MOST).filter(|name| name.len() <= LONGEST).filter_map(|name| {
        let candidate = name.to_ascii_lowercase();
        // Whoever writes the beginning of a name, or more than the whole of it, means it too.
        let begins = folded.len().min(candidate.len()) >= 3
            && (candidate.starts_with(&folded) || folded.starts_with(&candidate));
        // Words are at least as far apart as their lengths.
        let may_be_near = candidate.chars().count().abs_diff(letters) <= allowed;
        let distance = (begins || may_be_near).then(|| strsim::damerau_levenshtein(&folded, &candidate))?;
        (begins || distance <= allowed).then_some((distance, name))
    });
    let (_, name) = near.min_by_key(|(distance, _)| (*distance > allowed, *distance))?;
    (name != written).then_some(name)
}

/// Advice for a name that is not known: the one that was probably meant, and all that there are.
pub fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let all: Vec<&str> = names.into_iter().collect();
    let list = match all.as_slice() {
        [] => "there are none".to_owned(),
        [one] => format!("there is only '{one}'"),
        many => format!("there are {}", many.join(", ")),
    };
    match nearest(written, all) {
        Some(near) => format!("did you mean '{near}'? {list}"),
        None => list,
    }
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, nearest};

    #[test]
    fn advice_names_what_was_meant_and_what_there_is() {
        assert_eq!(nearest("sorces", ["sources", "stages"]), Some("sources"));
        assert_eq!(nearest("dve", ["prod", "dev"]), Some("dev"));
        assert_eq!(nearest("qqq", ["sources", "stages"]), None);
        assert_eq!(nearest("sqlite", ["command", "sql"]), Some("sql"));
        assert_eq!(nearest("dailySale", ["orders:1", "dailySales:1"]), Some("dailySales:1"));
        assert_eq!(did_you_mean("pol", ["poll", "cron"]), "did you mean 'poll'? there are poll, cron");
        assert_eq!(did_you_mean("x", []), "there are none");
    }

    #[test]
    fn typing_mistakes_are_recognised_and_other_words_are_not() {
        let names = ["promises", "expectations", "obligations", "name", "tags", "servicesType"];
        assert_eq!(nearest("expectatctions", names), Some("expectations"));
        assert_eq!(nearest("serviceType", names), Some("servicesType"));
        assert_eq!(nearest("Name", names), Some("name"));
        assert_eq!(nearest("tag", names), Some("tags"));
        assert_eq!(nearest("owner", names), None);
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }

    /// Without leaving any comparison out.
    fn plainly<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
        let allowed = (written.chars().count() / 4).clamp(1, 3);
        let folded = written.to_ascii_lowercase();
        let scored = names.iter().map(|name| {
            let candidate = name.to_ascii_lowercase();
            let begins = folded.len().min(candidate.len()) >= 3
                && (candidate.starts_with(&folded) || folded.starts_with(&candidate));
            (strsim::damerau_levenshtein(&folded, &candidate), begins, *name)
        });
        let near = scored.filter(|(distance, begins, _)| *distance <= allowed || *begins);
        let (_, _, name) = near.min_by_key(|(distance, _, _)| (*distance > allowed, *distance))?;
        (name != written).then_some(name)
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_compared_could_not_have_been_meant(
            written in "[abcä]{0,12}",
            names in proptest::collection::vec("[abcä]{0,14}", 0..6),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            proptest::prop_assert_eq!(nearest(&written, names.iter().copied()), plainly(&written, &names));
        }
    }
}
