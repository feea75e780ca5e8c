//! Where in a text something is.

/// Line and column, from 1, of a byte offset.
pub(super) fn of_offset(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Texts longer than this are not searched for the place of a fault.
const LONGEST: usize = 8192;

/// Where a parser that tells no place gives up: at the last token of the shortest beginning of the text that it refuses
/// for the same reason. `reason` is that of a beginning, `None` when it is well-formed.
pub(super) fn of_reason(text: &str, whole: &str, reason: impl Fn(&str) -> Option<String>) -> Option<(usize, usize)> {
    if text.len() > LONGEST {
        return None;
    }
    let ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
    let end = ends.into_iter().find(|end| reason(&text[..*end]).as_deref() == Some(whole))?;
    // From its end back to where the token begins.
    let word = |char: char| char.is_alphanumeric() || char == '_';
    let last = text[..end].chars().next_back()?;
    let begin = if word(last) { text[..end].trim_end_matches(word).len() } else { end - last.len_utf8() };
    Some(of_offset(text, if end == text.len() && !word(last) { end - last.len_utf8() } else { begin }))
}
