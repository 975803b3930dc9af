#include "ssh/pool.h"
#include "base/limits.h"
#include "ssh/openssh.h"
#include "ssh/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One known_hosts file, read once for as long as it stays the same. */
struct known_file {
	struct known_file *next;
	struct ags_known_hosts *known;
	struct stat st;
	char name[];
};

struct fact {
	struct fact *next;
	char text[];
};

struct ags_pool {
	struct ags_loop *loop;
	struct ags_pool_limits limits;
	pid_t pid;
	struct ags_session *sessions;
	struct ags_session *waiting, **waiting_end;
	unsigned handshakes;
	struct known_file *files;
	struct fact *facts;
	struct ags_openssh *openssh;
	struct ags_pool_stats totals;
};

static struct ags_session *find(struct ags_pool *pool, const struct ags_endpoint *to);
static bool is_stale(const struct ags_pool *pool, const struct ags_session *s);
static void start_waiting(struct ags_pool *pool);
static void stop_waiting(struct ags_pool *pool, struct ags_session *s);
static void release(struct ags_pool *pool, struct ags_session *s);
static void destroy(struct ags_pool *pool, struct ags_session *s);
static bool is_same_file(const struct stat *a, const struct stat *b);

struct ags_pool *ags_pool_new(const struct ags_pool_limits *limits)
{
	struct ags_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->loop = ags_loop_new();
	pool->openssh = pool->loop != NULL ? ags_openssh_new(pool->loop) : NULL;
	if (pool->openssh == NULL) {
		ags_loop_free(pool->loop);
		free(pool);
		return NULL;
	}
	pool->limits = *limits;
	ags_pool_set_handshakes(pool, limits->handshakes);
	pool->pid = getpid();
	pool->waiting_end = &pool->waiting;
	return pool;
}

bool ags_pool_learn(struct ags_pool *pool, const char *fact)
{
	size_t size = strlen(fact) + 1;
	struct fact *f;

	if (ags_pool_knows(pool, fact))
		return true;
	f = malloc(sizeof(*f) + size);
	if (f == NULL)
		return false;
	memcpy(f->text, fact, size);
	f->next = pool->facts;
	pool->facts = f;
	return true;
}

bool ags_pool_knows(const struct ags_pool *pool, const char *fact)
{
	for (const struct fact *f = pool->facts; f != NULL; f = f->next)
		if (strcmp(f->text, fact) == 0)
			return true;
	return false;
}

void ags_pool_free(struct ags_pool *pool)
{
	if (pool == NULL)
		return;
	ags_pool_is_ours(pool);
	while (pool->sessions != NULL)
		destroy(pool, pool->sessions);
	while (pool->files != NULL) {
		struct known_file *file = pool->files;

		pool->files = file->next;
		ags_known_hosts_free(file->known);
		free(file);
	}
	while (pool->facts != NULL) {
		struct fact *fact = pool->facts;

		pool->facts = fact->next;
		free(fact);
	}
	ags_openssh_free(pool->openssh);
	ags_loop_free(pool->loop);
	free(pool);
}

void ags_pool_close(struct ags_pool *pool)
{
	struct ags_session *next;

	ags_pool_is_ours(pool);
	for (struct ags_session *s = pool->sessions; s != NULL; s = next) {
		next = s->next;
		s->is_doomed = true;
		if (s->users == 0 && !s->is_stepping)
			destroy(pool, s);
	}
	ags_openssh_close(pool->openssh);
}

struct ags_openssh *ags_pool_openssh(struct ags_pool *pool)
{
	return pool->openssh;
}

void ags_pool_set_handshakes(struct ags_pool *pool, unsigned handshakes)
{
	pool->limits.handshakes = handshakes > 0 ? handshakes : AGS_MAX_HANDSHAKES;
}

struct ags_loop *ags_pool_loop(struct ags_pool *pool)
{
	return pool->loop;
}

struct ags_session *ags_pool_lend(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err)
{
	struct ags_session *s;

	ags_pool_is_ours(pool);
	s = find(pool, to);
	if (s == NULL)
		return ags_pool_lend_fresh(pool, to, err);
	s->users++;
	s->lent++;
	s->is_deaf = false;
	pool->totals.reused++;
	if (s->state == AGS_SESSION_READY)
		ags_session_settle(s);
	return s;
}

struct ags_session *ags_pool_lend_fresh(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err)
{
	struct ags_session *s = ags_session_new(pool, to, err);

	if (s == NULL)
		return NULL;
	s->next = pool->sessions;
	if (s->next != NULL)
		s->next->prev = s;
	pool->sessions = s;
	pool->totals.opened++;
	s->users = s->lent = 1;
	*pool->waiting_end = s;
	pool->waiting_end = &s->next_waiting;
	start_waiting(pool);
	return s;
}

void ags_pool_give_back(struct ags_pool *pool, struct ags_session *session)
{
	release(pool, session);
}

void ags_pool_retire(struct ags_pool *pool, struct ags_session *session)
{
	session->is_doomed = true;
	release(pool, session);
}

void ags_pool_totals(const struct ags_pool *pool, struct ags_pool_stats *stats)
{
	*stats = pool->totals;
	for (const struct ags_session *s = pool->sessions; s != NULL; s = s->next)
		if (s->users > 0)
			stats->in_use++;
		else if (s->state == AGS_SESSION_READY)
			stats->idle++;
}

