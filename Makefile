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
export KSRC
# As they were typed: a $ in them is the shell's.
export FREEZER_CMD = $(value CMD)
export FREEZER_TEST = $(value T)

help:			## this list
	@echo "The container freezer: stop, resume and kill a cgroup, on Linux $(KVER)"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 24
	@echo
	@echo "First time: make run (about ten minutes on two cores; then seconds)."

run: kernel-normal	## boot it: a shell beside a container; CMD='...' runs one command
	@scripts/run.sh "$$FREEZER_CMD"

test: kernel-normal kernel-debug ## run all selftests on the normal and the debug kernel; T=name for one
	@scripts/test.sh "$$FREEZER_TEST"

check: source		## checkpatch, sparse, W=1, kernel-doc, shellcheck, option on, off, legacy
	@scripts/check.sh

test-judge: kernel-debug ## runs that must fail: does the judge of test runs see it?
	@scripts/test-judge.sh

kernel: kernel-normal	## build the normal kernel

kernel-%: source
	@scripts/kernel.sh $*

source: setup
	@scripts/source.sh

setup:
	@scripts/setup.sh $(if $(filter check,$(MAKECMDGOALS)),check)

clean:			## remove all that was built
	rm -rf build

.PHONY: help run test check test-judge kernel source setup clean
