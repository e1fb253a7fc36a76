//! The local ports of an endpoint over time: one, or for a while after a change of address two, or none once it is closed.

use std::{
    net::SocketAddr,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

use tokio::task::yield_now;

use super::port::Port;

/// The ports in use, and what is known of the newest even after it is closed.
#[derive(Debug)]
pub(crate) struct Ports(RwLock<State>);

#[derive(Clone, Debug)]
struct State {
    traits: Traits,
    current: Option<Arc<Port>>,
    /// The port before the last change of address; connections accepted there stay there until they are replaced.
    previous: Option<Arc<Port>>,
}

/// What does not change while a port is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) address: SocketAddr,
    pub(crate) generation: u32,
    pub(crate) may_fragment: bool,
}

impl Ports {
    pub(crate) fn new(port: Port) -> Self {
        let port = Arc::new(port);
        Self(RwLock::new(State {
            traits: Traits::of(&port),
            current: Some(port),
            previous: None,
        }))
    }

    /// Sends from `port` from now on and still receives at the old one.
    pub(crate) fn change(&self, port: Port) {
        let mut state = self.write();
        state.traits = Traits::of(&port);
        state.previous = state.current.replace(Arc::new(port));
    }

    /// Lets the port before the one of `generation` go.
    pub(crate) fn drop_before(&self, generation: u32) {
        let mut state = self.write();
        if state.traits.generation == generation {
            state.previous = None;
        }
    }

    /// Frees the addresses; they can be bound again when this returns.
    pub(crate) async fn close(&self) {
        let closed: Vec<Weak<Port>> = {
            let mut state = self.write();
            let ports = state
                .current
                .take()
                .into_iter()
                .chain(state.previous.take());
            ports.map(|port| Arc::downgrade(&port)).collect()
        };
        // Another thread may be in the middle of a system call.
        while closed.iter().any(|port| port.strong_count() > 0) {
            yield_now().await;
        }
    }

    pub(crate) fn traits(&self) -> Traits {
        self.read().traits
    }

    pub(crate) fn current(&self) -> Option<Arc<Port>> {
        self.read().current.clone()
    }

    /// The port of `generation`, or the current one when that is gone.
    pub(crate) fn of_generation(&self, generation: u32) -> Option<Arc<Port>> {
        let state = self.read();
        let previous = state
            .previous
            .as_ref()
            .filter(|port| port.generation == generation);
        previous.or(state.current.as_ref()).cloned()
    }

    /// All ports to receive at.
    pub(crate) fn open(&self) -> impl Iterator<Item = Arc<Port>> {
        let State {
            current, previous, ..
        } = self.read().clone();
        current.into_iter().chain(previous)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().expect("no holder of the lock panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().expect("no holder of the lock panics")
    }
}

impl Traits {
    fn of(port: &Port) -> Self {
        Self {
            address: port.address(),
            generation: port.generation,
            may_fragment: port.may_fragment(),
        }
    }
}
