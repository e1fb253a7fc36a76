//! What the web interface asks of the node, answered by the client layer.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use crypto::{InsertUri, Uri};
use fproxy::network::{
    AnonymityStatus, BoxFuture, Content, Document, ElsewhereReason, EntryKind, FetchFailure, Found,
    InsertFailure, LinkStatus, ListingEntry, Network, NodeStatus, OpenOptions, PeerStatus, Phase,
    Progress, Reach, SettingFailure, Source, StoreStatus, Target, Upload, UploadedFile, Urgency,
};
use tokio::sync::{mpsc, watch};

use super::Core;
use super::groups::SiteGroups;
use crate::client::{
    self, Class, Client, Event, EventStream, FetchError, FetchOptions, Hiding, InsertError,
    InsertOptions, InsertRequest, KeyChoice, Listing, ListingKind, SiteFile, SiteRequest,
    UskPolicy, event_channel,
};

/// Pieces of a document that wait for a slow reader. A piece is at most a segment of a file.
const PIECES_MAX: usize = 2;

/// The node as the gateway sees it.
pub(super) struct GatewayPort {
    core: Arc<Core>,
    client: Arc<Client>,
    groups: SiteGroups,
}

impl GatewayPort {
    pub(super) fn new(core: Arc<Core>, client: Arc<Client>) -> Self {
        Self {
            core,
            client,
            groups: SiteGroups::default(),
        }
    }

    async fn open_document(
        &self,
        uri: Uri,
        options: OpenOptions,
        progress: watch::Sender<Progress>,
    ) -> Result<Found, FetchFailure> {
        let (sink, events) = event_channel();
        tokio::spawn(tell_progress(
            events,
            progress,
            Phase::Searching,
            Phase::Fetching,
        ));
        let store_only = options.reach == Reach::StoreOnly;
        let options = FetchOptions {
            class: match options.urgency {
                Urgency::RealTime => Class::RealTime,
                Urgency::Bulk => Class::Bulk,
            },
            reach: if store_only {
                client::Reach::StoreOnly
            } else {
                client::Reach::Network
            },
            usk: UskPolicy::Redirect,
            group: Some(self.groups.of(&uri)),
            ..FetchOptions::default()
        };
        match self.client.open(&uri, options, sink).await {
            Ok(document) => Ok(Found::Document(found(document))),
            Err(FetchError::DirectoryWithoutIndex { listing }) => {
                Ok(Found::Listing(entries(&listing)))
            }
            Err(FetchError::NotEnoughPathComponents { redirect }) => Ok(Found::Elsewhere {
                uri: *redirect,
                reason: ElsewhereReason::Folder,
            }),
            Err(FetchError::PermanentRedirect { redirect }) => Ok(Found::Elsewhere {
                uri: *redirect,
                reason: ElsewhereReason::NewerEdition,
            }),
            Err(FetchError::DataNotFound) if store_only => Err(FetchFailure::NotStored),
            Err(error) => Err(fetch_failure(error)),
        }
    }

    async fn publish(
        &self,
        upload: Upload,
        progress: watch::Sender<Progress>,
    ) -> Result<Uri, InsertFailure> {
        let (sink, events) = event_channel();
        tokio::spawn(tell_progress(
            events,
            progress,
            Phase::Preparing,
            Phase::Storing,
        ));
        let (target, key_choice) = match upload.target {
            Target::Private => (InsertUri::Content { path: Vec::new() }, KeyChoice::Random),
            Target::Convergent => (
                InsertUri::Content { path: Vec::new() },
                KeyChoice::Convergent,
            ),
            Target::Key(key) => (*key, KeyChoice::Random),
        };
        let options = InsertOptions {
            key_choice,
            ..InsertOptions::default()
        };
        let inserted = match upload.source {
            Source::File(file) => {
                let request = InsertRequest {
                    target,
                    source: client::Source::File(file.file.to_path_buf()),
                    content_type: file.content_type.clone(),
                    file_name: file.path.last().cloned(),
                    options,
                };
                self.client.insert(request, sink).await
            }
            Source::Site {
                files,
                default_document,
            } => {
                let request = SiteRequest {
                    target,
                    files: files.iter().map(site_file).collect(),
                    default_name: default_document,
                    options,
                };
                self.client.insert_site(request, sink).await
            }
        };
        inserted
            .map(|inserted| inserted.uri)
            .map_err(insert_failure)
    }

