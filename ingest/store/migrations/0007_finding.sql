-- What the twin found wrong: a row whenever a finding begins, changes or ends; the newest row of an id counts.
CREATE TABLE finding (
    id VARCHAR NOT NULL,            -- kind, place and time of its beginning
    t TIMESTAMP NOT NULL,           -- when it stood so, UTC
    open BOOLEAN NOT NULL,          -- false: it has ended
    kind VARCHAR NOT NULL,          -- leak, blockage, fouling ... see twin/diagnosis/kinds.py
    place VARCHAR NOT NULL,         -- pipe, station, source, point or device; *dialect: a whole gateway
    size DOUBLE NOT NULL,           -- in the unit of the kind; NaN: none
    probability DOUBLE NOT NULL,    -- among its suspects, 0 to 1
    since TIMESTAMP NOT NULL,       -- when it was first seen, UTC
    evidence DOUBLE NOT NULL,       -- half the squared sigmas it explains
    suspects VARCHAR NOT NULL       -- JSON: [kind, place, size, probability] of each, the finding first
);
