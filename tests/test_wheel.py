"""The wheel, in an environment without this repository: it has all that a project of one's own takes."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from shipped import ROOT


def run(*words: str | Path, cwd: Path, **env: str) -> str:
    """What a command prints; it has to end well."""
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def pip(*words: str | Path, cwd: Path) -> None:
    """pip, which asks no index."""
    run(sys.executable, "-m", "pip", *words, "--no-deps", "--quiet", cwd=cwd, PIP_NO_INDEX="1")


@pytest.mark.slow
def test_wheel_makes_a_project_that_evaluates_without_key_network_or_repository(here: Path) -> None:
    pytest.importorskip("hatchling")
    pip("wheel", "--no-build-isolation", "--wheel-dir", here, ROOT, cwd=here)
    (wheel,) = here.glob("*.whl")
    venv.create(here / "env", with_pip=False)
    bin_ = here / "env/bin"
    pip("--python", bin_ / "python", "install", wheel, cwd=here)
    # The packages that it needs, from here: an index may not be there. Of what is installed in editable form
    # nothing comes along, since Python reads .pth files of its own site-packages alone.
    (site,) = (here / "env/lib").glob("python*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    where = run(bin_ / "python", "-c", "import harness; print(harness.__file__)", cwd=here)
    assert where.startswith(str(site))

    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    unreachable = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    assert "make eval" in run("harness", "init", "shop", cwd=here, PATH=path)
    shop = here / "shop"
    assert "./wheels/teacher_harness-" in (shop / "requirements.txt").read_text(encoding="utf-8")
    assert "12 of 12 examples" in run("make", "eval", cwd=shop, PATH=path, **unreachable)
    assert "clean" in run("make", "lint", cwd=shop, PATH=path)
    assert "shop@v2, a draft" in run("harness", "policy", "new", "shop", cwd=shop, PATH=path)
