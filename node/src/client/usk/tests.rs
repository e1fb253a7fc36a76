use crypto::{BlockKey, InsertUri, SubspaceSecret, Uri, VerifiedBlock};

use super::*;
use crate::client::network::{Anonymity, BlockFuture, BlockInsertError, BlockNetwork, Effort};
use crate::client::tests::{MemoryNetwork, noise, open, put, request, subspace};
use crate::client::{Client, ClientConfig, InsertError};

const SEED: u8 = 1;

const fn january() -> Date {
    Date::from_civil(2026, 1, 5)
}

const fn june() -> Date {
    Date::from_civil(2026, 6, 17)
}

const fn november() -> Date {
    Date::from_civil(2026, 11, 3)
}

const fn late_november() -> Date {
    Date::from_civil(2026, 11, 23)
}

fn client_on(network: Arc<dyn BlockNetwork>, today: fn() -> Date) -> Arc<Client> {
    Client::dated(network, ClientConfig::new(std::env::temp_dir()), today)
}

fn target(edition: i64) -> String {
    format!("USK{}site/{edition}", subspace(SEED))
}

fn uri(edition: i64) -> Uri {
    let insert = InsertUri::parse(&target(edition)).unwrap();
    insert.request_uri().unwrap()
}

fn secret() -> SubspaceSecret {
    SubspaceSecret::from_parts(&[SEED; 32], &[SEED; 32])
}

fn edition_key(edition: u64) -> BlockKey {
    secret().public().edition("site", edition).block_key()
}

fn link_key(edition: u64) -> BlockKey {
    hint::link_key(secret().public(), "site", edition).block_key()
}

/// Keys of the hints that an insert on `date` leaves.
fn hint_keys(date: Date) -> Vec<BlockKey> {
    let mut keys = hint::keys(secret().public(), "site", date);
    keys.truncate(4);
    keys.iter().map(SignedKey::block_key).collect()
}

async fn insert(client: &Client, edition: i64) -> i64 {
    let content = noise(10, edition.unsigned_abs());
    edition_of(&put(client, request(&target(edition), content, None)).await)
}

async fn read(client: &Client, edition: i64) -> Result<i64, FetchError> {
    let document = open(client, &uri(edition)).await?;
    Ok(edition_of(document.uri()))
}

fn edition_of(uri: &Uri) -> i64 {
    let Uri::Updatable { edition, .. } = uri else {
        panic!("a USK was expected")
    };
    *edition
}

/// A site of few editions, with wide gaps, made over a year.
async fn site_of_2026() -> Arc<MemoryNetwork> {
    let network = MemoryNetwork::new();
    for (edition, today) in [
        (0, january as fn() -> Date),
        (40, june as fn() -> Date),
        (90, november as fn() -> Date),
        (97, november as fn() -> Date),
    ] {
        let writer = client_on(Arc::clone(&network) as _, today);
        assert_eq!(insert(&writer, edition).await, edition);
    }
    network
}

#[tokio::test]
async fn an_insert_leaves_hints_of_its_day_and_those_that_are_there_stay() {
    let network = site_of_2026().await;
    let keys = network.keys();
    for date in [january(), june(), november()] {
        assert!(hint_keys(date).iter().all(|key| keys.contains(key)));
    }
    // Three days and weeks and months, one year, four editions, and links between them.
    assert_eq!(keys.len(), 3 * 3 + 1 + 4 + 3);
    for (key, edition) in hint::keys(secret().public(), "site", november())
        .iter()
        .zip([90, 90, 90, 0])
    {
        let block = network.fetch_stored(key.block_key()).await.unwrap();
        assert_eq!(hint::edition(key, &block), Some(edition));
    }
}

#[tokio::test]
async fn an_old_bookmark_leads_to_the_newest_edition_through_hints() {
    let network = site_of_2026().await;
    // The month's hint is 90, from where a link leads on.
    for asked in [0, 40, -1, -60, -2000] {
        let reader = client_on(Arc::clone(&network) as _, late_november);
        let before = network.fetches();
        assert_eq!(read(&reader, asked).await.unwrap(), 97, "{asked}");
        assert!(network.fetches() - before < 80);
    }
    // In December, the hint of the month before is read.
    let reader = client_on(Arc::clone(&network) as _, || Date::from_civil(2026, 12, 9));
    assert_eq!(read(&reader, 0).await.unwrap(), 97);
    // Without links they lead as far as they can.
    for edition in [0, 40, 90] {
        network.lose(link_key(edition));
    }
    let reader = client_on(Arc::clone(&network) as _, late_november);
    assert_eq!(read(&reader, 0).await.unwrap(), 90);
}

