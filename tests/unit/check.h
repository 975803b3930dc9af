#ifndef AGS_TESTS_CHECK_H
#define AGS_TESTS_CHECK_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A unit test is a function named after the fact it states. A test program is
 *
 *   int main(void)
 *   {
 *           RUN(test_lend_reuses_the_idle_session);
 *           return check_result();
 *   }
 *
 * It prints one line per test, "ok NAME" or "not ok NAME", which run.sh counts.
 */
static int check_failures, check_failed_tests, check_tests;

#define CHECK(claim) do { \
	if (!(claim)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim); \
		check_failures++; \
	} \
} while (0)

#define CHECK_INT(got, want) do { \
	long long got_ = (long long)(got), want_ = (long long)(want); \
	if (got_ != want_) { \
		fprintf(stderr, "%s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #got, got_, want_); \
		check_failures++; \
	} \
} while (0)

#define CHECK_STR(got, want) do { \
	const char *got_ = (got), *want_ = (want); \
	if (got_ == NULL || strcmp(got_, want_) != 0) { \
		fprintf(stderr, "%s:%d: %s is \"%s\", want \"%s\"\n", __FILE__, __LINE__, #got, got_ ? got_ : "(null)", want_); \
		check_failures++; \
	} \
} while (0)

#define RUN(test) do { \
	check_failures = 0; \
	check_tests++; \
	test(); \
	if (check_failures > 0) \
		check_failed_tests++; \
	printf("%s %s\n", check_failures > 0 ? "not ok" : "ok", #test); \
	fflush(stdout); \
} while (0)

static inline int check_result(void)
{
	return check_tests == 0 || check_failed_tests > 0;
}

/* How many this process has open, and always the same few more. */
static inline int check_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

#endif
