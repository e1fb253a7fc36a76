//! What nodes' users ask for, and what became of it.

use crypto::BlockKey;
use routing::{Anonymity, Class, Event, LocalId};

use super::{Network, number};
use crate::elided_block::SimBlock;
use crate::measure::{Ended, Report};

/// Names a request of a node's user. It is the request's index among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestHandle(usize);

impl<B: SimBlock> Network<B> {
    /// A node's user asks for a block, and waits for it.
    pub fn fetch(&mut self, node: usize, key: BlockKey) -> RequestHandle {
        self.fetch_as(node, key, Class::RealTime)
    }

    /// A node's user asks for a block.
    pub fn fetch_as(&mut self, node: usize, key: BlockKey, class: Class) -> RequestHandle {
        self.fetch_hidden(node, key, class, Anonymity::Off)
    }

    /// A node's user asks for a block, through circuits or not.
    pub fn fetch_hidden(
        &mut self,
        node: usize,
        key: BlockKey,
        class: Class,
        anonymity: Anonymity,
    ) -> RequestHandle {
        let handle = self.begin(node, key);
        if self.settings.paths {
            self.paths.begin(number(node), key);
        }
        let id = local_id(handle);
        self.tell(
            node,
            Event::Fetch {
                id,
                key,
                class,
                effort: self.settings.effort,
                anonymity,
            },
        );
        handle
    }

    /// A node's user wants to know when a block comes.
    pub fn subscribe(&mut self, node: usize, key: BlockKey) {
        self.tell(node, Event::Subscribe { key });
    }

    /// Whose users were told that a block which they subscribed to has come, and which one, in order.
    #[must_use]
    pub fn appeared(&self) -> &[(usize, BlockKey)] {
        &self.appeared
    }

    /// A node's user publishes a block, and waits for it.
    pub fn insert(&mut self, node: usize, block: B) -> RequestHandle {
        self.insert_as(node, block, Class::RealTime)
    }

    /// A node's user publishes a block.
    pub fn insert_as(&mut self, node: usize, block: B, class: Class) -> RequestHandle {
        self.insert_hidden(node, block, class, Anonymity::Off)
    }

    /// A node's user publishes a block, through circuits or not.
    pub fn insert_hidden(
        &mut self,
        node: usize,
        block: B,
        class: Class,
        anonymity: Anonymity,
    ) -> RequestHandle {
        let handle = self.begin(node, block.key());
        let id = local_id(handle);
        let insert = Event::Insert {
            id,
            block,
            class,
            anonymity,
        };
        self.tell(node, insert);
        handle
    }

    /// A node's user wants a request no more.
    pub fn cancel(&mut self, handle: RequestHandle) {
        let node = self.report(handle).node;
        let id = local_id(handle);
        self.tell(node, Event::Cancel { id });
    }

    /// What became of a request.
    #[must_use]
    pub fn report(&self, handle: RequestHandle) -> &Report<B> {
        &self.reports[handle.0]
    }

    /// What became of all requests, in the order in which they were begun.
    #[must_use]
    pub fn reports(&self) -> &[Report<B>] {
        &self.reports
    }

    /// How many requests have not ended. Those of a node that stops never end, and are not counted.
    #[must_use]
    pub fn open_requests(&self) -> usize {
        self.open.len()
    }

    fn begin(&mut self, node: usize, key: BlockKey) -> RequestHandle {
        let local = self.nodes[node].store.peek(&key).is_some();
        self.reports.push(Report {
            node,
            key,
            local,
            began: self.now,
            hops: None,
            asked: 0,
            ended: None,
        });
        let handle = RequestHandle(self.reports.len() - 1);
        if self.nodes[node].running {
            self.open.insert((node, local_id(handle).0));
        }
        handle
    }

    pub(super) fn ended(&mut self, LocalId(id): LocalId, ended: Ended<B>) {
        let report = &mut self.reports[usize::try_from(id).expect("ids are indices of reports")];
        assert!(report.ended.is_none(), "a request ended twice: {report:?}");
        if self.settings.paths && matches!(ended, Ended::Fetch(_)) {
            let path = self.paths.end(&report.key);
            report.hops = path.hops.filter(|_| matches!(ended, Ended::Fetch(Ok(_))));
            report.asked = path.asked;
        }
        report.ended = Some((self.now, ended));
        let node = report.node;
        self.open.remove(&(node, id));
    }
}

const fn local_id(RequestHandle(index): RequestHandle) -> LocalId {
    LocalId(index as u64)
}
