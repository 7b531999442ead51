"""Words of the twin's findings: key -> (Chinese, English)."""

FAULT_TEXTS: dict[str, tuple[str, str]] = {
    "nav.diagnosis": ("供热诊断", "Heat diagnosis"),
    "diagnosis.findings": ("孪生发现", "Findings of the twin"),
    "diagnosis.state": ("状态", "State"),
    "diagnosis.open": ("进行中", "open"),
    "diagnosis.ended": ("已结束", "ended"),
    "diagnosis.kind": ("故障", "Fault"),
    "diagnosis.place": ("位置", "Place"),
    "diagnosis.size": ("程度", "Size"),
    "diagnosis.chance": ("可能性", "Probability"),
    "diagnosis.since": ("开始", "Since"),
    "diagnosis.lasted": ("历时", "Lasted"),
    "diagnosis.suspect": ("可能的原因", "Possible cause"),
    "diagnosis.effect": ("影响：", "Effect: "),
    "diagnosis.check": ("下一步核查：", "Check next: "),
    "diagnosis.detail": ("诊断依据", "Evidence"),
    "diagnosis.none": ("最近一次比对 {at}，本周没有发现", "Last comparison {at}; no findings this week"),
    "diagnosis.calm": (
        "孪生与实测一致，未发现故障",
        "Measured and simulated values agree; nothing is found wrong",
    ),
    "diagnosis.looked": ("最近一次比对 {at}，进行中 {n} 项", "Last comparison {at}, {n} open"),
    "diagnosis.no_run": ("孪生尚未开始比对", "The twin has not compared anything yet"),
    "diagnosis.warming": (
        "孪生正在回放历史，熟悉各测点的常态后开始诊断",
        "The twin is walking through the past and learning what is usual; diagnosis begins after that",
    ),
    "diagnosis.failed": ("孪生计算失败：{why}", "The twin has failed: {why}"),
    "fault.leak": ("一次网泄漏", "Leak of the primary network"),
    "fault.blockage": ("管道堵塞或阀门未全开", "Pipe blocked or valve not open"),
    "fault.fouling": ("板换结垢", "Fouled heat exchanger"),
    "fault.stuck_valve": ("电动调节阀卡滞", "Control valve stuck"),
    "fault.pump_trip": ("二次循环泵停运", "Secondary pump stopped"),
    "fault.secondary_leak": ("二次网失水", "Secondary circuit loses water"),
    "fault.source_trip": ("热源出力不足", "Source short of output"),
    "fault.sensor_bias": ("仪表偏差", "Meter off"),
    "fault.sensor_drift": ("仪表漂移", "Meter drifts"),
    "fault.sensor_freeze": ("仪表数值不变", "Meter frozen"),
    "fault.gateway_offline": ("采集设备离线", "Device offline"),
    "fault.gateway": ("{name} 网关的全部设备", "all devices of the {name} gateway"),
    "fault.pipe": ("{side}管 {id}（{near}附近）", "{side} pipe {id} (near {near})"),
    "fault.region": ("{side}管，{near}一带", "{side} pipes around {near}"),
    "fault.supply": ("供水", "supply"),
    "fault.return": ("回水", "return"),
    "effect.leak": (
        "约 {v} t/h 热水流失，补水量上升，末端压力下降",
        "some {v} t/h of hot water are lost; make-up rises, pressures fall at the far ends",
    ),
    "effect.blockage": (
        "下游资用压差减小，严寒时流量不足",
        "less differential pressure behind it; too little flow in severe cold",
    ),
    "effect.fouling": (
        "一次回水温度升高，同样的热量要更多流量",
        "warmer primary return: more flow for the same heat",
    ),
    "effect.stuck_valve": (
        "二次供水温度不再跟随气候补偿曲线，过热或不热",
        "the secondary supply no longer follows its curve: rooms too warm or too cold",
    ),
    "effect.pump_trip": (
        "该站停止供热，室温按建筑时间常数下降",
        "the station gives no heat; rooms cool with the time constant of their buildings",
    ),
    "effect.secondary_leak": (
        "补水与热量流失，水箱可能抽空",
        "water and heat are lost; the tank may run dry",
    ),
    "effect.source_trip": (
        "全网供水温度或压差下降，远端先受影响",
        "supply temperature or head falls in the whole network, first at the sources, later far away",
    ),
    "effect.sensor_bias": (
        "供热未受影响，仅该仪表不可信；计量与控制若用它会出错",
        "heat is not affected; only this meter is wrong, and whatever is billed or controlled by it",
    ),
    "effect.sensor_drift": (
        "供热未受影响，仅该仪表逐渐失准",
        "heat is not affected; this meter is going wrong slowly",
    ),
    "effect.sensor_freeze": (
        "供热未受影响，该仪表的数值不再更新",
        "heat is not affected; this meter repeats an old value",
    ),
    "effect.gateway_offline": (
        "看不到该处数据，控制器按离线前的值运行",
        "nothing is seen of it; its controllers hold their last values",
    ),
    "advice.leak": (
        "核对补水流量计；沿该管段查地面热气、积水和检查井；准备关断两侧分段阀",
        "verify the make-up meter; look for steam, wet ground and water in the chambers; "
        "have the section valves on both sides ready",
    ),
    "advice.blockage": (
        "查看分段阀是否全开；清洗除污器；在两侧检查井测压",
        "see that section valves are fully open; clean strainers; measure pressure in both chambers",
    ),
    "advice.fouling": (
        "比较板换两侧温差与压差，安排拆洗",
        "compare temperature and pressure differences of the exchanger; plan its cleaning",
    ),
    "advice.stuck_valve": (
        "到站手动开关阀门，查执行器电源与反馈",
        "move the valve by hand at the station; check the actuator's power and feedback",
    ),
    "advice.pump_trip": (
        "查电源与变频器故障码，启动备用泵",
        "check power and the drive's fault code; start the stand-by pump",
    ),
    "advice.secondary_leak": (
        "看夜间补水量，逐栋关阀找漏",
        "watch the make-up at night; shut building after building to find it",
    ),
    "advice.source_trip": (
        "联系热源值班，投入调峰热源",
        "call the source's operator; bring the peak boiler in",
    ),
    "advice.sensor_bias": (
        "用便携仪表在现场对比，校准或更换",
        "compare with a portable instrument on site; calibrate or replace",
    ),
    "advice.sensor_drift": ("现场校准，检查接线与供电", "calibrate on site; check wiring and supply"),
    "advice.sensor_freeze": (
        "查采集通道与仪表通讯，必要时重启采集模块",
        "check the channel and the meter's link; restart the acquisition module if need be",
    ),
    "advice.gateway_offline": (
        "查现场电源与网络，联系运营商",
        "check power and network on site; call the carrier",
    ),
    "decide.finding": ("{kind}：{place} {size}", "{kind}: {place} {size}"),
}
