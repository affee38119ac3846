-- +goose NO TRANSACTION
-- +goose Up

-- What happened in conversations, one row per import of an event; per (conversation, id) the row
-- with the highest version is the event, whatever day it is on. id is a 64-bit hash of the event's
-- id. kind: 1 handover, 2 buyer, 3 welcome, 4 bot, 5 transfer, 6 agent, 7 rating, 8 end: its order
-- within one millisecond. day is the business day of at.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS events
(
    merchant     LowCardinality(String),
    day          Date,
    conversation String CODEC(ZSTD(1)),
    id           UInt64 CODEC(ZSTD(1)),
    version      UInt64 CODEC(ZSTD(1)),
    at           DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    kind         UInt8 CODEC(ZSTD(1)),
    shop         LowCardinality(String),
    queue        LowCardinality(String),
    agent        LowCardinality(String),
    account      LowCardinality(String),
    buyer        String CODEC(ZSTD(1)),
    closing      Bool,
    score        UInt8,
    invited      Bool,
    simulated    Bool
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(day) ORDER BY (merchant, day, conversation, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- Texts of messages, apart from the events, so that measuring never reads them and they can be
-- deleted alone. Only conversations of contracts that allow it have any.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS texts
(
    merchant     LowCardinality(String),
    day          Date,
    conversation String CODEC(ZSTD(1)),
    id           UInt64 CODEC(ZSTD(1)),
    version      UInt64 CODEC(ZSTD(1)),
    text         String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(day) ORDER BY (merchant, day, conversation, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- Inquiries and the steps of orders. The key of an inquiry contains its conversation as order_id.
-- kind: 1 inquiry, 2 order, 3 payment, 4 shipment, 5 refund. amount in fen.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS orders
(
    merchant  LowCardinality(String),
    shop      LowCardinality(String),
    buyer     String CODEC(ZSTD(1)),
    order_id  String CODEC(ZSTD(1)),
    kind      UInt8,
    version   UInt64 CODEC(ZSTD(1)),
    day       Date,
    at        DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    queue     LowCardinality(String),
    agent     LowCardinality(String),
    amount    Int64 CODEC(ZSTD(1)),
    simulated Bool
)
ENGINE = ReplacingMergeTree(version) ORDER BY (merchant, shop, buyer, order_id, kind)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- Deferred work. due and closed are 1970 when there is none; day is the business day of opened.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS tickets
(
    merchant  LowCardinality(String),
    id        String CODEC(ZSTD(1)),
    version   UInt64 CODEC(ZSTD(1)),
    day       Date,
    shop      LowCardinality(String),
    queue     LowCardinality(String),
    tag       LowCardinality(String),
    agent     LowCardinality(String),
    buyer     String CODEC(ZSTD(1)),
    opened    DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    due       DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    closed    DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    simulated Bool
)
ENGINE = ReplacingMergeTree(version) ORDER BY (merchant, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- What platforms say about a day; the latest import of a key counts. account '' is the whole shop.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS platform_figures
(
    merchant LowCardinality(String),
    platform LowCardinality(String),
    shop     LowCardinality(String),
    day      Date,
    account  LowCardinality(String),
    item     LowCardinality(String),
    version  UInt64 CODEC(ZSTD(1)),
    header   LowCardinality(String),
    unit     LowCardinality(String),
    base     LowCardinality(String),
    value    Float64,
    closed   Bool
)
ENGINE = ReplacingMergeTree(version) ORDER BY (merchant, platform, shop, day, account, item)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

ALTER TABLE conversations ADD COLUMN IF NOT EXISTS bot_response_ms Int64 DEFAULT 4294967295 CODEC(ZSTD(1)) AFTER first_response_ms;

-- 15-minute sums by metric version, for the bases round, session and ticket: how definitions with
-- a rule are kept. day is the business day on which the conversation started, whose generation the row
-- belongs to; slot is that of what dates the item and may lie on a later day. metric is
-- "metric@version". Of a mean the numerator is in ms. A partition is a year, since a trend over twelve
-- months should not open a dozen parts.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS metric_slots
(
    metric      LowCardinality(String),
    merchant    LowCardinality(String),
    slot        DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    shop        LowCardinality(String),
    queue       LowCardinality(String),
    agent       LowCardinality(String),
    day         Date,
    generation  UInt64 CODEC(ZSTD(1)),
    computed    DateTime DEFAULT now() CODEC(ZSTD(1)),
    numerator   UInt64 CODEC(T64, ZSTD(1)),
    denominator UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree PARTITION BY toYear(slot) ORDER BY (metric, merchant, slot, shop, queue, agent)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- States of the base buyer-day: what one conversation adds to a buyer's day. date is the business
-- date of what dates the items. buyer is a 64-bit hash of merchant, shop, date and buyer, so that one
-- short key groups the rows of a buyer's day; a buyer without a name is its conversation.
-- first is twice the ms since 1970 at which the earliest round opened, plus 1 when it was in time, for
-- rules that judge only the first.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS buyer_days
(
    metric     LowCardinality(String),
    merchant   LowCardinality(String),
    date       Date,
    shop       LowCardinality(String),
    queue      LowCardinality(String),
    agent      LowCardinality(String),
    buyer      UInt64 CODEC(ZSTD(1)),
    day        Date,
    generation UInt64 CODEC(ZSTD(1)),
    computed   DateTime DEFAULT now() CODEC(ZSTD(1)),
    items      UInt32 CODEC(T64, ZSTD(1)),
    misses     UInt32 CODEC(T64, ZSTD(1)),
    first      UInt64 CODEC(ZSTD(1))
)
ENGINE = MergeTree PARTITION BY toYear(date) ORDER BY (metric, merchant, date, shop, buyer)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- The current roll-up of a (kind, merchant, day): the greatest (seen, computed ms, generation, pack,
-- shops). It takes the place of the table generations. pack is a hash of the definitions with a rule
-- that the roll-up was computed under and of what platforms its shops are on, 0 = none; shops are those
-- with conversations that started on the day. A day with another pack is computed again, and its rule
-- metrics are asked from raw events until then. Copying twice does no harm.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS rollups
(
    kind     Enum8('batch' = 0, 'conversations' = 1, 'states' = 2),
    merchant LowCardinality(String),
    day      Date,
    newest   SimpleAggregateFunction(max, Tuple(UInt64, UInt64, UInt64, UInt64, Array(String)))
)
ENGINE = AggregatingMergeTree ORDER BY (kind, merchant, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd
INSERT INTO rollups SELECT kind, merchant, day, (newest.1, newest.2, newest.3, 0, []) FROM generations;

-- The definitions that figures were computed under: a version, once used, never changes.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS definitions
(
    metric  String,
    hash    UInt64,
    content String CODEC(ZSTD(3)),
    at      DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY metric
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- Merchants whose measurements must not be deleted, and since when. The newest row of a merchant
-- counts; merchant '' holds everything.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS holds
(
    merchant String,
    held     Bool,
    reason   String,
    author   String,
    at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY (merchant, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- Who asked for a deletion, whether it was only counted, and whose rows a hold kept ('' = everything).
ALTER TABLE deletions ADD COLUMN IF NOT EXISTS author String, ADD COLUMN IF NOT EXISTS dry_run Bool, ADD COLUMN IF NOT EXISTS held Array(String);