    async fn node_status(&self) -> NodeStatus {
        let stats = self.core.store.store().stats();
        let survey = self.core.survey().await;
        let peers = self.core.surveyed_peers(&survey);
        let circuits = self.core.circuit_facts(&survey);
        NodeStatus {
            id: self.core.identity.id().to_string(),
            name: self.core.config.node.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: self.core.uptime(),
            peers: peers
                .into_iter()
                .map(|peer| PeerStatus {
                    location: peer.location,
                    id: peer.id.to_string(),
                    name: peer.name,
                    link: peer
                        .link
                        .map_or(LinkStatus::Unreachable, |link| LinkStatus::Connected {
                            since: link.connected_for,
                            round_trip: link.round_trip,
                        }),
                })
                .collect(),
            anonymity: AnonymityStatus {
                hops_promised: circuits.hops_promised,
                hops_configured: self.core.hiding.configured().hops(),
                hops_wished: circuits.hops_wished,
                hops_least: circuits.hops_least,
                circuits_ready: circuits.ready,
            },
            stores: stats
                .families
                .iter()
                .map(|family| StoreStatus {
                    name: family.family.name().to_owned(),
                    blocks: family.blocks,
                    bytes: family.bytes,
                    bytes_max: family.bytes_max,
                })
                .collect(),
        }
    }
}

impl Network for GatewayPort {
    fn open(
        &self,
        uri: Uri,
        options: OpenOptions,
        progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Found, FetchFailure>> {
        Box::pin(self.open_document(uri, options, progress))
    }

    fn insert(
        &self,
        upload: Upload,
        progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Uri, InsertFailure>> {
        Box::pin(self.publish(upload, progress))
    }

    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        Box::pin(self.node_status())
    }

    fn set_hops(&self, hops: u8) -> BoxFuture<'_, Result<(), SettingFailure>> {
        Box::pin(async move {
            let hiding = Hiding::from_hops(hops).ok_or(SettingFailure::Unknown)?;
            let kept = self.core.hide(hiding).await;
            kept.map_err(|error| SettingFailure::NotKept(error.to_string()))
        })
    }
}

/// A found document's bytes, as the gateway reads them.
struct ClientContent(client::Document);

impl Content for ClientContent {
    fn read(&self, range: Range<u64>) -> mpsc::Receiver<Result<Bytes, FetchFailure>> {
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        let mut stream = self.0.read(range);
        tokio::spawn(async move {
            loop {
                let piece = tokio::select! {
                    piece = stream.next() => piece,
                    () = sender.closed() => return,
                };
                let Some(piece) = piece else { return };
                let failed = piece.is_err();
                if sender.send(piece.map_err(fetch_failure)).await.is_err() || failed {
                    return;
                }
            }
        });
        receiver
    }
}

fn found(document: client::Document) -> Document {
    Document {
        uri: document.uri().clone(),
        content_type: document.content_type().map(ToOwned::to_owned),
        size: document.size(),
        content_hash: document.hashes().map(|hashes| hashes.blake3),
        content: Box::new(ClientContent(document)),
    }
}

fn entries(listing: &Listing) -> Vec<ListingEntry> {
    let kind = |kind: &ListingKind| match kind {
        ListingKind::Folder => EntryKind::Folder,
        ListingKind::File { size, content_type } => EntryKind::File {
            size: Some(*size),
            content_type: content_type.clone(),
        },
        ListingKind::Redirect => EntryKind::File {
            size: None,
            content_type: None,
        },
    };
    let entry = |entry: &client::ListingEntry| ListingEntry {
        name: entry.name.clone(),
        kind: kind(&entry.kind),
    };
    listing.entries.iter().map(entry).collect()
}

