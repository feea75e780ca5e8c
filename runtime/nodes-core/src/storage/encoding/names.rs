//! From the names in edit dialogs and messages to encodings.

use super::codec::Encoding;
use super::single_byte::TABLES;

/// Lower case, letters and digits only, without a trailing `:1999`: `Shift_JIS` is `shiftjis`.
fn canonical(name: &str) -> String {
    let year = name.rsplit_once(':').filter(|(_, year)| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()));
    let name = year.map_or(name, |(name, _)| name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The encoding of this name, if it is known.
pub(super) fn find(name: &str) -> Option<Encoding> {
    let name = canonical(name);
    Some(match name.as_str() {
        "utf8" | "unicode11utf8" => Encoding::Utf8,
        "ucs2" | "utf16le" => Encoding::Utf16Le,
        "utf16be" => Encoding::Utf16Be,
        "utf16" => Encoding::Utf16,
        "ascii" | "usascii" | "ansix34" => Encoding::Ascii,
        "binary" => Encoding::Binary,
        "base64" => Encoding::Base64,
        "hex" => Encoding::Hex,
        "shiftjis" | "sjis" | "windows31j" | "windows932" | "ms932" | "mswindows31j" | "cp932" | "932"
        | "csshiftjis" => Encoding::Multi(encoding_rs::SHIFT_JIS),
        "eucjp" => Encoding::Multi(encoding_rs::EUC_JP),
        "gb2312" | "gb231280" | "gb23121980" | "csgb2312" | "euccn" | "gbk" | "windows936" | "ms936" | "cp936"
        | "936" | "xgbk" | "isoir58" => Encoding::Multi(encoding_rs::GBK),
        "gb18030" => Encoding::Multi(encoding_rs::GB18030),
        "ksc5601" | "ksc56011987" | "ksc56011989" | "windows949" | "ms949" | "cp949" | "949" | "euckr" | "korean"
        | "isoir149" | "csksc56011987" | "ksc" => Encoding::Multi(encoding_rs::EUC_KR),
        "big5" | "big5hkscs" | "windows950" | "ms950" | "cp950" | "950" | "cnbig5" | "csbig5" | "xxbig5" => {
            Encoding::Multi(encoding_rs::BIG5)
        }
        name => {
            let at = TABLES.binary_search_by_key(&alias(name).as_str(), |(known, _)| known).ok()?;
            Encoding::Table(TABLES[at].1)
        }
    })
}

/// The name under which a single-byte encoding's table is kept.
fn alias(name: &str) -> String {
    match name {
        "latin1" | "l1" | "isoir100" | "cp819" => "iso88591".to_owned(),
        "latin2" | "l2" => "iso88592".to_owned(),
        "latin3" | "l3" => "iso88593".to_owned(),
        "latin4" | "l4" => "iso88594".to_owned(),
        "latin5" | "l5" => "iso88599".to_owned(),
        "latin6" | "l6" => "iso885910".to_owned(),
        "latin7" | "l7" => "iso885913".to_owned(),
        "latin8" | "l8" => "iso885914".to_owned(),
        "latin9" | "l9" => "iso885915".to_owned(),
        "latin10" | "l10" => "iso885916".to_owned(),
        "macintosh" | "mac" => "macroman".to_owned(),
        "macce" => "maccenteuro".to_owned(),
        "roman8" | "r8" => "hproman8".to_owned(),
        "strk10482002" => "rk1048".to_owned(),
        "tcvn5712" | "tcvn57121" => "tcvn".to_owned(),
        "gb198880" | "cn" => "iso646cn".to_owned(),
        "jp" => "iso646jp".to_owned(),
        name => {
            let number = ["windows", "win", "ibm", "cp", ""].iter().find_map(|prefix| {
                name.strip_prefix(prefix).filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
            });
            match number {
                Some(number) if number.starts_with("8859") || number.starts_with("28") => {
                    format!("iso8859{}", number.trim_start_matches("8859").trim_start_matches("2859"))
                }
                Some(number) => format!("cp{number}"),
                None => name.to_owned(),
            }
        }
    }
}
