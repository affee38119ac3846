-- What is kept about forecasts beside their versions: adjustments, what was agreed with a client,
-- what the client said itself, how good each was, and back-tests.

-- Adjustments are only ever added; a withdrawal is a row of its own.
CREATE TABLE forecast_layers (
  id {key} PRIMARY KEY,
  forecast {key} NOT NULL REFERENCES forecasts (id),
  position INTEGER NOT NULL,
  queue {key} NOT NULL,
  merchant {key} NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  doc TEXT NOT NULL,
  UNIQUE (forecast, position)
);
CREATE TABLE forecast_withdrawals (
  layer {key} PRIMARY KEY REFERENCES forecast_layers (id),
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  reason TEXT NOT NULL
);

-- A forecast with its adjustments as agreed with a client for days. A later lock of the same days
-- counts instead of an earlier one; none is ever changed.
CREATE TABLE forecast_locks (
  id {key} PRIMARY KEY,
  queue {key} NOT NULL REFERENCES queues (id),
  merchant {key} NOT NULL,
  forecast {key} NOT NULL REFERENCES forecasts (id),
  layers TEXT NOT NULL,
  from_day {key} NOT NULL,
  until_day {key} NOT NULL,
  agreed_on {key} NOT NULL,
  agreed_with TEXT NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  note TEXT NOT NULL,
  supersedes TEXT NOT NULL,
  reason TEXT NOT NULL,
  contacts DOUBLE PRECISION NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX forecast_locks_order ON forecast_locks (at, id);
CREATE INDEX forecast_locks_queue ON forecast_locks (queue, from_day);

CREATE TABLE client_forecasts (
  id {key} PRIMARY KEY,
  queue {key} NOT NULL REFERENCES queues (id),
  merchant {key} NOT NULL,
  version INTEGER NOT NULL,
  stated_at BIGINT NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  source TEXT NOT NULL,
  note TEXT NOT NULL,
  points INTEGER NOT NULL,
  contacts DOUBLE PRECISION NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL,
  UNIQUE (queue, version)
);
CREATE INDEX client_forecasts_order ON client_forecasts (at, id);

CREATE TABLE forecast_accuracy (
  queue {key} NOT NULL REFERENCES queues (id),
  day {key} NOT NULL,
  merchant {key} NOT NULL,
  at BIGINT NOT NULL,
  drifting BOOLEAN NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (queue, day)
);
CREATE INDEX forecast_accuracy_day ON forecast_accuracy (day, queue);

CREATE TABLE backtests (
  id {key} PRIMARY KEY,
  queue {key} NOT NULL REFERENCES queues (id),
  merchant {key} NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  author {key} NOT NULL,
  input_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  protocol TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX backtests_order ON backtests (created_at, id);
