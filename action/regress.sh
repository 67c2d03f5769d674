#!/usr/bin/env bash
# Grade the golden set and hold the run against the baseline: the work of action.yml, which sets these variables.
# HARNESS_EVAL_*  options of harness eval      BASE  the run in use (baseline)
# PROJECT         the project's folder (.)     INCONCLUSIVE  fail or warn (fail)
# OUT             a folder for the report, the verdict and JUnit XML (harness-regress)
# Ends with 0 for pass, 1 for fail, 3 for inconclusive, 0 where INCONCLUSIVE=warn; else as harness ended.
set -euo pipefail

base=${BASE:-baseline}
inconclusive=${INCONCLUSIVE:-fail}
out=$(realpath -m "${OUT:-harness-regress}")
case $inconclusive in
    fail | warn) ;;
    *) echo "inconclusive: '$inconclusive' is not fail or warn" >&2; exit 2 ;;
esac
mkdir -p "$out"
cd "${PROJECT:-.}"

harness eval
code=0
harness regress --base "$base" --candidate latest --junit "$out/regress.xml" --markdown "$out/summary.md" || code=$?
case $code in
    0) verdict=pass ;;
    1) verdict=fail ;;
    3) verdict=inconclusive ;;
    *) exit "$code" ;;
esac
echo "verdict=$verdict" >> "${GITHUB_OUTPUT:-/dev/null}"
cat "$out/summary.md" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"

# For the artefact. The report is the run's own: the base is a file in runs/baselines, and its run is not in git.
run=$(harness runs show latest --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["name"])')
cp "runs/$run"/{report.html,verdict.json,scorecard.json} "$out"

if [ "$verdict $inconclusive" = "inconclusive warn" ]; then
    echo "::warning title=Regression::inconclusive: the data do not decide"
    exit 0
fi
exit "$code"
