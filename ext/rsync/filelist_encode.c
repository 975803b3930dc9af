#include "rsync/filelist.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/limits.h"
#include "rsync/idnames.h"
#include "rsync/wire.h"

#define FRAME_BYTES 65536u
#define NO_MAJOR    UINT32_MAX         /* the next device sends its own */

/* The bits of an entry's flags. */
enum {
	TOP_DIR = 0x0001, SAME_MODE = 0x0002, EXTENDED = 0x0004, SAME_UID = 0x0008, SAME_GID = 0x0010, SAME_NAME = 0x0020,
	LONG_NAME = 0x0040, SAME_TIME = 0x0080, SAME_RDEV_MAJOR = 0x0100, NO_CONTENT_DIR = 0x0100,
	HLINKED = 0x0200, HLINK_FIRST = 0x1000, IO_ERROR_ENDLIST = 0x1000, MOD_NSEC = 0x2000
};

/* What is not sent again when it is as it was in the entry before. */
struct encoder {
	const struct ags_filelist *list;
	const struct ags_list_format *format;
	struct ags_buf *out;
	size_t frame;                 /* the open frame's header, counted from the buffer's first byte */
	char path[AGS_MAX_PATH], last_path[AGS_MAX_PATH];
	size_t last_len, cut;         /* cut: what the path of skipped entries takes of each */
	bool first;
	int64_t mtime;
	uint32_t mode, uid, gid, rdev_major;
};

static bool encode_all(struct encoder *e);
static bool encode_entry(struct encoder *e, uint32_t ndx);
static unsigned entry_flags(struct encoder *e, const struct ags_entry *entry);
static bool is_other_name(const struct ags_entry *entry, uint32_t ndx);
static unsigned other_name_flags(struct encoder *e, const struct ags_entry *entry);
static bool put_flags(struct encoder *e, unsigned flags, bool is_dir);
static bool put_name(struct encoder *e, unsigned flags, const char *path, size_t shared, size_t len);
static bool put_stat(struct encoder *e, const struct ags_entry *entry, unsigned flags);
static bool put_rdev(struct encoder *e, const struct ags_entry *entry, unsigned flags);
static bool put_end(struct encoder *e);
static bool open_frame(struct encoder *e);
static void close_frame(struct encoder *e);

bool ags_filelist_encode(const struct ags_filelist *list, const struct ags_list_format *format, struct ags_buf *out,
                         struct ags_err *err)
{
	struct encoder *e = calloc(1, sizeof(*e));
	size_t before = ags_buf_len(out);
	bool ok;

	if (e == NULL)
		return ags_fail_nomem(err);
	e->list = list;
	e->format = format;
	e->out = out;
	e->first = true;
	if (format->skip > 0)
		e->cut = ags_filelist_path(list, format->skip - 1, e->path) + 1;
	ok = encode_all(e);
	free(e);
	if (ok)
		return true;
	out->len = out->start + before;
	return ags_fail_nomem(err);
}

static bool encode_all(struct encoder *e)
{
	if (!open_frame(e))
		return false;
	for (uint32_t i = e->format->skip; i < e->list->count; i++) {
		if (ags_buf_len(e->out) - e->frame >= FRAME_BYTES) {
			close_frame(e);
			if (!open_frame(e))
				return false;
		}
		if (!encode_entry(e, i))
			return false;
	}
	if (!put_end(e))
		return false;
	if (!e->format->numeric_ids && !(ags_idnames_encode(e->list, AGS_IDS_USER, e->format->id0_names, e->out) &&
	                                 ags_idnames_encode(e->list, AGS_IDS_GROUP, e->format->id0_names, e->out)))
		return false;
	close_frame(e);
	return true;
}

