"""Findings: what is wrong with a county, feature by feature, in Chinese and English.

A finding says *where* (layer and id), *what* (a code of ``CODES``) and *with which numbers* (``values``).
An ``error`` makes a county unusable and is never loaded; a ``warning`` is shown and may be right.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingCode:
    """One row of the table of reasons; ``zh`` and ``en`` are templates filled with ``Finding.values``."""

    error: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One bad feature. ``values`` fill the templates of its code, as (name, text) pairs."""

    layer: str
    id: str
    code: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def is_error(self) -> bool:
        """True when the county must not be used with it."""
        return CODES[self.code].error

    def reason(self, lang: str = "en") -> str:
        """Return the reason in words; ``lang`` is ``zh`` or ``en``."""
        row, values = CODES[self.code], dict(self.values)
        if lang == "zh":
            return row.zh.format(**{k: _WORDS_ZH.get(v, v) for k, v in values.items()})
        return row.en.format(**values)

    def line(self, lang: str = "en") -> str:
        """Return ``layer, id: reason [code]``."""
        return f"{self.layer}, {self.id or '-'}: {self.reason(lang)} [{self.code}]"


def make_finding(layer: str, feature_id: str, code: str, **values: object) -> Finding:
    """Return a finding; numbers are written with up to six digits."""
    texts = ((k, f"{v:.6g}" if isinstance(v, float) else str(v)) for k, v in values.items())
    return Finding(layer, str(feature_id), code, tuple(texts))


