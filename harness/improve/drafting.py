"""The accepted version as the next draft of the prompt, with a record of where it comes from."""

from harness.nouns.pair import indented_json
from harness.prompting.prompt import load_prompt, prompt_versions
from harness.scaffold.copies import new_prompt
from harness.scorecards.improvement import Candidate, Improvement
from harness.storage.files import read_json
from harness.storage.project import Project, split_label
from harness.storage.regular import SETTINGS

ORIGIN = "improved.json"
"""The file of a prompt version that says where its edits come from."""


def drafted(project: Project, found: Improvement, best: Candidate, search: str) -> str:
    """The label of the draft, which is written unless this search has written it before."""
    name, _ = split_label(found.prompt)
    if earlier := _earlier(project, name, search, best):
        return earlier
    origin = {
        "from": found.prompt,
        "search": search,
        "policy": found.policy,
        "model": found.model,
        "proposed_by": found.proposed_by,
        "edits": [edit.model_dump(mode="json") for edit in best.edits],
        "select": best.select.model_dump(mode="json"),
        "p_holm": best.p_holm,
    }
    begun = new_prompt(
        project,
        name,
        found.prompt,
        system=best.template,
        chosen=best.shots or (),
        beside={ORIGIN: indented_json(origin)},
    )
    return begun.label


def _earlier(project: Project, name: str, search: str, best: Candidate) -> str | None:
    """The draft of a search, if it is unchanged since it was accepted: an edited one was never tried."""
    for version, spec in prompt_versions(project.prompts / name).items():
        path = spec.with_name(ORIGIN)
        origin = read_json(path, SETTINGS, links=False) if path.exists() else None
        if isinstance(origin, dict) and origin.get("search") == search:
            files = load_prompt(project, f"{name}@{version}")
            if files.system == best.template and (not best.shots or files.spec.chosen == best.shots):
                return files.label
    return None
