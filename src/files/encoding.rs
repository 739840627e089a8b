//! The encoding of a text: UTF-8, which Kubernetes reads, or another one, which is refused.
//!
//! UTF-16 is told from other bytes, because one program writes it unasked: `>` of Windows PowerShell.

/// Why bytes are not a text for Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotText {
    /// They are UTF-16.
    Utf16,
    /// They are not UTF-8 at this offset.
    NotUtf8(usize),
}

/// The bytes as a text.
///
/// # Errors
/// If they are not UTF-8.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, NotText> {
    if is_utf16(&bytes) {
        return Err(NotText::Utf16);
    }
    String::from_utf8(bytes).map_err(|error| NotText::NotUtf8(error.utf8_error().valid_up_to()))
}

/// Whether bytes are UTF-16: they have its byte-order mark, or every second one of the first is zero, as for ASCII
/// characters in UTF-16.
fn is_utf16(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 512;
    if !bytes.len().is_multiple_of(2) {
        return false;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    let start = bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or(bytes);
    let (mut even, mut odd, mut pairs) = (0, 0, 0);
    for pair in start.chunks_exact(2) {
        pairs += 1;
        even += usize::from(pair[0] == 0);
        odd += usize::from(pair[1] == 0);
    }
    // Half of the characters suffice, since the others may be of another script.
    pairs >= 2 && even.min(odd) == 0 && even.max(odd) * 2 >= pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn utf_16_is_recognized_in_each_form() {
        for words in ["kind: CustomResourceDefinition\n", "# Größe 漢字\na: b\n"] {
            for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
                assert_eq!(text(utf16(words, big, mark)), Err(NotText::Utf16), "{words} {big} {mark}");
            }
        }
    }

    #[test]
    fn other_bytes_are_not_utf_16() {
        assert_eq!(text(b"kind: A\n".to_vec()), Ok("kind: A\n".to_owned()));
        assert_eq!(text("\u{feff}kind: A\n".into()), Ok("\u{feff}kind: A\n".to_owned()));
        assert_eq!(text(b"a: Caf\xe9\n".to_vec()), Err(NotText::NotUtf8(6)));
        assert_eq!(text(b"a\0b: \0\0\0".to_vec()), Ok("a\0b: \0\0\0".to_owned()));
        assert_eq!(text(Vec::new()), Ok(String::new()));
        assert_eq!(text(b"a".to_vec()), Ok("a".to_owned()));
        assert_eq!(text(b"\xff\xfeA".to_vec()), Err(NotText::NotUtf8(0)), "half a character");
    }
}
