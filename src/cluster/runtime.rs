//! Where asynchronous work runs: one thread for a command, since what it waits
//! for is the network.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::JoinHandle;

/// What is still to be done after the work itself, however that ended.
static AFTERWARDS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
/// Nobody waits longer for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a future to its end, or until the user interrupts: then `None`, and what
/// was being done is dropped. What must finish first listens by itself.
///
/// # Errors
/// When the system gives no event queue.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<Option<T>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        // The interruption is polled first. So it is listened to before the work begins: otherwise it ends this process
        // at once, and leaves to themselves the processes that the work has started. And Ctrl-C in a terminal also ends
        // a credential plugin, whose end is then no failure.
        let done = tokio::select! {
            biased;
            () = interrupted() => None,
            done = future => Some(done),
        };
        finish().await;
        done
    }))
}

/// The same for work that listens to interruptions by itself.
///
/// # Errors
/// When the system gives no event queue.
pub(crate) fn block_on_to_the_end<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        let done = future.await;
        finish().await;
        done
    }))
}

/// Waits for a signal that ends the process: Ctrl-C, or SIGTERM, which is what CI and Kubernetes send. Listens
/// from when it is polled first.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // A listener that cannot be had ends nothing.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Has something done even if the work that wants it is dropped: it is for `drop`, which cannot wait.
/// [`block_on`] waits for it before it ends; outside of a runtime nothing is done.
pub(crate) fn afterwards(task: impl Future<Output = ()> + Send + 'static) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let task = runtime.spawn(task);
    if let Ok(mut tasks) = AFTERWARDS.lock() {
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }
}

/// Waits for what is to be done afterwards, until it is done, takes too long or is interrupted.
async fn finish() {
    let tasks = AFTERWARDS.lock().map(|mut tasks| std::mem::take(&mut *tasks)).unwrap_or_default();
    if tasks.is_empty() {
        return;
    }
    tokio::select! {
        _ = tokio::time::timeout(PATIENCE, futures::future::join_all(tasks)) => {}
        () = interrupted() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn what_is_left_to_do_is_done_before_the_end() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let ended = block_on(async {
            afterwards(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                DONE.store(true, Ordering::Relaxed);
            });
        });
        assert!(matches!(ended, Ok(Some(()))));
        assert!(DONE.load(Ordering::Relaxed));
    }
}
