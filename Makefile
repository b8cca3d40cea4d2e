# Every target works in a clean clone, as any user, with no network but the Go
# module proxy (vuln also needs the vulnerability database).

GO       ?= go
MODULES  := . examples fixture/containers internal/bench
FUZZTIME ?= 30s
TIMEOUT  ?= 15m

# Each module is built with its own requirements, as its users get it. go.work
# is for editors: in a workspace one module's versions would raise another's.
export GOWORK := off

# The pinned tools. $(tool) runs one in the current folder.
TOOLMOD := $(CURDIR)/tools/go.mod
tool     = $(GO) tool -modfile="$(TOOLMOD)"

# $(call each,COMMAND) runs COMMAND in the folder of every module, all of them
# even after a failure, and fails if one failed.
each = @status=0; for module in $(MODULES); do \
	(cd "$$module" && $(1)) || { status=1; echo "make $@: failed in module $$module" >&2; }; \
	done; exit $$status

# The race detector needs a C compiler (not on macOS). Where there is none the
# tests still run, and say so; in CI it is a failure.
RACE = $(if $(CI)$(filter 1,$(shell $(GO) env CGO_ENABLED))$(filter darwin,$(shell $(GO) env GOOS)),-race)
no_race = $(if $(RACE),,@echo "make $@: no C compiler found, so no race detector; 'make setup' installs one")

.PHONY: help setup images demo test bench fuzz lint vuln api api-save tidy-check cover cross

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## install what the tests need (Debian and its kin; elsewhere says what to install)
	@.ci/setup

images: ## make images of the database servers installed here, named as the official ones (for engines without a registry)
	@fixture/containers/images/make

demo: ## watch a checkout service being tested: passing, failing on purpose, nothing left
	@cd examples && $(GO) run ./demo

test: ## run every test, with the race detector and in random order
	$(no_race)
	$(call each,$(GO) test $(RACE) -shuffle=on -count=1 -timeout=$(TIMEOUT) ./...)

bench: ## measure against the peers and print ratios (ONLY=ports,http picks suites)
	@cd internal/bench && $(GO) run . $(if $(ONLY),-only=$(ONLY))

fuzz: ## run each fuzz target for FUZZTIME (30s)
	$(call each,"$(CURDIR)/.ci/fuzz" $(FUZZTIME))

lint: tidy-check api ## check format, vet, staticcheck, tidy go.mod files and the public API
	@files=$$($(tool) gofumpt -l .) || exit 1; \
	[ -z "$$files" ] || { printf 'not in gofumpt form:\n%s\nwrite them with: GOWORK=off go tool -modfile=tools/go.mod gofumpt -w .\n' "$$files" >&2; exit 1; }
	$(call each,$(GO) vet ./...)
	$(call each,$(tool) staticcheck ./...)

vuln: ## look for known vulnerabilities (needs the database at vuln.go.dev)
	$(call each,$(tool) govulncheck ./... || { [ $$? -eq 3 ] || \
		echo "make vuln: NOTHING WAS CHECKED in $$module; govulncheck needs https://vuln.go.dev or a copy named by GOVULNDB" >&2; false; })

api: ## compare the public API with the saved one; an incompatible change fails
	@.ci/api check

api-save: ## accept the public API as it is now
	@.ci/api save

tidy-check: ## fail if go mod tidy would change a go.mod or go.sum
	$(call each,$(GO) mod tidy -diff)
	@cd tools && $(GO) mod tidy -diff

cover: ## measure the coverage of the root module; writes coverage.html
	$(GO) test -count=1 -timeout=$(TIMEOUT) -coverpkg=./... -coverprofile=coverage.out ./...
	@$(GO) tool cover -func=coverage.out | tail -n 1
	@$(GO) tool cover -html=coverage.out -o coverage.html && echo "line by line: coverage.html"

cross: ## vet and build every module for macOS and Windows
	$(call each,for os in darwin windows; do \
		echo "GOOS=$$os go vet and build: $$module"; \
		GOOS=$$os $(GO) vet ./... && GOOS=$$os $(GO) build -buildvcs=false ./... || exit 1; done)
