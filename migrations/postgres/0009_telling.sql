-- What is still to be told; and interruptions of looks, apart from their failures.

-- How the source stood when the reports of its stages were worked out that were recorded last.
ALTER TABLE standings ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
-- Grows whenever something is planned or decided: what may keep a rollout from beginning.
ALTER TABLE standings ADD COLUMN decided BIGINT NOT NULL DEFAULT 0;
-- Grows whenever a proposal is assessed or somebody is answered: what the comment of a proposal says.
ALTER TABLE standings ADD COLUMN said BIGINT NOT NULL DEFAULT 0;

-- Stages of commits at which something has changed since their reports were worked out.
CREATE TABLE untold (
    source   TEXT COLLATE "C" NOT NULL,
    stage    TEXT COLLATE "C" NOT NULL,
    revision TEXT COLLATE "C" NOT NULL,
    -- The plan of the activity that changed last.
    plan     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, stage, revision)
);

-- How often in a row whoever looked neither came to an end nor handed the look back.
ALTER TABLE wakes ADD COLUMN interruptions BIGINT NOT NULL DEFAULT 0;

-- What is held now, among all that was ever claimed.
CREATE INDEX container_claims_held ON container_claims (until) WHERE activity IS NOT NULL;
