"""A vendor gone wild: different rubbish as fast as the broker takes it. Arguments: port, topic, count."""

import sys

from bench.ingest_load import send


def main() -> None:
    port, topic, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    send(port, [(topic, b"{rubbish %d" % i) for i in range(count)], count, 0.0)


if __name__ == "__main__":
    main()
