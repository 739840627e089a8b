//! Times as Kubernetes writes them, to the second, kept as one number: the digits as they stand. What time it means does not
//! matter: it is written again as it was. Pure.

/// The form, with a `0` for each digit.
const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";

/// The digits of a time as one number; `None` for any other text, which [`text`] would not give back.
#[must_use]
pub(super) fn digits(written: &str) -> Option<i64> {
    let written: &[u8; 20] = written.as_bytes().try_into().ok()?;
    let mut number = 0;
    for (is, form) in written.iter().zip(FORM) {
        match form {
            b'0' if is.is_ascii_digit() => number = number * 10 + i64::from(is - b'0'),
            b'0' => return None,
            _ if is == form => {}
            _ => return None,
        }
    }
    Some(number)
}

/// The time with these digits.
#[must_use]
pub(super) fn text(digits: i64) -> String {
    let digits = format!("{digits:014}");
    let mut left = digits.chars();
    FORM.iter().map(|form| if *form == b'0' { left.next().unwrap_or('0') } else { char::from(*form) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_back_as_it_was_written_or_not_at_all() {
        for written in ["2026-11-30T04:05:06Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(digits(written).map(text).as_deref(), Some(written));
        }
        for other in [
            "",
            "yesterday",
            "2026-11-30T04:05:06.5Z",
            "2026-11-30T04:05:06+01:00",
            "2026-11-30",
            "2026-11-30 04:05:06Z",
        ] {
            assert_eq!(digits(other), None, "{other}");
        }
    }
}
