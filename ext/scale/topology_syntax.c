#include "scale/topology_read.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const char *const ags_transport_words[] = { "auto", "libssh2", "openssh", NULL };
const char *const ags_storage_words[] = { "nfs", "cephfs", "path", NULL };
const char *const ags_uploads_words[] = { "shared", "gather", "protect", NULL };
const char *const ags_code_words[] = { "local", "nfs", NULL };
const char *const ags_balancer_words[] = { "haproxy", "nginx", NULL };

static bool consists_of(const char *text, const char *allowed);
static bool is_ipv6(const char *text);
static bool is_host_name(const char *text);
static bool is_port(const char *text);

/* Aegir's own names of servers begin with @. */
bool ags_is_name(const char *text)
{
	size_t len = strlen(text);

	if (len > AGS_MAX_NAME)
		return false;
	if (text[0] == '@')
		text++;
	return text[0] != '\0' && strchr("_.-", text[0]) == NULL && consists_of(text, ALNUM "_.-");
}

/* Also the names that a directory service makes: user@realm, DOMAIN\user. */
bool ags_is_user(const char *text)
{
	return text[0] != '\0' && text[0] != '-' && strlen(text) <= AGS_MAX_NAME && consists_of(text, ALNUM "_.+@\\-");
}

/* "*:80", "10.0.0.1:443", "[::]:443" */
bool ags_is_bind(const char *text)
{
	const char *colon = strrchr(text, ':');
	char address[64];
	struct in_addr ip;
	size_t n;

	if (colon == NULL || !is_port(colon + 1) || (size_t)(colon - text) >= sizeof(address))
		return false;
	n = (size_t)(colon - text);
	memcpy(address, text, n);
	address[n] = '\0';
	if (n > 2 && address[0] == '[' && address[n - 1] == ']') {
		address[n - 1] = '\0';
		return is_ipv6(address + 1);
	}
	return strcmp(address, "*") == 0 || inet_pton(AF_INET, address, &ip) == 1;
}

/* It ends in a balancer's configuration: nothing there that has a meaning in one. */
bool ags_is_uri(const char *text)
{
	return text[0] == '/' && strlen(text) < 1024 && consists_of(text, ALNUM "/._~!&*+,=:@%?-");
}

bool ags_parse_host(const char *text, char host[AGS_HOST_BYTES])
{
	size_t len = strlen(text);
	struct in_addr ip;

	if (len == 0 || len >= AGS_HOST_BYTES)
		return false;
	memcpy(host, text, len + 1);
	if (text[0] == '[') {
		if (text[len - 1] != ']')
			return false;
		memcpy(host, text + 1, len - 2);
		host[len - 2] = '\0';
		return is_ipv6(host);
	}
	if (strchr(text, ':') != NULL)
		return is_ipv6(text);
	if (consists_of(text, "0123456789."))
		return inet_pton(AF_INET, text, &ip) == 1;
	return is_host_name(text);
}

const char *ags_path_fault(const char *path)
{
	if (path[0] != '/')
		return "an absolute path";
	if (strlen(path) >= AGS_MAX_PATH)
		return "a shorter path";
	for (const char *p = path; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "a path without control characters";
		if (strncmp(p, "/..", 3) == 0 && (p[3] == '/' || p[3] == '\0'))
			return "a path without \"..\"";
	}
	return NULL;
}

char *ags_tidy_path(struct ags_arena *arena, const char *path)
{
	char *tidy = ags_arena_bytes(arena, strlen(path) + 1), *to = tidy;

	if (tidy == NULL)
		return NULL;
	while (*path != '\0') {
		const char *part = path + strspn(path, "/");
		size_t n = strcspn(part, "/");

		if (n > 0 && !(n == 1 && part[0] == '.')) {
			*to++ = '/';
			memcpy(to, part, n);
			to += n;
		}
		path = part + n;
	}
	*to = '\0';
	return tidy;
}

static bool consists_of(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

/* "fe80::1%eth0" too */
static bool is_ipv6(const char *text)
{
	const char *scope = strchr(text, '%');
	size_t n = scope != NULL ? (size_t)(scope - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	if (n >= sizeof(address))
		return false;
	if (scope != NULL && (scope[1] == '\0' || strlen(scope + 1) > 15 || !consists_of(scope + 1, ALNUM "_.-")))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &ip) == 1;
}

/* Underscores are no part of the standard but of many names. */
static bool is_host_name(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ".");

		if (n == 0 || n > 63 || text[0] == '-' || strspn(text, ALNUM "_-") != n)
			return false;
		text += n + (text[n] == '.');
	}
	return true;
}

static bool is_port(const char *text)
{
	return strlen(text) <= 5 && text[0] >= '1' && consists_of(text, "0123456789") && atoi(text) <= 65535;
}
