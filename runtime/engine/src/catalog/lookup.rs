//! Finding a text and filling in its arguments.

use super::english::ENGLISH;

/// The text for `key`. With `keys` the key itself, as Node-RED's specs expect; arguments replace `__name__`.
pub fn text(keys: bool, key: &str, args: &[(&str, &str)]) -> String {
    if keys {
        return key.to_owned();
    }
    let Ok(at) = ENGLISH.binary_search_by_key(&key, |(name, _)| name) else { return key.to_owned() };
    args.iter().fold(ENGLISH[at].1.to_owned(), |text, (name, value)| text.replace(&format!("__{name}__"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_arguments_are_filled_in() {
        assert!(ENGLISH.is_sorted_by(|a, b| a.0 < b.0), "keep catalog/english.rs sorted by key, without doubles");
        let text = text(false, "nodes.flow.non-message-returned", &[("type", "string")]);
        assert_eq!(text, "Node tried to send a message of type string");
        assert_eq!(super::text(true, "a.b", &[]), "a.b");
    }
}
