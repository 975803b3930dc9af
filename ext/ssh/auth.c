#include "ssh/auth.h"
#include "ssh/agent.h"
#include "ssh/blob.h"
#include "ssh/identity.h"
#include "ssh/libssh2_private.h"

#include <errno.h>
#include <libssh2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_AGENT_KEYS 32
#define MAX_FILES 3

struct agent_key {
	uint8_t *blob;
	size_t len;
};

struct ags_auth {
	struct ags_session *s;
	struct ags_identity files[MAX_FILES];
	struct agent_key keys[MAX_AGENT_KEYS];
	size_t file_count, key_count, at;         /* at: keys first, then files */
	struct ags_agent *agent;
	bool is_named;                            /* files[0] is the only one that may be used */
	bool is_listing, is_asked, lacks_memory, is_beyond_us;
	unsigned agent_refused;
	char tried[256], passed_over[256];
};

static bool load_named(struct ags_auth *auth, const char *file, struct ags_err *err);
static bool load_usual(struct ags_auth *auth, struct ags_err *err);
static bool begin_agent(struct ags_auth *auth, struct ags_err *err);
static enum ags_step list_keys(struct ags_auth *auth, struct ags_err *err);
static bool keep_key(struct ags_auth *auth, const uint8_t *blob, size_t len, struct ags_err *err);
static enum ags_step try_key(struct ags_auth *auth);
static void note_refusal(struct ags_auth *auth, int rc);
static enum ags_step give_up(struct ags_auth *auth, struct ags_err *err);
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign);
static uint32_t sign_flags(const uint8_t *data, size_t len);
static void add_text(char *to, size_t size, const char *separator, const char *text);

struct ags_auth *ags_auth_new(struct ags_session *s, struct ags_err *err)
{
	struct ags_auth *auth = calloc(1, sizeof(*auth));
	bool wants_agent = s->to.agent != NULL && s->to.agent[0] != '\0', ok;

	if (auth == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	auth->s = s;
	auth->is_named = s->identity_file != NULL;
	ok = auth->is_named ? load_named(auth, s->identity_file, err) : load_usual(auth, err);
	if (auth->is_named && ok)
		wants_agent = auth->files[0].is_encrypted;
	if (!ok || (wants_agent && !begin_agent(auth, err))) {
		ags_auth_free(auth);
		return NULL;
	}
	return auth;
}

enum ags_step ags_auth_step(struct ags_auth *auth, struct ags_err *err)
{
	if (auth->is_listing) {
		enum ags_step step = list_keys(auth, err);

		if (step != AGS_DONE)
			return step;
	}
	while (auth->at < auth->key_count + auth->file_count) {
		enum ags_step step = try_key(auth);

		if (step != AGS_FAILED)
			return step;
		if (auth->lacks_memory)
			return ags_fail_nomem(err), AGS_FAILED;
		if (auth->s->is_at_end || auth->s->is_dismissed)
			return AGS_FAILED;
		auth->at++;
		auth->is_asked = false;
	}
	return give_up(auth, err);
}

bool ags_auth_passed_over(const struct ags_auth *auth)
{
	return auth->is_beyond_us;
}

void ags_auth_free(struct ags_auth *auth)
{
	if (auth == NULL)
		return;
	ags_agent_free(auth->agent);
	for (size_t i = 0; i < auth->file_count; i++)
		ags_identity_fini(&auth->files[i]);
	for (size_t i = 0; i < auth->key_count; i++)
		free(auth->keys[i].blob);
	free(auth);
}

static bool load_named(struct ags_auth *auth, const char *file, struct ags_err *err)
{
	bool has_agent = auth->s->to.agent != NULL && auth->s->to.agent[0] != '\0';

	if (!ags_identity_load(&auth->files[0], file, err))
		return false;
	auth->file_count = 1;
	if (ags_identity_is_rsa(&auth->files[0]) && !ags_ssh_can_rsa())
		return ags_fail(err, AGS_AUTH, "%s is an RSA key: libssh2 %s cannot log in with RSA keys at servers that refuse SHA-1, use an ed25519 key",
		                file, libssh2_version(0));
	if (auth->files[0].is_encrypted && !has_agent)
		return ags_identity_fail_locked(file, err);
	return true;
}

/* A usual file that is missing is no failure; one that cannot be used is told when nothing else worked. */
static bool load_usual(struct ags_auth *auth, struct ags_err *err)
{
	static const char *const names[MAX_FILES] = { "id_ed25519", "id_ecdsa", "id_rsa" };

	for (size_t i = 0; i < MAX_FILES && auth->s->to.home != NULL; i++) {
		struct ags_identity *id = &auth->files[auth->file_count];
		struct ags_err why = AGS_ERR_INIT;
		char file[1024];

		snprintf(file, sizeof(file), "%s/.ssh/%s", auth->s->to.home, names[i]);
		if (!ags_identity_load(id, file, &why)) {
			if (why.code == AGS_NOMEM)
				return ags_fail_nomem(err);
			if (why.sys != ENOENT && why.sys != ENOTDIR)
				add_text(auth->passed_over, sizeof(auth->passed_over), "; ", why.message);
			continue;
		}
		if ((!ags_identity_is_rsa(id) || ags_ssh_can_rsa()) && !id->is_encrypted) {
			auth->file_count++;
			continue;
		}
		auth->is_beyond_us |= !id->is_encrypted;
		snprintf(why.message, sizeof(why.message), id->is_encrypted ? "%s has a passphrase" :
		         "libssh2 %2$s cannot log in with RSA keys (%1$s) at servers that refuse SHA-1, use an ed25519 key",
		         file, libssh2_version(0));
		add_text(auth->passed_over, sizeof(auth->passed_over), "; ", why.message);
		ags_identity_fini(id);
	}
	return true;
}

/* Without an agent the files may still do, unless the named key has a passphrase. */
static bool begin_agent(struct ags_auth *auth, struct ags_err *err)
{
	struct ags_err why = AGS_ERR_INIT;

	auth->agent = ags_agent_new(ags_pool_loop(auth->s->pool), auth->s->to.agent, ags_session_nudge, auth->s, &why);
	auth->is_listing = auth->agent != NULL && ags_agent_ask_keys(auth->agent, &why);
	if (auth->is_listing)
		return true;
	if (why.code == AGS_NOMEM || auth->is_named) {
		*err = why;
		return false;
	}
	add_text(auth->passed_over, sizeof(auth->passed_over), "; ", why.message);
	return true;
}

static enum ags_step list_keys(struct ags_auth *auth, struct ags_err *err)
{
	struct ags_err why = AGS_ERR_INIT;
	enum ags_step step = ags_agent_step(auth->agent, &why);
	const uint8_t *blob;
	size_t len;

