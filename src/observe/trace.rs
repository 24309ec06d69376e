//! A picture as a Chrome trace: a file of JSON that <https://ui.perfetto.dev> opens.
//!
//! Knows nothing of files. What must always hold: what comes out is JSON, whatever a path is called.
//!
//! The format is Google's "Trace Event Format": a pool is a process (`pid`), a worker one of its
//! threads (`tid`), a job a complete event (`X`) with its beginning and its duration, in
//! microseconds. Those of one thread lie on each other by their times alone. Tasks overlap as they like,
//! and have no thread to lie on: each is a pair of asynchronous events (`b`, `e`) on a track of its own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::event::What;

use super::picture::Picture;
use super::span::Span;

/// Writes it as one JSON object.
pub(crate) fn write(picture: &Picture, mut out: impl Write) -> io::Result<()> {
    out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    let mut before = "\n";
    let mut put = |event: String| {
        out.write_all(before.as_bytes())?;
        before = ",\n"; // Between two events, and so before all but the first.
        out.write_all(event.as_bytes())
    };
    for pool in picture.sources(What::Job) {
        let pid = pid(What::Job, pool);
        put(name_of("process_name", pid, 0, &format!("pool {pool}")))?;
        for (worker, jobs) in picture.workers(pool) {
            put(name_of("thread_name", pid, tid(worker), &format!("worker {worker}")))?;
            for span in jobs {
                put(run_of(picture, span, pid, tid(worker)))?;
            }
        }
        for (when, n_queued) in queue_of(picture, pool) {
            let ts = micros(when);
            put(format!(
                r#"{{"ph":"C","name":"queued","pid":{pid},"ts":{ts},"args":{{"jobs":{n_queued}}}}}"#
            ))?;
        }
    }
    for (what, word) in [(What::Task, "tasks of executor"), (What::Child, "children of source")] {
        for source in picture.sources(what) {
            let pid = pid(what, source);
            put(name_of("process_name", pid, 0, &format!("{word} {source}")))?;
            for span in picture.spans_of(what, source) {
                life_of(picture, span, pid).into_iter().try_for_each(&mut put)?;
            }
        }
    }
    out.write_all(b"\n]}\n")?;
    out.flush()
}

/// One for each kind of thing from each source, but for 0: viewers keep that for the machine's own
/// idle thread.
fn pid(what: What, source: usize) -> usize {
    let kind = match what {
        What::Job => 1,
        What::Task => 2,
        What::Child => 3,
    };
    3 * source + kind
}

fn tid(worker: usize) -> usize {
    worker + 1
}

