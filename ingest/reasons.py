"""Reasons of ingest as a code with its values, for every page to say in its own language.

Where a reason arises it is one English sentence, and so it stands in logs and in the store. ``ROWS`` is the
list of these sentences, with their Chinese: ``read_reason`` finds the row and the values of a sentence again,
also of one that was stored by an earlier version. A test walks through all places that raise one and fails
when it has no row. Decision record 0171.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from string import Formatter

MAX_DEPTH = 4

# code: (English with its {values}, Chinese). A value ending in _why is a reason itself.
ROWS: dict[str, tuple[str, str]] = {
    # --- around others: where it is
    "line": ("line {line}: {inner_why}", "第 {line} 行：{inner_why}"),
    "row": ("row {row}: {inner_why}", "第 {row} 条：{inner_why}"),
    "more": ("and {count} more", "另有 {count} 处"),
    "adapter_fault": ("{adapter} adapter failed: {error}", "{adapter} 适配器出错：{error}"),
    # --- devices, points, topics
    "no_device": (
        "unknown device {name}: add it to the county's devices",
        "未登记的设备 {name}：请先登记或接入",
    ),
    "no_point": ("unknown point {key}", "没有测点 {key}"),
    "no_adapter": ("no adapter reads this topic", "没有适配器能读这个主题"),
    "not_onboarded": (
        "no adapter reads this topic: onboard it on the page 设备接入",
        "没有适配器能读这个主题：请在“设备接入”页接入",
    ),
    "topic_not": ("topic is not {shape}", "主题不是 {shape} 的形式"),
    "no_level": (
        "topic {topic} has no level {level}: mend where the device's name stands",
        "主题 {topic} 没有第 {level} 级：请更正设备名所在的位置",
    ),
    "no_name_at": (
        "no device name at {path}: mend where the device's name stands",
        "{path} 处没有设备名：请更正设备名所在的位置",
    ),
    "edge_values": (
        "{count} values of edge node {edge} itself, such as {key}: add a device of that name to the county's "
        "devices to have them read",
        "边缘节点 {edge} 自身有 {count} 个值（如 {key}）：登记同名设备后才会读取",
    ),
    "no_alias": ("alias {alias} was never introduced by a birth", "别名 {alias} 没有在上线报文中声明"),
    # --- values
    "too_large": (
        "{key} is {value}, too large to be a measured value",
        "{key} 的值 {value} 过大，不是测量值",
    ),
    "no_number": ("{key} is {kind} {value}, a number is needed", "{key} 的值 {value}（{kind}）不是数"),
    "no_values": ("no values beside the time stamp", "除时间外没有数据"),
    "no_value_name": ("no name of a value at {path}", "{path} 处没有数据名"),
    "no_object_at": ("no object with values at {path}", "{path} 处没有数据对象"),
    "no_list_at": (
        "{path} is no list: name the path of the list of rows, or none",
        "{path} 不是列表：请填写列表的路径，或留空",
    ),
    # --- times
    "time_iso": (
        "time {time}: ISO 8601 such as {example} is needed",
        "时间 {time} 不对：应为 ISO 8601，如 {example}",
    ),
    "time_local": (
        "time {time}: a local time such as {example} is needed",
        "时间 {time} 不对：应为当地时间，如 {example}",
    ),
    "time_offset": (
        "time {time} has no offset from UTC: end it with Z or +08:00",
        "时间 {time} 没有时区：请以 Z 或 +08:00 结尾",
    ),
    "time_range": (
        "time {time} is not between the years 1970 and 2100",
        "时间 {time} 不在 1970 至 2100 年之间",
    ),
    "time_ms": (
        "time stamp {time}: milliseconds since 1970 are needed",
        "时间戳 {time} 不对：应为 1970 年以来的毫秒数",
    ),
    "time_other": ("time {time}: {error}", "时间 {time} 不对：{error}"),
    # --- the message as a whole
    "too_long": ("{size} bytes, at most {max} are read", "报文 {size} 字节，最多读取 {max} 字节"),
    "too_many_lines": ("{count} lines, at most {max} are read", "共 {count} 行，最多读取 {max} 行"),
    "too_many_rows": ("{count} rows, at most {max} are read", "共 {count} 条，最多读取 {max} 条"),
    "empty": ("empty payload", "报文为空"),
    "not_json": ("not JSON: {error_why}", "不是 JSON：{error_why}"),
    "json_cut_off": ("Input data was truncated", "内容不完整"),
    "json_at": ("JSON is malformed: {what_why} (byte {at})", "第 {at} 字节{what_why}"),
    "json_character": ("invalid character", "有非法字符"),
    "json_trailing": ("trailing characters", "之后有多余内容"),
    "json_comma": ("trailing comma in {kind}", "有多余的逗号"),
    "json_keys": ("object keys must be strings", "的键名没有引号"),
    "json_number": ("invalid number", "数字写法不对"),
    "json_escape": ("invalid escape character in string", "转义符不对"),
    "json_expected": ("expected {what}", "处缺少 {what}"),
    "json_expected_two": ("expected {what} or {other}", "处缺少 {what} 或 {other}"),
    "not_utf_8": (
        "'utf-8' codec can't decode byte {byte} in position {at}: {error}",
        "第 {at} 字节 {byte} 不是 UTF-8",
    ),
    "too_deep": ("JSON nested too deeply", "JSON 嵌套过深"),
    "object_needed": ("a JSON object is needed, not {kind}", "应为 JSON 对象，而不是 {kind}"),
    "object_needed_only": ("a JSON object is needed", "应为 JSON 对象"),
    "objects_needed": (
        "an object with names is needed, or a list of such objects",
        "应为带名称的对象，或这种对象的列表",
    ),
    "not_text": ("not text: {error}", "不是文本：{error}"),
    "encoding": (
        "neither UTF-8 nor GB 18030: {error} at byte {at}",
        "既不是 UTF-8 也不是 GB 18030：第 {at} 字节 {error}",
    ),
    "not_table": ("not a table: {error}", "不是表格：{error}"),
    "table_empty": ("a header line and at least one row are needed", "应有表头和至少一行数据"),
    "table_head": (
        "the first line must begin with ts and name the columns, not {found}",
        "首行应以 ts 开头并列出列名，而不是 {found}",
    ),
    "cells": ("{count} cells, {needed} are needed", "有 {count} 个单元格，应为 {needed} 个"),
    "not_unpacked": (
        "a compressed Sparkplug B payload that cannot be unpacked: {error}",
        "压缩的 Sparkplug B 报文无法解压：{error}",
    ),
    "ends_early": ("a compressed Sparkplug B payload that ends early", "压缩的 Sparkplug B 报文不完整"),
    "not_sparkplug_bytes": (
        "not a Sparkplug B payload: {size} bytes of another structure",
        "不是 Sparkplug B 报文：{size} 字节，结构不符",
    ),
    "not_sparkplug": ("not a Sparkplug B payload: {error}", "不是 Sparkplug B 报文：{error}"),
    "metric_name": ("the name of a metric is not UTF-8", "指标名称不是 UTF-8"),
    "metric_type": ("metric type {kind} is no number", "指标类型 {kind} 不是数"),
    "unknown_event": ("unknown event {name}", "未知的事件 {name}"),
    "unknown_gateway": ("unknown gateway message {name}", "未知的网关报文 {name}"),
    "unknown_message": ("unknown device message {name}", "未知的设备报文 {name}"),
    "name_not": ("{name} is not {shape}", "{name} 不是 {shape} 的形式"),
    "no_codec": (
        "no object in the uplink: give its device profile a codec in ChirpStack",
        "上行数据没有解码：请在 ChirpStack 的设备配置中设置解码器",
    ),
    "shape_answer": ("an answer is {shape}", "应答的格式应为 {shape}"),
    "shape_state": ("a state is {shape}", "状态的格式应为 {shape}"),
    "state_one_of": ("state {state}: one of {all} is needed", "状态 {state} 不对，应为 {all} 之一"),
    "shape_ngsi": ("an NGSI-LD notification is {shape}", "NGSI-LD 通知的格式应为 {shape}"),
    "entity_id": ("an entity of a notification has an id", "通知中的实体应有 id"),
    "attribute": ("an attribute has a value", "属性应有值"),
    "must_be_object": ('"{field}" must be an object', "“{field}”应为对象"),
    "must_be_services": ('"services" must be a list of service reports', "“services”应为服务上报的列表"),
    "shape_gateway": ("a gateway reports {shape}", "网关上报的格式应为 {shape}"),
    "shape_sub": ("a device of a gateway is {shape}", "网关子设备的格式应为 {shape}"),
    "shape_subdevice": ("a sub-device is {shape}", "子设备的格式应为 {shape}"),
    "shape_service": ("a service is {shape}", "服务的格式应为 {shape}"),
    "shape_row": ("a row is {shape}", "每条数据的格式应为 {shape}"),
    "rows_needed": ("a list of rows is needed, not {kind}", "应为数据列表，而不是 {kind}"),
    # --- the broker
    "connecting": ("connecting", "正在连接"),
    "refused_since": ("refused since {time}: {inner_why}", "{time} 起被拒绝：{inner_why}"),
    "away_since": ("away since {time}", "{time} 起中断"),
    "may_not": (
        "may not subscribe to {names} since {time}: allow it in the broker's access list",
        "{time} 起无权订阅 {names}：请在消息代理的访问控制表中放行",
    ),
    "no_mqtt": ("{where} accepts connections but does not speak MQTT", "{where} 可以连接，但不是 MQTT 服务"),
    "mend_port": (
        "mend the port in MQTT_URL (mqtts:// for a TLS port)",
        "请更正 MQTT_URL 中的端口（TLS 端口用 mqtts://）",
    ),
    "refused_login": (
        "{where} refused user name or password ({client})",
        "{where} 拒绝了用户名或密码（{client}）",
    ),
    "mend_login": (
        "mend them in MQTT_URL=mqtt://user:password@host:port, or in the broker's password file",
        "请更正 MQTT_URL=mqtt://user:password@host:port，或消息代理的密码文件",
    ),
    "refused_connect": ("{where} refused the connection: {error}", "{where} 拒绝连接：{error}"),
    "see_log": ("see the log of the broker", "请查看消息代理的日志"),
    "no_host": ("the name {host} is not known", "主机名 {host} 无法解析"),
    "mend_host": ("mend the host in MQTT_URL, or the DNS", "请更正 MQTT_URL 中的主机名，或检查 DNS"),
    "bad_certificate": (
        "{where}: its certificate is not accepted ({error})",
        "{where} 的证书不受信任（{error}）",
    ),
    "mend_certificate": (
        "give the broker a certificate that this machine trusts (SSL_CERT_FILE names a CA of your own)",
        "请给消息代理换上本机信任的证书（自建 CA 用 SSL_CERT_FILE 指定）",
    ),
    "no_tls": ("{where} does not speak TLS", "{where} 不支持 TLS"),
    "mend_tls": (
        "write mqtt:// instead of mqtts://, or its TLS port",
        "请把 mqtts:// 改为 mqtt://，或改用 TLS 端口",
    ),
    "no_answer": ("{where} does not answer ({error})", "{where} 没有应答（{error}）"),
    "mend_start": (
        "start it, or mend MQTT_URL; ingest keeps trying meanwhile",
        "请启动消息代理或更正 MQTT_URL；采集会一直重试",
    ),
    "mend_start_only": ("start it, or mend MQTT_URL", "请启动消息代理或更正 MQTT_URL"),
    "keeps_trying": ("ingest keeps trying meanwhile", "采集会一直重试"),
    "disk_full": ("store cannot write: {error} -- is the disk full?", "存储无法写入：{error}（磁盘已满？）"),
    "cannot_write": ("store cannot write: {error}", "存储无法写入：{error}"),
    # --- the life of devices, events
    "never_heard": ("never heard", "从未上报"),
    "last_will": ("last will", "遗嘱报文"),
    "silence": ("silence", "长时间无数据"),
    "fault_code": ("fault code {code}", "故障码 {code}"),
    "out_of_range": ("readings out of range", "读数超出量程"),
    "scouted": (
        "heard by the scout: nobody has described this topic, onboard it on the page 设备接入",
        "侦听时听到，无人登记此主题：请在“设备接入”页接入",
    ),
    "scout": (
        "{count} messages in {number} s, {max} topics that nobody has described",
        "{number} 秒内听到 {count} 条报文，其中 {max} 个主题无人登记",
    ),
    "scout_refused": (
        "the broker does not let ingest listen to #: allow `topic read #` for its user, or set CT_SCOUT_S=0",
        "代理不允许采集进程侦听 #：为其账号放行 topic read #，或设 CT_SCOUT_S=0 停用侦听",
    ),
    "set_aside": ("{count} messages wait on disk", "有 {count} 条在磁盘上等待入库"),
    "set_aside_over": ("all of it is stored", "已全部入库"),
    "shelf_full": (
        "no more room to set messages aside: vendors of its family wait; CT_SHELF_MB sets the room",
        "暂存空间已满：同类协议的厂商须等待；空间由 CT_SHELF_MB 设定",
    ),
    "redone": (
        "{mended} mended, {bad} still bad, {cut} cut, {readings} readings",
        "{mended} 条已读出，{bad} 条仍无法解析，{cut} 条不完整；{readings} 个读数",
    ),
    # --- onboarding
    "no_cell_column": (
        "the first line has no column {zh} ({en}): begin with the template",
        "首行没有“{zh}”列：请从模板开始填写",
    ),
    "no_rows": (
        "the table has no devices: fill in a row below the first line",
        "表中没有设备：请在首行下填写",
    ),
    "too_many_devices": (
        "{count} devices, at most {max} in one table",
        "共 {count} 台设备，一张表最多 {max} 台",
    ),
    "unpacks": ("the file unpacks to too much: begin with the template", "文件解压后过大：请从模板开始填写"),
    "no_xlsx": (
        "not an .xlsx table ({error}): save it as Excel workbook (.xlsx)",
        "不是 .xlsx 表格（{error}）：请另存为 Excel 工作簿",
    ),
    "no_simulation": (
        "devices of the dialect {dialect} cannot be simulated; only {all}",
        "{dialect} 协议的设备不能模拟；可模拟 {all}",
    ),
    "cannot_simulate": (
        "these devices cannot be simulated: publish the flow; JSON and CSV can be spoken",
        "这些设备不能模拟：请先发布流程；可模拟 JSON 和 CSV",
    ),
    "through_value": ("{path} leads through {name}, which holds a value", "{path} 经过了已有值的 {name}"),
    "no_version": ("the flow {flow} has no version {number}", "流程 {flow} 没有版本 {number}"),
    "no_flow": ("there is no flow {flow}: load the page again", "没有流程 {flow}：请刷新页面"),
    "not_published": (
        "the flow {flow} is not published: publish it, then simulate its devices",
        "流程 {flow} 尚未发布：发布后才能模拟设备",
    ),
    "filter_refused": (
        "the broker refuses the filter {filter}: allow it in its access list",
        "消息代理拒绝订阅 {filter}：请在访问控制表中放行",
    ),
    "no_filter": (
        "{filter} is no filter to listen to: begin with a fixed word",
        "{filter} 不能作为监听的主题：请以固定的词开头",
    ),
    "cannot_save": (
        "{file} cannot be written ({error}); make room or mend its rights",
        "{file} 无法写入（{error}）：请腾出空间或更正权限",
    ),
    "letter_gone": (
        "this message is not kept any more: listen to its topic",
        "这条报文已不再保存：请监听它的主题",
    ),
    "no_property": ("the thing model {model} has no property {key}", "物模型 {model} 没有属性 {key}"),
    "no_model": ("there is no thing model {model}; one of: {all}", "没有物模型 {model}；可选 {all}"),
    "no_hex": ("the message is not written in hexadecimal digits", "报文不是十六进制"),
    "no_message": ("a topic and a message are needed", "需要主题和报文"),
    "whole_number": ("{field} must be a whole number", "{field} 应为整数"),
    "bad_flow": ("the flow cannot be read: {error}", "流程无法读取：{error}"),
    "bytes": ("more than {max} bytes", "超过 {max} 字节"),
    # --- last of all: somebody's name before a reason
    "of": ("{who}: {inner_why}", "{who}：{inner_why}"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """``code``: a row of ``ROWS``; ``values`` fill it. A value whose name ends in ``_why`` is a reason."""

    code: str
    values: dict[str, str]


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Rows with the most fixed text first, so that the narrowest one that fits is found."""
    made = []
    for code, (english, _) in ROWS.items():
        text = "".join(
            re.escape(fixed) + (rf"(?P<{name}>{_shape(name)})" if name else "")
            for fixed, name, _, _ in Formatter().parse(english)
        )
        fixed = sum(len(x[0]) for x in Formatter().parse(english))
        made.append((code != "of", fixed, code, re.compile(text, re.DOTALL)))
    made.sort(key=lambda row: (-row[0], -row[1]))
    return [(code, pattern) for _, _, code, pattern in made]


