//! `CAR01xx`: YAML and Kubernetes' reading of it.

use super::Code;
use crate::model::diagnostic::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &SYNTAX,
    &DUPLICATE_KEY,
    &KEY_NOT_A_STRING,
    &TAG,
    &ALIAS,
    &MERGE,
    &MERGE_OVERRIDES,
    &ALIAS_BUDGET,
    &TOO_DEEP,
    &TOO_LARGE,
    &NOT_A_JSON_NUMBER,
    &AMBIGUOUS_SCALAR,
    &SEPARATOR,
    &TEXT_BEHIND_END,
    &LINE_SEPARATOR,
    &MALFORMED_SUPPRESSION,
    &UNUSED_SUPPRESSION,
];

/// The text is no YAML.
pub static SYNTAX: Code = Code {
    id: "CAR0101",
    severity: Severity::Error,
    title: "the text is not YAML",
    explanation: "\
The document breaks off here: what follows cannot be read as YAML. Nothing of this
document is used; the other documents of the file are.

Usual causes are a line that is indented differently from its neighbours, a tab used
for indenting, a quote or bracket that is never closed, or a value with `: ` in it that
needs quotes.

Bad:

    title: Redis: the fast one

Good:

    title: \"Redis: the fast one\"
",
};

/// A mapping has the same key twice.
pub static DUPLICATE_KEY: Code = Code {
    id: "CAR0102",
    severity: Severity::Error,
    title: "a key stands twice in one mapping",
    explanation: "\
kubectl keeps the last of the two and drops the first without a word, other tools do the
reverse. Two spellings of one key count as the same: `1` and `\"1\"`, `y` and `true`.

Bad:

    roles: [Provider]
    roles: [Tenant]

Good:

    roles: [Provider, Tenant]
",
};

/// A key is a list, a mapping or null.
pub static KEY_NOT_A_STRING: Code = Code {
    id: "CAR0103",
    severity: Severity::Error,
    title: "a key cannot be a string",
    explanation: "\
The keys of a Kubernetes object are strings. Numbers and booleans become strings (`1:` is
`\"1\"`, `yes:` is `\"true\"`), but a list, a mapping, null, or a number above the range of
64-bit integers has no such reading, and kubectl refuses it too.

Bad:

    {a: b}: x
    null: x

Good:

    \"null\": x
",
};

/// A tag that Kubernetes has no reading for.
pub static TAG: Code = Code {
    id: "CAR0104",
    severity: Severity::Error,
    title: "a YAML tag that has no meaning in Kubernetes",
    explanation: "\
Tags other than `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq` are
dropped by kubectl without a word, or turn into raw bytes (`!!binary`), so the value in
the cluster is not what the tag asked for. A tag that contradicts its value is refused
for the same reason.

Bad:

    password: !vault secret/redis
    count: !!int many

Good:

    count: 3
",
};

/// An alias without an anchor, or inside its own anchor.
pub static ALIAS: Code = Code {
    id: "CAR0105",
    severity: Severity::Error,
    title: "an alias that leads nowhere",
    explanation: "\
`*name` stands for the value marked `&name` earlier in the same document. There is none
before this place, or the alias stands inside the value it refers to. Anchors end with
their document: one before `---` is unknown after it.

Bad:

    a: *size
    b: &size 3

Good:

    b: &size 3
    a: *size
",
};

/// The value of `<<` is no mapping.
pub static MERGE: Code = Code {
    id: "CAR0106",
    severity: Severity::Error,
    title: "`<<` needs a mapping",
    explanation: "\
The merge key `<<` takes over the pairs of another mapping. Its value is a mapping, an
alias of one, or a list of these. To use `<<` as an ordinary key, quote it.

Bad:

    <<: 3

Good:

    <<: *defaults
",
};

/// A merge replaces a pair that was written before it.
pub static MERGE_OVERRIDES: Code = Code {
    id: "CAR0107",
    severity: Severity::Warning,
    title: "`<<` replaces a key that stands before it",
    explanation: "\
Kubernetes reads a mapping from top to bottom, so a `<<` replaces equal keys above it.
Other YAML readers let the written key win, wherever it stands. With `<<` first, all of
them agree.

Bad:

    size: 3
    <<: *defaults      # defaults has a size too

Good:

    <<: *defaults
    size: 3
",
};

