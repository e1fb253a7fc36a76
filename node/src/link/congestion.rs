//! Congestion control that lets the last word through.
//!
//! quinn holds a close frame back while the congestion window is full, and a closed connection no longer hears the
//! acknowledgements that would open it: a busy link could never say that it closes. So a connection gives up
//! the window for its last packet. Until then this is CUBIC, quinn's default.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use quinn::{
    Connection, VarInt,
    congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig},
};
use quinn_proto::RttEstimator;

/// Closes `connection` so that the peer hears of it at once, however busy the connection is.
pub(crate) fn close_promptly(connection: &Connection, code: VarInt) {
    if let Ok(controller) = connection
        .congestion_state()
        .into_any()
        .downcast::<Yielding>()
    {
        controller.closing.store(true, Ordering::Relaxed);
    }
    connection.close(code, &[]);
}

/// Makes the controllers.
#[derive(Debug, Default)]
pub(crate) struct YieldingConfig(Arc<CubicConfig>);

struct Yielding {
    inner: Box<dyn Controller>,
    closing: Arc<AtomicBool>,
}

impl ControllerFactory for YieldingConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Yielding {
            inner: Arc::clone(&self.0).build(now, current_mtu),
            closing: Arc::default(),
        })
    }
}

impl Controller for Yielding {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.inner.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        self.inner
            .on_end_acks(now, in_flight, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.inner
            .on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.inner.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        if self.closing.load(Ordering::Relaxed) {
            u64::MAX
        } else {
            self.inner.window()
        }
    }

    fn metrics(&self) -> ControllerMetrics {
        self.inner.metrics()
    }

    /// The copy shares the flag, which is how [`close_promptly`] reaches the controller in use.
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self {
            inner: self.inner.clone_box(),
            closing: Arc::clone(&self.closing),
        })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
