//! What travels in a message by reference.

use std::any::Any;

use super::types::{Str, Value};

/// Something of the runtime's that travels in a message by reference.
pub trait HostObject: Any + Send + Sync {
    /// JavaScript's name of the class, for example `IncomingMessage`.
    fn class_name(&self) -> &'static str;
    /// A property that scripts and property paths can read; `Undefined` when there is none of that name.
    fn get(&self, _name: &str) -> Value {
        Value::Undefined
    }
    /// The names that [`HostObject::get`] answers, in order: what an enumeration in a script sees.
    fn keys(&self) -> Vec<Str> {
        Vec::new()
    }
    /// Further names that [`HostObject::get`] answers, which an enumeration does not show.
    fn hidden(&self) -> &'static [&'static str] {
        &[]
    }
    /// Takes a property that a flow assigned; `Undefined` removes it. All holders of the object see it.
    ///
    /// # Errors
    /// The text of the exception that the script sees: when the property cannot have this value.
    fn set(&self, name: &str, _value: Value) -> Result<(), String> {
        Err(format!("Cannot set property {name} of {} which has only a getter", self.class_name()))
    }
    /// Ends when the exchange that the object belongs to is over: true when the answer was given, false
    /// when the client went away before. `None` where that has no meaning.
    fn over(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        None
    }
    /// Ends with true when the client has taken all that was written so far, after `write` had asked to wait; with false when
    /// that will not be. `None` where nothing is written.
    fn drained(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        None
    }
    /// Method names that scripts may call (for example `status`, `send`, `cookie` on `msg.res`).
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }
    /// Calls a method listed in [`HostObject::methods`]. A returned `Undefined` means "returns this" for chaining.
    ///
    /// # Errors
    /// The text of the exception that the script sees.
    fn call(&self, method: &str, _args: &[Value]) -> Result<Value, String> {
        Err(format!("{method} is not a function"))
    }
    /// For downcasts to the concrete type.
    fn as_any(&self) -> &dyn Any;
}
