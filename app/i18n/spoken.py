"""Words that are read and never shown: how people and hotlines write kinds, channels, heads and rooms."""

import re

HOME_PART = re.compile(r"(单元|号楼|[栋幢座])")
"""Between the parts of a room's number."""
HOME_END = re.compile(r"[室户号]+$")
HOME = re.compile(r"(?P<home>(?:\d+[-－]\d+(?:[-－]\d+)?|(?:\d+\s*单元)\s*\d+\s*[室号户]?|\d{3,4}\s*室))\s*$")
"""A room at the end of an address."""
HEADS: dict[str, tuple[str, ...]] = {
    "number": ("工单编号", "工单号", "诉求编号", "编号", "受理编号", "案件编号", "case number", "number"),
    "t": ("受理时间", "来电时间", "诉求时间", "登记时间", "创建时间", "派单时间", "received", "time"),
    "address": (
        "地址",
        "诉求地址",
        "详细地址",
        "问题地址",
        "事发地址",
        "小区",
        "楼栋",
        "address",
        "building",
    ),
    "home": ("房号", "门牌号", "单元室", "户号", "房间", "home", "room"),
    "kind": ("诉求类型", "问题类型", "问题分类", "事项类别", "类型", "kind", "type"),
    "text": ("诉求内容", "问题描述", "内容", "诉求描述", "text", "content"),
    "phone": ("联系电话", "来电号码", "电话", "手机", "phone"),
    "room_c": ("室温", "室内温度", "自测温度", "room temperature"),
    "channel": ("来源", "渠道", "诉求来源", "channel", "source"),
}
KIND_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("leak", ("漏水", "跑水", "滴水", "渗水", "爆管", "leak")),
    ("hot", ("过热", "太热", "燥热", "too hot", "overheat")),
    ("noise", ("噪音", "噪声", "异响", "noise")),
    ("cold", ("不热", "温度低", "不达标", "不暖", "低温", "太冷", "冷", "凉", "停暖", "cold")),
)
"""Words of a case's kind, in the order in which they count."""
CHANNEL_WORDS = {"电话": "phone", "热线": "12345", "网": "online", "微信": "online", "app": "online",
                 "上门": "visit", "来访": "visit"}  # fmt: skip
