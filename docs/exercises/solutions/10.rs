//! The `?` leaves, and the drop of what `map_concurrent` gave drops the work that is not done.

use handspun::{JoinError, map_concurrent};

#[derive(Debug)]
pub(crate) enum Failed<E> {
    Error(E),
    Panicked(JoinError),
}

pub(crate) async fn try_map_concurrent<I, F, T, E>(
    inputs: I,
    limit: usize,
    work: F,
) -> Result<Vec<T>, Failed<E>>
where
    I: IntoIterator,
    I::IntoIter: 'static,
    I::Item: 'static,
    F: AsyncFn(I::Item) -> Result<T, E> + 'static,
    T: 'static,
    E: 'static,
{
    let mut results = map_concurrent(inputs, limit, work);
    let mut outputs = Vec::new();
    while let Some(result) = results.next().await {
        outputs.push(result.map_err(Failed::Panicked)?.map_err(Failed::Error)?);
    }
    Ok(outputs)
}
