//! `CAR01xx`: YAML syntax, and values that Kubernetes reads in a special way.

use super::Code;
use crate::model::codes::Severity;

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
    &TEXT_AFTER_END,
    &LINE_SEPARATOR,
    &BARE_WORD,
    &OTHER_TOOLS,
    &MALFORMED_SUPPRESSION,
    &UNUSED_SUPPRESSION,
];

/// A document is not YAML.
pub static SYNTAX: Code = Code {
    id: "CAR0101",
    severity: Severity::Error,
    title: "a YAML syntax error",
    explanation: "\
The document has a syntax error here. No part of this document is used; the other documents
of the file are.

Usual causes are a line whose indentation differs from that of its neighbors, a tab used for
indentation, a quote or bracket that is not closed, or a value that contains `: ` and is not
quoted.

Bad:

    title: Redis: the fast one

Good:

    title: \"Redis: the fast one\"
",
};

/// A mapping has a key twice.
pub static DUPLICATE_KEY: Code = Code {
    id: "CAR0102",
    severity: Severity::Error,
    title: "a duplicate key in a mapping",
    explanation: "\
kubectl silently keeps the last of the two values; other tools keep the first. Two spellings
of the same key are duplicates too: `1` and `\"1\"`, `y` and `true`.

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
    title: "a key is not a string",
    explanation: "\
The keys of a Kubernetes object are strings. Numbers and booleans are converted (`1:` is
`\"1\"`, `yes:` is `\"true\"`). A list, a mapping, null, or a number outside the range of 64-bit
integers cannot be converted, and kubectl rejects it too.

Bad:

    {a: b}: x
    null: x

Good:

    \"null\": x
",
};

/// A tag is not supported.
pub static TAG: Code = Code {
    id: "CAR0104",
    severity: Severity::Error,
    title: "a YAML tag that Kubernetes does not support",
    explanation: "\
kubectl silently drops tags other than `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`,
`!!map` and `!!seq`, or converts the value to raw bytes (`!!binary`), so the value in the
cluster is not the one that the tag specifies. A tag that contradicts its value is rejected
for the same reason.

Bad:

    password: !vault secret/redis
    count: !!int many

Good:

    count: 3
",
};

/// An alias has no anchor, or is inside its own anchor.
pub static ALIAS: Code = Code {
    id: "CAR0105",
    severity: Severity::Error,
    title: "an alias without an anchor",
    explanation: "\
`*name` repeats the value with the anchor `&name` earlier in the same document. There is no
such anchor before the alias, or the alias is inside the value that it refers to. An anchor
is valid in its own document only, not after the next `---`.

Bad:

    a: *size
    b: &size 3

Good:

    b: &size 3
    a: *size
",
};

/// The value of `<<` is not a mapping.
pub static MERGE: Code = Code {
    id: "CAR0106",
    severity: Severity::Error,
    title: "`<<` needs a mapping",
    explanation: "\
The merge key `<<` copies the pairs of another mapping. Its value must be a mapping, an alias
of one, or a list of these. To use `<<` as an ordinary key, quote it.

Bad:

    <<: 3

Good:

    <<: *defaults
",
};

/// A merge replaces a pair before it.
pub static MERGE_OVERRIDES: Code = Code {
    id: "CAR0107",
    severity: Severity::Warning,
    title: "`<<` replaces a key that precedes it",
    explanation: "\
Kubernetes reads a mapping from top to bottom, so `<<` replaces equal keys above it. In other
YAML readers a key of the mapping always takes precedence. If `<<` is first, all readers
agree.

Bad:

    size: 3
    <<: *defaults      # defaults has a size too

Good:

    <<: *defaults
    size: 3
",
};

/// The aliases of a file exceed the limit.
pub static ALIAS_BUDGET: Code = Code {
    id: "CAR0108",
    severity: Severity::Error,
    title: "aliases make the file too large",
    explanation: "\
Each alias repeats the value that it refers to. With nested aliases a small file can grow
exponentially, which is a known attack. The limits are 250,000 repeated values and 32 MiB of
repeated text in a file. Write the values out, or split the file.
",
};

/// Values exceed the nesting limit.
pub static TOO_DEEP: Code = Code {
    id: "CAR0109",
    severity: Severity::Error,
    title: "values are nested too deeply",
    explanation: "\
The limit is 128 levels of lists and mappings. The deepest CRDs in use have about 40. Deeper
nesting is usually caused by a bracket that is not closed, or by a defective generator.
",
};

/// A file has too many values.
pub static TOO_LARGE: Code = Code {
    id: "CAR0110",
    severity: Severity::Error,
    title: "the file has too many values",
    explanation: "\
carrier reads files of up to 32 MiB and 1,000,000 values. Split the file at a `---`.
",
};

