#include "fuzz/fuzz.h"
#include "unit/tree.h"

#include "scale/fetch_private.h"

/*
 * What three servers sent, and what is here, put together by the merge of a fetch:
 *
 *   {0: here, 1 to 3: of a server; kind} {name} {age} {content} …
 *
 * What is here is never lost: it stays as it is, or a newer file takes its place. No link is followed, in neither tree.
 */
enum kind { PLAIN, FOLDER, LINK_OUT, LINK_UP, KINDS };

struct made {
	char name[64];
	enum kind kind;
	time_t time;
	uint8_t content;
};

static const char *const names[] = {
	"a", "b", "a/b", "a/b/c", "d", "d/a", "d/b", "a.web1-CONFLICT", "a.web2-CONFLICT", "a.web1-CONFLICT-2", "d/a.web3-CONFLICT", "a b", "\x1b[31m",
	"\xff\xfe", "-rf", "d.x", "a-", "d/.aegir-fetch.0",
};

static struct tree t;

static void clean_up(void)
{
	tree_remove(&t);
}

/* Not through a link that was made before. */
static bool has_folder(char *path)
{
	struct stat st;
	bool ok = true;

	for (char *slash = path + strlen(t.root) + 1; ok && (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		*slash = '\0';
		ok = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	}
	return ok;
}

static bool make(const char *folder, struct made *m)
{
	char path[256];
	const struct timespec times[2] = { { .tv_sec = m->time }, { .tv_sec = m->time } };
	bool ok = false;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", t.root, folder, m->name);
	if (!has_folder(path))
		return false;
	switch (m->kind) {
	case PLAIN:
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
		ok = fd >= 0 && write(fd, &m->content, 1) == 1 && futimens(fd, times) == 0;
		if (fd >= 0)
			close(fd);
		return ok;
	case FOLDER:
		return mkdir(path, 0755) == 0;
	case LINK_OUT:
		return symlink("../../outside", path) == 0 || symlink("../outside", path) == 0;
	default:
		return symlink("..", path) == 0;
	}
}

static void check_kept(const struct made *m)
{
	char path[256];
	uint8_t content = 0;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/here/%s", t.root, m->name);
	must(lstat(path, &st) == 0);
	must(S_ISREG(st.st_mode) ? m->kind == PLAIN : S_ISDIR(st.st_mode) ? m->kind == FOLDER : m->kind == LINK_OUT || m->kind == LINK_UP);
	if (m->kind != PLAIN)
		return;
	must(st.st_mtime >= m->time && st.st_size == 1);
	fd = open(path, O_RDONLY | O_NOFOLLOW);
	must(fd >= 0 && read(fd, &content, 1) == 1 && (st.st_mtime > m->time || content == m->content));
	close(fd);
}

static void begin(void)
{
	snprintf(t.root, sizeof(t.root), "%s/ags-fuzz-fetch-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(t.root) != NULL && atexit(clean_up) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const folders[] = { "here", "stage/web1", "stage/web2", "stage/web3" };
	struct ags_report report = AGS_REPORT_INIT;
	struct ags_server_result results[3] = { { .server = "web1" }, { .server = "web2" }, { .server = "web3" } };
	struct ags_server_result *servers[3] = { &results[0], &results[1], &results[2] };
	struct ags_err err = AGS_ERR_INIT;
	struct ags_merge merge = { .report = &report, .servers = servers, .count = 3, .itemize = true };
	struct ags_cursor in = { data, data + size };
	struct made here[64];
	size_t count = 0;
	struct stat st;

	if (t.root[0] == '\0')
		begin();
	must(mkdir(tree_path(&t, "here"), 0755) == 0 && mkdir(tree_path(&t, "stage"), 0700) == 0 && mkdir(tree_path(&t, "outside"), 0755) == 0);
	for (int i = 1; i < 4; i++)
		must(mkdir(tree_path(&t, folders[i]), 0755) == 0);
	for (int i = 0; i < 64 && ags_left(&in) > 0; i++) {
		struct made m = {0};
		uint8_t where = take_u8(&in);
		char *raw;

		m.kind = (enum kind)(where / 4 % KINDS);
		snprintf(m.name, sizeof(m.name), "%s", names[take_u8(&in) % (sizeof(names) / sizeof(names[0]))]);
		if (where >= 192) {
			raw = take_text(&in, 8);
			snprintf(m.name, sizeof(m.name), "%s", strstr(raw, "..") != NULL || raw[0] == '\0' ? "a" : raw);
			free(raw);
		}
		m.time = 1000000000 + take_u8(&in) % 4;
		m.content = take_u8(&in) % 3;
		if (make(folders[where % 4], &m) && where % 4 == 0)
			here[count++] = m;
	}
	merge.path = tree_path(&t, "here");
	merge.stage = tree_path(&t, "stage");
	must(ags_merge_run(&merge, &err) && err.code == AGS_OK);
	for (size_t i = 0; i < count; i++)
		check_kept(&here[i]);
	for (size_t i = 0; i < report.warning_count; i++)
		must_be_clean(report.warnings[i]);
	must(rmdir(tree_path(&t, "outside")) == 0);          /* nothing came into it */
	ags_merge_remove(tree_path(&t, "here"));
	ags_merge_remove(tree_path(&t, "stage"));
	must(lstat(tree_path(&t, "here"), &st) != 0 && lstat(tree_path(&t, "stage"), &st) != 0);
	ags_report_free(&report);
	return 0;
}
