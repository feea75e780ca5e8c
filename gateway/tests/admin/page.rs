//! Tables in the docs that tests make: `UPDATE_DOCS=1` writes them.

const END: &str = "<!-- end -->";

/// Checks that the table behind `begin` on a page of `docs/` is this one.
pub fn has_table(page: &str, begin: &str, table: &str) {
    let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(begin).expect("the page has a place for the table");
    let (shown, after) = rest.split_once(END).expect("the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(shown, table, "docs/{page} is out of date: UPDATE_DOCS=1 writes it");
    }
}
