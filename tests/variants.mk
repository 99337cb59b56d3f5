# Compiler and linker flags of each build variant; `make VARIANT=asan CC=clang unit`.
CFLAGS_plain     := -O2 -D_FORTIFY_SOURCE=2
CFLAGS_asan      := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_asan     := -fsanitize=address,undefined
CFLAGS_fuzz      := $(CFLAGS_asan) -fsanitize=fuzzer-no-link
LDFLAGS_fuzz     := $(LDFLAGS_asan)
CFLAGS_tsan      := -O1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_tsan     := -fsanitize=thread
CFLAGS_coverage  := -O0 --coverage -fprofile-update=atomic
LDFLAGS_coverage := --coverage

# What calls a fuzzer's target: libFuzzer, or a main of our own where its library does not fit.
FUZZ_MAIN_coverage = $(BUILD)/tests/fuzz/replay.o
FUZZ_MAIN          = $(or $(FUZZ_MAIN_$(VARIANT)),-fsanitize=fuzzer)
