//! From documents to typed objects.
//!
//! Two passes: the first makes documents of all files and API objects and finds the
//! accounts that are providers, the second checks the objects. An object of a file may take
//! one thing from another object: the namespace that its folder's name stands for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::classify::{Class, classify};
use super::document::{Document, Origin};
use super::loaded::{Loaded, Object, SourceKey};
use super::metadata::{self, Metadata, name_of};
use super::rules::Rules;
use super::shape::Type;
use super::unreadable::UnreadableDocument;
use super::{config, foreign, secret, shape};
use crate::compile::parallel::in_parallel;
use crate::model::codes::config::OUTPUT_OF_SOURCES;
use crate::model::codes::{object as codes, yaml as yaml_codes};
use crate::model::config::{CONFIG_PATH, Config};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::kinds::table::{ACCOUNT, KindInfo};
use crate::model::kinds::{
    AccountSpec, CatalogEntrySetSpec, CatalogEntrySpec, CatalogSpec, Kind, ServiceClusterSpec, TenantSpec,
};
use crate::model::lock::LOCK_PATH;
use crate::model::source::{ApiObject, FileId, SourceFile, Sources, Span};
use crate::yaml::tree::{Node, Value};
use crate::yaml::{self, Suppression};

/// Loads all sources. Errors in one object do not prevent others from loading; the lists of the
/// result hold only objects without errors.
#[must_use]
pub fn load(sources: &Sources) -> (Loaded, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let (config, config_clusters) = config::read(sources, &mut diagnostics);
    let files: Vec<(FileId, &SourceFile)> = sources.iter().filter(|(_, f)| is_source(&f.path, &config)).collect();
    in_output(sources, &config, &mut diagnostics);
    let mut read = in_parallel(files, |(_, file)| file.text.len(), |(id, file)| Read::file(id, file));
    read.extend(sources.objects().map(|(id, object)| Read::object(id, object)));

    let providers: BTreeSet<String> = read.iter().flat_map(|r| r.providers.iter().cloned()).collect();
    let files = in_parallel(read, |read| read.origin.text().len(), |read| read.objects(&providers));

    let mut loaded = Loaded { config, config_clusters, ..Loaded::default() };
    let mut seen: BTreeMap<SourceKey, Span> = BTreeMap::new();
    let mut others = Vec::new();
    for file in files {
        others.extend(file.other);
        diagnostics.append(file.diagnostics);
        loaded.ignored += file.ignored;
        loaded.suppressions.extend(file.suppressions);
        loaded.unreadable.extend(file.unreadable);
        loaded.broken.extend(file.nameless);
        for draft in file.drafts {
            let key = draft.key();
            let place = draft.root.place("/metadata/name");
            if let Some(first) = seen.get(&key) {
                let diagnostic = Diagnostic::new(&codes::DUPLICATE_OBJECT, place, format!("`{key}` is written twice"))
                    .label(*first, "first here")
                    .help("remove or rename one of the two")
                    .on(key.to_string(), "/metadata/name");
                diagnostics.push(diagnostic);
                continue;
            }
            seen.insert(key.clone(), place);
            if let Some(key) = add(&mut loaded, draft, key) {
                loaded.broken.insert(key);
            }
        }
    }
    if let Some(info) = foreign::said(others, sources) {
        diagnostics.push(info);
    }
    loaded.sort();
    (loaded, diagnostics)
}

/// Reports objects in the output folder that carrier did not write. Those that carrier wrote are listed in its
/// manifest and are not read at all.
fn in_output(sources: &Sources, config: &Config, diagnostics: &mut Diagnostics) {
    for (id, file) in sources.iter().filter(|(_, f)| config::below(&f.path, &config.output)) {
        let mut unsaid = Diagnostics::default();
        let documents = yaml::read(id, &file.text, &mut unsaid);
        if let Some(place) = documents.iter().find_map(|d| ours(&d.root)) {
            let message = format!("`{}` is in the output folder, and carrier did not write it", file.path);
            diagnostics.push(
                Diagnostic::new(&OUTPUT_OF_SOURCES, place, message)
                    .help(format!("name another folder than `{}` as `output`, or move the file", config.output)),
            );
        }
    }
}

/// The place of the kind of the first object of a kind that people write, also inside a list.
fn ours(root: &Node) -> Option<Span> {
    match classify(root, &mut Diagnostics::default()) {
        Class::Ours(_) => Some(root.place("/kind")),
        Class::List(items) => items.iter().find_map(|item| ours(item)),
        _ => None,
    }
}

/// Whether a file may hold objects: not the settings, the lock, a snapshot or a rendered file.
fn is_source(path: &str, config: &Config) -> bool {
    let yaml = path.rsplit_once('.').is_some_and(|(_, extension)| matches!(extension, "yaml" | "yml" | "json"));
    yaml && path != CONFIG_PATH
        && path != LOCK_PATH
        && !config::below(path, &config.snapshots)
        && !config::below(path, &config.output)
}

