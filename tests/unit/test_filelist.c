#include "unit/check.h"
#include "base/limits.h"
#include "rsync/filelist.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

/* A reader of the list that follows the protocol's description line by line and trusts every byte. */
struct dull {
	const uint8_t *p;
	const struct ags_list_format *format;
	char name[AGS_MAX_PATH];
	uint32_t mode, uid, gid, major;
	int64_t mtime;
};

static int64_t dull_number(struct dull *d, unsigned min)
{
	unsigned extra = 0, more;
	uint64_t v = 0;
	uint8_t first = *d->p++;

	while (extra < 8 && (first & (0x80 >> extra)))
		extra++;
	more = min - 1 + extra;
	for (unsigned i = 0; i < more; i++)
		v |= (uint64_t)*d->p++ << 8 * i;
	if (more < 8)
		v |= (uint64_t)(first & (0x7f >> extra)) << 8 * more;
	return (int64_t)v;
}

static int32_t dull_varint(struct dull *d)
{
	return (int32_t)dull_number(d, 1);
}

static unsigned dull_flags(struct dull *d)
{
	unsigned flags;

	if (d->format->varint_flags)
		return (unsigned)dull_varint(d);
	flags = *d->p++;
	return flags & 4 ? flags | (unsigned)*d->p++ << 8 : flags;
}

static void dull_name(struct dull *d, unsigned flags)
{
	unsigned shared = flags & 0x20 ? *d->p++ : 0, rest;

	rest = flags & 0x40 ? (unsigned)dull_varint(d) : *d->p++;
	memcpy(d->name + shared, d->p, rest);
	d->name[shared + rest] = '\0';
	d->p += rest;
}

/* Nothing is said of what the first name's device number was: nobody may rely on it. */
static void dull_take_over(struct dull *d, const struct ags_entry *first)
{
	d->mode = first->mode;
	d->mtime = first->mtime;
	d->uid = first->uid;
	d->gid = first->gid;
	if (S_ISCHR(first->mode) || S_ISBLK(first->mode))
		d->major = UINT32_MAX;
}

static void check_entry(struct dull *d, const struct ags_filelist *list, uint32_t ndx, unsigned flags)
{
	const struct ags_entry *e = &list->entries[ndx];
	bool is_dir = S_ISDIR(e->mode), is_device = S_ISCHR(e->mode) || S_ISBLK(e->mode), is_special = S_ISFIFO(e->mode) || S_ISSOCK(e->mode);
	char path[AGS_MAX_PATH];

	ags_filelist_path(list, ndx, path);
	dull_name(d, flags);
	CHECK_STR(d->name, path + (d->format->skip > 0 ? strlen("var/aegir/") : 0));
	CHECK_INT(flags & 0x200, e->link != 0 ? 0x200 : 0);
	if (e->link != 0 && e->link - 1 != ndx) {
		CHECK_INT(flags & 0x1000, 0);
		CHECK_INT(dull_varint(d), e->link - 1 - d->format->skip);
		dull_take_over(d, &list->entries[e->link - 1]);
		return;
	}
	CHECK_INT(flags & 0x1000, e->link != 0 ? 0x1000 : 0);
	CHECK_INT(dull_number(d, 3), is_device || is_special ? 0 : e->size);
	if (!(flags & 0x80))
		d->mtime = dull_number(d, 4);
	CHECK_INT(d->mtime, e->mtime);
	CHECK_INT(flags & 0x2000 ? dull_varint(d) : 0, d->format->nanoseconds ? e->mtime_nsec : 0);
	if (!(flags & 0x02)) {
		d->mode = ags_load_u32(d->p);
		d->p += 4;
	}
	CHECK_INT(d->mode, e->mode);
	if (!(flags & 0x08))
		d->uid = (uint32_t)dull_varint(d);
	if (!(flags & 0x10))
		d->gid = (uint32_t)dull_varint(d);
	CHECK_INT(d->uid, e->uid);
	CHECK_INT(d->gid, e->gid);
	if (is_device || (is_special && !d->format->nanoseconds)) {
		if (!(flags & 0x100))
			d->major = (uint32_t)dull_varint(d);
		CHECK(!is_device || d->major == major((dev_t)e->size));
		CHECK_INT(dull_varint(d), is_device ? minor((dev_t)e->size) : 0);
	}
	if (S_ISLNK(e->mode)) {
		CHECK_INT(dull_varint(d), e->text_len);
		CHECK(memcmp(d->p, e->text, e->text_len) == 0);
		d->p += e->text_len;
	}
	if (d->format->checksums && S_ISREG(e->mode)) {
		static const uint8_t zeros[16];

		CHECK(memcmp(d->p, e->sum != NULL ? e->sum + 16 * d->format->digest : zeros, 16) == 0);
		d->p += 16;
	}
	if (is_dir)
		CHECK_INT(flags & 0x101, e->flags & AGS_ENTRY_IMPLIED ? 0x101 : e->flags & AGS_ENTRY_TOP ? 1 : 0);
}

