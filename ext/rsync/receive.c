/* The sender's ear: the handshake, frames, messages and items that a receiver sends. Nothing here is trusted. */
#include "base/limits.h"
#include "base/text.h"
#include "rsync/sender_private.h"

#include <stdio.h>
#include <stdlib.h>

#define COMPAT_INCREMENTAL  0x01u
#define COMPAT_SEED_FIRST   0x20u
#define COMPAT_VARINT       0x80u
#define OLDEST_PROTOCOL     31
#define NEWEST_PROTOCOL     32
#define MAX_ALGORITHMS      255u
#define FIRST_BASIS         0x80u       /* the file itself; below are the directories that we named */
#define LAST_BASIS          0x83u

static enum ags_step parse_one(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_version(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_flags(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_checksums(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_compressors(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static void expect_seed(struct ags_sender *s);
static enum ags_step read_seed(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_frame(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_message(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static bool take_message(struct ags_sender *s, const uint8_t *bytes, size_t n, struct ags_err *err);
static bool take_text(struct ags_sender *s, const uint8_t *bytes, size_t n);
static bool take_deleted(struct ags_sender *s, const uint8_t *bytes, size_t n);
static bool parse_data(struct ags_sender *s, struct ags_err *err);
static enum ags_step read_item(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static enum ags_step read_done(struct ags_sender *s, struct ags_err *err);
static enum ags_step read_delete_counts(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err);
static bool may_be_asked(struct ags_sender *s, int32_t ndx, struct ags_err *err);
static enum ags_step begin_request(struct ags_sender *s, struct ags_request *r, struct ags_err *err);
static void fill_sums(struct ags_sender *s, struct ags_cursor *in);
static void enqueue(struct ags_sender *s, struct ags_request *r);
static bool offers(const char *list, const char *name);
static bool is_plain_list(const char *list, size_t len);

bool ags_sender_parse(struct ags_sender *s, struct ags_err *err)
{
	enum ags_step step = AGS_DONE;

	while (step == AGS_DONE && ags_buf_len(&s->raw) > 0) {
		struct ags_cursor in = { ags_buf_bytes(&s->raw), ags_buf_bytes(&s->raw) + ags_buf_len(&s->raw) };
		const uint8_t *start = in.p;

		step = parse_one(s, &in, err);
		if (step == AGS_FAILED)
			return false;
		ags_buf_consume(&s->raw, (size_t)(in.p - start));
	}
	return true;
}

size_t ags_request_size(const struct ags_request *r)
{
	return sizeof(*r) + r->name_len + (size_t)r->sums.count * (4 + r->sums.s2length);
}

void ags_request_free(struct ags_request *r)
{
	if (r != NULL)
		free(r->sum_bytes);
	free(r);
}

static enum ags_step parse_one(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	switch (s->input) {
	case IN_VERSION:      return read_version(s, in, err);
	case IN_FLAGS:        return read_flags(s, in, err);
	case IN_CHECKSUMS:    return read_checksums(s, in, err);
	case IN_COMPRESSORS:  return read_compressors(s, in, err);
	case IN_SEED:         return read_seed(s, in, err);
	case IN_FRAMES:       return s->frame_left > 0 ? read_message(s, in, err) : read_frame(s, in, err);
	}
	return AGS_FAILED;
}

/* [int version]. Anything that is no version is what a login shell printed. */
static enum ags_step read_version(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	struct ags_cursor c = *in;
	uint32_t version;
	char shown[200];

	if (!ags_get_u32(&c, &version))
		return AGS_AGAIN;
	if (version < 20 || version > 40) {
		ags_text_clean(shown, sizeof(shown), (const char *)in->p, ags_left(in));
		return ags_fail_step(err, AGS_PROTOCOL, "expected rsync's greeting, but the login shell printed \"%s\"; "
		                     "a shell's start-up files must print nothing when it is not interactive", shown);
	}
	if (version < OLDEST_PROTOCOL)
		return ags_fail_step(err, AGS_PROTOCOL, "the server's rsync speaks protocol %u, want %d or newer (rsync 3.1.2)",
		                     version, OLDEST_PROTOCOL);
	s->protocol = version < NEWEST_PROTOCOL ? (int)version : NEWEST_PROTOCOL;
	s->input = IN_FLAGS;
	*in = c;
	return AGS_DONE;
}

static enum ags_step read_flags(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	int32_t flags;
	enum ags_step step = ags_wire_get_varint(in, &flags, err);

	if (step != AGS_DONE)
		return step;
	s->compat = (uint32_t)flags;
	if (s->compat & COMPAT_INCREMENTAL)
		return ags_fail_step(err, AGS_PROTOCOL, "the server's rsync turned on incremental recursion, which was not offered");
	s->input = IN_CHECKSUMS;
	if (s->compat & COMPAT_VARINT)
		return AGS_DONE;
	/* rsync 3.1 negotiates no algorithms: what it does is settled by its version and its command */
	if (!(s->compat & COMPAT_SEED_FIRST))
		return ags_fail_step(err, AGS_PROTOCOL, "the server's rsync is older than 3.1.2");
	s->digest = AGS_DIGEST_MD5;
	s->encoding = s->job->compress ? AGS_ENCODING_ZLIB : AGS_ENCODING_PLAIN;
	expect_seed(s);
	return AGS_DONE;
}

/* [vstring checksum list], answered with the one name we choose */
static enum ags_step read_checksums(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	char list[MAX_ALGORITHMS + 1];
	size_t len;
	enum ags_step step = ags_wire_get_vstring(in, list, sizeof(list), &len, err);
	const char *name;

	if (step != AGS_DONE)
		return step;
	if (!is_plain_list(list, len))
		return ags_fail_step(err, AGS_PROTOCOL, "the server's list of checksums is not a list of names");
	if (offers(list, "xxh128"))
		s->digest = AGS_DIGEST_XXH128;
	else if (offers(list, "md5") && (s->compat & COMPAT_SEED_FIRST))
		s->digest = AGS_DIGEST_MD5;
	else
		return ags_fail_step(err, AGS_PROTOCOL, "the server's rsync offers the checksums \"%s\", want xxh128 or md5", list);
	name = ags_digest_name(s->digest);
	if (s->job->compress)
		s->input = IN_COMPRESSORS;
	else
		expect_seed(s);
	return ags_wire_put_vstring(&s->replies, name, strlen(name)) ? AGS_DONE : (ags_fail_nomem(err), AGS_FAILED);
}

static enum ags_step read_compressors(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	static const char *const names[][2] = { { "none", "none" }, { "zstd", "zstd" }, { "zlibx", "zlib" }, { "lz4", "lz4" } };
	char list[MAX_ALGORITHMS + 1];
	const char *name = "none";
	size_t len;
	enum ags_step step = ags_wire_get_vstring(in, list, sizeof(list), &len, err);

	if (step != AGS_DONE)
		return step;
	if (!is_plain_list(list, len))
		return ags_fail_step(err, AGS_PROTOCOL, "the server's list of compressors is not a list of names");
	s->encoding = AGS_ENCODING_PLAIN;
	for (size_t i = 0; i < s->job->encoding_count && s->encoding == AGS_ENCODING_PLAIN; i++)
		for (size_t j = 0; j < 2; j++)
			if (s->encoding == AGS_ENCODING_PLAIN && offers(list, names[s->job->encodings[i]][j])) {
				s->encoding = s->job->encodings[i];
				name = names[s->encoding][j];
			}
	if (!offers(list, name))
		return ags_fail_step(err, AGS_PROTOCOL, "the server's rsync offers the compressors \"%s\", want zstd, lz4, zlib or none", list);
	expect_seed(s);
	return ags_wire_put_vstring(&s->replies, name, strlen(name)) ? AGS_DONE : (ags_fail_nomem(err), AGS_FAILED);
}

/* The seed is the one that we gave it: the list need not wait until it is back. */
static void expect_seed(struct ags_sender *s)
{
	s->input = IN_SEED;
	s->phase = AGS_SENDER_LIST;
}

static enum ags_step read_seed(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	uint32_t seed;

	if (!ags_get_u32(in, &seed))
		return AGS_AGAIN;
	if ((int32_t)seed != s->job->seed)
		return ags_fail_step(err, AGS_PROTOCOL, "the server's rsync uses the checksum seed %d, want %d as it was told",
		                     (int32_t)seed, s->job->seed);
	s->input = IN_FRAMES;
	return AGS_DONE;
}

/* [int header: (7 + tag) << 24 | length] */
static enum ags_step read_frame(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	uint32_t header;

	if (!ags_get_u32(in, &header))
		return AGS_AGAIN;
	s->tag = (header >> 24) - 7;
	s->frame_left = header & AGS_MAX_FRAME;
	switch (s->tag) {
	case AGS_TAG_DATA:
		return AGS_DONE;
	case AGS_TAG_ERROR_XFER: case AGS_TAG_INFO: case AGS_TAG_ERROR: case AGS_TAG_WARNING: case AGS_TAG_DELETED:
	case AGS_TAG_IO_ERROR: case AGS_TAG_IO_TIMEOUT: case AGS_TAG_NOOP: case AGS_TAG_ERROR_EXIT: case AGS_TAG_SUCCESS:
		break;
	default:
		return ags_fail_step(err, AGS_PROTOCOL, "the receiver sent a message with tag %d, which rsync does not send here",
		                     (int)s->tag);
	}
	if (s->frame_left > AGS_MAX_MESSAGE)
		return ags_fail_step(err, AGS_PROTOCOL, "the receiver sent a message of %zu bytes, want at most %u", s->frame_left,
		                     AGS_MAX_MESSAGE);
	if (s->frame_left == 0 && !take_message(s, in->p, 0, err))
		return AGS_FAILED;
	return AGS_DONE;
}

static enum ags_step read_message(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	const uint8_t *bytes;
	size_t n = s->frame_left;

	if (s->tag == AGS_TAG_DATA) {
		if (n > ags_left(in))
			n = ags_left(in);
		ags_get_bytes(in, &bytes, n);
		s->frame_left -= n;
		if (!ags_buf_add(&s->data, bytes, n))
			return ags_fail_step(err, AGS_NOMEM, "out of memory");
		return parse_data(s, err) ? AGS_DONE : AGS_FAILED;
	}
	if (!ags_get_bytes(in, &bytes, n))
		return AGS_AGAIN;
	s->frame_left = 0;
	return take_message(s, bytes, n, err) ? AGS_DONE : AGS_FAILED;
}

static bool take_message(struct ags_sender *s, const uint8_t *bytes, size_t n, struct ags_err *err)
{
	switch (s->tag) {
	case AGS_TAG_ERROR_XFER:
	case AGS_TAG_ERROR:
		return take_text(s, bytes, n) || ags_fail_nomem(err);
	case AGS_TAG_IO_ERROR:
		return take_text(s, (const uint8_t *)"the receiver reported an input/output error", 43);
	case AGS_TAG_DELETED:
		return take_deleted(s, bytes, n);
	case AGS_TAG_ERROR_EXIT:
		/* It lingers until it gets the same back, empty. */
		ags_sender_put_frame(&s->replies, AGS_TAG_ERROR_EXIT, NULL, 0);
		if (s->complaint[0] != '\0')
			return ags_fail(err, AGS_REMOTE, "%s", s->complaint);
		return ags_fail(err, AGS_REMOTE, "the receiver gave up with exit status %d",
		                n == 4 ? (int)(ags_load_u32(bytes) & 0xff) : 0);
	default:          /* information, a daemon's timeout, keep-alives; and a success must never make us remove a file */
		return true;
	}
}

/* The first complaint stays. */
static bool take_text(struct ags_sender *s, const uint8_t *bytes, size_t n)
{
	while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		n--;
	if (s->complaint[0] == '\0' && n > 0)
		ags_text_clean(s->complaint, sizeof(s->complaint), (const char *)bytes, n);
	return true;
}

/* A directory's name ends with a NUL. Our own fence comes back the same way. */
static bool take_deleted(struct ags_sender *s, const uint8_t *bytes, size_t n)
{
	char path[AGS_MAX_PATH + AGS_MAX_MESSAGE];
	size_t len = 0;

	if (s->fence_sent && !s->fence_echoed && n == strlen(s->fence) && memcmp(bytes, s->fence, n) == 0) {
		s->fence_echoed = true;
		return true;
	}
	if (n > 0 && bytes[n - 1] == '\0')
		n--;
	s->counts.changes++;
	if (s->skip > 0 && s->list_sent) {
		len = ags_filelist_path(s->job->list, s->skip - 1, path);
		path[len++] = '/';
	}
	memcpy(path + len, bytes, n);
	if (s->events.deleted != NULL)
		s->events.deleted(s->events.arg, path, len + n);
	return true;
}

static bool parse_data(struct ags_sender *s, struct ags_err *err)
{
	enum ags_step step = AGS_DONE;

	while (step == AGS_DONE && ags_buf_len(&s->data) > 0) {
		struct ags_cursor in = { ags_buf_bytes(&s->data), ags_buf_bytes(&s->data) + ags_buf_len(&s->data) };
		const uint8_t *start = in.p;

		/* the list may still be growing, and what is checked against it now would not hold later */
		if (!s->list_sent)
			return ags_fail(err, AGS_PROTOCOL, "the receiver sent data before it had the list");
		if (s->done_in == 5)
			return ags_fail(err, AGS_PROTOCOL, "the receiver sent data after its goodbye");
		if (s->filling != NULL)
			fill_sums(s, &in);
		else
			step = read_item(s, &in, err);
		if (step == AGS_FAILED)
			return false;
		ags_buf_consume(&s->data, (size_t)(in.p - start));
	}
	return true;
}

/* [ndx] [short flags] [byte basis] [vstring name] [sum head: count, block length, strong length, remainder] */
static enum ags_step read_item(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	struct ags_cursor c = *in;
	struct ags_ndx_state state = s->ndx_in;
	struct ags_request head = { .flags = 0 }, *r;
	char name[AGS_MAX_PATH];
	size_t name_len = 0;
	int32_t ndx;
	enum ags_step step = ags_wire_get_ndx(&c, &state, &ndx, err);

	if (step == AGS_DONE && ndx == AGS_NDX_DONE) {
		*in = c;
		return read_done(s, err);
	}
	if (step == AGS_DONE && ndx == AGS_NDX_DEL_STATS)
		step = read_delete_counts(s, &c, err);
	else if (step == AGS_DONE) {
		if (ndx < 0 || (uint32_t)ndx >= s->job->list->count - s->skip)
			return ags_fail_step(err, AGS_PROTOCOL, "the receiver named entry %d of a list of %u", ndx, s->job->list->count - s->skip);
		ndx += (int32_t)s->skip;
		if (!ags_get_u16(&c, &head.flags) || ((head.flags & AGS_ITEM_BASIS) && !ags_get_u8(&c, &head.basis)))
			return AGS_AGAIN;
		if (head.flags & AGS_ITEM_NAME)
			step = ags_wire_get_vstring(&c, name, sizeof(name), &name_len, err);
		if (step == AGS_DONE && (head.flags & AGS_ITEM_TRANSFER) && !s->job->dry_run &&
		    !(ags_get_u32(&c, &head.sums.count) && ags_get_u32(&c, &head.sums.blength) &&
		      ags_get_u32(&c, &head.sums.s2length) && ags_get_u32(&c, &head.sums.remainder)))
			return AGS_AGAIN;
	}
	if (step != AGS_DONE)
		return step;
	*in = c;
	s->ndx_in = state;
	if (ndx < 0)
		return AGS_DONE;
	if (head.flags != 0)
		s->counts.changes++;
	if (s->events.item != NULL)
		s->events.item(s->events.arg, (uint32_t)ndx, head.flags);
	if (!(head.flags & AGS_ITEM_TRANSFER))
		return AGS_DONE;
	if (!may_be_asked(s, ndx, err) || !ags_sums_check(&head.sums, err))
		return AGS_FAILED;
	if ((head.flags & AGS_ITEM_BASIS) && ((head.basis < FIRST_BASIS && head.basis >= s->job->link_dest_count) || head.basis > LAST_BASIS))
		return ags_fail_step(err, AGS_PROTOCOL, "the receiver compares with file %u, want %u to %u", head.basis, FIRST_BASIS, LAST_BASIS);
	r = calloc(1, sizeof(*r) + name_len);
	if (r == NULL)
		return ags_fail_step(err, AGS_NOMEM, "out of memory");
	*r = head;
	r->ndx = (uint32_t)ndx;
	r->redo = s->done_in > 0;
	r->name_len = (uint16_t)name_len;
	memcpy(r->name, name, name_len);
	return begin_request(s, r, err);
}

static enum ags_step read_done(struct ags_sender *s, struct ags_err *err)
{
	/* How many of ours each of the five answers. The third follows the second at once when nothing is staged, the fourth the third
	 * when nothing is to be deleted. */
	const unsigned staged = s->job->dry_run || s->job->at_once ? 1 : 2;
	const unsigned answered[5] = { 0, 1, staged, s->job->delete_extraneous && !s->job->dry_run ? 3 : staged, 4 };

	if (s->done_out < answered[s->done_in])
		return ags_fail_step(err, AGS_PROTOCOL, "the receiver ended a phase that had not begun");
	s->done_in++;
	return AGS_DONE;
}

/* [5 varints: files, directories, symlinks, devices, specials] */
static enum ags_step read_delete_counts(struct ags_sender *s, struct ags_cursor *in, struct ags_err *err)
{
	uint64_t sum = 0;

	if (s->done_in < 2)
		return ags_fail_step(err, AGS_PROTOCOL, "the receiver counted deletions before it was allowed any");
	for (int i = 0; i < 5; i++) {
		int32_t n;
		enum ags_step step = ags_wire_get_varint(in, &n, err);

		if (step != AGS_DONE)
			return step;
		if (n < 0 || n >= 1 << 28)
			return ags_fail_step(err, AGS_PROTOCOL, "the receiver counted %d deletions", n);
		sum += (uint64_t)n;
	}
	s->counts.deleted = sum;
	return AGS_DONE;
}

/* Only regular files, once in the first round and once more in the second, never after that. */
static bool may_be_asked(struct ags_sender *s, int32_t ndx, struct ags_err *err)
{
	const struct ags_entry *e = &s->job->list->entries[ndx];
	uint8_t bit = (uint8_t)((s->done_in == 0 ? 1 : 2) << (ndx % 4 * 2));

	if ((e->mode & 0170000) != 0100000)
		return ags_fail(err, AGS_PROTOCOL, "the receiver asked for the content of entry %d, which is no regular file", ndx);
	if (s->done_in > 1)
		return ags_fail(err, AGS_PROTOCOL, "the receiver asked for entry %d after it had said that it has all", ndx);
	if (s->asked == NULL && (s->asked = calloc(s->job->list->count / 4 + 1, 1)) == NULL)
		return ags_fail_nomem(err);
	if (s->asked[ndx / 4] & bit)
		return ags_fail(err, AGS_PROTOCOL, "the receiver asked for entry %d twice", ndx);
	s->asked[ndx / 4] |= bit;
	return true;
}

/* Takes r. Sums beyond our bound are passed over, and the receiver gets the whole file. */
static enum ags_step begin_request(struct ags_sender *s, struct ags_request *r, struct ags_err *err)
{
	size_t bytes = (size_t)r->sums.count * (4 + r->sums.s2length);

	if (!(s->done_in > 0)) {
		s->counts.requested++;
		s->counts.requested_bytes += (uint64_t)s->job->list->entries[r->ndx].size;
	}
	if (bytes == 0) {
		enqueue(s, r);
		return AGS_DONE;
	}
	if (s->queued_bytes + bytes <= AGS_MAX_SUMS) {
		r->sum_bytes = malloc(bytes);
		if (r->sum_bytes == NULL) {
			ags_request_free(r);
			return ags_fail_step(err, AGS_NOMEM, "out of memory");
		}
	}
	s->filling = r;
	s->fill_at = 0;
	s->fill_left = bytes;
	return AGS_DONE;
}

static void fill_sums(struct ags_sender *s, struct ags_cursor *in)
{
	struct ags_request *r = s->filling;
	const uint8_t *bytes;
	size_t n = s->fill_left < ags_left(in) ? s->fill_left : ags_left(in);

	ags_get_bytes(in, &bytes, n);
	if (r->sum_bytes != NULL)
		memcpy(r->sum_bytes + s->fill_at, bytes, n);
	s->fill_at += n;
	s->fill_left -= n;
	if (s->fill_left > 0)
		return;
	r->sums.data = r->sum_bytes;
	if (r->sum_bytes == NULL)
		memset(&r->sums, 0, sizeof(r->sums));
	s->filling = NULL;
	enqueue(s, r);
}

static void enqueue(struct ags_sender *s, struct ags_request *r)
{
	s->queued_bytes += ags_request_size(r);
	*s->last = r;
	s->last = &r->next;
}

/* Is name one of the words of a list? */
static bool offers(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; (p = strstr(p, name)) != NULL; p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

static bool is_plain_list(const char *list, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((list[i] >= 'a' && list[i] <= 'z') || (list[i] >= '0' && list[i] <= '9') || list[i] == ' '))
			return false;
	return true;
}
