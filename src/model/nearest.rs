//! "Did you mean": the known word nearest to one that is not known.

/// The candidate nearest to `word`, when one is near enough to be meant: a third
/// of the letters may differ, or only their case. Of equals the first wins, so
/// the answer depends on the order of the candidates alone.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded: Vec<char> = word.to_lowercase().chars().collect();
    let limit = (folded.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|c| *c != word)
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().collect();
            if folded.len().abs_diff(other.len()) > limit {
                return None;
            }
            let distance = distance(&folded, &other);
            (distance <= limit && distance < other.len().max(1)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be put in, left out, changed or swapped with their
/// neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let change = last[j] + usize::from(x != y);
            row[j + 1] = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