static void check_ids(struct dull *d, bool users)
{
	int32_t id;
	char name[256];

	while ((id = dull_varint(d)) != 0) {
		const char *want = users ? getpwuid((uid_t)id)->pw_name : getgrgid((gid_t)id)->gr_name;
		unsigned len = *d->p++;

		memcpy(name, d->p, len);
		name[len] = '\0';
		d->p += len;
		CHECK_STR(name, want);
	}
	if (d->format->id0_names) {
		CHECK_INT(*d->p, 4);
		CHECK(memcmp(d->p + 1, "root", 4) == 0);
		d->p += 5;
	}
}

/* The content of the frames, and that they are what they should be. */
static void unframe(const struct ags_buf *in, struct ags_buf *out)
{
	const uint8_t *p = ags_buf_bytes(in), *end = p + ags_buf_len(in);

	while (p < end) {
		uint32_t header = ags_load_u32(p), len = header & 0xffffff;

		CHECK_INT(header >> 24, 7);
		CHECK(len > 0 && len < 80000 && len <= (size_t)(end - p) - 4);
		CHECK(ags_buf_add(out, p + 4, len));
		p += 4 + len;
	}
	CHECK(ags_buf_u8(out, 0xaa));          /* so that a look at the byte behind is no overrun */
}

static void check_list(const struct ags_filelist *list, const struct ags_list_format *format)
{
	struct ags_buf framed = AGS_BUF_INIT, plain = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct dull *d = calloc(1, sizeof(*d));
	unsigned flags = 0;

	CHECK(ags_buf_add(&framed, "before", 6));
	ags_buf_consume(&framed, 2);
	CHECK(ags_filelist_encode(list, format, &framed, &err));
	CHECK(memcmp(ags_buf_bytes(&framed), "fore", 4) == 0);
	ags_buf_consume(&framed, 4);
	unframe(&framed, &plain);
	d->p = ags_buf_bytes(&plain);
	d->format = format;
	for (uint32_t i = format->skip; i < list->count && check_failures == 0; i++) {
		flags = dull_flags(d);
		CHECK(flags != 0);
		check_entry(d, list, i, flags);
	}
	flags = dull_flags(d);
	CHECK_INT(flags, format->varint_flags || (list->io_error & 1) == 0 ? 0 : 0x1004);
	if (format->varint_flags || flags != 0)
		CHECK_INT(dull_varint(d), list->io_error & 1);
	if (!format->numeric_ids) {
		check_ids(d, true);
		check_ids(d, false);
	}
	CHECK(check_failures > 0 || d->p + 1 == ags_buf_bytes(&plain) + ags_buf_len(&plain));
	free(d);
	ags_buf_free(&framed);
	ags_buf_free(&plain);
}

static struct ags_entry *add(struct ags_filelist *list, const char *name, uint32_t mode, uint32_t parent)
{
	struct ags_entry *e = &list->entries[list->count++];

	*e = (struct ags_entry){ .name = ags_arena_string(&list->arena, name), .name_len = (uint16_t)strlen(name), .mode = mode, .parent = parent };
	return e;
}

/* Any earlier file that is the first of its names, or ndx itself. */
static uint32_t random_first(const struct ags_filelist *list, uint32_t ndx)
{
	uint32_t i = (uint32_t)random() % (ndx + 1);

	return i < ndx && list->entries[i].link == i + 1 ? i : ndx;
}

