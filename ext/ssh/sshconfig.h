#ifndef AGS_SSH_SSHCONFIG_H
#define AGS_SSH_SSHCONFIG_H

#include "ssh/pool.h"

/*
 * What ssh_config(5) says about a server that libssh2 does not do. Reading the files is cheap and tells only whether
 * any of these words is in them at all; if so, ssh itself says (ssh -G) what holds for one host. The words:
 *
 *   HostName Port User HostKeyAlias               another place, or another name for it
 *   ProxyJump ProxyCommand                        another way
 *   BindAddress BindInterface AddressFamily CanonicalizeHostname
 *   IdentityFile IdentityAgent CertificateFile PKCS11Provider SecurityKeyProvider
 *   UserKnownHostsFile RevokedHostKeys KnownHostsCommand
 *
 * Others (Ciphers, Compression, SendEnv, ServerAliveInterval …) do not make a server one for ssh; they hold where ssh is taken.
 */
struct ags_sshconfig {
	bool says_something;
	uint64_t mark;               /* of all that was read: the same files, the same mark */
};

/* `home` is that of this user for ssh, which does not look at $HOME; NULL: only the system's file. A file that cannot
 * be read says nothing. */
void ags_sshconfig_read(struct ags_sshconfig *config, const char *home, const char *system_file);

/* What ssh -G said about a server: the first word of the list that matters, as ssh_config writes it, or NULL. `file` is the
 * known_hosts file, `login` the name of this user here. */
const char *ags_sshconfig_need(const char *said, size_t len, const struct ags_endpoint *to, const char *file, const char *login,
                               bool *user_is_theirs);

#endif
