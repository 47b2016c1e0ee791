-- What people decided about rollouts that wait for them.

CREATE TABLE approvals (
    source   TEXT    NOT NULL,
    plan     TEXT    NOT NULL REFERENCES plans (digest),
    stage    TEXT    NOT NULL,
    policies TEXT    NOT NULL,
    -- What tells one person from another.
    person   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    via      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (plan, stage, policies, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
    source TEXT    NOT NULL,
    -- Empty for the source as a whole.
    plan   TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    via    TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (source, plan)
) STRICT, WITHOUT ROWID;

-- Whether anything stands so at a stage of a commit, without reading all of it.
CREATE INDEX activities_at_stage ON activities (stage, revision, source, status);

-- Which requests were decided, and what was answered.
CREATE TABLE decisions (
    request TEXT    NOT NULL PRIMARY KEY,
    outcome TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX decisions_by_time ON decisions (at);

-- Whether what failed of it is to be tried again.
ALTER TABLE descriptors ADD COLUMN retry INTEGER NOT NULL DEFAULT 0;

CREATE INDEX descriptors_to_retry ON descriptors (source, path) WHERE retry = 1;
