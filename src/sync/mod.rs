//! `carrier sync`: keeps the instances of services in step between the management cluster and the service clusters.
//!
//! What is decided is pure: it sees objects as values, and times as the time since the process began.
//!
//! | Files | What they do |
//! |---|---|
//! | `digest`, `shape`, `owned`, `status`, `level` | how objects are compared without their bodies |
//! | `service`, `marks`, `wanted`, `difference`, `words` | what each object shall be, and whose it is |
//! | `facts`, `memory`, `verdict`, `step`, `decide` | what is known, and what is to be done |
//! | `queue`, `breaker`, `contest`, `place`, `record`, `index`, `job` | all instances, and what waits |
//! | `catalog`, `custody` | the services and whose clusters they are, from the objects in the management cluster |
//!
//! The shell asks, waits and writes: `run` puts together `supervise`, `settings`, `linked`, `news`, `source` and
//! `follow`, which fill the index, `dispatch`, `worker` and `write`, which work it off, `shared`, `entries`, `events`,
//! `telemetry` and `pages`. `link` keeps the connections, `lease` says which clusters are ours, `listen`, `metrics` and
//! `logs` tell of it all.

pub(crate) mod base;
pub(crate) mod breaker;
pub(crate) mod catalog;
pub(crate) mod contest;
pub(crate) mod custody;
pub(crate) mod decide;
pub(crate) mod difference;
pub(crate) mod digest;
pub(crate) mod dispatch;
pub(crate) mod entries;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod follow;
pub(crate) mod ids;
pub(crate) mod index;
pub(crate) mod job;
pub(crate) mod lease;
pub(crate) mod level;
pub(crate) mod link;
pub(crate) mod linked;
pub(crate) mod listen;
pub(crate) mod logs;
pub(crate) mod marks;
pub(crate) mod memory;
pub(crate) mod metrics;
pub(crate) mod news;
pub(crate) mod owned;
pub(crate) mod pages;
pub(crate) mod place;
pub(crate) mod preflight;
pub(crate) mod queue;
pub(crate) mod readiness;
pub(crate) mod record;
pub(crate) mod rehearse;
pub(crate) mod run;
pub(crate) mod said;
pub(crate) mod service;
pub(crate) mod settings;
pub(crate) mod settled;
pub(crate) mod shape;
pub(crate) mod shared;
pub(crate) mod source;
pub(crate) mod status;
pub(crate) mod step;
pub(crate) mod supervise;
pub(crate) mod telemetry;
pub(crate) mod timestamp;
pub(crate) mod truth;
pub(crate) mod uid;
pub(crate) mod verdict;
pub(crate) mod wanted;
pub(crate) mod words;
pub(crate) mod worker;
pub(crate) mod write;

#[cfg(test)]
mod model_tests;
