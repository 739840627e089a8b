//! Whether carrier and the server agree.

use serde_json::Value;

use super::server::Answer;
use super::shop::Judged;

/// How the verdicts compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Both take it, and the server takes what is rendered.
    Sound,
    /// Both refuse it.
    Refused,
    /// Carrier refuses what the server takes, for a reason of its own ([`OWN`]).
    Own(String),
    /// Carrier takes what the server refuses, and says that only the server knows ([`SAID`]).
    Said(String),
    /// Carrier takes what the server refuses: the source, or what is rendered.
    FalseFine(&'static str, String),
    /// Carrier refuses what the server takes.
    FalseRefusal(String),
    /// A CRD from the file and the same from the server are locked as different bytes.
    Drift(String),
    /// A panic, or an error without a place.
    Bug(String),
}

impl Outcome {
    /// Whether the product has to be mended.
    pub(super) fn is_wrong(&self) -> bool {
        !matches!(self, Self::Sound | Self::Refused | Self::Own(_) | Self::Said(_))
    }

    /// What the trouble is, without names, numbers and places: equal ones are one trouble.
    pub(super) fn signature(&self) -> String {
        match self {
            Self::FalseFine(at, message) => format!("false fine ({at}): {}", signature(message)),
            Self::FalseRefusal(words) => format!("false refusal: {}", signature(words)),
            Self::Drift(words) => {
                let words = words.split_once(": ").map_or(words.as_str(), |(_, words)| words);
                let word = |name: &str| words.split(name).nth(1).and_then(|rest| rest.chars().next()).unwrap_or(' ');
                let sort = |first: char| match first {
                    '{' => "object",
                    '[' => "list",
                    '"' => "text",
                    't' | 'f' => "boolean",
                    '0'..='9' | '-' => "number",
                    'n' => "null or nothing",
                    _ => "something",
                };
                format!("drift: file {}, server {}", sort(word("file ")), sort(word("server ")))
            }
            Self::Bug(words) => format!("bug: {}", signature(words)),
            Self::Own(code) | Self::Said(code) => code.clone(),
            Self::Sound | Self::Refused => String::new(),
        }
    }
}

/// The length of a signature.
const SIGNATURE: usize = 110;

/// The first fault of a message: of places the last part, of texts and numbers nothing.
fn signature(message: &str) -> String {
    if message.ends_with("field not declared in schema") {
        return "field not declared in schema".to_owned();
    }
    let message = message.split_once("json: ").map_or(message, |(_, rest)| rest);
    let mut found = String::new();
    let mut quoted = None;
    let mut word = String::new();
    for c in message.trim_start_matches('[').chars().chain([' ']) {
        match (quoted, c) {
            (Some(quote), c) if c == quote => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quoted = Some(c),
            (None, ' ') => {
                let is_place = word.matches(['.', '[', '/']).count() > 1;
                let last = word.trim_end_matches(['.', ':']).rsplit(['.', '/']).next().unwrap_or_default();
                let last = last.split('[').next().unwrap_or_default();
                found.push_str(if is_place { last } else { &word });
                found.push(' ');
                word.clear();
            }
            (None, c) if c.is_ascii_digit() => {}
            (None, c) => word.push(c),
        }
        if found.len() > SIGNATURE {
            break;
        }
    }
    found.chars().take(SIGNATURE).collect::<String>().trim().to_owned()
}

/// The errors of carrier about CRDs that a server takes: the code, what the message says, and why it is right.
pub(super) const OWN: &[(&str, &str, &str)] = &[
    ("CAR0109", "", "carrier reads values of 128 levels"),
    ("CAR0203", "has no value", "null is no value of a default or a preset; a server drops such a default"),
    ("CAR0301", "", "the offer names a field that the schema does not have"),
    ("CAR0302", "", "the offer's path has a syntax error"),
    ("CAR0303", "", "the offer's path goes through a list or a map without saying so"),
    ("CAR0304", "", "the offer's path says list or map where there is none"),
    ("CAR0305", "", "the offer's path goes on below a field that the CRD does not describe"),
    ("CAR0309", "", "the offer has a map both by key and by value"),
    ("CAR0310", "", "a required field is hidden, so that no instance could be valid"),
    ("CAR0311", "", "every alternative is hidden, so that no instance could be valid"),
    ("CAR0328", "", "the field can have no value; the test asks the server whether it takes one"),
    ("CAR0330", "", "the offer names a version that the CRD does not have"),
    ("CAR0331", "", "the offer names a version that is not served"),
    ("CAR0340", "", "a cluster-scoped CRD cannot be offered"),
    ("CAR0350", "must be an int-or-string", "a server takes any default of such a field, and then no instance with it"),
    ("CAR0350", "the same item twice", "a server takes such a default, and then no instance with it"),
    ("CAR0350", "is not a field of the CRD", "a server drops unknown fields of metadata without a word"),
    ("CAR0351", "is not a field of the CRD", "as above"),
    ("CAR0351", "must be an int-or-string", "as above: the test asks with a default, and an instance is refused"),
    ("CAR0351", "the same item twice", "a server takes such a default, with which the test asks, and no such instance"),
    ("CAR0352", "", "the offer has a preset of a visible field"),
    ("CAR0353", "", "the offer sets a value outside of the desired state"),
    ("CAR0354", "", "the offer sets one field twice"),
];

