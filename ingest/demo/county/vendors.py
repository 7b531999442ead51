"""What three makers call the same measurement, and in which unit they send it."""

PLAIN_UNITS = {
    "temperature": "°C", "volume": "m3", "fraction": "%", "humidity": "%", "level": "m", "frequency": "Hz",
    "current": "A", "voltage": "V", "electric_power": "kW", "electric_energy": "kWh", "speed": "m/s",
    "irradiance": "W/m2", "state": "1", "code": "1", "pressure": "MPa", "volume_flow": "m3/h", "power": "kW",
    "energy": "GJ",
}  # fmt: skip
_OTHER_UNITS: dict[str, dict[str, str]] = {
    "flat": {},
    "thingsboard": {"pressure": "bar", "power": "MW", "energy": "MWh"},
    "sparkplug": {"pressure": "kPa", "power": "GJ/h", "volume_flow": "L/h"},
}
MAKERS = {"flat": "陇中自控", "thingsboard": "华热物联", "sparkplug": "Nordwerk"}

# key: initials of the Chinese name on a local controller, a gateway's English, a plant bus's tree
_NAMES: dict[str, tuple[str, str, str]] = {
    "p1_ts": ("YCGW", "primarySupplyTemp", "Primary/Supply/Temperature"),
    "p1_tr": ("YCHW", "primaryReturnTemp", "Primary/Return/Temperature"),
    "p1_ps": ("YCGY", "primarySupplyPress", "Primary/Supply/Pressure"),
    "p1_pr": ("YCHY", "primaryReturnPress", "Primary/Return/Pressure"),
    "p1_flow": ("YCSSLL", "primaryFlowRate", "Primary/Meter/Flow"),
    "p1_vol": ("YCLJLL", "primaryFlowTotal", "Primary/Meter/Volume"),
    "p1_heat": ("SSRL", "heatPower", "Primary/Meter/Power"),
    "p1_energy": ("LJRL", "heatTotal", "Primary/Meter/Energy"),
    "cv_pos": ("DTFFK", "valveFeedback", "Primary/Valve/Position"),
    "cv_sp": ("DTFGD", "valveCommand", "Primary/Valve/Setpoint"),
    "s2_ts": ("ECGW", "secondarySupplyTemp", "Secondary/Supply/Temperature"),
    "s2_tr": ("ECHW", "secondaryReturnTemp", "Secondary/Return/Temperature"),
    "s2_ps": ("ECGY", "secondarySupplyPress", "Secondary/Supply/Pressure"),
    "s2_pr": ("ECHY", "secondaryReturnPress", "Secondary/Return/Pressure"),
    "s2_flow": ("ECSSLL", "secondaryFlowRate", "Secondary/Meter/Flow"),
    "mk_flow": ("BSSSLL", "makeupFlowRate", "Makeup/Flow"),
    "mk_vol": ("BSLJLL", "makeupTotal", "Makeup/Volume"),
    "tank_l": ("SXYW", "tankLevel", "Makeup/Tank/Level"),
    "cp1_run": ("XHB1_YX", "pump1Running", "Secondary/Pump1/Running"),
    "cp1_hz": ("XHB1_PL", "pump1Freq", "Secondary/Pump1/Frequency"),
    "cp1_a": ("XHB1_DL", "pump1Current", "Secondary/Pump1/Current"),
    "p_kw": ("YGGL", "activePower", "Power/Active"),
    "e_kwh": ("YGDN", "energyMeter", "Power/Energy"),
    "mains": ("SDZT", "mainsOk", "Power/Mains"),
    "t_stn": ("ZNWD", "roomTemp", "House/Temperature"),
    "flood": ("SJBJ", "waterLeak", "House/Flood"),
    "mode": ("ZSDMS", "autoMode", "Control/Mode"),
    "fault": ("GZDM", "errorCode", "Control/Fault"),
    "src_ts": ("GW", "outletTemp", "District/Supply/Temperature"),
    "src_tr": ("HW", "inletTemp", "District/Return/Temperature"),
    "src_ps": ("GY", "outletPress", "District/Supply/Pressure"),
    "src_pr": ("HY", "inletPress", "District/Return/Pressure"),
    "src_flow": ("SSLL", "flowRate", "District/Flow"),
    "src_heat": ("SSRL", "heatPower", "District/Power"),
    "src_energy": ("LJRL", "heatTotal", "District/Energy"),
    "src_kwh": ("YDL", "energyMeter", "Auxiliary/Electricity"),
    "src_mk": ("BSL", "makeupTotal", "Auxiliary/Makeup"),
    "s2_ts_sp": ("ECGWGD", "secondarySupplySetpoint", "Secondary/Supply/Setpoint"),
    "cp1_hz_sp": ("XHB1_PLGD", "pump1FreqSetpoint", "Secondary/Pump1/Setpoint"),
    "src_ts_sp": ("GWGD", "outletSetpoint", "District/Supply/Setpoint"),
    "src_dp_sp": ("GHSYCGD", "outletHeadSetpoint", "District/Head/Setpoint"),
    "src_flow_sp": ("LLGD", "outletFlowSetpoint", "District/Flow/Setpoint"),
    "src_auto": ("ZSDMS", "autoMode", "Control/Auto"),
    "t_out": ("QW", "airTemp", "Weather/Temperature"),
    "wind": ("FS", "windSpeed", "Weather/Wind"),
    "solar": ("ZFS", "globalRadiation", "Weather/Radiation"),
    "rh_out": ("XDSD", "airHumidity", "Weather/Humidity"),
    "river_l": ("SW", "waterLevel", "River/Level"),
    "room_t": ("WD", "temp", "Room/Temperature"),
    "room_rh": ("SD", "humi", "Room/Humidity"),
    "room_bat": ("DY", "batV", "Room/Battery"),
    "b_ts": ("GSWD", "supplyTemp", "Building/Supply/Temperature"),
    "b_tr": ("HSWD", "returnTemp", "Building/Return/Temperature"),
    "b_flow": ("LL", "flowRate", "Building/Flow"),
}
_COLUMN = {"flat": 0, "thingsboard": 1, "sparkplug": 2}


def external_key(dialect: str, key: str) -> str:
    """The maker's name of a point."""
    return _NAMES[key][_COLUMN[dialect]]


def vendor_unit(dialect: str, quantity: str) -> str:
    """The maker's unit of a quantity."""
    return {**PLAIN_UNITS, **_OTHER_UNITS[dialect]}[quantity]
