#include "ssh/sshconfig.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE   (1u << 20)
#define MAX_DEPTH  16                    /* as ssh */
#define MAX_FILES  1024
#define FNV_BEGIN  0xcbf29ce484222325u
#define FNV_PRIME  0x100000001b3u
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

struct reader {
	struct ags_sshconfig *config;
	const char *folder;                  /* that a relative Include is in */
	const char *home;
	unsigned files;
};

/* What a server has without any configuration. */
struct usual {
	const struct ags_endpoint *to;
	const char *known_file, *login;
	bool user_is_theirs;
};

static bool is_another_host(struct usual *u, const char *value);
static bool is_another_port(struct usual *u, const char *value);
static bool is_another_user(struct usual *u, const char *value);
static bool is_set(struct usual *u, const char *value);
static bool is_another_family(struct usual *u, const char *value);
static bool is_another_identity(struct usual *u, const char *value);
static bool is_another_agent(struct usual *u, const char *value);
static bool is_another_provider(struct usual *u, const char *value);
static bool is_another_known_hosts(struct usual *u, const char *value);
static void read_file(struct reader *r, const char *file, unsigned depth);
static void read_text(struct reader *r, char *text, unsigned depth);
static void read_line(struct reader *r, char *line, unsigned depth);
static void include(struct reader *r, char *names, unsigned depth);
static void include_one(struct reader *r, const char *name, unsigned depth);
static bool next_line(const char **at, const char *end, char *to, size_t size);

static const struct {
	const char *name;
	bool (*matters)(struct usual *u, const char *value);     /* NULL: it shows in another word */
} words[] = {
	{ "HostName", is_another_host }, { "Port", is_another_port }, { "User", is_another_user },
	{ "ProxyJump", is_set }, { "ProxyCommand", is_set }, { "HostKeyAlias", is_set },
	{ "BindAddress", is_set }, { "BindInterface", is_set }, { "AddressFamily", is_another_family }, { "CanonicalizeHostname", NULL },
	{ "IdentityFile", is_another_identity }, { "IdentityAgent", is_another_agent }, { "CertificateFile", is_set },
	{ "PKCS11Provider", is_set }, { "SecurityKeyProvider", is_another_provider },
	{ "UserKnownHostsFile", is_another_known_hosts }, { "RevokedHostKeys", is_set }, { "KnownHostsCommand", is_set },
};

void ags_sshconfig_read(struct ags_sshconfig *config, const char *home, const char *system_file)
{
	struct reader r = { .config = config, .home = home };
	char file[1024], folder[1024];

	*config = (struct ags_sshconfig){ .mark = FNV_BEGIN };
	if (home != NULL && (size_t)snprintf(file, sizeof(file), "%s/.ssh/config", home) < sizeof(file)) {
		snprintf(folder, sizeof(folder), "%s/.ssh", home);
		r.folder = folder;
		read_file(&r, file, 0);
	}
	r.folder = "/etc/ssh";
	read_file(&r, system_file, 0);
}

const char *ags_sshconfig_need(const char *said, size_t len, const struct ags_endpoint *to, const char *file, const char *login,
                               bool *user_is_theirs)
{
	struct usual u = { .to = to, .known_file = file, .login = login };
	const char *at = said, *end = said + len, *need = NULL;
	char line[2048];

	while (next_line(&at, end, line, sizeof(line))) {
		char *value = strchr(line, ' ');

		if (value == NULL)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < COUNT(words); i++)
			if (strcasecmp(words[i].name, line) == 0 && words[i].matters != NULL && words[i].matters(&u, value) && need == NULL)
				need = words[i].name;
	}
	*user_is_theirs = u.user_is_theirs;
	return need;
}

static bool is_another_host(struct usual *u, const char *value)
{
	return strcasecmp(value, u->to->host) != 0;
}

static bool is_another_port(struct usual *u, const char *value)
{
	return strtoul(value, NULL, 10) != u->to->port;
}

/* ssh names the login of this side when nobody named a user. */
static bool is_another_user(struct usual *u, const char *value)
{
	if (!u->to->user_is_default || strcmp(value, u->login) == 0)
		return false;
	u->user_is_theirs = true;
	return strcmp(value, u->to->user) != 0;
}

