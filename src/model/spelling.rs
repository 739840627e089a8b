//! "Did you mean …?": the nearest of some names, by edit distance.

/// The candidate nearest to `name`, if one is near enough to be what was meant:
/// at most a third of the letters differ, and at least one letter does not.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (distance(name, c), c))
        .filter(|(d, c)| *d <= limit && *d < c.chars().count())
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
        .map(|(_, c)| c)
}

/// Edits that turn one word into the other: insertions, deletions, replacements and swaps of
/// neighbours; letter case costs nothing.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_enough_or_not() {
        assert_eq!(nearest("replica", ["replicas", "region"]), Some("replicas"));
        assert_eq!(nearest("displayname", ["displayName", "description"]), Some("displayName"));
        assert_eq!(nearest("tpye", ["type", "tree"]), Some("type"));
        assert_eq!(nearest("image", ["mode", "size"]), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
