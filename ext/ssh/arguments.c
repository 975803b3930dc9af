/* What ssh is told. The topology's values win over its configuration, and the rules for host keys and prompts are ours. */
#include "ssh/choice.h"
#include "ssh/openssh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ARGUMENTS 64

struct list {
	struct ags_session *s;
	const char **words;
	size_t count;
	bool lacks_memory;
};

static bool is_name(const char *text);
static bool is_file(const char *file);
static void add(struct list *l, const char *word);
static void add_file(struct list *l, const char *option, const char *file);
static bool is_usual_known_hosts(const struct ags_session *s);

static const char *const rules[] = {
	"BatchMode=yes", "StrictHostKeyChecking=yes", "NumberOfPasswordPrompts=0", "UpdateHostKeys=no", "VerifyHostKeyDNS=no",
	"NoHostAuthenticationForLocalhost=no", "ForwardX11=no", "ForwardAgent=no", "ClearAllForwardings=yes", "Tunnel=no",
	"PermitLocalCommand=no", "RemoteCommand=none", "RequestTTY=no", "EscapeChar=none", "LogLevel=ERROR",
};

bool ags_ssh_program(char *to, size_t size)
{
	const char *path = getenv("PATH");
	struct stat st;

	if (path == NULL || path[0] == '\0')
		path = "/usr/bin:/bin";
	while (*path != '\0') {
		size_t len = strcspn(path, ":");

		if (len > 0 && path[0] == '/' && len < size && (size_t)snprintf(to, size, "%.*s/ssh", (int)len, path) < size &&
		    access(to, X_OK) == 0 && stat(to, &st) == 0 && S_ISREG(st.st_mode))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

const char **ags_ssh_arguments(struct ags_session *s, const char *const *more, size_t count)
{
	struct list l = { .s = s, .words = ags_arena_alloc(&s->arena, MAX_ARGUMENTS * sizeof(char *)) };
	char program[1024];
	unsigned seconds = s->to.connect_timeout_ms / 1000;

	if (!is_name(s->to.host) || !is_name(s->to.user)) {
		ags_fail(&s->err, AGS_USAGE, "the host or the user of %s has characters that are not safe for ssh, want letters, digits and . _ - : @ %%",
		         s->to.server);
		return NULL;
	}
	if (!is_file(s->known_file) || (s->identity_file != NULL && !is_file(s->identity_file))) {
		ags_fail(&s->err, AGS_USAGE, "the file names of %s have characters that ssh would read as something else, want none of \" \\ ${ and control characters",
		         s->to.server);
		return NULL;
	}
	if (!ags_ssh_program(program, sizeof(program))) {
		ags_fail(&s->err, AGS_LOCAL_IO, "transport openssh needs the program ssh, and there is none in PATH: install openssh-client");
		return NULL;
	}
	if (l.words == NULL) {
		ags_fail_nomem(&s->err);
		return NULL;
	}
	add(&l, ags_arena_string(&s->arena, program));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		add(&l, "-o");
		add(&l, rules[i]);
	}
	/* A little less than our own, so that its sentence comes first: it knows more. */
	add(&l, ags_arena_printf(&s->arena, "-oConnectTimeout=%u", seconds > 1 ? seconds - 1 : 1));
	if (!is_usual_known_hosts(s)) {
		add_file(&l, "UserKnownHostsFile", s->known_file);
		add(&l, "-oGlobalKnownHostsFile=/dev/null");
	}
	if (s->identity_file != NULL) {
		add_file(&l, "IdentityFile", s->identity_file);
		add(&l, "-oIdentitiesOnly=yes");
	}
	if (!s->to.port_is_default)
		add(&l, ags_arena_printf(&s->arena, "-p%u", s->to.port));
	if (!s->to.user_is_default || (s->link != NULL && !s->user_is_theirs)) {
		add(&l, "-l");
		add(&l, s->to.user);
	}
	for (size_t i = 0; i < count; i++)
		add(&l, more[i]);
	add(&l, "--");
	add(&l, s->to.host);
	if (l.lacks_memory) {
		ags_fail_nomem(&s->err);
		return NULL;
	}
	l.words[l.count] = NULL;
	return l.words;
}

/* It may land in the shell command of a ProxyCommand, which is the user's and may not quote it. */
static bool is_name(const char *text)
{
	if (text[0] == '-' || text[0] == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
		      strchr("._-:@%", *text) != NULL))
			return false;
	return true;
}

static bool is_file(const char *file)
{
	for (const char *p = file; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\' || (*p == '$' && p[1] == '{'))
			return false;
	return true;
}

static void add(struct list *l, const char *word)
{
	if (word == NULL || l->count + 1 >= MAX_ARGUMENTS)
		l->lacks_memory = true;
	else
		l->words[l->count++] = word;
}

/* In quotes, as a blank ends a name, and with every % doubled, as ssh puts other things in its place. */
static void add_file(struct list *l, const char *option, const char *file)
{
	char *quoted = ags_arena_bytes(&l->s->arena, 2 * strlen(file) + 1), *to = quoted;

	for (const char *p = file; quoted != NULL && *p != '\0'; p++) {
		if (*p == '%')
			*to++ = '%';
		*to++ = *p;
	}
	if (quoted != NULL)
		*to = '\0';
	add(l, quoted != NULL ? ags_arena_printf(&l->s->arena, "-o%s=\"%s\"", option, quoted) : NULL);
}

/* Then ssh looks there by itself, or where its configuration says. */
static bool is_usual_known_hosts(const struct ags_session *s)
{
	const char *home = ags_openssh_who(ags_pool_openssh(s->pool))->home;
	size_t len = strlen(home);

	return len > 0 && strncmp(s->known_file, home, len) == 0 && strcmp(s->known_file + len, "/.ssh/known_hosts") == 0;
}
