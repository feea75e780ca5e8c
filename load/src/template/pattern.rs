//! Topic patterns: `plant/press-{1..50}/{temperature,pressure}` stands for a hundred topics.

/// A pattern that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A brace without its partner, or nothing between the braces.
    #[error("the pattern \"{0}\" has a brace that is not closed or holds nothing: write {{1..50}} or {{a,b,c}}")]
    Brace(String),
    /// A range whose ends are not numbers, or in the wrong order.
    #[error("\"{{{range}}}\" in the pattern \"{pattern}\" is not a range from a smaller to a larger number")]
    Range {
        /// The whole pattern.
        pattern: String,
        /// Between the braces.
        range: String,
    },
    /// More than [`MOST`] topics.
    #[error("the pattern \"{0}\" expands to more than {MOST} topics: use smaller ranges")]
    TooMany(String),
}

/// The most topics that a pattern may stand for.
pub const MOST: usize = 1_000_000;

/// What a pattern consists of: each piece is one text, or several to choose from.
type Pieces<'a> = Vec<Vec<std::borrow::Cow<'a, str>>>;

/// All texts that a pattern stands for; the last brace changes fastest. Width is kept: `{01..10}` gives `01`, `02`.
///
/// # Errors
/// When a brace or range is malformed, or there are more than [`MOST`].
pub fn expand(pattern: &str) -> Result<Vec<String>, PatternError> {
    let pieces = pieces(pattern)?;
    let count = pieces.iter().try_fold(1usize, |count, piece| count.checked_mul(piece.len()));
    if count.is_none_or(|count| count > MOST) {
        return Err(PatternError::TooMany(pattern.to_owned()));
    }
    let mut all = vec![String::new()];
    for piece in pieces {
        all = all.iter().flat_map(|start| piece.iter().map(move |choice| format!("{start}{choice}"))).collect();
    }
    Ok(all)
}

fn pieces(pattern: &str) -> Result<Pieces<'_>, PatternError> {
    let bad = || PatternError::Brace(pattern.to_owned());
    let (mut pieces, mut rest) = (Vec::new(), pattern);
    while let Some(open) = rest.find(['{', '}']) {
        if rest.as_bytes()[open] == b'}' {
            return Err(bad());
        }
        if open > 0 {
            pieces.push(vec![rest[..open].into()]);
        }
        let close = open + rest[open..].find('}').ok_or_else(bad)?;
        let inner = &rest[open + 1..close];
        if inner.is_empty() || inner.contains('{') {
            return Err(bad());
        }
        pieces.push(match inner.split_once("..") {
            Some((from, to)) => range(pattern, inner, from, to)?,
            None => inner.split(',').map(Into::into).collect(),
        });
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(vec![rest.into()]);
    }
    Ok(pieces)
}

fn range<'a>(pattern: &str, inner: &str, from: &str, to: &str) -> Result<Vec<std::borrow::Cow<'a, str>>, PatternError> {
    let bad = || PatternError::Range { pattern: pattern.to_owned(), range: inner.to_owned() };
    let (first, last): (u64, u64) = (from.parse().map_err(|_| bad())?, to.parse().map_err(|_| bad())?);
    if first > last {
        return Err(bad());
    }
    if last - first >= MOST as u64 {
        return Err(PatternError::TooMany(pattern.to_owned()));
    }
    let width = if from.starts_with('0') { from.len() } else { 0 };
    Ok((first..=last).map(|number| format!("{number:0width$}").into()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_choices_multiply() {
        assert_eq!(expand("a/{1..2}/{x,y}").unwrap(), ["a/1/x", "a/1/y", "a/2/x", "a/2/y"]);
        assert_eq!(expand("{08..10}").unwrap(), ["08", "09", "10"]);
        assert_eq!(expand("plain").unwrap(), ["plain"]);
        assert_eq!(expand("plant/press-{1..50}/temperature").unwrap().len(), 50);
    }

    #[test]
    fn malformed_patterns_are_refused_by_name() {
        for (pattern, part) in [
            ("a/{1..", "not closed"),
            ("a}", "not closed"),
            ("a/{}", "holds nothing"),
            ("{{1..2}}", "not closed"),
            ("{5..1}", "not a range"),
            ("{a..b}", "not a range"),
            ("{1..9999999999}", "more than"),
            ("{1..1000}{1..1000}{1..1000}", "more than"),
        ] {
            let error = expand(pattern).unwrap_err().to_string();
            assert!(error.contains(part), "{pattern}: {error}");
        }
    }
}
