//! Maps over a pool, read to the end or not. The jobs of maps are told from others by this file's
//! name, for a map does not say how many it makes.

use std::time::Duration;

use handspun::{FlatError, JoinError};

use crate::books::{CALL_PANICS, Payload};
use crate::dice::Dice;
use crate::jobs::House;
use crate::support::panic_quietly;

/// Reads some or all of a map, and complains if the results are out of order.
pub(crate) fn read_a_map(house: &House, dice: &mut Dice) {
    let (n_inputs, books) = (dice.below(60), house.books.clone());
    let inputs = (0..n_inputs).map(|input| (input, Payload::new(&house.books)));
    let counts = house.books.clone();
    let mut map = house.pool.map(inputs, move |(input, payload)| {
        if input % 13 == 12 {
            counts.calls_panicked.add(1);
            panic_quietly(CALL_PANICS);
        }
        (input, payload)
    });
    if dice.one_in(2) {
        map = map.chunk(1 + dice.below(8));
    }
    if dice.one_in(2) {
        map = map.window(1 + dice.below(8));
    }
    let n_read = if dice.one_in(2) { n_inputs } else { dice.below(n_inputs + 1) };
    for at in 0..n_read {
        match map.next() {
            Some(Ok((input, _))) if input == at => books.note("map: a call returned"),
            Some(Err(JoinError::Panicked(_))) if at % 13 == 12 => {
                books.call_panics_noticed.add(1);
                books.note("map: a call panicked");
            }
            Some(Err(JoinError::Cancelled(_))) => books.note("map: a call was cancelled"),
            other => {
                let input = other.map(|result| result.map(|(input, _)| input));
                books.complain(format!("{input:?} in place {at} of a map"));
            }
        }
    }
    if n_read < n_inputs {
        return books.note("map, dropped");
    }
    if map.next().is_some() {
        books.complain("a result after the last".to_owned());
    }
    books.note("map to the end");
}

/// The same, for calls that may fail: there is nothing after the first that does.
pub(crate) fn read_a_try_map(house: &House, dice: &mut Dice) {
    let (n_inputs, fails_at, books) = (dice.below(40), dice.below(40), &house.books);
    let inputs = (0..n_inputs).map(|input| (input, Payload::new(books)));
    let call = move |(input, payload)| if input == fails_at { Err(payload) } else { Ok(payload) };
    let mut map = house.pool.try_map(inputs, call);
    let n_returned = map.by_ref().take_while(Result::is_ok).count();
    if map.next().is_some() {
        books.complain("a result after an error, or after the last".to_owned());
    }
    if n_returned == n_inputs {
        books.note("try_map to the end");
    } else if n_returned == fails_at {
        books.note("try_map to an error");
    }
    // And otherwise there was a shutdown. An error of its own, to see that it is told apart:
    let failed = house.pool.try_map([()], |()| Err::<(), ()>(())).next();
    if !matches!(failed, Some(Err(FlatError::Failed(()) | FlatError::NoResult(_)))) {
        books.complain(format!("a call failed, and the map says {failed:?}"));
    }
}

/// The same, for a map that ends when time is over. What runs then goes on, and nobody reads it.
pub(crate) fn read_a_timed_map(house: &House, dice: &mut Dice) {
    let (n_inputs, books) = (dice.below(40), &house.books);
    let inputs = (0..n_inputs).map(|input| (input, Payload::new(books)));
    let timeout = Duration::from_micros(dice.below(300) as u64);
    let mut map = house.pool.map(inputs, |(input, payload)| (input, payload)).timeout(timeout);
    let mut n_read = 0;
    let is_out_of_time = loop {
        match map.next() {
            Some(Ok(Ok((input, _)))) if input == n_read => n_read += 1,
            Some(Ok(Err(JoinError::Cancelled(_)))) => n_read += 1, // A shutdown.
            Some(Ok(_)) => books.complain(format!("a wrong result in place {n_read} of a map")),
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    match is_out_of_time {
        true => books.note("timed map, out of time"),
        false if n_read == n_inputs => books.note("timed map to the end"),
        false => books.complain(format!("a timed map ends at {n_read} of {n_inputs}")),
    }
    if map.next().is_some() {
        books.complain("a result after the end of a timed map".to_owned());
    }
}
