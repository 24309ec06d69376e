//! Maps over a pool, read to the end or not. The jobs of maps are told from others by this file's
//! name, for a map does not say how many it makes.

use std::time::Duration;

use handspun::JoinError;

use crate::jobs::Fixture;
use crate::records::{CALL_PANICS, Payload};
use crate::rng::Rng;
use crate::support::panic_quietly;

/// Reads some or all of a map, and complains if the results are out of order.
pub(crate) fn read_a_map(fixture: &Fixture, rng: &mut Rng) {
    let (n_inputs, records) = (rng.below(60), fixture.records.clone());
    let inputs = (0..n_inputs).map(|input| (input, Payload::new(&fixture.records)));
    let counts = fixture.records.clone();
    let mut map = fixture.pool.map(inputs, move |(input, payload)| {
        if input % 13 == 12 {
            counts.calls_panicked.add(1);
            panic_quietly(CALL_PANICS);
        }
        (input, payload)
    });
    if rng.one_in(2) {
        map = map.chunk(1 + rng.below(8));
    }
    if rng.one_in(2) {
        map = map.window(1 + rng.below(8));
    }
    let n_read = if rng.one_in(2) { n_inputs } else { rng.below(n_inputs + 1) };
    for at in 0..n_read {
        match map.next() {
            Some(Ok((input, _))) if input == at => records.note("map: a call returned"),
            Some(Err(JoinError::Panicked(_))) if at % 13 == 12 => {
                records.call_panics_noticed.add(1);
                records.note("map: a call panicked");
            }
            Some(Err(JoinError::Cancelled(_))) => records.note("map: a call was cancelled"),
            other => {
                let input = other.map(|result| result.map(|(input, _)| input));
                records.complain(format!("{input:?} in place {at} of a map"));
            }
        }
    }
    if n_read < n_inputs {
        return records.note("map, dropped");
    }
    if map.next().is_some() {
        records.complain("a result after the last".to_owned());
    }
    records.note("map to the end");
}

/// The same, for a map that ends when time is over. What runs then goes on, and nobody reads it.
pub(crate) fn read_a_timed_map(fixture: &Fixture, rng: &mut Rng) {
    let (n_inputs, records) = (rng.below(40), &fixture.records);
    let inputs = (0..n_inputs).map(|input| (input, Payload::new(records)));
    let timeout = Duration::from_micros(rng.below(300) as u64);
    let mut map = fixture.pool.map(inputs, |(input, payload)| (input, payload)).timeout(timeout);
    let mut n_read = 0;
    let is_out_of_time = loop {
        match map.next() {
            Some(Ok(Ok((input, _)))) if input == n_read => n_read += 1,
            Some(Ok(Err(JoinError::Cancelled(_)))) => n_read += 1, // A shutdown.
            Some(Ok(_)) => records.complain(format!("a wrong result in place {n_read} of a map")),
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    match is_out_of_time {
        true => records.note("timed map, out of time"),
        false if n_read == n_inputs => records.note("timed map to the end"),
        false => records.complain(format!("a timed map ends at {n_read} of {n_inputs}")),
    }
    if map.next().is_some() {
        records.complain("a result after the end of a timed map".to_owned());
    }
}
