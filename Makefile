# SPDX-License-Identifier: MIT
#
# One makefile for the whole tree; `make help` lists the targets.
# Sources are found by their folder, so that a new file needs no line here.

B         ?= build
PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
BINDIR    ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/tidemark
DATADIR   ?= $(PREFIX)/share/tidemark
MANDIR    ?= $(PREFIX)/share/man
DOCDIR    ?= $(PREFIX)/share/doc/tidemark
BASHDIR   ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR    ?= $(PREFIX)/share/zsh/site-functions
FISHDIR   ?= $(PREFIX)/share/fish/vendor_completions.d
PLUGINDIR ?= $(or $(firstword $(wildcard /usr/lib/collectd /usr/lib64/collectd)),$(PREFIX)/lib/collectd)

CFLAGS    ?= -O2 -g
PKGCONFIG ?= pkg-config
INSTALL   ?= install
STRIP     ?= strip
JOBS      ?= 2
# Tests wait about half of their time.
TEST_JOBS ?= $(shell expr $(JOBS) + 1)

# --- packages -------------------------------------------------------------------------------
# Needed to build and to run.
DEPS = gcc pkg-config collectd-core collectd-dev librrd-dev libpng-dev rrdtool libjansson-dev \
  libcurl4-gnutls-dev libsnmp-dev libcups2-dev libconfuse-dev libsodium-dev libcsv-dev uthash-dev \
  libseccomp-dev libmicrohttpd-dev libsqlite3-dev libpq-dev zlib1g-dev libzstd-dev libpcre2-dev \
  libjs-bootstrap5 libjs-dygraphs tzdata
# Needed by the demonstration too: the simulated devices.
DEPS_RUN = python3 snmpsim cups-ipp-utils dbus
# Needed by the tests: the real programs that stand in them, and the checkers.
DEPS_CHECK = perl python3 gpg gpg-agent dpkg-dev debhelper zsh chromium chromium-driver systemd python3-jsonschema python3-numpy python3-aiosmtpd \
  strace libcmocka-dev mandoc snmp snmpsim \
  rrdcached cups-ipp-utils dbus nginx-light openssl curl btrfs-progs e2fsprogs faketime \
  tryton-server tryton-proteus python3-dateutil jq \
  $(addprefix tryton-modules-,party party-relationship company product product-attribute account \
    stock stock-supply stock-forecast stock-supply-forecast stock-supply-production purchase \
    production sale sale-opportunity sale-complaint sale-history sale-supply sale-product-customer \
    sale-stock-quantity web-user) \
  postgresql slurm-wlm munge victoria-metrics prometheus libprotobuf-c1 clang llvm libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck flake8 gcovr valgrind
# Needed by the long tests alone: a new Debian, its package checker, a network that can be cut.
DEPS_LONG = debootstrap lintian iproute2

# --- flags ----------------------------------------------------------------------------------
WARN = -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wwrite-strings -Wvla -Wformat=2
# -ffp-contract=off: the same input gives the same bytes whatever the compiler fuses.
COMPILE = $(CC) -I. -I$B -D_GNU_SOURCE $(CPPFLAGS) -MMD -MP $(WARN) -fPIC -fvisibility=hidden \
  -ffp-contract=off -fstack-protector-strong $(SAN) $(CFLAGS)