	if (step == AGS_AGAIN)
		return AGS_AGAIN;
	auth->is_listing = false;
	if (why.code == AGS_NOMEM)
		return ags_fail_nomem(err), AGS_FAILED;
	if (step == AGS_FAILED)
		add_text(auth->passed_over, sizeof(auth->passed_over), "; ", why.message);
	while (step == AGS_DONE && ags_agent_next_key(auth->agent, &blob, &len))
		if (!keep_key(auth, blob, len, err))
			return AGS_FAILED;
	if (auth->is_named) {                          /* encrypted: of no use without the agent */
		if (auth->key_count == 0)
			return ags_fail_step(err, AGS_AUTH, "the key %s has a passphrase and the agent does not hold it, add it with: ssh-add %s",
			                     auth->files[0].file, auth->files[0].file);
		ags_identity_fini(&auth->files[0]);
		auth->file_count = 0;
	}
	return AGS_DONE;
}

static bool keep_key(struct ags_auth *auth, const uint8_t *blob, size_t len, struct ags_err *err)
{
	const struct ags_identity *named = auth->is_named ? &auth->files[0] : NULL;
	struct agent_key *key = &auth->keys[auth->key_count];
	char type[64];

	if (auth->key_count == MAX_AGENT_KEYS || !ags_blob_type(blob, len, type, sizeof(type)))
		return true;
	if (named != NULL && named->blob != NULL && (named->blob_len != len || memcmp(named->blob, blob, len) != 0))
		return true;
	if (strncmp(type, "sk-", 3) == 0 || strstr(type, "-cert-") != NULL || (strcmp(type, "ssh-rsa") == 0 && !ags_ssh_can_rsa())) {
		char text[192];

		auth->is_beyond_us = true;
		snprintf(text, sizeof(text), "libssh2 %s cannot use the agent's %s key", libssh2_version(0), type);
		add_text(auth->passed_over, sizeof(auth->passed_over), "; ", text);
		return true;
	}
	key->blob = malloc(len);
	if (key->blob == NULL)
		return ags_fail_nomem(err);
	memcpy(key->blob, blob, len);
	key->len = len;
	auth->key_count++;
	return true;
}

static enum ags_step try_key(struct ags_auth *auth)
{
	struct ags_session *s = auth->s;
	void *abstract = auth;
	int rc;