static void random_entry(struct ags_filelist *list)
{
	static const uint32_t types[] = { S_IFREG, S_IFREG, S_IFREG, S_IFDIR, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK };
	static const uint32_t ids[] = { 0, 0, 1, 33, 65534, 4000000000u };
	uint32_t top = list->entries[0].flags & AGS_ENTRY_IMPLIED ? 2 : 0, parent = top + (uint32_t)random() % (list->count - top);
	char name[256];
	size_t len = random() % 4 == 0 ? 1 + (size_t)random() % 255 : 1 + (size_t)random() % 6;
	struct ags_entry *e;

	for (size_t i = 0; i < len; i++)
		name[i] = (char)(random() % 3 ? 'a' : 128 + random() % 127);
	name[len] = '\0';
	while (!S_ISDIR(list->entries[parent].mode))
		parent = list->entries[parent].parent;
	for (uint32_t up = parent, depth = 0; up != AGS_NO_PARENT; up = list->entries[up].parent)
		if (++depth > 12)
			parent = top;
	e = add(list, name, types[(size_t)random() % 10] | (random() % 2 ? 0644 : 07777 & (uint32_t)random()), parent);
	e->size = random() % 2 ? random() % 100000 : (int64_t)(((uint64_t)random() << 32 | (uint64_t)random()) >> 1);
	e->mtime = random() % 3 ? 1700000000 + random() % 3 : random() % 2 ? -random() : (int64_t)random() << 20;
	e->mtime_nsec = random() % 2 ? 0 : (uint32_t)(random() % 1000000000);
	e->uid = ids[(size_t)random() % 6];
	e->gid = ids[(size_t)random() % 6];
	if (S_ISDIR(e->mode))
		e->flags = (uint8_t)(random() % 3);
	if (S_ISLNK(e->mode)) {
		e->text = ags_arena_string(&list->arena, name);
		e->text_len = (uint16_t)len;
	}
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		e->size = (int64_t)makedev(random() % 3, random() % 70000);
	if (!S_ISDIR(e->mode) && random() % 3 == 0)
		e->link = 1 + random_first(list, list->count - 1);
	if (S_ISREG(e->mode) && random() % 4) {
		uint8_t *sum = ags_arena_bytes(&list->arena, 32);

		for (int i = 0; i < 32; i++)
			sum[i] = (uint8_t)random();
		e->sum = sum;
	}
}

static void test_a_dull_reader_gets_back_what_was_encoded(void)
{
	unsigned seed = (unsigned)time(NULL);

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (unsigned round = 0; round < 256 && check_failures == 0; round++) {
		struct ags_filelist list = AGS_FILELIST_INIT;
		struct ags_list_format format = {
			.varint_flags = round & 1, .id0_names = round & 2, .nanoseconds = round & 4, .numeric_ids = round & 8, .checksums = round & 16,
			.digest = round & 32 ? AGS_DIGEST_MD5 : AGS_DIGEST_XXH128, .skip = round & 64 ? 2 : 0,
		};
		uint32_t count = round == 0 ? 3000 : 1 + format.skip + (uint32_t)random() % 60;

		list.entries = calloc(count, sizeof(*list.entries));
		list.io_error = (unsigned)random() % 4;
		for (uint32_t i = 0; i < format.skip; i++)
			add(&list, i == 0 ? "var" : "aegir", S_IFDIR | 0755, i - 1)->flags = AGS_ENTRY_IMPLIED;
		add(&list, format.skip == 0 && random() % 2 ? "." : "top", S_IFDIR | 0755, format.skip - 1)->flags = AGS_ENTRY_TOP;
		while (list.count < count)
			random_entry(&list);
		check_list(&list, &format);
		ags_filelist_free(&list);
	}
}

