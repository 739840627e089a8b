//! Files of other tools in the repository, such as Helm templates, CI pipelines and Ansible playbooks.
//!
//! Their YAML has tags and expressions that Kubernetes does not read. Such a file is ignored if nothing in it can be an
//! object of our kinds: its text mentions none of our groups, nor one of our kinds without any `apiVersion`, as a half-written
//! object does. Ignored files are said once, together.

use super::secret;
use super::unreadable::UnreadableDocument;
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::kinds::table::KINDS;
use crate::model::source::{FileId, Sources};

/// The beginning of the name of all our groups, as far as people spell it right.
const GROUP: &str = "kubecar";
/// Limits of the reader. A file that reaches one is refused, whatever is in it.
const LIMITS: [&crate::model::codes::Code; 3] = [&codes::ALIAS_BUDGET, &codes::TOO_DEEP, &codes::TOO_LARGE];

/// Whether a file with these diagnostics is one of another tool, which is ignored.
pub(super) fn is_foreign(text: &str, found: &Diagnostics) -> bool {
    let document = || UnreadableDocument::of(text);
    // A Secret or kubeconfig that cannot be read may hold credentials, which do not belong into a repository; a template
    // of one does not.
    let is_secret = || !text.contains("{{") && (document().names_kind("Secret") || text.contains("client-key-data"));
    !found.iter().any(|d| LIMITS.contains(&d.code)) && !mentions_ours(text) && !is_half_ours(text) && !is_secret()
}

/// Whether a text has one of our kinds, and says of no group that it is of.
fn is_half_ours(text: &str) -> bool {
    let document = UnreadableDocument::of(text);
    let ours = || KINDS.iter().any(|info| info.authored && document.names_kind(info.kind));
    !text.contains("apiVersion") && ours()
}

/// Whether a text mentions one of our groups, in any case.
fn mentions_ours(text: &str) -> bool {
    text.as_bytes().windows(GROUP.len()).any(|window| window.eq_ignore_ascii_case(GROUP.as_bytes()))
}

/// The first error of a file that is ignored. Warnings about the text of another tool are no use to anybody.
pub(super) fn first_error(text: &str, file: FileId, found: Diagnostics) -> Option<Diagnostic> {
    let mut first = found.into_sorted().into_iter().find(|d| d.severity == Severity::Error)?;
    if secret::looks_secret(text) {
        first.hide(file);
        first.code.title.clone_into(&mut first.message);
    }
    Some(first)
}

/// Adds how to exclude the file, where it looks like one of another tool and mentions one of our groups.
pub(super) fn name_the_ignore_file(text: &str, found: &mut Diagnostics) {
    let is_template = text.contains("{{");
    let others = std::mem::take(found).into_iter().map(|diagnostic| {
        let of_template = is_template && matches!(diagnostic.code.id, "CAR0101" | "CAR0103");
        match of_template || diagnostic.code == &codes::TAG {
            true => diagnostic
                .help("if the file is one of another tool, such as a Helm template, list it in `.carrierignore`"),
            false => diagnostic,
        }
    });
    others.for_each(|diagnostic| found.push(diagnostic));
}

/// The diagnostic for all ignored files, at the first whose text may be shown.
pub(super) fn said(errors: Vec<Diagnostic>, sources: &Sources) -> Option<Diagnostic> {
    const SHOWN: usize = 5;
    let path = |d: &Diagnostic| d.primary.as_ref().map_or("", |label| sources.path(label.span)).to_owned();
    let mut errors: Vec<(String, Diagnostic)> = errors.into_iter().map(|d| (path(&d), d)).collect();
    let is_hidden = |d: &Diagnostic| d.primary.as_ref().is_some_and(|label| label.sensitive);
    errors.sort_by(|a, b| (is_hidden(&a.1), &a.0).cmp(&(is_hidden(&b.1), &b.0)));
    let others: Vec<String> = errors.iter().skip(1).map(|(path, _)| format!("`{path}`")).collect();
    let (path, first) = errors.into_iter().next()?;
    let message =
        format!("`{path}` is ignored: it is not YAML that Kubernetes reads, and nothing in it is for carrier");
    let mut info = Diagnostic { primary: first.primary, ..Diagnostic::unplaced(&codes::OTHER_TOOLS, message) };
    info = info.at(first.message).help("list files of other tools in `.carrierignore`");
    if !others.is_empty() {
        let more = others.len().saturating_sub(SHOWN);
        let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown: Vec<String> = others.into_iter().take(SHOWN).collect();
        info = info.note(format!("the same is true of {}{tail}", shown.join(", ")));
    }
    Some(info)
}
