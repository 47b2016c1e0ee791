//! 'Did you mean …?'

/// The name that was probably meant, if one of them is near enough.
pub(super) fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    /// Longer words are no typing mistakes of names, and comparing them costs their product.
    const LONGEST: usize = 64;
    /// More names than any map of DPDS has; a hostile one has more.
    const MOST: usize = 200;
    if written.len() > LONGEST {
        return None;
    }
    let allowed = (written.chars().count() / 4).clamp(1, 3);
    let folded = written.to_ascii_lowercase();
    let scored = names.into_iter().take(MOST).filter(|name| name.len() <= LONGEST).map(|name| {
        let distance = strsim::damerau_levenshtein(&folded, &name.to_ascii_lowercase());
        (distance, name)
    });
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= allowed && name != written).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

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
}
