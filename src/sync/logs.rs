//! Structured logs on stderr, as lines for people or for machines.
//!
//! Only carrier's own events are written, whatever the level: what the crates below it log may quote requests. A line a
//! decision is at `debug`, and none a reconcile at `info`. No event holds a value of a Secret or of a spec. A line for people is
//! one line, whatever is in its fields: what a server says begins no other.

use std::io::{self, Write};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;

use crate::model::plain;

/// The target of carrier's events: the name of the crate.
const TARGET: &str = env!("CARGO_CRATE_NAME");

/// The form of the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// A text is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of off, error, warn, info, debug, trace")]
pub struct NotALevel(String);

/// The level: what `CARRIER_LOG` says, else by how talkative the program is to be.
///
/// # Errors
/// When `CARRIER_LOG` is no level.
pub fn level(variable: Option<&str>, quiet: bool, verbose: bool) -> Result<LevelFilter, NotALevel> {
    match (variable.filter(|text| !text.is_empty()), quiet, verbose) {
        // The parser takes digits, too.
        (Some(text), ..) if text.chars().all(|c| c.is_ascii_alphabetic()) => {
            text.parse().map_err(|_| NotALevel(text.to_owned()))
        }
        (Some(text), ..) => Err(NotALevel(text.to_owned())),
        (None, true, _) => Ok(LevelFilter::ERROR),
        (None, false, true) => Ok(LevelFilter::DEBUG),
        (None, false, false) => Ok(LevelFilter::INFO),
    }
}

/// What writes carrier's events of a level and above to `writer`.
pub fn subscriber<W>(format: LogFormat, level: LevelFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let is_ours =
        |target: &str| target.strip_prefix(TARGET).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let filter = FilterFn::new(move |event| *event.level() <= level && is_ours(event.target()));
    let registry = Registry::default().with(filter.with_max_level_hint(level));
    match format {
        LogFormat::Text => {
            Box::new(registry.with(fmt::layer().with_ansi(false).with_target(false).with_writer(OneLine(writer))))
        }
        LogFormat::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
            Box::new(registry.with(layer.with_target(false).with_writer(writer)))
        }
    }
}

/// Makes each event one line: it is written at once, with a line break at its end.
struct OneLine<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for OneLine<W> {
    type Writer = OneLineWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLineWriter(self.0.make_writer())
    }
}

struct OneLineWriter<W>(W);

impl<W: Write> Write for OneLineWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = plain::line(text.strip_suffix('\n').unwrap_or(&text));
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes the events of the whole process to stderr from here on. Whoever called it first has the say.
pub fn install(format: LogFormat, level: LevelFilter) {
    let subscriber = subscriber(format, level, std::io::stderr);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        // If that cannot be said either, nothing can.
        let _ = writeln!(std::io::stderr(), "logs are written elsewhere already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(format: LogFormat, level: LevelFilter) -> Vec<String> {
        let lines = Lines::default();
        tracing::subscriber::with_default(subscriber(format, level, lines.clone()), || {
            tracing::debug!(cluster = "team-a/eu-west-1", action = "create", "decided");
            tracing::info!(why = %"a\n::error::b\r\u{202e}##[x]", "begun\u{1b}[2J");
            tracing::error!(target: "kube::client", "the body of a request");
            tracing::error!(target: "carrier_other", "of another crate");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn text_is_a_line_an_event() {
        let lines = logged(LogFormat::Text, LevelFilter::DEBUG);
        let [decided, begun] = lines.as_slice() else { panic!("{lines:#?}") };
        assert!(decided.ends_with(r#"DEBUG decided cluster="team-a/eu-west-1" action="create""#), "{decided}");
        assert!(begun.contains("INFO begun") && !begun.contains(['\u{1b}', '\r', '\u{202e}']), "{begun}");
        assert!(begun.contains("::error::b") && begun.contains("#＃[x]"), "{begun}");
        assert!(decided.as_bytes()[..4].iter().all(u8::is_ascii_digit), "it begins with the time: {decided}");
    }

    #[test]
    fn json_is_an_object_a_line() {
        let lines = logged(LogFormat::Json, LevelFilter::DEBUG);
        let events: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 2, "{lines:#?}");
        assert_eq!((&events[0]["level"], &events[0]["message"]), (&"DEBUG".into(), &"decided".into()));
        assert_eq!(events[0]["cluster"], "team-a/eu-west-1");
        assert_eq!(events[1]["message"], "begun\u{1b}[2J");
    }

    #[test]
    fn a_level_leaves_out_what_is_below() {
        assert_eq!(logged(LogFormat::Json, LevelFilter::INFO).len(), 1);
        assert!(logged(LogFormat::Json, LevelFilter::OFF).is_empty());
    }

    #[test]
    fn the_level_is_that_of_the_variable_or_the_flags() {
        assert_eq!(level(None, false, false), Ok(LevelFilter::INFO));
        assert_eq!(level(Some(""), false, true), Ok(LevelFilter::DEBUG));
        assert_eq!(level(None, true, false), Ok(LevelFilter::ERROR));
        assert_eq!(level(Some("Trace"), true, false), Ok(LevelFilter::TRACE));
        for wrong in ["kube=debug", "loud", "5"] {
            assert_eq!(level(Some(wrong), false, false), Err(NotALevel(wrong.to_owned())));
        }
    }
}
