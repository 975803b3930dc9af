#include "base/node.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8
#define TEXT_BYTES     512

static bool keep(struct ags_problems *problems, unsigned line, unsigned column, const char *where, const char *message);
static bool grow(struct ags_problems *problems);

void ags_problem_add(struct ags_problems *problems, unsigned line, unsigned column, const char *where, const char *format, ...)
{
	char raw[TEXT_BYTES], message[TEXT_BYTES], place[TEXT_BYTES];
	va_list args;

	if (problems->count > AGS_MAX_PROBLEMS)
		return;
	if (problems->count == AGS_MAX_PROBLEMS) {
		snprintf(raw, sizeof(raw), "there are more than %u problems, the others are not listed", AGS_MAX_PROBLEMS);
	} else {
		va_start(args, format);
		vsnprintf(raw, sizeof(raw), format, args);
		va_end(args);
	}
	ags_text_clean(message, sizeof(message), raw, strlen(raw));
	ags_text_clean(place, sizeof(place), where, strnlen(where, TEXT_BYTES));
	if (!keep(problems, line, column, place, message))
		problems->out_of_memory = true;
}

/* By insertion: there are few, most are in order already, and it needs no memory. */
void ags_problems_sort(struct ags_problems *problems)
{
	struct ags_problem *items = problems->items;

	for (size_t i = 1; i < problems->count; i++) {
		struct ags_problem p = items[i];
		size_t j = i;

		while (j > 0 && (items[j - 1].line > p.line || (items[j - 1].line == p.line && items[j - 1].column > p.column))) {
			items[j] = items[j - 1];
			j--;
		}
		items[j] = p;
	}
}

void ags_problems_free(struct ags_problems *problems)
{
	free(problems->items);
	ags_arena_free(&problems->arena);
	problems->items = NULL;
	problems->count = problems->capacity = 0;
	problems->out_of_memory = false;
}

static bool keep(struct ags_problems *problems, unsigned line, unsigned column, const char *where, const char *message)
{
	struct ags_problem p = { .line = line, .column = column };

	if (problems->count == problems->capacity && !grow(problems))
		return false;
	p.where = ags_arena_string(&problems->arena, where);
	p.message = ags_arena_string(&problems->arena, message);
	if (p.where == NULL || p.message == NULL)
		return false;
	problems->items[problems->count++] = p;
	return true;
}

static bool grow(struct ags_problems *problems)
{
	size_t capacity = problems->capacity > 0 ? problems->capacity * 2 : FIRST_CAPACITY;
	struct ags_problem *items = realloc(problems->items, capacity * sizeof(*items));

	if (items == NULL)
		return false;
	problems->items = items;
	problems->capacity = capacity;
	return true;
}
