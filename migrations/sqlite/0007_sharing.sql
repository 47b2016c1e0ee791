-- Who may work on what, and the queue of looks.

-- What is leased under a name. The token only grows; the holder is absent while nobody has it.
CREATE TABLE leases (
    name   TEXT    NOT NULL PRIMARY KEY,
    token  INTEGER NOT NULL,
    holder TEXT,
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Containers that are held when this comes are over at once: whoever holds them takes them anew.
ALTER TABLE container_claims ADD COLUMN until INTEGER NOT NULL DEFAULT 0;

-- Targets that are wanted to be looked at. A target that nobody wants to be looked at has no row.
CREATE TABLE wakes (
    -- Never given out twice: with the token it tells one look from all others.
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    source    TEXT    NOT NULL,
    -- Empty for the source's branch.
    proposal  TEXT    NOT NULL,
    -- 0 fresh, 1 resync, 2 later.
    lane      INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    -- Grows with each wake.
    edition   INTEGER NOT NULL,
    -- Of the wakes that came while it was looked at.
    next_lane INTEGER,
    next_due  INTEGER,
    failures  INTEGER NOT NULL,
    message   TEXT,
    token     INTEGER NOT NULL,
    -- Absent while nobody looks at it.
    holder    TEXT,
    since     INTEGER,
    until     INTEGER,
    UNIQUE (source, proposal)
) STRICT;

CREATE INDEX wakes_in_turn ON wakes (lane, source, due);
CREATE INDEX wakes_looked_at ON wakes (source) WHERE until IS NOT NULL;

-- Grows whenever something changes that the status of a source's stages is worked out from.
CREATE TABLE standings (
    source  TEXT    NOT NULL PRIMARY KEY,
    edition INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
