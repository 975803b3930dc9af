#include "ssh/choice.h"
#include "base/text.h"
#include "ssh/identity.h"
#include "ssh/openssh.h"
#include "ssh/process.h"
#include "ssh/sshconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_CONFIG "/etc/ssh/ssh_config"

/* A question to ssh under way. */
struct ags_choice {
	struct ags_process *ssh;
	uint64_t mark;
};

static enum ags_step begin(struct ags_session *s);
static enum ags_step ask(struct ags_session *s, uint64_t mark);
static enum ags_step hear(struct ags_session *s);
static enum ags_step conclude(struct ags_session *s, const struct ags_chosen *chosen);
static bool check_key(struct ags_session *s);
static bool key_needs_ssh(struct ags_session *s);
static bool usual_keys_need_ssh(struct ags_session *s);
static bool judge_key(struct ags_session *s, const char *file, const struct ags_identity *id);
static bool has_agent(const struct ags_session *s);
static bool exists(const char *file, const char *suffix);
static void on_answer(void *arg, unsigned happened);

enum ags_step ags_choice_step(struct ags_session *s)
{
	return s->choice == NULL ? begin(s) : hear(s);
}

void ags_choice_free(struct ags_choice *choice)
{
	if (choice == NULL)
		return;
	ags_process_free(choice->ssh);
	free(choice);
}

bool ags_choice_fall_back(struct ags_session *s, const char *reason)
{
	const struct ags_chosen *known = ags_openssh_chosen(ags_pool_openssh(s->pool), s);
	struct ags_chosen chosen = known != NULL ? *known : (struct ags_chosen){ .mark = 0 };
	struct ags_watch *timer;
	char program[1024];

	if (s->to.transport != AGS_TRANSPORT_AUTO || !ags_ssh_program(program, sizeof(program)))
		return false;
	timer = ags_watch_add(ags_pool_loop(s->pool), -1, 0, ags_session_nudge, s);
	if (timer == NULL)
		return false;
	ags_watch_remove(s->watch);
	s->watch = timer;
	s->link->free(s);
	ags_err_clear(&s->err);
	chosen.found = reason;
	ags_openssh_choose(ags_pool_openssh(s->pool), s, &chosen);
	return conclude(s, &chosen) == AGS_DONE;
}

static enum ags_step begin(struct ags_session *s)
{
	const struct ags_chosen *known = ags_openssh_chosen(ags_pool_openssh(s->pool), s);
	struct ags_chosen chosen = { .mark = 0 };
	struct ags_sshconfig config;
	char program[1024];

	if (s->to.transport == AGS_TRANSPORT_LIBSSH2 || !ags_ssh_program(program, sizeof(program)))
		return conclude(s, &chosen);
	ags_sshconfig_read(&config, ags_openssh_who(ags_pool_openssh(s->pool))->home, SYSTEM_CONFIG);
	if (known != NULL && known->mark == config.mark)
		return conclude(s, known);
	if (known != NULL)
		chosen.found = known->found;
	if (config.says_something)
		return ask(s, config.mark);
	chosen.mark = config.mark;
	return conclude(s, &chosen);
}

static enum ags_step ask(struct ags_session *s, uint64_t mark)
{
	static const char *const print[] = { "-G" };
	const char **argv = ags_ssh_arguments(s, print, 1);

	if (argv == NULL)
		return AGS_FAILED;
	s->choice = calloc(1, sizeof(*s->choice));
	if (s->choice == NULL)
		return ags_fail_nomem(&s->err), AGS_FAILED;
	s->choice->mark = mark;
	s->choice->ssh = ags_process_start(ags_openssh_family(ags_pool_openssh(s->pool)), argv, on_answer, s, &s->err);
	return s->choice->ssh != NULL ? AGS_AGAIN : AGS_FAILED;
}

static enum ags_step hear(struct ags_session *s)
{
	struct ags_process *ssh = s->choice->ssh;
	const struct ags_buf *said = ags_process_output(ssh), *errors = ags_process_errors(ssh);
	const struct ags_chosen *known = ags_openssh_chosen(ags_pool_openssh(s->pool), s);
	struct ags_chosen chosen = { .mark = s->choice->mark, .found = known != NULL ? known->found : NULL };
	char text[256];
	size_t len;
	int signal;

