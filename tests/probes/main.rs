//! The two tools of `docs/examples` that probe services: one that is real, and one that is simulated.
//!
//! Knows nothing of their command lines but what they take and refuse.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;

#[expect(dead_code, reason = "its `main` uses the rest")]
#[path = "../../docs/examples/http_probe"]
mod http_probe {
    #[path = "../shared/cli.rs"]
    pub(crate) mod cli;
    pub(crate) mod args;
    pub(crate) mod url;
    pub(crate) mod trouble;
    pub(crate) mod connect;
    pub(crate) mod incoming;
    pub(crate) mod head;
    pub(crate) mod body;
    pub(crate) mod http;
    pub(crate) mod probe;
    pub(crate) mod report;
    pub(crate) mod server;
}

#[expect(dead_code, reason = "its `main` uses the rest")]
#[path = "../../docs/examples/tune_semaphore"]
mod tune_semaphore {
    pub(crate) mod args;
    pub(crate) mod service;
    pub(crate) mod sweep;
    pub(crate) mod report;
    pub(crate) mod chart;
}

mod answers;
mod connecting;
mod probing;
mod tuning;
mod urls;
