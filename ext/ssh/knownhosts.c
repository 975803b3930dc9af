#include "ssh/knownhosts.h"
#include "base/digest.h"
#include "base/limits.h"
#include "ssh/blob.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_LEN 20
#define MAX_TYPE 64

struct entry {
	const char *names;            /* patterns, NULL when the name is hashed */
	const uint8_t *salt, *hash;   /* HASH_LEN bytes each */
	const char *type;
	const uint8_t *blob;
	size_t blob_len;
	bool is_revoked;
};

struct ags_known_hosts {
	struct ags_arena arena;
	struct entry *entries;
	size_t count, cap;
};

/* What a line is compared with: "host", or "[host]:port" when the port is not 22, in lower case. */
struct name {
	char text[1024];
	size_t len;
};

struct word {
	const char *at;
	size_t len;
};

static bool read_all(int fd, const char *file, struct ags_buf *text, struct ags_err *err);
static bool read_line(struct ags_known_hosts *known, const char *line, const char *end);
static bool read_key(struct ags_known_hosts *known, struct word type, struct word key, struct entry *e, bool *is_good);
static bool read_names(struct ags_known_hosts *known, struct word names, struct entry *e, bool *is_good);
static bool add_entry(struct ags_known_hosts *known, const struct entry *e);
static struct word next_word(const char **at, const char *end);
static bool set_name(struct name *name, const char *host, uint16_t port);
static bool matches(const struct entry *e, const struct name *name);
static bool list_matches(const char *list, const struct name *name);
static bool pattern_matches(const char *pattern, const char *end, const char *name);

struct ags_known_hosts *ags_known_hosts_load(const char *file, struct ags_err *err)
{
	struct ags_buf text = { .max = AGS_MAX_KNOWN_HOSTS };
	struct ags_known_hosts *known = NULL;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno != ENOENT) {
		ags_fail_sys(err, AGS_LOCAL_IO, file, "cannot read");
		return NULL;
	}
	if (fd < 0 || read_all(fd, file, &text, err))
		known = ags_known_hosts_parse((const char *)text.data, ags_buf_len(&text), err);
	if (fd >= 0)
		close(fd);
	ags_buf_free(&text);
	return known;
}

struct ags_known_hosts *ags_known_hosts_parse(const char *text, size_t len, struct ags_err *err)
{
	struct ags_known_hosts *known = calloc(1, sizeof(*known));
	const char *end;

	if (known == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	while (len > 0) {
		end = memchr(text, '\n', len);
		end = end != NULL ? end : text + len;
		if (!read_line(known, text, end)) {
			ags_known_hosts_free(known);
			ags_fail_nomem(err);
			return NULL;
		}
		len -= (size_t)(end - text);
		text = end;
		if (len > 0) {
			text++;
			len--;
		}
	}
	return known;
}

void ags_known_hosts_free(struct ags_known_hosts *known)
{
	if (known == NULL)
		return;
	ags_arena_free(&known->arena);
	free(known->entries);
	free(known);
}

size_t ags_known_hosts_types(const struct ags_known_hosts *known, const char *host, uint16_t port, const char **types, size_t max)
{
	struct name name;
	size_t count = 0;

	if (!set_name(&name, host, port))
		return 0;
	for (size_t i = 0; i < known->count && count < max; i++) {
		const struct entry *e = &known->entries[i];
		size_t k = 0;

		if (e->is_revoked || !matches(e, &name))
			continue;
		while (k < count && strcmp(types[k], e->type) != 0)
			k++;
		if (k == count)
			types[count++] = e->type;
	}
	return count;
}

enum ags_host_key ags_known_hosts_check(const struct ags_known_hosts *known, const char *host, uint16_t port,
                                        const uint8_t *blob, size_t len)
{
	enum ags_host_key result = AGS_HOST_KEY_UNKNOWN;
	struct name name;

	if (!set_name(&name, host, port))
		return result;
	for (size_t i = 0; i < known->count; i++) {
		const struct entry *e = &known->entries[i];
		bool is_same = e->blob_len == len && memcmp(e->blob, blob, len) == 0;

		if ((e->is_revoked && !is_same) || !matches(e, &name))
			continue;
		if (e->is_revoked)
			return AGS_HOST_KEY_REVOKED;
		if (is_same)
			result = AGS_HOST_KEY_KNOWN;
		else if (result == AGS_HOST_KEY_UNKNOWN)
			result = AGS_HOST_KEY_CHANGED;
	}
	return result;
}

static bool read_all(int fd, const char *file, struct ags_buf *text, struct ags_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, file, "cannot read");
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)AGS_MAX_KNOWN_HOSTS) {
		if (S_ISCHR(st.st_mode))               /* /dev/null is a way to say: none */
			return true;
		ags_fail(err, AGS_CONFIG, "%s is no known_hosts file: want a regular file of at most %u bytes", file,
		         AGS_MAX_KNOWN_HOSTS);
		ags_err_set_path(err, file);
		return false;
	}
	for (;;) {
		uint8_t *room = ags_buf_reserve(text, 16384);
		ssize_t n;

		if (room == NULL)
			return text->max - ags_buf_len(text) < 16384 ? true : ags_fail_nomem(err);
		n = read(fd, room, 16384);
		if (n == 0)
			return true;
		if (n < 0)
			return ags_fail_sys(err, AGS_LOCAL_IO, file, "cannot read");
		ags_buf_added(text, (size_t)n);
	}
}

