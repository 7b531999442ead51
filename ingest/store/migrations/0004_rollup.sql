-- Readings summed up by point and 5 minutes, hour and day; repaired when late readings come.
CREATE TABLE rollup_5min (
    point_no INTEGER NOT NULL,
    t TIMESTAMP NOT NULL,           -- start of the span, UTC
    n INTEGER NOT NULL,             -- usable readings in it
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    mean DOUBLE NOT NULL,
    last DOUBLE NOT NULL            -- of the newest reading in it
);
CREATE TABLE rollup_1h AS FROM rollup_5min;
CREATE TABLE rollup_1d AS FROM rollup_5min;

-- Spans of 5 minutes whose readings have changed since they were summed up.
CREATE TABLE rollup_dirty (t TIMESTAMP PRIMARY KEY);
INSERT INTO rollup_dirty
SELECT DISTINCT make_timestamp(epoch_us(t) // 300000000 * 300000000) FROM reading WHERE quality >= 64;
