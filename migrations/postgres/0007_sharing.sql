-- Who may work on what, and the queue of looks.

-- What is leased under a name. The token only grows; the holder is absent while nobody has it.
CREATE TABLE leases (
    name   TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    token  BIGINT NOT NULL,
    holder TEXT COLLATE "C",
    since  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);

-- Containers that are held when this comes are over at once: whoever holds them takes them anew.
ALTER TABLE container_claims ADD COLUMN until BIGINT NOT NULL DEFAULT 0;

-- Targets that are wanted to be looked at. A target that nobody wants to be looked at has no row.
CREATE TABLE wakes (
    -- Never given out twice: with the token it tells one look from all others.
    id        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    TEXT COLLATE "C"    NOT NULL,
    -- Empty for the source's branch.
    proposal  TEXT COLLATE "C"    NOT NULL,
    -- 0 fresh, 1 resync, 2 later.
    lane      BIGINT NOT NULL,
    due       BIGINT NOT NULL,
    -- Grows with each wake.
    edition   BIGINT NOT NULL,
    -- Of the wakes that came while it was looked at.
    next_lane BIGINT,
    next_due  BIGINT,
    failures  BIGINT NOT NULL,
    message   TEXT COLLATE "C",
    token     BIGINT NOT NULL,
    -- Absent while nobody looks at it.
    holder    TEXT COLLATE "C",
    since     BIGINT,
    until     BIGINT,
    UNIQUE (source, proposal)
);

CREATE INDEX wakes_in_turn ON wakes (lane, source, due);
CREATE INDEX wakes_looked_at ON wakes (source) WHERE until IS NOT NULL;

-- Grows whenever something changes that the status of a source's stages is worked out from.
CREATE TABLE standings (
    source  TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    edition BIGINT NOT NULL
);
