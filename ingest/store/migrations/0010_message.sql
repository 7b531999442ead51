-- What devices really said: a message of each an hour, as it came. Decision record 0253.
CREATE TABLE message (
    devices VARCHAR[] NOT NULL,     -- heard in it
    t TIMESTAMP NOT NULL,           -- arrival, UTC
    topic VARCHAR NOT NULL,         -- first 500 characters
    payload BLOB NOT NULL,          -- first 16 KiB
    size BIGINT NOT NULL            -- whole length in bytes
);
