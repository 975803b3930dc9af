#ifndef AGS_TESTS_PUSH_H
#define AGS_TESTS_PUSH_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rsync/scan.h"
#include "rsync/sender.h"

/*
 * Pushes a tree to stock rsync --server processes over pipes, with nothing between the sender machine and them:
 * no ssh, no loop of ours.
 */
#define MAX_PEERS 4

struct peer {
	pid_t pid;
	int to, from;
	struct ags_sender *sender;
	struct ags_err err;
	int status;                   /* of waitpid */
	bool is_over;
	uint64_t items, deletions;
	struct ags_buf *record;       /* what it says is kept there, unless NULL */
	uint64_t damage_at;           /* the byte of our stream that a bad line changes; 0: none */
};

struct push {
	struct ags_filelist list;
	struct ags_filter *filter;
	struct ags_buf rules;
	struct ags_answers *answers;
	struct ags_sender_job job;
	struct peer peers[MAX_PEERS];
	size_t count;
	size_t feed_max, write_max;   /* cut what passes into pieces of at most so many bytes; 0: as it comes */
	const char *program;          /* instead of rsync */
	bool hold;                    /* do not release: stop when all are staged */
};

static char push_dir[64];

static inline const char *push_path(const char *format, ...)
{
	static char paths[8][4200];
	static int next;
	char *path = paths[next++ % 8];
	va_list args;
	int n = snprintf(path, 4200, "%s/", push_dir);

	va_start(args, format);
	vsnprintf(path + n, (size_t)(4200 - n), format, args);
	va_end(args);
	return path;
}

static inline int push_sh(const char *format, ...)
{
	char command[8192];
	int n = snprintf(command, sizeof(command), "cd %s && ", push_dir);
	va_list args;

	va_start(args, format);
	vsnprintf(command + n, sizeof(command) - (size_t)n, format, args);
	va_end(args);
	return system(command);
}

static inline void push_count_item(void *arg, uint32_t ndx, uint16_t flags)
{
	(void)ndx;
	((struct peer *)arg)->items += flags != 0;
}

static inline void push_count_deletion(void *arg, const char *path, size_t len)
{
	(void)path;
	(void)len;
	((struct peer *)arg)->deletions++;
}

