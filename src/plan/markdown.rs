//! A plan as a comment on a pull request.
//!
//! GitHub limits a comment to 65,536 characters. Entries that do not fit are
//! counted. All text from a repository or a cluster is in code spans, in which
//! markup, links and mentions have no effect.

use std::fmt::Write as _;

use super::adoption::{Entry, entries};
use super::going::sentence;
use super::text::{extra_head, going_head, summary};
use super::types::{Action, Change, Effect, ExtraField, FieldChange, FieldOp, Going, Plan};
use super::words::{count, doctor, impact, not_asked, object, placed, refusals_head, staying, untried};
use super::{repair, take_over};
use crate::model::markdown::{code, escaped, html};

/// The maximum length of the output, in bytes.
pub(crate) const MAX_BYTES: usize = 60_000;
/// Space for the lines that count omitted entries, in bytes.
const RESERVE: usize = 2_000;
/// The number of details of each sort that are shown for one change.
const DETAILS: usize = 10;

/// The plan as GitHub Flavored Markdown, at most [`MAX_BYTES`] long.
#[must_use]
pub(crate) fn markdown(plan: &Plan) -> String {
    let mut out = Page { text: String::new() };
    out.add(&format!("### carrier plan\n\n**{}**\n\n", escaped(&summary(plan))));
    if plan.against != "clusters" {
        let note = not_asked(plan).map(|note| format!(" {note}")).unwrap_or_default();
        out.add(&format!("Compared with {}.{note}\n\n", code(&plan.against)));
    }
    refusals(plan, &mut out);
    for cluster in &plan.clusters {
        let mut changes: Vec<&Change> = plan.changes.iter().filter(|c| c.object.cluster == cluster.name).collect();
        if !cluster.reached {
            out.add(&format!("{} was not compared; its state is unknown.\n\n", code(&cluster.name)));
        } else if !changes.is_empty() {
            changes.sort_by_key(|change| std::cmp::Reverse(change.effect));
            block(&cluster.name, &changes, &mut out);
        }
    }
    for cluster in &plan.clusters {
        if cluster.claims_inventory {
            out.add(&format!(
                "The inventory in {} names no repository yet, and gets the identity of this one.\n\n",
                code(&cluster.name)
            ));
        }
        if let Some(one) = &cluster.inventory_repair {
            let heading = format!("{}: {}\n\n", code(&cluster.name), escaped(&repair::heading(one)));
            let fields = one.fields.iter().map(|one| format!("- {}\n", field(one)));
            let notes = one.notes.iter().map(|note| format!("- {}\n", code(note)));
            out.list(std::iter::once(heading).chain(fields).chain(notes), "line");
            out.add("\n");
        }
        if let Some(why) = &cluster.inventory_unread {
            out.add(&format!("The inventory in {} could not be read: {}\n\n", code(&cluster.name), code(why)));
        }
        if let Some(why) = &cluster.inventory_refused {
            let name = code(&cluster.name);
            out.add(&format!("The API server refuses the ConfigMap of the inventory in {name}: {}\n\n", code(why)));
        }
        if let Some(what) = &cluster.untried {
            out.add(&format!("{}: {}\n\n", code(&cluster.name), escaped(&untried(what, false))));
        }
    }
    if let Some(command) = doctor(plan) {
        out.add(&format!("`carrier {command}` lists the missing permissions.\n\n"));
    }
    kept(plan, &mut out);
    going(plan, &mut out);
    extra(plan, &mut out);
    for drift in &plan.drift {
        let mut text = format!("{} in {} differs from the lock:\n\n", code(&drift.crd), code(&drift.cluster));
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

    /// Adds a text if it fits; returns whether it did.
    fn add(&mut self, text: &str) -> bool {
        let fits = self.fits(text);
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    /// Adds the items that fit, and a line with the number of the others.
    fn list(&mut self, items: impl IntoIterator<Item = String>, what: &str) {
        let mut omitted = 0;
        for item in items {
            if omitted > 0 || !self.add(&item) {
                omitted += 1;
            }
        }
        if omitted > 0 && self.text.len() < MAX_BYTES - 200 {
            let plural = if omitted == 1 { "" } else { "s" };
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "- … and {omitted} more {what}{plural}");
        }
    }
}

fn refusals(plan: &Plan, out: &mut Page) {
    if plan.refusals.is_empty() {
        return;
    }
    out.add(&format!("{}\n\n", refusals_head(plan)));
    // Leaves space for the changes.
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
    let severe = changes.iter().any(|c| c.effect >= Effect::Breaking);
    let head = format!(
        "<details{}>\n<summary><b>{}</b>: {} to create, {} to change, {} to delete</summary>\n\n",
        if severe { " open" } else { "" },
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
    if let Some(taken) = take_over::sentence(changes) {
        out.add(&format!("- ✏️ {}\n", code(&taken)));
    }
    let changes: Vec<&Change> = changes.iter().copied().filter(|change| !take_over::is_all(change)).collect();
    let entry = |entry: Entry<'_>| match entry {
        Entry::One(one) => change(one),
        Entry::Many { heading, reason } => format!("- ✏️ {} _adopting_\n  - {}\n", code(&heading), code(reason)),
    };
    out.list(entries(&changes).into_iter().map(entry), "change");
    // `fits` reserves space for the closing tag.
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
        Effect::Adopting => " _adopting_",
        Effect::Tightening => " _tightening_",
        Effect::Breaking => " **breaking**",
        Effect::Destructive => " **destructive**",
    };
    let place = change.source.as_ref().map(|p| format!(" ({})", code(&format!("{}:{}:{}", p.file, p.line, p.column))));
    let mut lines = vec![format!("- {sign} {}{effect}{}", code(&object(&change.object)), place.unwrap_or_default())];
    let mut details: Vec<String> = change.reasons.iter().map(|reason| code(&reason.text)).collect();
    details.extend(change.impact.iter().flat_map(|known| impact(known, false)).map(|line| code(line.trim())));
    details.extend(change.conflicts.iter().map(|c| format!("{} is managed by {}", code(&c.field), code(&c.manager))));
    if !change.takes_over.is_empty() {
        details.push(format!("the fields of {} become carrier's", code(&change.takes_over.join(", "))));
    }
    details.extend(change.refused.iter().map(|why| format!("the API server refuses it: {}", code(why))));
    lines.extend(cut(details));
    let is_shown = |field: &&FieldChange| change.reasons.is_empty() || !field.path.contains("/schema/openAPIV3Schema");
    lines.extend(cut(change.fields.iter().filter(is_shown).map(field).collect()));
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

/// The first [`DETAILS`] lines, indented, and the number of the others.
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
    if !field.lines.is_empty() {
        let lines = field.lines.iter().take(DETAILS).map(|line| format!("\n    - {}", code(line)));
        let more = field.lines.len().saturating_sub(DETAILS);
        let more = if more > 0 { format!("\n    - … and {more} more") } else { String::new() };
        return format!("{path} changes:{}{more}", lines.collect::<String>());
    }
    match field.op {
        FieldOp::Add => format!("{path} added: {}", value(&field.after)),
        FieldOp::Remove => format!("{path} removed: {}", value(&field.before)),
        FieldOp::Replace if field.sensitive => format!("{path} changed: _hidden_"),
        FieldOp::Replace => format!("{path}: {} → {}", value(&field.before), value(&field.after)),
    }
}

