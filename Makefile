# Six commands. Each sets up what it needs, says what it is doing, and starts in a moment the second time.

PYTHON ?= python3
BIN = .venv/bin
DATA ?= data

.PHONY: help run test check bench soak docs lock
.DEFAULT_GOAL := help

help:
	@echo "make run     start Pump Party    FEED=tape:DIR or synthetic or ..., SPEED=60, PORT=8400, WS_PORT=8401, DATA=data"
	@echo "make test    every check and every test    ONLY='tests/domains -k ledger' for some tests"
	@echo "make check   style, types, boundaries, dependencies"
	@echo "make bench   the performance table    BENCH=engine for one part"
	@echo "make soak    the engine's properties over 200,000 random orders and 2,000 simulated histories    ORDERS=, SEEDS=, SEED="
	@echo "make docs    write docs/reference and the web app's wire types anew"

run:
	@$(PYTHON) scripts/setup.py run
	@exec $(BIN)/pump-party up --data-dir '$(DATA)' $(if $(FEED),--feed '$(FEED)') $(if $(SPEED),--speed '$(SPEED)') \
		$(if $(PORT),--port '$(PORT)') $(if $(WS_PORT),--ws-port '$(WS_PORT)')

test:
	@$(PYTHON) scripts/setup.py test
	@$(if $(ONLY),,$(BIN)/python scripts/check.py)
	@$(BIN)/python scripts/test.py $(ONLY)

check:
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python scripts/check.py

bench:
	@$(PYTHON) scripts/setup.py bench
	@$(BIN)/python -m benchmarks $(BENCH)

# Looks for new counterexamples every time; what fails prints how to repeat it.
soak:
	@$(PYTHON) scripts/setup.py test
	@PUMP_PARTY_TEST_ORDERS=$(or $(ORDERS),200000) HYPOTHESIS_PROFILE=explore \
		$(BIN)/python -m pytest --timeout=0 tests/domains/prop_engine/test_properties.py
	@$(BIN)/pump-party simulate --seed $(or $(SEED),$$(date +%s)) --seeds $(or $(SEEDS),2000) --steps 200

docs:
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python scripts/write_reference.py
	@$(BIN)/python scripts/web.py generate

# Versions and hashes, no download addresses: the locks serve behind any index. UPGRADE=--upgrade takes newer versions.
lock:
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python scripts/lock.py $(UPGRADE)
