-- Which person used a platform's sub-account from when until when; until_at 0 = open. The id is a
-- digest of platform, shop, account, agent and from_at.
CREATE TABLE accounts (
  id {key} PRIMARY KEY,
  platform {key} NOT NULL,
  shop {key} NOT NULL REFERENCES shops (id),
  account {key} NOT NULL,
  agent {key} NOT NULL REFERENCES agents (id),
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX accounts_order ON accounts (shop, account, from_at, id);
CREATE INDEX accounts_agent ON accounts (agent, from_at);

-- Lines that could not be taken in, with the reason. The id is a digest of the line, so the same
-- line again is the same row. body is what is kept of the line, bytes is how long it was.
CREATE TABLE quarantine (
  id {key} PRIMARY KEY,
  batch {key} NOT NULL,
  source TEXT NOT NULL,
  line BIGINT NOT NULL,
  merchant {key} NOT NULL,
  reason TEXT NOT NULL,
  body {bytes} NOT NULL,
  bytes BIGINT NOT NULL,
  at BIGINT NOT NULL,
  state {key} NOT NULL,
  settled_at BIGINT NOT NULL,
  settled_by {key} NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX quarantine_at ON quarantine (at, id);
CREATE INDEX quarantine_state ON quarantine (state, at, id);
