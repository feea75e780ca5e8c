//! What a Host header may say.

/// True for `host[:port]` (RFC 9110, section 7.2): a name, an IPv4 address or an IPv6 address in brackets.
pub(crate) fn is_host(value: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return false };
    let (name, port) = match value.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            match port.strip_prefix(':') {
                Some(port) => return is_port(port),
                None => return port.is_empty(),
            }
        }
        None => match value.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (value, None),
        },
    };
    !name.is_empty() && is_name(name.as_bytes()) && port.is_none_or(is_port)
}

/// A registered name (RFC 3986, section 3.2.2).
fn is_name(name: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = name.get(at) {
        match byte {
            b'%' => {
                let digits = name.get(at + 1..at + 3);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 3;
            }
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) => at += 1,
            _ => return false,
        }
    }
    true
}

fn is_port(port: &str) -> bool {
    port.is_empty()
        || (port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}
