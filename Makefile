# The short way to everything. `make help` lists the targets; `harness --help` has every option.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# uv installs in seconds what takes pip a minute or more. It reads no pip.conf: `make UV= ...` takes pip all the same.
UV     := $(shell command -v uv)
PIP    := $(if $(UV),$(UV) pip install --python $(BIN)/python,$(BIN)/python -m pip --disable-pip-version-check install --no-compile)
# On all cores, and without the packages' own tests: pip compiles those too, on one core. What does not compile is
# a template, or for another Python.
COMPILE = $(BIN)/python -m compileall -qq -j 0 -p "$(CURDIR)" -x '/tests?/' $(VENV)/lib harness || true

# A variable that is not given leaves the command's own default in force.
EVAL_FLAGS = $(if $(MODEL),--model "$(MODEL)") $(if $(POLICY),--policy "$(POLICY)") \
             $(if $(PROMPT),--prompt "$(PROMPT)") $(if $(SPLIT),--split "$(SPLIT)") \
             $(if $(LIMIT),--limit "$(LIMIT)") $(FLAGS)

SHIP_FLAGS = --base "$(or $(BASE),baseline)" $(if $(RUN),--run "$(RUN)") $(if $(PAIRS),--pairs "$(PAIRS)") $(FLAGS)

# A variable that a target cannot do without: an empty one would be an empty path.
NEEDS = $(foreach one,$(1),$(if $($(one)),,$(error name $(one)=..., as in `make help`)))

# make ends with 2 on every error. The last line of the command says with what it ended itself.
ENDS = || { code=$$?; case $$code in \
  1) what="failed: a gate, or what it asks for";; \
  2) what="bad usage or bad input";; \
  3) what="inconclusive: the data do not decide";; \
  4) what="unfinished: questions have no answer";; \
  130) what="interrupted";; \
  *) what="unexpected";; \
  esac; echo "harness: exit $$code, $$what" >&2; exit $$code; }

# A demonstration goes on where a gate fails or the data do not decide.
SHOWN   = || { code=$$?; case $$code in 1|3) ;; *) exit $$code;; esac; }
DEMO_OF = @$(BIN)/harness eval --model recorded/claude --split dev --prompt

WORKERS = auto
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(if $(PROFILE),--hypothesis-profile="$(PROFILE)")

# Every process of the tests would compile the tests and the package anew: 5 s each.
COMPILED = env -u PYTHONDONTWRITEBYTECODE $(IN_MEMORY)

# Tests make and remove a hundred thousand files: in memory where it has room, a fifth of the time less.
ROOMY = 4000000 # kB
IN_MEMORY = $(shell [ -w /dev/shm ] && df -Pk /dev/shm | awk 'NR == 2 && $$4 > $(ROOMY) { print "TMPDIR=/dev/shm" }')

.DEFAULT_GOAL := help
.PHONY: help eval demo gate1 gate2 compare regress impact ship audit label estimate watch student signal improve report rate adjudicate view lint docs demo-server test test-slow check format golden-update screenshots mutants clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

eval: $(VENV)/installed  ## Grade the golden set: [MODEL= POLICY= PROMPT= SPLIT= LIMIT= FLAGS=]
	@$(BIN)/harness eval $(EVAL_FLAGS) $(ENDS)

demo: $(VENV)/installed  ## The whole loop on recorded replies of a language model: no key, no network
	@echo "== 1 of 5: a language model read teacher@v1, which shows it the grades alone"
	$(DEMO_OF) teacher@v1 $(SHOWN)
	@echo; echo "== 2 of 5: the same model read teacher@v3, with the rules and examples"
	$(DEMO_OF) teacher@v3 $(SHOWN)
	@echo; echo "== 3 of 5: is teacher@v3 really better?"
	@$(BIN)/harness compare latest~1 latest --flips 2 $(SHOWN)
	@echo; echo "== 4 of 5: may it replace teacher@v1?"
	@$(BIN)/harness regress --base latest~1 --candidate latest --flips 0 | sed '/^$$/q'
	@echo "== 5 of 5: the report, with every disagreement"
	@$(BIN)/harness report latest latest~1
	@echo; echo "No model was asked: golden/product-search/recorded/README.md says how the"
	@echo "replies were made. Next:"
	@echo "  make eval                            the floor: a grader that counts words"
	@echo "  make eval MODEL=openai/gpt-6-luna    a model of your own choice"
	@echo "  .venv/bin/harness init shop          a project of your own (docs/start.md)"

