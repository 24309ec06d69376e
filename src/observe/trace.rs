//! A picture as a Chrome trace: a file of JSON that <https://ui.perfetto.dev> opens.
//!
//! Knows nothing of files. What must always hold: what comes out is JSON, whatever a path is called.
//!
//! The format is Google's "Trace Event Format": a pool is a process (`pid`), a worker one of its
//! threads (`tid`), a job a complete event (`X`) with its beginning and its duration, in microseconds.
//! Those of one thread lie on each other by their times alone. Tasks overlap as they like, so each is a
//! thread of its own.

use std::io::{self, Write};
use std::time::Duration;

use super::span::{Picture, Span};

/// Writes it as one JSON object.
pub(crate) fn write(picture: &Picture, mut out: impl Write) -> io::Result<()> {
    let mut events = Vec::new();
    // From 1: viewers keep 0 for the machine's own idle thread.
    for (pid, ((_, source), group)) in (1..).zip(picture.groups()) {
        events.push(name_of("process_name", pid, 0, &format!("source {source}")));
        for (number, (name, spans)) in &group.tracks {
            events.push(name_of("thread_name", pid, number + 1, name));
            events.extend(spans.iter().map(|span| event_of(picture, span, pid, number + 1)));
        }
    }
    let events = events.join(",\n");
    writeln!(out, "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{events}\n]}}")?;
    out.flush()
}

fn name_of(what: &str, pid: usize, tid: usize, name: &str) -> String {
    let name = quoted(name);
    format!(r#"{{"ph":"M","name":"{what}","pid":{pid},"tid":{tid},"args":{{"name":{name}}}}}"#)
}

fn event_of(picture: &Picture, span: &Span, pid: usize, tid: usize) -> String {
    let ((submitted, _), (began, ended)) = (picture.wait(span), picture.life(span));
    let (ts, dur, waited) = (micros(began), micros(ended - began), micros(began - submitted));
    let (name, at) = (quoted(&span.title()), quoted(&span.submitted_at.to_string()));
    let ending = span.settled.map_or("not over".to_owned(), |(_, ending)| format!("{ending:?}"));
    let args = format!(r#""submitted at":{at},"waited (µs)":{waited},"ending":"{ending}""#);
    format!(r#"{{"ph":"X","name":{name},"pid":{pid},"tid":{tid},"ts":{ts},"dur":{dur},"#)
        + &format!(r#""args":{{{args}}}}}"#)
}

/// Exact to the nanosecond: `1234.567`.
fn micros(time: Duration) -> String {
    format!("{}.{:03}", time.as_micros(), time.subsec_nanos() % 1000)
}

/// A string as JSON has it.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\0'..' ' => format!("\\u{:04x}", u32::from(c)),
        _ => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::observe::span::made_up::Film;
    use crate::trace_event::Ending;

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
        assert!(
            trace.contains(r#""name":"job 5","pid":1,"tid":3,"ts":1000.000,"dur":2000.000"#),
            "{trace}"
        );
        assert!(trace.contains(r#""waited (µs)":1000.000,"ending":"Returned""#), "{trace}");
        assert!(
            trace.contains(r#""name":"thread_name","pid":1,"tid":3,"args":{"name":"worker 2"}"#)
        );
    }

    #[test]
    fn tasks_that_overlap_have_tracks_of_their_own() {
        let film = Film::new();
        let tasks = [
            film.task(5, "fetch", 0, 3, Ending::Cancelled),
            film.task(6, "", 1, 4, Ending::Returned),
        ];
        let trace = trace(&film.picture(0, tasks.as_flattened()));
        let is_told = |name: &str, tid: usize, ts: &str, ending: &str| {
            let event = format!(r#"{{"ph":"X","name":"{name}","pid":1,"tid":{tid},"ts":{ts},"#);
            let mut lines = trace.lines().filter(|line| line.starts_with(&event));
            lines.next().is_some_and(|line| line.contains(&format!(r#""ending":"{ending}""#)))
        };
        assert!(is_told("fetch", 6, r#"0.000,"dur":3000.000"#, "Cancelled"), "{trace}");
        assert!(is_told("task 6", 7, r#"1000.000,"dur":3000.000"#, "Returned"), "{trace}");
    }

    #[test]
    fn a_path_is_quoted_as_json_asks() {
        assert_eq!(quoted("C:\\a \"b\"\t\u{7f}é"), "\"C:\\\\a \\\"b\\\"\\u0009\u{7f}é\"");
    }
}
