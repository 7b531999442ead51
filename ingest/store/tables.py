"""The tables that readings live in, from arrival to the archive, and how all of them are asked at once.

``reading_new``: in order of arrival, until its day is over. ``reading_day``: sorted by day, point and time.
``reading_week``, ``reading_meter``: sorted by week, point and time, when nothing late can come any more;
meter counters apart, because they are kept longer. ``reading_late``: from outside the days that arrivals are
compared with, until the next night. The view ``reading`` is all of them in SI.
"""

NEW, DAY, WEEK, METER, LATE = "reading_new", "reading_day", "reading_week", "reading_meter", "reading_late"
COLUMNS = "point_no, t_ms, delay_s, number, unit, quality"
DAY_MS = 86_400_000

VIEW = """
SELECT r.point_no, r.t_ms, make_timestamp_ms(r.t_ms) AS t,
       make_timestamp_ms(r.t_ms + 1000 * r.delay_s::BIGINT) AS received,
       r.number * u.scale + u.shift AS value, r.quality
FROM (
    FROM reading_new UNION ALL FROM reading_day UNION ALL FROM reading_week
    UNION ALL FROM reading_meter UNION ALL FROM reading_late
) r JOIN point_unit u ON u.point_no = r.point_no AND u.unit = r.unit
"""


def all_keys(*tables: str) -> str:
    """A subquery with the keys of the readings in ``tables`` (names of this module; none: all)."""
    wanted = tables or (NEW, DAY, WEEK, METER, LATE)
    return "(" + " UNION ALL ".join(f"SELECT point_no, t_ms FROM {t}" for t in wanted) + ")"  # noqa: S608
