"""The table a bench prints while it runs, and writes as JSON at the end."""

import json
import os
import time
from pathlib import Path

Row = dict[str, object]


def row(figure: str, value: float, unit: str, aim: str = "") -> Row:
    """One line of the table."""
    return {"figure": figure, "value": float(f"{value:.4g}"), "unit": unit, "aim": aim}


class Table:
    """Lines with figure, value, unit and aim; each is shown at once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        print("| figure | measured | aim |\n|---|---:|---:|", flush=True)

    def add(self, figure: str, value: float, unit: str, aim: str = "") -> None:
        """Show a line and keep it."""
        self.keep(row(figure, value, unit, aim))

    def keep(self, line: Row) -> None:
        """The same with a finished line."""
        self.rows.append(line)
        print(f"| {line['figure']} | {line['value']:g} {line['unit']} | {line['aim']} |", flush=True)

    def write(self, file: Path | None) -> None:
        """The lines as JSON, with the time and the load of the machine; None: nowhere."""
        if file is not None:
            told = {"t": time.time(), "load": os.getloadavg()[0], "rows": self.rows}
            file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