/// Adds an object to its list. Returns its key when it has errors.
fn add(loaded: &mut Loaded, draft: Draft, key: SourceKey) -> Option<SourceKey> {
    let Some(spec) = draft.spec else { return Some(key) };
    macro_rules! object {
        ($spec:expr) => {
            Object {
                name: key.name,
                namespace: key.namespace,
                labels: draft.metadata.labels,
                annotations: draft.metadata.annotations,
                spec: $spec,
                node: draft.root,
                file: draft.file,
            }
        };
    }
    match spec {
        Spec::Account(spec) => loaded.accounts.push(object!(spec)),
        Spec::ServiceCluster(spec) => loaded.service_clusters.push(object!(spec)),
        Spec::Catalog(spec) => loaded.catalogs.push(object!(spec)),
        Spec::CatalogEntry(spec) => loaded.catalog_entries.push(object!(spec)),
        Spec::CatalogEntrySet(spec) => loaded.catalog_entry_sets.push(object!(spec)),
        Spec::Tenant(spec) => loaded.tenants.push(object!(spec)),
    }
    None
}

/// A source after the first pass.
struct Read<'a> {
    id: FileId,
    origin: Origin<'a>,
    documents: Vec<yaml::Document>,
    diagnostics: Diagnostics,
    /// Names of accounts that are providers, or that have errors which hide whether they are.
    providers: Vec<String>,
    unreadable: Vec<UnreadableDocument>,
    /// Why it cannot be read, if it is a file of another tool.
    other: Option<Diagnostic>,
}

/// A source after the second pass.
#[derive(Default)]
struct File {
    drafts: Vec<Draft>,
    ignored: usize,
    diagnostics: Diagnostics,
    suppressions: Vec<Suppression>,
    unreadable: Vec<UnreadableDocument>,
    /// Objects without a usable name.
    nameless: Vec<SourceKey>,
    /// Whether its text may hold secrets, so that it must not be shown.
    sensitive: bool,
    /// Why it cannot be read, if it is a file of another tool.
    other: Option<Diagnostic>,
}

/// An object that has at least a name.
struct Draft {
    info: &'static KindInfo,
    metadata: Metadata,
    root: Node,
    file: FileId,
    /// Its spec; `None` if the object has errors.
    spec: Option<Spec>,
}

enum Spec {
    Account(AccountSpec),
    ServiceCluster(ServiceClusterSpec),
    Catalog(CatalogSpec),
    CatalogEntry(CatalogEntrySpec),
    CatalogEntrySet(CatalogEntrySetSpec),
    Tenant(TenantSpec),
}

impl Draft {
    fn key(&self) -> SourceKey {
        SourceKey { kind: self.info.kind, namespace: self.metadata.namespace.clone(), name: self.metadata.name.clone() }
    }
}

impl<'a> Read<'a> {
    /// Reads the documents of a file.
    fn file(id: FileId, source: &'a SourceFile) -> Self {
        let mut diagnostics = Diagnostics::default();
        let yaml::read::Text { documents, broken } = yaml::read::read_all(id, &source.text, &mut diagnostics);
        let mut other = None;
        if !diagnostics.is_empty() {
            if foreign::is_foreign(&source.text, &diagnostics) {
                other = foreign::first_error(&source.text, id, std::mem::take(&mut diagnostics));
            } else {
                foreign::name_the_ignore_file(&source.text, &mut diagnostics);
            }
        }
        let broken = if other.is_some() { Vec::new() } else { broken };
        let unreadable: Vec<UnreadableDocument> =
            broken.into_iter().map(|part| UnreadableDocument::of(&source.text[part])).collect();
        let mut providers: Vec<String> = unreadable.iter().flat_map(|u| u.names_of(ACCOUNT.kind)).cloned().collect();
        for document in &documents {
            // The second pass reports what `classify` finds.
            match classify(&document.root, &mut Diagnostics::default()) {
                Class::List(items) => items.iter().for_each(|item| providers.extend(provider(item))),
                _ => providers.extend(provider(&document.root)),
            }
        }
        Self { id, origin: Origin::File(source), documents, diagnostics, providers, unreadable, other }
    }

    /// Takes an object as an API server answered it. Its namespace is its own, so no folder's name stands for it.
    fn object(id: FileId, object: &ApiObject) -> Self {
        let root = Node::of_object(id, &object.body);
        let documents = vec![yaml::Document { root, sound: true, suppressions: Vec::new() }];
        let (diagnostics, providers, unreadable, other) = Default::default();
        Self { id, origin: Origin::Api, documents, diagnostics, providers, unreadable, other }
    }

