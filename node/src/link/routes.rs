//! Addresses as quinn sees them.
//!
//! The key of a datagram follows from who accepted its connection, but quinn hands over only an address. So
//! every address given to quinn is an IPv6 one whose flow label, which no network sees, says what the connection is: for
//! a dialled one the number of its [`Route`], for an accepted one the local port it arrived at. Two peers may
//! then be dialled, or dial, at one address without a mix-up, and a stranger's datagram needs no state at all.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr, SocketAddrV6},
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crypto::NodeId;

use super::seal::AcceptorKeys;

/// Set in the flow label of connections that the peer dialled; the rest is the generation of the local port.
const ACCEPTED: u32 = 1 << 31;

/// Routes of peers that are no longer dialled stay for this many further ones, so that goodbyes still get out.
const FORGOTTEN_MAX: usize = 256;

/// What a flow label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The peer dialled us at the local port of this generation.
    Accepted { port: u32 },
    /// We dialled, by the route of this number.
    Dialled { route: u32 },
}

impl Origin {
    pub(crate) fn of(address: SocketAddr) -> Self {
        let SocketAddr::V6(address) = address else {
            return Self::Accepted { port: 0 };
        };
        match address.flowinfo() {
            label if label & ACCEPTED != 0 => Self::Accepted {
                port: label & !ACCEPTED,
            },
            route => Self::Dialled { route },
        }
    }

    /// The address of `real` to show to quinn.
    pub(crate) fn mark(self, real: SocketAddr) -> SocketAddr {
        let label = match self {
            Self::Accepted { port } => port | ACCEPTED,
            Self::Dialled { route } => route,
        };
        let (ip, scope) = match real {
            SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
            SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
        };
        SocketAddrV6::new(ip, real.port(), label, scope).into()
    }
}

/// The address on the network: without label, and IPv4 as such.
pub(crate) fn real(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_canonical() {
            IpAddr::V4(ip) => SocketAddr::new(ip.into(), v6.port()),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, v6.port(), 0, v6.scope_id()).into(),
        },
        v4 @ SocketAddr::V4(_) => v4,
    }
}

/// A peer at an address that we dial.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) number: u32,
    pub(crate) address: SocketAddr,
    pub(crate) keys: Arc<AcceptorKeys>,
    peer: NodeId,
}

/// The routes from one remote address.
#[derive(Debug, Default)]
pub(crate) struct RoutesFrom {
    routes: Vec<Arc<Route>>,
    /// The last datagram from there belonged to an accepted connection: a guess which key to try first.
    accepted_last: AtomicBool,
}

impl RoutesFrom {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|route| &**route)
    }

    pub(crate) fn accepted_last(&self) -> bool {
        self.accepted_last.load(Ordering::Relaxed)
    }

    pub(crate) fn guess_accepted(&self, accepted: bool) {
        if self.accepted_last() != accepted {
            self.accepted_last.store(accepted, Ordering::Relaxed);
        }
    }
}

/// All routes. It grows only by our own dialling, never by what arrives.
#[derive(Debug, Default)]
pub(crate) struct Routes(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    last_number: u32,
    by_number: HashMap<u32, Arc<Route>>,
    by_address: HashMap<SocketAddr, Arc<RoutesFrom>>,
    /// Numbers whose peer was forgotten, the longest ago first.
    forgotten: Vec<u32>,
}

impl Routes {
    /// The marked address by which to dial `peer` at `address`.
    pub(crate) fn dial(&self, peer: NodeId, address: SocketAddr) -> SocketAddr {
        let address = real(address);
        let mut table = self.0.write().expect("no holder of the lock panics");
        let known = table
            .by_address
            .get(&address)
            .and_then(|from| from.iter().find(|route| route.peer == peer));
        let route = match known {
            Some(route) => route.number,
            None => table.add(peer, address),
        };
        table.forgotten.retain(|number| *number != route);
        Origin::Dialled { route }.mark(address)
    }

