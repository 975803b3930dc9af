#ifndef AGS_SSH_KNOWNHOSTS_H
#define AGS_SSH_KNOWNHOSTS_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * OpenSSH's known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): several
 * names per line, [host]:port, wildcards and negation, hashed names, @revoked.
 * @cert-authority lines are passed over: we take no host certificates. A bad line costs
 * that line only.
 */
struct ags_known_hosts;

enum ags_host_key {
	AGS_HOST_KEY_KNOWN,
	AGS_HOST_KEY_UNKNOWN,         /* no line names this host */
	AGS_HOST_KEY_CHANGED,         /* the host is named, with another key of this or another type */
	AGS_HOST_KEY_REVOKED
};

/* Reads a whole file; a missing file holds no hosts. NULL with err otherwise. */
struct ags_known_hosts *ags_known_hosts_load(const char *file, struct ags_err *err);
struct ags_known_hosts *ags_known_hosts_parse(const char *text, size_t len, struct ags_err *err);
void ags_known_hosts_free(struct ags_known_hosts *known);           /* NULL is fine */

/* The key types held for host:port, in the file's order and without doubles, at most max; returns how many. */
size_t ags_known_hosts_types(const struct ags_known_hosts *known, const char *host, uint16_t port, const char **types, size_t max);

/* blob is the key in SSH's wire form, which begins with its type. */
enum ags_host_key ags_known_hosts_check(const struct ags_known_hosts *known, const char *host, uint16_t port,
                                        const uint8_t *blob, size_t len);

#endif
