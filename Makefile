# Parley's build. `make help` lists the targets a person uses.
#
# B is the build folder, so that several kinds of build can stand side by side:
#   make B=build/asan SAN=address,undefined check
SHELL := /bin/bash
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

B ?= build/debug
SAN ?=
WERROR ?= 1
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := $(shell git describe --tags --always 2>/dev/null || echo 0.1.0)

SERVICES := gateway telephony speech dialogue rag persistence
TOOLS := callsim parley

# ---- what each part links ------------------------------------------------------------------------
PKG_common := libczmq libzmq libuv libcurl yaml-0.1 libprotobuf-c glib-2.0 libcjson
PKG_gateway := libwebsockets libcjson libcmark openssl
PKG_telephony := libre libwebsockets spandsp speexdsp opus libcjson openssl
PKG_speech := pocketsphinx sphinxbase espeak-ng speexdsp libcjson
PKG_dialogue := libcjson openssl
PKG_rag := sqlite3 libcjson libxml-2.0
PKG_persistence := sqlite3 libpq glib-2.0
PKG_callsim := libre libwebsockets libcjson libcurl spandsp speexdsp opus pocketsphinx sphinxbase espeak-ng
PKG_parley := libcjson libcurl sqlite3
PKG_llm-double := libuv libcjson libcrypto
PKG_speech-double := libuv libcjson libcrypto $(PKG_speech)
LIBS_speech := -lflite_cmu_us_slt -lflite_cmu_us_rms -lflite_cmu_us_awb -lflite_cmu_us_kal16 \
	-lflite_usenglish -lflite_cmulex -lflite
LIBS_speech-double := $(LIBS_speech)
LIBS_callsim := $(LIBS_speech)
LIBS_rag := -lcsv -lstemmer
LIBS_common := -lm -lpthread

# ---- flags ---------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wformat=2 $(if $(filter 1,$(WERROR)),-Werror)
OPT ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
CPPFLAGS += -D_GNU_SOURCE -I. -I$(B)/proto
CFLAGS := -std=c17 $(OPT) $(WARN) $(SANFLAGS) $(EXTRA_CFLAGS)
LDFLAGS += $(SANFLAGS) -Wl,--as-needed

# Headers of libraries are system headers: their warnings are not ours.
pkgflags = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1) 2>/dev/null))
pkglibs = $(shell pkg-config --libs $(1) 2>/dev/null)
CPPFLAGS += $(call pkgflags,$(PKG_common))

# ---- what people type ----------------------------------------------------------------------------
# These install what they need first; the build proper runs in a second make, which then finds it.
.PHONY: help deps demo run test ci
help:
	@echo 'make demo    install what is needed, build, and watch a whole call (about three minutes)'
	@echo 'make run     the same system, kept up until Ctrl-C'
	@echo 'make test    install what is needed, build, run the unit and integration tests'
	@echo 'make         build into $(B)/bin'
	@echo 'make check   unit tests;  check-<part> for one of: common $(SERVICES) $(TOOLS)'
	@echo 'make integration   the whole system under test;  ONLY=name for one'
	@echo 'make explore       who owns a call, through every interleaving, deeper than the unit test;  DEPTH=n'
	@echo 'make endure        HOURS=24 of audio by a simulated clock: no growth of delay or memory (minutes)'
	@echo 'make scenarios     calls by text against the real processes;  ONLY=name for one'
	@echo 'make asan tsan     unit tests under the sanitizers'
	@echo 'make fmt lint      format the code; check format, layering, settings and clang-tidy'
	@echo 'make analyze       lint, and the path-sensitive analyzer of clang (minutes)'
	@echo 'make bench         the benches that need no sound, into build/bench;  bench-turns and others alone'
	@echo 'make test-contract  doubles of outside services, proven by the official clients'
	@echo 'make test-compose  build the images and ring the composed system'

deps:
	@tools/install-deps build run
demo: deps
	@$(MAKE) --no-print-directory -s -j2 all
	@$(B)/bin/parley demo
run: deps
	@$(MAKE) --no-print-directory -s -j2 all
	@$(B)/bin/parley up