	if (auth->at < auth->key_count) {
		rc = libssh2_userauth_publickey(s->ssh, s->to.user, auth->keys[auth->at].blob, auth->keys[auth->at].len, sign, &abstract);
	} else {
		const struct ags_identity *id = &auth->files[auth->at - auth->key_count];

		rc = libssh2_userauth_publickey_frommemory(s->ssh, s->to.user, strlen(s->to.user), NULL, 0, id->text, id->len, "");
	}
	if (rc == 0)
		return AGS_DONE;
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return AGS_AGAIN;
	auth->lacks_memory |= rc == LIBSSH2_ERROR_ALLOC;
	note_refusal(auth, rc);
	return AGS_FAILED;
}

static void note_refusal(struct ags_auth *auth, int rc)
{
	char text[320], *reason = NULL;

	if (auth->at < auth->key_count) {
		auth->agent_refused++;
		return;
	}
	if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
		add_text(auth->tried, sizeof(auth->tried), ", ", auth->files[auth->at - auth->key_count].file);
		return;
	}
	libssh2_session_last_error(auth->s->ssh, &reason, NULL, 0);
	snprintf(text, sizeof(text), "cannot use %s (%s)", auth->files[auth->at - auth->key_count].file, reason != NULL ? reason : "");
	add_text(auth->passed_over, sizeof(auth->passed_over), "; ", text);
}

static enum ags_step give_up(struct ags_auth *auth, struct ags_err *err)
{
	char keys[48];

	if (auth->agent_refused > 0) {
		snprintf(keys, sizeof(keys), "%u agent key%s", auth->agent_refused, auth->agent_refused == 1 ? "" : "s");
		add_text(auth->tried, sizeof(auth->tried), ", ", keys);
	}
	if (auth->tried[0] == '\0')
		return ags_fail_step(err, AGS_AUTH, "there is no key to log in as %s with%s%s", auth->s->to.user,
		                     auth->passed_over[0] != '\0' ? ": " : ", want one in the agent or ~/.ssh/id_ed25519", auth->passed_over);
	return ags_fail_step(err, AGS_AUTH, "the server does not let %s in with: %s%s%s", auth->s->to.user, auth->tried,
	                     auth->passed_over[0] != '\0' ? "; not tried: " : "", auth->passed_over);
}

/* Called again after each LIBSSH2_ERROR_EAGAIN, which is how the agent's answer is waited for. libssh2 frees the signature. */
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
	struct ags_auth *auth = *abstract;
	const struct agent_key *key = &auth->keys[auth->at];
	struct ags_err why = AGS_ERR_INIT;
	enum ags_step step;
	const uint8_t *bytes;
	size_t len;

	(void)session;
	if (!auth->is_asked && !ags_agent_ask_sign(auth->agent, key->blob, key->len, data, data_len, sign_flags(data, data_len), &why))
		return auth->lacks_memory = true, LIBSSH2_ERROR_ALLOC;
	auth->is_asked = true;
	step = ags_agent_step(auth->agent, &why);
	auth->lacks_memory = why.code == AGS_NOMEM;
	if (step == AGS_AGAIN)
		return LIBSSH2_ERROR_EAGAIN;
	if (step == AGS_FAILED || !ags_agent_signature(auth->agent, &bytes, &len) || len == 0)
		return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	*sig = ags_libssh2_memory(auth->s, len);
	if (*sig == NULL)
		return auth->lacks_memory = true, LIBSSH2_ERROR_ALLOC;
	memcpy(*sig, bytes, len);
	*sig_len = len;
	return 0;
}

/* What is signed: session id, message number, user, service, "publickey", true, algorithm, key. An agent makes SHA-1
 * signatures for RSA unless asked for more. */
static uint32_t sign_flags(const uint8_t *data, size_t len)
{
	struct ags_cursor c = { data, data + len };
	const uint8_t *p;
	uint8_t byte;
	size_t n;

	if (!ags_get_string(&c, &p, &n) || !ags_get_u8(&c, &byte) || !ags_get_string(&c, &p, &n) || !ags_get_string(&c, &p, &n) ||
	    !ags_get_string(&c, &p, &n) || !ags_get_u8(&c, &byte) || !ags_get_string(&c, &p, &n) || n != 12)
		return 0;
	return memcmp(p, "rsa-sha2-512", 12) == 0 ? AGS_AGENT_RSA_SHA2_512 :
	       memcmp(p, "rsa-sha2-256", 12) == 0 ? AGS_AGENT_RSA_SHA2_256 : 0;
}

static void add_text(char *to, size_t size, const char *separator, const char *text)
{
	size_t len = strlen(to);

	snprintf(to + len, size - len, "%s%s", len > 0 ? separator : "", text);
}
