//! A compiler for multi-cluster service offerings on Kubernetes.
//!
//! The folders follow the data, and each imports only those before it:
//!
//! | Folder | What it does |
//! |---|---|
//! | `model` | names, kinds, places in text, diagnostics, field paths |
//! | `yaml` | reads and writes YAML |
//! | `compile` | objects of a repository and facts of the clusters in, manifests out |
//! | `plan` | what applying the manifests would change, and for whom |
//! | `files` | reads a repository, writes manifests |
//! | `cluster` | the client of an API server: requests, lists, watches, apply |
//! | `sync` | keeps instances in step: decisions (pure), watches, writes |
//! | `ops` | the commands as functions |
//! | `cli` | arguments, terminal, exit status |
//!
//! `model`, `yaml`, `compile` and `plan` are pure: they open no file and no socket and read no clock.
//! `tests/it/architecture.rs` enforces both.
//!
//! Everything is private to the crate except what the modules below re-export: what the binary, the tests,
//! the benchmarks and the fuzz targets use.

mod cli;
mod cluster;
mod compile;
mod files;
mod model;
mod ops;
mod plan;
mod sync;
mod yaml;

/// Source text, and places in it.
pub mod source {
    pub use crate::model::source::{ApiObject, FileId, SourceFile, Sources, Span, Spanned};
}

/// Diagnostics, and the table of their codes.
pub mod diagnostic {
    pub use crate::model::codes;
    pub use crate::model::codes::{Code, lock};
    pub use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
}

/// Names of clusters, objects, resources, labels and annotations.
pub mod names {
    pub use crate::model::cluster::{ClusterId, Target};
    pub use crate::model::keys;
    pub use crate::model::names::SUBDOMAIN_MAX;
    pub use crate::model::object::{ManifestId, ObjectKey, Stage};
    pub use crate::model::resource::Resource;
}

/// The KubeCarrier kinds, their CRDs and JSON Schemas.
pub mod kinds {
    pub use crate::model::kinds::catalog::CatalogEntrySpec;
    pub use crate::model::kinds::crd::crds;
    pub use crate::model::kinds::deletion::{DeletionPolicy, DeletionPolicyConfig};
    pub use crate::model::kinds::editor::json_schemas;
    pub use crate::model::kinds::propagate::{KeyPattern, PropagateConfig};
    pub use crate::model::kinds::table::{self, KINDS};
}

/// The settings of a repository, and its lock.
pub mod settings {
    pub use crate::model::config::{Config, RenderTarget};
    pub use crate::model::lock::{CrdOrigin, Lock, LockedCluster, LockedCrd};
}

/// Field paths of an exposure.
pub mod paths {
    pub use crate::model::path::parse::PathProblem;
    pub use crate::model::path::set::{Exposed, PathSet};
    pub use crate::model::path::{FieldPath, Segment};
}

/// The reader and the writer of YAML.
pub mod text {
    pub use crate::yaml::limits::MAX_DEPTH;
    pub use crate::yaml::read::{Document, read};
    pub use crate::yaml::suppress::apply_suppressions;
    pub use crate::yaml::tree::{Node, Value};
    pub use crate::yaml::write::to_yaml;
}

/// Deriving a CRD from a base CRD and an exposure.
pub mod derivation {
    pub use crate::compile::derive::contract::Unfit;
    pub use crate::compile::derive::exposure::{ExposeItem, Exposure, ValueAt};
    pub use crate::compile::derive::names::CrdNames;
    pub use crate::compile::derive::projection::{Generations, Preset, Projection};
    pub use crate::compile::derive::source::{SourceCrd, SourceVersion};
    pub use crate::compile::derive::{Derived, derive, internal};
    pub use crate::compile::{schema, values};
}

/// The route of a service between its tenant, internal and base CRD.
pub mod routing {
    pub use crate::compile::route::error::RouteError;
    pub use crate::compile::route::{RouteCrds, ServiceRoute, Synced};
}

/// The manifests of a compilation, and their layout in a folder.
pub mod rendering {
    pub use crate::compile::render::ManifestSet;
    pub use crate::compile::render::layout::{Files, MAX_ENTRIES, Options, layout, stream};
    pub use crate::compile::render::manifest::{Cause, Manifest};
}

/// Snapshots of CRDs and the lock file.
pub mod locking {
    pub use crate::compile::locking::strip::strip;
    pub use crate::compile::locking::{lock_file, snapshots};
}

