//! Progress on standard error, where a person is watching; nothing where a program reads (`--json`, a pipe, a log file).

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// A bar that is told (done, in all); before it is told anything it shows that time passes.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins with a word for what is done.
    pub(crate) fn new(word: &'static str, json: bool) -> Self {
        let watched = !json && std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            None,
            if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        bar.set_style(style("{msg} {spinner} {elapsed}"));
        bar.set_message(word);
        if watched {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self(bar)
    }

    /// Goes on with another word.
    pub(crate) fn next(&self, word: &'static str) {
        self.0.set_message(word);
    }

    /// How far it is.
    pub(crate) fn tell(&self, done: u64, all: u64) {
        if self.0.length().is_none() {
            self.0.set_style(style("{msg} {pos}/{len} {wide_bar} {eta}"));
        }
        self.0.set_length(all);
        self.0.set_position(done);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