#[tokio::test]
async fn an_edition_of_last_year_is_found_through_its_hint() {
    let network = MemoryNetwork::new();
    let writer = client_on(Arc::clone(&network) as _, || Date::from_civil(2026, 3, 28));
    insert(&writer, 700).await;
    let reader = client_on(Arc::clone(&network) as _, || Date::from_civil(2027, 9, 1));
    assert_eq!(read(&reader, 2).await.unwrap(), 700);
}

#[tokio::test]
async fn an_insert_finds_the_free_edition_through_hints() {
    let network = MemoryNetwork::new();
    insert(&client_on(Arc::clone(&network) as _, november), 90).await;
    let writer = client_on(Arc::clone(&network) as _, late_november);
    assert_eq!(insert(&writer, 0).await, 91);
    let writer = client_on(Arc::clone(&network) as _, late_november);
    assert_eq!(insert(&writer, -1).await, 92);
    let writer = client_on(Arc::clone(&network) as _, late_november);
    assert_eq!(insert(&writer, -5000).await, 93);
}

/// On the day of the first edition all date hints name that one.
#[tokio::test]
async fn an_edition_of_the_same_day_far_ahead_is_found() {
    let network = MemoryNetwork::new();
    for edition in [0, 57, 1_000_000] {
        let writer = client_on(Arc::clone(&network) as _, june);
        assert_eq!(insert(&writer, edition).await, edition);
        // Where nothing is too, and backwards.
        for asked in [0, 1, edition, -1, -2_000_000] {
            let reader = client_on(Arc::clone(&network) as _, late_november);
            if asked == 1 && edition == 0 {
                assert!(read(&reader, asked).await.is_err());
            } else {
                assert_eq!(read(&reader, asked).await.unwrap(), edition, "{asked}");
            }
        }
    }
    for (asked, free) in [(-1, 1_000_001), (0, 1_000_002), (58, 1_000_003)] {
        let writer = client_on(Arc::clone(&network) as _, june);
        assert_eq!(insert(&writer, asked).await, free);
    }
}

#[tokio::test]
async fn a_link_is_stored_where_a_search_would_not_look_and_nowhere_else() {
    let network = MemoryNetwork::new();
    for (edition, links) in [(0, 0), (3, 0), (7, 1), (8, 1), (12, 2)] {
        let writer = client_on(Arc::clone(&network) as _, june);
        assert_eq!(insert(&writer, edition).await, edition);
        let keys = network.keys();
        let found = (0..20).filter(|edition| keys.contains(&link_key(*edition)));
        assert_eq!(found.count(), links, "{edition}");
    }
}

/// What a page view of the newest edition costs besides the page: few requests, and one round of them.
#[tokio::test(start_paused = true)]
async fn the_newest_edition_is_shown_after_one_round_of_few_requests() {
    let network = MemoryNetwork::slow(Duration::from_millis(700));
    for edition in [0, 40, 41] {
        insert(&client_on(Arc::clone(&network) as _, june), edition).await;
    }
    let reader = client_on(Arc::clone(&network) as _, june);
    let (before, start) = (network.fetches(), Instant::now());
    assert_eq!(read(&reader, 41).await.unwrap(), 41);
    assert!(start.elapsed() < Duration::from_millis(1500));
    assert!(network.fetches() - before <= 13);
}

#[tokio::test]
async fn the_largest_edition_is_one_that_has_an_address() {
    let network = MemoryNetwork::new();
    let client = client_on(Arc::clone(&network) as _, june);
    assert_eq!(insert(&client, i64::MAX - 1).await, i64::MAX - 1);
    assert_eq!(insert(&client, i64::MAX - 1).await, i64::MAX);
    let blocks = network.keys().len();
    let another = request(&target(0), noise(10, 1), None);
    let result = client
        .insert(another, crate::client::EventSink::ignore())
        .await;
    assert!(matches!(result, Err(InsertError::InvalidUri(_))));
    assert_eq!(network.keys().len(), blocks);
}