def _shape(name: str) -> str:
    """What a value may be: a number where a number stands, a short name before a reason."""
    if name in (
        "line",
        "row",
        "count",
        "max",
        "size",
        "needed",
        "number",
        "mended",
        "bad",
        "cut",
        "readings",
    ):
        return r"-?\d+"
    if name == "kind":
        return r"\w+"
    return r"[^:;\n]{1,120}?" if name == "who" else r".+?"


def read_reason(text: str) -> Reason | None:
    """The row and the values of one reason; None: it is of no row."""
    for code, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return Reason(code, found.groupdict())
    return None


def translate_reason(text: str, lang: str, depth: int = 0) -> str:
    """A reason in ``lang``: Chinese for ``zh``, else as it stands. Words of no row stay as they are.

    Several reasons in one text are parted by ``; ``.
    """
    if lang != "zh" or not text or depth > MAX_DEPTH:
        return text
    whole = read_reason(text)
    if whole is not None and whole.code != "of" and not any(k.endswith("_why") for k in whole.values):
        return _fill(whole, lang, depth)
    parts = list(_split(text))
    if len(parts) > 1:
        said = [translate_reason(p, lang, depth) for p in parts]
        return text if said == parts else "；".join(said)
    if whole is None:
        return text
    if (
        whole.code == "of"
        and translate_reason(whole.values["inner_why"], lang, depth + 1) == whole.values["inner_why"]
    ):
        return text  # a colon within words that are of no row
    return _fill(whole, lang, depth)


def _fill(r: Reason, lang: str, depth: int) -> str:
    values = {
        k: translate_reason(v, lang, depth + 1) if k.endswith("_why") else v for k, v in r.values.items()
    }
    return ROWS[r.code][1].format(**values)


def _split(text: str) -> Iterator[str]:
    """Reasons of a text; a semicolon within quotation marks parts nothing."""
    held = ""
    for part in text.split("; "):
        held = f"{held}; {part}" if held else part
        if held.count("'") % 2 == 0 or held.count('"') % 2 == 1:
            yield held
            held = ""
    if held:
        yield held
