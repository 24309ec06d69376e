//! URLs, and lists of them.

use crate::http_probe::args::urls_in;
use crate::http_probe::url::Url;

#[test]
fn a_url_is_taken_apart() {
    let parts = |text: &str| text.parse().map(|url: Url| (url.host, url.port, url.path));
    let own = |host: &str, port, path: &str| Ok((host.to_owned(), port, path.to_owned()));
    assert_eq!(parts("http://example.org"), own("example.org", 80, "/"));
    assert_eq!(parts("http://a:8080/b?c#d"), own("a", 8080, "/b?c"));
    assert_eq!(parts("http://[::1]:8/"), own("::1", 8, "/"));
    assert_eq!(parts("http://a?b"), own("a", 80, "/?b"));
}

#[test]
fn what_is_no_url_of_ours_is_refused() {
    let wrong = [
        "",
        "example.org",
        "https://a/",
        "http://",
        "http://:80/",
        "http://a:x/",
        "http://a:65536/",
        "http://[::1/",
        "http://[::1]8/",
        "http://me:secret@a/",
        "http://a/b c",
        "http://a/\r\nb",
    ];
    for text in wrong {
        assert!(text.parse::<Url>().is_err(), "{text}");
    }
}

#[test]
fn the_scheme_is_written_in_any_case() {
    for text in ["HTTP://a/", "Http://a/", "hTTp://a"] {
        assert!(text.parse::<Url>().is_ok(), "{text}");
    }
    assert!("HTTPS://a/".parse::<Url>().is_err());
}

#[test]
fn a_port_is_digits_or_nothing() {
    let port = |text: &str| text.parse().ok().map(|url: Url| url.port);
    assert_eq!(["http://a:/", "http://a:080/"].map(port), [Some(80); 2]);
    assert_eq!(["http://a:+80/", "http://a:-0/", "http://[::1]:+8/"].map(port), [None; 3]);
}

#[test]
fn what_a_request_cannot_say_is_refused() {
    let long = format!("http://a/{}", "x".repeat(10_000));
    for text in ["http://a/\u{e4}", "http://\u{e4}/", "http://[localhost]/", &long] {
        assert!(text.parse::<Url>().is_err(), "{text}");
    }
}

#[test]
fn a_list_may_begin_with_a_byte_order_mark() {
    let urls = urls_in("\u{feff}http://a/\r\n\u{feff}http://b/\r\n".as_bytes());
    assert_eq!(urls, ["http://a/", "\u{feff}http://b/"], "it is one at the head alone");
    assert_eq!(urls_in("\u{feff}# a comment\n\u{feff}".as_bytes()).len(), 1);
}