#[tokio::test]
async fn a_hint_to_a_lost_edition_does_not_hide_the_others() {
    let network = MemoryNetwork::new();
    for (edition, today) in [
        (0, january as fn() -> Date),
        (60, november as fn() -> Date),
        (90, late_november as fn() -> Date),
    ] {
        insert(&client_on(Arc::clone(&network) as _, today), edition).await;
    }
    network.lose(edition_key(90));
    network.lose(link_key(0));
    let reader = client_on(Arc::clone(&network) as _, late_november);
    assert_eq!(read(&reader, 0).await.unwrap(), 60);
}

#[tokio::test]
async fn a_lying_hint_costs_one_request_and_is_not_believed() {
    async fn fetches_to_read(lie: Option<u64>, exists: bool) -> usize {
        let network = MemoryNetwork::new();
        if exists {
            insert(&client_on(Arc::clone(&network) as _, january), 0).await;
        }
        if let Some(edition) = lie {
            let payload = hint::encode(edition, june());
            for key in hint::keys(secret().public(), "site", june()) {
                let block = secret().seal(&key.name, &payload).unwrap();
                // That of the year may be there.
                drop(network.insert(block, Class::Bulk, Anonymity::Off).await);
            }
        }
        let before = network.fetches();
        let read = read(&client_on(Arc::clone(&network) as _, june), 0).await;
        if exists {
            assert_eq!(read.unwrap(), 0);
        } else {
            assert!(matches!(read, Err(FetchError::DataNotFound)));
        }
        network.fetches() - before
    }
    for exists in [true, false] {
        let honest = fetches_to_read(None, exists).await;
        for lie in [1_000_000, i64::MAX.unsigned_abs()] {
            assert_eq!(fetches_to_read(Some(lie), exists).await, honest + 1);
        }
        assert_eq!(fetches_to_read(Some(0), exists).await, honest);
    }
}

/// A network that has lost all hints.
async fn without_hints(editions: impl IntoIterator<Item = i64>) -> Arc<MemoryNetwork> {
    let network = MemoryNetwork::new();
    for edition in editions {
        insert(&client_on(Arc::clone(&network) as _, june), edition).await;
    }
    for key in hint_keys(june()) {
        network.lose(key);
    }
    network
}

#[tokio::test]
async fn a_wide_search_crosses_a_gap_without_hints() {
    for first in [5, 8, 16, 64, 8192] {
        let network = without_hints([first, first + 1, first + 2]).await;
        let reader = client_on(Arc::clone(&network) as _, june);
        assert_eq!(read(&reader, 0).await.unwrap(), first + 2, "{first}");
        let writer = client_on(Arc::clone(&network) as _, june);
        assert_eq!(insert(&writer, 0).await, first + 3);
    }
}

