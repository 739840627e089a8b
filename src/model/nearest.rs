//! "Did you mean": the known word nearest to an unknown one.

use strsim::osa_distance;

/// The candidate nearest to `word`, if it is near enough to be meant.
///
/// Near enough means that at most a third of the letters of `word` (and at least one) have to be inserted, deleted,
/// changed or swapped with their neighbour, ignoring case. The first of several equally near candidates is returned, so
/// the answer depends on their order alone.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let length = folded.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|c| *c != word)
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let other_length = other.chars().count();
            if length.abs_diff(other_length) > limit {
                return None;
            }
            let distance = osa_distance(&folded, &other);
            // A distance of the whole length would replace the word by another one.
            (distance <= limit && distance < other_length.max(1)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["displayName", "shortDescription", "description", "logo", "icon"];
        for (word, meant) in [
            ("displayname", Some("displayName")),
            ("dispalyName", Some("displayName")),
            ("shortDescripton", Some("shortDescription")),
            ("lgoo", Some("logo")),
            ("replicas", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, keys), meant, "{word}");
        }
    }

    #[test]
    fn the_first_of_equals_wins_and_a_word_is_not_its_own_neighbour() {
        assert_eq!(nearest("ab", ["ac", "ad"]), Some("ac"));
        assert_eq!(nearest("ab", ["ab"]), None);
        assert_eq!(nearest("a", ["b"]), None, "a whole word is never swapped for another");
    }
}
