"""The commands, in the order of the workflow: their modules, and their lines in a list of commands.

Nothing of a command is imported before it is called: to import all of them took a third of every start.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """A command: its module in this room with its function, and what it does, for a list of 80 columns."""

    place: str
    summary: str


class Group(NamedTuple):
    """Commands that begin with one word; `place` is the function of a group that is a command, too."""

    summary: str
    commands: dict[str, Command]
    place: str | None = None


COMMANDS: dict[str, Command | Group] = {
    "init": Command("init:init_command", "Begin a project: policy, prompts, golden set, Makefile, CI."),
    "policy": Group(
        "Policies: the product team's judgement, written down.",
        {
            "list": Command("policy:list_policies", "The policies and their versions."),
            "show": Command("policy:show_policy", "A policy as a document, in Markdown."),
            "lint": Command("policy:lint_policies", "What is wrong with a policy or its gates."),
            "diff": Command(
                "policy:diff_policy", "What changed between two versions, and which examples it affects."
            ),
            "new": Command(
                "policy:new_policy_version", "Begin the next version, or a new policy, as a draft."
            ),
            "impact": Command("impact:impact_command", "What does a policy change do to what people see?"),
        },
    ),
    "golden": Group(
        "Golden sets: graded pairs, with the reasoning behind each.",
        {
            "list": Command("golden:list_golden", "The golden sets, with their sizes."),
            "lint": Command("golden:lint_golden_set", "What is wrong with a golden set."),
            "stats": Command("golden:golden_set_stats", "Counts: grades by split, clauses, tags, words."),
            "import": Command("golden:import_golden_set", "Make a golden set from a table of graded pairs."),
            "add": Command("golden_add:add_command", "Add production pairs that people judged in a round."),
            "export": Command("golden:export_golden_set", "Write a golden set as CSV or JSON lines."),
            "sheet": Command(
                "sheets:rating_sheet_command", "Write a rating sheet: the policy and the pairs."
            ),
            "collect": Command(
                "sheets:collect_ratings", "Take a rater's filled-in sheet into ratings.jsonl."
            ),
            "confirm": Command("rejudge:confirm_examples", "Confirm grades under a policy version."),
            "regrade": Command("rejudge:regrade_example", "Regrade an example; the old grade is kept."),
            "age": Command(
                "golden_age:golden_age_command", "What is old, what has left traffic, what to add."
            ),
            "plan": Command("sizes:size_command", "How many examples does a golden set need?"),
        },
    ),
    "rate": Group(
        "Rounds of rating: people grade pairs, blind, in the browser.",
        {
            "plan": Command("rate_plan:plan_command", "Plan a round: draw pairs, and assign them to raters."),
            "invite": Command("rate:invite_command", "Make a rater's link, and print it once."),
            "revoke": Command("rate:revoke_command", "Revoke every link of a rater."),
            "status": Command("rate:status_command", "How far are the raters?"),
            "live": Command("rate_live:live_command", "Gate 1 of a round while people rate."),
            "seal": Command("rate:seal_command", "Close a rater's set, and count it in ratings.jsonl."),
            "close": Command("rate_live:close_command", "Stop waiting for ratings that are missing."),
        },
        "rate_serve:serve_command",
    ),
    "ratings": Group(
        "Ratings: people's blind grades for a golden set.",
        {
            "import": Command("ratings:import_ratings_command", "Take ratings into the golden set."),
            "export": Command("ratings:export_ratings_command", "Write ratings, or pairs, for another tool."),
        },
    ),
    "gate1": Command("gate1:gate1_command", "Gate 1: do the raters agree?"),
    "adjudicate": Command(
        "adjudicate:adjudicate_command", "Decide the disputes of a golden set, in the browser."
    ),
    "prompt": Group(
        "Teacher prompts: templates for the policy and some shots.",
        {
            "list": Command("prompt:list_prompts", "The prompts, their versions and their descriptions."),
            "render": Command("prompt:render_prompt", "The prompt for one example, as a teacher gets it."),
            "diff": Command("prompt:diff_prompt", "What differs between two prompts."),
            "new": Command(
                "prompt:new_prompt_version", "Begin the next version, or a new prompt, as a draft."
            ),
        },
    ),
    "eval": Command("run_eval:eval_command", "Grade the golden set with a teacher: how far does it agree?"),
    "gate2": Command("gate2:gate2_command", "Gate 2: does a grader agree with the golden set?"),
    "compare": Command("compare:compare_command", "What moved between runs, and whether the change is real."),
    "baseline": Group(
        "Baselines: runs that others are compared with.",
        {
            "set": Command("baseline:set_command", "Keep a run as the baseline of its policy and split."),
            "show": Command("baseline:show_command", "Every baseline: which run it was, and its kappa."),
        },
    ),
    "regress": Command("compare:regress_command", "May the candidate replace the base?"),
    "ship": Command("ship:ship_command", "May this version of a policy ship? All checks, on one page."),
    "audit": Command("audit:audit_command", "Do grades depend on what they should not depend on?"),
    "label": Command("label:label_command", "Label production pairs with a proven teacher."),
    "sample": Command("sample:sample_command", "Draw production pairs for people to rate."),
    "estimate": Command("estimate:estimate_command", "How good is production? Teacher and people, combined."),
    "signal": Command("signal:signal_command", "Where does what users do contradict the policy?"),
    "judged": Command("judged:judged_command", "Do people side with users, or with the labels?"),
    "watch": Command("watch:watch_command", "Who drifted, the teacher or the traffic?"),
    "student": Group(
        "Smaller models that learn from a teacher.",
        {
            "export": Command(
                "student_training:export_command", "Write a training set of the teacher's labels."
            ),
            "train": Command(
                "student_training:train_command", "Train a small student: --model student/FOLDER."
            ),
            "check": Command("student:check_command", "May a student stand in for its teacher?"),
            "cascade": Command("cascade:cascade_command", "Ask the teacher where the student is not sure."),
        },
    ),
    "stages": Command("stages:stages_command", "How often are several stages right together?"),
    "improve": Command(
        "improve:improve_command", "Propose edits to a prompt, and accept what is surely better."
    ),
    "runs": Group(
        "Runs: what was asked, answered and scored.",
        {
            "list": Command("runs:list_runs", "Every run; with --sort kappa the leaderboard of prompts."),
            "show": Command("runs:show_run", "What one run was: model, prompt, policy, and what it cost."),
            "rm": Command("runs:remove_runs", "Delete runs with all their answers."),
        },
    ),
    "report": Command("reports:report_command", "Write the report of a run or a label set: one HTML file."),
    "view": Command("view:view_command", "Show runs, reports and comparisons as local web pages."),
    "cache": Group(
        "Replies kept across runs, so that none is paid for twice.",
        {
            "stats": Command("cache:stats_command", "The number of kept replies by model, and their size."),
            "clear": Command("cache:clear_command", "Delete every kept reply. Runs keep their own."),
        },
    ),
    "doctor": Command(
        "doctor:doctor_command", "What is installed, which keys are set, what the project holds."
    ),
    "demo-server": Command(
        "demo_server:demo_server_command", "Answer as the model APIs do, to try without a key."
    ),
}
