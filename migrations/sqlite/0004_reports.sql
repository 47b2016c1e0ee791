-- Reports of more sorts than statuses, what forges call them, and when they were seen last; and until
-- when a forge wants to be left alone.

CREATE TABLE reports_next (
    id            INTEGER NOT NULL PRIMARY KEY,
    source        TEXT    NOT NULL,
    -- The commit that it tells of.
    revision      TEXT    NOT NULL,
    -- What it is shown at: the commit, or for a comment 'pull/<number>'.
    subject       TEXT    NOT NULL,
    -- 'status', 'check', 'comment' or 'deployment'.
    sort          TEXT    NOT NULL,
    context       TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    target_url    TEXT,
    -- What is more than a status, as JSON.
    detail        TEXT,
    edition       INTEGER NOT NULL,
    published     INTEGER NOT NULL DEFAULT 0,
    -- The forge's own id of what shows it.
    external      TEXT,
    failures      INTEGER NOT NULL DEFAULT 0,
    given_up      INTEGER NOT NULL DEFAULT 0,
    message       TEXT,
    wanted_at     INTEGER NOT NULL,
    -- Since when something else should be shown: a state that keeps changing does not lose its turn.
    pending_since INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    published_at  INTEGER,
    -- When the forge was seen to show it last, and when to look again; absent when not at all.
    verified_at   INTEGER,
    verify_at     INTEGER,
    UNIQUE (source, subject, sort, context)
) STRICT;

INSERT INTO reports_next (id, source, revision, subject, sort, context, state, description, target_url, edition,
                          published, failures, given_up, message, wanted_at, pending_since, due_at, published_at)
SELECT id, source, revision, revision, 'status', context, state, description, target_url, edition,
       published, failures, given_up, message, wanted_at, pending_since, due_at, published_at
FROM reports;

DROP TABLE reports;
ALTER TABLE reports_next RENAME TO reports;

CREATE INDEX reports_pending ON reports (source, pending_since, id) WHERE published < edition AND given_up = 0;
CREATE INDEX reports_to_verify ON reports (source, verify_at) WHERE verify_at IS NOT NULL;
CREATE INDEX reports_open ON reports (source, context, revision) WHERE state = 'pending' AND sort = 'status';
CREATE INDEX reports_by_time ON reports (wanted_at, id);

-- Where nothing is written for now. Without a sort, the forge's account is at its limit; with one, we may
-- not write reports of that sort, and the row stays until one was written.
CREATE TABLE forge_pauses (
    source  TEXT    NOT NULL,
    sort    TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    message TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    PRIMARY KEY (source, sort)
) STRICT, WITHOUT ROWID;