fn kept(plan: &Plan, out: &mut Page) {
    if plan.kept.is_empty() {
        return;
    }
    let why = if plan.prune { format!("; {}", staying(plan)) } else { String::new() };
    let head = format!(
        "<details>\n<summary>{} that the repository no longer has would stay{why}</summary>\n\n",
        count(plan.kept.len(), "object")
    );
    if out.add(&head) {
        out.list(plan.kept.iter().map(|one| format!("- {} in {}\n", code(&object(one)), code(&one.cluster))), "object");
        out.text.push_str("\n</details>\n\n");
    }
}

fn going(plan: &Plan, out: &mut Page) {
    let Some(head) = going_head(plan.going.len()) else { return };
    if out.add(&format!("{head}:\n\n")) {
        let line = |one: &Going| format!("- {} {}\n", code(&placed(&one.object)), code(&sentence(one)));
        out.list(plan.going.iter().map(line), "object");
        out.add("\n");
    }
}

fn extra(plan: &Plan, out: &mut Page) {
    let Some(head) = extra_head(plan.extra.len()) else { return };
    if out.add(&format!("{head}; `--take-over-from MANAGER` removes what a manager holds:\n\n")) {
        let line = |one: &ExtraField| {
            format!("- {}: {} is held by {}\n", code(&placed(&one.object)), code(&one.field), code(&one.manager))
        };
        out.list(plan.extra.iter().map(line), "field");
        out.add("\n");
    }
}
