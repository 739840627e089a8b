//! The table that is printed, the order statistics in it, and the promises that a run must keep.

use std::process::ExitCode;
use std::time::Duration;

/// What was promised and did not hold, so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    broken: Vec<String>,
}

impl Table {
    /// A new part of the table.
    #[expect(clippy::unused_self, reason = "it prints into the table")]
    pub(crate) fn part(&self, title: &str) {
        println!("\n{title}");
    }

    /// A line.
    #[expect(clippy::unused_self, reason = "it prints into the table")]
    pub(crate) fn line(&self, what: &str, figures: &str) {
        println!("  {what:<54} {figures}");
    }

    /// A line of p50, p95 and p99, each also as a multiple of the same of `bare`.
    pub(crate) fn spread(&self, what: &str, measured: &Spread, bare: Option<&Spread>) {
        let figures = [("p50", 0.50), ("p95", 0.95), ("p99", 0.99)].map(|(name, share)| {
            let found = measured.at(share);
            let times = bare.map_or_else(String::new, |bare| format!(" ({:.1}x)", ratio(found, bare.at(share))));
            format!("{name} {:>6.1} ms{times:<9}", found.as_secs_f64() * 1000.0)
        });
        self.line(what, &figures.join(" "));
    }

    /// A promise that does not depend on how fast the machine is.
    pub(crate) fn promise(&mut self, kept: bool, what: &str) {
        println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
        if !kept {
            self.broken.push(what.to_owned());
        }
    }

    /// The end of the run.
    pub(crate) fn end(self) -> ExitCode {
        if self.broken.is_empty() {
            return ExitCode::SUCCESS;
        }
        println!("\nbroken promises:\n  {}", self.broken.join("\n  "));
        ExitCode::FAILURE
    }
}

/// Durations, to ask for their order statistics.
#[derive(Debug, Default)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    /// One more.
    pub(crate) fn add(&mut self, one: Duration) {
        let place = self.0.partition_point(|other| *other <= one);
        self.0.insert(place, one);
    }

    /// The smallest duration that at least this share of all does not exceed.
    pub(crate) fn at(&self, share: f64) -> Duration {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of measurements")]
        let rank = (float(self.0.len()) * share).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }
}

/// One duration as a multiple of another.
pub(crate) fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}

/// How many a second.
pub(crate) fn rate(number: usize, took: Duration) -> f64 {
    float(number) / took.as_secs_f64()
}

/// A number of things, to calculate with.
pub(crate) fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("a benchmark has fewer"))
}