static bool encode_entry(struct encoder *e, uint32_t ndx)
{
	static const uint8_t no_sum[AGS_DIGEST_LEN];
	const struct ags_entry *entry = &e->list->entries[ndx];
	size_t len = ags_filelist_path(e->list, ndx, e->path) - e->cut, shared = 0;
	const char *path = e->path + e->cut;
	unsigned flags = is_other_name(entry, ndx) ? other_name_flags(e, entry) : entry_flags(e, entry);

	while (shared < 255 && shared < len && shared < e->last_len && path[shared] == e->last_path[shared])
		shared++;
	if (shared > 0)
		flags |= SAME_NAME;
	if (len - shared > 255)
		flags |= LONG_NAME;
	if (!put_flags(e, flags, S_ISDIR(entry->mode)) || !put_name(e, flags, path, shared, len))
		return false;
	if (is_other_name(entry, ndx))      /* [index of the first], and all else is as there */
		return ags_wire_put_varint(e->out, (int32_t)(entry->link - 1 - e->format->skip));
	if (!put_stat(e, entry, flags) || !put_rdev(e, entry, flags))
		return false;
	if (S_ISLNK(entry->mode) &&      /* [target length] [target] */
	    !(ags_wire_put_varint(e->out, entry->text_len) && ags_buf_add(e->out, entry->text, entry->text_len)))
		return false;
	if (e->format->checksums && S_ISREG(entry->mode))      /* [checksum] */
		return ags_buf_add(e->out, entry->sum != NULL ? entry->sum + AGS_DIGEST_LEN * e->format->digest : no_sum, AGS_DIGEST_LEN);
	return true;
}

/* The flags but those of the name, and the state that they leave behind. */
static unsigned entry_flags(struct encoder *e, const struct ags_entry *entry)
{
	bool is_device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
	unsigned flags = 0;

	if (S_ISDIR(entry->mode) && entry->flags & AGS_ENTRY_IMPLIED)
		flags |= TOP_DIR | NO_CONTENT_DIR;
	else if (S_ISDIR(entry->mode) && entry->flags & AGS_ENTRY_TOP)
		flags |= TOP_DIR;
	if (entry->mode == e->mode)
		flags |= SAME_MODE;
	if (entry->mtime == e->mtime)
		flags |= SAME_TIME;
	if (entry->uid == e->uid && !e->first)
		flags |= SAME_UID;
	if (entry->gid == e->gid && !e->first)
		flags |= SAME_GID;
	if (entry->link != 0)
		flags |= HLINKED | HLINK_FIRST;
	if (entry->mtime_nsec != 0 && e->format->nanoseconds)
		flags |= MOD_NSEC;
	if (is_device && major((dev_t)entry->size) == e->rdev_major)
		flags |= SAME_RDEV_MAJOR;
	if (is_device)
		e->rdev_major = major((dev_t)entry->size);
	else if ((S_ISFIFO(entry->mode) || S_ISSOCK(entry->mode)) && !e->format->nanoseconds)
		flags |= SAME_RDEV_MAJOR;
	e->first = false;
	e->mode = entry->mode;
	e->mtime = entry->mtime;
	e->uid = entry->uid;
	e->gid = entry->gid;
	return flags;
}

/* A file that is in the list already, under its first name. */
static bool is_other_name(const struct ags_entry *entry, uint32_t ndx)
{
	return entry->link != 0 && entry->link - 1 != ndx;
}

/* The receiver goes on from the first name's values, which can be others than this one's if the file changed between our two looks. */
static unsigned other_name_flags(struct encoder *e, const struct ags_entry *entry)
{
	const struct ags_entry *first = &e->list->entries[entry->link - 1];

	if (S_ISCHR(first->mode) || S_ISBLK(first->mode))
		e->rdev_major = NO_MAJOR;
	e->first = false;
	e->mode = first->mode;
	e->mtime = first->mtime;
	e->uid = first->uid;
	e->gid = first->gid;
	return HLINKED;
}

