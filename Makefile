# A thin front to Meson and the tools; everything real happens there. BUILD=folder builds somewhere else.
BUILD ?= build
PREFIX ?= /usr/local
NINJA = ninja -C $(BUILD)

.PHONY: all demo test test-all bench fuzz format clean install setup

all: $(BUILD)/build.ninja
	@$(NINJA) kaon

setup:
	@tools/setup

$(BUILD)/build.ninja:
	@tools/setup
	@meson setup $(BUILD) --prefix $(PREFIX) --buildtype=debugoptimized >/dev/null || (cat $(BUILD)/meson-logs/meson-log.txt; exit 1)

# The bundled jet tagger: model file to Verilog, proved bit for bit.
demo: all
	@tools/demo $(BUILD)/kaon

test: $(BUILD)/build.ninja
	@$(NINJA)
	@tools/run_tests $(BUILD)

# Everything: long differential runs, synthesis, a minute of fuzzing for every parser, a bare Debian.
test-all: $(BUILD)/build.ninja
	@tools/setup --all
	@$(NINJA)
	@tools/run_tests $(BUILD) --all

bench: all
	@bench/run $(BUILD)/kaon
	@bench/cmvm $(BUILD)/kaon
	@bench/cmvm $(BUILD)/kaon --times
	@bench/nets $(BUILD)/kaon --no-synth

# SECONDS_EACH=600 make fuzz
fuzz:
	@tools/setup --all
	@tools/fuzz

format:
	@git ls-files 'src/*.c' 'src/*.h' 'include/*.h' 'tests/*.c' 'tests/*.h' | xargs clang-format -i

install: all
	@meson install -C $(BUILD)

clean:
	@rm -rf $(BUILD) build-asan build-fuzz build-clang out
