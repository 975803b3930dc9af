#ifndef AGS_TESTS_TREE_H
#define AGS_TESTS_TREE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A directory of its own for a test, and programs run without a shell. Paths are relative to the tree. */
struct tree {
	char root[64];
};

static inline char *tree_path(const struct tree *t, const char *path)
{
	static char full[8][2 * PATH_MAX];
	static unsigned next;
	char *p = full[next++ % 8];

	snprintf(p, sizeof(full[0]), "%s%s%s", t->root, *path ? "/" : "", path);
	return p;
}

/* The program's output up to size-1 bytes, with a NUL; its exit status, or -1. */
static inline int tree_run(char *const argv[], char *out, size_t size)
{
	int pipes[2], status = -1;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(pipes) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		dup2(pipes[1], 1);
		close(pipes[0]);
		close(pipes[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pipes[1]);
	while (used < size - 1 && (n = read(pipes[0], out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void tree_make(struct tree *t)
{
	snprintf(t->root, sizeof(t->root), "/tmp/ags-tree-XXXXXX");
	if (mkdtemp(t->root) == NULL) {
		perror(t->root);
		abort();
	}
}

static inline void tree_remove(struct tree *t)
{
	char *argv[] = { "rm", "-rf", "--", t->root, NULL }, out[256];

	tree_run(argv, out, sizeof(out));
}

static inline void tree_dir(const struct tree *t, const char *path)
{
	char *full = tree_path(t, path);

	for (char *slash = full + strlen(t->root); (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		mkdir(full, 0755);
	}
	mkdir(full, 0755);
}

/* Makes the directories above it too. False when something of that name is there. */
static inline int tree_file(const struct tree *t, const char *path, const char *content)
{
	const char *slash = strrchr(path, '/');
	int fd;

	if (slash != NULL) {
		char dir[PATH_MAX];

		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		tree_dir(t, dir);
	}
	fd = open(tree_path(t, path), O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return 0;
	if (write(fd, content, strlen(content)) < 0)
		perror(path);
	close(fd);
	return 1;
}

#endif