/* What a real receiver took: the root and one file, both of root. */
static void test_the_bytes_are_those_of_a_real_session(void)
{
	static const uint8_t want[] =
		"\x2d\0\0\x07"
		"\x01\x01\x2e\0\0\x10\x65\0\xf1\x53\xed\x41\0\0\0\0"
		"\xa0\x98\x01\x61\0\x06\0\x05\xa4\x81\0\0"
		"\0\0"
		"\0\4root\0\4root";
	const struct ags_list_format format = { .varint_flags = true, .id0_names = true, .nanoseconds = true };
	struct ags_filelist list = AGS_FILELIST_INIT;
	struct ags_buf b = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_entry *e;

	list.entries = calloc(2, sizeof(*list.entries));
	e = add(&list, ".", 040755, AGS_NO_PARENT);
	e->flags = AGS_ENTRY_TOP;
	e->size = 4096;
	e->mtime = 1700000000;
	e = add(&list, "a", 0100644, 0);
	e->size = 6;
	e->mtime = 1700000000;
	e->mtime_nsec = 5;
	CHECK(ags_filelist_encode(&list, &format, &b, &err));
	CHECK(ags_buf_len(&b) > 4 && memcmp(ags_buf_bytes(&b) + 4, want + 4, sizeof(want) - 5) == 0);
	CHECK_INT(ags_buf_len(&b), sizeof(want) - 1);
	CHECK_INT(ags_load_u32(ags_buf_bytes(&b)), 7u << 24 | (sizeof(want) - 5));
	ags_buf_free(&b);
	ags_filelist_free(&list);
}

static void test_the_path_of_an_entry_has_its_parents_but_not_the_root(void)
{
	struct ags_filelist list = AGS_FILELIST_INIT;
	char path[AGS_MAX_PATH];

	list.entries = calloc(4, sizeof(*list.entries));
	add(&list, ".", S_IFDIR, AGS_NO_PARENT);
	add(&list, "d", S_IFDIR, 0);
	add(&list, "x", S_IFREG, 1);
	add(&list, "var", S_IFDIR, AGS_NO_PARENT);
	CHECK_INT(ags_filelist_path(&list, 0, path), 1);
	CHECK_STR(path, ".");
	CHECK_INT(ags_filelist_path(&list, 2, path), 3);
	CHECK_STR(path, "d/x");
	CHECK_INT(ags_filelist_path(&list, 3, path), 3);
	CHECK_STR(path, "var");
	ags_filelist_free(&list);
}

static void test_formats_are_equal_when_their_bytes_would_be(void)
{
	struct ags_list_format a = { .varint_flags = true, .digest = AGS_DIGEST_MD5 }, b = { .varint_flags = true };

	CHECK(ags_list_format_equal(&a, &b));
	a.checksums = b.checksums = true;
	CHECK(!ags_list_format_equal(&a, &b));
	b.digest = AGS_DIGEST_MD5;
	CHECK(ags_list_format_equal(&a, &b));
	b.nanoseconds = true;
	CHECK(!ags_list_format_equal(&a, &b));
	b = a;
	b.skip = 1;
	CHECK(!ags_list_format_equal(&a, &b));
}

static void test_a_buffer_that_is_too_small_stays_as_it_was(void)
{
	const struct ags_list_format format = { .varint_flags = true, .id0_names = true };
	struct ags_filelist list = AGS_FILELIST_INIT;

	list.entries = calloc(100, sizeof(*list.entries));
	for (int i = 0; i < 100; i++)
		add(&list, i % 2 ? "a name that differs from" : "the one before it", 0100644, AGS_NO_PARENT);
	for (size_t max = 256; max <= 1024; max *= 2) {
		struct ags_buf b = { .max = max };
		struct ags_err err = AGS_ERR_INIT;

		CHECK(ags_buf_add(&b, "abc", 3));
		CHECK(!ags_filelist_encode(&list, &format, &b, &err));
		CHECK_INT(err.code, AGS_NOMEM);
		CHECK_INT(ags_buf_len(&b), 3);
		ags_buf_free(&b);
	}
	ags_filelist_free(&list);
}

int main(void)
{
	RUN(test_a_dull_reader_gets_back_what_was_encoded);
	RUN(test_the_bytes_are_those_of_a_real_session);
	RUN(test_the_path_of_an_entry_has_its_parents_but_not_the_root);
	RUN(test_formats_are_equal_when_their_bytes_would_be);
	RUN(test_a_buffer_that_is_too_small_stays_as_it_was);
	return check_result();
}
