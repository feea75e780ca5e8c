//! How results are printed.

/// A line on standard output: the tool's product.
#[allow(clippy::print_stdout, reason = "the numbers are what this tool is for")]
pub fn say(line: &str) {
    println!("{line}");
}

/// The middle of the values; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