def split_findings(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return (errors, warnings), each in the order given."""
    rows = tuple(findings)
    return tuple(f for f in rows if f.is_error), tuple(f for f in rows if not f.is_error)


_E, _W = True, False

# words that appear as values, in Chinese
_WORDS_ZH = {
    "start": "起点",
    "end": "终点",
    "position": "位置",
    "supply": "供水",
    "return": "回水",
    "text": "文字",
    "a number": "数值",
    "a whole number": "整数",
    "true or false": "是或否",
    "a nominal size or outer x wall": "公称直径（DN）或 外径×壁厚",
    "a ring needs three corners or more": "面至少要有三个顶点",
    "a line needs two positions or more": "线至少要有两个点",
    "a point has one position": "点只能有一个位置",
    "the code of the county": "县级行政区划代码",
    "the county's name": "县名",
    "month-day, e.g. 11-01": "月-日，例如 11-01",
    "month-day, e.g. 03-31": "月-日，例如 03-31",
    "lon, lat in degrees": "经度、纬度（度）",
}

CODES: dict[str, FindingCode] = {
    # --- every layer
    "no_id": FindingCode(
        _E,
        "没有编号，请补上 id",
        "has no id; give it one",
    ),
    "duplicate_id": FindingCode(
        _E, "编号重复（第 {first} 行与第 {row} 行）", "id used twice (rows {first} and {row})"
    ),
    "bad_text": FindingCode(
        _E, "{field} 含有控制字符，请删去", "{field} holds control characters; take them out"
    ),
    "not_finite": FindingCode(
        _E,
        "{field} 为空或不是有限数值",
        "{field} is empty or not a finite number",
    ),
    "out_of_range": FindingCode(
        _E,
        "{field} = {value} {unit}，应在 {low} 到 {high} 之间",
        "{field} = {value} {unit}, must lie in {low} to {high}",
    ),
    "unknown_word": FindingCode(
        _E, "{field} 的取值 {value} 不认识，可用：{words}", "{field} is {value}; one of: {words}"
    ),
    "far_away": FindingCode(
        _E,
        "位置距县中心 {km} km，请检查坐标系和经纬度顺序",
        "lies {km} km from the county's centre; check the CRS and the order of lon and lat",
    ),
    "wrong_order": FindingCode(
        _E,
        "{high} 应大于 {low}",
        "{high} must be above {low}",
    ),
    "bad_shape": FindingCode(
        _E,
        "图形不对：{why}",
        "has a broken shape: {why}",
    ),
    "ring_open": FindingCode(
        _E,
        "轮廓线没有闭合",
        "its ring is not closed",
    ),
    # --- places
    "unknown_parent": FindingCode(
        _E,
        "上级 {parent} 不存在",
        "its parent {parent} does not exist",
    ),
    "wrong_parent": FindingCode(
        _E,
        "{kind} 的上级应为 {expected}，实为 {found}",
        "a {kind} belongs to a {expected}, this one to a {found}",
    ),
    "no_root": FindingCode(
        _E,
        "应恰有一个县级（county）地点，现有 {count} 个",
        "there must be exactly one place of kind county; found {count}",
    ),
    "place_cycle": FindingCode(
        _E,
        "上级关系成环",
        "is its own ancestor",
    ),
    # --- references
    "unknown_node": FindingCode(
        _E,
        "{field} 指向不存在的节点 {ref}",
        "{field} names the unknown node {ref}",
    ),
    "unknown_pipe": FindingCode(
        _E,
        "指向不存在的管段 {ref}",
        "names the unknown pipe {ref}",
    ),
    "unknown_place": FindingCode(
        _E, "{field} 指向不存在的地点 {ref}", "{field} names the unknown place {ref}"
    ),
    "unknown_substation": FindingCode(
        _E,
        "指向不存在的换热站 {ref}",
        "names the unknown substation {ref}",
    ),
    "unknown_device": FindingCode(
        _E,
        "指向不存在的设备 {ref}",
        "names the unknown device {ref}",
    ),
    # --- network
    "zero_length": FindingCode(
        _E,
        "管段长度为零",
        "has no length",
    ),
    "same_ends": FindingCode(
        _E,
        "起点和终点是同一节点 {node}",
        "starts and ends at the same node {node}",
    ),
    "ends_apart": FindingCode(
        _E,
        "{end} 端距节点 {node} {distance} m，超过容差 {limit} m",
        "its {end} lies {distance} m from node {node}, more than {limit} m",
    ),
    "length_differs": FindingCode(
        _W,
        "给定长度 {given} m 与图上长度 {drawn} m 相差过大",
        "given length {given} m is far from its drawn length {drawn} m",
    ),
    "pair_incomplete": FindingCode(
        _E,
        "管对 {pair} 有供水管 {supply} 根、回水管 {ret} 根，应各一根",
        "pair {pair} has {supply} supply and {ret} return pipes; it needs one of each",
    ),
    "pair_differs": FindingCode(
        _E,
        "管对 {pair} 的供、回水管连接的节点不同",
        "the two pipes of pair {pair} join different nodes",
    ),
    "island": FindingCode(
        _E,
        "在 {side} 侧与任何热源都不连通",
        "is not connected to any source on the {side} side",
    ),
    "lonely_node": FindingCode(
        _W,
        "没有任何管段与它相连",
        "no pipe ends here",
    ),
    "no_source": FindingCode(
        _E,
        "管网没有热源",
        "the network has no heat source",
    ),
    "no_pressure": FindingCode(
        _E,
        "没有定压的热源（holds_pressure）",
        "no source holds the pressure (holds_pressure)",
    ),
    "valve_off_pipe": FindingCode(
        _W,
        "距管段 {pipe} {distance} m",
        "lies {distance} m from its pipe {pipe}",
    ),
    "height_differs": FindingCode(
        _W,
        "高程 {given} m 与地形 {ground} m 相差过大",
        "its elevation {given} m is far from the ground there, {ground} m",
    ),
    # --- stations and buildings
    "bad_curve": FindingCode(
        _E,
        "气候补偿曲线应至少两点，室外温度递增、供水温度不升",
        "its curve needs two points or more, outdoor rising, supply never rising",
    ),
    "no_buildings": FindingCode(
        _W,
        "没有建筑由它供热",
        "feeds no building",
    ),
    "area_differs": FindingCode(
        _W,
        "供热面积 {given} m² 与所属建筑合计 {sum} m² 相差过大",
        "its area {given} m² is far from the {sum} m² of its buildings",
    ),
    "heated_without_substation": FindingCode(
        _E, "供热建筑没有所属换热站", "is heated but names no substation"
    ),
    # --- devices and points
    "unknown_quantity": FindingCode(
        _E,
        "物理量 {value} 不认识",
        "has the unknown quantity {value}",
    ),
    "unknown_unit": FindingCode(
        _E,
        "单位 {value} 不认识",
        "has the unknown unit {value!s}",
    ),
    "unit_misfit": FindingCode(
        _E, "单位 {unit} 不能表示物理量 {quantity}", "the unit {unit} cannot carry the quantity {quantity}"
    ),
    "unknown_key": FindingCode(
        _W, "测点类型 {value} 不在测点表中", "its key {value} is not in the table of point kinds"
    ),
    "quantity_differs": FindingCode(
        _E,
        "测点类型 {key} 的物理量应为 {expected}，实为 {found}",
        "key {key} measures {expected}, not {found}",
    ),
    "point_no": FindingCode(
        _E, "序号 no = {no}，但位置是 {row}", "its no is {no} but it is row {row}; they must agree"
    ),
    "point_id": FindingCode(
        _E,
        "id 应为 {expected}",
        "its id must be {expected}",
    ),
    "duplicate_external": FindingCode(
        _E, "与 {other} 的外部名称相同：{name}", "has the same name on the wire as {other}: {name}"
    ),
    # --- terrain and meta
    "small_terrain": FindingCode(
        _E,
        "地形网格至少 2×2",
        "the terrain grid needs 2 by 2 heights or more",
    ),
    "bad_meta": FindingCode(
        _E, "{field} 的取值 {value} 不对，应为 {expected}", "{field} is {value}; give {expected}"
    ),
    # --- files and import
    "missing_layer": FindingCode(
        _E,
        "缺少图层",
        "the layer is missing",
    ),
    "missing_column": FindingCode(
        _E,
        "缺少列 {column}",
        "the column {column} is missing",
    ),
    "wrong_type": FindingCode(
        _E, "列 {column} 的值 {value} 应为 {expected}", "column {column} holds {value}; it must be {expected}"
    ),
    "empty_layer": FindingCode(
        _W,
        "图层没有要素",
        "the layer has no features",
    ),
    "no_geometry": FindingCode(
        _E,
        "没有图形",
        "has no geometry",
    ),
    "unreadable": FindingCode(
        _E,
        "读不出来：{why}",
        "cannot be read: {why}",
    ),
    "unmapped_value": FindingCode(
        _E,
        "列 {column} 的值 {value} 没有对应关系，请补到 values 中",
        "column {column} holds {value}, which the value table does not name; add it to values",
    ),
    "missing_source_column": FindingCode(
        _E,
        "文件 {file} 没有列 {column}，现有：{has}",
        "the file {file} has no column {column}; it has: {has}",
    ),
    "no_crs": FindingCode(
        _E,
        "文件 {file} 没有坐标系，请在映射里写明 crs{hint}",
        "the file {file} names no coordinate system; write crs in the mapping{hint}",
    ),
    "no_node_near": FindingCode(
        _E,
        "{end} {limit} m 内没有节点（最近 {distance} m）",
        "no node within {limit} m of its {end} (nearest {distance} m)",
    ),
    "parts_dropped": FindingCode(
        _W,
        "由 {parts} 部分组成，只保留最大的一部分",
        "is made of {parts} parts; only the largest is kept",
    ),
    "holes_dropped": FindingCode(_W, "内部有 {holes} 个洞，已忽略", "has {holes} holes, which are left out"),
    "shifted_position": FindingCode(
        _W,
        "坐标判定为 {crs}（偏差 {own} m，改正后 {mended} m），已转换；如不对请写明 crs",
        "its positions look like {crs} ({own} m off as they are, {mended} m when mended) and were "
        "converted; if that is wrong, write crs in the mapping",
    ),
    "unsure_position": FindingCode(
        _W,
        "文件 {file} 的坐标按 {crs} 使用，无法核对是否为 GCJ-02；请写明 crs",
        "the positions of {file} were taken as {crs}; nothing tells whether they are GCJ-02: write crs",
    ),
    "rough_transform": FindingCode(
        _W,
        "从 {crs} 到 WGS 84 的转换精度约 {metres} m，请用控制点核对",
        "the change from {crs} to WGS 84 is good to {metres} m only; check it with a control point",
    ),
    "no_heights": FindingCode(
        _W,
        "没有地形和节点高程，全部按 0 m 处理，静压将不可信",
        "neither terrain nor node elevations were given: all lie at 0 m and static pressures mean nothing",
    ),
}
