"""Groups of options, each declared once and passed on as one typed value."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from harness.cli.options import Columns, Encoding, Format, Options, layout, names_in, option
from harness.cli.output import say
from harness.errors import BadInput
from harness.storage.outputs import PAGE, SUMMARY
from harness.storage.regular import append_whole, open_to_append

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.grading.telemetry.settings import Telemetry
    from harness.runs.manifest import Asked
    from harness.runs.pairs import ShownPair
    from harness.storage.stream import Stream


def append(path: Path | None, text: str) -> None:
    """Append to a file, if there is a path."""
    if path is not None:
        with open_to_append(path) as file:
            append_whole(file, text.encode("utf-8"))


Markdown = Annotated[Path | None, option("Append the result as Markdown, for a summary."), SUMMARY]
Html = Annotated[
    Path | None, option("Write it as a page too: one HTML file that can be mailed and opened offline."), PAGE
]
Shots = Annotated[int | None, option("Golden examples in the prompt. Default: as the prompt says.", min=0)]
Batch = Annotated[bool, option("Through the provider's batch API: half the price, within a day.", "--batch")]
MaxCost = Annotated[float | None, option("Stop before the cost exceeds this.", min=0, metavar="USD")]
BaseUrl = Annotated[str | None, option("A server of your own that speaks the provider's API.")]
Model = Annotated[str | None, option("provider/model. Default: builtin/lexical, no key, no network.")]
Prompt = Annotated[str | None, option("name or name@v2. Default: teacher, the latest released.")]
Uniform = Annotated[
    bool, option("Every row had the same chance to be rated, though no column says so.", "--uniform")
]
RaterKind = Annotated[
    Literal["human", "llm"] | None, option("The kind of raters who are not in raters.toml yet.")
]
Host = Annotated[str, option("The address to listen at. Default: only this machine.")]
Port = Annotated[int, option("The port; 0 picks a free one.", min=0, max=65535)]
PublicUrl = Annotated[str | None, option("Where raters reach the server, such as https://rate.example.com.")]


class ModelSettings(Options):
    """How a model is called."""

    temperature: Annotated[
        float | None, option("Sent to the model if given; some models reject it.", min=0, max=10)
    ] = None
    max_tokens: Annotated[
        int | None,
        option("Limit of an answer, thinking included. Default: the server's.", min=1, metavar="N"),
    ] = None
    no_schema: Annotated[
        bool, option("Send no JSON schema: the prompt alone asks for the form.", "--no-schema")
    ] = False
    fold_system: Annotated[
        bool, option("Send the system text in the user message: some models lack the role.", "--fold-system")
    ] = False


class TeacherChoice(Options):
    """The teacher that grades."""

    model: Annotated[str, option("provider/model. The default needs no key and no network.")] = (
        "builtin/lexical"
    )
    prompt: Annotated[str, option("name or name@v2.")] = "teacher"
    shots: Shots = None
    seed: Annotated[int | None, option("Sent to the model if given.")] = None


class TeacherOptions(ModelSettings, TeacherChoice):
    """Who grades, for commands that cannot resume a run."""

    base_url: BaseUrl = None

    def asked(self, policy: str, pairs: Path) -> "Asked":
        """A request to grade a file of production pairs."""
        from harness.providers import refuse_unread
        from harness.runs.manifest import Asked

        refuse_unread(self.model, self.shots)
        return Asked(**vars(self), policy=policy, splits=(), pairs=str(pairs))


class CallOptions(Options):
    """How to make calls; none of it changes an answer."""

    max_connections: Annotated[
        int | None,
        option(
            "Maximum of calls in flight. Default: as many as the server accepts, at most 200.",
            min=1,
            max=5000,
        ),
    ] = None
    no_cache: Annotated[bool, option("Do not use replies of earlier runs, and keep none.", "--no-cache")] = (
        False
    )

    telemetry: Annotated[
        bool, option("Send spans and grades to an OpenTelemetry collector (OTEL_* variables).", "--telemetry")
    ] = False
    telemetry_content: Annotated[
        bool, option("With --telemetry: prompts, replies, reasons and ids too.", "--telemetry-content")
    ] = False

    def limits(self, *, only_failed: bool = False, max_cost: float | None = None) -> "Limits":
        """The limits of a run, with these settings."""
        from harness.grading.job import Limits

        return Limits(self.max_connections, not self.no_cache, only_failed, max_cost, self._telemetry())

    def _telemetry(self) -> "Telemetry | None":
        """Where telemetry goes; None if it is off. BadInput for --telemetry-content alone."""
        from harness.grading.telemetry.settings import telemetry_asked

        if not self.telemetry:
            if self.telemetry_content:
                raise BadInput("--telemetry-content goes with --telemetry")
            return None
        asked = telemetry_asked(content=self.telemetry_content)
        if asked is None:
            say("telemetry: nothing is sent: the OTEL_* variables of the environment turn it off")
        return asked


class PairsOptions(Options):
    """Which production pairs to grade, and how to read their file."""

    pairs: Annotated[
        Path | None, option("Production pairs: a table with item, query and title, without grades.")
    ] = None
    traffic: Annotated[str | None, option("The column that says how often a pair is seen.")] = None
    attributes: Annotated[str | None, option("Further columns that the surface shows: colour,size")] = None
    columns: Columns = None
    format: Format = None
    encoding: Encoding = None

    @property
    def path(self) -> Path:
        """The file; BadInput if none is given."""
        if self.pairs is None:
            raise BadInput("add --pairs FILE, a table with item, query and title")
        return self.pairs

    def read(self, command: str) -> "Stream[ShownPair]":
        """The pairs; `command` reads them, without the option for their file."""
        from harness.runs.pairs import read_pairs

        how = layout(self.columns, self.format, encoding=self.encoding)
        again = f"{command} --pairs {shlex.quote(str(self.path))}"
        return read_pairs(self.path, how, self.traffic, names_in(self.attributes), again)
