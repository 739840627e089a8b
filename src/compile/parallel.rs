//! The same work on many items, on all processors, in the items' order.

use std::num::NonZero;
use std::sync::Mutex;

/// Less text than this, in bytes, is processed by one thread: starting another takes longer.
const BYTES_PER_THREAD: usize = 64 * 1024;

/// Does the same to every item, in several threads where that is faster. `bytes` is the amount of text that
/// an item stands for. The results are in the order of the items.
pub(super) fn in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    bytes: impl Fn(&T) -> usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let all: usize = items.iter().map(&bytes).sum();
    let threads =
        std::thread::available_parallelism().map_or(1, NonZero::get).min(items.len()).min(all / BYTES_PER_THREAD);
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    // The largest last, where the queue is taken from: one that is begun late would keep the others waiting.
    let mut queue: Vec<(usize, T)> = items.into_iter().enumerate().collect();
    queue.sort_by_key(|(_, item)| bytes(item));
    let queue = Mutex::new(queue);
    let next = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
    let worker = || {
        let mut done = Vec::new();
        while let Some((index, item)) = next() {
            done.push((index, work(item)));
        }
        done
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        running
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(results) => results,
                // A panic is a bug and must not be lost.
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let expected: Vec<usize> = (0..1000).map(|i| i * 2).collect();
        for bytes in [0, BYTES_PER_THREAD] {
            assert_eq!(in_parallel((0..1000).collect(), |i| bytes + i % 7, |i: usize| i * 2), expected);
        }
    }
}