    /// Lets the routes to `peer` go, soon but not at once.
    pub(crate) fn forget(&self, peer: &NodeId, except: &[SocketAddr]) {
        let mut table = self.0.write().expect("no holder of the lock panics");
        let mut gone: Vec<u32> = table
            .by_number
            .values()
            .filter(|route| {
                route.peer == *peer
                    && !except.contains(&route.address)
                    && !table.forgotten.contains(&route.number)
            })
            .map(|route| route.number)
            .collect();
        gone.sort_unstable();
        table.forgotten.extend(gone);
        let surplus = table.forgotten.len().saturating_sub(FORGOTTEN_MAX);
        for number in table.forgotten.drain(..surplus).collect::<Vec<_>>() {
            table.remove(number);
        }
    }

    pub(crate) fn by_number(&self, number: u32) -> Option<Arc<Route>> {
        self.0
            .read()
            .expect("no holder of the lock panics")
            .by_number
            .get(&number)
            .cloned()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0
            .read()
            .expect("no holder of the lock panics")
            .by_number
            .len()
    }

    pub(crate) fn from(&self, address: SocketAddr) -> Option<Arc<RoutesFrom>> {
        self.0
            .read()
            .expect("no holder of the lock panics")
            .by_address
            .get(&address)
            .cloned()
    }
}

impl Table {
    fn add(&mut self, peer: NodeId, address: SocketAddr) -> u32 {
        self.last_number = (self.last_number + 1) & !ACCEPTED;
        let number = self.last_number;
        let known = self.by_number.values().find(|route| route.peer == peer);
        let keys = known.map_or_else(
            || Arc::new(AcceptorKeys::of(&peer)),
            |route| Arc::clone(&route.keys),
        );
        let route = Arc::new(Route {
            number,
            address,
            keys,
            peer,
        });
        self.by_number.insert(number, Arc::clone(&route));
        let mut routes = self.routes_at(address);
        routes.push(route);
        self.set_routes(address, routes);
        number
    }

    fn remove(&mut self, number: u32) {
        let Some(route) = self.by_number.remove(&number) else {
            return;
        };
        let mut routes = self.routes_at(route.address);
        routes.retain(|other| other.number != number);
        self.set_routes(route.address, routes);
    }

    fn routes_at(&self, address: SocketAddr) -> Vec<Arc<Route>> {
        self.by_address
            .get(&address)
            .map(|from| from.routes.clone())
            .unwrap_or_default()
    }

    fn set_routes(&mut self, address: SocketAddr, routes: Vec<Arc<Route>>) {
        if routes.is_empty() {
            self.by_address.remove(&address);
        } else {
            let from = RoutesFrom {
                routes,
                accepted_last: AtomicBool::new(false),
            };
            self.by_address.insert(address, Arc::new(from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Identity;

    fn peer(seed: u8) -> NodeId {
        Identity::from_seed(&[seed; 32]).id()
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn a_marked_address_keeps_its_origin_and_its_real_address() {
        for origin in [Origin::Accepted { port: 3 }, Origin::Dialled { route: 9 }] {
            for bare in [
                address(7),
                "[fe80::1%2]:7".parse().unwrap(),
                "[2001:db8::1]:7".parse().unwrap(),
            ] {
                assert_eq!(Origin::of(origin.mark(bare)), origin);
                assert_eq!(real(origin.mark(bare)), bare);
            }
        }
    }

    #[test]
    fn two_peers_at_one_address_have_routes_of_their_own() {
        let routes = Routes::default();
        let first = routes.dial(peer(1), address(7));
        let second = routes.dial(peer(2), address(7));
        assert_ne!(first, second);
        assert_eq!(
            first,
            routes.dial(peer(1), address(7)),
            "dialling again takes the same route"
        );
        assert_eq!(routes.from(address(7)).unwrap().iter().count(), 2);
    }

    #[test]
    fn forgotten_routes_are_bounded_and_gone_in_the_end() {
        let routes = Routes::default();
        routes.dial(peer(1), address(1));
        routes.forget(&peer(1), &[]);
        assert!(
            routes.from(address(1)).is_some(),
            "a goodbye may still be under way"
        );
        for port in 2..=u16::try_from(FORGOTTEN_MAX).unwrap() + 2 {
            routes.dial(peer(2), address(port));
        }
        routes.forget(&peer(2), &[]);
        assert!(routes.from(address(1)).is_none());
        let table = routes.0.read().unwrap();
        assert_eq!(table.by_number.len(), FORGOTTEN_MAX);
        assert_eq!(table.by_address.len(), FORGOTTEN_MAX);
    }
}
