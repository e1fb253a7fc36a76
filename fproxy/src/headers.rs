//! The headers that every answer carries, and the policies that go with pages.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_DNS_PREFETCH_CONTROL, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};

/// What a publisher's page may do: show its own pictures, sounds and styles. No script, no form, no frame, no other host.
/// Popups get rid of the sandbox because the page that opens brings its own.
const SITE_POLICY: &str = "sandbox allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox; \
    default-src 'none'; img-src 'self' data:; media-src 'self'; font-src 'self'; style-src 'self' 'unsafe-inline'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Everything that a browser can ask the machine for, refused.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), clipboard-read=(), \
    clipboard-write=(), display-capture=(), encrypted-media=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), \
    idle-detection=(), keyboard-map=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), usb=(), window-management=(), \
    xr-spatial-tracking=()";

/// Set on every answer, whatever it is.
const EVERYWHERE: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_DNS_PREFETCH_CONTROL, "off"),
    (X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
];

/// Adds what no answer may lack; a policy or cache rule that is there already stays.
pub(crate) fn complete(headers: &mut HeaderMap) {
    for (name, value) in EVERYWHERE {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
    let defaults = [
        (CONTENT_SECURITY_POLICY, SITE_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

/// The policy of the gateway's own pages. `sites` are all sites' origins: the form that asks for a key is answered with a
/// redirect to one of them.
pub(crate) fn allow_own_page(headers: &mut HeaderMap, sites: &str) {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {sites}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).expect("a port and a host make a valid header");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    // With `no-referrer` a browser would send the form for publishing with `Origin: null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}
