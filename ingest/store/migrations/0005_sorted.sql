-- Readings as vendors sent them, moved from order of arrival to order of point and time as their days end.
-- A number with the unit it came in; unit 0 is SI. value (SI) = number * scale + shift.
CREATE TABLE point_unit (
    point_no INTEGER NOT NULL,
    unit UTINYINT NOT NULL,         -- counts the units a point has had in its life
    scale DOUBLE NOT NULL,
    shift DOUBLE NOT NULL
);
CREATE TABLE reading_new (
    point_no INTEGER NOT NULL,
    t_ms BIGINT NOT NULL,           -- measuring time, ms since 1970 UTC
    delay_s INTEGER NOT NULL,       -- time of arrival minus measuring time
    number DOUBLE,                  -- as the vendor sent it
    unit UTINYINT NOT NULL,
    quality UTINYINT NOT NULL
);
CREATE TABLE reading_day AS FROM reading_new;
CREATE TABLE reading_week AS FROM reading_new;
CREATE TABLE reading_meter AS FROM reading_new;
CREATE TABLE reading_late AS FROM reading_new;

INSERT INTO reading_new
SELECT point_no, epoch_us(t) // 1000,
       least(greatest(round((epoch_us(received) - epoch_us(t)) / 1e6), -2147483647), 2147483647)::INTEGER,
       value, 0, quality
FROM reading WHERE epoch_us(t) % 1000 = 0;
-- Of several readings of a point within one millisecond the first that arrived stays.
INSERT INTO reading_new
SELECT * FROM (
    SELECT point_no, epoch_us(t) // 1000 AS t_ms,
           least(greatest(round((epoch_us(min(received)) - epoch_us(min(t))) / 1e6), -2147483647), 2147483647)::INTEGER,
           arg_min(value, received), 0, arg_min(quality, received)
    FROM reading WHERE epoch_us(t) % 1000 <> 0 GROUP BY point_no, epoch_us(t) // 1000
) finer
ANTI JOIN reading_new known ON known.point_no = finer.point_no AND known.t_ms = finer.t_ms
ORDER BY t_ms, point_no;
INSERT INTO point_unit SELECT DISTINCT point_no, 0, 1.0, 0.0 FROM reading_new ORDER BY 1;
DROP TABLE reading;
CREATE VIEW reading AS
SELECT r.point_no, r.t_ms, make_timestamp_ms(r.t_ms) AS t, make_timestamp_ms(r.t_ms + 1000 * r.delay_s::BIGINT) AS received,
       r.number * u.scale + u.shift AS value, r.quality
FROM (
    FROM reading_new UNION ALL FROM reading_day UNION ALL FROM reading_week
    UNION ALL FROM reading_meter UNION ALL FROM reading_late
) r JOIN point_unit u ON u.point_no = r.point_no AND u.unit = r.unit;
