"""The differences between two prompts: templates and prompt.toml."""

import json
from collections.abc import Mapping

from harness.prompting.prompt import PAIR, SYSTEM, PromptFiles
from harness.scorecards.policy_change import Wording


def changes_of(old: PromptFiles, new: PromptFiles) -> tuple[Wording, ...]:
    """Every template and setting that differs, before and after in full; None for an absent setting."""
    before, after = _parts(old), _parts(new)
    changed = (Wording(key=key, old=before[key], new=after[key]) for key in before)
    return tuple(one for one in changed if one.old != one.new)


def _parts(files: PromptFiles) -> Mapping[str, str | None]:
    settings = files.spec.model_dump(exclude={"name", "version"})
    return {SYSTEM: files.system, PAIR: files.pair} | {key: _text(value) for key, value in settings.items()}


def _text(value: object) -> str | None:
    """A setting as in prompt.toml, a text without its quotation marks."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
