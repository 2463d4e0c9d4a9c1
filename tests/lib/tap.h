/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests that print TAP.
 *
 * A test is a function, TEST(suite, name) { ... }, in any file of a program; the program's
 * arguments select suites. Each test runs in a process of its own, with a time limit: what it
 * opens, maps or limits ends with it, and a crash fails only this test. It ends at the first
 * check that does not hold, and its line then shows the compared values.
 */
#ifndef IOMMUSCOPE_TAP_H
#define IOMMUSCOPE_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct tap_test - a test
 * @next: list of all, in the order of their definition within a file
 * @suite: its suite
 * @name: what it tests
 * @run: the test
 */
struct tap_test {
	struct tap_test *next;
	const char *suite;
	const char *name;
	void (*run)(void);
};

void tap_register(struct tap_test *test);

#define TEST(_suite, _name)                                                                        \
	static void test_##_suite##_##_name(void);                                                 \
	static struct tap_test tap_##_suite##_##_name = {                                          \
		.suite = #_suite,                                                                  \
		.name = #_name,                                                                    \
		.run = test_##_suite##_##_name,                                                    \
	};                                                                                         \
	static void __attribute__((constructor)) register_##_suite##_##_name(void)                 \
	{                                                                                          \
		tap_register(&tap_##_suite##_##_name);                                             \
	}                                                                                          \
	static void test_##_suite##_##_name(void)

/**
 * tap_main() - run the tests of a program
 * @argc: as main() has it
 * @argv: "-l" lists the tests, "-t SECONDS" limits each [default: 60], "-x PATTERN" leaves out
 * tests whose suite.test matches; the rest names suites or suite.test to run, all if there is
 * none
 * @before: called once before the first test, or NULL; returns NULL or the reason why nothing can
 * be tested
 * @after: called once after the last, or NULL
 *
 * Return: exit status of the program
 */
int tap_main(int argc, char **argv, const char *(*before)(void), void (*after)(void));

void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void __attribute__((noreturn, format(printf, 3, 4)))
tap_fail(const char *file, int line, const char *format, ...);
void __attribute__((noreturn, format(printf, 1, 2))) tap_skip(const char *format, ...);

/* A condition that must hold. */
#define CHECK(_condition)                                                                          \
	do {                                                                                       \
		if (!(_condition))                                                                 \
			tap_fail(__FILE__, __LINE__, "%s", #_condition);                           \
	} while (0)

#define TAP_COMPARE(_a, _operator, _b)                                                             \
	do {                                                                                       \
		long long tap_a = (long long)(_a);                                                 \
		long long tap_b = (long long)(_b);                                                 \
		if (!(tap_a _operator tap_b))                                                      \
			tap_fail(__FILE__, __LINE__, "%s " #_operator " %s: %lld (0x%llx), %lld (0x%llx)", \
				 #_a, #_b, tap_a, tap_a, tap_b, tap_b);                            \
	} while (0)

#define CHECK_EQ(_a, _b) TAP_COMPARE(_a, ==, _b)
#define CHECK_NE(_a, _b) TAP_COMPARE(_a, !=, _b)
#define CHECK_GE(_a, _b) TAP_COMPARE(_a, >=, _b)
#define CHECK_LE(_a, _b) TAP_COMPARE(_a, <=, _b)

/* A call that returns 0 or a negative errno, and must succeed. */
#define CHECK_OK(_call)                                                                            \
	do {                                                                                       \
		long long tap_rc = (_call);                                                        \
		if (tap_rc)                                                                        \
			tap_fail(__FILE__, __LINE__, "%s: %lld (%s)", #_call, tap_rc,              \
				 tap_errno(tap_rc));                                               \
	} while (0)

/* A call that must fail with this errno, written as a positive number. */
#define CHECK_ERR(_errno, _call)                                                                   \
	do {                                                                                       \
		long long tap_rc = (_call);                                                        \
		if (tap_rc != -(_errno))                                                           \
			tap_fail(__FILE__, __LINE__, "%s: %lld (%s), not %s", #_call, tap_rc,      \
				 tap_errno(tap_rc), #_errno);                                      \
	} while (0)

const char *tap_errno(long long rc);

#endif
