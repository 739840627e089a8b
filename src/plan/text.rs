//! A plan as text for a terminal: a block for each cluster with the most severe
//! changes first, and the summary last, where it stays in view.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use super::adoption::{Entry, entries};
use super::going::sentence;
use super::types::{Action, Change, ClusterPlan, Effect, ExtraField, FieldChange, FieldOp, Going, Plan};
use super::words::{count, impact, not_asked, object, placed, refusals_head, staying, untried};
use super::{repair, take_over};
use crate::model::line_diff::{DiffKind, DiffLine};
use crate::model::plain;

/// The number of reasons that are shown for one change, without `-v`.
const REASONS: usize = 20;
/// The number of fields, and of access changes, that are shown for one change, without `-v`.
const DETAILS: usize = 8;
/// The number of lines that are shown of the diff of one text, without `-v`.
const DIFF_LINES: usize = 20;
/// The number of refusals that are shown for one guard, without `-v`.
const REFUSALS: usize = 10;
/// The number of kept objects that are listed, without `-v`, and of those that are being deleted.
const KEPT: usize = 20;

/// Options of the text output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TextOptions {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Whether to show one line for each cluster, and only changes that are breaking or destructive.
    pub summary: bool,
    /// Whether to show lists in full.
    pub all: bool,
}

const REMOVED: Style = AnsiColor::Red.on_default();
const SEVERE: Style = AnsiColor::Red.on_default().bold();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The plan as text.
#[must_use]
pub(crate) fn text(plan: &Plan, options: TextOptions) -> String {
    let mut out = Lines { options, lines: Vec::new() };
    for cluster in &plan.clusters {
        out.cluster(plan, cluster);
    }
    out.kept(plan);
    out.going(&plan.going);
    out.extra(&plan.extra);
    out.drift(plan);
    out.refusals(plan);
    out.summary(plan);
    let mut text = out.lines.join("\n");
    text.push('\n');
    text
}

struct Lines {
    options: TextOptions,
    lines: Vec<String>,
}

