#include "ssh/dial.h"
#include "ssh/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection that stopped answering is given up after this long, whatever the command's own time limit is. */
#define UNANSWERED_MS 60000
#define KEEPALIVE_AFTER_S 30
#define KEEPALIVE_EVERY_S 10
#define KEEPALIVE_TRIES 3

#define SPARE_DESCRIPTORS 24             /* not for connections: a source is open at every level of its depth */

struct ags_dial {
	struct ags_loop *loop;
	struct ags_watch *watch;
	ags_watch_fn *fn;
	void *arg;
	struct ags_lookup *lookup;
	struct addrinfo *found, *next;        /* next: not tried yet */
	int fd;                               /* connecting, or -1 */
	uint16_t port;
	int64_t deadline, share_ends;
	int last_errno;
	char address[320];
};

static bool watch_fd(struct ags_dial *dial, int fd, unsigned events, struct ags_err *err);
static enum ags_step look_up(struct ags_dial *dial, struct ags_err *err);
static enum ags_step try_next(struct ags_dial *dial, struct ags_err *err);
static bool begin(struct ags_dial *dial, const struct addrinfo *a, struct ags_err *err);
static enum ags_step check(struct ags_dial *dial);
static bool is_spare(int fd);
static void drop(struct ags_dial *dial);
static void name_address(struct ags_dial *dial, const struct addrinfo *a);
static void set_options(int fd);

struct ags_dial *ags_dial_new(struct ags_loop *loop, const char *host, uint16_t port, int64_t deadline, ags_watch_fn *fn,
                              void *arg, struct ags_err *err)
{
	struct ags_dial *dial = calloc(1, sizeof(*dial));

	if (dial == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	*dial = (struct ags_dial){ .loop = loop, .fd = -1, .port = port, .deadline = deadline, .fn = fn, .arg = arg };
	ags_host_port(dial->address, sizeof(dial->address), host, port);
	dial->lookup = ags_lookup_new(host, port, err);
	if (dial->lookup == NULL || !watch_fd(dial, ags_lookup_fd(dial->lookup), AGS_READABLE, err)) {
		ags_dial_free(dial);
		return NULL;
	}
	return dial;
}

enum ags_step ags_dial_step(struct ags_dial *dial, int *fd, struct ags_err *err)
{
	enum ags_step step = AGS_DONE;

	if (dial->lookup != NULL)
		step = look_up(dial, err);
	else if (dial->fd >= 0)
		step = check(dial);
	while (step == AGS_DONE && dial->fd < 0) {
		step = try_next(dial, err);
		if (step == AGS_AGAIN)
			step = check(dial);
	}
	if (step == AGS_DONE) {
		ags_watch_remove(dial->watch);
		dial->watch = NULL;
		*fd = dial->fd;
		dial->fd = -1;
	}
	return step;
}

const char *ags_dial_address(const struct ags_dial *dial)
{
	return dial->address;
}

void ags_dial_free(struct ags_dial *dial)
{
	if (dial == NULL)
		return;
	drop(dial);
	ags_watch_remove(dial->watch);
	ags_lookup_free(dial->lookup);
	if (dial->found != NULL)
		freeaddrinfo(dial->found);
	free(dial);
}

void ags_host_port(char *to, size_t size, const char *host, uint16_t port)
{
	snprintf(to, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static bool watch_fd(struct ags_dial *dial, int fd, unsigned events, struct ags_err *err)
{
	ags_watch_remove(dial->watch);
	dial->watch = ags_watch_add(dial->loop, fd, events, dial->fn, dial->arg);
	return dial->watch != NULL || ags_fail_nomem(err);
}

static enum ags_step look_up(struct ags_dial *dial, struct ags_err *err)
{
	enum ags_step step = ags_lookup_step(dial->lookup, &dial->found, err);

	if (step != AGS_DONE)
		return step;
	ags_watch_remove(dial->watch);               /* before its descriptor goes */
	dial->watch = NULL;
	ags_lookup_free(dial->lookup);
	dial->lookup = NULL;
	dial->next = dial->found;
	return AGS_DONE;
}

/* AGS_AGAIN: an attempt is under way. AGS_DONE: this one failed at once, there may be another. */
static enum ags_step try_next(struct ags_dial *dial, struct ags_err *err)
{
	struct addrinfo *a = dial->next;
	int64_t now = ags_now_ms(), left = 0;

	if (a == NULL) {
		errno = dial->last_errno;
		ags_fail_sys(err, AGS_CONNECT, dial->address, "cannot connect to");
		err->path[0] = '\0';
		return AGS_FAILED;
	}
	for (const struct addrinfo *b = a; b != NULL; b = b->ai_next)
		left++;
	dial->next = a->ai_next;
	dial->share_ends = now + (dial->deadline - now) / left;
	name_address(dial, a);
	if (begin(dial, a, err))
		return AGS_AGAIN;
	return err->code != AGS_OK ? AGS_FAILED : AGS_DONE;
}

static bool begin(struct ags_dial *dial, const struct addrinfo *a, struct ags_err *err)
{
	dial->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (dial->fd >= 0 && is_spare(dial->fd)) {
		drop(dial);
		errno = EMFILE;
	}
	if (dial->fd < 0 && errno != EAFNOSUPPORT)
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot make a socket");
	if (dial->fd >= 0)
		set_options(dial->fd);
	if (dial->fd < 0 || (connect(dial->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS)) {
		dial->last_errno = errno;
		drop(dial);
		return false;
	}
	if (!watch_fd(dial, dial->fd, AGS_WRITABLE, err))
		return false;
	if (dial->next != NULL)
		ags_watch_deadline(dial->watch, dial->share_ends);
	return true;
}

/* AGS_DONE with dial->fd: connected; without: that address failed. */
static enum ags_step check(struct ags_dial *dial)
{
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer), len = sizeof(int);
	int why = 0;

	getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &why, &len);
	if (why == 0 && getpeername(dial->fd, (struct sockaddr *)&peer, &peer_len) == 0)
		return AGS_DONE;
	if (why == 0 && (dial->next == NULL || ags_now_ms() < dial->share_ends))
		return AGS_AGAIN;
	dial->last_errno = why != 0 ? why : ETIMEDOUT;
	drop(dial);
	return AGS_DONE;
}

/* One of the last that the process may have. Without any for the files here no server could be served. */
static bool is_spare(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && (rlim_t)fd + SPARE_DESCRIPTORS >= limit.rlim_cur;
}

static void drop(struct ags_dial *dial)
{
	if (dial->fd < 0)
		return;
	ags_watch_remove(dial->watch);
	dial->watch = NULL;
	close(dial->fd);
	dial->fd = -1;
}

static void name_address(struct ags_dial *dial, const struct addrinfo *a)
{
	char host[NI_MAXHOST];

	if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0)
		ags_host_port(dial->address, sizeof(dial->address), host, dial->port);
}

/* No SO_SNDBUF: the kernel's own sizing is better, and a small one stops a transfer. */
static void set_options(int fd)
{
	int on = 1, after = KEEPALIVE_AFTER_S, every = KEEPALIVE_EVERY_S, tries = KEEPALIVE_TRIES;
	unsigned unanswered = UNANSWERED_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after, sizeof(after));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof(unanswered));
}
