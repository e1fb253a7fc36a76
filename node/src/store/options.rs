//! How RocksDB is set up, and what several stores of one process share.

use super::family::Family;
use crypto::BlockKind;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBRecoveryMode, Env, LogLevel, Options,
    ReadOptions, WriteBufferManager,
};
use std::ffi::c_int;

/// The column family of everything small: the order of use, the ledger and what identifies the store. One for all of
/// it, since each family costs a buffer in memory and forced writes of its own.
pub(super) const INDEX: &str = rocksdb::DEFAULT_COLUMN_FAMILY_NAME;

/// Caches, write buffers and background threads for all stores of a process, so that twelve small stores in one
/// process do not cost twelve times the memory of one. Cheap to clone.
#[derive(Clone)]
pub struct SharedResources {
    cache: Cache,
    write_buffers: WriteBufferManager,
    env: Env,
    files_max: c_int,
}

/// Index and filter blocks of the databases. The filters of a 10 GiB store take about 0.5 MiB, its index as much.
const CACHE_LEN: usize = 16 << 20;
/// Blocks received and not yet in a blob file, of all families of a store. Half of it is being written to disk while
/// the other half fills.
const WRITE_BUFFERS_LEN: usize = 48 << 20;
/// What each further store in the process adds to the write buffers.
const WRITE_BUFFERS_LEN_FURTHER: usize = 8 << 20;
/// One content family's buffer, which becomes one blob file. Measured: at 8 MiB the forced writes at the end of each
/// file halve the rate of putting.
const CONTENT_BUFFER_LEN: usize = 16 << 20;
/// The buffer of a family of small values.
const SMALL_BUFFER_LEN: usize = 1 << 20;
/// Open files of all stores together. Systems commonly allow a process 1 024 and sockets need some.
const FILES_MAX: usize = 512;
/// Threads that write buffers out, for all stores: one works while the other waits for the disk.
const FLUSHES: c_int = 2;
/// Threads that merge tables and gather blobs, for all stores.
const COMPACTIONS: c_int = 1;
/// The log of writes is cut, by writing the buffers out, when it reaches this length: it bounds the time to open after
/// a crash, in which it is read.
const LOG_LEN_MAX: u64 = 64 << 20;
/// Values of content families are 32 KiB; this only keeps anything small out of the blob files.
const BLOB_LEN_MIN: u64 = 4 << 10;

impl SharedResources {
    /// Resources for `stores` stores in this process.
    ///
    /// # Errors
    /// What RocksDB says if the system gives no threads.
    pub fn new(stores: usize) -> Result<Self, rocksdb::Error> {
        let mut env = Env::new()?;
        env.set_high_priority_background_threads(FLUSHES);
        env.set_background_threads(COMPACTIONS);
        let stores = stores.max(1);
        let buffers = WRITE_BUFFERS_LEN + (stores - 1) * WRITE_BUFFERS_LEN_FURTHER;
        Ok(Self {
            cache: Cache::new_lru_cache(CACHE_LEN),
            write_buffers: WriteBufferManager::new_write_buffer_manager(buffers, false),
            env,
            files_max: c_int::try_from((FILES_MAX / stores).max(32)).unwrap_or(c_int::MAX),
        })
    }

    /// Options of the database as a whole.
    pub(super) fn database(&self) -> Options {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_env(&self.env);
        options.set_write_buffer_manager(&self.write_buffers);
        set_background_jobs(&mut options);
        // Hands what is written to the disk early, so that the forced writes at the end of a file find little left.
        options.set_bytes_per_sync(1 << 20);
        options.set_wal_bytes_per_sync(1 << 20);
        options.set_max_open_files(self.files_max);
        options.set_max_total_wal_size(LOG_LEN_MAX);
        // Writing over an old log is cheaper than making the disk find room for a new one.
        options.set_recycle_log_file_num(4);
        // A batch cut short by a crash ends the log there; what was acknowledged stands before it.
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        // One thread writes, so RocksDB need not prepare for several.
        options.set_allow_concurrent_memtable_write(false);
        options.set_avoid_unnecessary_blocking_io(true);
        options.set_skip_stats_update_on_db_open(true);
        options.set_stats_dump_period_sec(0);
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(1 << 20);
        options
    }

    /// All column families with their options.
    pub(super) fn column_families(&self) -> Vec<ColumnFamilyDescriptor> {
        let mut families: Vec<ColumnFamilyDescriptor> = Family::ALL
            .map(|family| match family.kind() {
                BlockKind::Content => ColumnFamilyDescriptor::new(family.name(), self.content()),
                BlockKind::Signed => ColumnFamilyDescriptor::new(family.name(), self.small()),
            })
            .into();
        families.push(ColumnFamilyDescriptor::new(INDEX, self.small()));
        families
    }

    /// Content blocks: the values lie in blob files, and the tree, which holds keys and places of values only, stays
    /// so small that rewriting it costs next to nothing.
    fn content(&self) -> Options {
        let mut options = self.small();
        options.set_write_buffer_size(CONTENT_BUFFER_LEN);
        options.set_max_write_buffer_number(3);
        options.set_enable_blob_files(true);
        options.set_min_blob_size(BLOB_LEN_MIN);
        // No collection of waste by RocksDB: it would copy the oldest files in every compaction, waste in them or not.
        // See `Change::rescue` for why there is hardly any waste.
        options
    }

    /// Small values, in the tree itself.
    fn small(&self) -> Options {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&self.cache);
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        // 1 % of the tables are read in vain for a block that is not there.
        table.set_bloom_filter(10.0, false);
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        options.set_write_buffer_size(SMALL_BUFFER_LEN);
        options.set_arena_block_size(64 << 10);
        options.set_max_write_buffer_number(2);
        options.set_level_zero_file_num_compaction_trigger(4);
        options.set_target_file_size_base(8 << 20);
        options.set_max_bytes_for_level_base(32 << 20);
        options.set_level_compaction_dynamic_level_bytes(true);
        // Eviction leaves runs of deleted keys, which iteration would step over one by one.
        options.add_compact_on_deletion_collector_factory(4096, 2048, 0.5);
        // Keys are hashes and values are ciphertext.
        options.set_compression_type(rocksdb::DBCompressionType::None);
        options
    }
}

#[expect(
    deprecated,
    reason = "the setting that replaces these gives two flushes only together with six compactions"
)]
fn set_background_jobs(options: &mut Options) {
    options.set_max_background_flushes(FLUSHES);
    options.set_max_background_compactions(COMPACTIONS);
}

/// Every block is verified against its key after reading, so RocksDB's own check sum over the value would be a second
/// pass over the same bytes.
pub(super) fn unchecked_reads() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_verify_checksums(false);
    options
}
