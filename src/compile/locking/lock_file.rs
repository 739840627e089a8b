//! Reading and writing `carrier.lock`.
//!
//! Reading is strict, since only carrier writes the file: everything that carrier would not have written is a
//! diagnostic, and the valid rest is used. The same lock is always written as the same bytes, with one fact on
//! each line, so that branches that lock different things merge.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::model::cluster::ClusterId;
use crate::model::codes::lock as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::lock::{CrdOrigin, LOCK_PATH, Lock, LockedCluster, LockedCrd};
use crate::model::names;
use crate::model::namespace::is_system;
use crate::model::nearest::nearest;
use crate::model::source::{FileId, Sources, Span};
use crate::yaml;
use crate::yaml::to_yaml;
use crate::yaml::tree::{Entry, Node, Value};

/// The only version of the format.
const VERSION: u64 = 1;
/// The first lines of the file.
const HEADER: &str = "# What `carrier lock` took from the service clusters. Made by carrier, not edited by hand;\n\
                      # commit it together with the snapshots.\n";

/// A lock file, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LockFile {
    /// Its content, as far as it is valid.
    pub lock: Lock,
    /// Whether all of it is valid. If not, the lock must not be written again, because the invalid part would
    /// be lost.
    pub sound: bool,
    /// The place of the management cluster's UID.
    pub uid_place: Option<Span>,
    /// The place of each CRD.
    pub places: BTreeMap<(ClusterId, String), Span>,
}

/// Reads the lock of a repository; an empty one where there is none.
pub fn read(sources: &Sources, diagnostics: &mut Diagnostics) -> LockFile {
    let Some((file, source)) = sources.by_path(LOCK_PATH) else {
        return LockFile { sound: true, ..LockFile::default() };
    };
    let mut reader = Reader { found: LockFile::default(), diagnostics: Diagnostics::default() };
    let help = "keep both sides where they name different things, else either; of a tenant keep the namespace that is in use; \
                remove the markers, then run `carrier lock`";
    if conflict(file, &source.text, help, &mut reader.diagnostics) {
        diagnostics.append(reader.diagnostics);
        return reader.found;
    }
    let documents = yaml::read(file, &source.text, &mut reader.diagnostics);
    match documents.as_slice() {
        // The text of an unreadable file is empty too, and the lock is lost just the same.
        [] if reader.diagnostics.is_empty() => {
            let help = "restore it from Git; if it never held anything, remove it and run `carrier lock`";
            reader.complain(Span::file_start(file), "the lock is empty", help);
        }
        [] => {}
        [one] => reader.document(&one.root),
        [_, second, ..] => {
            reader.complain(shown(&second.root), "the lock has more than one document", "remove all but the first");
        }
    }
    reader.found.sound = !reader.diagnostics.has_errors();
    diagnostics.append(reader.diagnostics);
    reader.found
}

/// Reports Git's conflict markers in a text, once for each conflict. Returns whether there are any.
pub fn conflict(file: FileId, text: &str, help: &str, diagnostics: &mut Diagnostics) -> bool {
    let mut offset = 0;
    let mut found = false;
    for line in text.split_inclusive('\n') {
        let begins = line.starts_with("<<<<<<<");
        // The first marker of a partly resolved conflict may be gone. One conflict is reported once.
        if begins || !found && line.starts_with(">>>>>>>") {
            found = true;
            diagnostics.push(
                Diagnostic::new(
                    &codes::MERGE_CONFLICT,
                    Span::new(file, offset, offset + line.trim_end().len()),
                    "an unresolved merge conflict",
                )
                .help(help),
            );
        }
        offset += line.len();
    }
    found
}

/// The text of a lock.
#[must_use]
pub fn write(lock: &Lock) -> String {
    let mut text = format!("{HEADER}version: {VERSION}\n");
    if let Some(identity) = &lock.repository {
        text.push_str(&to_yaml(&json!({ "repository": identity })));
    }
    if let Some(uid) = &lock.management_uid {
        text.push_str(&to_yaml(&json!({ "management": { "uid": uid } })));
    }
    let clusters: serde_json::Map<String, Json> =
        lock.clusters.iter().filter(|(_, c)| **c != LockedCluster::default()).map(cluster_json).collect();
    if !clusters.is_empty() {
        text.push_str(&to_yaml(&json!({ "clusters": clusters })));
    }
    text
}

