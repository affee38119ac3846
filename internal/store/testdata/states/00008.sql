CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TABLE audit (
  seq BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  role TEXT NOT NULL,
  token TEXT NOT NULL,
  action TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  merchant TEXT NOT NULL,
  detail TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TABLE merchants (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE shops (
  id TEXT PRIMARY KEY,
  merchant TEXT NOT NULL REFERENCES merchants (id),
  platform TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE TABLE queues (
  id TEXT PRIMARY KEY,
  merchant TEXT NOT NULL REFERENCES merchants (id),
  shop TEXT NOT NULL REFERENCES shops (id),
  channel TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE TABLE contracts (
  id TEXT PRIMARY KEY,
  merchant TEXT NOT NULL REFERENCES merchants (id),
  title TEXT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE contract_versions (
  contract TEXT NOT NULL REFERENCES contracts (id),
  number INTEGER NOT NULL,
  from_date TEXT NOT NULL,
  until_date TEXT NOT NULL,
  PRIMARY KEY (contract, number)
);
CREATE TABLE contract_shops (
  contract TEXT NOT NULL,
  number INTEGER NOT NULL,
  shop TEXT NOT NULL REFERENCES shops (id),
  PRIMARY KEY (contract, number, shop),
  FOREIGN KEY (contract, number) REFERENCES contract_versions (contract, number)
);
CREATE TABLE sites (
  id TEXT PRIMARY KEY,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE teams (
  id TEXT PRIMARY KEY,
  site TEXT REFERENCES sites (id),
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  team TEXT REFERENCES teams (id),
  site TEXT REFERENCES sites (id),
  employment TEXT NOT NULL,
  employed_from TEXT NOT NULL,
  employed_until TEXT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE agent_skills (
  agent TEXT NOT NULL REFERENCES agents (id),
  queue TEXT NOT NULL,
  from_date TEXT NOT NULL,
  until_date TEXT NOT NULL
);
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  merchant TEXT REFERENCES merchants (id),
  agent TEXT REFERENCES agents (id),
  password_hash TEXT NOT NULL,
  disabled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  grants TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE TABLE login_attempts (
  id TEXT PRIMARY KEY,
  login TEXT NOT NULL,
  remote TEXT NOT NULL,
  at BIGINT NOT NULL,
  succeeded BOOLEAN NOT NULL
);
CREATE TABLE settings (
  id TEXT PRIMARY KEY,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE imports (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  import_key TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  file TEXT NOT NULL,
  merchant TEXT NOT NULL,
  rows_good BIGINT NOT NULL,
  rows_rejected BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  UNIQUE (kind, import_key)
);
CREATE TABLE forecasts (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL REFERENCES queues (id),
  merchant TEXT NOT NULL REFERENCES merchants (id),
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  author TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  seed TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE plans (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL REFERENCES queues (id),
  merchant TEXT NOT NULL REFERENCES merchants (id),
  forecast TEXT REFERENCES forecasts (id),
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  author TEXT NOT NULL,
  target TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE rosters (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  author TEXT NOT NULL,
  seed TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  plans TEXT NOT NULL,
  figures TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
, revision INTEGER NOT NULL DEFAULT 1, parent TEXT NOT NULL DEFAULT '', parent_revision INTEGER NOT NULL DEFAULT 0, archived_at BIGINT NOT NULL DEFAULT 0);
CREATE TABLE shifts (
  roster TEXT NOT NULL REFERENCES rosters (id),
  agent TEXT NOT NULL REFERENCES agents (id),
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  code TEXT NOT NULL,
  activities TEXT NOT NULL,
  PRIMARY KEY (roster, agent, start_at)
);
CREATE TABLE reports (
  id TEXT PRIMARY KEY,
  contract TEXT NOT NULL REFERENCES contracts (id),
  merchant TEXT NOT NULL REFERENCES merchants (id),
  month TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  author TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE scorecards (
  day TEXT NOT NULL,
  agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (day, agent)
);
CREATE TABLE job_runs (
  id TEXT PRIMARY KEY,
  job TEXT NOT NULL,
  scheduled_for BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  node TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  rows_done BIGINT NOT NULL,
  error TEXT NOT NULL,
  UNIQUE (job, scheduled_for, attempt)
);
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  fence BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE TABLE idempotency_keys (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  claimed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  done BOOLEAN NOT NULL,
  status INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  platform TEXT NOT NULL,
  shop TEXT NOT NULL REFERENCES shops (id),
  account TEXT NOT NULL,
  agent TEXT NOT NULL REFERENCES agents (id),
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE quarantine (
  id TEXT PRIMARY KEY,
  batch TEXT NOT NULL,
  source TEXT NOT NULL,
  line BIGINT NOT NULL,
  merchant TEXT NOT NULL,
  reason TEXT NOT NULL,
  body BLOB NOT NULL,
  bytes BIGINT NOT NULL,
  at BIGINT NOT NULL,
  state TEXT NOT NULL,
  settled_at BIGINT NOT NULL,
  settled_by TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  failures BIGINT NOT NULL,
  text TEXT NOT NULL,
  since BIGINT NOT NULL,
  fired_at BIGINT NOT NULL,
  resolved_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE freezes (
  month TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  cards BIGINT NOT NULL,
  sha256 TEXT NOT NULL
);
CREATE TABLE month_cards (
  month TEXT NOT NULL REFERENCES freezes (month),
  contract TEXT NOT NULL,
  agent TEXT NOT NULL,
  revision INTEGER NOT NULL,
  merchant TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (month, contract, agent, revision)
);
CREATE TABLE conversions (
  merchant TEXT NOT NULL,
  shop TEXT NOT NULL,
  day TEXT NOT NULL,
  metric TEXT NOT NULL,
  revision INTEGER NOT NULL,
  version TEXT NOT NULL,
  state TEXT NOT NULL,
  as_of TEXT NOT NULL,
  at BIGINT NOT NULL,
  numerator DOUBLE PRECISION NOT NULL,
  denominator DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (merchant, shop, day, metric, revision)
);
CREATE TABLE reconciliations (
  merchant TEXT NOT NULL,
  shop TEXT NOT NULL,
  platform TEXT NOT NULL,
  day TEXT NOT NULL,
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
CREATE TABLE forecast_layers (
  id TEXT PRIMARY KEY,
  forecast TEXT NOT NULL REFERENCES forecasts (id),
  position INTEGER NOT NULL,
  queue TEXT NOT NULL,
  merchant TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  doc TEXT NOT NULL,
  UNIQUE (forecast, position)
);
CREATE TABLE forecast_withdrawals (
  layer TEXT PRIMARY KEY REFERENCES forecast_layers (id),
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE TABLE forecast_locks (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL REFERENCES queues (id),
  merchant TEXT NOT NULL,
  forecast TEXT NOT NULL REFERENCES forecasts (id),
  layers TEXT NOT NULL,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  agreed_on TEXT NOT NULL,
  agreed_with TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  note TEXT NOT NULL,
  supersedes TEXT NOT NULL,
  reason TEXT NOT NULL,
  contacts DOUBLE PRECISION NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE client_forecasts (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL REFERENCES queues (id),
  merchant TEXT NOT NULL,
  version INTEGER NOT NULL,
  stated_at BIGINT NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  source TEXT NOT NULL,
  note TEXT NOT NULL,
  points INTEGER NOT NULL,
  contacts DOUBLE PRECISION NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (queue, version)
);
CREATE TABLE forecast_accuracy (
  queue TEXT NOT NULL REFERENCES queues (id),
  day TEXT NOT NULL,
  merchant TEXT NOT NULL,
  at BIGINT NOT NULL,
  drifting BOOLEAN NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (queue, day)
);
CREATE TABLE backtests (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL REFERENCES queues (id),
  merchant TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  author TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  protocol TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE scenarios (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  note TEXT NOT NULL,
  asked TEXT NOT NULL,
  figures TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE scenario_promotions (
  scenario TEXT PRIMARY KEY REFERENCES scenarios (id),
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  plans TEXT NOT NULL
);
CREATE TABLE roster_revisions (
  roster TEXT NOT NULL REFERENCES rosters (id),
  revision INTEGER NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  reason TEXT NOT NULL,
  figures TEXT NOT NULL,
  PRIMARY KEY (roster, revision)
);
CREATE TABLE roster_changes (
  roster TEXT NOT NULL REFERENCES rosters (id),
  revision INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  agent TEXT NOT NULL,
  was TEXT NOT NULL,
  becomes TEXT NOT NULL,
  PRIMARY KEY (roster, revision, seq)
);
CREATE TABLE roster_acknowledgements (
  roster TEXT NOT NULL REFERENCES rosters (id),
  agent TEXT NOT NULL REFERENCES agents (id),
  revision INTEGER NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (roster, agent, revision)
);
CREATE TABLE calendar_feeds (
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL REFERENCES agents (id),
  token_hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  author TEXT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  agent TEXT REFERENCES agents (id),
  team TEXT NOT NULL,
  open INTEGER NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE request_parties (
  request TEXT NOT NULL REFERENCES requests (id),
  agent TEXT NOT NULL REFERENCES agents (id),
  PRIMARY KEY (request, agent)
);
CREATE TABLE request_steps (
  request TEXT NOT NULL REFERENCES requests (id),
  seq INTEGER NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  agent TEXT NOT NULL,
  action TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (request, seq)
);
CREATE TABLE leave_entries (
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL REFERENCES agents (id),
  kind TEXT NOT NULL,
  lot TEXT NOT NULL,
  good_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  minutes BIGINT NOT NULL,
  cause TEXT NOT NULL,
  on_day TEXT NOT NULL,
  source TEXT NOT NULL UNIQUE,
  request TEXT NOT NULL,
  note TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL
);
CREATE TABLE person_facts (
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL REFERENCES agents (id),
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE agent_pay (
  agent TEXT NOT NULL REFERENCES agents (id),
  until_day TEXT NOT NULL,
  wage BIGINT NOT NULL,
  employment TEXT NOT NULL,
  PRIMARY KEY (agent, until_day)
);
CREATE INDEX audit_entity ON audit (kind, entity, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX shops_merchant ON shops (merchant);
CREATE INDEX queues_merchant ON queues (merchant);
CREATE INDEX queues_shop ON queues (shop);
CREATE INDEX contracts_merchant ON contracts (merchant);
CREATE INDEX contract_shops_shop ON contract_shops (shop);
CREATE INDEX teams_site ON teams (site);
CREATE INDEX agents_team ON agents (team);
CREATE INDEX agents_site ON agents (site);
CREATE INDEX agent_skills_agent ON agent_skills (agent);
CREATE INDEX agent_skills_queue ON agent_skills (queue, agent);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX tokens_user ON tokens (user_id);
CREATE INDEX login_attempts_login ON login_attempts (login, at);
CREATE INDEX login_attempts_remote ON login_attempts (remote, at);
CREATE INDEX login_attempts_at ON login_attempts (at);
CREATE INDEX imports_merchant ON imports (merchant, at);
CREATE INDEX imports_at ON imports (at, id);
CREATE INDEX forecasts_queue ON forecasts (queue, created_at, id);
CREATE INDEX forecasts_merchant ON forecasts (merchant, created_at, id);
CREATE INDEX forecasts_created ON forecasts (created_at, id);
CREATE INDEX plans_queue ON plans (queue, created_at, id);
CREATE INDEX plans_merchant ON plans (merchant, created_at, id);
CREATE INDEX plans_created ON plans (created_at, id);
CREATE INDEX rosters_created ON rosters (created_at, id);
CREATE INDEX rosters_state ON rosters (state, start_at);
CREATE INDEX shifts_agent ON shifts (agent, start_at);
CREATE INDEX shifts_start ON shifts (start_at, agent, roster);
CREATE INDEX reports_contract ON reports (contract, month, created_at);
CREATE INDEX reports_merchant ON reports (merchant, created_at, id);
CREATE INDEX reports_created ON reports (created_at, id);
CREATE INDEX scorecards_agent ON scorecards (agent, day);
CREATE INDEX job_runs_started ON job_runs (started_at, id);
CREATE INDEX job_runs_job ON job_runs (job, started_at, id);
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires_at);
CREATE INDEX accounts_order ON accounts (shop, account, from_at, id);
CREATE INDEX accounts_agent ON accounts (agent, from_at);
CREATE INDEX quarantine_at ON quarantine (at, id);
CREATE INDEX quarantine_state ON quarantine (state, at, id);
CREATE INDEX month_cards_agent ON month_cards (agent, month);
CREATE INDEX conversions_day ON conversions (day, merchant, shop);
CREATE INDEX reconciliations_day ON reconciliations (day, merchant, shop);
CREATE INDEX forecast_locks_order ON forecast_locks (at, id);
CREATE INDEX forecast_locks_queue ON forecast_locks (queue, from_day);
CREATE INDEX client_forecasts_order ON client_forecasts (at, id);
CREATE INDEX forecast_accuracy_day ON forecast_accuracy (day, queue);
CREATE INDEX backtests_order ON backtests (created_at, id);
CREATE INDEX scenarios_order ON scenarios (at, id);
CREATE INDEX roster_changes_agent ON roster_changes (agent, roster, revision);
CREATE INDEX calendar_feeds_order ON calendar_feeds (created_at, id);
CREATE INDEX requests_order ON requests (created_at, id);
CREATE INDEX requests_state ON requests (state, expires_at);
CREATE INDEX requests_time ON requests (end_at);
CREATE INDEX request_parties_agent ON request_parties (agent);
CREATE INDEX leave_entries_agent ON leave_entries (agent, kind, on_day);
CREATE INDEX leave_entries_request ON leave_entries (request);
CREATE INDEX person_facts_agent ON person_facts (agent, kind);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (4, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (8, 1);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');
