-- Instants are BIGINT microseconds since 1970 in UTC, 0 = none. Civil dates are 'YYYY-MM-DD' and
-- an open end is '9999-12-31'. doc holds the whole value as JSON; the columns beside it are what
-- is filtered, sorted, referred to or kept unique.

CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');

CREATE TABLE audit (
  seq BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor {key} NOT NULL,
  actor_name TEXT NOT NULL,
  role TEXT NOT NULL,
  token TEXT NOT NULL,
  action TEXT NOT NULL,
  kind {key} NOT NULL,
  entity {key} NOT NULL,
  merchant {key} NOT NULL,
  detail TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_entity ON audit (kind, entity, seq);
CREATE INDEX audit_actor ON audit (actor, seq);

CREATE TABLE merchants (
  id {key} PRIMARY KEY,
  name TEXT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE shops (
  id {key} PRIMARY KEY,
  merchant {key} NOT NULL REFERENCES merchants (id),
  platform TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE INDEX shops_merchant ON shops (merchant);
CREATE TABLE queues (
  id {key} PRIMARY KEY,
  merchant {key} NOT NULL REFERENCES merchants (id),
  shop {key} NOT NULL REFERENCES shops (id),
  channel TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE INDEX queues_merchant ON queues (merchant);
CREATE INDEX queues_shop ON queues (shop);

CREATE TABLE contracts (
  id {key} PRIMARY KEY,
  merchant {key} NOT NULL REFERENCES merchants (id),
  title TEXT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX contracts_merchant ON contracts (merchant);
CREATE TABLE contract_versions (
  contract {key} NOT NULL REFERENCES contracts (id),
  number INTEGER NOT NULL,
  from_date {key} NOT NULL,
  until_date {key} NOT NULL,
  PRIMARY KEY (contract, number)
);
CREATE TABLE contract_shops (
  contract {key} NOT NULL,
  number INTEGER NOT NULL,
  shop {key} NOT NULL REFERENCES shops (id),
  PRIMARY KEY (contract, number, shop),
  FOREIGN KEY (contract, number) REFERENCES contract_versions (contract, number)
);
CREATE INDEX contract_shops_shop ON contract_shops (shop);

CREATE TABLE sites (
  id {key} PRIMARY KEY,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE teams (
  id {key} PRIMARY KEY,
  site {key} REFERENCES sites (id),
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX teams_site ON teams (site);
CREATE TABLE agents (
  id {key} PRIMARY KEY,
  name TEXT NOT NULL,
  team {key} REFERENCES teams (id),
  site {key} REFERENCES sites (id),
  employment TEXT NOT NULL,
  employed_from {key} NOT NULL,
  employed_until {key} NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX agents_team ON agents (team);
CREATE INDEX agents_site ON agents (site);
CREATE TABLE agent_skills (
  agent {key} NOT NULL REFERENCES agents (id),
  queue {key} NOT NULL,
  from_date {key} NOT NULL,
  until_date {key} NOT NULL
);
CREATE INDEX agent_skills_agent ON agent_skills (agent);
CREATE INDEX agent_skills_queue ON agent_skills (queue, agent);

CREATE TABLE users (
  id {key} PRIMARY KEY,
  login {key} NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  merchant {key} REFERENCES merchants (id),
  agent {key} REFERENCES agents (id),
  password_hash TEXT NOT NULL,
  disabled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE sessions (
  id {key} PRIMARY KEY,
  token_hash {key} NOT NULL UNIQUE,
  user_id {key} NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE TABLE tokens (
  id {key} PRIMARY KEY,
  token_hash {key} NOT NULL UNIQUE,
  name TEXT NOT NULL,
  user_id {key} NOT NULL REFERENCES users (id),
  grants TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE INDEX tokens_user ON tokens (user_id);
CREATE TABLE login_attempts (
  id {key} PRIMARY KEY,
  login {key} NOT NULL,
  remote {key} NOT NULL,
  at BIGINT NOT NULL,
  succeeded BOOLEAN NOT NULL
);
CREATE INDEX login_attempts_login ON login_attempts (login, at);
CREATE INDEX login_attempts_remote ON login_attempts (remote, at);
CREATE INDEX login_attempts_at ON login_attempts (at);

CREATE TABLE settings (
  id {key} PRIMARY KEY,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE imports (
  id {key} PRIMARY KEY,
  kind {key} NOT NULL,
  import_key {key} NOT NULL,
  sha256 TEXT NOT NULL,
  file TEXT NOT NULL,
  merchant {key} NOT NULL,
  rows_good BIGINT NOT NULL,
  rows_rejected BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  UNIQUE (kind, import_key)
);
CREATE INDEX imports_merchant ON imports (merchant, at);
CREATE INDEX imports_at ON imports (at, id);

CREATE TABLE forecasts (
  id {key} PRIMARY KEY,
  queue {key} NOT NULL REFERENCES queues (id),
  merchant {key} NOT NULL REFERENCES merchants (id),
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  author {key} NOT NULL,
  input_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  seed TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX forecasts_queue ON forecasts (queue, created_at, id);
CREATE INDEX forecasts_merchant ON forecasts (merchant, created_at, id);
CREATE INDEX forecasts_created ON forecasts (created_at, id);

CREATE TABLE plans (
  id {key} PRIMARY KEY,
  queue {key} NOT NULL REFERENCES queues (id),
  merchant {key} NOT NULL REFERENCES merchants (id),
  forecast {key} REFERENCES forecasts (id),
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  author {key} NOT NULL,
  target TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX plans_queue ON plans (queue, created_at, id);
CREATE INDEX plans_merchant ON plans (merchant, created_at, id);
CREATE INDEX plans_created ON plans (created_at, id);

CREATE TABLE rosters (
  id {key} PRIMARY KEY,
  title TEXT NOT NULL,
  state {key} NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  author {key} NOT NULL,
  seed TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  plans TEXT NOT NULL,
  figures TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX rosters_created ON rosters (created_at, id);
CREATE INDEX rosters_state ON rosters (state, start_at);
CREATE TABLE shifts (
  roster {key} NOT NULL REFERENCES rosters (id),
  agent {key} NOT NULL REFERENCES agents (id),
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  code TEXT NOT NULL,
  activities TEXT NOT NULL,
  PRIMARY KEY (roster, agent, start_at)
);
CREATE INDEX shifts_agent ON shifts (agent, start_at);
CREATE INDEX shifts_start ON shifts (start_at, agent, roster);

CREATE TABLE reports (
  id {key} PRIMARY KEY,
  contract {key} NOT NULL REFERENCES contracts (id),
  merchant {key} NOT NULL REFERENCES merchants (id),
  month {key} NOT NULL,
  created_at BIGINT NOT NULL,
  author {key} NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX reports_contract ON reports (contract, month, created_at);
CREATE INDEX reports_merchant ON reports (merchant, created_at, id);
CREATE INDEX reports_created ON reports (created_at, id);

CREATE TABLE scorecards (
  day {key} NOT NULL,
  agent {key} NOT NULL,
  created_at BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (day, agent)
);
CREATE INDEX scorecards_agent ON scorecards (agent, day);

CREATE TABLE job_runs (
  id {key} PRIMARY KEY,
  job {key} NOT NULL,
  scheduled_for BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  node TEXT NOT NULL,
  state {key} NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  rows_done BIGINT NOT NULL,
  error TEXT NOT NULL,
  UNIQUE (job, scheduled_for, attempt)
);
CREATE INDEX job_runs_started ON job_runs (started_at, id);
CREATE INDEX job_runs_job ON job_runs (job, started_at, id);
CREATE TABLE leases (
  name {key} PRIMARY KEY,
  holder TEXT NOT NULL,
  fence BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE idempotency_keys (
  principal {key} NOT NULL,
  key {key} NOT NULL,
  request_hash TEXT NOT NULL,
  claimed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  done BOOLEAN NOT NULL,
  status INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires_at);