bool ags_pool_session(const struct ags_pool *pool, size_t i, struct ags_session_stats *stats)
{
	const struct ags_session *s = pool->sessions;

	while (s != NULL && i-- > 0)
		s = s->next;
	if (s == NULL)
		return false;
	*stats = (struct ags_session_stats){
		.server = s->to.server, .host = s->to.host, .user = s->to.user, .port = s->to.port,
		.state = s->state == AGS_SESSION_BROKEN ? "closed" : s->state != AGS_SESSION_READY ? "connecting" :
		         s->users > 0 ? "in use" : "ready",
		.transport = s->link != NULL ? s->link->name : "", .reason = s->reason,
		.host_key = s->host_key, .cipher = s->cipher,
		.bytes_sent = s->sent, .bytes_received = s->received,
		.commands = s->commands, .age_ms = ags_now_ms() - s->born
	};
	return true;
}

void ags_pool_leave_slot(struct ags_session *s)
{
	if (!s->has_slot)
		return;
	s->has_slot = false;
	s->pool->handshakes--;
	start_waiting(s->pool);
}

void ags_pool_after_turn(struct ags_session *s)
{
	if (s->users == 0 && (s->state != AGS_SESSION_READY || s->is_doomed))
		destroy(s->pool, s);
}

void ags_pool_note_broken(struct ags_session *s)
{
	s->pool->totals.failed++;
}

/* The parent still uses its connections: the child must not say a word on them, not even goodbye. */
bool ags_pool_is_ours(struct ags_pool *pool)
{
	struct ags_session *next;
	pid_t pid = getpid();

	if (pool->pid == pid)
		return true;
	pool->pid = pid;
	pool->handshakes = 0;
	pool->waiting = NULL;
	pool->waiting_end = &pool->waiting;
	for (struct ags_session *s = pool->sessions; s != NULL; s = next) {
		next = s->next;
		ags_session_forget(s);
		if (s->users == 0)
			destroy(pool, s);
	}
	ags_openssh_forget(pool->openssh);
	return false;
}

const struct ags_known_hosts *ags_pool_known_hosts(struct ags_pool *pool, const char *name, struct ags_err *err)
{
	struct known_file *file = pool->files;
	struct ags_known_hosts *known;
	struct stat st;

	if (stat(name, &st) != 0)
		memset(&st, 0, sizeof(st));
	while (file != NULL && strcmp(file->name, name) != 0)
		file = file->next;
	if (file != NULL && is_same_file(&file->st, &st))
		return file->known;
	known = ags_known_hosts_load(name, err);
	if (known == NULL)
		return NULL;
	if (file == NULL) {
		file = calloc(1, sizeof(*file) + strlen(name) + 1);
		if (file == NULL) {
			ags_known_hosts_free(known);
			ags_fail_nomem(err);
			return NULL;
		}
		strcpy(file->name, name);
		file->next = pool->files;
		pool->files = file;
	}
	ags_known_hosts_free(file->known);
	file->known = known;
	file->st = st;
	return known;
}

/* An idle one, else the least used that may have one more user. */
static struct ags_session *find(struct ags_pool *pool, const struct ags_endpoint *to)
{
	uint64_t hash = ags_endpoint_hash(to);
	struct ags_session *best = NULL, *next;

	for (struct ags_session *s = pool->sessions; s != NULL; s = next) {
		next = s->next;
		if (s->is_doomed || s->state == AGS_SESSION_BROKEN || !ags_session_is_like(s, to, hash))
			continue;
		if (s->users == 0 && is_stale(pool, s)) {
			if (!s->is_stepping)
				destroy(pool, s);
			continue;
		}
		if (s->users == 0)
			return s;
		if (s->users < s->max_users && (best == NULL || s->users < best->users))
			best = s;
	}
	return best;
}

static bool is_stale(const struct ags_pool *pool, const struct ags_session *s)
{
	return !ags_session_is_alive(s) || (pool->limits.idle_ms > 0 && ags_now_ms() - s->idle_since > pool->limits.idle_ms);
}

static void start_waiting(struct ags_pool *pool)
{
	while (pool->waiting != NULL && pool->handshakes < pool->limits.handshakes) {
		struct ags_session *s = pool->waiting;

		stop_waiting(pool, s);
		s->has_slot = true;
		pool->handshakes++;
		ags_session_start(s);
	}
}

static void stop_waiting(struct ags_pool *pool, struct ags_session *s)
{
	for (struct ags_session **at = &pool->waiting; *at != NULL; at = &(*at)->next_waiting)
		if (*at == s) {
			*at = s->next_waiting;
			if (pool->waiting_end == &s->next_waiting)
				pool->waiting_end = at;
			s->next_waiting = NULL;
			return;
		}
}

static void release(struct ags_pool *pool, struct ags_session *s)
{
	s->users--;
	if (s->users > 0)
		return;
	if (s->state == AGS_SESSION_READY && !s->is_doomed)
		ags_session_rest(s);
	else if (!s->is_stepping)
		destroy(pool, s);
}

static void destroy(struct ags_pool *pool, struct ags_session *s)
{
	stop_waiting(pool, s);
	ags_pool_leave_slot(s);
	if (s->state != AGS_SESSION_BROKEN)
		pool->totals.closed++;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		pool->sessions = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	ags_session_free(s);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}
