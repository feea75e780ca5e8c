//! The message of a call as the script left it: what complete and catch nodes get.

use std::rc::Rc;

use rquickjs::{Ctx, Value as JsValue};

use flotilla_engine::message::Msg;
use flotilla_value::Value;

use super::function::FunctionScript;
use super::invocation::Invocation;

impl FunctionScript {
    /// The message of a call as the script has changed it; as it came where it is no message any more.
    pub(super) fn left<'js>(&self, ctx: &Ctx<'js>, invocation: &Rc<Invocation>, msg: &JsValue<'js>) -> Msg {
        match self.script.export(ctx, msg) {
            Ok(left @ Value::Object(_)) => invocation.msg.with_value(left),
            Ok(_) => invocation.msg.clone(),
            Err(_) => {
                ctx.catch();
                invocation.msg.clone()
            }
        }
    }

    /// The message as the script left it, with the error in `msg.error` where it was an `Error`: Node-RED's way.
    pub(super) fn with_error<'js>(
        &self,
        ctx: &Ctx<'js>,
        invocation: &Rc<Invocation>,
        msg: Option<JsValue<'js>>,
        error: &Value,
    ) -> Msg {
        let mut about = msg.map_or_else(|| invocation.msg.clone(), |msg| self.left(ctx, invocation, &msg));
        if matches!(error, Value::Error(_)) {
            about.set("error", error.clone());
        }
        about
    }
}
