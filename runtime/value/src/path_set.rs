//! Setting and deleting what a property expression leads to.

use super::host_object::HostObject;
use super::object::Object;
use super::path::{PathError, PathPart, index_of, step};
use super::types::Value;

/// Sets the property that the steps lead to; see [`Path::set`](super::path::Path::set).
pub(super) fn set_parts(root: &mut Value, parts: &[PathPart], value: Value, create: bool) -> Result<bool, PathError> {
    let Some((first, rest)) = parts.split_first() else { return Ok(false) };
    if rest.is_empty() {
        return assign(root, first, value);
    }
    let current = step(root, first);
    match current {
        Value::Undefined if !create || value.is_undefined() => return Ok(false),
        Value::Undefined => {
            let fresh = match rest[0] {
                PathPart::Index(_) => Value::array(Vec::new()),
                _ => Value::object(),
            };
            assign(root, first, fresh)?;
        }
        Value::Object(_) | Value::Array(_) | Value::Error(_) => {}
        Value::Host(host) => return set_in_host(&*host, rest, value, create),
        Value::Buffer(_) if rest.len() == 1 => {}
        // Objects for JavaScript, which takes a property of any name; nothing here keeps it.
        Value::Buffer(_) | Value::Date(_) => return Ok(rest.len() == 1),
        // Node-RED: nothing can be created beneath this type of value.
        _ => return Ok(false),
    }
    drop(current);
    match slot(root, first) {
        Some(child) => set_parts(child, rest, value, create),
        None => Ok(false),
    }
}

/// Beneath `msg.req` and `msg.res`, which all holders share: the property is changed and put back.
fn set_in_host(host: &dyn HostObject, parts: &[PathPart], value: Value, create: bool) -> Result<bool, PathError> {
    let Some((first, rest)) = parts.split_first() else { return Ok(false) };
    let name = first.name();
    if rest.is_empty() {
        return Ok(host.set(&name, value).is_ok());
    }
    let mut around = Value::from(
        [(name.clone(), host.get(&name))].into_iter().filter(|(_, value)| !value.is_undefined()).collect::<Object>(),
    );
    let set = set_parts(&mut around, parts, value, create)?;
    Ok(set && host.set(&name, around.get(&name)).is_ok())
}

fn slot<'a>(at: &'a mut Value, part: &PathPart) -> Option<&'a mut Value> {
    match (at, part) {
        (Value::Array(items), part) => std::sync::Arc::make_mut(items).get_mut(index_of(part)?),
        (Value::Object(object), part) => std::sync::Arc::make_mut(object).get_mut(&part.name()),
        (Value::Error(error), part) => std::sync::Arc::make_mut(error).props.get_mut(&part.name()),
        _ => None,
    }
}

/// Arrays grow to an index with holes; longer jumps than this are refused rather than filling memory.
const MAX_HOLES: usize = 1_000_000;

fn assign(at: &mut Value, part: &PathPart, value: Value) -> Result<bool, PathError> {
    match at {
        Value::Array(items) => {
            // As for Buffers: of any other name JavaScript would set a property beside the elements.
            let Some(index) = index_of(part) else { return Ok(true) };
            set_element(std::sync::Arc::make_mut(items), index, value, matches!(part, PathPart::Index(_)))?;
        }
        Value::Object(object) => set_property(std::sync::Arc::make_mut(object), part, value),
        Value::Error(error) => set_property(&mut std::sync::Arc::make_mut(error).props, part, value),
        Value::Host(host) => return Ok(host.set(&part.name(), value).is_ok()),
        Value::Buffer(bytes) => {
            if let Some(index) = index_of(part).filter(|index| *index < bytes.len() && !value.is_undefined()) {
                let mut changed = bytes.to_vec();
                changed[index] = byte_of(value.to_number());
                *bytes = changed.into();
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Node-RED splices an element out by its index (`[2]`); by its name (`.2`) JavaScript's `delete` leaves a hole.
fn set_element(items: &mut Vec<Value>, index: usize, value: Value, spliced: bool) -> Result<(), PathError> {
    if value.is_undefined() {
        if index < items.len() {
            if spliced {
                items.remove(index);
            } else {
                items[index] = Value::Undefined;
            }
        }
        return Ok(());
    }
    if index >= items.len() {
        if index - items.len() > MAX_HOLES {
            return Err(PathError::TooLong(index));
        }
        items.resize(index + 1, Value::Undefined);
    }
    items[index] = value;
    Ok(())
}

/// What becomes of a number in a Buffer: its integer part modulo 256, 0 for what is none.
fn byte_of(number: f64) -> u8 {
    if number.is_finite() { number.trunc().rem_euclid(256.0) as u8 } else { 0 }
}

fn set_property(object: &mut Object, part: &PathPart, value: Value) {
    let name = part.name();
    if value.is_undefined() {
        object.remove(&name);
    } else {
        object.insert(name, value);
    }
}
