#include "ssh/openssh.h"
#include "ssh/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct answer {
	struct answer *next;
	struct ags_arena arena;
	struct ags_chosen chosen;
	uint64_t hash;
	const char *host, *user, *identity, *known_hosts;
	uint16_t port;
	bool user_is_default, port_is_default;
};

struct ags_openssh {
	struct ags_family *family;
	struct answer *answers;
	struct ags_who who;
	bool knows_who;
	char folder[48];                     /* "": none yet */
	unsigned sockets, number;
};

static struct answer *find(const struct ags_openssh *o, const struct ags_session *s);
static bool same(const char *a, const char *b);
static bool copy(struct answer *a, const char **to, const char *from);
static void forget_answers(struct ags_openssh *o);
static void remove_folder(struct ags_openssh *o);

struct ags_openssh *ags_openssh_new(struct ags_loop *loop)
{
	struct ags_openssh *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->family = ags_family_new(loop);
	if (o->family == NULL) {
		free(o);
		return NULL;
	}
	return o;
}

void ags_openssh_free(struct ags_openssh *o)
{
	if (o == NULL)
		return;
	ags_family_free(o->family);
	forget_answers(o);
	remove_folder(o);
	free(o);
}

void ags_openssh_close(struct ags_openssh *o)
{
	forget_answers(o);
	ags_family_wait(o->family);
}

void ags_openssh_forget(struct ags_openssh *o)
{
	o->folder[0] = '\0';
	o->sockets = 0;
}

const struct ags_chosen *ags_openssh_chosen(const struct ags_openssh *o, const struct ags_session *s)
{
	const struct answer *a = find(o, s);

	return a != NULL ? &a->chosen : NULL;
}

void ags_openssh_choose(struct ags_openssh *o, const struct ags_session *s, const struct ags_chosen *chosen)
{
	struct answer *a = find(o, s);

	if (a != NULL) {
		a->chosen = *chosen;
		return;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return;
	a->chosen = *chosen;
	a->hash = s->hash;
	a->port = s->to.port;
	a->user_is_default = s->to.user_is_default;
	a->port_is_default = s->to.port_is_default;
	if (!copy(a, &a->host, s->to.host) || !copy(a, &a->user, s->to.user) || !copy(a, &a->identity, s->to.identity) ||
	    !copy(a, &a->known_hosts, s->to.known_hosts)) {
		ags_arena_free(&a->arena);
		free(a);
		return;
	}
	a->next = o->answers;
	o->answers = a;
}

const struct ags_who *ags_openssh_who(struct ags_openssh *o)
{
	struct passwd entry, *found = NULL;
	char text[16384];

	if (o->knows_who)
		return &o->who;
	if (getpwuid_r(getuid(), &entry, text, sizeof(text), &found) == 0 && found != NULL) {
		snprintf(o->who.home, sizeof(o->who.home), "%s", found->pw_dir);
		snprintf(o->who.login, sizeof(o->who.login), "%s", found->pw_name);
	}
	o->knows_who = true;
	return &o->who;
}

struct ags_family *ags_openssh_family(struct ags_openssh *o)
{
	return o->family;
}

const char *ags_openssh_socket(struct ags_openssh *o, struct ags_session *s, struct ags_err *err)
{
	const char *socket;

	if (o->folder[0] == '\0') {
		snprintf(o->folder, sizeof(o->folder), "/tmp/aegir-scale-%ld-XXXXXX", (long)getpid());
		if (mkdtemp(o->folder) == NULL) {
			ags_fail_sys(err, AGS_LOCAL_IO, o->folder, "cannot make a folder for ssh");
			o->folder[0] = '\0';
			return NULL;
		}
	}
	socket = ags_arena_printf(&s->arena, "%s/%u", o->folder, ++o->number);
	if (socket == NULL)
		ags_fail_nomem(err);
	o->sockets += socket != NULL;
	return socket;
}

void ags_openssh_drop_socket(struct ags_openssh *o, const char *socket)
{
	unlink(socket);
	if (o->sockets > 0 && --o->sockets == 0)
		remove_folder(o);
}

static struct answer *find(const struct ags_openssh *o, const struct ags_session *s)
{
	struct answer *a = o->answers;

	while (a != NULL && !(a->hash == s->hash && a->port == s->to.port && same(a->host, s->to.host) && same(a->user, s->to.user) &&
	                      same(a->identity, s->to.identity) && same(a->known_hosts, s->to.known_hosts) &&
	                      a->user_is_default == s->to.user_is_default && a->port_is_default == s->to.port_is_default))
		a = a->next;
	return a;
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool copy(struct answer *a, const char **to, const char *from)
{
	*to = from != NULL ? ags_arena_string(&a->arena, from) : NULL;
	return from == NULL || *to != NULL;
}

static void forget_answers(struct ags_openssh *o)
{
	while (o->answers != NULL) {
		struct answer *a = o->answers;

		o->answers = a->next;
		ags_arena_free(&a->arena);
		free(a);
	}
}

/* A master that was killed while it made its socket has left that under another name. */
static void remove_folder(struct ags_openssh *o)
{
	DIR *folder = o->folder[0] != '\0' ? opendir(o->folder) : NULL;
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
	if (o->folder[0] != '\0')
		rmdir(o->folder);
	o->folder[0] = '\0';
}
