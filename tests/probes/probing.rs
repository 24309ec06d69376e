//! `http_probe`: whatever a server does, each page has a row.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::http_probe::args::{self, Request, urls_in};
use crate::http_probe::http::Page;
use crate::http_probe::probe::{Reason, Row, Settings, probe};
use crate::http_probe::report;
use crate::http_probe::server::Server;
use crate::http_probe::trouble::Trouble;
use crate::support::{Count, watched};

const PATIENT: Settings = Settings {
    limit: 4,
    timeout: Duration::from_secs(30),
    retries: 2,
    backoff: Duration::from_millis(1),
    within: Duration::MAX,
};

/// What comes of these pages of the server.
fn probed(paths: &[&str], settings: Settings) -> Vec<Row> {
    let mut rows = Vec::new();
    watched(|| {
        let (server, done) = (Server::start().unwrap(), Count::default());
        let urls: Vec<_> = paths.iter().map(|path| server.url(path)).collect();
        rows = probe(&urls, &settings, || done.add_one()).unwrap();
        let n_done = rows.iter().filter(|row| !matches!(row.outcome, Err(Reason::NotFinished)));
        assert_eq!(done.get(), n_done.count());
    });
    rows
}

#[test]
fn every_page_has_a_row_in_its_place() {
    let paths = ["/page/1", "/missing", "/garbage", "/chunked", "/close", "/slow", "/short"];
    let rows = probed(&paths, PATIENT);
    let fine: Vec<_> = rows.iter().map(|row| row.outcome.is_ok()).collect();
    assert_eq!(fine, [true, false, false, true, false, true, false]);
    let n_tries: Vec<_> = rows.iter().map(|row| row.n_tries).collect();
    assert_eq!(n_tries, [1, 1, 3, 1, 3, 1, 3]); // What is missing is so at the second time, too.
    for (row, path) in rows.iter().zip(paths) {
        assert!(row.url.ends_with(path));
    }
}

#[test]
fn a_page_that_recovers_is_fetched_if_it_is_tried_again() {
    assert!(probed(&["/flaky"], PATIENT)[0].outcome.is_ok());
    let once = probed(&["/flaky"], Settings { retries: 0, ..PATIENT });
    assert!(matches!(once[0].outcome, Err(Reason::Refused(Page { status: 503, .. }))));
}

#[test]
fn a_page_that_hangs_is_given_up_in_time() {
    let hasty = Settings { timeout: Duration::from_millis(50), retries: 1, ..PATIENT };
    for row in probed(&["/hang", "/trickle"], hasty) {
        assert!(matches!(row.outcome, Err(Reason::Trouble(Trouble::GivenUp { .. }))), "{row:?}");
        assert_eq!(row.n_tries, 2);
    }
}

/// The job of the page that hangs is told, and ends; or else this would take as long as a try may.
#[test]
fn what_is_there_is_kept_when_time_is_over_for_all_of_it() {
    let began = Instant::now();
    let rows =
        probed(&["/page/1", "/hang"], Settings { within: Duration::from_secs(1), ..PATIENT });
    assert!(rows[0].outcome.is_ok());
    assert!(matches!(rows[1].outcome, Err(Reason::NotFinished)));
    assert!(began.elapsed() < PATIENT.timeout);
    let text = report::text(&rows);
    assert!(text.contains("1 of 2 pages were fetched"), "{text}");
}

#[test]
fn a_line_that_is_no_url_fails_alone() {
    watched(|| {
        let server = Server::start().unwrap();
        let list = format!("# pages\n\nhttps://example.org/\n  {}  \n", server.url("/page/1"));
        let rows = probe(&urls_in(list.as_bytes()), &PATIENT, || ()).unwrap();
        assert!(matches!(rows[0].outcome, Err(Reason::BadUrl(_))));
        assert!(rows[1].outcome.is_ok());
        assert_eq!(rows.len(), 2);
    });
}

#[test]
fn a_port_that_nobody_listens_on_is_no_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rows = probe(&[format!("http://{port}/")], &PATIENT, || ()).unwrap();
    assert!(matches!(rows[0].outcome, Err(Reason::Trouble(Trouble::NoConnection(_)))));
}

#[test]
fn a_wrong_argument_is_told() {
    let parse = |args: [&str; 2]| args::parse(lexopt::Parser::from_args(args));
    assert!(matches!(parse(["--limit", "9"]), Ok(Request::Probe(it)) if it.settings.limit == 9));
    for wrong in [["--limit", "0"], ["--timeout", "NaN"], ["--timeout", "-1"], ["--within", "1e9"]]
    {
        assert!(parse(wrong).unwrap_err().to_string().contains("it is a number"), "{wrong:?}");
    }
}
