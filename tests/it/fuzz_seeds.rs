//! The fuzz targets over their seeds, and over each seed with a part of it cut
//! out, doubled or replaced: a few seconds of what `fuzz/run` does for longer.

#[path = "../../fuzz/entry.rs"]
mod entry;

use std::fs;
use std::path::Path;

use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![load_stands_its_seeds, paths_stand_their_seeds,]
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "the seeds of {target} are gone");
    files.iter().map(|f| fs::read(f).unwrap()).collect()
}

/// Runs every seed, then `rounds` changes of each, the same ones each time.
fn run(target: &str, rounds: usize, entry: fn(&[u8])) {
    let seeds = seeds(target);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % limit.max(1)
    };
    for seed in &seeds {
        entry(seed);
        for _ in 0..rounds {
            let mut bytes = seed.clone();
            for _ in 0..=below(3) {
                let (a, b) = (below(bytes.len()), below(bytes.len()));
                let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 12));
                match below(4) {
                    0 => drop(bytes.drain(from..to)),
                    1 => {
                        let part = bytes[from..to].to_vec();
                        let at = below(bytes.len());
                        bytes.splice(at..at, part);
                    }
                    2 => {
                        let other = &seeds[below(seeds.len())];
                        let at = below(other.len());
                        let part = other[at..(at + 12).min(other.len())].to_vec();
                        bytes.splice(from..to, part);
                    }
                    _ => {
                        let byte = b" \n:-[]{}'\"|>&*!#%,?\t~\\"[below(22)];
                        bytes.insert(from, byte);
                    }
                }
            }
            entry(&bytes);
        }
    }
}

fn load_stands_its_seeds() {
    run("load", 1_500, entry::load);
}

fn paths_stand_their_seeds() {
    run("paths", 3_000, entry::paths);
}
