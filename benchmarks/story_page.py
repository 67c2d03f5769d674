"""Run the commands of docs/from-signal-to-policy.md in a folder of their own, and renew its output.

    python benchmarks/story_page.py            run all, and write what they print into the page
    python benchmarks/story_page.py --check    write nothing; 1 where the page shows something else

Takes a few minutes, no key and no network. A `text` block shows parts of what the `sh` block above it prints;
the comment before it says which: `<!-- shows /^By clause/ 4, /^Warning/ 2 -->` is four lines from the first
that fits, then two. The words around the blocks are not renewed: read them again where a figure moved.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/from-signal-to-policy.md"
STORY = HERE / "story.py"
PORT = "8124"
"""Where the page says that the teacher is; a run takes a port that is free."""
BLOCK = re.compile(
    r"^```sh\n(?P<commands>.*?)^```\n(?:\n<!-- shows (?P<parts>.*?) -->\n```text\n.*?^```\n)?", re.M | re.S
)
PART = re.compile(r"/(.+?)/ (\d+)")
GATED = (0, 1, 3)
"""How a command may end: a verdict is no error."""


@contextmanager
def teaching(env: dict[str, str]) -> Iterator[str]:
    """The port of a simulated teacher that runs meanwhile."""
    words = [sys.executable, str(STORY), "teacher", "0"]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            address = re.search(r":(\d+)/v1", server.stdout.readline())
            assert address, "the teacher says its address"
            yield address[1]
        finally:
            server.terminate()


def outputs(page: str, folder: Path) -> Iterator[str]:
    """What the commands of each block print, run in order, each where the one before it ended."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HARNESS_", "COLUMNS"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**kept, "PATH": path, "STORY": str(STORY), "PYTHONPATH": str(HERE.parent)}
    where = folder / "where"
    where.write_text(str(folder), encoding="utf-8")
    with teaching(env) as port:
        for block in BLOCK.finditer(page):
            commands = block["commands"].replace(f":{PORT}/", f":{port}/")
            script = f'cd "$(cat {where})"\n{commands}\nended=$?\npwd > {where}\nexit $ended'
            done = subprocess.run(
                ["bash", "-c", script], env=env, capture_output=True, text=True, check=False
            )
            if done.returncode not in GATED or "Traceback" in done.stderr:
                raise SystemExit(f"{commands}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
            yield done.stdout.replace(f":{port}/", f":{PORT}/")


def shown(output: str, parts: str) -> str:
    """The parts of an output, with dots where lines are left out."""
    lines, text, end = output.splitlines(), list[str](), 0
    for pattern, count in PART.findall(parts):
        start = next((at for at in range(end, len(lines)) if re.search(pattern, lines[at])), None)
        if start is None:
            raise SystemExit(f"no line fits /{pattern}/ in\n{output}")
        text += ["..."] * (start > end) + lines[start : start + int(count)]
        end = start + int(count)
    text += ["..."] * any(line.strip() for line in lines[end:])
    return "\n".join(line for line in text).strip("\n") + "\n"


def renewed(page: str, printed: list[str]) -> str:
    """The page with what its commands printed."""
    outs = iter(printed)

    def renew(block: re.Match[str]) -> str:
        output, parts = next(outs), block["parts"]
        told = f"```sh\n{block['commands']}```\n"
        return f"{told}\n<!-- shows {parts} -->\n```text\n{shown(output, parts)}```\n" if parts else told

    return BLOCK.sub(renew, page)


def main() -> int:
    """Renew the page, or check it."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        now = renewed(page, list(outputs(page, Path(folder))))
    if "--check" in sys.argv:
        return int(now != page)
    PAGE.write_text(now, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
