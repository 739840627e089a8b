//! Formats of strings: which ones an API server checks, and whether text has one.
//!
//! The list is that of Kubernetes 1.37 (apiextensions `pkg/apiserver/validation/formats.go`), the
//! rules are those of kube-openapi `pkg/validation/strfmt` and of the Go library functions that it
//! calls. A format that is not in the list is ignored, as the server ignores it. `-` in a name does
//! not count: `date-time` is `datetime`. Formats of numbers are judged with the numbers.

mod address;
mod code;
mod time;
mod uri;

use std::sync::LazyLock;

use super::pattern::Pattern;

/// What is said of text in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The text has the format, or no server checks it.
    Fits,
    /// A server refuses the text.
    Refused,
    /// Only a server knows.
    Unjudged,
}

/// Whether a server refuses `text` in a field of that format.
///
/// Servers before 1.34 do not know `k8s-short-name` and `k8s-long-name` and refuse nothing there.
#[must_use]
pub fn judge(format: &str, text: &str) -> Verdict {
    let Some(fits) = check(&normal(format)) else { return Verdict::Fits };
    match fits {
        Check::Fits(fits) if fits(text) => Verdict::Fits,
        Check::Fits(_) => Verdict::Refused,
        Check::Email => email(text),
    }
}

/// Whether a server checks that format of strings.
#[must_use]
pub fn is_checked(format: &str) -> bool {
    check(&normal(format)).is_some()
}

fn normal(format: &str) -> String {
    format.replace('-', "")
}

enum Check {
    Fits(fn(&str) -> bool),
    Email,
}

fn check(format: &str) -> Option<Check> {
    Some(Check::Fits(match format {
        "email" => return Some(Check::Email),
        "bsonobjectid" => code::is_object_id,
        "uri" => uri::is_request_uri,
        "hostname" => is_hostname,
        "ipv4" => address::is_ipv4,
        "ipv6" => address::is_ipv6,
        "cidr" => address::is_cidr,
        "mac" => address::is_mac,
        "uuid" => |text| code::is_uuid(text, None),
        "uuid3" => |text| code::is_uuid(text, Some('3')),
        "uuid4" => |text| code::is_uuid(text, Some('4')),
        "uuid5" => |text| code::is_uuid(text, Some('5')),
        "isbn" => |text| code::is_isbn10(text) || code::is_isbn13(text),
        "isbn10" => code::is_isbn10,
        "isbn13" => code::is_isbn13,
        "creditcard" => code::is_credit_card,
        "ssn" => code::is_ssn,
        "hexcolor" => code::is_hex_color,
        "rgbcolor" => code::is_rgb_color,
        "byte" => code::is_base64,
        "password" => |_| true,
        "date" => time::is_date,
        "datetime" => time::is_date_time,
        "duration" => time::is_duration,
        "k8sshortname" => |text| text.len() <= 63 && is_dashed(text),
        "k8slongname" => |text| text.len() <= 253 && text.split('.').all(is_dashed),
        _ => return None,
    }))
}

