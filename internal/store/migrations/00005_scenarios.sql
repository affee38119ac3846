-- What-if scenarios of staffing: figures that nobody works by until one is promoted. A promotion is a
-- row of its own, so that a scenario is never changed.
CREATE TABLE scenarios (
  id {key} PRIMARY KEY,
  name {key} NOT NULL UNIQUE,
  from_day {key} NOT NULL,
  until_day {key} NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  note TEXT NOT NULL,
  asked TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX scenarios_order ON scenarios (at, id);
CREATE TABLE scenario_promotions (
  scenario {key} PRIMARY KEY REFERENCES scenarios (id),
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  plans TEXT NOT NULL
);
