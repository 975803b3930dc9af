#ifndef AGS_SSH_AGENT_H
#define AGS_SSH_AGENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

/*
 * A client of ssh-agent that does not block: an agent that asks its owner to
 * confirm, or a dead one behind a forwarded socket, must not stop the other servers.
 *
 *   ask_keys or ask_sign ──► step until AGS_DONE ──► read the answer ──► ask again
 */
struct ags_agent;

/* fn runs from the loop when a step makes sense. */
struct ags_agent *ags_agent_new(struct ags_loop *loop, const char *socket, ags_watch_fn *fn, void *arg, struct ags_err *err);
void ags_agent_free(struct ags_agent *agent);                /* NULL is fine */

bool ags_agent_ask_keys(struct ags_agent *agent, struct ags_err *err);
bool ags_agent_ask_sign(struct ags_agent *agent, const uint8_t *blob, size_t blob_len, const uint8_t *data, size_t len,
                        uint32_t flags, struct ags_err *err);
enum ags_step ags_agent_step(struct ags_agent *agent, struct ags_err *err);

/* The answer to ask_keys, key by key: false after the last. Good until the next question. */
bool ags_agent_next_key(struct ags_agent *agent, const uint8_t **blob, size_t *len);

/* The answer to ask_sign: the signature without its algorithm's name. False when the agent refused. */
bool ags_agent_signature(struct ags_agent *agent, const uint8_t **signature, size_t *len);

enum { AGS_AGENT_RSA_SHA2_256 = 2, AGS_AGENT_RSA_SHA2_512 = 4 };

#endif
