-- The record, first edition.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z. Digests are 'sha256:<hex>'. Columns named
-- `body`, `planned`, `results`, `upstream` and `detail` hold JSON. Lists that have an order keep
-- it in `place`, from 0.

-- 'mesh': a database without it was made by another program, and is not touched.
PRAGMA application_id = 1835365224;

CREATE TABLE sources (
    name              TEXT    NOT NULL PRIMARY KEY,
    url               TEXT    NOT NULL,
    branch            TEXT    NOT NULL,
    -- What the pass that was recorded last looked at; absent before the first.
    revision          TEXT,
    policies          TEXT,
    platform          TEXT,
    plan              TEXT,
    -- How many passes with a plan were recorded.
    sequence          INTEGER NOT NULL DEFAULT 0,
    condition_reason  TEXT,
    condition_message TEXT,
    seen_at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE descriptors (
    source   TEXT    NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
    path     TEXT    NOT NULL,
    product  TEXT,
    digest   TEXT,
    -- The revision at which it was read last.
    revision TEXT    NOT NULL,
    -- Errors that rules found, and errors that policies found.
    errors   INTEGER NOT NULL,
    refusals INTEGER NOT NULL,
    -- Whether it is looked at again even when nothing touches it.
    again    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX descriptors_again ON descriptors (source, path) WHERE again = 1;
CREATE INDEX descriptors_with_errors ON descriptors (source, path) WHERE errors > 0 OR refusals > 0;

-- Which descriptors have read a file: the way from a touched file to what it concerns.
CREATE TABLE descriptor_files (
    source TEXT NOT NULL,
    file   TEXT NOT NULL,
    path   TEXT NOT NULL,
    PRIMARY KEY (source, file, path),
    FOREIGN KEY (source, path) REFERENCES descriptors (source, path) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX descriptor_files_by_path ON descriptor_files (source, path);

-- Findings that stand. Those without a path belong to the source and to no descriptor.
CREATE TABLE findings (
    id       INTEGER NOT NULL PRIMARY KEY,
    source   TEXT    NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
    path     TEXT,
    revision TEXT    NOT NULL,
    rule     TEXT    NOT NULL,
    severity TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    FOREIGN KEY (source, path) REFERENCES descriptors (source, path) ON DELETE CASCADE
) STRICT;

CREATE INDEX findings_by_path ON findings (source, path);

-- Canonical contents, each once however many products and versions have it.
CREATE TABLE contents (
    digest TEXT NOT NULL PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;

CREATE TABLE products (
    product      TEXT    NOT NULL PRIMARY KEY,
    -- The name without its major: what all majors have in common.
    family       TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    domain       TEXT    NOT NULL,
    owner        TEXT    NOT NULL,
    upstream     TEXT    NOT NULL,
    -- The latest version: the one that a pass recorded last, whatever its number.
    version      TEXT    NOT NULL,
    retired      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX products_by_family ON products (family, product);

CREATE TABLE versions (
    id          INTEGER NOT NULL PRIMARY KEY,
    product     TEXT    NOT NULL REFERENCES products (product),
    version     TEXT    NOT NULL,
    digest      TEXT    NOT NULL REFERENCES contents (digest),
    source      TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    revision    TEXT    NOT NULL,
    policies    TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- Whether some container has run it: then it never changes.
    released    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (product, version)
) STRICT;

CREATE TABLE plans (
    digest      TEXT    NOT NULL PRIMARY KEY,
    source      TEXT    NOT NULL,
    revision    TEXT    NOT NULL,
    policies    TEXT    NOT NULL,
    -- The plan without its changes and activities, which have their own tables.
    body        TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE passes (
    id       INTEGER NOT NULL PRIMARY KEY,
    source   TEXT    NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
    revision TEXT    NOT NULL,
    plan     TEXT    NOT NULL REFERENCES plans (digest),
    policies TEXT    NOT NULL,
    platform TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX passes_by_source ON passes (source, id);

CREATE TABLE changes (
    plan         TEXT    NOT NULL REFERENCES plans (digest) ON DELETE CASCADE,
    place        INTEGER NOT NULL,
    product      TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    from_version TEXT,
    to_version   TEXT,
    body         TEXT    NOT NULL,
    PRIMARY KEY (plan, place)
) STRICT;

CREATE TABLE verdicts (
    pass     INTEGER NOT NULL REFERENCES passes (id) ON DELETE CASCADE,
    place    INTEGER NOT NULL,
    product  TEXT    NOT NULL,
    event    TEXT    NOT NULL,
    stage    TEXT,
    policies TEXT    NOT NULL,
    allows   INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (pass, place)
) STRICT;

CREATE TABLE activities (
    -- Grows with every recorded activity: oldest plan first, in the plan's order.
    number     INTEGER NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    plan       TEXT    NOT NULL REFERENCES plans (digest),
    source     TEXT    NOT NULL,
    revision   TEXT    NOT NULL,
    product    TEXT    NOT NULL,
    stage      TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    planned    TEXT    NOT NULL,
    planned_at INTEGER NOT NULL,
    tasks      INTEGER NOT NULL,
    -- What the log folds into, written with each event, so that listings need not fold. The log
    -- is the truth.
    status     TEXT    NOT NULL,
    done       INTEGER NOT NULL,
    message    TEXT
) STRICT;

CREATE INDEX activities_unfinished ON activities (number) WHERE status IN ('waiting', 'running');
CREATE INDEX activities_troubled ON activities (source, number) WHERE status NOT IN ('succeeded', 'superseded');
CREATE INDEX activities_skipped ON activities (product) WHERE status = 'skipped';
CREATE INDEX activities_by_container ON activities (product, stage, number);
CREATE INDEX activities_by_revision ON activities (source, revision, number);
CREATE INDEX activities_waiting ON activities (product, number) WHERE status = 'waiting';

CREATE TABLE activity_events (
    activity TEXT    NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    -- From 1, without gaps.
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    -- The claim under which it was written; absent for activities that never begin.
    token    INTEGER,
    body     TEXT    NOT NULL,
    PRIMARY KEY (activity, seq)
) STRICT;

-- One row per container that was ever claimed. The token only grows; holder and activity are
-- absent while nobody holds it.
CREATE TABLE container_claims (
    product  TEXT    NOT NULL,
    stage    TEXT    NOT NULL,
    token    INTEGER NOT NULL,
    holder   TEXT,
    activity TEXT,
    at       INTEGER NOT NULL,
    PRIMARY KEY (product, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE containers (
    product  TEXT    NOT NULL,
    stage    TEXT    NOT NULL,
    version  TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    revision TEXT    NOT NULL,
    -- Not a reference: what runs may be known from elsewhere than from our own activities.
    activity TEXT    NOT NULL,
    results  TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (product, stage)
) STRICT;

CREATE TABLE task_logs (
    id       INTEGER NOT NULL PRIMARY KEY,
    activity TEXT    NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    task     INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    line     TEXT    NOT NULL
) STRICT;

CREATE INDEX task_logs_by_task ON task_logs (activity, task);

-- What forges should show. It is pending while `published` is behind `edition`.
CREATE TABLE reports (
    id            INTEGER NOT NULL PRIMARY KEY,
    source        TEXT    NOT NULL,
    revision      TEXT    NOT NULL,
    context       TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    target_url    TEXT,
    edition       INTEGER NOT NULL,
    published     INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    given_up      INTEGER NOT NULL DEFAULT 0,
    message       TEXT,
    wanted_at     INTEGER NOT NULL,
    -- Since when something else should be shown: a state that keeps changing does not lose its turn.
    pending_since INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    published_at  INTEGER,
    UNIQUE (source, revision, context)
) STRICT;

CREATE INDEX reports_pending ON reports (pending_since, id) WHERE published < edition AND given_up = 0;
CREATE INDEX reports_open ON reports (source, context, revision) WHERE state = 'pending';
CREATE INDEX reports_by_time ON reports (wanted_at, id);

CREATE TABLE audit_events (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    source   TEXT,
    revision TEXT,
    detail   TEXT    NOT NULL
) STRICT;
