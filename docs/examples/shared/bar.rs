//! A progress bar, on stderr.
//!
//! Knows nothing of what makes progress.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::may_draw;

/// A bar of so many `things`, where there is a terminal to draw it on.
pub(crate) fn bar(n: usize, things: &str) -> ProgressBar {
    if !may_draw() {
        return ProgressBar::hidden();
    }
    let template = format!("{{bar:40}} {{pos}}/{{len}} {things}, {{eta}} to go");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new(n as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
