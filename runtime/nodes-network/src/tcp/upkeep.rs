//! What the log has of a connection that a node keeps up: Node-RED's lines, each once, then counts.

use flotilla_engine::NodeCx;
use flotilla_engine::observe::{Back, Failed, Repeats};
use flotilla_value::Value;

use super::target::Target;

/// Logs for a node that connects again and again.
pub(super) struct Upkeep<'a> {
    cx: &'a NodeCx,
    target: &'a Target,
    repeats: Repeats,
    /// It was connected, or tried, before.
    again: bool,
}

impl<'a> Upkeep<'a> {
    pub(super) fn new(cx: &'a NodeCx, target: &'a Target) -> Upkeep<'a> {
        Upkeep { cx, target, repeats: Repeats::default(), again: false }
    }

    /// It is tried to connect.
    pub(super) fn connecting(&self) {
        if !self.again {
            self.cx.report().log(self.target.text(self.cx, "tcpin.status.connecting"));
        }
    }

    /// It is connected.
    pub(super) fn connected(&mut self) {
        let text = || self.target.text(self.cx, "tcpin.status.connected");
        match self.repeats.back() {
            Back::Well => self.cx.report().log(text()),
            Back::After(how) => self.cx.report().log(format!("{} {how}", text())),
            Back::Again => {}
        }
    }

    /// It ended as it should, and is made again.
    pub(super) fn ended(&mut self) {
        self.again = true;
    }

    /// It ended, or could not be made: `why`, and the line that Node-RED has of that.
    pub(super) fn lost(&mut self, broke: Option<(String, Value)>) {
        self.again = true;
        let lost = || self.target.text(self.cx, "tcpin.errors.connection-lost");
        let why = broke.as_ref().map_or("closed by the other side", |(why, _)| why.as_str());
        match self.repeats.failed(why) {
            Failed::First => {
                if let Some((_, line)) = broke {
                    self.cx.report().log(line);
                }
                self.cx.report().log(lost());
            }
            Failed::Count(so_far) => self.cx.report().log(format!("{}: {so_far}", lost())),
            Failed::Again => {}
        }
    }
}
