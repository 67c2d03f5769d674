"""What telemetry costs a run: python benchmarks/telemetry.py [--pairs 2000] [--connections 64] [--rounds 21]

`harness eval` with and without --telemetry in turn, as whole processes, against the server of
benchmarks/throughput.py, with a collector on loopback that takes everything. Processor seconds are user and
system together; the ratio is of the two runs of a round, and its median is what to quote.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from throughput import Figures, serve, spread, timed, write_project


class Taking(BaseHTTPRequestHandler):
    """Takes everything, and counts the bytes."""

    protocol_version = "HTTP/1.1"
    taken = 0

    def do_POST(self) -> None:
        """One request."""
        type(self).taken += len(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--pairs", type=int, default=2000)
    words.add_argument("--connections", type=int, default=64)
    words.add_argument("--latency", type=float, default=50)
    words.add_argument("--rounds", type=int, default=21)
    words.add_argument("--content", action="store_true")
    given = words.parse_args()
    collector = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        write_project(root, given.pairs)
        server, url = serve(given.latency)
        ours = ["-m", "harness", "eval", "--model", "openai/canned", "--base-url", url, "--no-report"]
        ours += ["--max-connections", str(given.connections), "--root", str(root)]
        told = [*ours, "--telemetry", *(["--telemetry-content"] if given.content else [])]
        address = f"http://127.0.0.1:{collector.server_port}"
        try:
            contest(root, {"without": ours, "with": told}, address, given.rounds)
        finally:
            server.terminate()


def contest(root: Path, commands: dict[str, list[str]], address: str, rounds: int) -> None:
    """The two in turn, each first in every other round, after one round that does not count."""
    found: dict[str, list[Figures]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name in sorted(commands, reverse=bool(turn % 2)):
            shutil.rmtree(root / "runs")
            (root / "runs").mkdir()
            figures = timed([sys.executable, *commands[name]], OTEL_EXPORTER_OTLP_ENDPOINT=address)
            if turn:
                found[name].append(figures)
    lines = [f"median of {rounds} rounds (smallest to largest)"]
    lines.append(f"{'':12}{'wall seconds':>24}{'processor seconds':>24}{'peak MB':>26}")
    for name, runs in found.items():
        lines.append(f"{name:12}" + "".join(f"{spread(column):>25}" for column in zip(*runs, strict=True)))
    ratios = [one.cpu / other.cpu for one, other in zip(found["with"], found["without"], strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    lines.append(
        f"processor time in multiples of that without: {spread(ratios)}, quartiles {low:.3f}, {high:.3f}"
    )
    means = [statistics.fmean(one.cpu for one in runs) for runs in found.values()]
    lines.append(
        f"mean of the ratios {statistics.fmean(ratios):.3f}, ratio of the means {means[1] / means[0]:.3f}"
    )
    lines.append(f"{Taking.taken / (rounds + 1) / 1e6:.2f} MB of telemetry for each run")
    print("\n".join(lines))  # noqa: T201 - a script that prints


if __name__ == "__main__":
    main()
