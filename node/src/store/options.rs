//! How RocksDB is set up, and what several stores of one process share.

use super::family::Family;
use crypto::BlockKind;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBRecoveryMode, Env, LogLevel, Options,
    ReadOptions, WriteBufferManager,
};
use std::ffi::c_int;

/// Which block was last used when: family and salted key to time of use and length.
pub(super) const USE: &str = "use";
/// The same the other way round, for eviction: family and time of use to salted key and length.
pub(super) const ORDER: &str = "order";
/// The ledger and what identifies the store.
pub(super) const META: &str = rocksdb::DEFAULT_COLUMN_FAMILY_NAME;

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
const WRITE_BUFFERS_LEN: usize = 24 << 20;
/// What each further store in the process adds to the write buffers.
const WRITE_BUFFERS_LEN_FURTHER: usize = 4 << 20;
/// One content family's buffer; equals the size of a blob file.
const CONTENT_BUFFER_LEN: usize = 8 << 20;
/// The buffer of a family of small values.
const SMALL_BUFFER_LEN: usize = 1 << 20;
/// Open files of all stores together. Systems commonly allow a process 1 024 and sockets need some.
const FILES_MAX: usize = 512;
/// The log of writes is cut, by writing the buffers out, when it reaches this length: it bounds the time to open after
/// a crash, in which it is read.
const LOG_LEN_MAX: u64 = 32 << 20;
/// Blob files that compaction writes when it gathers what is still wanted from old ones.
const BLOB_FILE_LEN: u64 = 64 << 20;
/// Values of content families are 32 KiB; this only keeps anything small out of the blob files.
const BLOB_LEN_MIN: u64 = 4 << 10;

impl SharedResources {
    /// Resources for `stores` stores in this process.
    ///
    /// # Errors
    /// What RocksDB says if the system gives no threads.
    pub fn new(stores: usize) -> Result<Self, rocksdb::Error> {
        let mut env = Env::new()?;
        // One thread for flushes and one for compactions keep up with a disk; both are shared by all stores.
        env.set_background_threads(1);
        env.set_high_priority_background_threads(1);
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
        options.set_max_background_jobs(2);
        options.set_max_open_files(self.files_max);
        options.set_max_total_wal_size(LOG_LEN_MAX);
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
        families
            .extend([USE, ORDER, META].map(|name| ColumnFamilyDescriptor::new(name, self.small())));
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
        options.set_blob_file_size(BLOB_FILE_LEN);
        // Eviction takes the oldest blocks, and they lie in the oldest blob files: what is still wanted in the oldest
        // third is moved on, and when half of that third is waste, compaction is called for.
        options.set_enable_blob_gc(true);
        options.set_blob_gc_age_cutoff(0.33);
        options.set_blob_gc_force_threshold(0.5);
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

/// Every block is verified against its key after reading, so RocksDB's own check sum over the value would be a second
/// pass over the same bytes.
pub(super) fn unchecked_reads() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_verify_checksums(false);
    options
}
