-- What engines made and people decided on, kept whole: forecasts, proposals, rehearsals, drills, calibrations.
-- A row when it is made and a row whenever it is decided on; the newest row of a number counts.
CREATE TABLE kept (
    no BIGINT NOT NULL,             -- microseconds of its making
    t TIMESTAMP NOT NULL,           -- when this row was written, UTC
    kind INTEGER NOT NULL,          -- see ingest/store/kept_api.py
    state VARCHAR NOT NULL,         -- made, approved, rejected, adopted, withdrawn, ...: a word of its kind
    who VARCHAR NOT NULL,           -- account; empty: this machine
    title VARCHAR NOT NULL,
    body VARCHAR NOT NULL           -- JSON; empty: as the row before
);
