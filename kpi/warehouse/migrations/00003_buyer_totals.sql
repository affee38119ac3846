-- +goose NO TRANSACTION
-- +goose Up

-- Finished counts of buyers' days, so that a trend over a year need not read every buyer: of each split
-- how many buyers had items (denominator) and how many were served well (numerator). A buyer's day counts
-- once per shop, per queue or per agent, so the splits do not add up to one another. split: 0 by shop, place is
-- ''; 1 by queue, place is the queue; 2 by agent, place is the agent. A row is only about conversations that
-- started on the business date that they count for (buyer_days.date = day); a question corrects it for
-- buyers who also have rows of other days.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS buyer_totals
(
    metric      LowCardinality(String),
    merchant    LowCardinality(String),
    split       UInt8,
    day         Date,
    shop        LowCardinality(String),
    place       LowCardinality(String),
    generation  UInt64 CODEC(ZSTD(1)),
    computed    DateTime DEFAULT now() CODEC(ZSTD(1)),
    numerator   UInt64 CODEC(T64, ZSTD(1)),
    denominator UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree PARTITION BY toYear(day) ORDER BY (metric, merchant, split, day, shop, place)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1;
-- +goose StatementEnd
