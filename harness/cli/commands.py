"""The commands, in the order of the workflow: their modules, and their lines in a list of commands.

Nothing of a command is imported before it is called: to import all of them took a third of every start.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """A command: its module in this room with its function, and what it does, for a list of 80 columns."""

    place: str
    summary: str


GROUPS = {
    "policy": "Policies: the product team's judgement, written down.",
    "golden": "Golden sets: graded pairs, with the reasoning behind each.",
    "rate": "Rounds of rating: people grade pairs, blind, in the browser.",
    "ratings": "Ratings: people's blind grades for a golden set.",
    "prompt": "Teacher prompts: templates for the policy and some shots.",
    "baseline": "Baselines: runs that others are compared with.",
    "student": "Smaller models that learn from a teacher.",
    "runs": "Runs: what was asked, answered and scored.",
    "cache": "Replies kept across runs, so that none is paid for twice.",
}
"""The first words of commands of two words, and what these commands are about."""
COMMANDS = {
    "init": Command("init:init_command", "Begin a project: policy, prompts, golden set, Makefile, CI."),
    "policy list": Command("policy:list_policies", "The policies and their versions."),
    "policy show": Command("policy:show_policy", "A policy as a document, in Markdown."),
    "policy lint": Command("policy:lint_policies", "What is wrong with a policy or its gates."),
    "policy diff": Command(
        "policy:diff_policy", "What changed between two versions, and which examples it affects."
    ),
    "policy new": Command(
        "policy:new_policy_version", "Begin the next version, or a new policy, as a draft."
    ),
    "policy impact": Command("impact:impact_command", "What does a policy change do to what people see?"),
    "golden list": Command("golden:list_golden", "The golden sets, with their sizes."),
    "golden lint": Command("golden:lint_golden_set", "What is wrong with a golden set."),
    "golden stats": Command("golden:golden_set_stats", "Counts: grades by split, clauses, tags, words."),
    "golden import": Command("golden:import_golden_set", "Make a golden set from a table of graded pairs."),
    "golden add": Command("golden_add:add_command", "Add production pairs that people judged in a round."),
    "golden export": Command("golden:export_golden_set", "Write a golden set as CSV or JSON lines."),
    "golden sheet": Command("sheets:rating_sheet_command", "Write a rating sheet: the policy and the pairs."),
    "golden collect": Command("sheets:collect_ratings", "Take a rater's filled-in sheet into ratings.jsonl."),
    "golden confirm": Command("rejudge:confirm_examples", "Confirm grades under a policy version."),
    "golden regrade": Command("rejudge:regrade_example", "Regrade an example; the old grade is kept."),
    "golden age": Command(
        "golden_age:golden_age_command", "What is old, what has left traffic, what to add."
    ),
    "golden plan": Command("sizes:size_command", "How many examples does a golden set need?"),
    "rate": Command("rate_serve:serve_command", GROUPS["rate"]),
    "rate plan": Command("rate_plan:plan_command", "Plan a round: draw pairs, and assign them to raters."),
    "rate invite": Command("rate:invite_command", "Make a rater's link, and print it once."),
    "rate revoke": Command("rate:revoke_command", "Revoke every link of a rater."),
    "rate status": Command("rate:status_command", "How far are the raters?"),
    "rate live": Command("rate_live:live_command", "Gate 1 of a round while people rate."),
    "rate seal": Command("rate:seal_command", "Close a rater's set, and count it in ratings.jsonl."),
    "rate close": Command("rate_live:close_command", "Stop waiting for ratings that are missing."),
    "ratings import": Command("ratings:import_ratings_command", "Take ratings into the golden set."),
    "ratings export": Command("ratings:export_ratings_command", "Write ratings, or pairs, for another tool."),
    "gate1": Command("gate1:gate1_command", "Gate 1: do the raters agree?"),
    "adjudicate": Command(
        "adjudicate:adjudicate_command", "Decide the disputes of a golden set, in the browser."
    ),
    "prompt list": Command("prompt:list_prompts", "The prompts, their versions and their descriptions."),
    "prompt render": Command("prompt:render_prompt", "The prompt for one example, as a teacher gets it."),
    "prompt diff": Command("prompt:diff_prompt", "What differs between two prompts."),
    "prompt new": Command(
        "prompt:new_prompt_version", "Begin the next version, or a new prompt, as a draft."
    ),
    "eval": Command("run_eval:eval_command", "Grade the golden set with a teacher: how far does it agree?"),
    "gate2": Command("gate2:gate2_command", "Gate 2: does a grader agree with the golden set?"),
    "compare": Command("compare:compare_command", "What moved between runs, and whether the change is real."),
    "baseline set": Command("baseline:set_command", "Keep a run as the baseline of its policy and split."),
    "baseline show": Command("baseline:show_command", "Every baseline: which run it was, and its kappa."),
    "regress": Command("compare:regress_command", "May the candidate replace the base?"),
    "ship": Command("ship:ship_command", "May this version of a policy ship? All checks, on one page."),
    "audit": Command("audit:audit_command", "Do grades depend on what they should not depend on?"),
    "label": Command("label:label_command", "Label production pairs with a proven teacher."),
    "sample": Command("sample:sample_command", "Draw production pairs for people to rate."),
    "estimate": Command("estimate:estimate_command", "How good is production? Teacher and people, combined."),
    "signal": Command("signal:signal_command", "Where does what users do contradict the policy?"),
    "judged": Command("judged:judged_command", "Do people side with users, or with the labels?"),
    "watch": Command("watch:watch_command", "Who drifted, the teacher or the traffic?"),
    "student export": Command(
        "student_training:export_command", "Write a training set of the teacher's labels."
    ),
    "student train": Command(
        "student_training:train_command", "Train a small student: --model student/FOLDER."
    ),
    "student check": Command("student:check_command", "May a student stand in for its teacher?"),
    "student cascade": Command("cascade:cascade_command", "Ask the teacher where the student is not sure."),
    "stages": Command("stages:stages_command", "How often are several stages right together?"),
    "improve": Command(
        "improve:improve_command", "Propose edits to a prompt, and accept what is surely better."
    ),
    "runs list": Command("runs:list_runs", "Every run; with --sort kappa the leaderboard of prompts."),
    "runs show": Command("runs:show_run", "What one run was: model, prompt, policy, and what it cost."),
    "runs rm": Command("runs:remove_runs", "Delete runs with all their answers."),
    "report": Command("reports:report_command", "Write the report of a run or a label set: one HTML file."),
    "view": Command("view:view_command", "Show runs, reports and comparisons as local web pages."),
    "cache stats": Command("cache:stats_command", "The number of kept replies by model, and their size."),
    "cache clear": Command("cache:clear_command", "Delete every kept reply. Runs keep their own."),
    "doctor": Command(
        "doctor:doctor_command", "What is installed, which keys are set, what the project holds."
    ),
    "demo-server": Command(
        "demo_server:demo_server_command", "Answer as the model APIs do, to try without a key."
    ),
}
"""Every command by its words; a group can be a command too."""