COLLECTD = -isystem /usr/include/collectd -DHAVE_CONFIG_H
# Every program is linked against the whole list; --as-needed keeps what it uses.
LINK = $(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -Wl,-z,relro,-z,now
LIBS = -ljansson -lconfuse -lsodium -lcsv -lseccomp -lcurl -lnetsnmp -lcups -lmicrohttpd \
  -lsqlite3 -lpq -lz -lzstd -lpcre2-8 -lm -lpthread -ldl

# One short line a step; V=1 shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $1 '$2')

# --- what is built --------------------------------------------------------------------------
PLUGIN_MODULES = $(patsubst plugins/%.c,%,$(wildcard plugins/disk_array.c \
  plugins/media_library.c plugins/printer.c))
MAINS = $(wildcard plugins/probe.c analyzer/main.c analyzer/graph.c \
  analyzer/fetch.c analyzer/rrd_write.c exporters/main.c contrib/desk/main.c)
PROGRAM_OF = $(strip $(if $(filter plugins/probe.c,$1),tidemark-probe) \
  $(if $(filter analyzer/main.c,$1),tidemark-analyze) \
  $(if $(filter analyzer/graph.c,$1),tidemark-graph) \
  $(if $(filter analyzer/fetch.c,$1),tidemark-fetch) \
  $(if $(filter analyzer/rrd_write.c,$1),tidemark-rrd) \
  $(if $(filter exporters/main.c,$1),tidemark-export) \
  $(if $(filter contrib/desk/main.c,$1),tidemark-desk))
# Called by other programs alone.
HELPERS = tidemark-graph tidemark-fetch tidemark-rrd
PROGRAMS = $(foreach m,$(MAINS),$(call PROGRAM_OF,$m))
PLUGINS = $(PLUGIN_MODULES:%=$B/plugins/%.so)

sources_in = $(sort $(wildcard $1/*.c $1/*/*.c $1/*/*/*.c))
objects_of = $(patsubst %.c,$B/%.o,$(filter-out $(MAINS) $(PLUGIN_MODULES:%=plugins/%.c),$1))
ARCHIVES = $B/libdesk.a $B/libexporter.a $B/libanalyzer.a $B/libplugin.a $B/libcommon.a
UNIT_TESTS = $(patsubst %.c,$B/%,$(wildcard tests/unit/test_*.c))
FUZZ_TARGETS = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_REPLAYS = $(FUZZ_TARGETS:%=$B/tests/fuzz/%)
SYSTEM_TESTS = $(wildcard tests/system/*.t)
MAN_PAGES = $(wildcard plugins/*.[1-8] analyzer/*.[1-8] exporters/*.[1-8] contrib/desk/*.[1-8] \
  contrib/doc/*.[1-8])

# What shells complete: printed by each program from its own table of options.
COMPLETED = $(filter-out $(HELPERS),$(PROGRAMS))
COMPLETIONS = $(foreach p,$(COMPLETED),$B/completion/bash/$p $B/completion/zsh/_$p $B/completion/fish/$p.fish)

all: $(PLUGINS) $(PROGRAMS:%=$B/%) $B/tidemark-demo $(COMPLETIONS)

help:
	@echo 'all (default)  build the programs and plugins; installs nothing'
	@echo 'run            install what is missing, build, start the demonstration (ONCE=1: one pass)'
	@echo 'check          install what is missing, build, run every test'
	@echo 'check-unit     the unit tests alone    check-long  what takes longer than a quarter of an hour'
	@echo 'asan           the tests under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'tsan           the tests of the desk and the plugins under ThreadSanitizer'
	@echo 'lint           cppcheck, clang-tidy, gcc -fanalyzer, flake8, shellcheck, mandoc'
	@echo 'fuzz           libFuzzer targets, FUZZ_SECONDS=60 each   bench  benchmarks'
	@echo 'fuzz-coverage  lines of the parsing files that the corpus of each fuzz target reaches'
	@echo 'coverage       the tests, and which part of the lines they reach'
	@echo 'deps deps-check  packages to build and run, and to test   dist  the source archive'
	@echo 'release KEY=...  archive, list of parts, checksums, signature     deb  Debian packages'
	@echo 'install uninstall  respects DESTDIR PREFIX PLUGINDIR      clean'
	@echo 'agent install-agent  the small stripped set for a device'\''s own Linux; HOST_ONLY=1: itself alone'

# --- objects, archives, programs ------------------------------------------------------------
$B/libcommon.a: $(call objects_of,$(call sources_in,common))
$B/libplugin.a: $(call objects_of,$(call sources_in,plugins))
$B/libanalyzer.a: $(call objects_of,$(call sources_in,analyzer))
$B/libexporter.a: $(call objects_of,$(call sources_in,exporters))
$B/libdesk.a: $(call objects_of,$(call sources_in,contrib/desk))
$(ARCHIVES):
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$B/plugins/%.o $B/tests/unit/test_plugin_%.o: EXTRA = $(COLLECTD)
$B/analyzer/graph.o: EXTRA = -DTM_HAVE_RRD
$B/contrib/desk/%.o: EXTRA = $(shell $(PKGCONFIG) --cflags-only-I libpq 2>/dev/null)

$B/plugins/%.so: $B/plugins/%.o $B/libplugin.a $B/libcommon.a
	$(call say,LD,$@)
	$(Q)$(LINK) -shared -Wl,--exclude-libs,ALL -o $@ $^ $(LIBS)

$B/tidemark-probe: $B/plugins/probe.o $B/libplugin.a $B/libcommon.a
$B/tidemark-analyze: $B/analyzer/main.o $B/libanalyzer.a $B/libcommon.a
$B/tidemark-graph: $B/analyzer/graph.o $B/libanalyzer.a $B/libcommon.a
$B/tidemark-graph: LIBS := -lrrd -lpng $(LIBS)
$B/tidemark-rrd: $B/analyzer/rrd_write.o $B/libcommon.a
$B/tidemark-rrd: LIBS := -lrrd $(LIBS)
$B/tidemark-fetch: $B/analyzer/fetch.o $B/libcommon.a
$B/tidemark-export: $B/exporters/main.o $B/libexporter.a $B/libcommon.a
$B/tidemark-desk: $B/contrib/desk/main.o $B/libdesk.a $B/libanalyzer.a $B/libexporter.a $B/libcommon.a
# The generator of the demonstration's fleet: built, never installed.
$B/tidemark-demo: $(call objects_of,$(call sources_in,contrib/demo)) $B/libcommon.a
$B/tidemark-demo: LIBS := -lrrd $(LIBS)
$(PROGRAMS:%=$B/%) $B/tidemark-demo:
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

define complete
@mkdir -p $(@D)
$(Q)$< --completion $1 > $@
endef
$B/completion/bash/%: $B/%
	$(call complete,bash)
$B/completion/zsh/_%: $B/%
	$(call complete,zsh)
$B/completion/fish/%.fish: $B/%
	$(call complete,fish)

# These are embedded by the assembler, which tells no dependencies.
$B/exporters/schema.o: contrib/schema/summary.schema.json contrib/schema/history.schema.json
$B/contrib/desk/store/migrations.o: $(wildcard contrib/desk/store/migrations/*.sql)
$B/contrib/desk/intake/schemas.o: $(wildcard contrib/schema/*.schema.json)
$B/contrib/desk/store/pack.o: contrib/desk/store/dictionary-1.txt
$B/contrib/desk/people/password.o: contrib/desk/people/common-passwords.txt

$B/%.o: %.c $B/.flags | $B/places.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(EXTRA) -c -o $@ $<

$B/.flags: FORCE # a changed compiler or flag rebuilds everything
	@mkdir -p $(@D); echo '$(subst ','\'',$(COMPILE))' | cmp -s - $@ || \
	  echo '$(subst ','\'',$(COMPILE))' > $@

# Where things lie once installed: in a header of its own, so that another PREFIX compiles again only
# what tells places.
$B/places.h: FORCE
	@mkdir -p $(@D)
	@printf '#define %s "%s"\n' TM_BINDIR '$(BINDIR)' TM_LIBEXECDIR '$(LIBEXECDIR)' \
	  TM_DATADIR '$(DATADIR)' TM_SYSCONFDIR '$(SYSCONFDIR)' \
	  TM_CONF_PATH '$(SYSCONFDIR)/tidemark/tidemark.conf' \
	  DESK_CONF_PATH '$(SYSCONFDIR)/tidemark/desk.conf' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# --- tests ----------------------------------------------------------------------------------
$B/tests/unit/test_%: $B/tests/unit/test_%.o $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group -lcmocka $(LIBS)

# What of ours a fuzz target puts its own in place of: "wraps: FUNCTION" at its head.
wraps_of = $(addprefix -Wl$(comma)--wrap=,$(shell sed -n 's,^/\* wraps: \(.*\) \*/$$,\1,p' tests/fuzz/$1.c))
comma = ,
# Two names of the exporters are the desk's as well, so that no target has both.
archives_of = -Wl,--start-group $(if $(shell grep -l 'contrib/desk\|fuzz_desk' tests/fuzz/$1.c), \
  $(ARCHIVES),$(filter-out %/libdesk.a,$(ARCHIVES))) -Wl,--end-group

# The fuzz targets with a main that replays files: no clang needed.
$B/tests/fuzz/%: $B/tests/fuzz/%.o $B/tests/lib/replay.o $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(LINK) $(call wraps_of,$*) -o $@ $(filter %.o,$^) $(call archives_of,$*) $(LIBS)

# Loaded before a program, for what fails when memory runs out or the clock jumps.
$B/tests/lib/fault.so: tests/lib/fault.c $B/.flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -fPIC -fvisibility=hidden -D_GNU_SOURCE $(WARN) -O2 -g -o $@ $< -ldl

TEST_ENV = BUILD=$(abspath $B) SOURCE=$(CURDIR) LC_ALL=C TZ=UTC

check-unit: $(UNIT_TESTS)
	@$(TEST_ENV) tests/run --jobs $(TEST_JOBS) $^

tests: all $(UNIT_TESTS) $(FUZZ_REPLAYS) $B/tests/lib/fault.so

check-programs: tests
	@$(TEST_ENV) tests/run --jobs $(TEST_JOBS) $(UNIT_TESTS) $(SYSTEM_TESTS)

check:
	@$(MAKE) --no-print-directory deps deps-check
	@$(MAKE) --no-print-directory -j$(JOBS) tests
	@$(MAKE) --no-print-directory check-programs
	@tests/mission $B/results.tsv tests/mission.md

# Bounded: each file ends within 90 minutes at the latest (tests/run), those of faults_*.t by their own
# clock within 25; on two cores about two hours and three quarters after check, and fuzz.t ten
# minutes for each target (FUZZ_SECONDS), eight hours at most.
check-long: check fuzz-build fuzz-coverage-build
	@contrib/deps $(DEPS_LONG)
	@$(TEST_ENV) CHECK_LONG=1 tests/run --jobs $(TEST_JOBS) $(wildcard tests/long/*.t)

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZED = B=build/asan CFLAGS='-O1 -g -fno-omit-frame-pointer' SAN='$(SANITIZE)'
# Findings go into files, so that those of a child whose end is survived are counted too.
FINDINGS = $(CURDIR)/build/asan/findings
asan:
	@$(MAKE) --no-print-directory deps deps-check
	@$(MAKE) --no-print-directory $(SANITIZED) -j$(JOBS) tests
	@rm -rf $(FINDINGS); mkdir -m 1777 $(FINDINGS)
	@ASAN_OPTIONS=handle_segv=2:detect_leaks=1:log_path=$(FINDINGS)/asan \
	  LSAN_OPTIONS=print_suppressions=0 \
	  UBSAN_OPTIONS=print_stacktrace=1:log_path=$(FINDINGS)/ubsan CHECK_FINDINGS=$(FINDINGS) \
	  $(MAKE) --no-print-directory $(SANITIZED) check-programs

# Races, where threads are: the desk, and the plugins with their helper.
THREADED = B=build/tsan CFLAGS='-O1 -g' SAN=-fsanitize=thread
THREADS_FOUND = $(CURDIR)/build/tsan/findings
THREAD_TESTS = $(filter-out %_browser.t,$(wildcard $(addprefix tests/system/,desk_*.t collectd_*.t \
  probe_serve.t redfish.t ippeveprinter.t snmp*.t))) tests/long/collectd_threads.t
tsan:
	@$(MAKE) --no-print-directory deps deps-check
	@$(MAKE) --no-print-directory $(THREADED) -j$(JOBS) tests
	@rm -rf $(THREADS_FOUND); mkdir -m 1777 $(THREADS_FOUND)
	@TSAN_OPTIONS=log_path=$(THREADS_FOUND)/tsan:suppressions=$(CURDIR)/tests/tsan.suppressions \
	  CHECK_FINDINGS=$(THREADS_FOUND) CHECK_LONG=1 $(MAKE) --no-print-directory $(THREADED) check-threads

check-threads:
	@$(TEST_ENV) tests/run --jobs $(TEST_JOBS) $(UNIT_TESTS) $(THREAD_TESTS)

FUZZ_SECONDS ?= 60
FUZZED = B=build/fuzz CC=clang CFLAGS='-O1 -g' \
  SAN='-fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all'
fuzz-build:
	@$(MAKE) --no-print-directory $(FUZZED) -j$(JOBS) $(FUZZ_TARGETS:%=build/fuzz/libfuzzer/%)

fuzz: fuzz-build
	@$(TEST_ENV) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/long/fuzz.t

# What the corpus reaches of the files that each target says it covers. The replays, with counters.
FUZZ_COUNTED = B=build/fuzz-coverage CC=clang CFLAGS='-O1 -g' \
  SAN='-fprofile-instr-generate -fcoverage-mapping'
fuzz-coverage-build:
	@$(MAKE) --no-print-directory $(FUZZ_COUNTED) -j$(JOBS) \
	  $(FUZZ_TARGETS:%=build/fuzz-coverage/tests/fuzz/%)

fuzz-coverage: fuzz-coverage-build
	@$(TEST_ENV) tests/long/fuzz_coverage.t

$B/libfuzzer/%: $B/tests/fuzz/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(LINK) $(call wraps_of,$*) -fsanitize=fuzzer -o $@ $< $(call archives_of,$*) $(LIBS)

ALL_C = $(sort $(call sources_in,common) $(call sources_in,plugins) $(call sources_in,analyzer) \
  $(call sources_in,exporters) $(call sources_in,contrib))
SCRIPTS = $(shell grep -rlE '^\#! ?/(usr/)?bin/(env )?(ba)?sh' .ci contrib tests 2>/dev/null)
lint: $B/places.h
	@$(MAKE) --no-print-directory deps deps-check
	BUILD=$B tests/lint $(ALL_C) -- $(SCRIPTS) -- $(MAN_PAGES)

# Threads share the counters. Those of an earlier run are not counted again.
COVERED = B=build/coverage CFLAGS='-O0 -g --coverage -fprofile-update=atomic -DTM_COVERAGE -include tests/lib/coverage.h'
coverage:
	@$(MAKE) --no-print-directory deps deps-check
	@$(MAKE) --no-print-directory $(COVERED) -j$(JOBS) tests
	@find build/coverage -name '*.gcda' -delete
	@status=0; $(MAKE) --no-print-directory $(COVERED) check-programs || status=1; \
	  tests/coverage build/coverage 85 || status=1; exit $$status

bench: $(addprefix bench-,$(notdir $(patsubst %/,%,$(wildcard tests/bench/*/))))
bench-%: all
	$(TEST_ENV) tests/bench/$*/run