gate1: $(VENV)/installed  ## Do the raters agree? RATINGS=file [POLICY= FLAGS=]
	@$(BIN)/harness gate1 $(if $(RATINGS),"$(RATINGS)") $(if $(POLICY),--policy "$(POLICY)") $(FLAGS) $(ENDS)

gate2: $(VENV)/installed  ## Score a finished run again, offline: [RUN=latest FLAGS=]
	@$(BIN)/harness gate2 "$(or $(RUN),latest)" $(FLAGS) $(ENDS)

compare: $(VENV)/installed  ## What moved between two runs? A=run B=run [FLAGS=]
	@$(BIN)/harness compare "$(or $(A),latest~1)" "$(or $(B),latest)" $(FLAGS) $(ENDS)

regress: $(VENV)/installed  ## May a run replace another? [BASE=baseline RUN=latest FLAGS=]
	@$(BIN)/harness regress --base "$(or $(BASE),baseline)" --candidate "$(or $(RUN),latest)" $(FLAGS) $(ENDS)

impact: $(VENV)/installed  ## What would a policy change do to what people see? V1=policy@v1 V2=policy@v2 PAIRS=file [MODEL= FLAGS=]
	$(call NEEDS,V1 V2 PAIRS)@$(BIN)/harness policy impact "$(V1)" "$(V2)" --pairs "$(PAIRS)" $(if $(MODEL),--model "$(MODEL)") $(FLAGS) $(ENDS)

ship: $(VENV)/installed  ## May a policy version ship? POLICY=policy@v2 [RUN= BASE=baseline PAIRS= FLAGS=]
	$(call NEEDS,POLICY)@$(BIN)/harness ship --policy "$(POLICY)" $(SHIP_FLAGS) $(ENDS)

audit: $(VENV)/installed  ## Is a teacher biased? [OF=run, or model with FLAGS="--limit 50 --dry-run"]
	@$(BIN)/harness audit "$(or $(OF),latest)" $(FLAGS) $(ENDS)

label: $(VENV)/installed  ## Label production pairs with a proven teacher: PAIRS=file OUT=folder [MODEL= POLICY= PROMPT= FLAGS=]
	$(call NEEDS,PAIRS OUT)@$(BIN)/harness label "$(PAIRS)" -o "$(OUT)" $(if $(MODEL),--model "$(MODEL)") $(if $(POLICY),--policy "$(POLICY)") $(if $(PROMPT),--prompt "$(PROMPT)") $(FLAGS) $(ENDS)

improve: $(VENV)/installed  ## A better prompt from the disagreements on dev. MODEL=provider/model [PROMPT=teacher@v3 FLAGS="--proposals 20"]
	$(call NEEDS,MODEL)@$(BIN)/harness improve $(PROMPT) --model "$(MODEL)" $(FLAGS) $(ENDS)

estimate: $(VENV)/installed  ## How good is production? LABELS=folder or table [RATINGS=file FLAGS="--over queries"]
	$(call NEEDS,LABELS)@$(BIN)/harness estimate "$(LABELS)" $(if $(RATINGS),--ratings "$(RATINGS)") $(FLAGS) $(ENDS)

signal: $(VENV)/installed  ## Where do users contradict the policy? LOG=file LABELS=folder or table [POLICY= FLAGS=]
	$(call NEEDS,LOG LABELS)@$(BIN)/harness signal "$(LOG)" --labels "$(LABELS)" $(if $(POLICY),--policy "$(POLICY)") $(FLAGS) $(ENDS)

student: $(VENV)/installed  ## May a student stand in for its teacher? STUDENT=run, file or model [TEACHER=latest FLAGS=]
	@$(BIN)/harness student check --student "$(STUDENT)" --teacher "$(or $(TEACHER),latest)" $(FLAGS) $(ENDS)

