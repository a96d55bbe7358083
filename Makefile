# What CONTRIBUTING.md says, by name. `make install` first.
python = .venv/bin/python

.PHONY: install format lint type test test-slow docs ci

install:
	python3.11 -m venv .venv
	.venv/bin/pip install --editable '.[accelerator,docs,spark,test]'

format:
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lint:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .

type:
	.venv/bin/mypy

test:
	$(python) -m pytest -n 2 --dist loadfile -m "not slow"

test-slow:
	$(python) -m pytest -n 2 --dist loadfile -m slow

docs:
	.venv/bin/mkdocs build --strict

# All of it in fresh environments.
ci:
	bash .ci/run
