#include "ssh/dial.h"
#include "ssh/session.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 10000

static bool copy(struct ags_session *s, const char **to, const char *from);
static bool fill_in(struct ags_session *s);
static const char *expand(struct ags_session *s, const char *file);
static bool same(const char *a, const char *b);

struct ags_session *ags_session_new(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err)
{
	struct ags_session *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	s->pool = pool;
	s->fd = -1;
	s->born = ags_now_ms();
	s->max_users = AGS_SESSION_CHANNELS;
	s->hash = ags_endpoint_hash(to);
	s->to = *to;
	s->watch = ags_watch_add(ags_pool_loop(pool), -1, 0, ags_session_nudge, s);
	if (s->to.connect_timeout_ms == 0)
		s->to.connect_timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!copy(s, &s->to.server, to->server) || !copy(s, &s->to.host, to->host) || !copy(s, &s->to.user, to->user) ||
	    !copy(s, &s->to.identity, to->identity) || !copy(s, &s->to.known_hosts, to->known_hosts) ||
	    !copy(s, &s->to.home, to->home) || !copy(s, &s->to.agent, to->agent) || !fill_in(s)) {
		ags_watch_remove(s->watch);
		ags_arena_free(&s->arena);
		free(s);
		ags_fail_nomem(err);
		return NULL;
	}
	return s;
}

bool ags_session_is_like(const struct ags_session *s, const struct ags_endpoint *to, uint64_t hash)
{
	return s->hash == hash && s->to.port == to->port && same(s->to.host, to->host) && same(s->to.user, to->user) &&
	       same(s->to.identity, to->identity) && same(s->to.known_hosts, to->known_hosts) && s->to.transport == to->transport &&
	       s->to.user_is_default == to->user_is_default && s->to.port_is_default == to->port_is_default;
}

/* FNV-1a: spares most of the string comparisons of a search. */
uint64_t ags_endpoint_hash(const struct ags_endpoint *to)
{
	const char *const parts[] = { to->host, to->user, to->identity, to->known_hosts };
	uint64_t hash = 0xcbf29ce484222325u ^ to->port ^ (uint64_t)to->transport << 16;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (const char *p = parts[i]; p != NULL && *p != '\0'; p++)
			hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
		hash = (hash ^ 0xff) * 0x100000001b3u;
	}
	return hash;
}

static bool copy(struct ags_session *s, const char **to, const char *from)
{
	*to = from != NULL ? ags_arena_string(&s->arena, from) : NULL;
	return from == NULL || *to != NULL;
}

static bool fill_in(struct ags_session *s)
{
	const char *known = s->to.known_hosts != NULL ? s->to.known_hosts : s->to.home != NULL ? "~/.ssh/known_hosts" : "/etc/ssh/ssh_known_hosts";

	if (s->to.server == NULL)
		s->to.server = s->to.host;
	ags_host_port(s->address, sizeof(s->address), s->to.host, s->to.port);
	s->known_file = expand(s, known);
	s->identity_file = s->to.identity != NULL ? expand(s, s->to.identity) : NULL;
	return s->watch != NULL && s->known_file != NULL && (s->to.identity == NULL || s->identity_file != NULL);
}

static const char *expand(struct ags_session *s, const char *file)
{
	if (file[0] == '~' && file[1] == '/' && s->to.home != NULL)
		return ags_arena_printf(&s->arena, "%s%s", s->to.home, file + 1);
	return ags_arena_string(&s->arena, file);
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}
