//! 'Did you mean …?'

/// The one of `known` that was probably meant by `text`; `None` when nothing is near enough.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = text.to_lowercase();
    let scored = known.into_iter().map(|candidate| {
        let candidate_lower = candidate.to_lowercase();
        let distance = strsim::osa_distance(&wanted, &candidate_lower);
        (distance, strsim::jaro_winkler(&wanted, &candidate_lower), candidate)
    });
    // A slip or two of the fingers, or most of the beginning.
    let near = scored.filter(|(distance, alike, candidate)| *distance <= candidate.len().max(3) / 3 || *alike > 0.8);
    near.min_by(|a, b| (a.0.cmp(&b.0)).then(b.1.total_cmp(&a.1))).map(|(.., candidate)| candidate)
}

/// Advice for a name that is not known: the one that was probably meant, and all that there are.
pub fn did_you_mean<'a>(text: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let all: Vec<&str> = known.clone().into_iter().collect();
    let list = match all.as_slice() {
        [] => "there are none".to_owned(),
        [one] => format!("there is only '{one}'"),
        many => format!("there are {}", many.join(", ")),
    };
    match nearest(text, known) {
        Some(near) => format!("did you mean '{near}'? {list}"),
        None => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_suggested_and_what_is_far_is_not() {
        assert_eq!(nearest("sorces", ["sources", "stages"]), Some("sources"));
        assert_eq!(nearest("Sources", ["sources"]), Some("sources"));
        assert_eq!(nearest("dve", ["prod", "dev"]), Some("dev"));
        assert_eq!(nearest("qqq", ["sources", "stages"]), None);
        assert_eq!(did_you_mean("pol", ["poll", "cron"]), "did you mean 'poll'? there are poll, cron");
        assert_eq!(did_you_mean("x", []), "there are none");
    }
}
