"""The image that the Dockerfile describes: built and run where docker is there, or what DOCKER names."""

import os
import re
import shutil
import subprocess

import pytest
from shipped import ROOT

DOCKER = os.environ.get("DOCKER", "docker")


def docker_runs() -> bool:
    """Whether there is docker, and its daemon answers."""
    if shutil.which(DOCKER) is None:
        return False
    return subprocess.run([DOCKER, "info"], capture_output=True, check=False, timeout=60).returncode == 0


@pytest.mark.slow
def test_image_runs_a_project_as_a_user_who_is_not_root() -> None:
    if not docker_runs():
        pytest.skip("no docker that answers: the image is not built")
    done = subprocess.run(["bash", ROOT / "tests/image.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_image_copies_what_is_there_and_is_not_left_out() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for name in line.split()
    ]
    assert copied
    let_in = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert sorted(copied) == sorted(let_in)


def test_image_ends_as_a_user_who_is_not_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["harness"]