# --- packages, demonstration, delivery ------------------------------------------------------
deps:
	@contrib/deps $(DEPS)
deps-check:
	@contrib/deps $(DEPS_CHECK)

run:
	@contrib/deps $(DEPS) $(DEPS_RUN)
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(TEST_ENV) ONCE=$(ONCE) contrib/demo/run

VERSION = $(shell sed -n 's/^.define TM_VERSION "\(.*\)"/\1/p' common/version.h)
ARCHIVE = tidemark-$(VERSION).tar.gz
dist:
	@mkdir -p $B
	git archive --prefix=tidemark-$(VERSION)/ HEAD | gzip -n9 > $B/$(ARCHIVE)
	@cd $B && sha256sum $(ARCHIVE)

# What a release consists of: the archive, what it is built with, their checksums, and the signature
# of these by KEY, a key of gpg's.
release: dist
	@test -n "$(KEY)" || { echo 'release: say KEY=..., the gpg key that signs' >&2; exit 64; }
	contrib/sbom $(VERSION) $(DEPS) > $B/tidemark-$(VERSION).cdx.json
	cd $B && sha256sum $(ARCHIVE) tidemark-$(VERSION).cdx.json > SHA256SUMS
	gpg --batch --yes --local-user '$(KEY)' --armor --detach-sign -o $B/SHA256SUMS.asc $B/SHA256SUMS

