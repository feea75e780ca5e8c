//! What `Intl` knows of languages and time zones: see `locales/README.md`.

const LOCALES: &str = include_str!("locales/locales.jsonl");
const ZONES: &str = include_str!("locales/zones.txt");

/// A language's line, `TAG JSON`: that of its region, else the first of its language.
pub(super) fn locale(tag: &str) -> Option<&'static str> {
    let language = tag.split('-').next().unwrap_or(tag);
    let of_tag = |line: &&str| line.split_once(' ').is_some_and(|(known, _)| known == tag);
    let of_language = |line: &&str| line.split('-').next() == Some(language);
    LOCALES.lines().find(of_tag).or_else(|| {
        // "no" is what Norwegian was called before.
        let language = if language == "no" { "nb" } else { language };
        LOCALES.lines().find(|line| of_language(line) || line.split('-').next() == Some(language))
    })
}

/// A zone's long name in English, `Central European Summer Time`; `None` for an unknown zone.
pub(super) fn zone_name(zone: &str, is_dst: bool) -> Option<&'static str> {
    let zone = match zone {
        "UTC" | "Etc/UTC" | "Etc/UCT" | "Zulu" => return Some("Coordinated Universal Time"),
        "GMT" | "Etc/GMT" => return Some("Greenwich Mean Time"),
        "Asia/Kolkata" => "Asia/Calcutta",
        "Europe/Kyiv" => "Europe/Kiev",
        "Asia/Ho_Chi_Minh" => "Asia/Saigon",
        "Asia/Kathmandu" => "Asia/Katmandu",
        "Asia/Yangon" => "Asia/Rangoon",
        "America/Argentina/Buenos_Aires" => "America/Buenos_Aires",
        other => other,
    };
    let (names, _) = ZONES
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .find(|(_, zones)| zones.split(' ').any(|known| known == zone))?;
    let mut names = names.split('|');
    let (standard, other) = (names.next(), names.next());
    // South of the equator January is in summer: the names say which is which.
    let is_summer = |name: &&str| name.contains("Daylight") || name.contains("Summer") || name.contains("Irish");
    let both = [standard, other];
    let mut both = both.iter().flatten();
    both.clone().find(|name| is_summer(name) == is_dst).or_else(|| both.next()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_zones_are_found() {
        assert!(locale("de-DE").is_some_and(|line| line.starts_with("de-DE {")));
        assert!(locale("de").is_some_and(|line| line.starts_with("de-DE {")));
        assert!(locale("no").is_some_and(|line| line.starts_with("nb-NO {")));
        assert_eq!(locale("tlh"), None);
        assert_eq!(zone_name("Europe/Berlin", true), Some("Central European Summer Time"));
        assert_eq!(zone_name("Europe/Berlin", false), Some("Central European Standard Time"));
        assert_eq!(zone_name("America/Montevideo", false), Some("Uruguay Standard Time"));
        assert_eq!(zone_name("No/Where", false), None);
    }
}
