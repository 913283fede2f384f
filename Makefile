# The targets that people and CI use. `make help` lists them.

GO ?= go

# make demo
LISTEN ?= :8080
# make fuzz: how long each target runs
FUZZTIME ?= 10s
# make soak: for how long; SOAK_SEED=... in the environment repeats a plan
SOAK ?= 2m
unexport SOAK
# make bench: which benchmarks
BENCH ?= .

# Nested modules pin what the main module must not depend on, such as old clients. They have
# no tests of their own: the end-to-end tests of cmd/dongled run them.
NESTED := $(patsubst %/go.mod,%,$(shell find . -mindepth 2 -name go.mod -not -path './.*'))

.DEFAULT_GOAL := build

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/dongled for this machine
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/dongled ./cmd/dongled

# Where make install puts things; packagers set DESTDIR.
DESTDIR ?=
PREFIX ?= /usr

bin/dongled:
	$(MAKE) build

# Builds nothing as root once bin/dongled is there: make build, then sudo make install.
.PHONY: install
install: bin/dongled ## Install binary, unit, user, udev rules and sample configuration; DESTDIR honoured
	install -D -m 0755 bin/dongled $(DESTDIR)$(PREFIX)/bin/dongled
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|^ExecStart=/usr/bin|ExecStart=$(PREFIX)/bin|' systemd/dongled.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/dongled.service
	install -D -m 0644 systemd/dongled.sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/dongled.conf
	install -D -m 0644 systemd/70-dongled.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/70-dongled.rules
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/dongled/README.md
	test -e $(DESTDIR)/etc/dongled/dongled.yaml || install -D -m 0600 configs/dongled.yaml $(DESTDIR)/etc/dongled/dongled.yaml
ifeq ($(DESTDIR),)
	systemd-sysusers
	udevadm control --reload && udevadm trigger --subsystem-match=usb
	systemctl daemon-reload
endif

.PHONY: demo
demo: ## Run dongled on two virtual dongles; LISTEN=:9090 to listen elsewhere
	@$(GO) run ./cmd/dongled demo --listen $(LISTEN)

.PHONY: test
test: deps ## Run all tests with the race detector, installing socat, gcc, node and npm if missing
	$(GO) test -race ./...

.PHONY: check
check: SOAK = 45s
check: export SOAK_SEED ?= 1
check: fmt vet house-rules cross unit noise soak test ## Run what CI runs: format, vet, staticcheck, import rules, cross-builds, systemd unit, a short soak, tests

# Without the race detector, which would be what is measured. Draining takes minutes at the most.
.PHONY: soak
soak: ## Run a gateway for SOAK (2m) while everything goes wrong; hours by hand
	SOAK=$(SOAK) $(GO) test -count 1 -timeout 0 -run '^TestSoak$$' -v ./cmd/dongled

.PHONY: bench
bench: ## Run the benchmarks; BENCH=Claim for some of them
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$pkg; \
		done; \
	done

.PHONY: house
house: ## Print the house measures: lengths of functions and files, test to source
	@$(GO) run ./hack/house

# Below: the parts of check.

.PHONY: deps
deps:
	@hack/deps.sh socat gcc node npm

.PHONY: fmt
fmt:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted, run gofmt -w on:" >&2; echo "$$unformatted" >&2; exit 1; fi

.PHONY: vet
vet:
	$(GO) vet ./...
	@set -e; for dir in $(NESTED); do echo "$(GO) -C $$dir vet ./..."; $(GO) -C $$dir vet ./...; done
	$(GO) tool staticcheck ./...

.PHONY: house-rules
house-rules:
	$(GO) test ./hack/house

# The product is pure Go: a C compiler is needed for the race detector only.
.PHONY: cross
cross:
	CGO_ENABLED=0 GOOS=linux GOARCH=arm GOARM=6 $(GO) build -trimpath -o bin/dongled-linux-armv6 ./cmd/dongled
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath -o bin/dongled-linux-arm64 ./cmd/dongled
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build -trimpath -o bin/dongled-linux-amd64 ./cmd/dongled

.PHONY: unit
unit: build
	@hack/deps.sh systemd-analyze
	@hack/unit.sh

# Any noise at any place of every dialogue; make test takes a seventh of them, with the race detector.
.PHONY: noise
noise:
	$(GO) test -run '^TestAnyNoiseAnywhere$$' ./modem

# With -j, the parts must not be woven together: the last lines are the tests' summary.
.NOTPARALLEL:
