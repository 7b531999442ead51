"""Every visible word of the scene: key -> (Chinese, English). One table, so that none is missed."""

SCENE_TEXTS: dict[str, tuple[str, str]] = {
    "scene.title": ("热网三维场景", "3D scene of the heat network"),
    "scene.loading": ("正在绘制场景…", "Drawing the scene…"),
    "scene.reset": ("复位视角，再按一次正北朝上", "Reset view; press again for north up"),
    "scene.flat": ("切换为俯视", "View from above"),
    "scene.tilt": ("切换为立体", "View at an angle"),
    "scene.zoom_in": ("放大", "Zoom in"),
    "scene.zoom_out": ("缩小", "Zoom out"),
    "scene.layers": ("图层", "Layers"),
    "scene.colour_by": ("管网着色", "Pipes coloured by"),
    "scene.supply": ("供水", "Supply"),
    "scene.return": ("回水", "Return"),
    "scene.buildings": ("建筑", "Buildings"),
    "scene.roads": ("道路", "Roads"),
    "scene.stations": ("换热站", "Heat stations"),
    "scene.sources": ("热源", "Heat sources"),
    "scene.labels": ("标注", "Labels"),
    "scene.temperature": ("温度", "Temperature"),
    "scene.pressure": ("压力", "Pressure"),
    "scene.flow": ("流量", "Flow"),
    "scene.simulated": ("孪生计算值", "simulated"),
    "scene.no_answer": ("无计算结果", "no answer"),
    "scene.no_network": ("孪生尚无计算结果", "The twin has no answer yet"),
    "scene.as_of": ("计算于", "as of"),
    "scene.seconds_ago": ("{n} 秒前", "{n} s ago"),
    "scene.minutes_ago": ("{n} 分钟前", "{n} min ago"),
    "scene.hours_ago": ("{n} 小时前", "{n} h ago"),
    "scene.measured": ("实测", "measured"),
    "scene.north": ("北", "N"),
    "scene.pipe_supply": ("供水管", "Supply pipe"),
    "scene.pipe_return": ("回水管", "Return pipe"),
    "scene.diameter": ("内径", "Inner diameter"),
    "scene.length": ("长度", "Length"),
    "scene.laid": ("敷设年份", "Laid"),
    "scene.area": ("面积", "Area"),
    "scene.floors": ("层数", "Floors"),
    "scene.year": ("建成", "Built"),
    "scene.homes": ("户数", "Homes"),
    "scene.use": ("用途", "Use"),
    "scene.heat_index": ("设计热指标", "Design heat index"),
    "scene.station": ("换热站", "Heat station"),
    "scene.source": ("热源", "Heat source"),
    "scene.unheated": ("未接入供热", "not on the heat network"),
    "scene.supply_temperature": ("供水温度", "Supply temperature"),
    "scene.return_temperature": ("回水温度", "Return temperature"),
    "scene.use.residential": ("住宅", "residential"),
    "scene.use.school": ("学校", "school"),
    "scene.use.hospital": ("医院", "hospital"),
    "scene.use.shop": ("商铺", "shop"),
    "scene.use.office": ("办公", "office"),
    "scene.use.public": ("公共建筑", "public"),
    "scene.use.village": ("农宅", "village house"),
    "scene.use.oldtown": ("老城民居", "old-town house"),
    "scene.use.industrial": ("工业", "industrial"),
    "scene.no_webgl": (
        "此浏览器未能启用三维绘图（WebGL），下面是平面图；换热站列表和各项数值照常可用。"
        "请启用显卡加速，或换用新版 Chrome、Edge、Firefox。",
        "This browser could not start 3D drawing (WebGL); below is a flat map. The list of stations and all"
        " values work as usual. Turn on graphics acceleration, or use a current Chrome, Edge or Firefox.",
    ),
    "scene.lost": (
        "三维绘图中断，正在恢复…",
        "3D drawing was interrupted; restoring it…",
    ),
    "scene.failed": (
        "场景数据未能读取；十秒后重试。其余页面照常可用。",
        "The scene's data could not be read; trying again in ten seconds. All other pages work.",
    ),
}


def read_texts(lang: str) -> dict[str, str]:
    """Return the scene's words in ``lang`` (``zh`` or ``en``), keys without the ``scene.`` prefix."""
    column = 1 if lang == "en" else 0
    return {key.removeprefix("scene."): words[column] for key, words in SCENE_TEXTS.items()}
