//! A word now and then while something takes long, on stderr: which clusters are
//! waited for. Nothing is said in the first seconds, and nothing with `-q`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::ui::Ui;

/// Nobody wonders before.
const FIRST: Duration = Duration::from_secs(2);
/// And then as often as this.
const THEN: Duration = Duration::from_secs(5);

/// What is being waited for.
#[derive(Debug, Default)]
pub struct Progress {
    pending: RefCell<BTreeSet<String>>,
}

impl Progress {
    /// Does something, named `what` for as long as it takes.
    pub async fn on<T>(&self, what: impl Into<String>, work: impl Future<Output = T>) -> T {
        let what = what.into();
        self.pending.borrow_mut().insert(what.clone());
        let done = work.await;
        self.pending.borrow_mut().remove(&what);
        done
    }

    /// Does all of it, and says on `ui` what it waits for.
    pub async fn show<T>(&self, ui: &mut Ui<'_>, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut pause = FIRST;
        let mut said = String::new();
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(pause) => {}
            }
            pause = THEN;
            let list: Vec<String> = self.pending.borrow().iter().cloned().collect();
            let line = format!("waiting for {}", list.join(", "));
            if !list.is_empty() && line != said {
                // Who does not listen to talk is not waited for either.
                let _ = ui.say(&line);
                said = line;
            }
        }
    }
}