fn name_of(what: &str, pid: usize, tid: usize, name: &str) -> String {
    let name = quoted(name);
    format!(r#"{{"ph":"M","name":"{what}","pid":{pid},"tid":{tid},"args":{{"name":{name}}}}}"#)
}

fn run_of(picture: &Picture, span: &Span, pid: usize, tid: usize) -> String {
    let (submitted, began) = picture.wait(span);
    let ended = picture.end_of(span);
    let (job, at, ending) = (span.number, site_of(span), ending_of(span));
    let (ts, dur) = (micros(began), micros(ended.saturating_sub(began)));
    let waited = micros(began.saturating_sub(submitted));
    format!(
        r#"{{"ph":"X","name":"job {job}","cat":"job","pid":{pid},"tid":{tid},"ts":{ts},"dur":{dur},"#
    ) + &format!(r#""args":{{"submitted at":{at},"waited (µs)":{waited},"ending":"{ending}"}}}}"#)
}

/// The beginning and the end of a task or a child.
fn life_of(picture: &Picture, span: &Span, pid: usize) -> [String; 2] {
    let (from, to) = picture.life(span);
    let (name, number) = (quoted(&span.title()), span.number);
    let (at, ending) = (site_of(span), ending_of(span));
    let args = format!(r#"{{"submitted at":{at},"ending":"{ending}"}}"#);
    [("b", from, &*args), ("e", to, "{}")].map(|(phase, when, args)| {
        let ts = micros(when);
        format!(
            r#"{{"ph":"{phase}","name":{name},"cat":"life","id2":{{"local":"{number}"}},"pid":{pid},"#
        ) + &format!(r#""tid":0,"ts":{ts},"args":{args}}}"#)
    })
}

fn site_of(span: &Span) -> String {
    quoted(&span.submitted_at.to_string())
}

fn ending_of(span: &Span) -> String {
    span.settled.map_or("still running".to_owned(), |(_, ending)| format!("{ending:?}"))
}

/// How many jobs were queued, from when on.
fn queue_of(picture: &Picture, pool: usize) -> Vec<(Duration, isize)> {
    let waits = picture.spans_of(What::Job, pool).map(|span| picture.wait(span));
    let mut steps: Vec<_> = waits.flat_map(|(from, to)| [(from, 1), (to, -1)]).collect();
    steps.sort_unstable();
    let mut n_queued = 0;
    for (_, step) in &mut steps {
        n_queued += *step;
        *step = n_queued;
    }
    // Of several steps at one moment, the last one holds.
    steps.reverse();
    steps.dedup_by_key(|(when, _)| *when);
    steps.reverse();
    steps
}

/// Exact to the nanosecond: `1234.567`.
fn micros(time: Duration) -> String {
    format!("{}.{:03}", time.as_micros(), time.subsec_nanos() % 1000)
}

/// A string as JSON has it.
fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\0'..' ' => {
                write!(json, "\\u{:04x}", u32::from(c))
                    .expect("a String takes all that is written");
            }
            _ => json.push(c),
        }
    }
    json + "\""
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::event::Ending;
    use crate::observe::made_up::Film;

    fn trace(picture: &Picture) -> String {
        let mut out = Vec::new();
        write(picture, &mut out).expect("a Vec takes all that is written");
        String::from_utf8(out).expect("JSON is text")
    }

    /// What is left behind one JSON value; `None` if there is none.
    fn skip_value(json: &str) -> Option<&str> {
        let json = json.trim_start();
        match json.chars().next()? {
            '{' => skip_members(&json[1..], '}', true),
            '[' => skip_members(&json[1..], ']', false),
            '"' => {
                let mut is_escaped = false;
                let end = json[1..].find(|c| {
                    let is_end = (c == '"' && !is_escaped) || c < ' ';
                    is_escaped = c == '\\' && !is_escaped;
                    is_end
                })?;
                json[1 + end..].strip_prefix('"')
            }
            _ => {
                let end = json.find([',', '}', ']', '\n']).unwrap_or(json.len());
                json[..end].parse::<f64>().ok().map(|_| &json[end..])
            }
        }
    }

    fn skip_members(json: &str, end: char, have_names: bool) -> Option<&str> {
        let mut rest = json.trim_start();
        if let Some(rest) = rest.strip_prefix(end) {
            return Some(rest);
        }
        loop {
            if have_names {
                rest = skip_value(rest)?.trim_start().strip_prefix(':')?;
            }
            rest = skip_value(rest)?.trim_start();
            if let Some(rest) = rest.strip_prefix(end) {
                return Some(rest);
            }
            rest = rest.strip_prefix(',')?;
        }
    }

    #[test]
    fn a_trace_is_one_json_object() {
        let film = Film::new();
        let mut events = [film.job(0, 0, 1, 3), film.job(1, 1, 2, 9)].concat();
        events.extend([film.submitted(4, 2), film.began(5, 2, 0), film.submitted(5, 3)]);
        events.extend([film.submitted(0, 4), film.settled(7, 4, Ending::Cancelled)]);
        events.extend(film.task(4, "a \"b\"", 1, 4, Ending::Panicked));
        for events in [&events[..], &[]] {
            let trace = trace(&film.picture(10, events));
            assert_eq!(skip_value(&trace).map(str::trim), Some(""), "{trace}");
        }
        assert_eq!(skip_value("[1,]"), None); // The check itself is able to fail.
    }

    #[test]
    fn a_job_has_its_beginning_and_its_duration_in_microseconds() {
        let film = Film::new();
        let trace = trace(&film.picture(0, &film.job(5, 2, 1, 3)));
        assert!(trace.contains(
            r#""name":"job 5","cat":"job","pid":1,"tid":3,"ts":1000.000,"dur":2000.000"#
        ));
        assert!(trace.contains(r#""waited (µs)":1000.000,"ending":"Returned""#), "{trace}");
        assert!(
            trace.contains(r#""name":"thread_name","pid":1,"tid":3,"args":{"name":"worker 2"}"#)
        );
    }

    #[test]
    fn a_task_has_a_beginning_and_an_end_on_its_own_track() {
        let film = Film::new();
        let trace = trace(&film.picture(0, &film.task(5, "fetch", 0, 3, Ending::Cancelled)));
        let is_told = |phase: &str, ts: &str| {
            trace.lines().any(|line| {
                let track =
                    r#""name":"fetch","cat":"life","id2":{"local":"5"},"pid":2,"tid":0,"ts":"#;
                line.starts_with(&format!(r#"{{"ph":"{phase}",{track}{ts}"#))
            })
        };
        assert!(is_told("b", "0.000") && is_told("e", "3000.000"), "{trace}");
        assert!(trace.contains(r#""ending":"Cancelled""#) && trace.contains("tasks of executor 0"));
    }

    #[test]
    fn the_counter_of_the_queue_goes_up_and_down_again() {
        let film = Film::new();
        let jobs = [film.job(0, 0, 0, 5), film.job(1, 0, 5, 9), film.job(2, 0, 9, 9)];
        let picture = film.picture(0, jobs.as_flattened());
        let ms = |(when, n): (Duration, isize)| (when.as_millis(), n);
        let queue: Vec<_> = queue_of(&picture, 0).into_iter().map(ms).collect();
        assert_eq!(queue, [(0, 2), (5, 1), (9, 0)]);
    }

    #[test]
    fn a_path_is_quoted_as_json_asks() {
        assert_eq!(quoted("C:\\a \"b\"\t\u{7f}é"), "\"C:\\\\a \\\"b\\\"\\u0009\u{7f}é\"");
    }
}