watch: $(VENV)/installed  ## Who drifted, the teacher or the traffic? [WATCH=folder or table MODEL= TRAFFIC=labels FLAGS=]
	@$(BIN)/harness watch $(if $(WATCH),"$(WATCH)") $(if $(MODEL),--model "$(MODEL)") $(if $(TRAFFIC),--traffic "$(TRAFFIC)") $(FLAGS) $(ENDS)

report: $(VENV)/installed  ## A run as one HTML file: [RUN=latest BASE=run FLAGS=]
	@$(BIN)/harness report "$(or $(RUN),latest)" $(if $(BASE),"$(BASE)") $(FLAGS) $(ENDS)

rate: $(VENV)/installed  ## Rate a round's pairs in the browser: RATER=ann [POLICY= FLAGS=]
	@$(BIN)/harness rate $(if $(POLICY),--policy "$(POLICY)") $(if $(RATER),--rater "$(RATER)") $(FLAGS) $(ENDS)

view: $(VENV)/installed  ## Runs, reports and comparisons as local web pages: [FLAGS="--port 0 --open"]
	@$(BIN)/harness view $(FLAGS) $(ENDS)

adjudicate: $(VENV)/installed  ## Decide where raters differ, on pages of this machine: [POLICY= RUN= FLAGS="--open"]
	@$(BIN)/harness adjudicate $(if $(POLICY),--policy "$(POLICY)") $(if $(RUN),--run "$(RUN)") $(FLAGS) $(ENDS)

lint: $(VENV)/installed  ## Check the policies and the golden sets
	@$(BIN)/harness policy lint $(ENDS)
	@$(BIN)/harness golden lint $(ENDS)

docs: $(VENV)/installed-docs  ## The pages in docs/ as a site with search, in site/: [FLAGS="--site-dir DIR"]
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build $(FLAGS)
	@echo "site/index.html is written. Search takes a server: $(BIN)/python -m http.server -d site"

demo-server: $(VENV)/installed  ## A model API on loopback without a model, to try the network path [FLAGS=]
	@$(BIN)/harness demo-server $(FLAGS) $(ENDS)

# They wait for browsers, and for processes that they start.
test: WORKERS = $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
test: $(VENV)/installed-dev  ## Run the tests, on a process more than there are cores: [PROFILE=ci]
	@$(COMPILED) $(PYTEST) -m "not slow"

test-slow: $(VENV)/installed-ray  ## Run the long tests: simulations, kills, the wheel, three raters at once
	@$(COMPILED) HARNESS_KILLS=$(or $(KILLS),10) HARNESS_RATED_PAIRS=$(or $(PAIRS),200) \
		$(PYTEST) -m slow

check: $(VENV)/installed-dev  ## Format, lint, types, tests: what CI runs, but for test-slow
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

format: $(VENV)/installed-dev  ## Rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

golden-update: $(VENV)/installed-dev  ## Rewrite the tests' expected files; read the diff before you commit it
	@UPDATE_CASES=1 $(BIN)/python -m pytest -q -k golden_file

screenshots: $(VENV)/installed-dev  ## Take the docs' pictures anew, with Chromium; look at them before you commit them
	@$(BIN)/python tests/screenshots.py

mutants: $(VENV)/installed-dev  ## Change the code in small ways that some test has to notice (long): [FILES= SAMPLE=]
	@$(PIP) --quiet -c constraints.txt -e ".[mutants]"
	@nice $(BIN)/python tests/mutants.py $(if $(SAMPLE),--sample $(SAMPLE)) $(FILES)

clean:  ## Remove the virtual environment and caches; runs stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "This needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	         "Name another: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once; about a minute, seconds with uv) ..."
	@$(PIP) --quiet -c constraints.txt -e .
	@$(if $(UV),,$(COMPILE))
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed
	@$(PIP) --quiet -c constraints.txt -e ".[docs]"
	@touch $@

# What `installed` has, too: in one go, as the package is built once then.
$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV), with the tools for tests and checks (once) ..."
	@$(PIP) --quiet -c constraints.txt -e ".[dev]"
	@$(COMPILE)
	@touch $(VENV)/installed $@

# Apart from the tools: 240 MB that the long tests alone want.
$(VENV)/installed-ray: $(VENV)/installed-dev
	@echo "Installing Ray for the long tests ..."
	@$(PIP) --quiet -c constraints.txt -e ".[dev,ray]"
	@touch $@
