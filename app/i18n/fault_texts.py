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
    "diagnosis.inside": ("查看楼栋 {building} 的室温与各户 →", "Rooms of building {building} →"),
    "diagnosis.none": ("最近一次比对 {at}，本周没有发现", "Last comparison {at}; no findings this week"),
    "diagnosis.calm": (
        "孪生与实测一致，未发现故障",
        "Measured and simulated values agree; nothing is found wrong",
    ),
    "diagnosis.young": (
        "孪生熟悉常态 {h} h，满 {of} h 之后才能发现泄漏、堵塞、结垢等；目前没有其他发现",
        "The twin has known this county for {h} h; leaks, blockages, fouling are found from {of} h on. "
        "Nothing else is found wrong now",
    ),
    "sight.young": (
        "只熟悉了 {h} h 的常态：满 {of} h 之前，除仪表接反、数值不变和设备离线外，其余基本看不到",
        "it has got used to {h} h only: before {of} h it sees crossed, frozen and silent meters, little else",
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
    "fault.worst": ("{station}（偏离最大：{building}）", "{station} (furthest off: {building})"),
    "fault.supply": ("供水", "supply"),
    "fault.return": ("回水", "return"),
    "effect.leak": (
        "约 {v} t/h（每天 {day} t、{heat} GJ）热水流失，补水量上升，末端压力下降",
        "some {v} t/h of hot water ({day} t and {heat} GJ a day) are lost; make-up rises, pressures fall "
        "at the far ends",
    ),
    "effect.blockage": (
        "比常态多损失 {v} kPa，下游资用压差减小，严寒时流量不足",
        "{v} kPa more are lost than usual: less differential pressure behind it, too little flow in "
        "severe cold",
    ),
    "effect.fouling": (
        "一次回水温度升高；设计严寒时该站供热能力约减少 {heat} %，影响 {homes} 户",
        "warmer primary return; in design cold the station can give some {heat} % less heat to {homes} homes",
    ),
    "effect.stuck_valve": (
        "二次供水温度不再跟随气候补偿曲线；若卡在关位且遇设计严寒，{homes} 户约 {hours} 小时后降到 16 °C",
        "the secondary supply no longer follows its curve; shut in design cold, {homes} homes reach 16 "
        "°C after some {hours} hours",
    ),
    "effect.pump_trip": (
        "该站停止供热，{homes} 户在设计严寒时约 {hours} 小时后降到 16 °C",
        "the station gives no heat; in design cold {homes} homes reach 16 °C after some {hours} hours",
    ),
    "effect.secondary_leak": (
        "二次网约 {v} t/h（每天 {day} t、{heat} GJ）流失，水箱可能抽空",
        "some {v} t/h ({day} t and {heat} GJ a day) are lost from the secondary circuit; the tank may "
        "run dry",
    ),
    "effect.source_trip": (
        "供水温度比常态低约 {v} K，近处先受影响，随后全网 {homes} 户",
        "some {v} K below the usual supply temperature, first near the source, then for all {homes} homes",
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
        "看不到该处 {v} 个测点，控制器按离线前的值运行",
        "{v} points are not seen; the controllers hold their last values",
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
    "effect.draw": (
        "一次网被间歇取水，取水时约 {v} t/h；若整天如此，每天 {day} t、{heat} GJ",
        "water is taken from the primary network in bouts of some {v} t/h; all day it would be {day} t "
        "and {heat} GJ",
    ),
    "effect.weak_pump": (
        "二次流量少 {v} %，散热约少 {heat} %，影响 {homes} 户；水泵可能继续变差直至停运",
        "{v} % less secondary flow and some {heat} % less heat for {homes} homes; the pump may get worse "
        "until it stops",
    ),
    "effect.air": (
        "二次流量少 {v} %，散热约少 {heat} %，影响 {homes} 户，高层和末端先不热",
        "{v} % less secondary flow and some {heat} % less heat for {homes} homes, upper floors and far "
        "ends first",
    ),
    "effect.secondary_draw": (
        "二次网被间歇取水，取水时约 {v} t/h；若整天如此，每天 {day} t、{heat} GJ",
        "water is taken from the secondary circuit in bouts of some {v} t/h; all day it would be {day} t "
        "and {heat} GJ",
    ),
    "effect.imbalance": (
        "各楼流量偏离常态约 {v} %，近端过热、远端不热，影响 {homes} 户",
        "the buildings' flows are some {v} % off their habit: some too warm, some too cold among {homes} "
        "homes",
    ),
    "effect.open_room": (
        "该室温比同站其他房间低 {v} K，多耗热，管道有冻裂风险",
        "the room is {v} K below the others of its station: heat is wasted, its pipes may freeze",
    ),
    "effect.sensor_swap": (
        "供热未受影响；孪生已按对调后的数值计算，计量与控制仍然是错的",
        "heat is not affected; the twin reckons with the values put right, billing and control do not",
    ),
    "fault.draw": (
        "一次网被取水",
        "Water taken from the primary network",
    ),
    "fault.weak_pump": (
        "二次循环泵出力下降",
        "Secondary pump weakens",
    ),
    "fault.air": (
        "二次网进气或滤网堵塞",
        "Air or a clogged strainer in the secondary circuit",
    ),
    "fault.secondary_draw": (
        "二次网被取水",
        "Water taken from the secondary circuit",
    ),
    "fault.imbalance": (
        "楼栋间水力失调",
        "Buildings out of balance",
    ),
    "fault.open_room": (
        "开窗或漏风",
        "Window or room left open",
    ),
    "fault.sensor_swap": (
        "供回水仪表接反",
        "Supply and return meters crossed",
    ),
    "advice.draw": (
        "对照取水时段，检查一次网泄水阀、检查井和施工点",
        "look at drain valves, chambers and building sites along the pipes at the hours of the bouts",
    ),
    "advice.weak_pump": (
        "查水泵叶轮、轴承和电流，对照水泵曲线；准备备用泵",
        "compare flow, head and current with the pump's curve; look at impeller and bearings; have the "
        "stand-by pump ready",
    ),
    "advice.air": (
        "在高点排气，检查定压点压力和除污器压差",
        "vent the high points; check the holding pressure and the strainer's pressure loss",
    ),
    "advice.secondary_draw": (
        "按取水时段逐栋查用户放水，加装防盗水装置或投放臭味剂",
        "look building by building for taps on radiators at the hours of the bouts; add odorant",
    ),
    "advice.imbalance": (
        "按楼栋流量调平入口平衡阀，远端优先",
        "set the inlet valves by the buildings' flows, far ends first",
    ),
    "advice.open_room": (
        "联系住户关窗，查看单元门和楼道窗",
        "call the home; look at doors and stair windows",
    ),
    "advice.sensor_swap": (
        "到站对调两块仪表的接线或通道，再核对一次",
        "change over the wires or channels of the two meters on site, then compare once more",
    ),
    "fault.zone": (
        "可能区段：{n} 段管道、共 {m} m，合计可能性 {p} %",
        "Probable zone: {n} pipes, {m} m in all, together {p} %",
    ),
    "said.title": (
        "处理意见",
        "What people say",
    ),
    "said.text": (
        "备注（可空）",
        "Note (may be empty)",
    ),
    "said.confirm": (
        "确认属实",
        "Confirm",
    ),
    "said.reject": (
        "不属实",
        "Reject",
    ),
    "said.note": (
        "只记备注",
        "Note only",
    ),
    "said.done": (
        "已记录",
        "Noted",
    ),
    "said.refused": (
        "未能记录：{why}",
        "Not noted: {why}",
    ),
    "said.confirmed": (
        "确认属实",
        "confirmed",
    ),
    "said.rejected": (
        "判为不属实",
        "rejected",
    ),
    "said.noted": (
        "备注",
        "note",
    ),
    "said.line": (
        "{at} {who} {what} {text}",
        "{at} {who} {what} {text}",
    ),
    "said.nobody": (
        "值班",
        "operator",
    ),
    "said.rate": (
        "已核实 {n} 项，属实 {k} 项（{p} %）",
        "{n} findings judged, {k} true ({p} %)",
    ),
    "said.no_rate": (
        "尚无人工核实",
        "none judged by people yet",
    ),
    "said.muted": (
        "{h} 小时内不再提示，除非明显加重",
        "not told again for {h} h unless it grows",
    ),
    "sight.title": (
        "孪生看不到什么",
        "What the twin cannot know",
    ),
    "sight.leak": (
        "一半管段上能发现循环量 {p} % 的泄漏；1 % 的泄漏一小时后能缩小到约 {m} m 管道",
        "A leak of {p} % of the circulation is seen in half of the pipes; one of 1 % can be placed "
        "among some {m} m of pipe after an hour",
    ),
    "sight.no_loop": (
        "管网没有环：没有第二条路可以互相印证，缺一块流量计就不知道那条支路的流量",
        "The network has no loop: no second way confirms the first, and without a flow meter the "
        "flow of its branch is unknown",
    ),
    "sight.one_station": (
        "只有一个热力站：没有别的站可比，热源仪表与站内仪表谁错分不出，泄漏也无法定位",
        "Only one station: nothing to compare with, so an error of the source's meters cannot be "
        "told from one of the station's, and leaks cannot be placed",
    ),
    "sight.dead": (
        "诊断所需测点有 {p} % 没有数据",
        "{p} % of the points that diagnosis needs have no data",
    ),
    "sight.blind": (
        "{kind}：只有 {p} % 的位置看得见",
        "{kind}: visible at {p} % of the places only",
    ),
    "sight.crossed": (
        "{place} 与回水仪表接反，已按对调后的数值计算",
        "{place} and its return meter are crossed; the twin reckons with the values put right",
    ),
    "sight.survey": (
        "{place} 这一路的阻力与图纸不符，像是管径为图纸的 {v} 倍（或阀门未全开、"
        "同一路相邻管段有误）；沿线压力不可信",
        "{place} and the pipes in row with it do not resist as surveyed: as if {v} times as wide "
        "(or a valve not open); simulated pressures behind it cannot be trusted",
    ),
    "sight.mend": (
        "最值得修：{names}，可多看见 {p} % 的故障",
        "Most worth mending: {names}; {p} % more of the faults would be seen",
    ),
    "sight.more": (
        "{names} 等 {n} 个测点",
        "{names} and others, {n} points in all",
    ),
    "sight.none": (
        "尚未评估",
        "Not judged yet",
    ),
    "fault.room": ("{building} {room}室", "{building} {room}"),
    "fault.times": ("×{v}", "×{v}"),
}