static bool is_set(struct usual *u, const char *value)
{
	(void)u;
	return strcasecmp(value, "none") != 0;
}

static bool is_another_family(struct usual *u, const char *value)
{
	(void)u;
	return strcasecmp(value, "any") != 0;
}

static bool is_another_identity(struct usual *u, const char *value)
{
	static const char *const names[] = { "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa" };
	const char *home = u->to->home != NULL ? u->to->home : "";

	if (u->to->identity != NULL)
		return false;
	if (strncmp(value, "~", 1) == 0)
		value++;
	else if (strncmp(value, home, strlen(home)) == 0)
		value += strlen(home);
	if (strncmp(value, "/.ssh/", 6) != 0)
		return true;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(value + 6, names[i]) == 0)
			return false;
	return true;
}

static bool is_another_agent(struct usual *u, const char *value)
{
	return u->to->identity == NULL && strcmp(value, "SSH_AUTH_SOCK") != 0;
}

static bool is_another_provider(struct usual *u, const char *value)
{
	(void)u;
	return strcasecmp(value, "internal") != 0;
}

static bool is_another_known_hosts(struct usual *u, const char *value)
{
	size_t len = strlen(u->known_file);

	return strncmp(value, u->known_file, len) != 0 || (value[len] != '\0' && value[len] != ' ');
}

static void read_file(struct reader *r, const char *file, unsigned depth)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *text;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)MAX_FILE || ++r->files > MAX_FILES) {
		close(fd);
		r->config->says_something = true;          /* let ssh find out */
		return;
	}
	text = malloc((size_t)st.st_size + 1);
	while (text != NULL && n > 0 && len < (size_t)st.st_size) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (text == NULL) {
		r->config->says_something = true;
		return;
	}
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		r->config->mark = (r->config->mark ^ (unsigned char)text[i]) * FNV_PRIME;
	read_text(r, text, depth);
	free(text);
}

static void read_text(struct reader *r, char *text, unsigned depth)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		read_line(r, line, depth);
}

static void read_line(struct reader *r, char *line, unsigned depth)
{
	char *word = line + strspn(line, " \t\f\r\""), *rest;
	size_t len = strcspn(word, " \t\f\r=\"");

	rest = word + len;
	rest += strspn(rest, " \t\f\r=\"");
	if (len == 7 && strncasecmp(word, "Include", 7) == 0) {
		include(r, rest, depth);
		return;
	}
	for (size_t i = 0; i < COUNT(words); i++)
		if (strlen(words[i].name) == len && strncasecmp(words[i].name, word, len) == 0)
			r->config->says_something = true;
}

static void include(struct reader *r, char *names, unsigned depth)
{
	char *save = NULL;

	for (char *name = strtok_r(names, " \t\r\"", &save); name != NULL && name[0] != '#'; name = strtok_r(NULL, " \t\r\"", &save))
		include_one(r, name, depth);
}

/* What it would take ssh to resolve is left to ssh. */
static void include_one(struct reader *r, const char *name, unsigned depth)
{
	char pattern[1024];
	glob_t found;
	int n;

	if (depth + 1 >= MAX_DEPTH || strpbrk(name, "%$'") != NULL || (name[0] == '~' && (name[1] != '/' || r->home == NULL))) {
		r->config->says_something = true;
		return;
	}
	n = name[0] == '/' ? snprintf(pattern, sizeof(pattern), "%s", name) :
	    name[0] == '~' ? snprintf(pattern, sizeof(pattern), "%s%s", r->home, name + 1) :
	                     snprintf(pattern, sizeof(pattern), "%s/%s", r->folder, name);
	if ((size_t)n >= sizeof(pattern)) {
		r->config->says_something = true;
		return;
	}
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		read_file(r, found.gl_pathv[i], depth + 1);
	globfree(&found);
}

/* Lines that are too long lose their end. */
static bool next_line(const char **at, const char *end, char *to, size_t size)
{
	const char *from = *at, *newline;
	size_t len;

	if (from >= end)
		return false;
	newline = memchr(from, '\n', (size_t)(end - from));
	len = (size_t)((newline != NULL ? newline : end) - from);
	*at = from + len + (newline != NULL);
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}
