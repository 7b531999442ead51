"""The client's questions: fixed texts, ``$name`` places for numbers only (see ``bind``).

Readings are found by ``t_ms``: the file knows the times of each part of a table by that column, while ``t``
of the view is made from it. The questions that pages ask again and again leave order and units of time to the
client: a sort makes the owner wait for a second thread, which took as long as all the rest. Those that may
read many rows end by themselves (``in_time``).
"""

from ingest.store.bind import in_time

LATEST = "SELECT point_no, t, received, value, quality, seq FROM latest WHERE seq > $seq"

_LATEST_AT = f"""
SELECT point_no, max(t_ms) / 1e3 AS t, epoch(arg_max(received, t_ms)) AS received,
       arg_max(value, t_ms) AS value, arg_max(quality, t_ms) AS quality, 0::BIGINT AS seq
FROM reading
WHERE t_ms BETWEEN $t // 1000 - 7200000 AND $t // 1000 AND quality >= $usable
  AND {in_time("t_ms")}
"""  # noqa: S608 - our own text
LATEST_AT = _LATEST_AT + " GROUP BY point_no ORDER BY point_no"
LATEST_AT_POINTS = _LATEST_AT + " AND list_contains($points, point_no) GROUP BY point_no ORDER BY point_no"

# At most $rows rows as they are; more: the lowest and the highest of each bucket.
HISTORY = f"""
WITH raw AS (
    SELECT t, value, quality FROM reading
    WHERE point_no = $point AND t_ms BETWEEN ($start + 999) // 1000 AND $end // 1000 AND quality >= $usable
      AND {in_time("t_ms")}
), few AS (SELECT count(*) <= $rows AS ok FROM raw),
bucket AS (
    SELECT unnest([arg_min(t, value), arg_max(t, value)]) AS t, unnest([min(value), max(value)]) AS value,
           unnest([arg_min(quality, value), arg_max(quality, value)]) AS quality
    FROM raw WHERE NOT (SELECT ok FROM few) GROUP BY epoch_us(raw.t) // $bucket
)
SELECT t, value, quality FROM raw WHERE (SELECT ok FROM few)
UNION ALL SELECT DISTINCT t, value, quality FROM bucket
"""  # noqa: S608 - our own text

ROLLED_UP = {
    step: f"""
SELECT t, n, low, high, mean, last FROM {table}
WHERE point_no = $point AND t BETWEEN make_timestamp($start) AND make_timestamp($end)
  AND {in_time("t")}
"""  # noqa: S608 - our own names
    for step, table in ((300, "rollup_5min"), (3600, "rollup_1h"), (86_400, "rollup_1d"))
}

SIMULATED_HISTORY = """
WITH raw AS (
    SELECT t, value[list_position(point_no, $point)] AS value FROM twin_run
    WHERE t BETWEEN make_timestamp($start) AND make_timestamp($end) AND list_contains(point_no, $point)
), few AS (SELECT count(*) <= $rows AS ok FROM raw),
thin AS (
    SELECT max(t) AS t, arg_max(value, t) AS value FROM raw
    GROUP BY CASE WHEN (SELECT ok FROM few) THEN epoch_us(t) ELSE epoch_us(t) // $bucket END
)
SELECT epoch(t) AS t, value, 192 AS quality FROM thin ORDER BY t
"""

SIMULATED_LATEST = """
WITH run AS (SELECT * FROM twin_run WHERE live ORDER BY run_no DESC LIMIT 1)
SELECT run_no, epoch(t) AS t, unnest(point_no) AS point_no, unnest(value) AS value, unnest(sigma) AS sigma,
       unnest(measured) AS measured FROM run
"""

NETWORK_ARRAYS = ("t_supply_c", "t_return_c", "p_supply_pa", "p_return_pa", "mass_flow_kg_s", "t_pipe_c")
NETWORK_STATE = """
SELECT run_no, epoch(t) AS t, status, t_supply_c, t_return_c, p_supply_pa, p_return_pa, mass_flow_kg_s,
       t_pipe_c
FROM network_state WHERE status <> 'replayed' ORDER BY run_no DESC LIMIT 1
"""
NETWORK_STATE_AT = """
SELECT run_no, epoch(t) AS t, status, t_supply_c, t_return_c, p_supply_pa, p_return_pa, mass_flow_kg_s,
       t_pipe_c
FROM network_state WHERE t <= make_timestamp($at) ORDER BY t DESC LIMIT 1
"""
NETWORK_TIMES = """
SELECT epoch(t) AS t FROM network_state
WHERE t BETWEEN make_timestamp($start) AND make_timestamp($end) ORDER BY t
"""

RUN_TIMES = """
SELECT epoch(t) AS t FROM twin_run WHERE t BETWEEN make_timestamp($start) AND make_timestamp($end) ORDER BY t
"""
LAST_RUN = "SELECT epoch(max(t)) AS t FROM twin_run"
COUNTERS = "SELECT name, value FROM ingest_counter ORDER BY name"
STATE = "SELECT epoch(t) AS t, queue, broker, messages_per_s, readings_per_s FROM ingest_state"
DEAD_LETTERS = """
SELECT hash, epoch(first_t) AS first_t, epoch(last_t) AS last_t, count, topic, reason, payload
FROM dead_letter ORDER BY last_t DESC LIMIT $rows
"""
NOTICES = """
SELECT kind, subject, epoch(first_t) AS first_t, epoch(last_t) AS last_t, count, detail
FROM ingest_notice WHERE last_t >= make_timestamp($since) ORDER BY last_t DESC, kind, subject
"""
COUNTER_EVENTS = """
SELECT point_no, epoch(t) AS t, kind, before, after, span FROM counter_event
WHERE t BETWEEN make_timestamp($start) AND make_timestamp($end) ORDER BY t, point_no
"""
# The last reading before the time belongs to it: what was counted since then.
COUNTED = f"""
WITH r AS (
    SELECT t, value FROM reading WHERE point_no = $point AND quality >= $usable
      AND t_ms BETWEEN ($start + 999) // 1000 AND $end // 1000 AND {in_time("t_ms")}
), e AS (SELECT t, span FROM counter_event WHERE point_no = $point AND kind = 'rollover')
SELECT r.value, coalesce(e.span, 0.0) AS span FROM r LEFT JOIN e USING (t) ORDER BY r.t
"""  # noqa: S608 - our own text
DEVICES = """
SELECT device_id, epoch(last_t) AS last_t, epoch(last_received) AS last_received, messages, skew_s, online
FROM device_state ORDER BY device_id
"""
POINT_COUNTS = f"""
SELECT point_no, count(*) AS n FROM reading
WHERE t_ms BETWEEN ($start + 999) // 1000 AND $end // 1000 AND {in_time("t_ms")}
GROUP BY point_no ORDER BY point_no
"""  # noqa: S608 - our own text