/// A number is infinite or not a number.
pub static NOT_A_JSON_NUMBER: Code = Code {
    id: "CAR0111",
    severity: Severity::Error,
    title: "infinity and not-a-number do not exist in JSON",
    explanation: "\
`.inf` and `.nan` are numbers in YAML, but a Kubernetes object is JSON, which does not have
them; kubectl rejects them. Quote the value if it is a string.

Bad:

    limit: .inf

Good:

    limit: \".inf\"
",
};

/// An unquoted value is not a string where a string is required.
pub static AMBIGUOUS_SCALAR: Code = Code {
    id: "CAR0112",
    severity: Severity::Error,
    title: "an unquoted value that Kubernetes does not read as a string",
    explanation: "\
Kubernetes reads YAML 1.1: without quotes `yes`, `no`, `on`, `off`, `y`, `n` are booleans,
`010` and `0o10` are the number 8, `1_000` is the number 1000. The API server rejects them
where a string is required. Add quotes.

Bad:

    displayName: on

Good:

    displayName: \"on\"
",
};

/// A separator line contains text.
pub static SEPARATOR: Code = Code {
    id: "CAR0113",
    severity: Severity::Error,
    title: "text on a separator line",
    explanation: "\
kubectl reads every line that begins with `---` as the end of a document, and rejects or drops
any other text on it. Only a comment is allowed.

Bad:

    --- {kind: Account}

Good:

    ---
    {kind: Account}
",
};

/// A document without a following `---` is followed by text.
pub static TEXT_AFTER_END: Code = Code {
    id: "CAR0114",
    severity: Severity::Error,
    title: "text after the end of a document",
    explanation: "\
The document has ended, with `...` or because its value is complete, and more text follows
without a line `---`. kubectl silently drops such text. Put `---` between two documents.

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

/// A character is a line break in YAML 1.1 only.
pub static LINE_SEPARATOR: Code = Code {
    id: "CAR0115",
    severity: Severity::Error,
    title: "a character that is a line break for some YAML readers only",
    explanation: "\
U+0085, U+2028 and U+2029 are line breaks for Kubernetes (YAML 1.1) and ordinary characters
for newer readers (YAML 1.2): the same text has two meanings, and a comment can end before the
end of its line. Remove the character, or write it as `\\N`, `\\L` or `\\P` in double quotes.
",
};

/// An unquoted key or value is not read as it is written.
pub static BARE_WORD: Code = Code {
    id: "CAR0116",
    severity: Severity::Warning,
    title: "an unquoted word that Kubernetes does not read as it is written",
    explanation: "\
Kubernetes reads YAML 1.1: without quotes `y`, `yes`, `on`, `n`, `no`, `off` are booleans, and
`010` is the number 8. As a key such a word is converted back to a string, so a property `y`
of a CRD is called `true`. In the `enum` of a string a boolean is accepted, and no value can be
equal to it. kubectl reads both in the same way and says nothing. Quote the word if it is
meant as text.

Bad:

    properties:
      y: {type: number}

Good:

    properties:
      \"y\": {type: number}
",
};

/// Files of other tools cannot be read.
pub static OTHER_TOOLS: Code = Code {
    id: "CAR0117",
    severity: Severity::Info,
    title: "YAML of other tools is not read",
    explanation: "\
A YAML file of the repository cannot be read as Kubernetes reads YAML, and mentions none of
the API groups of KubeCarrier: it is a file of another tool, such as a Helm template, a CI
pipeline or an Ansible playbook. It is ignored. A file that cannot be read and mentions one
of these groups is an error, because it may hold an object of the repository.

List such files and folders in `.carrierignore`, and this is not reported.
",
};

/// A `# carrier: ignore` comment is not valid.
pub static MALFORMED_SUPPRESSION: Code = Code {
    id: "CAR0120",
    severity: Severity::Warning,
    title: "a `carrier: ignore` comment is not valid",
    explanation: "\
The comment lists one or more codes in brackets and gives a reason. It is at the end of the
line that it applies to, or on the line above.

Bad:

    # carrier: ignore
    # carrier: ignore[CAR9999]

Good:

    # carrier: ignore[CAR0107] the defaults win on purpose
",
};

/// A `# carrier: ignore` comment suppresses no diagnostic.
pub static UNUSED_SUPPRESSION: Code = Code {
    id: "CAR0121",
    severity: Severity::Warning,
    title: "a `carrier: ignore` comment suppresses no diagnostic",
    explanation: "\
The line has no such diagnostic, or the diagnostic is an error, which cannot be suppressed.
Remove the comment, so that it does not suppress a new diagnostic later.
",
};
