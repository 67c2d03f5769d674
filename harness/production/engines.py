"""Ways to have a label set made: a new one is one file and one line in ENGINES."""

from collections.abc import Callable

from harness.errors import BadInput
from harness.production.engine import Engine
from harness.production.ray_engine import Ray
from harness.production.ray_vllm import RayVllm

ENGINES: dict[str, Callable[[int | None], Engine]] = {"local": Engine, "ray": Ray, "ray-vllm": RayVllm}
DEFAULT = "local"


def engine_of(name: str, actors: int | None = None) -> Engine:
    """An engine by its name, with so many actors at most. BadInput for an unknown one."""
    if name not in ENGINES:
        raise BadInput(f"unknown engine {name!r}; there are: {', '.join(ENGINES)}")
    return ENGINES[name](actors)