    fn objects(self, providers: &BTreeSet<String>) -> File {
        let Self { id, origin, .. } = self;
        let Self { diagnostics, unreadable, other, .. } = self;
        let mut file = File { diagnostics, unreadable, other, ..File::default() };
        if file.diagnostics.has_errors() && secret::looks_secret(origin.text()) {
            file.sensitive = true;
        }
        for mut document in self.documents {
            // What is left of a document of another tool, such as a template of a Secret, is no object.
            if file.other.is_some() && !document.sound {
                file.ignored += 1;
                continue;
            }
            file.suppressions.append(&mut document.suppressions);
            file.document(Document { root: document.root, sound: document.sound, id, origin }, providers);
        }
        if file.sensitive {
            file.diagnostics.retain(|d| d.severity == Severity::Error || d.code.id.starts_with("CAR08"));
            // The parser quotes nothing of a text that it cannot read.
            file.diagnostics.quote_nothing(|code| yaml_codes::ALL.contains(&code) && code != &yaml_codes::SYNTAX);
            file.diagnostics.hide(id);
        }
        file
    }
}

/// The name of an account that is a provider. An account with invalid roles counts too, so that the error is
/// reported at the account and not at every object in its folder.
fn provider(root: &Node) -> Option<String> {
    let ours = matches!(classify(root, &mut Diagnostics::default()), Class::Ours(info) | Class::Meant(info) if info.kind == ACCOUNT.kind);
    let offers = match root.pointer("/spec/roles").map(|n| &n.value) {
        Some(Value::Seq(roles)) => roles.iter().any(|r| r.as_str().is_none_or(|r| r.eq_ignore_ascii_case("provider"))),
        _ => true,
    };
    if ours && offers { name_of(root).map(str::to_owned) } else { None }
}

impl File {
    fn document(&mut self, document: Document<'_>, providers: &BTreeSet<String>) {
        if metadata::is_local_config(&document.root) {
            self.ignored += 1;
            return;
        }
        // The refused value may be the one that says what the document is.
        let mut found = Diagnostics::default();
        let class = classify(&document.root, &mut found);
        if document.sound {
            self.diagnostics.append(found);
        }
        match class {
            Class::Ours(info) => self.object(info, document, providers),
            Class::Meant(info) => self.object(info, Document { sound: false, ..document }, providers),
            Class::List(items) => {
                let Document { sound, id, origin, .. } = document;
                let items: Vec<Node> = items.into_iter().map(Cow::into_owned).collect();
                for root in items {
                    self.document(Document { root, sound, id, origin }, providers);
                }
            }
            Class::Secret => {
                self.ignored += 1;
                self.sensitive = true;
                secret::check_secret(&document.root, &mut self.diagnostics);
            }
            Class::Kubeconfig => {
                self.ignored += 1;
                self.sensitive = true;
                secret::check_kubeconfig(&document.root, &mut self.diagnostics);
            }
            Class::Ignored => self.ignored += 1,
        }
    }

    fn object(&mut self, info: &'static KindInfo, document: Document<'_>, providers: &BTreeSet<String>) {
        let Document { root, sound, id: file, origin } = document;
        let mut found = Diagnostics::default();
        let mut walk = metadata::walk(origin.text(), "", &mut found);
        let mut metadata = metadata::read(info, &root, origin.is_live(), &mut walk);
        let mut usable = metadata.fine && sound;
        if info.namespaced() && !metadata.says_namespace {
            metadata.namespace = origin.path().and_then(|path| from_folder(path, providers));
            if metadata.namespace.is_none() && sound && metadata.there {
                usable = false;
                found.push(no_namespace(info, &root, origin.path(), providers));
            }
        }
        let name = if metadata.name.is_empty() { name_of(&root).unwrap_or("?") } else { &metadata.name };
        let key = SourceKey { kind: info.kind, namespace: metadata.namespace.clone(), name: name.to_owned() };
        let id = key.to_string();
        if sound {
            // The metadata had to be read before the object could be named.
            for mut diagnostic in found {
                diagnostic.object = Some(id.clone());
                self.diagnostics.push(diagnostic);
            }
        }
        let spec = if sound { self.spec(info, &root, origin, &id) } else { None };
        if metadata.name.is_empty() {
            self.nameless.push(key);
            return;
        }
        let spec = if usable { spec } else { None };
        self.drafts.push(Draft { info, metadata, root, file, spec });
    }