fn cluster_json((id, cluster): (&ClusterId, &LockedCluster)) -> (String, Json) {
    let mut map = serde_json::Map::new();
    for (key, value) in [("uid", &cluster.uid), ("server", &cluster.server)] {
        if let Some(value) = value {
            map.insert(key.to_owned(), json!(value));
        }
    }
    if !cluster.crds.is_empty() {
        let crds: serde_json::Map<String, Json> = cluster
            .crds
            .iter()
            .map(|(name, crd)| (name.clone(), json!({ "origin": origin_name(crd.origin), "sha256": crd.sha256 })))
            .collect();
        map.insert("crds".to_owned(), Json::Object(crds));
    }
    if !cluster.namespaces.is_empty() {
        map.insert("namespaces".to_owned(), json!(cluster.namespaces));
    }
    (id.to_string(), Json::Object(map))
}

fn origin_name(origin: CrdOrigin) -> &'static str {
    match origin {
        CrdOrigin::File => "file",
        CrdOrigin::Cluster => "cluster",
    }
}

/// The place of an invalid value: a whole scalar, the beginning of a collection.
fn shown(node: &Node) -> Span {
    match node.value {
        Value::Map(_) | Value::Seq(_) => Span { end: node.span.start, ..node.span },
        _ => node.span,
    }
}

struct Reader {
    found: LockFile,
    diagnostics: Diagnostics,
}

/// The help for an invalid lock, unless there is a better one.
const RESTORE: &str = "restore the file from Git, or run `carrier lock` after removing the line";