fn site_file(file: &UploadedFile) -> SiteFile {
    SiteFile {
        name: file.path.join("/"),
        source: client::Source::File(file.file.to_path_buf()),
        content_type: file.content_type.clone(),
    }
}

/// Follows the client layer's events until the request and every read of its document have ended.
async fn tell_progress(
    mut events: EventStream,
    progress: watch::Sender<Progress>,
    first: Phase,
    then: Phase,
) {
    progress.send_modify(|now| now.phase = first);
    while let Some(event) = events.next().await {
        if let Event::Progress(blocks) = event {
            progress.send_replace(Progress {
                done: blocks.succeeded,
                needed: blocks.required,
                total: blocks.total,
                failed: blocks.failed + blocks.fatally_failed,
                phase: then,
            });
        }
    }
    progress.send_modify(|now| now.phase = Phase::Done);
}

fn fetch_failure(error: FetchError) -> FetchFailure {
    match error {
        FetchError::DataNotFound | FetchError::RecentlyFailed => FetchFailure::NotFound,
        FetchError::RouteNotFound => FetchFailure::NoPeers,
        FetchError::NoCircuit => FetchFailure::NoCircuit,
        FetchError::Overloaded => FetchFailure::Overloaded,
        FetchError::TimedOut => FetchFailure::TimedOut,
        FetchError::Splitfile { found, needed, .. } => FetchFailure::Damaged {
            found: found.into(),
            needed: needed.into(),
        },
        FetchError::NotInArchive { name } => FetchFailure::NotInSite { name },
        FetchError::TooManyPathComponents { redirect } => FetchFailure::NotInSite {
            name: redirect.to_string(),
        },
        FetchError::TooBig { size, .. }
        | FetchError::Bloated { size, .. }
        | FetchError::MetadataTooBig(size) => FetchFailure::TooBig { size },
        FetchError::TooManyRedirects => FetchFailure::TooManyRedirects,
        FetchError::TooManyMetadataLevels
        | FetchError::InvalidMetadata(_)
        | FetchError::UnknownMetadataVersion(_)
        | FetchError::BlockDecode
        | FetchError::Archive(_)
        | FetchError::HashCheckFailed
        | FetchError::InvalidUri(_)
        | FetchError::DirectoryWithoutIndex { .. }
        | FetchError::NotEnoughPathComponents { .. }
        | FetchError::PermanentRedirect { .. } => FetchFailure::BadMetadata(error.to_string()),
        FetchError::Cancelled | FetchError::ShuttingDown => FetchFailure::ShuttingDown,
        FetchError::Io { .. } | FetchError::Internal(_) => {
            FetchFailure::Internal(error.to_string())
        }
    }
}

fn insert_failure(error: InsertError) -> InsertFailure {
    match error {
        InsertError::RouteNotFound => InsertFailure::NoPeers,
        InsertError::NoCircuit => InsertFailure::NoCircuit,
        InsertError::Overloaded => InsertFailure::Overloaded,
        InsertError::TooManyRetries { .. } => InsertFailure::TimedOut,
        InsertError::Collision { existing } => InsertFailure::Collision { existing },
        InsertError::InvalidUri(_)
        | InsertError::PathNotSupported
        | InsertError::TooManyFiles { .. }
        | InsertError::TooBig { .. } => InsertFailure::BadKey(error.to_string()),
        InsertError::Io { .. } | InsertError::SourceChanged => InsertFailure::Io(error.to_string()),
        InsertError::Cancelled | InsertError::ShuttingDown => InsertFailure::ShuttingDown,
        InsertError::Internal(_) => InsertFailure::Internal(error.to_string()),
    }
}
