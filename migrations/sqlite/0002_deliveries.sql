-- What forges deliver by webhook, and what people ask for there.

CREATE TABLE deliveries (
    -- Grows with time.
    number      INTEGER NOT NULL PRIMARY KEY,
    forge       TEXT    NOT NULL,
    delivery    TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    action      TEXT,
    repository  TEXT,
    reference   TEXT,
    before      TEXT,
    head        TEXT,
    -- When it came first, and how often it came.
    received_at INTEGER NOT NULL,
    times       INTEGER NOT NULL,
    verdict     TEXT    NOT NULL,
    -- A JSON list: sources, and proposals of sources.
    woke        TEXT    NOT NULL,
    UNIQUE (forge, delivery)
) STRICT;

-- Where the last push to a watched branch ended, as it was told. The repository in lower case.
CREATE TABLE delivered_heads (
    forge      TEXT NOT NULL,
    repository TEXT NOT NULL,
    reference  TEXT NOT NULL,
    head       TEXT NOT NULL,
    PRIMARY KEY (forge, repository, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE command_requests (
    number   INTEGER NOT NULL PRIMARY KEY,
    forge    TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    -- What makes it this request and no other, whatever delivery brings it.
    origin   TEXT    NOT NULL,
    delivery TEXT    NOT NULL,
    pull     INTEGER,
    comment  INTEGER,
    head     TEXT,
    author   TEXT    NOT NULL,
    -- JSON.
    asked    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    -- What became of it; absent while it is open.
    outcome  TEXT,
    done_at  INTEGER,
    UNIQUE (forge, source, origin)
) STRICT;

CREATE INDEX command_requests_open ON command_requests (number) WHERE done_at IS NULL;
CREATE INDEX command_requests_done ON command_requests (done_at) WHERE done_at IS NOT NULL;