/// Aliases multiply a file beyond the limit.
pub static ALIAS_BUDGET: Code = Code {
    id: "CAR0108",
    severity: Severity::Error,
    title: "aliases make the file too large",
    explanation: "\
Each alias repeats the value it refers to. With aliases inside aliases a small file grows
without bound, which is a known attack. carrier stops at 250,000 repeated values or 32 MiB
of repeated text in a file. Write the values out, or split the file.
",
};

/// Values nested too deep.
pub static TOO_DEEP: Code = Code {
    id: "CAR0109",
    severity: Severity::Error,
    title: "values are nested too deep",
    explanation: "\
carrier reads up to 128 levels of lists and mappings. The deepest CRDs in use have about
40. Deeper text is almost always an unclosed bracket or a generated file gone wrong.
",
};

/// A file beyond the size limit.
pub static TOO_LARGE: Code = Code {
    id: "CAR0110",
    severity: Severity::Error,
    title: "the file has too much in it",
    explanation: "\
carrier reads files of up to 32 MiB and 1,000,000 values. Split the file at a `---`.
",
};

/// `.inf`, `.nan`.
pub static NOT_A_JSON_NUMBER: Code = Code {
    id: "CAR0111",
    severity: Severity::Error,
    title: "infinity and not-a-number cannot be written in JSON",
    explanation: "\
`.inf` and `.nan` are numbers in YAML, but a Kubernetes object is JSON, which has no such
numbers; kubectl refuses them. Quote the word if a string was meant.

Bad:

    limit: .inf

Good:

    limit: \".inf\"
",
};

/// A plain word that Kubernetes reads as something other than a string, where one is needed.
pub static AMBIGUOUS_SCALAR: Code = Code {
    id: "CAR0112",
    severity: Severity::Error,
    title: "a bare word that Kubernetes does not read as a string",
    explanation: "\
Kubernetes reads YAML 1.1: without quotes `yes`, `no`, `on`, `off`, `y`, `n` are booleans,
`010` and `0o10` are the number 8, `1_000` is the number 1000. Where a string is needed the
API server refuses them. Write quotes.

Bad:

    displayName: on

Good:

    displayName: \"on\"
",
};

/// Text on the line of a `---`.
pub static SEPARATOR: Code = Code {
    id: "CAR0113",
    severity: Severity::Error,
    title: "text on the line of a `---`",
    explanation: "\
kubectl takes every line that begins with `---` as the end of a document and refuses, or
drops, what else stands on it. Only a comment may follow.

Bad:

    --- {kind: Account}

Good:

    ---
    {kind: Account}
",
};

/// Text behind the end of a document without `---`.
pub static TEXT_BEHIND_END: Code = Code {
    id: "CAR0114",
    severity: Severity::Error,
    title: "text behind the end of a document",
    explanation: "\
The document has ended, by `...` or because its value is complete, and more text follows
without a line `---`. kubectl drops such text without a word. Put `---` between two
documents.

Bad:

    {kind: Account}
    ...
    kind: Catalog

Good:

    {kind: Account}
    ---
    kind: Catalog
",
};

/// A line break of YAML 1.1 that other readers take for a letter.
pub static LINE_SEPARATOR: Code = Code {
    id: "CAR0115",
    severity: Severity::Error,
    title: "a character that is a line break to some YAML readers only",
    explanation: "\
U+0085, U+2028 and U+2029 end a line for Kubernetes (YAML 1.1) and are ordinary characters
for newer readers (YAML 1.2): the same text means two things, and a comment may end in its
middle. Remove the character, or write it as `\\N`, `\\L` or `\\P` between double quotes.
",
};

/// A `# carrier: ignore` comment that cannot be understood.
pub static MALFORMED_SUPPRESSION: Code = Code {
    id: "CAR0120",
    severity: Severity::Warning,
    title: "a `carrier: ignore` comment that cannot be understood",
    explanation: "\
Such a comment names one or more codes in brackets and says why. It stands at the end of
the line concerned or on the line above.

Bad:

    # carrier: ignore
    # carrier: ignore[CAR9999]

Good:

    # carrier: ignore[CAR0107] the defaults win on purpose
",
};

/// A `# carrier: ignore` comment that hides nothing.
pub static UNUSED_SUPPRESSION: Code = Code {
    id: "CAR0121",
    severity: Severity::Warning,
    title: "a `carrier: ignore` comment that hides nothing",
    explanation: "\
There is no such diagnostic on the line (any more), or it is an error, which cannot be
hidden. Remove the comment, so that it does not hide something new one day.
",
};
