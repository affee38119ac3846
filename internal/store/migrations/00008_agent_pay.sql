-- What an agent was paid by before its wage or employment changed: days that are over keep their pay.
CREATE TABLE agent_pay (
  agent {key} NOT NULL REFERENCES agents (id),
  until_day {key} NOT NULL,
  wage BIGINT NOT NULL,
  employment {key} NOT NULL,
  PRIMARY KEY (agent, until_day)
);
