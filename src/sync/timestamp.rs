//! Times as Kubernetes writes them, to the second. Pure: what time it is now somebody else says.

use jiff::Timestamp;

/// A time as Kubernetes writes it.
#[must_use]
pub(super) fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The seconds since 1970 of a time that is written so; `None` for any other text, which [`text`] would not give back.
#[must_use]
pub(super) fn seconds(written: &str) -> Option<i64> {
    let time: Timestamp = written.parse().ok()?;
    (shown(time) == written).then(|| time.as_second())
}

/// The time so many seconds after 1970.
#[must_use]
pub(super) fn text(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_back_as_it_was_written_or_not_at_all() {
        let written = "2026-11-30T04:05:06Z";
        assert_eq!(seconds(written).and_then(text).as_deref(), Some(written));
        for other in ["", "yesterday", "2026-11-30T04:05:06.5Z", "2026-11-30T04:05:06+01:00", "2026-11-30"] {
            assert_eq!(seconds(other), None, "{other}");
        }
    }
}
