#include "ssh/hostkey.h"
#include "base/text.h"
#include "ssh/blob.h"
#include "ssh/dial.h"

#include <libssh2.h>
#include <stdio.h>
#include <string.h>

#define MAX_TYPES 8
#define MAX_LIST 1024
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool prefer(struct ags_session *s, int method, const char *const *wanted, size_t count, struct ags_err *err);
static size_t held_types(struct ags_session *s, const char **types, struct ags_err *err);
static size_t algorithms_of(const char *type, const char **to, const char *const *supported, int count);
static bool is_supported(const char *name, const char *const *supported, int count);
static bool refuse_unknown(const struct ags_session *s, const char *key, struct ags_err *err);
static bool refuse_changed(struct ags_session *s, const char *type, const char *key, struct ags_err *err);
static void name_types(struct ags_session *s, char *to, size_t size);
static void name_server(const struct ags_session *s, char *to, size_t size);

/* The first of each list is the fastest that is sound; what rests on SHA-1, MD5 or CBC is not offered. libssh2 1.11.1
 * crashes when the ciphers of the two directions differ in kind, so both get the same list. Its encrypt-then-MAC
 * code has had more holes than the plain one, so that comes first. */
static const char *const kex[] = {
	"mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
	"ecdh-sha2-nistp521", "diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512",
	"diffie-hellman-group18-sha512", "diffie-hellman-group14-sha256"
};
static const char *const ciphers[] = {
	"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr", "chacha20-poly1305@openssh.com"
};
static const char *const macs[] = {
	"hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"
};
static const char *const types_by_default[] = {
	"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"
};

bool ags_hostkey_prefer(struct ags_session *s, struct ags_err *err)
{
	const char *wanted[(MAX_TYPES + COUNT(types_by_default)) * 3], *held[MAX_TYPES];
	const char **supported = NULL;
	size_t n = 0, held_count = held_types(s, held, err);
	int count;
	bool ok;

	if (err->code != AGS_OK)
		return false;
	count = libssh2_session_supported_algs(s->ssh, LIBSSH2_METHOD_HOSTKEY, &supported);
	if (count <= 0)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < held_count; i++)
		n += algorithms_of(held[i], wanted + n, supported, count);
	for (size_t i = 0; i < COUNT(types_by_default); i++)
		n += algorithms_of(types_by_default[i], wanted + n, supported, count);
	libssh2_free(s->ssh, supported);
	ok = prefer(s, LIBSSH2_METHOD_HOSTKEY, wanted, n, err) && prefer(s, LIBSSH2_METHOD_KEX, kex, COUNT(kex), err) &&
	     prefer(s, LIBSSH2_METHOD_CRYPT_CS, ciphers, COUNT(ciphers), err) &&
	     prefer(s, LIBSSH2_METHOD_CRYPT_SC, ciphers, COUNT(ciphers), err) &&
	     prefer(s, LIBSSH2_METHOD_MAC_CS, macs, COUNT(macs), err) && prefer(s, LIBSSH2_METHOD_MAC_SC, macs, COUNT(macs), err);
	return ok;
}

bool ags_hostkey_check(struct ags_session *s, struct ags_err *err)
{
	const struct ags_known_hosts *known = ags_pool_known_hosts(s->pool, s->known_file, err);
	const char *cipher = libssh2_session_methods(s->ssh, LIBSSH2_METHOD_CRYPT_CS);
	char type[64], fingerprint[AGS_FINGERPRINT_LEN];
	const uint8_t *blob;
	size_t len = 0;
	int kind = 0;

	if (known == NULL)
		return false;
	blob = (const uint8_t *)libssh2_session_hostkey(s->ssh, &len, &kind);
	if (blob == NULL || !ags_blob_type(blob, len, type, sizeof(type)))
		return ags_fail(err, AGS_PROTOCOL, "%s shows no host key that can be read", s->address);
	ags_fingerprint(blob, len, fingerprint);
	snprintf(s->host_key, sizeof(s->host_key), "%s %s", type, fingerprint);
	snprintf(s->cipher, sizeof(s->cipher), "%s", cipher != NULL ? cipher : "");
	switch (ags_known_hosts_check(known, s->to.host, s->to.port, blob, len)) {
	case AGS_HOST_KEY_KNOWN:   return true;
	case AGS_HOST_KEY_UNKNOWN: return refuse_unknown(s, s->host_key, err);
	case AGS_HOST_KEY_CHANGED: return refuse_changed(s, type, s->host_key, err);
	default: break;
	}
	ags_fail(err, AGS_AUTH, "%s shows the host key %s, which %s marks as @revoked", s->address, s->host_key, s->known_file);
	return false;
}

