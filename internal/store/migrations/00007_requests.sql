-- What agents and supervisors agree about a published roster: leave, swaps, shifts given away, offers
-- and bidding. A request is a document with a state; each step it took is a row that is never changed.
CREATE TABLE requests (
  id {key} PRIMARY KEY,
  kind {key} NOT NULL,
  state {key} NOT NULL,
  agent {key} REFERENCES agents (id),
  team {key} NOT NULL,
  open INTEGER NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX requests_order ON requests (created_at, id);
CREATE INDEX requests_state ON requests (state, expires_at);
CREATE INDEX requests_time ON requests (end_at);

-- Everybody a request concerns: who asks, who is asked, who came forward. They may see it.
CREATE TABLE request_parties (
  request {key} NOT NULL REFERENCES requests (id),
  agent {key} NOT NULL REFERENCES agents (id),
  PRIMARY KEY (request, agent)
);
CREATE INDEX request_parties_agent ON request_parties (agent);

CREATE TABLE request_steps (
  request {key} NOT NULL REFERENCES requests (id),
  seq INTEGER NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL,
  author_name TEXT NOT NULL,
  agent TEXT NOT NULL,
  action TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (request, seq)
);

-- The ledger of leave balances: rows are only added, and the same fact is never booked twice.
CREATE TABLE leave_entries (
  id {key} PRIMARY KEY,
  agent {key} NOT NULL REFERENCES agents (id),
  kind {key} NOT NULL,
  lot {key} NOT NULL,
  good_day {key} NOT NULL,
  until_day {key} NOT NULL,
  minutes BIGINT NOT NULL,
  cause TEXT NOT NULL,
  on_day {key} NOT NULL,
  source {key} NOT NULL UNIQUE,
  request {key} NOT NULL,
  note TEXT NOT NULL,
  at BIGINT NOT NULL,
  author {key} NOT NULL
);
CREATE INDEX leave_entries_agent ON leave_entries (agent, kind, on_day);
CREATE INDEX leave_entries_request ON leave_entries (request);

-- What is on file about a person that the work rules read: certificates, promotion packs that were
-- read, personal agreements, sessions outside shifts, hours carried from before, the agency post.
CREATE TABLE person_facts (
  id {key} PRIMARY KEY,
  agent {key} NOT NULL REFERENCES agents (id),
  kind {key} NOT NULL,
  code {key} NOT NULL,
  from_day {key} NOT NULL,
  until_day {key} NOT NULL,
  doc TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX person_facts_agent ON person_facts (agent, kind);
