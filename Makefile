# Gatehouse: `make run` and `make test` are all one needs; the rest is for developers and packagers.
PREFIX ?= /usr/local
DESTDIR ?=
KILLS ?= 200
SEEDS ?= 1000
SWIFT_FLAGS := --static-swift-stdlib
STRICT := -Xswiftc -warnings-as-errors
LINTED := Package.swift Sources Tests Benchmarks

.PHONY: run run-kafka test build bench lint format install dependencies test-dependencies torture torture-kafka simulate clean

run: dependencies build
	.build/release/gatehouse demo -c deploy/gatehouse.yaml

# As `make run`, with the events in a Kafka of the user's, in topics of its own.
run-kafka:
	@[ -n "$(BROKERS)" ] || { echo "Say where Kafka is: make run-kafka BROKERS=kafka-1:9092,kafka-2:9092" >&2; exit 2; }
	$(MAKE) build
	.build/release/gatehouse demo -c deploy/gatehouse.yaml --brokers "$(BROKERS)"

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

torture-kafka: test-dependencies build
	Tests/torture/run-kafka

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
