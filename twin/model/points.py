"""Point kinds: what a heating county measures, one row each (source: CJJ/T 241 practice, heating.md).

A *point* is one measured number of one place; its id is ``{place_id}/{key}``, e.g. ``S07/p1_ts``.
A *point kind* (this table) says what the key means. ``simulated`` kinds get a simulated value from the
twin beside every measured one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PointKind:
    """One row. ``period_s`` is the usual sampling period, ``deadband`` (SI) the send-on-change step,
    ``low``/``high`` the sensor's range in SI."""

    key: str
    quantity: str
    zh: str
    en: str
    period_s: float
    deadband: float
    low: float
    high: float
    simulated: bool = False


_ROWS: tuple[tuple[str, str, str, str, float, float, float, float, bool], ...] = (
    # --- heat station, primary side
    ("p1_ts", "temperature", "一次供水温度", "primary supply temp", 60, 0.1, 0, 150, True),
    ("p1_tr", "temperature", "一次回水温度", "primary return temp", 60, 0.1, 0, 150, True),
    ("p1_ps", "pressure", "一次供水压力", "primary supply pressure", 10, 2e3, 0, 2.5e6, True),
    ("p1_pr", "pressure", "一次回水压力", "primary return pressure", 10, 2e3, 0, 2.5e6, True),
    ("p1_flow", "volume_flow", "一次瞬时流量", "primary flow", 60, 1e-4, 0, 0.3, True),
    ("p1_vol", "volume", "一次累计流量", "primary volume", 300, 0, 0, 1e10, False),
    ("p1_heat", "power", "热功率", "heat power", 60, 1e4, 0, 5e7, True),
    ("p1_energy", "energy", "累计热量", "heat energy", 300, 0, 0, 1e18, False),
    ("cv_pos", "fraction", "电动调节阀开度反馈", "control valve position", 60, 0.005, 0, 1, False),
    ("cv_sp", "fraction", "电动调节阀开度给定", "control valve setpoint", 60, 0.005, 0, 1, False),
    # --- heat station, secondary side
    ("s2_ts", "temperature", "二次供水温度", "secondary supply temp", 60, 0.1, 0, 100, True),
    ("s2_tr", "temperature", "二次回水温度", "secondary return temp", 60, 0.1, 0, 100, False),
    ("s2_ps", "pressure", "二次供水压力", "secondary supply pressure", 10, 2e3, 0, 1.6e6, False),
    ("s2_pr", "pressure", "二次回水压力", "secondary return pressure", 10, 2e3, 0, 1.6e6, False),
    ("s2_flow", "volume_flow", "二次瞬时流量", "secondary flow", 60, 2e-4, 0, 1.0, False),
    ("mk_flow", "volume_flow", "补水瞬时流量", "make-up flow", 10, 1e-5, 0, 5.6e-3, False),
    ("mk_vol", "volume", "补水累计流量", "make-up volume", 300, 0, 0, 1e9, False),
    ("tank_l", "level", "补水箱液位", "make-up tank level", 60, 0.02, 0, 3, False),
    ("cp1_run", "state", "循环泵运行", "circulation pump run", 60, 0, 0, 1, False),
    ("cp1_hz", "frequency", "循环泵频率反馈", "pump frequency", 60, 0.1, 0, 50, False),
    ("cp1_a", "current", "循环泵电流", "pump current", 60, 0.5, 0, 400, False),
    ("p_kw", "electric_power", "有功功率", "electric power", 60, 200, 0, 5e5, False),
    ("e_kwh", "electric_energy", "用电量", "electric energy", 300, 0, 0, 1e17, False),
    ("mains", "state", "市电状态", "mains present", 60, 0, 0, 1, False),
    ("t_stn", "temperature", "站内温度", "station room temp", 300, 0.2, -20, 60, False),
    ("flood", "state", "站内水浸", "floor water", 60, 0, 0, 1, False),
    ("mode", "state", "运行模式 手动/自动", "mode manual/auto", 60, 0, 0, 1, False),
    ("fault", "code", "故障代码", "fault code", 60, 0, 0, 1e6, False),
    # --- buildings and homes
    ("b_ts", "temperature", "楼栋供水温度", "building supply temp", 900, 0.2, 0, 100, False),
    ("b_tr", "temperature", "楼栋回水温度", "building return temp", 900, 0.2, 0, 100, False),
    ("b_flow", "volume_flow", "楼栋流量", "building flow", 900, 1e-5, 0, 0.1, False),
    ("room_t", "temperature", "室温", "room temperature", 900, 0.1, -10, 50, False),
    ("room_rh", "humidity", "湿度", "humidity", 900, 0.01, 0, 1, False),
    ("room_bat", "voltage", "电池电压", "battery", 86400, 0.05, 0, 4, False),
    # --- heat sources
    ("src_ts", "temperature", "热源供水温度", "source supply temp", 10, 0.1, 0, 150, True),
    ("src_tr", "temperature", "热源回水温度", "source return temp", 10, 0.1, 0, 150, True),
    ("src_ps", "pressure", "热源供水压力", "source supply pressure", 10, 2e3, 0, 2.5e6, True),
    ("src_pr", "pressure", "热源回水压力", "source return pressure", 10, 2e3, 0, 2.5e6, True),
    ("src_flow", "volume_flow", "热源流量", "source flow", 10, 5e-4, 0, 3.0, True),
    ("src_heat", "power", "热源热功率", "source heat power", 60, 5e4, 0, 5e8, True),
    ("src_energy", "energy", "热源累计热量", "source heat energy", 300, 0, 0, 1e18, False),
    ("src_kwh", "electric_energy", "热源电耗", "source electric energy", 300, 0, 0, 1e17, False),
    ("src_mk", "volume_flow", "热源补水流量", "source make-up flow", 60, 1e-5, 0, 0.1, False),
    # --- weather
    ("t_out", "temperature", "室外温度", "outdoor temperature", 300, 0.1, -40, 50, False),
    ("wind", "speed", "风速", "wind speed", 300, 0.2, 0, 60, False),
    ("solar", "irradiance", "太阳辐照", "solar irradiance", 300, 10, 0, 1400, False),
    ("rh_out", "humidity", "室外湿度", "outdoor humidity", 300, 0.01, 0, 1, False),
    # --- set-points beside cv_sp and mode (see setpoints.py)
    ("s2_ts_sp", "temperature", "二次供水温度给定", "secondary supply setpoint", 60, 0.1, 0, 100, False),
    ("cp1_hz_sp", "frequency", "循环泵频率给定", "pump frequency setpoint", 60, 0.1, 0, 50, False),
    ("src_ts_sp", "temperature", "热源供水温度给定", "source supply setpoint", 60, 0.1, 0, 150, False),
    ("src_auto", "state", "热源运行方式 定值/自动", "source mode fixed/auto", 60, 0, 0, 1, False),
    # --- set-points of the sources' pumps
    ("src_dp_sp", "pressure", "热源供回水压差给定", "source head setpoint", 60, 2e3, 0, 1.6e6, False),
    ("src_flow_sp", "volume_flow", "热源流量给定", "source flow setpoint", 60, 5e-4, 0, 3.0, False),
    # --- river
    ("river_l", "level", "河道水位", "river level", 300, 0.01, -5, 20, False),
)

POINT_KINDS: dict[str, PointKind] = {row[0]: PointKind(*row) for row in _ROWS}
