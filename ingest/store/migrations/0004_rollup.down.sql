-- Sums can be made again from the readings.
DROP TABLE rollup_5min;
DROP TABLE rollup_1h;
DROP TABLE rollup_1d;
DROP TABLE rollup_dirty;