fn is_dashed(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.chars().all(|c| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// One label without a dot, or labels whose last one is of letters alone. Letters and symbols of all scripts count.
fn is_hostname(text: &str) -> bool {
    static HOST: LazyLock<Option<Pattern>> = LazyLock::new(|| {
        let part = r"[0-9\p{S}\p{L}]";
        let inside = r"[-0-9\p{S}\p{L}]";
        let label = format!(r"{part}(?:{inside}{{0,61}}{part})?");
        Pattern::compile(&format!(r"^(?:{part}-?{part}{{0,62}}|(?:{label}\.)+\p{{L}}{{2,63}})$")).ok()
    });
    HOST.as_ref().is_some_and(|host| host.matches(text))
        && text.len() <= 255
        && text.split('.').all(|label| label.len() <= 63)
}

/// As Go's `net/mail.ParseAddress` reads it. Quotes, comments, display names and groups are left to the server.
fn email(text: &str) -> Verdict {
    if !text.contains('@') {
        return Verdict::Refused;
    }
    if text.contains(['(', ')', '<', '>', '[', ']', ':', ';', '\\', ',', '"']) {
        return Verdict::Unjudged;
    }
    let blank = [' ', '\t'];
    let atom = |text: &str| {
        !text.is_empty()
            && text.split('.').all(|part| !part.is_empty())
            && text.chars().all(|c| !c.is_ascii() || c.is_ascii_graphic() && c != '@')
    };
    match text.trim_matches(blank).split_once('@') {
        Some((local, domain)) if atom(local) && atom(domain.trim_start_matches(blank)) => Verdict::Fits,
        _ => Verdict::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats, with texts that kube-apiserver v1.37 takes and refuses.
    const FORMATS: [(&str, &[&str], &[&str]); 27] = [
        ("date", &["2024-02-29", "0000-01-01"], &["2023-02-29", "2024-1-01", "2024-01-01T00:00:00Z", ""]),
        (
            "date-time",
            &["2024-02-29T23:59:59Z", "2024-01-01t00:00:00.5+25:99", "2024-01-01T00:00:00zTx"],
            &[
                "2024-01-01",
                "2024-01-01T24:00:00Z",
                "2024-01-01T00:00:60Z",
                "2024-01-01T00:00:00",
                "2024-01-01 00:00:00Z",
            ],
        ),
        ("datetime", &["2024-02-29T23:59:59Z"], &["today"]),
        (
            "duration",
            &["1h30m", "0", "-1.5h", "5 minutes", "in 3 days or so", "1.h", "2w", "1μs"],
            &["", "1", "h", "5 fortnights", "99999999999999999999 s"],
        ),
        ("uuid", &["123e4567-e89b-12d3-a456-426614174000", "123E4567e89b12d3a456426614174000"], &["123e4567", ""]),
        ("uuid4", &["123e4567-e89b-42d3-a456-426614174000"], &["123e4567-e89b-12d3-a456-426614174000"]),
        ("uuid3", &["123e4567-e89b-32d3-0456-426614174000"], &["123e4567-e89b-42d3-a456-426614174000"]),
        ("email", &["a@b", "a.b+c@d.e", " ü@ö.ü "], &["a", "a@", "@b", ".a@b", "a..b@c", "a@b@c", "a b@c"]),
        ("ipv4", &["1.2.3.4", "01.002.3.4", "::ffff:1.2.3.4"], &["1.2.3", "1.2.3.256", "::1", ""]),
        (
            "ipv6",
            &["::1", "::", "2001:db8::1", "::ffff:1.2.3.4"],
            &["1.2.3.4", "::1%eth0", ":::", "1:2:3:4:5:6:7", "::01.2.3.4"],
        ),
        ("cidr", &["10.0.0.0/8", "10.00.0.1/032", "::/0"], &["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/"]),
        (
            "mac",
            &["00:00:5e:00:53:01", "00-00-5e-00-53-01", "0000.5e00.5301", "00005e005301"],
            &["00:00:5e:00:53", "00:00-5e:00:53:01", "0000.5e00.530g"],
        ),
        (
            "uri",
            &["http://a/b?c#d", "/a", "mailto:a@b", "*", "http://[::1]:80/", "a:"],
            &["a", "", "a b", "http://a b/", "http://a:b/", "http://[::1", "/%zz", ":a", "http://a:1:2/", "\u{7f}"],
        ),
        ("hostname", &["a", "a-b", "a.bc", "ü.example", "1"], &["", "-a", "a.b1", "a_b", "a.b.", "1.2.3.4"]),
        ("byte", &["YQ==", "YWI=", "YWJj"], &["", "YQ", "YQ=", "Y Q="]),
        ("password", &["", "x"], &[]),
        ("bsonobjectid", &["507f1f77bcf86cd799439011"], &["507f1f77", "507f1f77bcf86cd79943901g", ""]),
        ("isbn", &["0321751043", "978-0321751041", "3 401 01319 X"], &["0321751044", ""]),
        ("isbn10", &["0321751043"], &["978-0321751041"]),
        ("isbn13", &["978-0321751041"], &["0321751043", "978-0321751042"]),
        ("creditcard", &["4220855426222389", "4220-8554-2622-2389", "x4220855426222389"], &["4220855426213389", ""]),
        ("ssn", &["191-60-2869", "191 60-2869"], &["191602869", "191-60-286"]),
        ("hexcolor", &["#FFF", "ffffff"], &["#ff", "#ggg", ""]),
        ("rgbcolor", &["rgb(0,31,255)", "rgb( 0 , 31,255 )"], &["rgb(01,31,255)", "rgb(256,0,0)", "rgb(0,0)"]),
        ("k8s-short-name", &["a", "a-1"], &["", "-a", "a.b", "A"]),
        ("k8s-long-name", &["a.b-c"], &["a..b", "a.", ""]),
        ("ipv7", &["anything"], &[]),
    ];

    #[test]
    fn formats_are_judged_as_the_server_judges_them() {
        for (format, good, bad) in FORMATS {
            for text in good {
                assert_eq!(judge(format, text), Verdict::Fits, "{format}: {text:?}");
            }
            for text in bad {
                assert_eq!(judge(format, text), Verdict::Refused, "{format}: {text:?}");
            }
        }
    }

    #[test]
    fn addresses_with_names_and_comments_are_left_to_the_server() {
        assert_eq!(judge("email", "A <a@b.c>"), Verdict::Unjudged);
        assert_eq!(judge("email", "\"a b\"@c"), Verdict::Unjudged);
        assert_eq!(judge("email", "a <b>"), Verdict::Refused, "no address is without `@`");
    }
}