test:
	@tools/install-deps build run test
	@$(MAKE) --no-print-directory -s -j2 all unit-tests
	@$(MAKE) --no-print-directory -s check
	@$(MAKE) --no-print-directory -s integration

# ---- generated protocol code ---------------------------------------------------------------------
PROTOS := $(wildcard proto/*.proto)
PROTO_C := $(PROTOS:proto/%.proto=$(B)/proto/%.pb-c.c)
PROTO_O := $(PROTO_C:.c=.o)

$(B)/proto/.made: $(PROTOS)
	@mkdir -p $(@D)
	protoc-c -Iproto --c_out=$(@D) $(PROTOS)
	@touch $@
# The headers, too: what was compiled with an older one is compiled anew in the same run.
$(PROTO_C) $(PROTO_C:.c=.h): $(B)/proto/.made ;
$(PROTO_O): %.o: %.c
	$(CC) -std=c17 $(OPT) $(SANFLAGS) -I$(B)/proto -c $< -o $@

# ---- parts: every folder's objects make one archive, main.o apart --------------------------------
COMMON_O := $(patsubst %.c,$(B)/%.o,$(wildcard common/*.c))
$(B)/common/config.o $(TOOLS:%=$(B)/tools/%/options.o): CPPFLAGS += -DPARLEY_VERSION='"$(VERSION)"'
$(B)/lib/common.a: $(COMMON_O) $(PROTO_O)

define part  # name, folder
SRC_$(1) := $$(wildcard $(2)/*.c $(2)/*/*.c)
OBJ_$(1) := $$(patsubst %.c,$(B)/%.o,$$(SRC_$(1)))
$$(OBJ_$(1)): CPPFLAGS += $$(call pkgflags,$$(PKG_$(1)))
$(B)/lib/$(1).a: $$(filter-out $(B)/$(2)/main.o,$$(OBJ_$(1)))
$(B)/bin/$(3): $(B)/$(2)/main.o $(B)/lib/$(1).a $(B)/lib/common.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -Wl,--start-group $$^ -Wl,--end-group $$(LIBS_$(1)) $$(call pkglibs,$$(PKG_$(1)) $$(PKG_common)) $$(LIBS_common) -o $$@
.PHONY: $(1)
$(1): $(B)/bin/$(3)
endef
$(foreach s,$(SERVICES),$(eval $(call part,$(s),services/$(s),parley-$(s))))
$(eval $(call part,callsim,tools/callsim,callsim))
# A tool may use leaf modules of a service (codecs, RTP, voices); a service never another's.
$(B)/bin/callsim: $(B)/lib/telephony.a $(B)/lib/speech.a
$(eval $(call part,parley,tools/parley,parley))
# Doubles of outside services, for tests alone; they may use leaf modules of a service too.
$(eval $(call part,llm-double,tests/doubles/llm,llm-double))
$(B)/bin/llm-double: $(B)/lib/gateway.a
$(eval $(call part,speech-double,tests/doubles/speech,speech-double))
$(B)/bin/speech-double: $(patsubst %,$(B)/lib/%.a,llm-double gateway speech callsim)
# The demo reads the customer's scenario as callsim does, and compares the claim by the same rules.
$(B)/bin/parley: $(B)/lib/callsim.a
# parley ingest lists documents as the service does.
$(B)/bin/parley: $(B)/lib/rag.a

$(B)/%.o: %.c | $(B)/proto/.made
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The gateway's pages, styles and scripts are part of its binary.
$(B)/services/gateway/assets_data.c: services/gateway/embed $(wildcard services/gateway/assets/*)
	@mkdir -p $(@D)
	services/gateway/embed services/gateway/assets > $@.new
	@mv $@.new $@
$(B)/services/gateway/assets_data.o: $(B)/services/gateway/assets_data.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(B)/lib/gateway.a: $(B)/services/gateway/assets_data.o

$(B)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

DOUBLES := llm-double speech-double
.PHONY: all doubles
doubles: $(DOUBLES:%=$(B)/bin/%)
all: $(SERVICES:%=$(B)/bin/parley-%) $(TOOLS:%=$(B)/bin/%)

# ---- unit tests: tests/unit/<part>/<noun>_test.c links its part and common -----------------------
UNIT_SRC := $(wildcard tests/unit/*/*_test.c)
UNIT_BIN := $(UNIT_SRC:%.c=$(B)/%)

