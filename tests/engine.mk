# Builds the engine without PHP, and its unit tests and fuzz targets. From the top: make -f tests/engine.mk unit
#
# A file tests/unit/test_X.c is one test program; a file tests/fuzz/fuzz_X.c is one fuzz target with its seeds in
# tests/fuzz/seeds/X. Nothing else need be registered. What the tests share lies in tests/unit/*.h.

CC        ?= gcc
FUZZ_CC   ?= $(shell command -v clang || echo clang-14)
OUT       ?= build/engine
PACKAGES   = libssh2 yaml-0.1 libxxhash libzstd liblz4 zlib libcrypto
WARNINGS   = -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror
CFLAGS    += -std=gnu11 -g -O1 -fno-omit-frame-pointer $(WARNINGS) -Iext -Itests $(shell pkg-config --cflags $(PACKAGES))
LIBS       = $(shell pkg-config --libs $(PACKAGES)) -lpthread
SANITIZE   = -fsanitize=address,undefined -fno-sanitize-recover=all

SOURCES    = $(wildcard ext/*/*.c)
HEADERS    = $(wildcard ext/*/*.h tests/unit/*.h tests/fuzz/*.h)
UNIT       = $(patsubst tests/unit/test_%.c,$(OUT)/test_%,$(wildcard tests/unit/test_*.c))
FUZZ       = $(patsubst tests/fuzz/fuzz_%.c,$(OUT)/fuzz_%,$(wildcard tests/fuzz/fuzz_*.c))
OBJECTS    = $(patsubst ext/%.c,$(OUT)/%.o,$(SOURCES))
FUZZOBJECTS = $(patsubst ext/%.c,$(OUT)/fuzz/%.o,$(SOURCES))

.PHONY: unit fuzz objects clean
.SECONDARY:
unit: $(UNIT)
fuzz: $(FUZZ)
objects: $(OBJECTS)

$(OUT)/%.o: ext/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -c -o $@ $<

$(OUT)/fuzz/%.o: ext/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CFLAGS) -O2 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -c -o $@ $<

# Archives, so that a test links only what it calls.
$(OUT)/libengine.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(OUT)/libfuzzengine.a: $(FUZZOBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(OUT)/test_%: tests/unit/test_%.c $(OUT)/libengine.a
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $< $(OUT)/libengine.a $(LIBS)

# A test_alloc_X lets allocations fail (tests/unit/failing_malloc.h): those of the engine, and of libyaml where its archive is installed.
WRAP       = $(foreach f,malloc calloc realloc strdup,-Wl,--wrap=$(f)) $(wildcard $(shell $(CC) -print-file-name=libyaml.a))
$(OUT)/test_alloc_%: tests/unit/test_alloc_%.c $(OUT)/libengine.a
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $< $(OUT)/libengine.a $(WRAP) $(LIBS)

$(OUT)/fuzz_%: tests/fuzz/fuzz_%.c $(OUT)/libfuzzengine.a
	$(FUZZ_CC) $(CFLAGS) -O2 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $< $(OUT)/libfuzzengine.a $(LIBS)

clean:
	rm -rf $(OUT)