#[tokio::test]
async fn a_thorough_search_goes_far_backwards() {
    let network = without_hints(0..3).await;
    for asked in [-7, -12, -1026, i64::MIN] {
        let reader = client_on(Arc::clone(&network) as _, june);
        assert_eq!(read(&reader, asked).await.unwrap(), 2, "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_inserted_edition_is_remembered() {
    let network = MemoryNetwork::new();
    let client = client_on(Arc::clone(&network) as _, june);
    insert(&client, 20).await;
    for key in hint_keys(june()) {
        network.lose(key);
    }
    tokio::time::advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(read(&client, 0).await.unwrap(), 20);
    assert_eq!(read(&client, -50).await.unwrap(), 20);
    // Yet it is no more than a place to look at.
    network.lose(edition_key(20));
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(matches!(
        read(&client, 0).await,
        Err(FetchError::DataNotFound)
    ));
}

#[tokio::test]
async fn a_negative_edition_of_a_new_site_becomes_the_first() {
    for asked in [-1, -7, i64::MIN] {
        let network = MemoryNetwork::new();
        for expected in 0..3 {
            let writer = client_on(Arc::clone(&network) as _, june);
            assert_eq!(insert(&writer, asked).await, expected, "{asked}");
        }
    }
}

/// A network in which some things take long.
struct Uneven {
    inner: Arc<MemoryNetwork>,
    /// The only block that is searched for at once.
    quick_fetch: Option<BlockKey>,
    /// Inserts of other blocks take so long.
    quick_insert: Option<BlockKey>,
    insert_time: Duration,
    insert_failure: Option<BlockInsertError>,
}

impl BlockNetwork for Uneven {
    fn fetch(
        &self,
        key: BlockKey,
        class: Class,
        effort: Effort,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(async move {
            if self.quick_fetch.is_some_and(|quick| quick != key) {
                std::future::pending::<()>().await;
            }
            self.inner.fetch(key, class, effort, anonymity).await
        })
    }

    fn fetch_stored(
        &self,
        key: BlockKey,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        self.inner.fetch_stored(key)
    }

    fn insert(
        &self,
        block: VerifiedBlock,
        class: Class,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<(), BlockInsertError>> {
        Box::pin(async move {
            if self.quick_insert != Some(block.key()) {
                tokio::time::sleep(self.insert_time).await;
                if let Some(failure) = &self.insert_failure {
                    return Err(failure.clone());
                }
            }
            self.inner.insert(block, class, anonymity).await
        })
    }

    fn appeared(&self, key: BlockKey) -> BlockFuture<'_, ()> {
        self.inner.appeared(key)
    }
}

fn uneven(inner: &Arc<MemoryNetwork>) -> Uneven {
    Uneven {
        inner: Arc::clone(inner),
        quick_fetch: None,
        quick_insert: Some(edition_key(0)),
        insert_time: Duration::ZERO,
        insert_failure: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_does_not_exist_is_given_up_within_seconds() {
    for (asked, seconds_max) in [(0, 7), (7, 7), (-7, 21)] {
        let network = MemoryNetwork::slow(Duration::from_secs(1));
        let start = Instant::now();
        let reader = client_on(Arc::clone(&network) as _, june);
        assert!(read(&reader, asked).await.is_err());
        assert!(start.elapsed() < Duration::from_secs(4), "{asked}");
        assert!(network.fetches() <= 60, "{}", network.fetches());

        let mut network = uneven(&MemoryNetwork::new());
        network.quick_fetch = Some(edition_key(asked.unsigned_abs()));
        let start = Instant::now();
        let reader = client_on(Arc::new(network), june);
        assert!(read(&reader, asked).await.is_err());
        assert!(
            start.elapsed() < Duration::from_secs(seconds_max),
            "{asked}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn slow_hints_hardly_delay_an_insert_and_are_stored_later() {
    let inner = MemoryNetwork::new();
    let mut network = uneven(&inner);
    network.insert_time = Duration::from_secs(20);
    let writer = client_on(Arc::new(network), june);
    let start = Instant::now();
    assert_eq!(insert(&writer, 0).await, 0);
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(inner.keys().len(), 1);
    // Time stands still while anything else can be done.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(inner.keys().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn hints_that_cannot_be_stored_are_no_failure() {
    for failure in [
        BlockInsertError::StoreFailed,
        BlockInsertError::RouteNotFound,
        BlockInsertError::ShuttingDown,
    ] {
        let inner = MemoryNetwork::new();
        let mut network = uneven(&inner);
        network.insert_failure = Some(failure);
        let writer = client_on(Arc::new(network), june);
        assert_eq!(insert(&writer, 0).await, 0);
        assert_eq!(inner.keys().len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_stored_when_only_the_address_is_wanted_or_the_edition_fails() {
    let network = MemoryNetwork::new();
    let client = client_on(Arc::clone(&network) as _, june);
    for asked in [0, -3] {
        let mut wanted = request(&target(asked), noise(10, 1), None);
        wanted.options.address_only = true;
        assert_eq!(edition_of(&put(&client, wanted).await), 0);
    }
    let mut broken = uneven(&network);
    broken.quick_insert = None;
    broken.insert_failure = Some(BlockInsertError::Cancelled);
    let client = client_on(Arc::new(broken), june);
    let result = client
        .insert(
            request(&target(0), noise(10, 1), None),
            crate::client::EventSink::ignore(),
        )
        .await;
    assert!(matches!(result, Err(InsertError::Cancelled)));
    assert!(network.keys().is_empty());
}
