-- Proposals: what became of looking at pull requests and merge groups.

CREATE TABLE proposals (
    -- No reference to `sources`: a proposal may be looked at before its branch.
    source      TEXT    NOT NULL,
    -- 'pull/<number>' or 'merge-group/<commit>'.
    proposal    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    -- What was assessed.
    head        TEXT    NOT NULL,
    base        TEXT    NOT NULL,
    recorded    TEXT,
    policies    TEXT    NOT NULL,
    platform    TEXT    NOT NULL,
    -- What became of it.
    result      TEXT,
    is_fork     INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    commented   INTEGER NOT NULL,
    again       INTEGER NOT NULL,
    assessed_at INTEGER NOT NULL,
    PRIMARY KEY (source, proposal)
) STRICT, WITHOUT ROWID;

CREATE INDEX proposals_by_time ON proposals (assessed_at);
