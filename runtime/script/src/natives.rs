//! What the prelude cannot do in JavaScript: UTF-8, hashes, random bytes, URLs, time zones, the log.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rand::RngCore;
use rquickjs::{Ctx, Exception, Function, Object as JsObject, Result, TypedArray, Value as JsValue};
use sha2::Digest;

use super::engine::Script;

fn decode(ctx: &Ctx<'_>, encoded: &str) -> Result<Vec<u8>> {
    STANDARD.decode(encoded).map_err(|error| Exception::throw_internal(ctx, &error.to_string()))
}

/// Random bytes per call at most; Node.js's `getRandomValues` has the same bound.
const MAX_RANDOM: u32 = 1 << 20;

/// The object that every prelude file gets.
pub(super) fn make<'js>(script: &Rc<Script>, ctx: &Ctx<'js>) -> Result<JsObject<'js>> {
    let natives = JsObject::new(ctx.clone())?;
    let add = |name: &str, function: Function<'js>| natives.set(name, function.with_name(name)?);
    add(
        "utf8",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, value: JsValue<'js>| {
            TypedArray::<u8>::new_copy(ctx, super::export::text(&value)?.as_bytes())
        })?,
    )?;
    add(
        "fromUtf8",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, encoded: String| {
            Ok::<_, rquickjs::Error>(String::from_utf8_lossy(&decode(&ctx, &encoded)?).into_owned())
        })?,
    )?;
    add(
        "isUtf8",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, encoded: String| {
            Ok::<_, rquickjs::Error>(std::str::from_utf8(&decode(&ctx, &encoded)?).is_ok())
        })?,
    )?;
    add("generateId", Function::new(ctx.clone(), || flotilla_engine::message::generate_id().to_string())?)?;
    add(
        "randomBytes",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, count: u32| {
            if count > MAX_RANDOM {
                return Err(Exception::throw_range(&ctx, "at most 1048576 random bytes at once"));
            }
            let mut bytes = vec![0; count as usize];
            rand::rng().fill_bytes(&mut bytes);
            TypedArray::<u8>::new(ctx, bytes)
        })?,
    )?;
    add(
        "hash",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, algorithm: String, data: String| {
            let bytes = decode(&ctx, &data)?;
            match digest(&algorithm, &bytes) {
                Some(digest) => TypedArray::<u8>::new(ctx, digest),
                None => Err(Exception::throw_message(&ctx, &format!("Digest method {algorithm} is not supported"))),
            }
        })?,
    )?;
    add(
        "hmac",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, algorithm: String, key: String, data: String| {
            let (key, bytes) = (decode(&ctx, &key)?, decode(&ctx, &data)?);
            match keyed_digest(&algorithm, &key, &bytes) {
                Some(digest) => TypedArray::<u8>::new(ctx, digest),
                None => Err(Exception::throw_message(&ctx, &format!("Invalid digest: {algorithm}"))),
            }
        })?,
    )?;
    add(
        "parseUrl",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, href: String, base: Option<String>| {
            let parsed = match base {
                Some(base) => url::Url::parse(&base).and_then(|base| base.join(&href)),
                None => url::Url::parse(&href),
            };
            parsed.ok().map(|url| url_parts(&ctx, &url)).transpose()
        })?,
    )?;
    add(
        "changeUrl",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, href: String, part: String, value: String| {
            let Ok(mut url) = url::Url::parse(&href) else { return Ok(None) };
            change(&mut url, &part, &value);
            url_parts(&ctx, &url).map(Some)
        })?,
    )?;
    add(
        "hostname",
        Function::new(ctx.clone(), || {
            std::fs::read_to_string("/proc/sys/kernel/hostname")
                .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
        })?,
    )?;
    add(
        "zone",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, name: Option<String>, ms: f64| zone(&ctx, name.as_deref(), ms))?,
    )?;
    add(
        "console",
        Function::new(ctx.clone(), |level: String, text: String| match level.as_str() {
            "error" => tracing::error!(target: "script", "{text}"),
            "warn" => tracing::warn!(target: "script", "{text}"),
            "debug" => tracing::debug!(target: "script", "{text}"),
            _ => tracing::info!(target: "script", "{text}"),
        })?,
    )?;
    add("locale", Function::new(ctx.clone(), |tag: String| super::languages::locale(&tag))?)?;
    add("zoneName", Function::new(ctx.clone(), |zone: String, dst: bool| super::languages::zone_name(&zone, dst))?)?;
    add("jsonFault", Function::new(ctx.clone(), |text: String| flotilla_value::json_fault(&text))?)?;
    let engine = script.clone();
    add(
        "completeError",
        Function::new(ctx.clone(), move |message: String, file: String, line: f64, column: f64| {
            engine.sources.complete(&message, &file, line as usize, column as usize)
        })?,
    )?;
    let engine = script.clone();
    add(
        "place",
        Function::new(ctx.clone(), move |file: String, line: f64, column: f64| {
            engine.sources.place(&file, line as usize, column as usize)
        })?,
    )?;
    super::lazy_array::add_natives(script, &natives)?;
    super::modules::add_natives(script, &natives)?;
    Ok(natives)
}

