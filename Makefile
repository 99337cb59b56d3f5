# Valise - `make run` starts a box, `make check` proves it. `make help` lists the rest.
#
# Variants stand side by side: BUILD=build (default), build-asan, build-tsan, build-coverage.
# CC=gcc or clang; V=1 prints the commands.

ifeq ($(origin CC),default)
CC       := gcc
endif
VARIANT  ?= plain
BUILD    := $(if $(filter plain,$(VARIANT)),build,build-$(VARIANT))
GEN      := $(BUILD)/gen
PACKAGES := rocksdb libmicrohttpd libsodium expat jansson libisal libcrypto libprotobuf-c

include tests/variants.mk # CFLAGS_$(VARIANT), LDFLAGS_$(VARIANT)

CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I$(GEN) $(shell pkg-config --cflags $(PACKAGES))
CFLAGS   += -std=c17 -g -pthread -fPIE -fno-strict-overflow -fstack-protector-strong \
            -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes \
            -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 \
            -Wno-missing-field-initializers $(CFLAGS_$(VARIANT))
LDFLAGS  += -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS_$(VARIANT))
LDLIBS   += $(shell pkg-config --libs $(PACKAGES))

FOLDERS  := base base/http storage/kv storage/auth storage/obj storage/backup storage/s3 storage/s3/op \
            appliance appliance/cmd
SOURCES  := $(filter-out appliance/main.c,$(foreach d,$(FOLDERS),$(wildcard $(d)/*.c)))
PROTOS   := $(foreach d,$(FOLDERS),$(wildcard $(d)/*.proto))
GEN_C    := $(PROTOS:%.proto=$(GEN)/%.pb-c.c)
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(GEN_C:%.c=%.o)
TESTS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(shell find tests/unit -name '*_test.c' 2>/dev/null))
LIB      := $(BUILD)/libvalise.a
Q        := $(if $(V),,@)

.PHONY: all run check check-long unit api fault lint corpus fuzz bench install clean help
.SECONDARY:

all: $(BUILD)/valise

$(BUILD)/valise: $(BUILD)/appliance/main.o $(LIB)
	@echo "  link  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: %.proto
	@echo "  gen   $<"
	@mkdir -p $(GEN)
	$(Q)protoc-c --c_out=$(GEN) $<

# Generated code is a library's, not held to our warnings.
$(GEN)/%.o: $(GEN)/%.c
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<

$(BUILD)/%.o: %.c | $(GEN_C)
	@echo "  cc    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A unit test may name further link flags in a line `LINK: …` of its header comment.
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIB)
	@echo "  link  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $$(sed -n 's/^ \* LINK: *//p' tests/$*.c) $(LDLIBS) -lcmocka

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# What people run.

DATA ?= box
API  ?= 127.0.0.1:9000

run: ## install what is missing, build, start a box in ./box and say how to use it
	@./packages.sh build
	@$(MAKE) --no-print-directory all
	@printf '%s\n' '' "A box is starting in ./$(DATA). When it says ready, in another terminal:" '' \
	    "    eval \"\$$($(BUILD)/valise env --data $(DATA))\"" \
	    "    aws --endpoint-url \$$AWS_ENDPOINT_URL s3 mb s3://photos" \
	    "    aws --endpoint-url \$$AWS_ENDPOINT_URL s3 cp README.md s3://photos/" '' \
	    "Any AWS SDK reads the same variables. More keys: $(BUILD)/valise key create --data $(DATA) --user NAME" \
	    "Stop it with Ctrl-C. Everything else: $(BUILD)/valise --help, README.md" ''
	@exec $(BUILD)/valise serve --data $(DATA) --api $(API)

check: ## the whole proof that fits in 20 minutes: lint, unit, fuzz corpora, API, faults
	@./packages.sh check
	@tests/check.sh lint unit corpus api fault

check-long: ## the campaigns, for hours: sanitizers, real trees, kills, power cuts, fuzzers
	@./packages.sh check
	@tests/check.sh lint unit corpus api fault asan tsan api-long fault-long fuzz powercuts

unit: $(TESTS) ## the unit tests (cmocka)
	@tests/unit.sh $(TESTS)

api: all ## the tests that drive the program with real clients (pytest)
	@tests/venv.sh
	@VALISE_BIN=$(CURDIR)/$(BUILD)/valise .venv/bin/pytest -q tests/api

fault: all ## power cuts, kills, full disks
	@tests/venv.sh
	@VALISE_BIN=$(CURDIR)/$(BUILD)/valise .venv/bin/pytest -q tests/fault

lint: $(GEN_C) ## layout, names, formatting, promises; the longest and most complex functions
	@CPPFLAGS='$(CPPFLAGS)' tests/lint/lint.sh

FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))

FUZZ_PROGRAMS := $(FUZZERS:%=build-fuzz/tests/fuzz/%_fuzz)

corpus: ## replay every fuzzer's corpus under ASan and UBSan
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang $(FUZZ_PROGRAMS)
	@tests/fuzz/corpus.sh build-fuzz $(FUZZERS)

FUZZ_SECONDS ?= 600

fuzz: ## run every fuzzer for FUZZ_SECONDS
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang $(FUZZ_PROGRAMS)
	@tests/fuzz/fuzz.sh build-fuzz $(FUZZ_SECONDS) $(FUZZERS)

$(BUILD)/tests/fuzz/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(LIB) $(filter %.o,$(FUZZ_MAIN))
	@echo "  link  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(filter-out %.o,$(FUZZ_MAIN)) -o $@ $^ $(LDLIBS)

fresh: ## the README's commands on fresh Debian 12 and 13 systems (root, network)
	@./packages.sh fresh
	@tests/fresh.sh

BENCH := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/slow_sync.c,$(wildcard tests/bench/*.c)))

bench: all $(BUILD)/tests/bench/load $(BUILD)/tests/bench/slow_sync.so ## measure; BENCH_ARGS=--quick, or --help
	@tests/bench/bench.py --build $(BUILD) $(BENCH_ARGS)

$(BUILD)/tests/bench/load: $(BENCH) $(LIB)
	@echo "  link  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/bench/slow_sync.so: tests/bench/slow_sync.c
	@echo "  link  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<

coverage: ## lines, branches and error returns that the tests reach, by folder and group
	@tests/coverage.sh

PREFIX ?= /usr/local
ETC    ?= /etc

install: all ## copy the program, its systemd unit and its settings; DESTDIR, PREFIX, ETC
	install -D -m 0755 $(BUILD)/valise $(DESTDIR)$(PREFIX)/bin/valise
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/valise/README.md
	install -D -m 0644 appliance/valise.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/valise.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(ETC)/valise
	sed 's,/usr/bin/valise,$(PREFIX)/bin/valise,' appliance/valise.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/valise.service
	[ -e $(DESTDIR)$(ETC)/valise/valise.conf ] || \
	    install -m 0644 appliance/valise.conf $(DESTDIR)$(ETC)/valise/valise.conf

clean: ## remove what was built
	rm -rf build build-asan build-tsan build-fuzz build-coverage

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12
