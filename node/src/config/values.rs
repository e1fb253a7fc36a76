//! How the values of keys are taken in and printed.

use super::ByteSize;
use super::keys::Value;
use super::settings::{
    CELL_DELAY_MAX, COVER_MAX, COVER_MIN, LogLevel, NAME_LEN_MAX, OPENNET_PEERS_MAX,
    OPENNET_PEERS_MIN, SEEDS_MAX, STORE_SIZE_MIN, SyncPolicy, UPLOAD_MIN,
};
use crate::reference::Reference;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Addresses that may be announced at most: what a reference can carry beside the node's own findings.
const ANNOUNCED_MAX: usize = 8;

pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Flag(_) | Value::List(_) => None,
    }
}

pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(*flag),
        Value::Text(_) | Value::List(_) => None,
    }
}

/// Whether a text may be a node's name: also asked of the names in other nodes' references.
pub(crate) fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= NAME_LEN_MAX && !name.chars().any(char::is_control)
}

pub(super) fn address(value: &Value) -> Option<SocketAddr> {
    text(value)?.parse().ok()
}

pub(super) fn addresses(value: &Value) -> Option<Vec<SocketAddr>> {
    let Value::List(items) = value else {
        return None;
    };
    let usable = |address: &SocketAddr| !address.ip().is_unspecified() && address.port() != 0;
    let parsed: Option<Vec<SocketAddr>> = items
        .iter()
        .map(|item| item.parse().ok().filter(usable))
        .collect();
    parsed.filter(|list| list.len() <= ANNOUNCED_MAX)
}

pub(super) fn references(value: &Value) -> Option<Vec<Reference>> {
    let Value::List(items) = value else {
        return None;
    };
    let parsed: Option<Vec<Reference>> = items.iter().map(|item| item.parse().ok()).collect();
    parsed.filter(|list| list.len() <= SEEDS_MAX)
}

pub(super) fn opennet_peers(value: &Value) -> Option<Option<u16>> {
    let text = text(value)?;
    if text == "auto" {
        return Some(None);
    }
    let number: u16 = text.parse().ok()?;
    (OPENNET_PEERS_MIN..=OPENNET_PEERS_MAX)
        .contains(&number)
        .then_some(Some(number))
}

/// Milliseconds within these bounds; 0 for none.
fn milliseconds(value: &Value, least: Duration, most: Duration) -> Option<Option<Duration>> {
    let time = Duration::from_millis(text(value)?.parse().ok()?);
    if time.is_zero() {
        return Some(None);
    }
    (least..=most).contains(&time).then_some(Some(time))
}

pub(super) fn cell_delay(value: &Value) -> Option<Option<Duration>> {
    milliseconds(value, Duration::from_millis(1), CELL_DELAY_MAX)
}

pub(super) fn cover(value: &Value) -> Option<Option<Duration>> {
    milliseconds(value, COVER_MIN, COVER_MAX)
}

/// As [`milliseconds`] reads it.
pub(super) fn shown_milliseconds(time: Option<Duration>) -> String {
    time.unwrap_or_default().as_millis().to_string()
}

pub(super) fn upload(value: &Value) -> Option<ByteSize> {
    // The upper end, a terabyte a second, only keeps sums clear of overflow.
    size_within(value, UPLOAD_MIN, ByteSize::bytes(1 << 40))
}

pub(super) fn size_within(value: &Value, least: ByteSize, most: ByteSize) -> Option<ByteSize> {
    text(value)?
        .parse()
        .ok()
        .filter(|size| (least..=most).contains(size))
}

pub(super) fn store_size(value: &Value) -> Option<ByteSize> {
    // The upper end only keeps sums of sizes clear of overflow.
    size_within(value, STORE_SIZE_MIN, ByteSize::bytes(1 << 60))
}

pub(super) fn temp_size(value: &Value) -> Option<ByteSize> {
    size_within(value, ByteSize::mebibytes(64), ByteSize::bytes(1 << 60))
}

pub(super) fn memory_size(value: &Value) -> Option<ByteSize> {
    size_within(value, ByteSize::mebibytes(16), ByteSize::gibibytes(64))
}

pub(super) fn sync_policy(value: &Value) -> Option<SyncPolicy> {
    [SyncPolicy::Periodic, SyncPolicy::Always]
        .into_iter()
        .find(|policy| text(value) == Some(&policy.to_string()))
}

pub(super) fn log_level(value: &Value) -> Option<LogLevel> {
    use LogLevel::{Debug, Error, Info, Off, Trace, Warn};
    [Off, Error, Warn, Info, Debug, Trace]
        .into_iter()
        .find(|level| text(value) == Some(level.name()))
}

pub(super) fn absolute_path(value: &Value) -> Option<PathBuf> {
    Some(PathBuf::from(text(value)?)).filter(|path| path.is_absolute())
}

pub(super) fn quoted(value: impl std::fmt::Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}

pub(super) fn quoted_list(values: &[impl std::fmt::Display]) -> String {
    toml::Value::Array(
        values
            .iter()
            .map(|value| toml::Value::String(value.to_string()))
            .collect(),
    )
    .to_string()
}
