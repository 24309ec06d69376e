//! An order is a list of thread numbers. All of them are built one step at a time, and each is run from the start.

pub(crate) type Step<S> = fn(&mut S);

pub(crate) fn bad_orders<S: Default>(
    threads: &[&[Step<S>]],
    good: impl Fn(&S) -> bool,
) -> Vec<Vec<usize>> {
    let n_steps: usize = threads.iter().map(|steps| steps.len()).sum();
    let mut orders = vec![Vec::new()];
    for _ in 0..n_steps {
        let next = |order: &Vec<usize>| {
            let is_left = |number: &usize| n_done(order, *number) < threads[*number].len();
            let longer = |number| [order.as_slice(), &[number]].concat();
            (0..threads.len()).filter(is_left).map(longer).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(next).collect();
    }
    orders.retain(|order| {
        let mut state = S::default();
        for (at, number) in order.iter().enumerate() {
            threads[*number][n_done(&order[..at], *number)](&mut state);
        }
        !good(&state)
    });
    orders
}

/// How many steps a thread has taken in the beginning of an order.
fn n_done(order: &[usize], number: usize) -> usize {
    order.iter().filter(|other| **other == number).count()
}
