//! The addresses under which this node can be reached, as far as it can tell by itself.

use super::ADDRESSES_MAX;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses for a reference: those the owner announces, then those of this machine under which a socket bound
/// to `bound` receives. For a socket bound to all addresses these are the ones used towards the internet, and loopback
/// for other nodes on this machine. No packet is sent to find out.
pub fn reachable_addresses(bound: SocketAddr, announced: &[SocketAddr]) -> Vec<SocketAddr> {
    let own = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => all_v4(),
        IpAddr::V6(ip) if ip.is_unspecified() => [all_v6(), all_v4()].concat(),
        ip => vec![ip],
    };
    let mut addresses = Vec::new();
    for address in announced
        .iter()
        .copied()
        .chain(own.into_iter().map(|ip| SocketAddr::new(ip, bound.port())))
    {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses.truncate(ADDRESSES_MAX);
    addresses
}

fn all_v4() -> Vec<IpAddr> {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    // 192.0.2.0/24 is reserved for documentation (RFC 5737) and routed like any other outside address.
    let outside = SocketAddr::from(([192, 0, 2, 1], 9));
    source_towards(any, outside)
        .into_iter()
        .chain([IpAddr::from(Ipv4Addr::LOCALHOST)])
        .collect()
}

fn all_v6() -> Vec<IpAddr> {
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    // 2001:db8::/32 is reserved for documentation (RFC 3849).
    let outside = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9));
    source_towards(any, outside).into_iter().collect()
}

/// The address that the system would send from. Connecting a UDP socket only looks up the route.
fn source_towards(any: SocketAddr, outside: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(outside).ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_bound_to_one_address_is_reached_there() {
        let bound: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        assert_eq!(reachable_addresses(bound, &[]), [bound]);
    }

    #[test]
    fn announced_addresses_come_first_and_nothing_is_named_twice() {
        let bound: SocketAddr = "0.0.0.0:4000".parse().unwrap();
        let outer: SocketAddr = "203.0.113.7:5000".parse().unwrap();
        let loopback: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        let addresses = reachable_addresses(bound, &[outer, loopback, outer]);
        assert_eq!(addresses[..2], [outer, loopback]);
        assert!(
            addresses
                .iter()
                .all(|address| !address.ip().is_unspecified())
        );
        assert_eq!(
            addresses
                .iter()
                .filter(|address| **address == loopback)
                .count(),
            1
        );
    }
}