bool ags_hostkey_explain(struct ags_session *s, struct ags_err *err)
{
	char types[256];

	name_types(s, types, sizeof(types));
	if (types[0] != '\0')
		return ags_fail(err, AGS_CONNECT, "%s and libssh2 %s have no algorithms in common or the key exchange failed; %s holds %s for it",
		                s->address, libssh2_version(0), s->known_file, types);
	return ags_fail(err, AGS_CONNECT, "%s and libssh2 %s have no algorithms in common or the key exchange failed", s->address,
	                libssh2_version(0));
}

static bool prefer(struct ags_session *s, int method, const char *const *wanted, size_t count, struct ags_err *err)
{
	const char **supported = NULL;
	char list[MAX_LIST] = "";
	int n = libssh2_session_supported_algs(s->ssh, method, &supported);
	size_t len = 0;

	if (n < 0)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < count; i++)
		if (is_supported(wanted[i], supported, n) && !is_supported(wanted[i], wanted, (int)i) && len + strlen(wanted[i]) + 2 < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len > 0 ? "," : "", wanted[i]);
	libssh2_free(s->ssh, supported);
	if (libssh2_session_method_pref(s->ssh, method, list) == 0)
		return true;
	return ags_fail(err, AGS_CONNECT, "libssh2 %s has none of the algorithms that are wanted", libssh2_version(0));
}

static size_t held_types(struct ags_session *s, const char **types, struct ags_err *err)
{
	const struct ags_known_hosts *known = ags_pool_known_hosts(s->pool, s->known_file, err);

	return known != NULL ? ags_known_hosts_types(known, s->to.host, s->to.port, types, MAX_TYPES) : 0;
}

/* An RSA key signs in one of three ways; the one with SHA-1 is for libraries that know no other. The pointers are those of
 * constants, as the held types do not live long enough. */
static size_t algorithms_of(const char *type, const char **to, const char *const *supported, int count)
{
	if (strcmp(type, "ssh-rsa") == 0 && is_supported("rsa-sha2-512", supported, count)) {
		to[0] = "rsa-sha2-512";
		to[1] = "rsa-sha2-256";
		return 2;
	}
	for (size_t i = 0; i < COUNT(types_by_default); i++)
		if (strcmp(type, types_by_default[i]) == 0) {
			to[0] = types_by_default[i];
			return 1;
		}
	return 0;
}

static bool is_supported(const char *name, const char *const *supported, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(supported[i], name) == 0)
			return true;
	return false;
}

static bool refuse_unknown(const struct ags_session *s, const char *key, struct ags_err *err)
{
	char server[320], port[16] = "";

	name_server(s, server, sizeof(server));
	if (s->to.port != 22)
		snprintf(port, sizeof(port), "-p %u ", s->to.port);
	return ags_fail(err, AGS_AUTH, "host key of %s is not in %s: it offers %s; if that is right, add it with: ssh-keyscan %s%s >> %s",
	                server, s->known_file, key, port, s->to.host, s->known_file);
}

static bool refuse_changed(struct ags_session *s, const char *type, const char *key, struct ags_err *err)
{
	char server[320], held[256], name[320], port[16] = "";

	name_server(s, server, sizeof(server));
	name_types(s, held, sizeof(held));
	if (s->to.port != 22)
		snprintf(port, sizeof(port), "-p %u ", s->to.port);
	snprintf(name, sizeof(name), s->to.port != 22 ? "[%s]:%u" : "%s", s->to.host, s->to.port);
	if (strstr(held, type) == NULL)
		return ags_fail(err, AGS_AUTH, "host key of %s is not the one in %s, which holds %s: it offers %s; if that is right, add it with: ssh-keyscan %s%s >> %s",
		                server, s->known_file, held, key, port, s->to.host, s->known_file);
	return ags_fail(err, AGS_AUTH, "host key of %s has CHANGED: it offers %s, %s holds another; someone may be in between; if the server was set up anew, remove the old key with: ssh-keygen -R '%s' -f %s",
	                server, key, s->known_file, name, s->known_file);
}

static void name_types(struct ags_session *s, char *to, size_t size)
{
	const char *types[MAX_TYPES];
	struct ags_err err = AGS_ERR_INIT;
	size_t count = held_types(s, types, &err), len = 0;

	to[0] = '\0';
	for (size_t i = 0; i < count && len < size; i++)
		len += (size_t)snprintf(to + len, size - len, "%s%s", i > 0 ? ", " : "", types[i]);
}

static void name_server(const struct ags_session *s, char *to, size_t size)
{
	char address[300];

	ags_host_port(address, sizeof(address), s->to.host, s->to.port);
	if (s->to.server != NULL && strcmp(s->to.server, s->to.host) != 0)
		snprintf(to, size, "%s (%s)", s->to.server, address);
	else
		snprintf(to, size, "%s", address);
}
