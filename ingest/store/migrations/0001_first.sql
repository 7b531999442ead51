-- Points of the county, so that the file explains itself. Rewritten at every start of ingest.
CREATE TABLE point (
    point_no INTEGER NOT NULL,      -- position in the county's point table
    point_id VARCHAR NOT NULL,      -- place/key
    device_id VARCHAR NOT NULL,
    place_id VARCHAR NOT NULL,
    key VARCHAR NOT NULL,           -- point kind
    quantity VARCHAR NOT NULL,      -- row of the quantity table
    si_unit VARCHAR NOT NULL
);

-- Every reading once per (point_no, t). No key: the writer keeps it so (see the decision record).
CREATE TABLE reading (
    point_no INTEGER NOT NULL,
    t TIMESTAMP NOT NULL,           -- measuring time, UTC
    received TIMESTAMP NOT NULL,    -- time of arrival, UTC
    value DOUBLE,                   -- SI unit of the quantity, degrees Celsius for temperatures
    quality UTINYINT NOT NULL       -- 192 good, 160 late, 32 clock suspect, 16 out of range, 0 bad
);

-- Newest usable reading per point.
CREATE TABLE latest (
    point_no INTEGER PRIMARY KEY,
    t TIMESTAMP NOT NULL,
    received TIMESTAMP NOT NULL,
    value DOUBLE,
    quality UTINYINT NOT NULL,
    seq BIGINT NOT NULL             -- number of the commit that brought the row
);

-- One row per run of the twin; the arrays share one order.
CREATE TABLE twin_run (
    run_no BIGINT NOT NULL,         -- milliseconds since 1970 UTC when it was written
    t TIMESTAMP NOT NULL,           -- simulated moment, UTC
    status VARCHAR NOT NULL,        -- ok, assumed:<point ids>, failed:<why>
    iterations INTEGER NOT NULL,
    seconds DOUBLE NOT NULL,        -- time the engine took
    live BOOLEAN NOT NULL,          -- false: a gap filled afterwards
    point_no INTEGER[] NOT NULL,
    value DOUBLE[] NOT NULL,        -- simulated, SI
    sigma DOUBLE[] NOT NULL,        -- standard uncertainty of measured minus simulated, SI
    measured DOUBLE[] NOT NULL      -- what was measured then; NaN: nothing usable
);

-- State of the whole network after a live run; kept for an hour.
CREATE TABLE network_state (
    run_no BIGINT NOT NULL,
    t TIMESTAMP NOT NULL,
    status VARCHAR NOT NULL,
    t_supply_c FLOAT[] NOT NULL,    -- per node
    t_return_c FLOAT[] NOT NULL,    -- per node
    p_supply_pa FLOAT[] NOT NULL,   -- per node, gauge
    p_return_pa FLOAT[] NOT NULL,   -- per node, gauge
    mass_flow_kg_s FLOAT[] NOT NULL,-- per pipe, positive from_node to to_node
    t_pipe_c FLOAT[] NOT NULL       -- per pipe, mean of the water
);

-- Messages that could not be read, once per topic and payload.
CREATE TABLE dead_letter (
    hash VARCHAR PRIMARY KEY,       -- SHA-256 of topic and payload, 32 hex digits
    first_t TIMESTAMP NOT NULL,
    last_t TIMESTAMP NOT NULL,
    count BIGINT NOT NULL,
    topic VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    payload BLOB NOT NULL           -- first 64 KiB
);

-- Counters since the store was created.
CREATE TABLE ingest_counter (
    name VARCHAR PRIMARY KEY,       -- messages, readings, rejected_messages, rejected_readings, duplicates, late
    value BIGINT NOT NULL
);

-- What each device was last heard of.
CREATE TABLE device_state (
    device_id VARCHAR PRIMARY KEY,
    last_t TIMESTAMP NOT NULL,      -- measuring time of its newest message
    last_received TIMESTAMP NOT NULL,
    messages BIGINT NOT NULL,
    skew_s DOUBLE NOT NULL,         -- device clock minus ours, smoothed over live messages
    online BOOLEAN NOT NULL         -- false after a last will or a disconnect
);

-- The writer's own state, one row.
CREATE TABLE ingest_state (
    t TIMESTAMP NOT NULL,
    queue INTEGER NOT NULL,         -- messages waiting
    broker VARCHAR NOT NULL,        -- connected, or why not
    messages_per_s DOUBLE NOT NULL,
    readings_per_s DOUBLE NOT NULL
);