impl Lines {
    fn push(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn painted(&self, style: Style, text: impl Display) -> String {
        let style = if self.options.color { style } else { Style::new() };
        format!("{style}{text}{style:#}")
    }

    /// The number of entries of a list that are shown.
    fn most(&self, usual: usize) -> usize {
        if self.options.all { usize::MAX } else { usual }
    }

    /// An empty line, unless the last one is empty.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.push("");
        }
    }

    fn cluster(&mut self, plan: &Plan, cluster: &ClusterPlan) {
        let name = self.painted(HEAD, plain::line(&cluster.name));
        let mut changes: Vec<&Change> = plan.changes.iter().filter(|c| c.object.cluster == cluster.name).collect();
        if !cluster.reached {
            let why = self.painted(SEVERE, "was not compared");
            return self.push(format!("{name}: {why}; its state is unknown, so the plan has no changes for it"));
        }
        if changes.is_empty() {
            self.push(format!("{name}: no changes, {}", count(cluster.unchanged, "object")));
            return self.remarks(cluster);
        }
        if self.options.summary {
            let counts = counts(&changes);
            self.push(format!("{name}: {counts}, {} unchanged", cluster.unchanged));
            changes.retain(|change| change.effect >= Effect::Breaking || change.adopts());
        } else {
            self.gap();
            self.push(name);
        }
        self.remarks(cluster);
        if let Some(taken) = take_over::sentence(&changes) {
            let sign = self.painted(CHANGED, '~');
            self.push(format!("  {sign} {}", plain::line(&taken)));
            if !self.options.all {
                changes.retain(|change| !take_over::is_all(change));
            }
        }
        // A stable sort: changes with the same effect stay in the order in which they are applied.
        changes.sort_by_key(|change| std::cmp::Reverse(change.effect));
        let width = changes.iter().map(|change| object(&change.object).chars().count()).max().unwrap_or(0).min(60);
        // The column is left out if it would be empty.
        let effects = changes.iter().any(|change| change.effect > Effect::Safe);
        for entry in self.entries(&changes) {
            match entry {
                Entry::One(change) => self.change(change, width, effects),
                Entry::Many { heading, reason } => self.adoptions(&heading, reason, width),
            }
        }
        if !self.options.summary {
            self.push("");
        }
    }

    /// What becomes of the inventory in a cluster, if that is not what it usually is, and what could not be tried there.
    fn remarks(&mut self, cluster: &ClusterPlan) {
        if cluster.claims_inventory {
            let sign = self.painted(CHANGED, '~');
            self.push(format!("  {sign} the inventory names no repository yet, and gets the identity of this one"));
        }
        if let Some(repair) = &cluster.inventory_repair {
            let sign = self.painted(CHANGED, '~');
            self.push(format!("  {sign} {}", plain::line(&repair::heading(repair))));
            for field in &repair.fields {
                self.field(field);
            }
            for note in &repair.notes {
                self.push(format!("      {}", plain::line(note)));
            }
        }
        if let Some(why) = &cluster.inventory_unread {
            let why = plain::line(why);
            self.push(format!(
                "  the inventory could not be read, so it is not known which repository it belongs to: {why}"
            ));
        }
        if let Some(why) = &cluster.inventory_refused {
            let why = self.painted(SEVERE, plain::line(why));
            self.push(format!("  the API server refuses the ConfigMap of the inventory: {why}"));
        }
        if let Some(what) = &cluster.untried {
            let line = untried(what, self.options.all);
            let line = self.painted(CHANGED, plain::line(&line));
            self.push(format!("  {line}"));
        }
    }

    /// The changes, with many objects that are only adopted in one entry.
    fn entries<'c>(&self, changes: &[&'c Change]) -> Vec<Entry<'c>> {
        match self.options.all {
            true => changes.iter().map(|change| Entry::One(change)).collect(),
            false => entries(changes),
        }
    }

    fn adoptions(&mut self, heading: &str, reason: &str, width: usize) {
        let (sign, effect) = (self.painted(CHANGED, '~'), self.painted(CHANGED, "adopting"));
        self.push(format!("  {sign} {:width$}  {effect}", plain::line(heading)));
        self.push(format!("      {}; -v shows them", plain::line(reason)));
    }

    fn change(&mut self, change: &Change, width: usize, effects: bool) {
        let sign = match change.action {
            Action::Create => self.painted(ADDED, '+'),
            Action::Update => self.painted(CHANGED, '~'),
            Action::Delete => self.painted(REMOVED, '-'),
        };
        let (effect, style) = match change.effect {
            Effect::Safe => ("", Style::new()),
            Effect::Adopting => ("adopting", CHANGED),
            Effect::Tightening => ("tightening", CHANGED),
            Effect::Breaking => ("breaking", SEVERE),
            Effect::Destructive => ("destructive", SEVERE),
        };
        let name = object(&change.object);
        let effect = match effects {
            true => format!("  {}", self.painted(style, format_args!("{effect:11}"))),
            false => String::new(),
        };
        let place = change.source.as_ref().map(|p| format!("{}:{}:{}", plain::line(&p.file), p.line, p.column));
        let place = self.painted(FAINT, place.unwrap_or_default());
        let line = format!("  {sign} {:width$}{effect}  {place}", plain::line(&name));
        self.push(line.trim_end().to_owned());
        let most = self.most(REASONS);
        for reason in change.reasons.iter().take(most) {
            let style = if reason.effect >= Effect::Breaking { SEVERE } else { Style::new() };
            let text = self.painted(style, plain::line(&reason.text));
            self.push(format!("      {text}"));
        }
        self.more(change.reasons.len(), most);
        if self.options.summary {
            return;
        }
        let all = self.options.all;
        for line in change.impact.iter().flat_map(|known| impact(known, all)) {
            self.push(format!("      {}", plain::line(&line)));
        }
        for conflict in &change.conflicts {
            let (field, manager) = (plain::line(&conflict.field), plain::line(&conflict.manager));
            self.push(format!("      {field} is managed by {manager}"));
        }
        if !change.takes_over.is_empty() {
            let managers = plain::line(&change.takes_over.join(", ")).into_owned();
            self.push(format!("      the fields of {managers} become carrier's"));
        }
        if let Some(why) = &change.refused {
            let why = self.painted(SEVERE, plain::line(why));
            self.push(format!("      the API server refuses it: {why}"));
        }
        let fields: Vec<&FieldChange> = change.fields.iter().filter(|field| !is_covered(change, field)).collect();
        let most = self.most(DETAILS);
        for field in fields.iter().take(most) {
            self.field(field);
        }
        self.more(fields.len(), most);
        for access in change.access.iter().take(most) {
            let place = access.namespace.as_deref().map(|n| format!(" in {n}")).unwrap_or_default();
            let who = format!("{}{}", plain::line(&access.subject), plain::line(&place));
            for (word, style, rights) in [("loses", REMOVED, &access.loses), ("gains", ADDED, &access.gains)] {
                if !rights.is_empty() {
                    let word = self.painted(style, word);
                    self.push(format!("      {who} {word}: {}", plain::line(&rights.join("; "))));
                }
            }
        }
        self.more(change.access.len(), most);
    }

    fn field(&mut self, field: &FieldChange) {
        let value = |value: &Option<serde_json::Value>| match value {
            Some(value) => plain::line(&value.to_string()).into_owned(),
            None => "(hidden)".to_owned(),
        };
        let path = plain::line(&field.path).into_owned();
        if !field.lines.is_empty() {
            let sign = self.painted(CHANGED, '~');
            self.push(format!("      {sign} {path}:"));
            return self.diff(&field.lines);
        }
        let line = match field.op {
            FieldOp::Add => format!("{} {path}: {}", self.painted(ADDED, '+'), value(&field.after)),
            FieldOp::Remove => format!("{} {path}: {}", self.painted(REMOVED, '-'), value(&field.before)),
            FieldOp::Replace if field.sensitive => format!("{} {path}: (hidden)", self.painted(CHANGED, '~')),
            FieldOp::Replace => {
                let (before, after) = (value(&field.before), value(&field.after));
                format!("{} {path}: {before} -> {after}", self.painted(CHANGED, '~'))
            }
        };
        self.push(format!("      {line}"));
    }

    fn diff(&mut self, lines: &[String]) {
        let most = self.most(DIFF_LINES);
        for line in lines.iter().take(most) {
            let style = match DiffLine::parse(line).kind {
                DiffKind::Hunk => FAINT,
                DiffKind::Same => Style::new(),
                DiffKind::Removed => REMOVED,
                DiffKind::Added => ADDED,
            };
            let line = self.painted(style, plain::line(line));
            self.push(format!("          {line}"));
        }
        if lines.len() > most {
            self.push(format!("          and {} more; -v shows all", lines.len() - most));
        }
    }

    fn more(&mut self, all: usize, shown: usize) {
        if all > shown {
            self.push(format!("      and {} more; -v shows all", all - shown));
        }
    }

    fn kept(&mut self, plan: &Plan) {
        if plan.kept.is_empty() {
            return;
        }
        let (what, why) = (count(plan.kept.len(), "object"), staying(plan));
        let head = format!("{what} that the repository no longer has would stay; {why}");
        if self.options.summary {
            return self.push(head);
        }
        self.section(&format!("{head}:"), &plan.kept, |one| {
            let place = if one.cluster == "management" { String::new() } else { format!(" in {}", one.cluster) };
            format!("{}{}", plain::line(&object(one)), plain::line(&place))
        });
    }

    /// A heading with a line for each item, not all of them without `-v`.
    fn section<T>(&mut self, head: &str, items: &[T], line: impl Fn(&T) -> String) {
        self.gap();
        self.push(head);
        let most = self.most(KEPT);
        for item in items.iter().take(most) {
            self.push(format!("  {}", line(item)));
        }
        if items.len() > most {
            self.push(format!("  and {} more; -v shows all", items.len() - most));
        }
        self.push("");
    }

    /// What is being deleted, with what holds it. Also in a summary: nobody sees it elsewhere.
    fn going(&mut self, going: &[Going]) {
        let Some(head) = going_head(going.len()) else { return };
        let head = self.painted(CHANGED, head);
        self.section(&format!("{head}:"), going, |one| {
            format!("{} {}", plain::line(&placed(&one.object)), plain::line(&sentence(one)))
        });
    }

    /// Fields of others in objects of the repository. Also in a summary: they are no changes.
    fn extra(&mut self, extra: &[ExtraField]) {
        let Some(head) = extra_head(extra.len()) else { return };
        let head = self.painted(CHANGED, head);
        self.section(&format!("{head}; `--take-over-from MANAGER` removes what a manager holds:"), extra, |one| {
            let (what, field, manager) = (placed(&one.object), plain::line(&one.field), plain::name(&one.manager));
            format!("{}: {field} is held by {}", plain::line(&what), plain::line(&manager))
        });
    }

    fn drift(&mut self, plan: &Plan) {
        for drift in &plan.drift {
            let (crd, cluster) = (plain::line(&drift.crd), plain::line(&drift.cluster));
            let word = self.painted(CHANGED, "drift");
            self.push(format!("{word}: {crd} in {cluster} differs from the lock"));
            let most = if self.options.summary { 0 } else { self.most(DETAILS) };
            for line in drift.lines.iter().take(most) {
                self.push(format!("  {}", plain::line(line)));
            }
            if drift.lines.len() > most && most > 0 {
                self.push(format!("  and {} more; -v shows all", drift.lines.len() - most));
            }
        }
        if !plan.drift.is_empty() {
            self.push("");
        }
    }

    fn refusals(&mut self, plan: &Plan) {
        let Some(first) = plan.refusals.first() else { return };
        self.gap();
        let head = self.painted(SEVERE, refusals_head(plan));
        self.push(head);
        let (mut guard, mut shown, mut hidden, mut flags) = (first.guard.as_str(), 0, 0, 0);
        for refusal in &plan.refusals {
            if refusal.guard != guard {
                self.hidden(guard, hidden, flags);
                (guard, shown, hidden, flags) = (&refusal.guard, 0, 0, 0);
            }
            if shown >= self.most(REFUSALS) {
                hidden += 1;
                flags += usize::from(refusal.flag.is_some());
                continue;
            }
            shown += 1;
            self.push(format!("  {}: {}", refusal.guard, plain::line(&refusal.message)));
            if let Some(flag) = &refusal.flag {
                let flag = self.painted(AnsiColor::Cyan.on_default(), plain::line(flag));
                self.push(format!("    allowed by {flag}"));
            }
        }
        self.hidden(guard, hidden, flags);
        self.push("");
    }

    /// Refusals that are not shown; `flags` of them can be allowed by one.
    fn hidden(&mut self, guard: &str, hidden: usize, flags: usize) {
        if hidden > 0 {
            let way = if flags == hidden { ", and the name `all` in the flag allows all" } else { "" };
            self.push(format!("  {guard}: and {hidden} more; -v shows all{way}"));
        }
    }

    fn summary(&mut self, plan: &Plan) {
        if !self.options.summary {
            self.gap();
        }
        if let Some(note) = not_asked(plan) {
            self.push(note);
        }
        let line = summary(plan);
        let severe = plan.changes.iter().any(|change| change.effect >= Effect::Breaking) || !plan.refusals.is_empty();
        let line = if severe { self.painted(HEAD, line) } else { line };
        self.push(line);
    }
}

