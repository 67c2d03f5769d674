"""How long the viewer takes over many runs: python benchmarks/viewer.py [RUNS], 1,000 by default.

A real run of the shipped golden set, so many times over, with other names, prompts, models and times; then
`harness runs list` as a process, and the viewer as one, asked over loopback. The first answer reads
every folder, the later ones only what has changed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HARNESS = [sys.executable, "-m", "harness"]
PROMPTS = ("teacher@v1", "teacher@v2", "teacher@v3")
MODELS = ("openai/gpt-6-luna", "anthropic/claude-haiku-5-5", "builtin/lexical")
PAGES = ("/", "/?sort=-kappa&prompt=teacher%40v3", "/trend", "/versions")


def project(folder: Path, runs: int) -> None:
    """The shipped project in a folder of its own, with so many runs."""
    for name in ("policies", "prompts", "golden"):
        shutil.copytree(ROOT / name, folder / name)
    subprocess.run([*HARNESS, "eval", "--root", str(folder)], check=True, capture_output=True)
    (first,) = (folder / "runs").iterdir()
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    began = datetime.fromisoformat(manifest["created_at"])
    for number in range(1, runs):
        when = (began - timedelta(hours=number)).astimezone(UTC)
        prompt, model = PROMPTS[number % 3], MODELS[number % len(MODELS)]
        name = f"{when:%Y%m%dT%H%M%S}.000-product-search@v1-{prompt}-{model.replace('/', '-')}-dev"
        copy = folder / "runs" / name
        copy.mkdir()
        for file in first.iterdir():
            if file.name != "manifest.json":
                os.link(file, copy / file.name)
        asked = {**manifest["asked"], "prompt": prompt, "model": model}
        times = {"created_at": when.isoformat(timespec="seconds"), "finished_at": when.isoformat()}
        (copy / "manifest.json").write_text(json.dumps({**manifest, "name": name, "asked": asked, **times}))


def say(line: str) -> None:
    """A line of the result."""
    print(line, flush=True)  # noqa: T201 - a script that prints


def timed(address: str) -> tuple[float, int]:
    """Seconds until the whole answer is there, and its bytes."""
    began = time.perf_counter()
    with urllib.request.urlopen(address) as answer:
        size = len(answer.read())
    return time.perf_counter() - began, size


def main(runs: int) -> None:
    """Print a line for every page: first, and again."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        project(folder, runs)
        began = time.perf_counter()
        subprocess.run([*HARNESS, "runs", "list", "--root", scratch], check=True, capture_output=True)
        say(f"{runs:,} runs; harness runs list, the whole process: {time.perf_counter() - began:.2f} s")
        command = [*HARNESS, "view", "--root", scratch, "--port", "0"]
        began = time.perf_counter()
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert server.stdout is not None, "it was asked for"
        address = server.stdout.readline().strip().rstrip("/")
        say(f"{runs:,} runs; the address after {time.perf_counter() - began:.2f} s")
        try:
            for page in PAGES:
                (first, size), (again, _) = timed(address + page), timed(address + page)
                say(f"{page:40} {first:6.3f} s, again {again:6.3f} s, {size / 1000:8,.0f} kB")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
