#ifndef AGS_SSH_IDENTITY_H
#define AGS_SSH_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A private key file: what it is, and its text for the library that signs. OpenSSH's own
 * format and PEM are understood.
 */
struct ags_identity {
	char *file;
	char *text;                  /* ends with NUL; wiped when freed */
	size_t len;
	char type[64];               /* "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", …; "" when it cannot be told */
	bool is_encrypted;
	uint8_t *blob;               /* the public key, NULL when the file hides it */
	size_t blob_len;
};

/* False with err: unreadable, no private key, or readable by others, which ssh refuses too. err->sys is ENOENT when
 * there is no such file. */
bool ags_identity_load(struct ags_identity *id, const char *file, struct ags_err *err);
/* The sentence for a key with a passphrase when there is no agent; returns false. */
bool ags_identity_fail_locked(const char *file, struct ags_err *err);
void ags_identity_fini(struct ags_identity *id);             /* also of a zeroed struct */

static inline bool ags_identity_is_rsa(const struct ags_identity *id)
{
	return id->type[0] == 's' && __builtin_strcmp(id->type, "ssh-rsa") == 0;
}

#endif
