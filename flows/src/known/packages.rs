//! Which npm packages widely used node types come from.

use super::package_table::PACKAGES;

/// The npm package of a type that is not Node-RED's own, where it is known.
pub fn npm_package(kind: &str) -> Option<&'static str> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => kind == pattern,
    };
    // A whole name is longer than any beginning of it.
    let best = rows().filter(|(pattern, _)| fits(pattern)).max_by_key(|(pattern, _)| {
        let whole = !pattern.ends_with('*');
        (whole, pattern.len())
    });
    best.map(|(_, package)| package)
}

/// Each pattern with its package.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    PACKAGES.iter().flat_map(|(package, patterns)| patterns.iter().map(move |pattern| (*pattern, *package)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_longest_fit_counts() {
        assert_eq!(npm_package("ui_gauge"), Some("node-red-dashboard"));
        assert_eq!(npm_package("ui_table"), Some("node-red-node-ui-table"));
        assert_eq!(npm_package("ui_worldmap"), Some("node-red-contrib-web-worldmap"));
        assert_eq!(npm_package("ui-gauge"), Some("@flowfuse/node-red-dashboard"));
        assert_eq!(npm_package("modbus-read"), Some("node-red-contrib-modbus"));
        assert_eq!(npm_package("influxdb out"), Some("node-red-contrib-influxdb"));
        assert_eq!(npm_package("server"), Some("node-red-contrib-home-assistant-websocket"));
        assert_eq!(npm_package("amqp-in"), Some("@meowwolf/node-red-contrib-amqp"));
        assert_eq!(npm_package("amqp in"), Some("node-red-contrib-amqp"));
        assert_eq!(npm_package("counterfeit"), None);
        assert_eq!(npm_package("no such thing"), None);
    }

    #[test]
    fn no_core_type_comes_from_a_package() {
        // The project link nodes are here as well, and a snapshot for FlowFuse names their package.
        assert!(rows().all(|(pattern, _)| !super::super::is_core_type(pattern)));
    }

    #[test]
    fn a_type_comes_from_one_package_and_a_package_stands_once() {
        let mut seen = HashSet::new();
        for (pattern, package) in rows() {
            assert!(seen.insert(pattern), "{pattern} stands twice, the second time with {package}");
        }
        assert!(PACKAGES.is_sorted_by(|a, b| a.0 < b.0), "in the order of the packages' names");
        assert!(PACKAGES.iter().all(|(package, patterns)| !patterns.is_empty() && !package.contains(' ')));
    }
}
