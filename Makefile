# SPDX-License-Identifier: GPL-2.0-only
# The two commands of a newcomer are "make run" and "make test"; each does all
# that it needs by itself, and what is done already is not done again.
#
# KSRC=/path/to/linux	use this kernel source instead of Debian's package
# KVER=6.12		which kernel; patches/ holds one folder for each
MAKEFLAGS += --no-print-directory
# What is said here is not for the kernel's own make.
MAKEOVERRIDES :=
export KVER ?= 6.12
export KSRC TASKS SLEEP
# As they were typed: a $ in them is the shell's.
export FREEZER_CMD = $(value CMD)
export FREEZER_TEST = $(value T)
# make would export it too, and expand it for that.
unexport CMD

help:			## this list
	@echo "The container freezer: stop, resume and kill a cgroup, on Linux $(KVER)"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 24
	@echo
	@echo "First time: make run (about ten minutes on two cores; then seconds)."

run: kernel-normal	## boot it: a shell beside a container; CMD='...' runs one command
	@scripts/run.sh "$$FREEZER_CMD"

test: kernel-normal kernel-debug ## run the selftests on the normal and the debug kernel, but for slow ones; T=name for those with this in their name
	@TESTS=quick scripts/test.sh "$$FREEZER_TEST"

test-slow: kernel-debug	## the selftests that make test leaves out, on the debug kernel
	@TESTS=slow PROFILES=debug scripts/test.sh "$$FREEZER_TEST"

test-full: kernel-normal kernel-debug kernel-kasan kernel-kcsan kernel-off ## all of them on four kernels, the kernel's own, strace and gdb (hours)
	@scripts/cgroup-selftests.sh
	@scripts/debuggers.sh
	@PROFILES=debug LIMIT=14400 scripts/test.sh
	@PROFILES=kasan LIMIT=14400 scripts/test.sh
	@PROFILES=kcsan LIMIT=14400 scripts/test.sh
	@FREEZER_ROUNDS=500 PROFILES=normal LIMIT=14400 scripts/test.sh
	@$(MAKE) table

table: kernel-normal	## 10,000 freezes of each of ten things that never froze before, as a table; T=name for some of them
	@scripts/table.sh "$$FREEZER_TEST"

observe: kernel-normal	## transcripts: a freeze that is blocked, named and rolled back, and one that succeeds
	@scripts/observe.sh

top: setup		## build freezer-top, which shows the tree of cgroups, and test it
	@scripts/top.sh

calls: kernel-normal kernel-legacy ## every blocking call through three freezers, as a table
	@scripts/calls-table.sh

conform: kernel-normal kernel-legacy ## freezer.state on our kernel and on the legacy one: the same answers?
	@scripts/conform.sh

bench_sets = normal legacy
bench_costs = off normal legacy
bench_hosts = vm-normal vm-legacy
bench_latency = trace
bench_storm = lockstat
bench_parts = $(or $(PART),sets costs hosts latency storm)
bench: source $(foreach part,$(bench_parts),$(addprefix kernel-,$(bench_$(part)))) ## what the freezers cost, as tables and a plot; PART=sets, costs, hosts, latency or storm; TASKS=1000 SLEEP=epoll (8 GB of memory, hours)
	@scripts/bench.sh $(bench_parts)

bench-compare:		## what make bench has measured, against the baseline in scripts/
	@scripts/bench-compare.sh

stress: kernel-debug	## a storm of all operations; MINUTES=10, SEED=number to repeat it
	@scripts/stress.sh "$(or $(MINUTES),10)" "$(SEED)"

vm: rootfs kernel-vm-normal ## boot Debian 12 with systemd and container tools; MODE=hybrid, v1 or v2 for its cgroups
	@scripts/vm.sh "$(or $(MODE),hybrid)"

test-clients: rootfs kernel-vm-normal kernel-vm-legacy ## lxc, runc, crun, docker, podman, systemd, criu on our kernel and on a legacy one, as a table; T=name for some (hours)
	@scripts/clients.sh "$$FREEZER_TEST"

examples: rootfs kernel-normal kernel-vm-normal ## run the examples of the documentation, and put what they print into it
	@scripts/examples.sh

rootfs: setup		## build the disk for make vm and make test-clients, as root
	@scripts/rootfs.sh

check: kernel-normal	## checkpatch, sparse, W=1, kernel-doc, shellcheck, option on, off, legacy
	@scripts/check.sh

test-judge: kernel-debug ## runs that must fail: does the judge of test runs see it?
	@scripts/test-judge.sh

kernel: kernel-normal	## build the normal kernel

kernel-%: source
	@scripts/kernel.sh $*

source: setup
	@scripts/source.sh

setup:
	@scripts/setup.sh $(filter check bench test-full vm test-clients examples rootfs,$(MAKECMDGOALS))

clean:			## remove all that was built
	rm -rf build

.PHONY: help run test test-slow test-full table observe top calls conform bench bench-compare stress vm test-clients examples rootfs check test-judge kernel source setup clean
