-- Back to one table of SI values in order of arrival; times stay whole milliseconds, arrivals whole seconds.
CREATE TABLE reading_back (
    point_no INTEGER NOT NULL,
    t TIMESTAMP NOT NULL,
    received TIMESTAMP NOT NULL,
    value DOUBLE,
    quality UTINYINT NOT NULL
);
INSERT INTO reading_back SELECT point_no, t, received, value, quality FROM reading;
DROP VIEW reading;
DROP TABLE reading_new;
DROP TABLE reading_day;
DROP TABLE reading_week;
DROP TABLE reading_meter;
DROP TABLE reading_late;
DROP TABLE point_unit;
ALTER TABLE reading_back RENAME TO reading;
