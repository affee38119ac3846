-- +goose NO TRANSACTION
-- +goose Up

-- What must stay the same for the life of the data: the business time zone that cut the days.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS facts
(
    name  String,
    value String,
    at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- The journal of imports. kind 'batch' has one row per batch; the other kinds name what a batch
-- touches: a (merchant, day) of conversations, or a day of agent states. rank = 2 * attempt, plus
-- 1 when the batch is complete; the newest rank counts. Rows are written before and after the data.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS marks
(
    kind     Enum8('batch' = 0, 'conversations' = 1, 'states' = 2),
    merchant LowCardinality(String),
    day      Date,
    batch    String,
    rank     UInt64,
    version  UInt64,
    at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(rank) ORDER BY (kind, merchant, day, batch)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- One row per version of a conversation; the highest version is the conversation. Rounds are inside
-- the row, so a correction replaces conversation and rounds together. 4294967295 ms = unknown or
-- never. round_agent is empty when every round belongs to the conversation's agent.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS conversations
(
    merchant          LowCardinality(String),
    day               Date,
    id                String CODEC(ZSTD(1)),
    version           UInt64 CODEC(ZSTD(1)),
    shop              LowCardinality(String),
    queue             LowCardinality(String),
    channel           LowCardinality(String),
    agent             LowCardinality(String),
    buyer             String CODEC(ZSTD(1)),
    started           DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    first_response_ms UInt32 CODEC(ZSTD(1)),
    length_ms         UInt32 CODEC(ZSTD(1)),
    abandoned         Bool,
    resolved          Int8,
    rating            UInt8,
    agent_messages    UInt32 CODEC(ZSTD(1)),
    buyer_messages    UInt32 CODEC(ZSTD(1)),
    handle_ms         UInt32 CODEC(ZSTD(1)),
    round_open_ms     Array(UInt32) CODEC(ZSTD(1)),
    round_response_ms Array(UInt32) CODEC(ZSTD(1)),
    round_agent       Array(LowCardinality(String)),
    simulated         Bool
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(day) ORDER BY (merchant, day, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- day is the business day of start; an interval is known by its agent and start.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS agent_states
(
    agent     LowCardinality(String),
    day       Date,
    start     DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    version   UInt64 CODEC(ZSTD(1)),
    state     LowCardinality(String),
    length_ms UInt32 CODEC(ZSTD(1)),
    simulated Bool
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(day) ORDER BY (agent, day, start)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- Contact history of a queue, the input of forecasts; never derived from conversations.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS contacts
(
    merchant  LowCardinality(String),
    queue     LowCardinality(String),
    start     DateTime('UTC'),
    slot_s    UInt32,
    version   UInt64 CODEC(ZSTD(1)),
    offered   Float64 CODEC(ZSTD(1)),
    handle_ms UInt32 CODEC(ZSTD(1)),
    simulated Bool
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYear(start) ORDER BY (merchant, queue, start, slot_s)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- 15-minute sums of conversations, recomputed per (merchant, day); only rows of a day's current
-- generation count. Everything is a sum, so any two rows merge by adding.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS slots
(
    merchant          LowCardinality(String),
    day               Date,
    shop              LowCardinality(String),
    queue             LowCardinality(String),
    agent             LowCardinality(String),
    slot              DateTime('UTC'),
    generation        UInt64,
    computed          DateTime DEFAULT now(),
    offered           UInt64 CODEC(T64, ZSTD(1)),
    answered          UInt64 CODEC(T64, ZSTD(1)),
    abandoned         UInt64 CODEC(T64, ZSTD(1)),
    first_response_ms UInt64 CODEC(T64, ZSTD(1)),
    within_10         UInt64 CODEC(T64, ZSTD(1)),
    within_15         UInt64 CODEC(T64, ZSTD(1)),
    within_20         UInt64 CODEC(T64, ZSTD(1)),
    within_30         UInt64 CODEC(T64, ZSTD(1)),
    within_45         UInt64 CODEC(T64, ZSTD(1)),
    within_60         UInt64 CODEC(T64, ZSTD(1)),
    within_180        UInt64 CODEC(T64, ZSTD(1)),
    within_300        UInt64 CODEC(T64, ZSTD(1)),
    rounds            UInt64 CODEC(T64, ZSTD(1)),
    rounds_answered   UInt64 CODEC(T64, ZSTD(1)),
    round_response_ms UInt64 CODEC(T64, ZSTD(1)),
    rounds_within_60  UInt64 CODEC(T64, ZSTD(1)),
    rounds_within_180 UInt64 CODEC(T64, ZSTD(1)),
    resolved          UInt64 CODEC(T64, ZSTD(1)),
    resolved_known    UInt64 CODEC(T64, ZSTD(1)),
    rating_sum        UInt64 CODEC(T64, ZSTD(1)),
    rating_count      UInt64 CODEC(T64, ZSTD(1)),
    rating_good       UInt64 CODEC(T64, ZSTD(1)),
    agent_messages    UInt64 CODEC(T64, ZSTD(1)),
    buyer_messages    UInt64 CODEC(T64, ZSTD(1)),
    handle_ms         UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (merchant, day, queue, slot, agent, shop)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- Time in a state by 15-minute slot; day is that of the interval's start, slot may lie later.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS state_slots
(
    agent       LowCardinality(String),
    day         Date,
    slot        DateTime('UTC'),
    generation  UInt64,
    computed    DateTime DEFAULT now(),
    ready_ms    UInt64 CODEC(T64, ZSTD(1)),
    busy_ms     UInt64 CODEC(T64, ZSTD(1)),
    break_ms    UInt64 CODEC(T64, ZSTD(1)),
    training_ms UInt64 CODEC(T64, ZSTD(1)),
    offline_ms  UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (day, agent, slot)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd

-- The current roll-up of a (kind, merchant, day): the greatest (seen, computed ms, generation),
-- where seen is the sum of the ranks of its marks before the raw rows were read. A roll-up that
-- saw more marks therefore always wins over one that saw fewer, whoever finishes last.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS generations
(
    kind     Enum8('batch' = 0, 'conversations' = 1, 'states' = 2),
    merchant LowCardinality(String),
    day      Date,
    newest   SimpleAggregateFunction(max, Tuple(UInt64, UInt64, UInt64))
)
ENGINE = AggregatingMergeTree ORDER BY (kind, merchant, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- What retention deleted, and when.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS deletions
(
    at     DateTime64(3, 'UTC') DEFAULT now64(3),
    name   String,
    cutoff Date,
    rows   UInt64
)
ENGINE = MergeTree ORDER BY at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd
