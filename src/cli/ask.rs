//! Asking the person at the terminal before something is written.

use std::io;
use std::pin::Pin;

use tokio::sync::oneshot;

use super::ui::Ui;
use crate::cluster::runtime::interrupted;

/// The next interruption.
pub(crate) type Interrupt = Pin<Box<dyn Future<Output = ()>>>;

/// Resolves at the next Ctrl-C or SIGTERM after the first poll.
pub(crate) fn interrupt() -> Interrupt {
    Box::pin(interrupted())
}

/// Asks the person at the terminal for confirmation, which only `yes` is; `None` if interrupted.
///
/// # Errors
/// When the question cannot be written.
pub(crate) async fn ask(ui: &mut Ui<'_>, question: &str) -> io::Result<Option<bool>> {
    ui.flush()?;
    write!(ui.err(), "{question}")?;
    ui.flush()?;
    let (tell, told) = oneshot::channel();
    // A thread of its own, which the process does not wait for: a read of a terminal cannot be ended.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let _ = tell.send(read.is_ok() && line.trim() == "yes");
    });
    let answer = tokio::select! {
        answer = told => Some(answer.unwrap_or(false)),
        () = interrupt() => None,
    };
    if answer.is_none() {
        writeln!(ui.err())?;
    }
    Ok(answer)
}
