//! A plan as a comment on a pull request.
//!
//! Such a comment holds 65,536 characters. What does not fit is counted, never
//! dropped without a word. Everything that comes from a repository or a cluster
//! stands in code spans, where no markup, link or mention has a meaning.

use std::fmt::Write as _;

use super::text::sum;
use super::types::{Action, Change, Effect, FieldChange, FieldOp, Plan};
use super::words::{count, impact, not_asked, object, refusals_head};
use crate::model::plain;

/// The longest comment, in bytes.
pub const MAX_BYTES: usize = 60_000;
/// Kept free for the lines that count what was left out.
const RESERVE: usize = 2_000;
/// Of one change this many details of a sort are shown.
const DETAILS: usize = 10;

/// The plan as GitHub's Markdown.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let mut out = Page { text: String::new() };
    out.add(&format!("### carrier plan\n\n**{}**\n\n", escaped(&sum(plan))));
    if plan.against != "clusters" {
        let note = not_asked(plan).map(|note| format!(" {note}")).unwrap_or_default();
        out.add(&format!("Compared with {}.{note}\n\n", code(&plan.against)));
    }
    refusals(plan, &mut out);
    for cluster in &plan.clusters {
        let mut changes: Vec<&Change> = plan.changes.iter().filter(|c| c.object.cluster == cluster.name).collect();
        if !cluster.reached {
            out.add(&format!("{} did not answer: nothing of it is known.\n\n", code(&cluster.name)));
        } else if !changes.is_empty() {
            changes.sort_by_key(|change| std::cmp::Reverse(change.effect));
            block(&cluster.name, &changes, &mut out);
        }
    }
    kept(plan, &mut out);
    for drift in &plan.drift {
        let mut text = format!("{} in {} is not what was locked:\n\n", code(&drift.crd), code(&drift.cluster));
        text.extend(drift.lines.iter().take(DETAILS).map(|line| format!("- {}\n", code(line))));
        out.add(&format!("{text}\n"));
    }
    out.text.truncate(out.text.trim_end().len());
    out.text.push('\n');
    out.text
}

struct Page {
    text: String,
}

impl Page {
    fn fits(&self, more: &str) -> bool {
        self.text.len() + more.len() <= MAX_BYTES - RESERVE
    }

    /// Adds a text if there is room for it.
    fn add(&mut self, text: &str) -> bool {
        let fits = self.fits(text);
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    /// Adds all of the items that there is room for, and counts the others.
    fn list(&mut self, items: impl IntoIterator<Item = String>, what: &str) {
        let mut left_out = 0;
        for item in items {
            if left_out > 0 || !self.add(&item) {
                left_out += 1;
            }
        }
        if left_out > 0 && self.text.len() < MAX_BYTES - 200 {
            let plural = if left_out == 1 { "" } else { "s" };
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "- … and {left_out} more {what}{plural}");
        }
    }
}

fn refusals(plan: &Plan, out: &mut Page) {
    if plan.refusals.is_empty() {
        return;
    }
    out.add(&format!("{}\n\n", refusals_head(plan)));
    // Not so many that there is no room for the plan itself.
    let shown = plan.refusals.iter().take(50);
    out.list(
        shown.map(|refusal| {
            let flag = refusal.flag.as_deref().map(|f| format!(" Allowed by {}.", code(f))).unwrap_or_default();
            format!("- **{}**: {}.{flag}\n", escaped(&refusal.guard), code(&refusal.message))
        }),
        "refusal",
    );
    if plan.refusals.len() > 50 {
        out.add(&format!("- … and {} more\n", count(plan.refusals.len() - 50, "refusal")));
    }
    out.add("\n");
}

fn block(name: &str, changes: &[&Change], out: &mut Page) {
    let count_of = |action| changes.iter().filter(|c| c.action == action).count();
    let grave = changes.iter().any(|c| c.effect >= Effect::Breaking);
    let head = format!(
        "<details{}>\n<summary><b>{}</b>: {} to create, {} to change, {} to delete</summary>\n\n",
        if grave { " open" } else { "" },
        html(name),
        count_of(Action::Create),
        count_of(Action::Update),
        count_of(Action::Delete),
    );
    if !out.fits(&head) {
        let line = format!("{}: {}, not shown here\n\n", code(name), count(changes.len(), "change"));
        if out.text.len() + line.len() < MAX_BYTES - 200 {
            out.text.push_str(&line);
        }
        return;
    }
    out.add(&head);
    out.list(changes.iter().map(|c| change(c)), "change");
    // There is room kept for the end of what was begun.
    out.text.push_str("\n</details>\n\n");
}

