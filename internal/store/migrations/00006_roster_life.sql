-- A roster goes on living: each change of it is a revision, kept shift by shift so that every earlier
-- one can be had again; agents say that they have seen it, and read it in their calendars.
ALTER TABLE rosters ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE rosters ADD COLUMN parent {key} NOT NULL DEFAULT '';
ALTER TABLE rosters ADD COLUMN parent_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rosters ADD COLUMN archived_at BIGINT NOT NULL DEFAULT 0;
CREATE TABLE roster_revisions (
  roster {key} NOT NULL REFERENCES rosters (id),
  revision INTEGER NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  state {key} NOT NULL,
  why {key} NOT NULL,
  reason TEXT NOT NULL,
  figures TEXT NOT NULL,
  PRIMARY KEY (roster, revision)
);
CREATE TABLE roster_changes (
  roster {key} NOT NULL REFERENCES rosters (id),
  revision INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  agent {key} NOT NULL,
  was TEXT NOT NULL,
  becomes TEXT NOT NULL,
  PRIMARY KEY (roster, revision, seq)
);
CREATE INDEX roster_changes_agent ON roster_changes (agent, roster, revision);
CREATE TABLE roster_acknowledgements (
  roster {key} NOT NULL REFERENCES rosters (id),
  agent {key} NOT NULL REFERENCES agents (id),
  revision INTEGER NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (roster, agent, revision)
);
CREATE TABLE calendar_feeds (
  id {key} PRIMARY KEY,
  agent {key} NOT NULL REFERENCES agents (id),
  token_hash {key} NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  author {key} NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE INDEX calendar_feeds_order ON calendar_feeds (created_at, id);
