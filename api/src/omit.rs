//! What is left out of JSON.

/// True for what a field has when nothing was said: 0, false. For `skip_serializing_if`.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
