//! Takes instances from the queue and has them worked on, as many at once as their clusters can take.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::shared::Shared;
use super::worker;

/// Works until `stop` ends, then finishes what is under way.
pub(crate) async fn dispatch(shared: Arc<Shared>, stop: impl Future<Output = ()>) {
    let began = Instant::now() - shared.now();
    let mut work = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let next = {
            let now = shared.now();
            let mut index = shared.index();
            while let Some(id) = index.queue.pop(now) {
                let shared = Arc::clone(&shared);
                work.spawn(async move {
                    worker::work(&shared, id).await;
                    shared.wake.notify_one();
                });
            }
            index.queue.next_due(now)
        };
        let due = async {
            match next {
                Some(at) => sleep_until(began + at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = &mut stop => break,
            () = shared.wake.notified() => {}
            () = due => {}
        }
        while work.try_join_next().is_some() {}
    }
    while work.join_next().await.is_some() {}
}
