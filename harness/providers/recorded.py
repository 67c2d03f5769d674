"""recorded/NAME: replies that a language model gave earlier, found by the text of the prompt.

They are kept beside their golden set. An edit of the policy, of the prompt or of a shot makes another prompt,
which has no reply: a recording never answers a question that was not asked.
"""

from pathlib import Path

from harness.errors import BadInput, FatalError, Fault, RejectedError, refuse_faults
from harness.nouns.base import Noun
from harness.nouns.records import Message, Prompt, Reply
from harness.providers.base import SENT_ALONG, LocalTeacher, Setup, Teacher, refuse
from harness.storage.digest import digest
from harness.storage.files import iter_nouns

FOLDER = "recorded"


class Recording(Noun):
    """One line of a recording: the reply to one prompt, unchanged.

    `prompt`: the digest of all its messages; `prefix`: of those before the pair, the same for all pairs.
    `asked_with`, `item`: which prompt version and example that was, for people. `model`: who replied. `on`:
    when.
    """

    prompt: str
    prefix: str
    asked_with: str
    item: str
    model: str
    on: str
    reply: str


def digests_of(messages: tuple[Message, ...]) -> tuple[str, str]:
    """The keys of a prompt: the digest of all its messages, and of those before the last."""
    said = [[message.role, message.content] for message in messages]
    return digest(said), digest(said[:-1])


def open_teacher(model: str, setup: Setup) -> Teacher:
    """The replies in golden/POLICY/recorded/NAME.jsonl. BadInput for every fault in it."""
    refuse("a recording, which makes no API calls,", setup, *SENT_ALONG)
    folder = setup.root / "golden" / setup.policy.name / FOLDER
    there = sorted(path.stem for path in folder.glob("*.jsonl"))
    if model not in there:
        names = ", ".join(f"recorded/{name}" for name in there) or "none"
        raise BadInput(
            f"unknown model recorded/{model} for {setup.policy.name}; there are: {names} (in {folder})"
        )
    return Recorded(folder / f"{model}.jsonl", setup.root)


class Recorded(LocalTeacher):
    """Gives the recorded reply to the same prompt."""

    def __init__(self, path: Path, root: Path) -> None:
        found = list(iter_nouns(path, Recording))
        self._replies = {one.prompt: one for one in found}
        refuse_faults(
            Fault(f"{path}, line {number}", f"a second reply to one prompt ({one.item}); keep one of them")
            for number, one in enumerate(found, start=1)
            if self._replies[one.prompt] is not one
        )
        self._prefixes = {one.prefix: one.asked_with for one in found}
        days = sorted({one.on for one in found})
        when = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}" if days else "never"
        self.notes = (
            f"These replies were recorded {when}: no model was asked now. "
            f"How they were made: {path.relative_to(root).with_name('README.md')}",
        )
        self._path = path

    async def ask(self, prompt: Prompt) -> Reply:
        """The recorded reply. FatalError for a prompt that was never asked, RejectedError for such a pair."""
        whole, prefix = digests_of(prompt.messages)
        kept = self._replies.get(whole)
        if kept is not None:
            return Reply(text=kept.reply, model=kept.model)
        if prefix in self._prefixes:
            raise RejectedError(f"{self._path} has no reply to {prompt.item} as it reads now")
        asked = ", ".join(sorted(set(self._prefixes.values()))) or "nothing"
        raise FatalError(
            f"{self._path}: the replies are to {asked} as they once read, and none is to this prompt: the "
            "prompt, the policy or a shot has another text. Ask a model: --model openai/NAME"
        )
