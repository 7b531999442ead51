"""The report of an import: what was read, what was assumed, what is wrong; in Chinese and English."""

from dataclasses import dataclass
from pathlib import Path

from ingest.county.schema import LAYERS
from twin.model.findings import Finding, split_findings


@dataclass(frozen=True, slots=True)
class Note:
    """Something the importer assumed or made; ``values`` fill the text of its code."""

    layer: str
    code: str
    values: tuple[tuple[str, str], ...] = ()

    def text(self, lang: str) -> str:
        """Return the note in words."""
        (zh, en), values = NOTES[self.code], dict(self.values)
        if lang == "zh":
            return zh.format(**{k: _HOW_ZH.get(v, v) for k, v in values.items()})
        return en.format(**values)


def make_note(layer: str, code: str, **values: object) -> Note:
    """Return a note with its values as text."""
    return Note(layer, code, tuple((k, str(v)) for k, v in values.items()))


NOTES: dict[str, tuple[str, str]] = {
    "crs_declared": (
        "{file}：坐标系按映射取 {crs}，文字编码 {encoding}",
        "{file}: coordinates {crs} as the mapping says, text {encoding}",
    ),
    "crs_of_file": (
        "{file}：坐标系按文件取 {crs}，文字编码 {encoding}",
        "{file}: coordinates {crs} as the file says, text {encoding}",
    ),
    "numbered": ("{count} 个要素没有编号，已按行编号", "{count} features without id were numbered by row"),
    "side_assumed": ("没有供回水标识，全部按供水管处理", "no side was given: all are taken as supply pipes"),
    "mirrored": (
        "没有回水管，已按供水管生成 {count} 根回水管",
        "no return pipes: {count} were drawn beside their supply pipes",
    ),
    "nodes_made": (
        "没有节点图层，已由管段端点生成 {count} 个节点（{snap} m 内视为同一点）",
        "no nodes layer: {count} nodes were made of pipe ends (one within {snap} m)",
    ),
    "ends_joined": (
        "{count} 个管段端点按位置连接到节点（{snap} m 内）",
        "{count} pipe ends were joined to their node by position (within {snap} m)",
    ),
    "attached": ("{count} 个按位置连接到最近节点", "{count} were attached to the nearest node"),
    "paired": ("{count} 对供回水管按端点配对", "{count} pairs were found by their ends"),
    "derived": ("{column}：{count} 个由程序推算（{how}）", "{column}: {count} derived ({how})"),
    "defaulted": ("{column}：{count} 个取默认值 {value}", "{column}: {count} took the default {value}"),
    "terrain_made": (
        "地形由 {count} 个高程点内插，格距 {step} m",
        "terrain interpolated from {count} heights, step {step} m",
    ),
    "terrain_flat": (
        "没有地形数据，按平地 {height} m 处理",
        "no terrain: flat ground at {height} m",
    ),
    "places_made": ("{count} 个行政地点由程序补上", "{count} places were added to complete the tree"),
}

_HOW_ZH = {
    "drawn length": "图上长度",
    "terrain": "取自地形",
    "nearest": "取最近者",
    "height / 3 m": "高度 / 3 m",
    "3 m per floor": "每层 3 m",
    "substation given": "有所属换热站即为供热",
    "footprint x floors": "基底面积 × 层数",
    "heat / design difference": "设计热负荷 / 设计温差",
    "80 h": "时间常数 80 h",
    "25 K": "温差 25 K",
    "2 x distance to station": "到换热站距离的 2 倍",
    "sum of its buildings": "所属建筑合计",
    "mean difference": "对数平均温差",
    "1.5 x flow": "设计流量的 1.5 倍",
    "radiator equation": "散热器公式",
    "largest source": "最大热源定压",
    "in order": "按顺序",
    "of the device": "取设备所在地点",
    "the key": "同测点类型",
    "point kind": "按测点表",
}

_WORDS = {
    "zh": {
        "title": "县域数据导入报告",
        "counts": "要素数量",
        "notes": "处理说明",
        "errors": "错误",
        "warnings": "警告",
        "saved": "已写入 {into}",
        "refused": "有 {count} 个错误，未写入任何数据；请改正后重新导入",
        "warned": "有 {count} 个警告且不允许警告，未写入任何数据",
        "unchecked": "数据尚不能组成管网，连通性等检查将在改正以上错误后进行",
        "terrain": "地形",
    },
    "en": {
        "title": "County import report",
        "counts": "Features",
        "notes": "Assumed and made",
        "errors": "Errors",
        "warnings": "Warnings",
        "saved": "Written to {into}",
        "refused": "{count} errors: nothing was written; mend them and import again",
        "warned": "{count} warnings and warnings are not allowed: nothing was written",
        "unchecked": "Not yet put together: islands, ends and pairs are checked once this is mended",
        "terrain": "terrain",
    },
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. ``counts``: features per layer; ``checked``: the county could be
    put together and was checked as a whole; ``saved``: it was written to ``into``."""

    into: Path
    counts: dict[str, int]
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...]
    checked: bool
    saved: bool = False

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that forbid loading."""
        return split_findings(self.findings)[0]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that may be right."""
        return split_findings(self.findings)[1]

    def text(self, lang: str = "zh") -> str:
        """Return the report as lines of text; ``lang`` is ``zh`` or ``en``."""
        w = _WORDS["zh" if lang == "zh" else "en"]
        lines = [w["title"], "", f"{w['counts']}:"]
        for name, count in self.counts.items():
            zh = LAYERS[name].zh if name in LAYERS else w["terrain"]
            label = f"{zh} {name}" if lang == "zh" else name
            lines.append(f"  {label}: {count}")
        if self.notes:
            lines += ["", f"{w['notes']}:"]
            lines += [f"  {n.layer}: {n.text(lang)}" for n in self.notes]
        for head, rows in (("errors", self.errors), ("warnings", self.warnings)):
            if rows:
                lines += ["", f"{w[head]} ({len(rows)}):"]
                lines += [f"  {f.line(lang)}" for f in rows]
        if not self.checked:
            lines += ["", w["unchecked"]]
        lines += ["", self._verdict(w)]
        return "\n".join(lines)

    def _verdict(self, words: dict[str, str]) -> str:
        if self.saved:
            return words["saved"].format(into=self.into)
        if self.errors:
            return words["refused"].format(count=len(self.errors))
        return words["warned"].format(count=len(self.warnings))