fn digest(algorithm: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm.to_ascii_lowercase().replace('-', "").as_str() {
        "md5" => md5::Md5::digest(bytes).to_vec(),
        "sha1" => sha1::Sha1::digest(bytes).to_vec(),
        "sha224" => sha2::Sha224::digest(bytes).to_vec(),
        "sha256" => sha2::Sha256::digest(bytes).to_vec(),
        "sha384" => sha2::Sha384::digest(bytes).to_vec(),
        "sha512" => sha2::Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

fn keyed_digest(algorithm: &str, key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    fn of<M: Mac + hmac::digest::KeyInit>(key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let mut mac = <M as Mac>::new_from_slice(key).ok()?;
        mac.update(bytes);
        Some(mac.finalize().into_bytes().to_vec())
    }
    match algorithm.to_ascii_lowercase().replace('-', "").as_str() {
        "md5" => of::<Hmac<md5::Md5>>(key, bytes),
        "sha1" => of::<Hmac<sha1::Sha1>>(key, bytes),
        "sha256" => of::<Hmac<sha2::Sha256>>(key, bytes),
        "sha384" => of::<Hmac<sha2::Sha384>>(key, bytes),
        "sha512" => of::<Hmac<sha2::Sha512>>(key, bytes),
        _ => None,
    }
}

fn url_parts<'js>(ctx: &Ctx<'js>, url: &url::Url) -> Result<JsObject<'js>> {
    use url::Position;
    let parts = JsObject::new(ctx.clone())?;
    parts.set("href", url.as_str())?;
    parts.set("origin", url.origin().ascii_serialization())?;
    parts.set("protocol", format!("{}:", url.scheme()))?;
    parts.set("username", url.username())?;
    parts.set("password", url.password().unwrap_or_default())?;
    parts.set("host", &url[Position::BeforeHost..Position::AfterPort])?;
    parts.set("hostname", url.host_str().unwrap_or_default())?;
    parts.set("port", url.port().map(|port| port.to_string()).unwrap_or_default())?;
    parts.set("pathname", url.path())?;
    parts.set(
        "search",
        url.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default(),
    )?;
    parts.set(
        "hash",
        url.fragment().filter(|hash| !hash.is_empty()).map(|hash| format!("#{hash}")).unwrap_or_default(),
    )?;
    Ok(parts)
}

/// What does not fit is ignored, as the setters of `URL` do.
fn change(url: &mut url::Url, part: &str, value: &str) {
    let _ = match part {
        "protocol" => url.set_scheme(value.trim_end_matches(':')),
        "username" => url.set_username(value),
        "password" => url.set_password(Some(value).filter(|value| !value.is_empty())),
        "host" => {
            let (host, port) = value.rsplit_once(':').map_or((value, None), |(host, port)| (host, port.parse().ok()));
            let _ = url.set_host(Some(host));
            url.set_port(port)
        }
        "hostname" => url.set_host(Some(value)).map_err(|_| ()),
        "port" => url.set_port(value.parse().ok()),
        "pathname" => {
            url.set_path(value);
            Ok(())
        }
        "search" => {
            let query = value.strip_prefix('?').unwrap_or(value);
            url.set_query(Some(query).filter(|query| !query.is_empty()));
            Ok(())
        }
        "hash" => {
            let hash = value.strip_prefix('#').unwrap_or(value);
            url.set_fragment(Some(hash).filter(|hash| !hash.is_empty()));
            Ok(())
        }
        _ => Ok(()),
    };
}

/// `{ name, offset, abbreviation }` of a time zone at a time: `offset` in minutes east of Greenwich; without a name the
/// local zone. `undefined` for an unknown zone.
fn zone<'js>(ctx: &Ctx<'js>, name: Option<&str>, ms: f64) -> Result<Option<JsObject<'js>>> {
    let zone = match name {
        Some(name) => match jiff::tz::TimeZone::get(name) {
            Ok(zone) => zone,
            Err(_) => return Ok(None),
        },
        None => jiff::tz::TimeZone::system(),
    };
    let at = jiff::Timestamp::from_millisecond(ms as i64).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let info = zone.to_offset_info(at);
    let found = JsObject::new(ctx.clone())?;
    found.set("name", zone.iana_name().unwrap_or("UTC"))?;
    found.set("offset", f64::from(info.offset().seconds()) / 60.0)?;
    found.set("abbreviation", info.abbreviation())?;
    found.set("dst", info.dst().is_dst())?;
    Ok(Some(found))
}
