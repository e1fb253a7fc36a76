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

/// The addresses for a record, which strangers read: those of [`reachable_addresses`] that are of use elsewhere. Loopback
/// ones are left out unless there is nothing else.
pub fn public_addresses(bound: SocketAddr, announced: &[SocketAddr]) -> Vec<SocketAddr> {
    let all = reachable_addresses(bound, announced);
    let outer: Vec<SocketAddr> = all
        .iter()
        .copied()
        .filter(|address| !address.ip().is_loopback())
        .collect();
    if outer.is_empty() { all } else { outer }
}

/// Where a node is, as far as it matters for whom it may dial at a stranger's word: nobody shall make it send packets
/// into its owner's network or machine that it has no business with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// It is reached by other programs on this machine only.
    pub loopback: bool,
    /// One of its own addresses is of a private network.
    pub private: bool,
}

impl Surroundings {
    /// Of a node whose record names `own` addresses.
    #[must_use]
    pub fn of(own: &[SocketAddr]) -> Self {
        Self {
            loopback: own.iter().all(|address| address.ip().is_loopback()),
            private: own.iter().any(|address| is_private(address.ip())),
        }
    }

    /// Whether to dial a stranger at `address`.
    #[must_use]
    pub fn may_dial(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        if ip.is_loopback() {
            return self.loopback;
        }
        let never = match ip {
            IpAddr::V4(ip) => ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast(),
            IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
        };
        address.port() != 0 && !never && (self.private || !is_private(ip))
    }
}

/// Private and link-local networks (RFC 1918, RFC 3927, RFC 4193, RFC 4291), and those that providers share among
/// customers (RFC 6598).
fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let shared = first == 100 && second & 0xc0 == 64;
            ip.is_private() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
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

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn strangers_are_told_of_loopback_only_where_there_is_nothing_else() {
        let bound = address("127.0.0.1:4000");
        assert_eq!(public_addresses(bound, &[]), [bound]);
        let outer = address("203.0.113.7:5000");
        assert_eq!(public_addresses(bound, &[outer]), [outer]);
    }

    #[test]
    fn a_public_node_dials_public_addresses_only() {
        let public = Surroundings::of(&[address("203.0.113.7:5000")]);
        for dialled in ["198.51.100.1:9", "[2001:db8::1]:9"] {
            assert!(public.may_dial(address(dialled)), "{dialled}");
        }
        let inner = [
            "127.0.0.1:9",
            "[::1]:9",
            "[::ffff:127.0.0.1]:9",
            "10.0.0.1:9",
            "192.168.1.1:9",
            "172.16.0.1:9",
            "169.254.0.1:9",
            "100.64.0.1:9",
            "[fe80::1]:9",
            "[fd00::1]:9",
            "224.0.0.1:9",
            "255.255.255.255:9",
            "0.0.0.0:9",
            "198.51.100.1:0",
        ];
        for dialled in inner {
            assert!(!public.may_dial(address(dialled)), "{dialled}");
        }
    }

    #[test]
    fn inner_addresses_are_dialled_by_who_has_one() {
        let home = Surroundings::of(&[address("192.168.1.5:5000")]);
        assert!(
            home.may_dial(address("192.168.1.6:9")) && home.may_dial(address("198.51.100.1:9"))
        );
        assert!(!home.may_dial(address("127.0.0.1:9")));
        let here = Surroundings::of(&[address("127.0.0.1:5000")]);
        assert!(here.may_dial(address("127.0.0.1:9")));
        assert!(!here.may_dial(address("192.168.1.6:9")));
    }
}
