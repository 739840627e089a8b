//! The numbers of a service's instances, by namespace and name. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sync::queue::Id;

/// The numbers, which are looked for without making a key.
#[derive(Debug, Default)]
pub(crate) struct Ids(HashMap<Arc<str>, HashMap<Arc<str>, Id>>);

impl Ids {
    /// The number of an instance.
    #[must_use]
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Id> {
        self.0.get(namespace)?.get(name).copied()
    }

    /// Takes in a new instance. The texts are shared with its record.
    pub(crate) fn insert(&mut self, namespace: Arc<str>, name: Arc<str>, id: Id) {
        self.0.entry(namespace).or_default().insert(name, id);
    }

    /// Forgets an instance.
    pub(crate) fn remove(&mut self, namespace: &str, name: &str) {
        if let Some(names) = self.0.get_mut(namespace) {
            names.remove(name);
            if names.is_empty() {
                self.0.remove(namespace);
            }
        }
    }

    /// All of them, or those of one namespace. By number, so that what happens next does not depend on the order of a hash
    /// map.
    #[must_use]
    pub(crate) fn sorted(&self, namespace: Option<&str>) -> Vec<Id> {
        let wanted = self.0.iter().filter(|(of, _)| namespace.is_none_or(|wanted| ***of == *wanted));
        let mut ids: Vec<Id> = wanted.flat_map(|(_, names)| names.values().copied()).collect();
        ids.sort_unstable();
        ids
    }
}