impl Reader {
    fn complain(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(&codes::BAD_LOCK, span, message).help(help));
    }

    fn document(&mut self, root: &Node) {
        // The version is checked first: the rules here do not apply to another version.
        match root.get("version").map(|n| &n.value) {
            Some(Value::Number(n)) if n.as_u64() == Some(VERSION) => {}
            Some(_) => {
                let message = format!("the lock is not of version {VERSION}");
                let diagnostic = Diagnostic::new(&codes::LOCK_VERSION, root.place("/version"), message)
                    .help(codes::LOCK_VERSION.fix());
                return self.diagnostics.push(diagnostic);
            }
            None if matches!(root.value, Value::Map(_)) => {
                let place = self.entries(root, "the lock").first().map_or(root.span, |e| e.key_span);
                self.complain(place, "the lock has no version", format!("add `version: {VERSION}` as its first line"));
            }
            None => {}
        }
        for entry in self.entries(root, "the lock") {
            match entry.key.as_str() {
                "version" => {}
                "repository" => self.found.lock.repository = self.identity(&entry.value),
                "management" => {
                    for inner in self.entries(&entry.value, "`management`") {
                        match inner.key.as_str() {
                            "uid" => {
                                self.found.lock.management_uid = self.uid(&inner.value);
                                self.found.uid_place = Some(inner.value.span);
                            }
                            _ => self.unknown(inner, &["uid"]),
                        }
                    }
                }
                "clusters" => {
                    for inner in self.entries(&entry.value, "`clusters`") {
                        self.cluster(inner);
                    }
                }
                _ => self.unknown(entry, &["version", "repository", "management", "clusters"]),
            }
        }
    }

    fn cluster(&mut self, entry: &Entry) {
        let label = |name: &str| names::dns_label(name).is_ok();
        let id = match entry.key.parse::<ClusterId>() {
            Ok(id) if label(&id.provider) && label(&id.cluster) => id,
            _ => {
                let message = format!("`{}` names no service cluster", entry.key);
                return self.complain(
                    entry.key_span,
                    message,
                    "write `PROVIDER/CLUSTER`, or restore the file from Git",
                );
            }
        };
        let mut cluster = LockedCluster::default();
        for inner in self.entries(&entry.value, "a cluster") {
            match inner.key.as_str() {
                "uid" => cluster.uid = self.uid(&inner.value),
                "server" => cluster.server = self.server(&inner.value),
                "crds" => {
                    for crd in self.entries(&inner.value, "`crds`") {
                        if let Some(locked) = self.crd(crd) {
                            self.found.places.insert((id.clone(), crd.key.clone()), crd.key_span);
                            cluster.crds.insert(crd.key.clone(), locked);
                        }
                    }
                }
                "namespaces" => cluster.namespaces = self.namespaces(&inner.value),
                _ => self.unknown(inner, &["uid", "server", "crds", "namespaces"]),
            }
        }
        self.found.lock.clusters.insert(id, cluster);
    }

    fn crd(&mut self, entry: &Entry) -> Option<LockedCrd> {
        // The name becomes a path, so an invalid name must not be used.
        if names::dns_subdomain(&entry.key).is_err() || !entry.key.contains('.') {
            let message = format!("`{}` is not the name of a CRD", entry.key);
            self.complain(entry.key_span, message, RESTORE);
            return None;
        }
        let (mut sha256, mut origin) = (None, None);
        for inner in self.entries(&entry.value, "a CRD") {
            match inner.key.as_str() {
                "sha256" => {
                    let hex =
                        |s: &&str| s.len() == 64 && s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                    sha256 = inner.value.as_str().filter(hex).map(str::to_owned);
                    if sha256.is_none() {
                        self.complain(inner.value.span, "not a SHA-256 in 64 hexadecimal digits", RESTORE);
                        return None;
                    }
                }
                "origin" => {
                    origin = match inner.value.as_str() {
                        Some("file") => Some(CrdOrigin::File),
                        Some("cluster") => Some(CrdOrigin::Cluster),
                        _ => {
                            self.complain(
                                shown(&inner.value),
                                "a CRD comes from a `file` or a `cluster`",
                                "write one of the two",
                            );
                            return None;
                        }
                    }
                }
                _ => self.unknown(inner, &["sha256", "origin"]),
            }
        }
        match (sha256, origin) {
            (Some(sha256), Some(origin)) => Some(LockedCrd { sha256, origin }),
            (sha256, _) => {
                let lacks = if sha256.is_none() { "sha256" } else { "origin" };
                if matches!(entry.value.value, Value::Map(_)) {
                    self.complain(entry.key_span, format!("`{}` has no `{lacks}`", entry.key), RESTORE);
                }
                None
            }
        }
    }

    fn namespaces(&mut self, node: &Node) -> BTreeMap<String, String> {
        let mut namespaces = BTreeMap::new();
        let mut taken: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in self.entries(node, "`namespaces`") {
            let name = match entry.value.as_str() {
                Some(name) if names::dns_label(name).is_ok() && names::dns_label(&entry.key).is_ok() => name,
                _ => {
                    let message = format!("the namespace of `{}` is not the name of one", entry.key);
                    self.complain(
                        shown(&entry.value),
                        message,
                        "restore the name from Git: the tenant's objects are in it",
                    );
                    continue;
                }
            };
            if is_system(name) {
                let message = format!("`{name}` belongs to the cluster and cannot be the namespace of `{}`", entry.key);
                self.diagnostics.push(
                    Diagnostic::new(&codes::NAMESPACE_OF_CLUSTER, entry.value.span, message)
                        .help(codes::NAMESPACE_OF_CLUSTER.fix()),
                );
            }
            if let Some(other) = taken.get(name) {
                let message = format!("`{}` and `{}` have the namespace `{name}`", other.key, entry.key);
                self.diagnostics.push(
                    Diagnostic::new(&codes::NAMESPACE_SHARED, entry.value.span, message)
                        .label(other.value.span, format!("of `{}`", other.key))
                        .help(codes::NAMESPACE_SHARED.fix()),
                );
            }
            taken.insert(name, entry);
            namespaces.insert(entry.key.clone(), name.to_owned());
        }
        namespaces
    }

    fn uid(&mut self, node: &Node) -> Option<String> {
        let sound = |s: &&str| !s.is_empty() && names::label_value(s).is_ok();
        let uid = node.as_str().filter(sound).map(str::to_owned);
        if uid.is_none() {
            self.complain(shown(node), "not the UID of a namespace", RESTORE);
        }
        uid
    }

    fn identity(&mut self, node: &Node) -> Option<String> {
        let identity = node.as_str().filter(|text| Lock::is_identity(text)).map(str::to_owned);
        if identity.is_none() {
            let help = "restore the line from Git: the inventories in the clusters have the same identity";
            self.complain(shown(node), "not the identity of a repository, which has 32 hexadecimal digits", help);
        }
        identity
    }

    fn server(&mut self, node: &Node) -> Option<String> {
        let number = |s: &str| !s.is_empty() && s.len() < 6 && s.bytes().all(|b| b.is_ascii_digit());
        let sound = |s: &&str| s.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor));
        let server = node.as_str().filter(sound).map(str::to_owned);
        if server.is_none() {
            self.complain(shown(node), "not a minor version of Kubernetes", "write it in quotes, such as `\"1.37\"`");
        }
        server
    }

    /// The pairs of a mapping; reports any other value.
    fn entries<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        if let Value::Map(entries) = &node.value {
            return entries;
        }
        self.complain(shown(node), format!("{what} is not a mapping"), RESTORE);
        &[]
    }

    fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        let message = format!("the lock has no key `{}` here", entry.key);
        let diagnostic = Diagnostic::new(&codes::BAD_LOCK, entry.key_span, message);
        self.diagnostics.push(match nearest(&entry.key, known.iter().copied()) {
            Some(meant) => diagnostic.did_you_mean(meant),
            None => diagnostic.help("remove the line, or restore the file from Git"),
        });
    }
}