    /// Validates an object without its metadata, and reads its spec.
    fn spec(&mut self, info: &'static KindInfo, root: &Node, origin: Origin<'_>, id: &str) -> Option<Spec> {
        let mut walk = metadata::walk(origin.text(), id, &mut self.diagnostics);
        let mut fine = true;
        let mut meant_spec = false;
        let Value::Map(entries) = &root.value else { return None };
        for entry in entries {
            match entry.key.as_str() {
                "apiVersion" | "kind" | "metadata" | "spec" => {}
                "status" if origin.is_live() => {}
                "status" => {
                    let diagnostic = Diagnostic::new(&codes::STATUS_IGNORED, entry.key_span, "the status is left out")
                        .help("remove it");
                    walk.push(diagnostic, "/status");
                }
                _ => {
                    fine = false;
                    let known = ["apiVersion", "kind", "metadata", "spec"];
                    let at = format!("/{}", crate::yaml::tree::escape(&entry.key));
                    let meant = walk.unknown(entry, "", &at, known.into_iter(), |key| root.get(key).is_some());
                    meant_spec |= meant == Some("spec");
                }
            }
        }
        let shape = shape::spec(info)?;
        let Some(entry) = root.entry("spec") else {
            if shape.required.is_empty() {
                return if fine { decode(info, serde_json::json!({}), root, &mut walk) } else { None };
            }
            if !meant_spec {
                let diagnostic = Diagnostic::new(&codes::MISSING_FIELD, root.place("/kind"), "`spec` is missing")
                    .help(format!("add `spec` with {}", listed(&shape.required)));
                walk.push(diagnostic, "");
            }
            return None;
        };
        // An empty `spec:` is null and not a mapping. If no field is required, it counts as an empty mapping.
        if entry.value.value == Value::Null && shape.required.is_empty() && shape.type_ == Type::Object {
            return if fine { decode(info, serde_json::json!({}), root, &mut walk) } else { None };
        }
        fine &= walk.check(shape, &entry.value, "/spec", Some(entry.key_span));
        if fine { decode(info, entry.value.to_json(), root, &mut walk) } else { None }
    }
}

fn listed(fields: &[String]) -> String {
    fields.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
}

/// Reads a valid spec, and checks the rules that a schema cannot express.
fn decode(
    info: &'static KindInfo,
    json: serde_json::Value,
    root: &Node,
    walk: &mut super::schema::Walk,
) -> Option<Spec> {
    fn read<S: Kind + Rules>(json: serde_json::Value, root: &Node, walk: &mut super::schema::Walk) -> Option<S> {
        match serde_json::from_value::<S>(json) {
            Ok(spec) => spec.check(root, walk).then_some(spec),
            Err(error) => {
                let diagnostic = Diagnostic::new(&codes::NOT_READ, root.place("/spec"), format!("`spec`: {error}"))
                    .help("please report this, with the object");
                walk.push(diagnostic, "/spec");
                None
            }
        }
    }
    Some(match info.kind {
        "Account" => Spec::Account(read(json, root, walk)?),
        "ServiceCluster" => Spec::ServiceCluster(read(json, root, walk)?),
        "Catalog" => Spec::Catalog(read(json, root, walk)?),
        "CatalogEntry" => Spec::CatalogEntry(read(json, root, walk)?),
        "CatalogEntrySet" => Spec::CatalogEntrySet(read(json, root, walk)?),
        "Tenant" => Spec::Tenant(read(json, root, walk)?),
        _ => return None,
    })
}

/// The nearest parent folder with the name of a provider.
fn from_folder(path: &str, providers: &BTreeSet<String>) -> Option<String> {
    path.rsplit('/').skip(1).find(|folder| providers.contains(*folder)).map(str::to_owned)
}

fn no_namespace(info: &KindInfo, root: &Node, path: Option<&str>, providers: &BTreeSet<String>) -> Diagnostic {
    let example = providers.first().map_or("<provider>", String::as_str);
    let (message, place) = match name_of(root) {
        Some(name) => (format!("the {} `{name}` does not say its namespace", info.kind), root.place("/metadata/name")),
        None => {
            let place = root.key_place("/metadata").unwrap_or_else(|| root.place("/kind"));
            (format!("the {} does not say its namespace", info.kind), place)
        }
    };
    let mut diagnostic = Diagnostic::new(&codes::NO_NAMESPACE, place, message)
        .help(format!("add `namespace: {example}` to its `metadata`"))
        .on("", "/metadata");
    let Some(path) = path else { return diagnostic };
    let file = path.rsplit('/').next().unwrap_or(path);
    diagnostic = diagnostic
        .at("no folder above it bears the name of a provider's account")
        .help(format!("or move the file into a folder of that name: `{example}/{file}`"));
    match providers.len() {
        0 => diagnostic.note("there is no account with the role Provider"),
        1 => diagnostic,
        _ => {
            let names: Vec<&str> = providers.iter().map(String::as_str).take(10).collect();
            diagnostic.note(format!("the providers are {}", names.join(", ")))
        }
    }
}
