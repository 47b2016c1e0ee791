-- What was not taken from whoever came too late, twice or under another's name; and what finds history that
-- is no longer needed.

-- How many events were refused: late, duplicate or forged ones.
ALTER TABLE activities ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;

CREATE INDEX activities_by_plan ON activities (plan);
CREATE INDEX passes_by_plan ON passes (plan);
