"""`harness cache`: the replies kept across runs."""

from harness.cli.options import Json, Root, project_at
from harness.cli.output import print_json, say, show
from harness.storage.plural import plural


def stats_command(root: Root = None, json: Json = False) -> None:
    """The number of kept replies by model, and their size."""
    from harness.grading.reply_cache import FILE, cache_stats

    path = project_at(root).runs / FILE
    found = cache_stats(path)
    if json:
        print_json({"file": str(path), "replies": dict(found.replies), "bytes": found.size})
        return
    total = sum(found.replies.values())
    show([f"{plural(total, 'reply')}, {found.size / 1e6:.1f} MB: {path}"])
    show(f"  {count:>9,}  {model}" for model, count in found.replies.items())


def clear_command(root: Root = None) -> None:
    """Delete every kept reply. Runs keep their own; a new run of the same prompt pays again."""
    from harness.grading.reply_cache import FILE, clear_cache

    say(f"{plural(clear_cache(project_at(root).runs / FILE), 'reply')} deleted")
