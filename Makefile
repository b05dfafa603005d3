# Gatehouse: `make run` and `make test` are all one needs; the rest is for developers and packagers.
PREFIX ?= /usr/local
DESTDIR ?=
KILLS ?= 200
SEEDS ?= 1000
SWIFT_FLAGS := --static-swift-stdlib
STRICT := -Xswiftc -warnings-as-errors
LINTED := Package.swift Sources Tests Benchmarks

.PHONY: run test build bench lint format install dependencies test-dependencies torture simulate clean

run: dependencies build
	.build/release/gatehouse demo -c deploy/gatehouse.yaml

build: dependencies
	swift build -c release $(SWIFT_FLAGS) --product gatehouse

test: dependencies test-dependencies
	swift build $(STRICT) --build-tests
	Tests/run
	$(MAKE) simulate SEEDS=2000

bench: test-dependencies build
	Benchmarks/run

lint:
	swift format lint --strict --recursive $(LINTED)

format:
	swift format --in-place --recursive $(LINTED)

torture: test-dependencies build
	KILLS=$(KILLS) Tests/torture/run

# SEED=n runs one seed and tells all that happens.
simulate: dependencies
	swift build -c release $(SWIFT_FLAGS) --product gatehouse-simulate
	.build/release/gatehouse-simulate $(if $(SWEEP),--sweep $(SWEEP),$(if $(SEED),--seed $(SEED),--seeds $(SEEDS)))

install: build
	install -D -m 0755 .build/release/gatehouse $(DESTDIR)$(PREFIX)/bin/gatehouse
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's#/usr/local/bin#$(PREFIX)/bin#' deploy/gatehouse.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/gatehouse.service
	install -D -m 0640 deploy/gatehouse.yaml $(DESTDIR)/etc/gatehouse/gatehouse.yaml.example

# What the program is built with, and what its tests start.
dependencies:
	@deploy/install-dependencies build

test-dependencies:
	@deploy/install-dependencies test

clean:
	rm -rf .build data