/* False on lack of memory only. A line we cannot read is passed over, as ssh does. */
static bool read_line(struct ags_known_hosts *known, const char *line, const char *end)
{
	struct word names, type, key;
	struct entry e = {0};
	bool is_good = true;

	while (end > line && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	names = next_word(&line, end);
	if (names.len == 0 || names.at[0] == '#')
		return true;
	if (names.at[0] == '@') {
		if (names.len != strlen("@revoked") || memcmp(names.at, "@revoked", names.len) != 0)
			return true;
		e.is_revoked = true;
		names = next_word(&line, end);
	}
	type = next_word(&line, end);
	key = next_word(&line, end);
	if (key.len == 0)
		return true;
	if (!read_key(known, type, key, &e, &is_good) || (is_good && !read_names(known, names, &e, &is_good)))
		return false;
	return !is_good || add_entry(known, &e);
}

static bool read_key(struct ags_known_hosts *known, struct word type, struct word key, struct entry *e, bool *is_good)
{
	uint8_t *blob = ags_arena_bytes(&known->arena, key.len);
	char inner[MAX_TYPE];
	long len;

	if (blob == NULL)
		return false;
	len = ags_base64_decode(blob, key.at, key.len);
	*is_good = len > 0 && ags_blob_type(blob, (size_t)len, inner, sizeof(inner)) && strlen(inner) == type.len &&
	           memcmp(inner, type.at, type.len) == 0;
	if (!*is_good)
		return true;
	e->blob = blob;
	e->blob_len = (size_t)len;
	e->type = ags_arena_copy(&known->arena, type.at, type.len);
	return e->type != NULL;
}

/* |1|salt|hash, or patterns with commas between them. */
static bool read_names(struct ags_known_hosts *known, struct word names, struct entry *e, bool *is_good)
{
	const char *bar, *end = names.at + names.len;
	uint8_t *bytes;

	if (names.at[0] != '|') {
		char *copy = ags_arena_copy(&known->arena, names.at, names.len);

		for (char *p = copy; p != NULL && *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		*is_good = copy == NULL || strlen(copy) == names.len;
		e->names = copy;
		return copy != NULL;
	}
	bar = names.len > 3 ? memchr(names.at + 3, '|', names.len - 3) : NULL;
	*is_good = bar != NULL && memcmp(names.at, "|1|", 3) == 0 && names.len < 128;
	if (!*is_good)
		return true;
	bytes = ags_arena_bytes(&known->arena, names.len * 2);
	if (bytes == NULL)
		return false;
	e->salt = bytes;
	e->hash = bytes + names.len;
	*is_good = ags_base64_decode(bytes, names.at + 3, (size_t)(bar - names.at - 3)) == HASH_LEN &&
	           ags_base64_decode(bytes + names.len, bar + 1, (size_t)(end - bar - 1)) == HASH_LEN;
	return true;
}

static bool add_entry(struct ags_known_hosts *known, const struct entry *e)
{
	size_t cap = known->cap > 0 ? known->cap * 2 : 64;
	struct entry *entries;

	if (known->count == known->cap) {
		entries = realloc(known->entries, cap * sizeof(*entries));
		if (entries == NULL)
			return false;
		known->entries = entries;
		known->cap = cap;
	}
	known->entries[known->count++] = *e;
	return true;
}

static struct word next_word(const char **at, const char *end)
{
	struct word w;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	w.at = *at;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	w.len = (size_t)(*at - w.at);
	return w;
}

static bool set_name(struct name *name, const char *host, uint16_t port)
{
	int n = port == 22 ? snprintf(name->text, sizeof(name->text), "%s", host)
	                   : snprintf(name->text, sizeof(name->text), "[%s]:%u", host, port);

	if (n <= 0 || (size_t)n >= sizeof(name->text))
		return false;
	for (int i = 0; i < n; i++)
		name->text[i] = (char)tolower((unsigned char)name->text[i]);
	name->len = (size_t)n;
	return true;
}

static bool matches(const struct entry *e, const struct name *name)
{
	uint8_t sum[HASH_LEN];

	if (e->names != NULL)
		return list_matches(e->names, name);
	ags_hmac_sha1(e->salt, HASH_LEN, name->text, name->len, sum);
	return memcmp(sum, e->hash, HASH_LEN) == 0;
}

/* One pattern must match and no negated one may. */
static bool list_matches(const char *list, const struct name *name)
{
	bool found = false;

	for (;;) {
		const char *end = list + strcspn(list, ",");
		bool is_negated = *list == '!';

		if (pattern_matches(list + is_negated, end, name->text)) {
			if (is_negated)
				return false;
			found = true;
		}
		if (*end == '\0')
			return found;
		list = end + 1;
	}
}

/* * and ?. A mismatch goes back to the last star only, so that no pattern takes more than length x length steps. */
static bool pattern_matches(const char *pattern, const char *end, const char *name)
{
	const char *star = NULL, *retry = NULL;

	if (pattern == end)
		return false;
	while (*name != '\0') {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (pattern < end && (*pattern == '?' || *pattern == *name)) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}
