-- What is still to be told; and interruptions of looks, apart from their failures.

-- How the source stood when the reports of its stages were worked out that were recorded last.
ALTER TABLE standings ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
-- Grows whenever something is planned or decided: what may keep a rollout from beginning.
ALTER TABLE standings ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;
-- Grows whenever a proposal is assessed or somebody is answered: what the comment of a proposal says.
ALTER TABLE standings ADD COLUMN said INTEGER NOT NULL DEFAULT 0;

-- Stages of commits at which something has changed since their reports were worked out.
CREATE TABLE untold (
    source   TEXT NOT NULL,
    stage    TEXT NOT NULL,
    revision TEXT NOT NULL,
    -- The plan of the activity that changed last.
    plan     TEXT NOT NULL,
    PRIMARY KEY (source, stage, revision)
) STRICT, WITHOUT ROWID;

-- How often in a row whoever looked neither came to an end nor handed the look back.
ALTER TABLE wakes ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;

-- What is held now, among all that was ever claimed.
CREATE INDEX container_claims_held ON container_claims (until) WHERE activity IS NOT NULL;
