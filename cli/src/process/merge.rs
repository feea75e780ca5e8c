//! Metrics of several processes as one text, in Prometheus' format: each family once, with its HELP and TYPE.

use std::collections::BTreeMap;

/// One family: its HELP and TYPE lines, and its samples.
#[derive(Default)]
struct Family {
    about: BTreeMap<&'static str, String>,
    samples: String,
}

/// The texts of processes, each with the replica that it is of; samples of replicas get a `replica` label.
pub fn merge<'a>(texts: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) -> String {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for (replica, text) in texts {
        let mut current = String::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let about = [("HELP", "# HELP "), ("TYPE", "# TYPE ")];
            if let Some((kind, rest)) = about.iter().find_map(|(kind, start)| Some((*kind, line.strip_prefix(start)?)))
            {
                current = rest.split(' ').next().unwrap_or_default().to_owned();
                let family = families.entry(current.clone()).or_default();
                family.about.entry(kind).or_insert_with(|| line.to_owned());
            } else if !line.starts_with('#') {
                let end = line.find(['{', ' ']).unwrap_or(line.len());
                // A family's samples follow its TYPE; a histogram's have names of their own.
                let name =
                    if line[..end].starts_with(&current) && !current.is_empty() { &current } else { &line[..end] };
                let family = families.entry(name.to_owned()).or_default();
                family.samples += &replica.map_or_else(|| line.to_owned(), |replica| labelled(line, end, replica));
                family.samples.push('\n');
            }
        }
    }
    let mut all = String::new();
    for family in families.values().filter(|family| !family.samples.is_empty()) {
        for line in family.about.values() {
            all += line;
            all.push('\n');
        }
        all += &family.samples;
    }
    all
}

fn labelled(line: &str, end: usize, replica: &str) -> String {
    let (name, rest) = line.split_at(end);
    let replica = replica.replace('\\', "\\\\").replace('"', "\\\"");
    match rest.strip_prefix('{') {
        Some(labels) => format!("{name}{{replica=\"{replica}\",{labels}"),
        None => format!("{name}{{replica=\"{replica}\"}}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_come_once_and_samples_say_of_whom() {
        let own = "# HELP a Help of a\n# TYPE a counter\na 1\n\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 3\n";
        let other = "# HELP a Help of a\n# TYPE a counter\na{x=\"y\"} 4\na 5\nb 6\n";
        let merged = merge([(None, own), (Some("r-1"), other), (Some("r-2"), other)]);
        let wanted = "# HELP a Help of a\n# TYPE a counter\na 1\na{replica=\"r-1\",x=\"y\"} 4\na{replica=\"r-1\"} 5\n\
                      a{replica=\"r-2\",x=\"y\"} 4\na{replica=\"r-2\"} 5\nb{replica=\"r-1\"} 6\nb{replica=\"r-2\"} 6\n\
                      # TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 3\n";
        assert_eq!(merged, wanted);
    }
}
