-- What became of commands is shown under their pull requests, and one comment may ask several sources.

CREATE INDEX command_requests_under ON command_requests (source, pull, number) WHERE pull IS NOT NULL;
CREATE INDEX command_requests_by_origin ON command_requests (forge, origin, source);

-- Whether a commit is one of the branch's.
CREATE INDEX passes_by_revision ON passes (source, revision);

-- Which open proposal has this head.
CREATE INDEX proposals_by_head ON proposals (source, head) WHERE state = 'open';