deb: # Debian packages in build/deb, see contrib/debian
	@contrib/deps $(DEPS) dpkg-dev debhelper fakeroot build-essential
	contrib/debian/build $B/deb

EXAMPLES = $(wildcard contrib/collectd/* contrib/systemd/* contrib/grafana/* contrib/graphs/* \
  contrib/cluster/* contrib/mapping/* contrib/nginx/* contrib/schema/samples/*)
install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(PLUGINDIR) \
	  $(DESTDIR)$(DATADIR)/profiles $(DESTDIR)$(DATADIR)/schema $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 755 $(filter-out $(HELPERS:%=$B/%),$(PROGRAMS:%=$B/%)) $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 755 $(HELPERS:%=$B/%) $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 644 $(PLUGINS) $(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 644 plugins/types.db $(DESTDIR)$(DATADIR)/types.db
	for f in $(wildcard plugins/profiles/*.json); do $(INSTALL) -m 644 $$f $(DESTDIR)$(DATADIR)/profiles; done
	$(INSTALL) -d $(DESTDIR)$(DATADIR)/desk/pages $(DESTDIR)$(DATADIR)/desk/static
	$(INSTALL) -m 644 $(wildcard contrib/desk/pages/*.*) $(DESTDIR)$(DATADIR)/desk/pages
	$(INSTALL) -m 644 $(wildcard contrib/desk/static/*.*) $(DESTDIR)$(DATADIR)/desk/static
	for f in $(wildcard contrib/schema/*.json); do $(INSTALL) -m 644 $$f $(DESTDIR)$(DATADIR)/schema; done
	$(INSTALL) -m 755 contrib/mail-hook contrib/link-hook contrib/vendor-run $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 644 README.md NEWS LICENSE $(DESTDIR)$(DOCDIR)
	for f in $(wildcard contrib/doc/*.md contrib/doc/pictures/*.png); do \
	  $(INSTALL) -D -m 644 $$f $(DESTDIR)$(DOCDIR)/$${f#contrib/doc/}; done
	for f in $(EXAMPLES); do $(INSTALL) -D -m 644 $$f $(DESTDIR)$(DOCDIR)/examples/$${f#contrib/}; done
	chmod 755 $(DESTDIR)$(DOCDIR)/examples/cluster/*.sh $(DESTDIR)$(DOCDIR)/examples/graphs/draw
	for m in $(MAN_PAGES); do $(INSTALL) -D -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(BASHDIR) $(filter $B/completion/bash/%,$(COMPLETIONS))
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(ZSHDIR) $(filter $B/completion/zsh/%,$(COMPLETIONS))
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(FISHDIR) $(filter $B/completion/fish/%,$(COMPLETIONS))

# --- for a device's own Linux (contrib/doc/agent.md) ------------------------------------------
# Plugins, probe, analyzer and exporter: small, stripped, without manual, graphs and demonstration.
# HOST_ONLY=1 leaves out what asks other devices, and with it libnetsnmp, libcups and libssl.
AGENT_PROGRAMS = tidemark-probe tidemark-analyze tidemark-export
AGENT_PLUGINS = $(if $(HOST_ONLY),$(filter-out printer,$(PLUGIN_MODULES)),$(PLUGIN_MODULES))
AGENT_BUILD = $(if $(HOST_ONLY),$B/agent-host,$B/agent)
AGENT_CFLAGS ?= -Os
AGENT_MAKE = $(MAKE) --no-print-directory B=$(AGENT_BUILD) -j$(JOBS) \
  CFLAGS='$(AGENT_CFLAGS) -ffunction-sections -fdata-sections' LDFLAGS='$(LDFLAGS) -Wl,--gc-sections' \
  CPPFLAGS='$(CPPFLAGS) $(if $(HOST_ONLY),-DTM_HOST_ONLY)'

agent:
	@rm -rf $(AGENT_BUILD)/root
	@$(MAKE) --no-print-directory install-agent DESTDIR=$(AGENT_BUILD)/root
	@find $(AGENT_BUILD)/root -type f -printf '%s %P\n' | LC_ALL=C sort -k 2 | \
	  awk '{ print; sum += $$1 } END { printf "%d bytes in $(AGENT_BUILD)/root\n", sum }'

install-agent:
	@$(AGENT_MAKE) $(AGENT_PROGRAMS:%=$(AGENT_BUILD)/%) $(AGENT_PLUGINS:%=$(AGENT_BUILD)/plugins/%.so)
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(DATADIR)
	$(INSTALL) -m 755 -s --strip-program=$(STRIP) $(AGENT_PROGRAMS:%=$(AGENT_BUILD)/%) $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 644 -s --strip-program=$(STRIP) $(AGENT_PLUGINS:%=$(AGENT_BUILD)/plugins/%.so) \
	  $(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 644 plugins/types.db $(DESTDIR)$(DATADIR)
	$(if $(HOST_ONLY),,$(INSTALL) -D -m 644 -t $(DESTDIR)$(DATADIR)/profiles plugins/profiles/*.json)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(PROGRAMS)) $(HELPERS:%=$(DESTDIR)$(LIBEXECDIR)/%) \
	  $(addprefix $(DESTDIR)$(LIBEXECDIR)/,mail-hook link-hook vendor-run)
	rm -f $(PLUGIN_MODULES:%=$(DESTDIR)$(PLUGINDIR)/%.so)
	rm -f $(COMPLETED:%=$(DESTDIR)$(BASHDIR)/%) $(COMPLETED:%=$(DESTDIR)$(ZSHDIR)/_%) \
	  $(COMPLETED:%=$(DESTDIR)$(FISHDIR)/%.fish)
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)
	for m in $(MAN_PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done
	-rmdir $(DESTDIR)$(LIBEXECDIR) 2>/dev/null

clean:
	rm -rf build

.PHONY: all help run check check-unit check-programs check-long check-threads tests asan tsan lint fuzz \
  bench coverage dist release deb deps deps-check install install-agent agent uninstall clean FORCE
.PHONY: fuzz-build fuzz-coverage fuzz-coverage-build
.SECONDARY: # keep the chained .o files
.DELETE_ON_ERROR:
-include $(shell find $B \( -path $B/demo -o -path '$B/agent*' \) -prune -o -type f -name '*.d' -print 2>/dev/null)
