-- What an adapter must know after a restart, written in the transaction of the message it came from.
CREATE TABLE adapter_memory (
    key VARCHAR PRIMARY KEY,        -- dialect and sender, such as sparkplug/<group>/<edge node>
    value VARCHAR NOT NULL          -- JSON; for sparkplug: device -> [[alias, name], ...]
);
