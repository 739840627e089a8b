//! The same work on many items, on all processors, in the items' order.

/// Fewer items than these are worked on by one thread: starting another takes longer.
const ITEMS_PER_THREAD: usize = 64;

/// Does the same to every item, in several threads where there are many. The
/// order of the results is that of the items.
pub(super) fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len() / ITEMS_PER_THREAD);
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let each = items.len().div_ceil(threads);
    let mut items = items.into_iter();
    let shares: Vec<Vec<T>> = (0..threads).map(|_| items.by_ref().take(each).collect()).collect();
    let work = &work;
    std::thread::scope(|scope| {
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Vec<R>>()))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(results) => results,
                // A panic is a bug of ours; it must not be lost on the way.
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}
