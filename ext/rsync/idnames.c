#include "rsync/idnames.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "rsync/wire.h"

#define MAX_RECORD (1u << 20)        /* a group of 50,000 members */

static bool collect(const struct ags_filelist *list, enum ags_ids kind, uint32_t **ids, size_t *count);
static bool put_name(enum ags_ids kind, uint32_t id, struct ags_buf *out);
static bool look_up(enum ags_ids kind, uint32_t id, char name[256]);
static int record_of(enum ags_ids kind, uint32_t id, char *record, size_t size, const char **name);
static int compare(const void *a, const void *b);

bool ags_idnames_encode(const struct ags_filelist *list, enum ags_ids kind, bool with_id0, struct ags_buf *out)
{
	uint32_t *ids = NULL;
	size_t count = 0;
	bool ok = collect(list, kind, &ids, &count);

	if (count > 0)
		qsort(ids, count, sizeof(*ids), compare);
	for (size_t i = 0; ok && i < count; i++)
		if (ids[i] != 0 && (i == 0 || ids[i] != ids[i - 1]))
			ok = put_name(kind, ids[i], out);
	free(ids);
	ok = ok && ags_wire_put_varint(out, 0);
	return ok && (!with_id0 || put_name(kind, 0, out));
}

/* Neighbours mostly have the same owner. */
static bool collect(const struct ags_filelist *list, enum ags_ids kind, uint32_t **ids, size_t *count)
{
	size_t capacity = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t id = kind == AGS_IDS_USER ? list->entries[i].uid : list->entries[i].gid, *more;

		if (*count > 0 && (*ids)[*count - 1] == id)
			continue;
		if (*count == capacity) {
			capacity = capacity > 0 ? capacity * 2 : 64;
			more = realloc(*ids, capacity * sizeof(*more));
			if (more == NULL)
				return false;
			*ids = more;
		}
		(*ids)[(*count)++] = id;
	}
	return true;
}

/* [id] [name length] [name]; the id 0 has its place and is not written. */
static bool put_name(enum ags_ids kind, uint32_t id, struct ags_buf *out)
{
	char name[256];
	size_t len;

	if (!look_up(kind, id, name))
		return false;
	len = strlen(name);
	if (id != 0 && len == 0)
		return true;
	return (id == 0 || ags_wire_put_varint(out, (int32_t)id)) && ags_buf_u8(out, (uint8_t)len) && ags_buf_add(out, name, len);
}

/* "" when there is no name, or none that the protocol can carry. */
static bool look_up(enum ags_ids kind, uint32_t id, char name[256])
{
	const char *found = NULL;
	char *record = NULL;
	size_t size = 1024;
	int sys = ERANGE;

	name[0] = '\0';
	for (; sys == ERANGE && size <= MAX_RECORD; size *= 4) {
		char *larger = realloc(record, size);

		if (larger == NULL) {
			free(record);
			return false;
		}
		record = larger;
		sys = record_of(kind, id, record, size, &found);
	}
	if (sys == 0 && found != NULL && strlen(found) <= 255)
		strcpy(name, found);
	free(record);
	return true;
}

static int record_of(enum ags_ids kind, uint32_t id, char *record, size_t size, const char **name)
{
	struct passwd user, *u = NULL;
	struct group group, *g = NULL;
	int sys;

	if (kind == AGS_IDS_USER) {
		sys = getpwuid_r(id, &user, record, size, &u);
		*name = u != NULL ? user.pw_name : NULL;
	} else {
		sys = getgrgid_r(id, &group, record, size, &g);
		*name = g != NULL ? group.gr_name : NULL;
	}
	return sys;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}
