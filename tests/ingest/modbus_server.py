"""A Modbus TCP server made by somebody else (pymodbus), for the poller to ask. Argument: port."""

import asyncio
import sys
import warnings

from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

F32, I32, F64 = (
    ModbusClientMixin.DATATYPE.FLOAT32,
    ModbusClientMixin.DATATYPE.INT32,
    ModbusClientMixin.DATATYPE.FLOAT64,
)
words = ModbusClientMixin.convert_to_registers


def swap(registers: list[int]) -> list[int]:
    """The two bytes of each register the other way round."""
    return [(r >> 8) | (r & 255) << 8 for r in registers]


def make_device() -> SimDevice:
    holding = [
        815,  # 0: 81.5 C in tenths
        65_526,  # 1: -10 as i16
        *words(0.8125, F32, "big"),  # 2: ABCD
        *words(0.8125, F32, "little"),  # 4: CDAB
        *swap(words(0.8125, F32, "big")),  # 6: BADC
        *swap(words(0.8125, F32, "little")),  # 8: DCBA
        *words(-123_456, I32, "little"),  # 10: CDAB
        *words(1234567.25, F64, "big"),  # 12
    ]
    return SimDevice(
        7,
        simdata=(
            [SimData(0, values=[True, False, True, True], datatype=DataType.BITS)],
            [SimData(0, values=[False, True], datatype=DataType.BITS)],
            [SimData(0, values=holding, datatype=DataType.REGISTERS)],
            [SimData(100, values=[42, 43], datatype=DataType.REGISTERS)],
        ),
    )


async def serve(port: int) -> None:
    server = ModbusTcpServer(make_device(), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.sleep(600)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asyncio.run(serve(int(sys.argv[1])))
