"""Compile and render a template in the sandbox; its errors become faults of its file."""

from pathlib import Path
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes

from harness.errors import BadInput
from harness.prompting.sandbox import Sandbox
from harness.prompting.template_guard import parse_guarded


def appends_pair_only(source: str) -> bool:
    """Whether a template reads the pair only in its last output, which is `{{ pair | json }}`.

    Shots are the same for all pairs unless chosen for each. A call could return another text.
    """
    tree = Sandbox().parse(source)
    outputs = [part for part in tree.body if isinstance(part, nodes.Output)]
    last = [part for part in outputs[-1].nodes if not _is_space(part)][-1:] if outputs else []
    pairs = sum(name.name == "pair" for name in tree.find_all(nodes.Name))
    ends = last == [nodes.Filter(nodes.Name("pair", "load"), "json", [], [], None, None)]
    return ends and tree.body[-1] is outputs[-1] and pairs == 1 and tree.find(nodes.Call) is None


def _is_space(part: nodes.Node) -> bool:
    return isinstance(part, nodes.TemplateData) and not part.data.strip()


def compile_template(path: Path, source: str) -> Template:
    """The template of a file. BadInput for invalid Jinja, and for what the guard refuses."""
    environment = Sandbox()
    try:
        code = environment.compile(parse_guarded(environment, source), path.name, str(path))
        return Template.from_code(environment, code, environment.make_globals(None))
    except TemplateSyntaxError as error:
        where, what = f"{path}, line {error.lineno}", str(error.message)
        if "filter named" in what:
            what += f" There are: {', '.join(sorted(filter(str.isalpha, environment.filters)))}."
    except (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError) as error:
        # Jinja accepts but Python refuses: a number of 5,000 digits, 30 nested loops.
        where, what = str(path), f"too deep or too long: {error}"
    raise BadInput.at(where, f"not a template: {what}")


def render_template(template: Template, values: dict[str, Any], *, cites: bool = True) -> str:
    """The template's text for these values. `cites`: see Sandbox. BadInput for any error in it."""
    assert isinstance(template.environment, Sandbox)
    template.environment.cites = cites
    template.environment.budget.begin()
    try:
        return template.render(values)
    except Exception as error:
        # A template is the user's program: any exception is a fault in it.
        where = f"{template.filename}, line {_line(error, template.filename)}"
        raise BadInput.at(where, f"{error} (it sees: {', '.join(values)})") from error


def _line(error: BaseException, file: str | None) -> int:
    """The template's line in a traceback."""
    line, at = 0, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == file:
            line = at.tb_lineno
        at = at.tb_next
    return line