fn change(change: &Change) -> String {
    let sign = match change.action {
        Action::Create => "➕",
        Action::Update => "✏️",
        Action::Delete => "➖",
    };
    let effect = match change.effect {
        Effect::Safe => "",
        Effect::Tightening => " _tightening_",
        Effect::Breaking => " **breaking**",
        Effect::Destructive => " **destructive**",
    };
    let place = change.source.as_ref().map(|p| format!(" ({})", code(&format!("{}:{}:{}", p.file, p.line, p.column))));
    let mut lines = vec![format!("- {sign} {}{effect}{}", code(&object(&change.object)), place.unwrap_or_default())];
    let mut details: Vec<String> = change.reasons.iter().map(|reason| code(&reason.text)).collect();
    details.extend(change.impact.iter().flat_map(|known| impact(known, false)).map(|line| code(line.trim())));
    details.extend(change.conflicts.iter().map(|c| format!("{} is managed by {}", code(&c.field), code(&c.manager))));
    details.extend(change.refused.iter().map(|why| format!("the API server refuses it: {}", code(why))));
    lines.extend(cut(details));
    let told = |field: &&FieldChange| change.reasons.is_empty() || !field.path.contains("/schema/openAPIV3Schema");
    lines.extend(cut(change.fields.iter().filter(told).map(field).collect()));
    let mut access = Vec::new();
    for one in &change.access {
        let place = one.namespace.as_deref().map(|n| format!(" in {n}")).unwrap_or_default();
        for (word, rights) in [("loses", &one.loses), ("gains", &one.gains)] {
            if !rights.is_empty() {
                let who = code(&format!("{}{place}", one.subject));
                access.push(format!("{who} {word} {}", code(&rights.join("; "))));
            }
        }
    }
    lines.extend(cut(access));
    lines.join("\n") + "\n"
}

/// Indented, and not too many.
fn cut(details: Vec<String>) -> Vec<String> {
    let more = details.len().saturating_sub(DETAILS);
    let mut lines: Vec<String> = details.into_iter().take(DETAILS).map(|line| format!("  - {line}")).collect();
    if more > 0 {
        lines.push(format!("  - … and {more} more"));
    }
    lines
}

fn field(field: &FieldChange) -> String {
    let value = |value: &Option<serde_json::Value>| match value {
        Some(value) => code(&value.to_string()),
        None => "_hidden_".to_owned(),
    };
    let path = code(&field.path);
    match field.op {
        FieldOp::Add => format!("{path} comes: {}", value(&field.after)),
        FieldOp::Remove => format!("{path} goes: {}", value(&field.before)),
        FieldOp::Replace if field.sensitive => format!("{path} changes: _hidden_"),
        FieldOp::Replace => format!("{path}: {} → {}", value(&field.before), value(&field.after)),
    }
}

fn kept(plan: &Plan, out: &mut Page) {
    if plan.kept.is_empty() {
        return;
    }
    let head = format!(
        "<details>\n<summary>{} that the repository no longer has would stay</summary>\n\n",
        count(plan.kept.len(), "object")
    );
    if out.add(&head) {
        out.list(plan.kept.iter().map(|one| format!("- {} in {}\n", code(&object(one)), code(&one.cluster))), "object");
        out.text.push_str("\n</details>\n\n");
    }
}

/// A code span, in which nothing has a meaning.
fn code(text: &str) -> String {
    let text = plain::line(text);
    // A run of backticks ends a span that began with as many.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Text of our own, with what Markdown or HTML would take for something else.
fn escaped(text: &str) -> String {
    let special = |c: char| matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '@' | '#');
    plain::line(text).chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// Text inside of HTML.
fn html(text: &str) -> String {
    plain::line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}
