"""Words of the leak search: key -> (Chinese, English)."""

SEARCH_TEXTS: dict[str, tuple[str, str]] = {
    "search.title": ("下一步查漏", "Leak search: what to do next"),
    "search.waiting": (
        "孪生正在计算下一步（约半分钟）",
        "The twin is working out the next check (about half a minute)",
    ),
    "search.zones": (
        "可能区段：{trail}；漏点在最可能管段 200 m 以内的可能性 {p} %",
        "Zone: {trail}; within 200 m of the most probable pipe with {p} %",
    ),
    "search.draw": (
        "疑为间歇取水：量测须在补水升高、正在取水时进行",
        "Water seems to be taken in bouts: measure while the make-up is high",
    ),
    "search.enough": (
        "再量意义不大：在区段内逐井听漏、用相关仪定点后开挖",
        "More readings would tell little: listen chamber by chamber, pinpoint with a correlator, then dig",
    ),
    "search.results": ("已有结果", "Found so far"),
    "search.chamber": ("检查井 {id}（{where}）", "chamber {id} ({where})"),
    "search.from_station": ("距{name} {m} m", "{m} m from {name}"),
    "search.clamp": ("夹装流量计", "Clamp-on flow meter"),
    "search.valve": ("关阀看补水", "Shut valves, watch make-up"),
    "search.listen": ("听漏", "Listen"),
    "search.kind": ("核查方法", "Kind of check"),
    "search.clamp_do": (
        "在{where}用手持超声波流量计先后量 {sections} 段供、回水流量（孪生算得约 {v} m³/h）。",
        "At {where}, measure the supply and return flow of {sections} with the clamp-on meter (simulated: "
        "some {v} m³/h). ",
    ),
    "search.clamp_expect": (
        "若漏点靠这一段供水，供水比回水约多 {beyond} t/h；否则约 {before} t/h（误差 ±{error}）。"
        "照仪表读数填 m³/h，换算由孪生完成。",
        "If the leak is fed through it, supply less return is some {beyond} t/h, else {before} t/h "
        "(error ±{error}). Enter m³/h as read: the twin converts. ",
    ),
    "search.valve_do": (
        "从{where}起，关 {sections} 段供、回水分段阀约 10 分钟，看热源补水；其间 {n} 座热力站断水。",
        "From {where} on, shut the section valves of {sections}, both pipes, for some 10 minutes and watch "
        "the make-up; {n} stations go without water meanwhile. ",
    ),
    "search.valve_expect": (
        "若漏点在里面，补水减少约 {beyond} t/h；否则不变（误差 ±{error}）。",
        "If the leak is inside, make-up falls by some {beyond} t/h, else it stays (error ±{error}). ",
    ),
    "search.listen_do": (
        "在{where}听漏（听漏棒或电子听漏仪，供、回水管都听）。",
        "At {where}, listen to both pipes (rod or electronic). ",
    ),
    "search.listen_expect": (
        "漏点在近旁时约 {beyond} % 听得到；不在时误听约 {before} %。",
        "A leak nearby is heard with some {beyond} %; without one, {before} % imagine it. ",
    ),
    "search.worth": (
        "漏点在这一侧的可能性 {p} %；做完后区段平均剩 {m} m，约 {min} 分钟。",
        "On this side with {p} %; leaves {m} m of zone on average, takes some {min} min. ",
    ),
    "search.use": ("填这一项结果", "Enter this result"),
    "search.chamber_id": ("检查井编号", "Chamber"),
    "search.sections": ("管段编号（多段用空格分开）", "Sections (several: with spaces)"),
    "search.supply_m3_h": ("供水流量 m³/h", "Supply flow m³/h"),
    "search.return_m3_h": ("回水流量 m³/h", "Return flow m³/h"),
    "search.before_m3_h": ("关阀前补水 m³/h", "Make-up before, m³/h"),
    "search.after_m3_h": ("关阀后补水 m³/h", "Make-up after, m³/h"),
    "search.text": ("备注（可空）", "Note (may be empty)"),
    "search.heard": ("听到漏水声", "Leak heard"),
    "search.silent": ("没有听到", "Nothing heard"),
    "search.send": ("记录结果", "Note the result"),
    "search.done": (
        "已记录，孪生下一轮（约半分钟）重新定位",
        "Noted; the twin places the leak anew at its next look (about half a minute)",
    ),
    "search.undo": ("撤销", "Take back"),
    "search.clamp_line": (
        "{at} {who} 夹装流量 {chamber} {sections}：供 {a}、回 {b} m³/h {text}",
        "{at} {who} clamp-on {chamber} {sections}: supply {a}, return {b} m³/h {text}",
    ),
    "search.valve_line": (
        "{at} {who} 关阀 {sections}：补水 {a} → {b} m³/h {text}",
        "{at} {who} shut {sections}: make-up {a} → {b} m³/h {text}",
    ),
    "search.listen_line": (
        "{at} {who} 听漏 {chamber}：{heard} {text}",
        "{at} {who} listened at {chamber}: {heard} {text}",
    ),
}
