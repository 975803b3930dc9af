#ifndef AGS_TESTS_FAILING_MALLOC_H
#define AGS_TESTS_FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An allocator that fails once, at the n-th request, or from the n-th on. Programs
 * named test_alloc_*.c are linked so that malloc, calloc, realloc and strdup
 * of the engine and of libyaml come here; libc's own and other libraries' do not.
 *
 *   for (n = 1; ; n++) { failing_begin(n, false); try it; if (!failing_end()) break; }
 */
static size_t failing_at, failing_seen;
static bool failing_stays;

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

static inline void failing_begin(size_t n, bool stays)
{
	failing_at = n;
	failing_seen = 0;
	failing_stays = stays;
}

/* Ends the failing and says whether any request did fail. */
static inline bool failing_end(void)
{
	bool has_failed = failing_at > 0 && failing_seen >= failing_at;

	failing_at = 0;
	return has_failed;
}

static inline bool failing_now(void)
{
	if (failing_at == 0)
		return false;
	failing_seen++;
	return failing_stays ? failing_seen >= failing_at : failing_seen == failing_at;
}

void *__wrap_malloc(size_t n) { return failing_now() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t count, size_t n) { return failing_now() ? NULL : __real_calloc(count, n); }
void *__wrap_realloc(void *p, size_t n) { return failing_now() ? NULL : __real_realloc(p, n); }
char *__wrap_strdup(const char *s) { return failing_now() ? NULL : __real_strdup(s); }

#endif
