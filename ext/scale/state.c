#include "scale/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define OURS "aegir_scale"

static int open_ours(const struct ags_environment *env, struct ags_arena *arena, struct ags_err *err);
static bool make_all(char *path, size_t from, struct ags_err *err);
static bool write_all(int fd, const struct ags_buf *content);

int ags_state_open(const struct ags_environment *env, const char *name, struct ags_err *err)
{
	struct ags_arena arena = AGS_ARENA_INIT;
	int above = open_ours(env, &arena, err), dir = -1;

	if (above >= 0) {
		if (mkdirat(above, name, 0700) == 0 || errno == EEXIST)
			dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0)
			ags_fail_sys(err, AGS_LOCAL_IO, name, "cannot open the state directory");
		close(above);
	}
	ags_arena_free(&arena);
	return dir;
}

enum ags_step ags_state_read(int dir, const char *name, struct ags_buf *to, struct ags_err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t bytes[4096];
	ssize_t n = 1;

	if (fd < 0 && errno == ENOENT)
		return AGS_AGAIN;
	to->max = AGS_MAX_STATE;
	while (fd >= 0 && n > 0) {
		n = read(fd, bytes, sizeof(bytes));
		if (n > 0 && !ags_buf_add(to, bytes, (size_t)n)) {
			errno = EFBIG;
			n = -1;
		}
	}
	if (fd < 0 || n < 0)
		ags_fail_sys(err, AGS_LOCAL_IO, name, "cannot read");
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? AGS_FAILED : AGS_DONE;
}

bool ags_state_write(int dir, const char *name, const struct ags_buf *content, struct ags_err *err)
{
	char draft[64];
	uint64_t nonce;
	bool ok;
	int fd;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot get random bytes");
	snprintf(draft, sizeof(draft), "new.%016llx", (unsigned long long)nonce);
	fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, name, "cannot write");
	ok = (write_all(fd, content) && fsync(fd) == 0 && renameat(dir, draft, dir, name) == 0 && fsync(dir) == 0) ||
	     ags_fail_sys(err, AGS_LOCAL_IO, name, "cannot write");
	close(fd);
	if (!ok)
		unlinkat(dir, draft, 0);
	return ok;
}

bool ags_state_add(struct ags_buf *line, const char *word)
{
	size_t len = ags_buf_len(line);
	bool ok = len == 0 || ags_buf_bytes(line)[len - 1] == '\n' || ags_buf_u8(line, ' ');
	char octal[5];

	if (word[0] == '\0')                /* a word that would not be there */
		return ok && ags_buf_add(line, "\\000", 4);
	for (const unsigned char *p = (const unsigned char *)word; ok && *p != '\0'; p++) {
		if (*p > ' ' && *p != '\\' && *p != 0x7f) {
			ok = ags_buf_u8(line, *p);
		} else {
			snprintf(octal, sizeof(octal), "\\%03o", *p);
			ok = ags_buf_add(line, octal, 4);
		}
	}
	return ok;
}

void ags_state_plain(char *word)
{
	char *to = word;

	for (const char *p = word; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
			*to++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

char *ags_state_word(char **line)
{
	char *word = *line;
	size_t len;

	if (word == NULL || word[0] == '\0')
		return NULL;
	len = strcspn(word, " ");
	*line = word[len] == ' ' ? word + len + 1 : NULL;
	word[len] = '\0';
	ags_state_plain(word);
	return word;
}

static int open_ours(const struct ags_environment *env, struct ags_arena *arena, struct ags_err *err)
{
	bool has_own = env->state_home != NULL && env->state_home[0] == '/', has_home = env->home != NULL && env->home[0] == '/';
	char *path = has_own ? ags_arena_printf(arena, "%s/" OURS, env->state_home) :
	             has_home ? ags_arena_printf(arena, "%s/.local/state/" OURS, env->home) : NULL;
	struct stat st;
	int dir;

	if (path == NULL) {
		if (has_own || has_home)
			ags_fail_nomem(err);
		else
			ags_fail(err, AGS_LOCAL_IO, "neither HOME nor XDG_STATE_HOME is an absolute path, want a directory to keep state in");
		return -1;
	}
	if (!make_all(path, has_own ? 0 : strlen(env->home), err))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) != 0) {
		ags_fail_sys(err, AGS_LOCAL_IO, path, "cannot open the state directory");
	} else if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		ags_fail(err, AGS_LOCAL_IO, "others may write to %.300s, want a directory of user %u alone", path, (unsigned)geteuid());
	} else {
		return dir;
	}
	if (dir >= 0)
		close(dir);
	return -1;
}

/* As mkdir -p; the first `from` bytes must be there. */
static bool make_all(char *path, size_t from, struct ags_err *err)
{
	for (char *p = path + from; p != NULL;) {
		bool made;

		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		made = mkdir(path, 0700) == 0 || errno == EEXIST || errno == EISDIR ||
		       ags_fail_sys(err, AGS_LOCAL_IO, path, "cannot make the state directory");
		if (p != NULL)
			*p = '/';
		if (!made)
			return false;
	}
	return true;
}

static bool write_all(int fd, const struct ags_buf *content)
{
	const uint8_t *p = ags_buf_bytes(content);
	size_t left = ags_buf_len(content);

	while (left > 0) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		left -= (size_t)n;
	}
	return true;
}