/// What servers say of CEL rules.
const OF_RULES: &[&str] = &["exceeds budget", "failed rule", "cost", "x-kubernetes-validations", "rule"];

/// The warnings of carrier that say that only the server knows, with what the server's reason must be about.
pub(super) const SAID: &[(&str, &[&str], &str)] = &[
    (
        "CAR0327",
        &["boundary value must be of type integer with format int32"],
        "the format is dropped, so that the value can be",
    ),
    (
        "CAR0344",
        OF_RULES,
        "the cost of rules over lists without bounds, and rules of defaults, are the server's to judge",
    ),
    ("CAR0355", &["Invalid value", "failed rule"], "a default or preset is not held against the rules of its field"),
    ("CAR0356", &["default"], "a few values are for the server alone to judge"),
];

/// The part of a server's message that says why, without the name of the CRD.
pub(super) fn reason(message: &str) -> &str {
    message.split_once(" is invalid: ").map_or(message, |(_, reason)| reason)
}

/// What must hold whatever the server says.
pub(super) fn bug(judged: &Judged) -> Option<Outcome> {
    if let Some(bug) = &judged.bug {
        return Some(Outcome::Bug(bug.clone()));
    }
    let homeless = judged.found.iter().find(|found| found.is_error && !found.placed);
    homeless.map(|found| Outcome::Bug(format!("without a place: {} {}", found.code, found.message)))
}

/// Compares the verdicts on a CRD. `applied` are the server's answers for what carrier rendered.
pub(super) fn judge(source: &Answer, judged: &Judged, applied: &[Answer]) -> Outcome {
    if let Some(bug) = bug(judged) {
        return bug;
    }
    match (source, !judged.has_errors()) {
        (Err(_), false) => Outcome::Refused,
        (Ok(_), false) => refusal(judged),
        (Err(message), true) => fine("source", message, judged),
        (Ok(_), true) => {
            let refused = applied.iter().enumerate().find_map(|(index, answer)| Some((index, answer.as_ref().err()?)));
            match refused {
                Some((index, message)) => fine(["internal", "derived"][index.min(1)], message, judged),
                None => Outcome::Sound,
            }
        }
    }
}

fn fine(at: &'static str, message: &str, judged: &Judged) -> Outcome {
    let said = SAID.iter().find(|(code, words, _)| {
        judged.found.iter().any(|found| found.is_warning && found.code == *code)
            && words.iter().any(|word| message.contains(word))
    });
    match said {
        Some((code, ..)) => Outcome::Said((*code).to_owned()),
        None => Outcome::FalseFine(at, reason(message).to_owned()),
    }
}

fn refusal(judged: &Judged) -> Outcome {
    let errors = || judged.found.iter().filter(|found| found.is_error);
    let own =
        errors().find(|found| OWN.iter().any(|(code, words, _)| found.code == *code && found.message.contains(words)));
    match own {
        Some(found) => Outcome::Own(found.code.clone()),
        None => {
            let words = errors().map(|found| format!("{}: {}", found.code, found.message));
            Outcome::FalseRefusal(words.take(3).collect::<Vec<_>>().join("; "))
        }
    }
}

/// How the locked CRD differs from what a server stores.
pub(super) fn drift(judged: &Judged, stored: &Value) -> Option<Outcome> {
    let mut stored = stored.clone();
    // The server answers without them where the object is of the request's kind.
    stored["apiVersion"] = "apiextensions.k8s.io/v1".into();
    stored["kind"] = "CustomResourceDefinition".into();
    let (file, server) = (judged.snapshot.as_ref()?, carrier::locking::strip(&stored));
    if *file == server {
        return None;
    }
    Some(Outcome::Drift(difference(file, &server, ["file", "server"])))
}

/// How two values differ, in a few words.
pub(super) fn difference(one: &Value, other: &Value, names: [&str; 2]) -> String {
    let mut found = Vec::new();
    differ(one, other, "", &mut |at, one, other| {
        let short = |value: Option<&Value>| match value {
            Some(value) => value.to_string().chars().take(300).collect(),
            None => "nothing".to_owned(),
        };
        found.push(format!("{at}: {} {}, {} {}", names[0], short(one), names[1], short(other)));
    });
    found.truncate(4);
    found.join("; ")
}

fn differ(one: &Value, other: &Value, at: &str, found: &mut impl FnMut(&str, Option<&Value>, Option<&Value>)) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let at = format!("{at}/{name}");
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => differ(a, b, &at, found),
                    (a, b) => found(&at, a, b),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differ(a, b, &format!("{at}/{index}"), found);
            }
        }
        (a, b) if a != b => found(at, Some(a), Some(b)),
        _ => {}
    }
}
