//! What all handlers share.

use std::sync::Arc;

use crate::config::GatewayConfig;
use crate::fetches::Fetches;
use crate::form_token::FormToken;
use crate::network::Network;
use crate::origin::Origins;
use crate::uploads::Uploads;

/// The state of a gateway.
pub(crate) struct App {
    pub(crate) config: GatewayConfig,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) origins: Origins,
    pub(crate) fetches: Fetches,
    pub(crate) uploads: Uploads,
    pub(crate) form_token: FormToken,
}

impl App {
    /// Makes the state of a gateway that listens on `port`.
    pub(crate) fn new(port: u16, network: Arc<dyn Network>, config: GatewayConfig) -> Self {
        Self {
            origins: Origins::new(port, config.label_secret.clone()),
            fetches: Fetches::new(Arc::clone(&network), config.fetch_time_max, config.kept_for),
            uploads: Uploads::new(Arc::clone(&network)),
            form_token: FormToken::random(),
            network,
            config,
        }
    }

    /// Gives up all fetches and uploads.
    pub(crate) fn stop(&self) {
        self.fetches.stop();
        self.uploads.stop();
    }
}
