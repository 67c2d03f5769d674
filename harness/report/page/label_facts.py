"""What a page of labels was made from: settings and digests of the label set, or the table; the ratings."""

from pathlib import Path

from harness.report.formats import number
from harness.report.page.words import moment
from harness.report.runs import parameters_of, unprompted_facts
from harness.runs.label_manifest import LabelManifest
from harness.score.few import few_names
from harness.scorecards.estimate import Estimates
from harness.storage.plural import plural


def set_facts(manifest: LabelManifest, folder: Path) -> dict[str, str]:
    """What was labelled, by whom, and whether that teacher is proven."""
    asked, digests = manifest.asked, manifest.digests
    sources = (f"{one.path} ({plural(one.rows, 'row')}, {one.digest})" for one in manifest.sources)
    local = manifest.unprompted or digests.replayed or digests.trained
    sent = unprompted_facts(digests) if local else _prompt(manifest)
    return {
        "labels": str(folder),
        "begun": _when(manifest.created_at),
        "finished": _when(manifest.finished_at),
        "model asked for": asked.model,
        "model that answered": ", ".join(manifest.model_answered) or "none",
        "parameters": parameters_of(asked),
        "policy": f"{asked.policy}  {digests.policy}",
        **sent,
        **_cascade(manifest),
        "proven": _proof(manifest),
        "sources": ", ".join(sources),
        "harness": f"{manifest.harness}, Python {manifest.python}",
        "versions": ", ".join(f"{name} {version}" for name, version in manifest.packages.items()),
    }


def _cascade(manifest: LabelManifest) -> dict[str, str]:
    """The student of a cascade, and from which confidence on it answers alone."""
    used = manifest.cascade
    if used is None:
        return {}
    confirmed = f"confirmed on test ({used.gated}, margin {used.margin:g})"
    said = confirmed if used.confirmed else "not confirmed on test"
    return {"cascade": f"{used.student} from a confidence of {used.threshold:.4g} on; {said}  {used.digest}"}


def _when(text: str | None) -> str:
    """A time in words; another text, which a received manifest may have, stays unchanged."""
    try:
        return moment(text)
    except ValueError:
        return text or ""


def _prompt(manifest: LabelManifest) -> dict[str, str]:
    digests = manifest.digests
    return {
        "prompt": f"{manifest.asked.prompt}  {digests.prompt}",
        "constant prefix": digests.prefix,
        "shots": f"{len(manifest.shots):,}  {digests.shots}",
    }


def _proof(manifest: LabelManifest) -> str:
    found = manifest.proven
    if found is None:
        return "no: no finished run of this teacher on test had passed Gate 2, and --unproven was given"
    provisional = f"; provisional: {found.provisional}" if found.provisional else ""
    return f"by {found.run}: {found.gated} {number(found.kappa)} on {plural(found.n, 'example')}{provisional}"


def estimate_facts(found: Estimates) -> dict[str, str]:
    """The files that an estimate was made from, and its settings."""
    used = found.ratings
    facts = {"labels": found.labels, "other labels": found.other, "policy": found.policy, "strata": found.by}
    if used:
        facts |= {"ratings": used.file, "raters": few_names(used.raters)}
    else:
        facts["ratings"] = "the column of human grades in the same table"
    facts["counted"] = f"{found.over}{', weighted' if found.weighted else ''}"
    return {name: value for name, value in facts.items() if value}
