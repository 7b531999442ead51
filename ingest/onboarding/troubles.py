"""What is wrong with a flow or a message on its way, block by block, in Chinese and English.

An error keeps a flow from being published; a warning is shown and may be right.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.reasons import translate_reason


@dataclass(frozen=True, slots=True)
class Trouble:
    """One finding. ``block``: where; ``code``: a row of ``TROUBLES``; ``values`` fill its text."""

    block: str
    code: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the flow must not be published with it."""
        return TROUBLES[self.code][0]

    def text(self, lang: str) -> str:
        """One sentence with the place and the mend."""
        _, zh, en = TROUBLES[self.code]
        said = {k: translate_reason(v, lang) if k == "why" else v for k, v in self.values}
        return (zh if lang == "zh" else en).format(**said)


def make_trouble(block: str, code: str, **values: object) -> Trouble:
    """Return a trouble; numbers are written with up to six digits."""
    return Trouble(
        block,
        code,
        tuple((k, f"{v:.6g}" if isinstance(v, float) else str(v)[:120]) for k, v in values.items()),
    )


def has_errors(troubles: Iterable[Trouble]) -> bool:
    """Whether one of them is an error."""
    return any(t.is_error for t in troubles)


E, W = True, False
TROUBLES: dict[str, tuple[bool, str, str]] = {
    # --- source
    "flow_id": (
        E,
        "流程编号 {id} 不合规：用 1 到 40 个小写字母、数字或 -，以字母或数字开头",
        "the flow's id {id} will not do: 1 to 40 small letters, digits or -, a letter or digit first",
    ),
    "flow_name": (E, "流程没有名称，请填写", "the flow has no name: give it one"),
    "no_source": (
        E,
        "没有说明消息从哪里来：选协议，或填写主题过滤器",
        "no source: choose a dialect or a filter",
    ),
    "bad_filter": (
        E,
        "主题过滤器 {filter} 不对：以固定的词开头，+ 与 # 单独成级，# 只在末尾",
        "the topic filter {filter} is wrong: begin with a fixed word, + and # fill a level, # comes last",
    ),
    "filter_taken": (
        E,
        "主题过滤器 {filter} 与“{other}”的 {theirs} 重叠：换一个，或改用那一种协议",
        "the topic filter {filter} overlaps {theirs} of {other}: choose another, or use that dialect",
    ),
    "other_topic": (
        E,
        "主题 {topic} 不属于 {filter}：修改过滤器或换一条报文",
        "the topic {topic} does not pass {filter}: mend the filter or take another message",
    ),
    "no_payload": (
        W,
        "还没有报文：粘贴一条，或监听主题",
        "no message yet: paste one, or listen to the topic",
    ),
    # --- decode
    "unreadable": (E, "无法解析：{why}", "cannot be read: {why}"),
    "partly": (W, "有一部分无法解析：{why}", "a part cannot be read: {why}"),
    "nothing_read": (
        E,
        "报文里没有数值：检查取值路径",
        "no values in the message: look at the path of the values",
    ),
    "bad_source": (E, "{field} 的取值 {value} 不对，可用：{words}", "{field} is {value}; one of: {words}"),
    # --- map
    "no_maps": (E, "还没有映射任何测点：为键选择测点", "no key is mapped yet: choose a point for each key"),
    "not_mapped": (
        W,
        "键 {key} 没有映射：选择测点，或选“忽略”；否则每条报文都会留在“无法解析”里",
        "the key {key} is not mapped: choose a point or ignore it, else every message stays as unreadable",
    ),
    "map_twice": (E, "{field} {key} 出现两次：删去一个", "{field} {key} stands there twice: take one out"),
    "bad_key": (
        E,
        "测点名 {key} 不合规：小写字母开头，用小写字母、数字和 _，至多 40 个",
        "the point {key} has a bad name: small letters, digits and _, a letter first, 40 at most",
    ),
    "bad_measure": (E, "测点 {key}：{why}", "point {key}: {why}"),
    "kind_differs": (
        E,
        "测点 {key} 的物理量应为 {expected}，不是 {found}：改物理量或改测点名",
        "the point {key} measures {expected}, not {found}: mend the quantity or the name",
    ),
    "bad_period": (
        E,
        "测点 {key} 的周期应在 0.1 到 10000000 秒之间",
        "the period of {key} must be 0.1 to 1e7 s",
    ),
    # --- devices
    "no_devices": (E, "还没有登记设备：至少一台", "no device yet: at least one"),
    "bad_device": (
        E,
        "设备名 {name} 不对：1 到 80 个字符，不含控制字符，不以 ~ 开头",
        "the device name {name} will not do: 1 to 80 printable characters, not beginning with ~",
    ),
    "device_twice": (
        E,
        "设备 {name} 出现两次：删去一个",
        "the device {name} stands there twice: take one out",
    ),
    "no_place": (
        E,
        "设备 {name} 还没有地点：从列表中选择",
        "the device {name} has no place yet: choose one of the list",
    ),
    "unknown_place": (
        E,
        "设备 {name} 的地点 {place} 不存在：从列表中选择",
        "the place {place} of device {name} does not exist: choose one of the list",
    ),
    "bad_part": (
        E,
        "设备 {name} 的部位 {part} 不对：至多 40 个字符，不含 / 和 :",
        "the part {part} of device {name} will not do: 40 characters at most, without / and :",
    ),
    "not_listed": (
        W,
        "报文里的设备 {name} 没有登记：加入设备列表，否则它的报文仍无法解析",
        "the device {name} of the message is not listed: add it, else its messages stay unreadable",
    ),
    "device_taken": (
        E,
        "设备名 {name} 已被 {other} 使用（同一协议）：去掉它，或修改原来的设备",
        "the device name {name} is taken by {other} (same dialect): take it out, or mend that one",
    ),
    "point_taken": (
        E,
        "测点 {point} 已属于 {other}：给设备填写“部位”以示区别",
        "the point {point} belongs to {other} already: give the device a part to tell them apart",
    ),
    "point_clash": (
        E,
        "设备 {name} 与 {other} 的测点 {point} 相同：给其中一台填写“部位”",
        "devices {name} and {other} both make the point {point}: give one of them a part",
    ),
    # --- check
    "out_of_range": (
        W,
        "{key} = {value} {unit}，超出 {low} 到 {high}：检查单位或量程",
        "{key} is {value} {unit}, outside {low} to {high}: look at the unit or the range",
    ),
    "clock_off": (
        W,
        "{name} 的时间与现在相差 {gap}：检查时间格式、时区或设备时钟",
        "the time of {name} is {gap} off: look at its format, the time zone or the device's clock",
    ),
    "clock_lost": (
        W,
        "{name} 的时间不可信（{gap}），读数会标为“时钟可疑”，不进入报表",
        "the time of {name} is not believed ({gap}): readings are kept as suspect and feed no figures",
    ),
    "repeated": (
        W,
        "{key} 在同一时刻出现 {n} 次，只保留最后一个",
        "{key} comes {n} times for one moment; the last is kept",
    ),
    # --- publish
    "not_linked": (
        E,
        "“{kind}”块没有连上：按顺序连接各块",
        "the block {kind} is not linked: link the blocks in their order",
    ),
    "errors_before": (
        E,
        "前面的块还有错误：改好后才能发布",
        "a block before it has errors: mend them, then publish",
    ),
    "not_reached": (W, "前面的块没有连上", "a block before it is not linked"),
    "conflict": (
        E,
        "其间有人发布了修订 {revision}：刷新后再发布",
        "somebody has published revision {revision} meanwhile: load again, then publish",
    ),
    "no_connection": (E, "连接测试未通过：{why}", "the connection was tested: {why}"),
    "too_many": (E, "{what}有 {n} 个，至多 {limit} 个", "{n} {what}, at most {limit}"),
}  # fmt: skip
"""code: (error, Chinese, English)"""