/* A flag word of 0 would be the end of the list. */
static bool put_flags(struct encoder *e, unsigned flags, bool is_dir)
{
	if (e->format->varint_flags)
		return ags_wire_put_varint(e->out, flags != 0 ? (int32_t)flags : EXTENDED);
	if (flags == 0 && !is_dir)
		flags = TOP_DIR;             /* means nothing on what is no directory, and saves a byte */
	if (flags == 0 || flags > 0xff) {
		flags |= EXTENDED;
		return ags_buf_u8(e->out, (uint8_t)flags) && ags_buf_u8(e->out, (uint8_t)(flags >> 8));
	}
	return ags_buf_u8(e->out, (uint8_t)flags);
}

/* [l1] [l2] [name] */
static bool put_name(struct encoder *e, unsigned flags, const char *path, size_t shared, size_t len)
{
	size_t rest = len - shared;

	if (flags & SAME_NAME && !ags_buf_u8(e->out, (uint8_t)shared))
		return false;
	if (!(flags & LONG_NAME ? ags_wire_put_varint(e->out, (int32_t)rest) : ags_buf_u8(e->out, (uint8_t)rest)))
		return false;
	memcpy(e->last_path + shared, path + shared, rest);
	e->last_len = len;
	return ags_buf_add(e->out, path + shared, rest);
}

/* [size] [mtime] [nanoseconds] [mode] [uid] [gid] */
static bool put_stat(struct encoder *e, const struct ags_entry *entry, unsigned flags)
{
	bool has_size = S_ISREG(entry->mode) || S_ISDIR(entry->mode) || S_ISLNK(entry->mode);

	return ags_wire_put_varlong(e->out, has_size ? entry->size : 0, 3) &&
	       (flags & SAME_TIME || ags_wire_put_varlong(e->out, entry->mtime, 4)) &&
	       (!(flags & MOD_NSEC) || ags_wire_put_varint(e->out, (int32_t)entry->mtime_nsec)) &&
	       (flags & SAME_MODE || ags_buf_u32(e->out, entry->mode)) &&
	       (flags & SAME_UID || ags_wire_put_varint(e->out, (int32_t)entry->uid)) &&
	       (flags & SAME_GID || ags_wire_put_varint(e->out, (int32_t)entry->gid));
}

/* [major] [minor] of devices, and before protocol 31, which is when nanoseconds came, of fifos and sockets, as 0. */
static bool put_rdev(struct encoder *e, const struct ags_entry *entry, unsigned flags)
{
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		return (flags & SAME_RDEV_MAJOR || ags_wire_put_varint(e->out, (int32_t)major((dev_t)entry->size))) &&
		       ags_wire_put_varint(e->out, (int32_t)minor((dev_t)entry->size));
	if ((S_ISFIFO(entry->mode) || S_ISSOCK(entry->mode)) && !e->format->nanoseconds)
		return ags_wire_put_varint(e->out, 0);
	return true;
}

/* [end of list] [io_error]. What vanished is ours to tell: a receiver that hears of it does all the same, but ends with status 24. */
static bool put_end(struct encoder *e)
{
	unsigned end = EXTENDED | IO_ERROR_ENDLIST, io_error = e->list->io_error & 1;

	if (e->format->varint_flags)
		return ags_buf_u8(e->out, 0) && ags_wire_put_varint(e->out, (int32_t)io_error);
	if (io_error == 0)
		return ags_buf_u8(e->out, 0);
	return ags_buf_u8(e->out, (uint8_t)end) && ags_buf_u8(e->out, (uint8_t)(end >> 8)) &&
	       ags_wire_put_varint(e->out, (int32_t)io_error);
}

static bool open_frame(struct encoder *e)
{
	e->frame = ags_buf_len(e->out);
	return ags_buf_u32(e->out, 0);
}

static void close_frame(struct encoder *e)
{
	uint8_t *header = e->out->data + e->out->start + e->frame;

	ags_wire_put_frame(header, AGS_TAG_DATA, ags_buf_len(e->out) - e->frame - AGS_FRAME_HEADER);
}
