-- What is kept about measuring: how jobs stand, scores that a month was closed with, how conversion
-- figures moved until they were final, and how our figures compare with the platforms'.

CREATE TABLE alerts (
  id {key} PRIMARY KEY,
  kind {key} NOT NULL,
  state {key} NOT NULL,
  failures BIGINT NOT NULL,
  text TEXT NOT NULL,
  since BIGINT NOT NULL,
  fired_at BIGINT NOT NULL,
  resolved_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE freezes (
  month {key} PRIMARY KEY,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  cards BIGINT NOT NULL,
  sha256 TEXT NOT NULL
);
CREATE TABLE month_cards (
  month {key} NOT NULL REFERENCES freezes (month),
  contract {key} NOT NULL,
  agent {key} NOT NULL,
  revision INTEGER NOT NULL,
  merchant {key} NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (month, contract, agent, revision)
);
CREATE INDEX month_cards_agent ON month_cards (agent, month);

CREATE TABLE conversions (
  merchant {key} NOT NULL,
  shop {key} NOT NULL,
  day {key} NOT NULL,
  metric {key} NOT NULL,
  revision INTEGER NOT NULL,
  version {key} NOT NULL,
  state {key} NOT NULL,
  as_of {key} NOT NULL,
  at BIGINT NOT NULL,
  numerator DOUBLE PRECISION NOT NULL,
  denominator DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (merchant, shop, day, metric, revision)
);
CREATE INDEX conversions_day ON conversions (day, merchant, shop);

CREATE TABLE reconciliations (
  merchant {key} NOT NULL,
  shop {key} NOT NULL,
  platform {key} NOT NULL,
  day {key} NOT NULL,
  closed BOOLEAN NOT NULL,
  compared BIGINT NOT NULL,
  equal BIGINT NOT NULL,
  different BIGINT NOT NULL,
  beyond BIGINT NOT NULL,
  missing BIGINT NOT NULL,
  worst DOUBLE PRECISION NOT NULL,
  worst_item TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant, shop, platform, day)
);
CREATE INDEX reconciliations_day ON reconciliations (day, merchant, shop);