static inline bool push_spawn(struct push *p, struct peer *peer, const char *dest)
{
	struct ags_arena arena = AGS_ARENA_INIT;
	const struct ags_sender_events events = { .arg = peer, .item = push_count_item, .deleted = push_count_deletion };
	const char *const *argv, *words[32] = {0};
	size_t argc;
	int in[2], out[2];

	if (!ags_sender_command(&p->job, dest, &arena, &argv, &argc) || pipe(in) != 0 || pipe(out) != 0)
		return false;
	for (size_t i = 0; i < argc; i++)
		words[i] = argv[i];
	peer->sender = ags_sender_new(&p->job, &events);
	peer->pid = fork();
	if (peer->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execvp(p->program != NULL ? p->program : "rsync", (char *const *)words);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	peer->to = in[1];
	peer->from = out[0];
	fcntl(peer->to, F_SETFL, O_NONBLOCK);
	fcntl(peer->from, F_SETFL, O_NONBLOCK);
	ags_arena_free(&arena);
	return peer->sender != NULL;
}

static inline void push_end(struct peer *peer)
{
	close(peer->to);
	close(peer->from);
	waitpid(peer->pid, &peer->status, 0);
	peer->is_over = true;
}

static inline bool push_read(struct push *p, struct peer *peer)
{
	uint8_t bytes[65536];
	size_t size = p->feed_max > 0 ? p->feed_max : sizeof(bytes);
	ssize_t n;

	if (!ags_sender_wants_input(peer->sender))
		return true;
	n = read(peer->from, bytes, size);
	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return false;
	if (peer->record != NULL && !ags_buf_add(peer->record, bytes, (size_t)n))
		return false;
	return ags_sender_feed(peer->sender, bytes, (size_t)n, &peer->err);
}

static inline ssize_t push_put(struct peer *peer, const uint8_t *bytes, size_t n)
{
	uint64_t sent = ags_sender_counts(peer->sender)->wire_bytes;
	uint8_t damaged;

	if (peer->damage_at < sent || peer->damage_at >= sent + n || peer->damage_at == 0)
		return write(peer->to, bytes, n);
	if (peer->damage_at > sent)
		return write(peer->to, bytes, (size_t)(peer->damage_at - sent));
	damaged = bytes[0] ^ 1;
	return write(peer->to, &damaged, 1);
}

static inline bool push_write(struct push *p, struct peer *peer)
{
	const uint8_t *bytes;
	size_t n;

	for (;;) {
		enum ags_step step = ags_sender_output(peer->sender, &bytes, &n, &peer->err);
		ssize_t done;

		if (step != AGS_DONE)
			return step == AGS_AGAIN;
		if (p->write_max > 0 && n > p->write_max)
			n = p->write_max;
		done = push_put(peer, bytes, n);
		if (done < 0)
			return errno == EAGAIN;
		ags_sender_consume(peer->sender, (size_t)done);
	}
}

static inline void push_step(struct push *p, struct peer *peer)
{
	if (!push_read(p, peer) || !push_write(p, peer)) {
		push_end(peer);
		return;
	}
	if (ags_sender_phase(peer->sender) == AGS_SENDER_STAGED && !p->hold)
		ags_sender_release(peer->sender);
	if (ags_sender_phase(peer->sender) == AGS_SENDER_DONE)
		push_end(peer);
}

/* Scans root (relative to push_dir, contents only) and starts a receiver for each dest. */
static inline bool push_begin(struct push *p, const char *root, const char *const *dests, size_t count)
{
	char path[4200];
	const char *paths[1] = { path };
	struct ags_scan_options options = { .filter = p->filter, .checksum = p->job.checksum, .hard_links = p->job.hard_links };
	struct ags_err err = AGS_ERR_INIT;

	snprintf(path, sizeof(path), "%s/", push_path("%s", root));
	if (p->filter == NULL)
		p->filter = ags_filter_new();
	options.filter = p->filter;
	p->job.list = &p->list;
	p->job.rules = &p->rules;
	p->job.seed = p->job.seed != 0 ? p->job.seed : 4711;
	if (!ags_scan(paths, 1, &options, &p->list, &err) || !ags_filter_encode(p->filter, &p->rules, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return false;
	}
	p->answers = ags_answers_new(&p->list, p->job.seed);
	p->job.answers = p->answers;
	p->count = count;
	for (size_t i = 0; i < count; i++) {
		char dest[4200];

		snprintf(dest, sizeof(dest), "%s/", push_path("%s", dests[i]));
		if (!push_spawn(p, &p->peers[i], dest))
			return false;
	}
	return true;
}

/* Until all are over, or all are staged with p->hold. */
static inline void push_run(struct push *p)
{
	for (;;) {
		struct pollfd fds[2 * MAX_PEERS];
		size_t waiting = 0, n = 0;

		for (size_t i = 0; i < p->count; i++) {
			struct peer *peer = &p->peers[i];

			if (peer->is_over || (p->hold && ags_sender_phase(peer->sender) == AGS_SENDER_STAGED))
				continue;
			push_step(p, peer);
			if (peer->is_over || (p->hold && ags_sender_phase(peer->sender) == AGS_SENDER_STAGED))
				continue;
			waiting++;
			fds[n++] = (struct pollfd){ .fd = peer->from, .events = POLLIN };
			fds[n++] = (struct pollfd){ .fd = peer->to, .events = POLLOUT };
		}
		if (waiting == 0)
			return;
		for (size_t i = 1; i < n; i += 2)
			fds[i].fd = -1;               /* writable pipes would spin: a short sleep instead */
		poll(fds, n, 2);
	}
}

static inline void push_free(struct push *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (!p->peers[i].is_over)
			push_end(&p->peers[i]);
		ags_sender_free(p->peers[i].sender);
	}
	ags_answers_free(p->answers);
	for (size_t i = 0; i < sizeof(p->job.lists) / sizeof(p->job.lists[0]); i++)
		ags_piece_drop(p->job.lists[i]);
	ags_filter_free(p->filter);
	ags_buf_free(&p->rules);
	ags_filelist_free(&p->list);
	memset(p, 0, sizeof(*p));
}

/* Nothing is left to do, says rsync. */
static inline bool push_is_equal(const char *root, const char *dest)
{
	return push_sh("test -z \"$(rsync -naic --delete %s/ %s/ | tee /dev/stderr)\"", root, dest) == 0;
}

static inline bool push_ended_well(const struct peer *peer)
{
	if (peer->err.code != AGS_OK || !WIFEXITED(peer->status) || WEXITSTATUS(peer->status) != 0 ||
	    ags_sender_phase(peer->sender) != AGS_SENDER_DONE || ags_sender_complaint(peer->sender)[0] != '\0') {
		fprintf(stderr, "code %d \"%s\" status %x phase %d complaint \"%s\"\n", peer->err.code, peer->err.message,
		        (unsigned)peer->status, ags_sender_phase(peer->sender), ags_sender_complaint(peer->sender));
		return false;
	}
	return true;
}

#endif
