//! The browser's own log of its network.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

/// Chromium finds out whether the machine has IPv6 by connecting a UDP socket to this address, which sends nothing.
const IPV6_PROBE: &str = "[2001:4860:4860::8888]:443";

/// What a browser did on the network.
#[derive(Clone, Debug)]
pub struct NetLog {
    /// Addresses that were requested, in order.
    pub requests: Vec<String>,
    /// Hosts that were requested, resolved or connected to.
    pub hosts: BTreeSet<String>,
}

impl NetLog {
    /// Reads a log.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        // The browser leaves out the end of the list if it is ended early.
        let whole: Value = serde_json::from_str(text)
            .or_else(|_| {
                serde_json::from_str(&format!("{}]}}", text.trim_end().trim_end_matches(',')))
            })
            .expect("the log is JSON");
        let mut log = Self {
            requests: Vec::new(),
            hosts: BTreeSet::new(),
        };
        let connects: Vec<&Value> = ["TCP_CONNECT_ATTEMPT", "UDP_CONNECT"]
            .iter()
            .map(|name| &whole["constants"]["logEventTypes"][name])
            .collect();
        assert!(
            connects.iter().all(|kind| kind.is_number()),
            "an unknown form of log"
        );
        for event in whole["events"].as_array().expect("the log has events") {
            let text = |name: &str| event["params"][name].as_str().map(str::to_owned);
            if let Some(url) =
                text("url").filter(|url| url.starts_with("http") || url.starts_with("ws"))
            {
                log.hosts.extend(host_of(&url));
                log.requests.push(url);
            }
            for host in [text("host"), text("hostname")].into_iter().flatten() {
                log.hosts.insert(host_of(&host).unwrap_or(host));
            }
            // Other events tell the machine's own addresses.
            if connects.contains(&&event["type"])
                && let Some(address) = text("address").filter(|address| address != IPV6_PROBE)
            {
                log.hosts.insert(without_port(&address).to_owned());
            }
        }
        log
    }
}

/// Whether a host is this machine and no other.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let local_name = host == "localhost" || host.ends_with(".localhost");
    local_name
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The host of a URL.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(without_port(authority).to_owned())
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            host
        }
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_host_is_seen() {
        let log = NetLog::parse(
            r#"{"constants":{"logEventTypes":{"TCP_CONNECT_ATTEMPT":4,"UDP_CONNECT":6}},"events":[
            {"type":1,"params":{"url":"http://a.localhost:8888/x?y"}},
            {"type":2,"params":{"host":"https://tracker.example"}},
            {"type":3,"params":{"hostname":"resolved.example"}},
            {"type":4,"params":{"address":"192.0.2.1:443"}},
            {"type":4,"params":{"address":"[2001:4860:4860::8888]:443"}},
            {"type":6,"params":{"address":"[2001:db8::1]:443"}},
            {"type":7,"params":{"address":"192.0.2.7:1"}},
            {"type":5},"#,
        );
        let hosts: Vec<&str> = log.hosts.iter().map(String::as_str).collect();
        assert_eq!(
            hosts,
            [
                "192.0.2.1",
                "[2001:db8::1]",
                "a.localhost",
                "resolved.example",
                "tracker.example"
            ]
        );
        assert_eq!(log.requests, ["http://a.localhost:8888/x?y"]);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost",
            "a.localhost",
            "127.0.0.1",
            "[::1]",
            "127.8.8.8",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "192.0.2.1", "xlocalhost", "[::2]", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
