/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness, which does not build without a warning under -Wextra.
 */
#ifndef FREEZER_HARNESS_H
#define FREEZER_HARNESS_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "../kselftest_harness.h"
#pragma GCC diagnostic pop

/* In seconds: one wait that fails and what follows take longer than its 30. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

/* For its macros, which expand in our files. */
#pragma GCC diagnostic ignored "-Wclobbered"

/*
 * After an ASSERT that fails the harness asks a local variable which process it
 * is in, and finds what was there before the fork, if it is kept in a register:
 * then there is no teardown, and what a test has started lives on.  All tests here
 * have a fixture, and with it that variable.
 */
#undef setjmp
#define setjmp(env)							\
({									\
	asm volatile("" : : "r" (&child) : "memory");			\
	_setjmp(env);							\
})

#include "freezer_util.h"

#endif /* FREEZER_HARNESS_H */