define unit  # part
UNIT_$(1) := $$(patsubst %.c,$(B)/%,$$(wildcard tests/unit/$(1)/*_test.c))
$$(UNIT_$(1):%=%.o): CPPFLAGS += $$(call pkgflags,$$(PKG_$(1)) cmocka)
$$(UNIT_$(1)): %: %.o $(2) $(B)/lib/common.a
	$$(CC) $$(LDFLAGS) -Wl,--start-group $$^ -Wl,--end-group $$(LIBS_$(1)) $$(call pkglibs,$$(PKG_$(1)) $$(PKG_common) cmocka) $$(LIBS_common) -o $$@
.PHONY: check-$(1) unit-tests-$(1)
unit-tests-$(1): $$(UNIT_$(1))
check-$(1): $$(UNIT_$(1))
	@tests/run-unit $$^
endef
$(foreach s,$(SERVICES) parley,$(eval $(call unit,$(s),$(B)/lib/$(s).a)))
$(eval $(call unit,callsim,$(patsubst %,$(B)/lib/%.a,callsim telephony speech)))
$(eval $(call unit,common,))
# These start the real process.
$(B)/tests/unit/persistence/process_test $(B)/tests/unit/persistence/crash_test: | $(B)/bin/parley-persistence
$(B)/tests/unit/dialogue/work_crash_test: | $(B)/bin/parley-persistence $(B)/bin/parley-dialogue
$(patsubst %,$(B)/tests/unit/parley/%_test,jobs backup): | $(B)/bin/parley-persistence $(B)/bin/parley
$(B)/tests/unit/parley/ingest_test: $(B)/lib/rag.a | $(B)/bin/parley-rag $(B)/bin/parley $(B)/bin/llm-double
$(patsubst %,$(B)/tests/unit/rag/%_test,process meaning): | $(B)/bin/parley-rag
$(B)/tests/unit/rag/meaning_test: | $(B)/bin/llm-double
$(patsubst %,$(B)/tests/unit/telephony/%_test,process call_in browser register): | $(B)/bin/parley-telephony
$(patsubst %,$(B)/tests/unit/dialogue/%_test,llm llm_faults llm_service): | $(B)/bin/llm-double
# A server of its own, with TLS and HTTP/2.
$(B)/tests/unit/common/http_tls_test: LIBS_common := -lm -lpthread -lwebsockets -lssl -lcrypto
$(B)/tests/unit/speech/openai_test: | $(B)/bin/speech-double
# Voice activity and what cleans a voice are tested with real voices.
$(patsubst %,$(B)/tests/unit/telephony/%_test,vad cleaner tone_keys endurance): LIBS_telephony := $(LIBS_speech)
$(B)/tests/unit/telephony/endurance_test: $(B)/lib/speech.a

.PHONY: check check-parts unit-tests integration asan tsan fmt fmt-check lint tidy analyze
unit-tests: $(UNIT_BIN)
check: $(UNIT_BIN)
	@tests/run-unit $^
check-parts: $(foreach p,$(PARTS),$(UNIT_$(p)))
	@tests/run-unit $^

integration: all $(B)/bin/llm-double $(B)/tests/integration/gateway/peers
	@B=$(B) tests/run-integration $(ONLY)

.PHONY: scenarios
scenarios: all doubles
	@B=$(B) tests/run-scenarios $(ONLY)

.PHONY: test-compose test-k8s test-contract
# And our own client against each fault of the protocol.
test-contract:
	@tools/install-deps build test contract
	@$(MAKE) --no-print-directory -s -j2 doubles $(B)/tests/unit/dialogue/llm_faults_test
	@B=$(B) tests/contract/run && tests/run-unit $(B)/tests/unit/dialogue/llm_faults_test
test-compose: all
	@B=$(B) tests/compose/run
test-k8s: all
	@B=$(B) tests/k8s/run

# With clang, so that both compilers build everything with warnings as errors.
ASAN := B=build/asan CC=clang SAN=address,undefined OPT='-O1 -g'
# The parts with threads of their own; TSAN_PARTS='$(SERVICES) $(TOOLS) common' for all.
TSAN_PARTS ?= common telephony speech rag persistence
TSAN := B=build/tsan SAN=thread OPT='-O1 -g'
asan:
	@$(MAKE) --no-print-directory -s -j2 $(ASAN) all unit-tests
	@$(MAKE) --no-print-directory -s $(ASAN) check
tsan:
	@$(MAKE) --no-print-directory -s -j2 $(TSAN) $(TSAN_PARTS:%=unit-tests-%)
	@$(MAKE) --no-print-directory -s $(TSAN) check-parts PARTS='$(TSAN_PARTS)'

# ---- fuzz: tests/fuzz/<noun>_fuzz.c links its part; clang's libFuzzer, FUZZ_S seconds each; what it
# begins with is in tests/fuzz/seeds/<noun> ----------
FUZZ_S ?= 30
FUZZ_chunker := rag
FUZZ_embedding := rag
FUZZ_formats := rag
FUZZ_http_parser := gateway
FUZZ_initiate := gateway
FUZZ_initiate := gateway
FUZZ_llm_stream := dialogue
FUZZ_nlu := dialogue
FUZZ_rtp := telephony
FUZZ_sentences := dialogue
FUZZ_telephony := telephony
FUZZ_write := persistence
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
define fuzzer  # noun
$(B)/tests/fuzz/$(1)_fuzz: $(B)/tests/fuzz/$(1)_fuzz.o $(B)/lib/$(FUZZ_$(1)).a $(B)/lib/common.a
	$$(CC) $$(LDFLAGS) -fsanitize=fuzzer -Wl,--start-group $$^ -Wl,--end-group $$(LIBS_$(FUZZ_$(1))) $$(call pkglibs,$$(PKG_$(FUZZ_$(1))) $$(PKG_common)) $$(LIBS_common) -o $$@
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))
$(B)/tests/fuzz/telephony_fuzz.o: CPPFLAGS += $(call pkgflags,libre)
.PHONY: fuzz fuzz-built
fuzz:
	@$(MAKE) --no-print-directory -s B=build/fuzz CC=clang SAN=fuzzer-no-link,address,undefined OPT='-O1 -g' fuzz-built
fuzz-built: $(FUZZERS:%=$(B)/tests/fuzz/%_fuzz)
	@for f in $^; do noun=$$(basename $$f _fuzz); found=$(B)/found/$$noun; mkdir -p $$found; \
	  echo "fuzz $$noun, $(FUZZ_S) s" && $$f $$found $$(ls -d tests/fuzz/seeds/$$noun 2>/dev/null) -max_total_time=$(FUZZ_S) -max_len=16384 -timeout=10 -verbosity=0 -print_final_stats=1 || exit 1; done

# The gateway is tested over HTTP with doubles of the processes it talks to.
$(B)/tests/integration/gateway/peers: $(B)/tests/integration/gateway/peers.o $(B)/lib/common.a
	$(CC) $(LDFLAGS) $^ $(call pkglibs,$(PKG_common)) $(LIBS_common) -o $@

# ---- benches: tests/bench/<noun>_bench.c; JSON on standard output ---------------------------------
$(B)/tests/bench/store_bench.o: CPPFLAGS += $(call pkgflags,cmocka libpq)
$(B)/tests/bench/store_bench: $(B)/tests/bench/store_bench.o $(B)/lib/common.a | $(B)/bin/parley-persistence
	$(CC) $(LDFLAGS) $^ $(call pkglibs,$(PKG_common) cmocka libpq) $(LIBS_common) -o $@
$(B)/tests/bench/lookup_bench.o: CPPFLAGS += $(call pkgflags,$(PKG_persistence))
$(B)/tests/bench/lookup_bench: $(B)/tests/bench/lookup_bench.o $(B)/lib/persistence.a $(B)/lib/common.a
	$(CC) $(LDFLAGS) $^ $(call pkglibs,$(PKG_persistence) $(PKG_common)) $(LIBS_common) -o $@
$(B)/tests/bench/rag_bench: $(B)/tests/bench/rag_bench.o $(B)/lib/rag.a $(B)/lib/common.a
	$(CC) $(LDFLAGS) $^ $(LIBS_rag) $(call pkglibs,$(PKG_rag) $(PKG_common)) $(LIBS_common) -o $@
$(B)/tests/bench/dialogue_bench.o: CPPFLAGS += $(call pkgflags,cmocka)
$(B)/tests/bench/dialogue_bench: $(B)/tests/bench/dialogue_bench.o $(B)/lib/common.a | $(B)/bin/parley-dialogue $(B)/bin/llm-double
	$(CC) $(LDFLAGS) $^ $(call pkglibs,$(PKG_common) cmocka) $(LIBS_common) -o $@
$(B)/tests/bench/lane_bench $(B)/tests/bench/bus_bench: %: %.o $(B)/lib/common.a
	$(CC) $(LDFLAGS) $^ $(call pkglibs,$(PKG_common)) $(LIBS_common) -o $@
$(B)/tests/bench/rtp_bench: $(B)/tests/bench/rtp_bench.o $(B)/lib/telephony.a $(B)/lib/common.a
	$(CC) $(LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(call pkglibs,$(PKG_telephony) $(PKG_common)) $(LIBS_common) -o $@
$(B)/tests/bench/media_bench: $(B)/tests/bench/media_bench.o $(B)/lib/telephony.a $(B)/lib/common.a
	$(CC) $(LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(LIBS_speech) $(call pkglibs,$(PKG_telephony) $(PKG_common)) $(LIBS_common) -o $@
# SpeexDSP against WebRTC's audio processing, which is C++ and used nowhere else.
$(B)/tests/bench/webrtc_apm.o: tests/bench/webrtc_apm.cc tests/bench/webrtc_apm.h
	@mkdir -p $(@D)
	$(CXX) -std=c++11 $(OPT) $(SANFLAGS) -I. $(call pkgflags,webrtc-audio-processing) -DWEBRTC_AUDIO_PROCESSING_ONLY_BUILD -DWEBRTC_POSIX -c $< -o $@
$(B)/tests/bench/echo_bench: $(B)/tests/bench/echo_bench.o $(B)/tests/bench/webrtc_apm.o $(B)/lib/telephony.a $(B)/lib/common.a
	$(CXX) $(LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(LIBS_speech) $(call pkglibs,$(PKG_telephony) $(PKG_common) webrtc-audio-processing) $(LIBS_common) -o $@
$(B)/tests/bench/llm_bench.o: CPPFLAGS += $(call pkgflags,cmocka)
$(B)/tests/bench/llm_bench: $(B)/tests/bench/llm_bench.o $(B)/lib/dialogue.a $(B)/lib/common.a | $(B)/bin/llm-double
	$(CC) $(LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(call pkglibs,$(PKG_dialogue) $(PKG_common) cmocka) $(LIBS_common) -o $@
.PHONY: explore endure
# Audio of a whole day, by a simulated clock, with the sanitizers.
HOURS ?= 24
endure:
	@$(MAKE) --no-print-directory -s -j2 $(ASAN) build/asan/tests/unit/telephony/endurance_test
	@PARLEY_ENDURE_HOURS=$(HOURS) build/asan/tests/unit/telephony/endurance_test
DEPTH ?= 13
explore: $(B)/tests/unit/telephony/ownership_test
	@PARLEY_EXPLORE_DEPTH=$(DEPTH) $<
.PHONY: bench-media bench-store bench-dialogue bench-rag bench-bus bench-rtp bench-echo bench-llm bench-turns
TURNS_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/turns/*.c))
$(B)/bin/turns_bench: $(TURNS_O) $(patsubst %,$(B)/lib/%.a,callsim telephony speech common)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(LIBS_speech) $(call pkglibs,$(PKG_callsim) $(PKG_common)) $(LIBS_common) -o $@
# A table on standard error, JSON on standard output. ROUNDS=40 for percentages to be believed.
ROUNDS ?= 10
bench-turns: $(B)/bin/turns_bench
	@$< --rounds $(ROUNDS)
bench-echo:
	@tools/install-deps build bench
	@$(MAKE) --no-print-directory -s $(B)/tests/bench/echo_bench
	@$(B)/tests/bench/echo_bench
# Calls a core, the lane's hops at 400 calls, call set-ups of the whole system; two quiet cores, two minutes.
bench-media: all $(B)/tests/bench/media_bench $(B)/tests/bench/lane_bench
	@$(B)/tests/bench/media_bench $(MEDIA_ARGS)
	@$(B)/tests/bench/lane_bench 400
	@B=$(B) tests/bench/setups.sh
	@B=$(B) tests/bench/memory.sh
bench-bus: $(B)/tests/bench/bus_bench $(B)/tests/bench/lane_bench
	@$(B)/tests/bench/bus_bench
	@$(B)/tests/bench/lane_bench 100
	@$(B)/tests/bench/lane_bench 500
bench-dialogue: $(B)/tests/bench/dialogue_bench
	@$< 100 20
	@$< 100 20 speculate
# Writes and jobs on both stores, then look-ups among a million calls on each (minutes).
bench-store: $(B)/tests/bench/store_bench $(B)/tests/bench/lookup_bench
	@$< 5 full && $< 5 postgresql
	@$(B)/tests/bench/lookup_bench sqlite && $(B)/tests/bench/lookup_bench postgresql
bench-rag bench-rtp bench-llm: bench-%: $(B)/tests/bench/%_bench
	@$<

# Those that need no sound and no other packages, one after the other; build/bench/NAME.json.
.PHONY: bench
bench:
	@mkdir -p build/bench
	@for name in dialogue llm rag store bus rtp; do \
	  echo "bench-$$name"; $(MAKE) --no-print-directory -s bench-$$name > build/bench/$$name.json || exit 1; cat build/bench/$$name.json; \
	done

# ---- style ---------------------------------------------------------------------------------------
OURS = $(shell git ls-files '*.c' '*.h')
fmt:
	clang-format -i $(OURS)
fmt-check:
	@clang-format --dry-run -Werror $(OURS) && echo 'format: right'
lint: fmt-check
	@tools/lint-includes && echo 'layering: right'
	@$(MAKE) --no-print-directory -s -j2 all
	@B=$(B) tools/lint-config
	@$(MAKE) --no-print-directory -s tidy

# clang-tidy of every source, each with the flags of its part; -j2 runs two at a time. The analyzer
# takes nine tenths of its time and is left to make analyze.
ANALYZE ?=
TIDY_SRC = $(wildcard common/*.c) $(foreach s,$(SERVICES) $(TOOLS),$(SRC_$(s)))
TIDY := $(B)/tidy$(if $(ANALYZE),-analyze)
TIDY_STAMP = $(TIDY_SRC:%.c=$(TIDY)/%.ok)
$(foreach s,$(SERVICES) $(TOOLS),$(eval $(SRC_$(s):%.c=$(TIDY)/%.ok): CPPFLAGS += $(call pkgflags,$(PKG_$(s)))))
$(TIDY)/%.ok: %.c $(B)/proto/.made .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $(if $(ANALYZE),,--checks='-clang-analyzer-*') $< -- $(CPPFLAGS) -DPARLEY_VERSION='""' -std=c17 2>&1 | grep -vE '^[0-9]+ warnings? generated' ; exit $${PIPESTATUS[0]}
	@touch $@
tidy: $(TIDY_STAMP)
	@echo 'clang-tidy: $(words $(TIDY_SRC)) files, nothing to say'
analyze:
	@$(MAKE) --no-print-directory -s -j2 tidy ANALYZE=1

.PHONY: clean
clean:
	rm -rf build

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
