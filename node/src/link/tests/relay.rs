//! A relay between a dialler and an acceptor that records every datagram.

use std::sync::Mutex;

use tokio::{net::UdpSocket, task::AbortHandle};

use super::*;

/// Datagrams as an observer on the wire sees them.
#[derive(Default)]
pub(super) struct Record {
    pub(super) to_acceptor: Vec<Vec<u8>>,
    pub(super) from_acceptor: Vec<Vec<u8>>,
}

pub(super) struct Relay {
    /// Where to dial instead of the acceptor.
    pub(super) address: SocketAddr,
    record: Arc<Mutex<Record>>,
    task: AbortHandle,
}

impl Relay {
    pub(super) async fn start(acceptor: SocketAddr) -> Self {
        let front = UdpSocket::bind(loopback(0)).await.unwrap();
        let back = UdpSocket::bind(loopback(0)).await.unwrap();
        back.connect(acceptor).await.unwrap();
        let address = front.local_addr().unwrap();
        let record = Arc::default();
        let task = tokio::spawn(pass(front, back, Arc::clone(&record))).abort_handle();
        Self {
            address,
            record,
            task,
        }
    }

    pub(super) fn recorded(&self) -> Record {
        std::mem::take(&mut *self.record.lock().unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(front: UdpSocket, back: UdpSocket, record: Arc<Mutex<Record>>) {
    let mut dialler = None;
    let (mut from_front, mut from_back) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            Ok((len, sender)) = front.recv_from(&mut from_front) => {
                dialler = Some(sender);
                record.lock().unwrap().to_acceptor.push(from_front[..len].to_vec());
                // A full buffer loses the datagram, as on any wire.
                let _ = back.send(&from_front[..len]).await;
            }
            Ok(len) = back.recv(&mut from_back) => {
                record.lock().unwrap().from_acceptor.push(from_back[..len].to_vec());
                if let Some(dialler) = dialler {
                    let _ = front.send_to(&from_back[..len], dialler).await;
                }
            }
        }
    }
}