/// `2 objects are being deleted`; `None` for none.
#[must_use]
pub(crate) fn going_head(going: usize) -> Option<String> {
    let are = if going == 1 { "is" } else { "are" };
    (going > 0).then(|| format!("{} {are} being deleted", count(going, "object")))
}

/// `2 fields that the repository does not set stay`; `None` for none.
#[must_use]
pub(crate) fn extra_head(extra: usize) -> Option<String> {
    let stay = if extra == 1 { "stays" } else { "stay" };
    (extra > 0).then(|| format!("{} that the repository does not set {stay}", count(extra, "field")))
}

/// Whether the reasons cover a field: they are easier to read than the nodes of a schema.
fn is_covered(change: &Change, field: &FieldChange) -> bool {
    !change.reasons.is_empty() && field.path.contains("/schema/openAPIV3Schema")
}

/// `2 to create, 1 to delete`.
fn counts(changes: &[&Change]) -> String {
    let count = |action| changes.iter().filter(|change| change.action == action).count();
    let parts = [(Action::Create, "create"), (Action::Update, "change"), (Action::Delete, "delete")];
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(action, word)| (count(action), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} to {word}"))
        .collect();
    parts.join(", ")
}

/// The summary of a plan, in one line.
#[must_use]
pub(crate) fn summary(plan: &Plan) -> String {
    let summary = &plan.summary;
    let unreached = plan.clusters.iter().filter(|cluster| !cluster.reached).count();
    let part = match unreached {
        0 => String::new(),
        1 => "; 1 cluster was not compared".to_owned(),
        n => format!("; {n} clusters were not compared"),
    };
    let part = match plan.changes.iter().filter(|change| change.untried).count() {
        0 => part,
        n => format!("; {n} not tried{part}"),
    };
    let claims = plan.clusters.iter().filter(|cluster| cluster.claims_inventory).count();
    let part = match claims {
        0 => part,
        1 => format!("; 1 inventory gets the identity of this repository{part}"),
        n => format!("; {n} inventories get the identity of this repository{part}"),
    };
    let part = match plan.clusters.iter().filter(|cluster| cluster.inventory_repair.is_some()).count() {
        0 => part,
        1 => format!("; the record of 1 inventory is repaired{part}"),
        n => format!("; the records of {n} inventories are repaired{part}"),
    };
    let part = going_head(plan.going.len()).map_or_else(|| part.clone(), |going| format!("; {going}{part}"));
    let part = extra_head(plan.extra.len()).map_or_else(|| part.clone(), |extra| format!("; {extra}{part}"));
    if plan.changes.is_empty() {
        let kept = if summary.kept > 0 { format!(", {} more would stay", summary.kept) } else { String::new() };
        let verb = if summary.unchanged == 1 { "matches" } else { "match" };
        let head = if plan.refusals.is_empty() { "No changes" } else { "No changes, and apply would be refused" };
        return format!("{head}: {} {verb} the repository{kept}{part}.", count(summary.unchanged, "object"));
    }
    let mut line = format!(
        "Plan: {} to create, {} to change, {} to delete; {} unchanged",
        summary.create, summary.update, summary.delete, summary.unchanged
    );
    if summary.kept > 0 {
        line = format!("{line}, {} kept", summary.kept);
    }
    for (effect, word) in [
        (Effect::Destructive, "destructive"),
        (Effect::Breaking, "breaking"),
        (Effect::Tightening, "tightening"),
        (Effect::Adopting, "adopting"),
    ] {
        let n = plan.changes.iter().filter(|change| change.effect == effect).count();
        if n > 0 {
            line = format!("{line}; {n} {word}");
        }
    }
    format!("{line}{part}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_named_only_where_there_is_one() {
        let mut lines = Lines { options: TextOptions::default(), lines: Vec::new() };
        lines.hidden("deletion", 2, 2);
        lines.hidden("foreign-inventory", 25, 0);
        lines.hidden("adoption", 0, 0);
        assert_eq!(
            lines.lines,
            [
                "  deletion: and 2 more; -v shows all, and the name `all` in the flag allows all",
                "  foreign-inventory: and 25 more; -v shows all",
            ]
        );
    }
}
