# SPDX-License-Identifier: Apache-2.0
#
# The targets a person types. What is longer than a line is a script in .ci, which CI runs too.

SHELL := /bin/bash
.DEFAULT_GOAL := help

FUZZTIME ?= 60s
TESTFLAGS ?=
BENCHFLAGS ?=
# Signed files of other projects with a known outcome, read by the tests where the folder is there.
PECTOKEN_CORPUS ?= $(abspath $(wildcard ../shared/corpus))
export PECTOKEN_CORPUS

# Go stamps the commit into the program; in a folder where git can't tell one it would stop instead.
GOBUILD := go build -trimpath $(if $(shell git rev-parse --verify HEAD 2>/dev/null),,-buildvcs=false)

.PHONY: help build demo test lint vuln fuzz bench cross judges interop clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

build: ## build bin/pectoken and bin/pectoken-fixtures
	@bash .ci/prepare --check build
	CGO_ENABLED=1 $(GOBUILD) -o bin/ ./cmd/pectoken ./cmd/pectoken-fixtures

demo: ## install what is missing, build, and sign and verify with a token in software
	@bash .ci/demo

test: ## install what the tests need, and run them all
	@bash .ci/prepare test
	CGO_ENABLED=1 go test $(TESTFLAGS) ./...
	CGO_ENABLED=1 go test -race $(TESTFLAGS) ./token/...

lint: ## gofmt, vet and staticcheck, with cgo and without; then vuln
	@bash .ci/lint

vuln: ## look for known vulnerabilities that our code reaches
	@bash .ci/lint vuln

fuzz: ## run every fuzz target for FUZZTIME (60s)
	@bash .ci/prepare --check build
	@bash .ci/fuzz $(FUZZTIME)

bench: ## measure time and memory on a 1 GiB file, beside openssl
	@bash .ci/prepare test
	CGO_ENABLED=1 go run ./cmd/pectoken-fixtures bench $(BENCHFLAGS)

cross: ## build without cgo for every system, and try what that program does here
	@bash .ci/cross

judges: ## install pyHanko, DSS and veraPDF, which no distribution has, and big programs that make PDFs
	@bash .ci/judges
	@bash .ci/prepare producers || echo 'judges: the tests do without the programs that are not installed'

# With both of them there, a test that does not find one has failed.
interop: ## have every judge verify what we sign, and verify what they sign
	@bash .ci/prepare test
	PECTOKEN_JUDGES_REQUIRED=$$(bash .ci/judges --check >&2 && echo 1) CGO_ENABLED=1 \
		go test -count=1 -run '^TestInterop' $(TESTFLAGS) ./softhsm-fixtures/judges ./sign/... ./verify/...

clean: ## remove what make build made
	rm -rf bin
