-- Whole length of a rejected message: a payload that was cut cannot be read again.
ALTER TABLE dead_letter ADD COLUMN size BIGINT;

-- What a person should know of the way in: dropped at the broker, floods, counters set back.
CREATE TABLE ingest_notice (
    kind VARCHAR NOT NULL,          -- see docs/store-schema.md
    subject VARCHAR NOT NULL,       -- sender, point or broker
    first_t TIMESTAMP NOT NULL,
    last_t TIMESTAMP NOT NULL,
    count BIGINT NOT NULL,
    detail VARCHAR NOT NULL,
    PRIMARY KEY (kind, subject)
);

-- A wish of another process: read the dead letters again. The writer takes it within a second.
CREATE TABLE redo_request (
    t TIMESTAMP NOT NULL,
    hash VARCHAR NOT NULL           -- of one dead letter; * for all
);

-- A counter that fell: rolled over at its last digit, or set back (exchanged, reset).
CREATE TABLE counter_event (
    point_no INTEGER NOT NULL,
    t TIMESTAMP NOT NULL,           -- measuring time of the first reading after
    kind VARCHAR NOT NULL,          -- rollover, reset or back
    before DOUBLE NOT NULL,         -- last value before, SI
    after DOUBLE NOT NULL,          -- first value after, SI
    span DOUBLE NOT NULL            -- what a full turn counts, SI; 0 unless rolled over
);
