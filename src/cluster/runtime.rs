//! Where asynchronous work runs: one thread for a command, since what it waits
//! for is the network.

use std::future::Future;

use tokio::runtime::Builder;

/// Runs a future to its end, or until the user interrupts: then `None`, and what
/// was being done is dropped. What must finish first listens by itself.
///
/// # Errors
/// When the system gives no event queue.
pub fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<Option<T>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        tokio::select! {
            done = future => Some(done),
            _ = tokio::signal::ctrl_c() => None,
        }
    }))
}

/// The same for work that listens to interruptions by itself.
///
/// # Errors
/// When the system gives no event queue.
pub fn block_on_to_the_end<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(Builder::new_current_thread().enable_all().build()?.block_on(future))
}