/// The compiler: objects and facts in, services and manifests out.
pub mod compiler {
    pub use crate::compile::compile;
    pub use crate::compile::compiled::Compiled;
    pub use crate::compile::discovered::{Discovered, DiscoveredCrd};
    pub use crate::compile::load::loaded::Loaded;
    pub use crate::compile::load::objects::load;
}

/// Plans: what applying a repository would change.
pub mod planning {
    pub use crate::plan::build::DryRunResult;
    pub use crate::plan::compare::{Comparison, compare, same_after_dry_run};
    pub use crate::plan::crd::reasons as crd_reasons;
    pub use crate::plan::inventory::Inventory;
    pub use crate::plan::live::LiveObject;
    pub use crate::plan::permissions::table::page;
    pub use crate::plan::types::{
        Action, Change, Conflict, Counted, CountedKind, Effect, Impact, LiveVersion, ObjectRef, Plan, Reason,
    };
    pub use crate::plan::{inventory, json};
}

/// Reading a repository and writing manifests into a folder.
pub mod repository {
    pub use crate::files::error::FilesError;
    pub use crate::files::manifest::MANIFEST;
    pub use crate::files::walk::{ReadOptions, read_paths, read_repository};
    pub use crate::files::write::{Difference, DifferenceKind, Written, check, no_link, plan_write};
}

/// The client of an API server, and what is done with it.
pub mod clusters {
    pub use crate::cluster::client::Cluster;
    pub use crate::cluster::client::counters::Outcome;
    pub use crate::cluster::client::limits::Limits;
    pub use crate::cluster::error::{ClusterError, ErrorKind};
    pub use crate::cluster::kubeconfig::{FileSource, Loopback, from_files};
    pub use crate::cluster::request::patch::JsonPatch;
    pub use crate::cluster::request::selection::Selection;
    pub use crate::cluster::request::{ApiRequest, FieldValidation, Verb};
    pub use crate::cluster::wait::{Verdict, Wait, established};
    pub use crate::cluster::watch::{Phase, WatchEvent, WatchOptions, Watcher};
    pub use crate::model::plain::Line;
}

/// What a cluster has to say to a plan.
pub mod observing {
    pub use crate::cluster::observe::{Observed, Options, observe};
    pub use crate::cluster::trial::scratch::LABEL;
}

/// Applying a plan to a cluster.
pub mod applying {
    pub use crate::cluster::apply::outcome::{Event, Leaving, Outcome};
    pub use crate::cluster::apply::{ClusterWork, How, apply};
}

/// `carrier sync`: the links to the service clusters, who writes for which, and what it tells of itself.
pub mod running {
    pub use crate::sync::lease::keeper::{Holder, Holdings, KeeperOptions, LeaseKeeper};
    pub use crate::sync::lease::names::{of_cluster, of_member};
    pub use crate::sync::lease::permits::{NoPermit, Permits};
    pub use crate::sync::lease::timing::Timing;
    pub use crate::sync::link::keeper::{Link, LinkHandle, LinkOptions, keep as keep_link};
    pub use crate::sync::link::namespace::NamespaceState;
    pub use crate::sync::link::namespaces::{Assigned, Namespaces, keep as keep_namespaces};
    pub use crate::sync::link::verdict::Trust;
    pub use crate::sync::listen::{Listen, Listener, NotAnAddress, Pages};
    pub use crate::sync::logs::{LogFormat, NotALevel, install, level, subscriber};
    pub use crate::sync::metrics::{
        ClusterSnapshot, Direction, Metrics, QueueClass, Requests, Side, Snapshot, WriteReason,
    };
}

/// The commands as functions.
pub mod operations {
    pub use crate::ops::doctor::report::{Report, schema};
    pub use crate::ops::explain::report::Explanation;
}

/// The command line.
pub mod program {
    pub use crate::cli::args::{Program, command};
    pub use crate::cli::bug::{guard, install_hook};
    pub use crate::cli::diagnostics::{Summary, github, json, sarif, text};
    pub use crate::cli::env::Env;
    pub use crate::cli::exit::Exit;
    pub use crate::cli::get::Document;
    pub use crate::cli::suggest::Suggestions;
    pub use crate::cli::sync::Document as SyncDocument;
    pub use crate::cli::ui::Ui;
    pub use crate::cli::{completions, explain, main, reference, run};
}