	if (!ags_process_is_over(ssh))
		return AGS_AGAIN;
	if (ags_process_status(ssh, &signal) != 0) {
		for (len = ags_buf_len(errors); len > 0 && ags_buf_bytes(errors)[len - 1] <= ' '; len--)
			continue;
		ags_text_clean(text, sizeof(text), (const char *)ags_buf_bytes(errors), len);
		return ags_fail_step(&s->err, AGS_CONFIG, "ssh cannot tell its configuration for %s, mend that or set transport: libssh2: %s",
		                     s->to.host, len > 0 ? text : "it said nothing");
	}
	chosen.need = ags_sshconfig_need((const char *)ags_buf_bytes(said), ags_buf_len(said), &s->to, s->known_file,
	                                 ags_openssh_who(ags_pool_openssh(s->pool))->login, &chosen.user_is_theirs);
	ags_openssh_choose(ags_pool_openssh(s->pool), s, &chosen);
	return conclude(s, &chosen);
}

static enum ags_step conclude(struct ags_session *s, const struct ags_chosen *chosen)
{
	const struct ags_link *ssh = &ags_link_openssh;

	s->user_is_theirs = chosen->user_is_theirs;
	if (s->to.transport != AGS_TRANSPORT_AUTO) {
		snprintf(s->reason, sizeof(s->reason), "the topology says so");
		s->link = s->to.transport == AGS_TRANSPORT_LIBSSH2 ? &ags_link_libssh2 : ssh;
	} else if (chosen->need != NULL) {
		snprintf(s->reason, sizeof(s->reason), "ssh's configuration sets %s for it", chosen->need);
		s->link = ssh;
	} else if (chosen->found != NULL) {
		snprintf(s->reason, sizeof(s->reason), "%s", chosen->found);
		s->link = ssh;
	} else if (key_needs_ssh(s)) {
		s->link = ssh;
	} else {
		snprintf(s->reason, sizeof(s->reason), "the default");
		s->link = &ags_link_libssh2;
	}
	return s->link != ssh || check_key(s) ? AGS_DONE : AGS_FAILED;
}

/* ssh would pass over a named key that it cannot use and try others. */
static bool check_key(struct ags_session *s)
{
	struct ags_identity id;
	bool is_locked;

	if (s->identity_file == NULL)
		return true;
	if (!ags_identity_load(&id, s->identity_file, &s->err))
		return false;
	is_locked = id.is_encrypted && !has_agent(s);
	ags_identity_fini(&id);
	return !is_locked || ags_identity_fail_locked(s->identity_file, &s->err);
}

/* A file that cannot be read is libssh2's to complain about. */
static bool key_needs_ssh(struct ags_session *s)
{
	struct ags_err why = AGS_ERR_INIT;
	struct ags_identity id;
	char program[1024];
	bool needs;

	if (!ags_ssh_program(program, sizeof(program)))
		return false;
	if (s->identity_file == NULL)
		return usual_keys_need_ssh(s);
	if (!ags_identity_load(&id, s->identity_file, &why))
		return false;
	needs = judge_key(s, s->identity_file, &id);
	ags_identity_fini(&id);
	return needs;
}

/* As soon as libssh2 has one key to try it gets its chance. What an agent holds shows later. */
static bool usual_keys_need_ssh(struct ags_session *s)
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk" };
	bool needs = false, has_other = has_agent(s);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && s->to.home != NULL; i++) {
		struct ags_err why = AGS_ERR_INIT;
		struct ags_identity id;
		char file[1024];

		snprintf(file, sizeof(file), "%s/.ssh/%s", s->to.home, names[i]);
		if (!ags_identity_load(&id, file, &why))
			continue;
		if (exists(file, "-cert.pub") && judge_key(s, file, &id))
			has_other = false, needs = true, i = sizeof(names);
		else if (judge_key(s, file, &id))
			needs = true;
		else
			has_other |= !id.is_encrypted;
		ags_identity_fini(&id);
	}
	return needs && !has_other;
}

static bool judge_key(struct ags_session *s, const char *file, const struct ags_identity *id)
{
	const char *what = exists(file, "-cert.pub") ? "has a certificate" :
	                   strncmp(id->type, "sk-", 3) == 0 ? "is on a security token" :
	                   ags_identity_is_rsa(id) && !ags_ssh_can_rsa() ? "is an RSA key, which this libssh2 cannot use" : NULL;

	if (what != NULL)
		snprintf(s->reason, sizeof(s->reason), "%.180s %s", file, what);
	return what != NULL;
}

static bool has_agent(const struct ags_session *s)
{
	return s->to.agent != NULL && s->to.agent[0] != '\0';
}

static bool exists(const char *file, const char *suffix)
{
	char name[1100];

	return (size_t)snprintf(name, sizeof(name), "%s%s", file, suffix) < sizeof(name) && access(name, R_OK) == 0;
}

static void on_answer(void *arg, unsigned happened)
{
	ags_session_nudge(arg, happened);
}
