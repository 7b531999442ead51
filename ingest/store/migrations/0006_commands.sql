-- What people and other processes want of ingest: commands and the life of devices. Taken within a second.
CREATE TABLE wish (
    t TIMESTAMP NOT NULL,
    act VARCHAR NOT NULL,           -- request, approve, reject, withdraw, retire, reinstate
    no BIGINT NOT NULL,             -- of the command; 0 for a device
    who VARCHAR NOT NULL,           -- name of the account; empty: this machine, without accounts
    point_no INTEGER NOT NULL,      -- to be written; -1 for what is not a request
    value DOUBLE NOT NULL,          -- SI
    subject VARCHAR NOT NULL,       -- device; of a request: where it comes from (page, dispatch, undo ...)
    reason VARCHAR NOT NULL         -- why, in the words of who wants it
);

-- Every set-point that was ever asked for, as it stands now. Never deleted.
CREATE TABLE command (
    no BIGINT PRIMARY KEY,          -- microseconds since 1970 UTC when it was asked for
    t TIMESTAMP NOT NULL,           -- asked for, UTC
    point_no INTEGER NOT NULL,
    device_id VARCHAR NOT NULL,
    value DOUBLE NOT NULL,          -- SI
    before DOUBLE,                  -- what the point said before it was sent, SI; for undo
    state VARCHAR NOT NULL,         -- waiting, sent, done, refused, rejected, withdrawn, expired, timed_out, differs
    changed TIMESTAMP NOT NULL,     -- when it came into this state, UTC
    requested_by VARCHAR NOT NULL,
    approved_by VARCHAR NOT NULL,   -- empty before
    origin VARCHAR NOT NULL,        -- page, dispatch ..., undo of a number
    reason VARCHAR NOT NULL,
    sent TIMESTAMP,                 -- handed to the broker, UTC
    until TIMESTAMP,                -- end of the wait for the read-back, UTC
    answered BOOLEAN,               -- what the device said; empty: nothing yet
    seen DOUBLE,                    -- last read-back value, SI
    detail VARCHAR NOT NULL         -- why it ended so
);

-- The audit: every step of every command. Only ever appended to, never deleted.
CREATE TABLE command_step (
    no BIGINT NOT NULL,
    t TIMESTAMP NOT NULL,           -- UTC
    step VARCHAR NOT NULL,          -- requested, approved, sent, answered, and the states of command
    who VARCHAR NOT NULL,           -- account, or the device; empty: ingest itself
    detail VARCHAR NOT NULL
);

-- What a device says of itself, or its certificate of it.
CREATE TABLE device_fact (
    device_id VARCHAR NOT NULL,
    key VARCHAR NOT NULL,           -- firmware, certificate_ends
    value VARCHAR NOT NULL,
    t TIMESTAMP NOT NULL,           -- learned, UTC
    PRIMARY KEY (device_id, key)
);

-- Where each device stands in its life.
CREATE TABLE device_life (
    device_id VARCHAR PRIMARY KEY,
    state VARCHAR NOT NULL,         -- registered, online, silent, faulty, retired
    since TIMESTAMP NOT NULL,       -- UTC
    why VARCHAR NOT NULL            -- last will, silence, fault code ..., who retired it
);

-- Every change of device_life; kept as long as readings.
CREATE TABLE device_event (
    t TIMESTAMP NOT NULL,           -- UTC
    device_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    why VARCHAR NOT NULL
);
