/*
 * What an SSH server may do to harm us: each ends as that server's failure, in time, in one clean sentence, with bounded memory, and an honest server
 * in the same call notices nothing.
 */
#include "unit/check.h"
#include "unit/hostile_sshd.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"
#include "scale/sync.h"

#include <libssh2.h>

#define MOST_MEMORY  (64u << 20)          /* for each of them; the output that is kept of a command takes 8 MB twice */
#define MOST_LIARS   32
#define MOST_SECONDS 120                  /* on a busy machine; none of the attacks needs more than 5 */
#define QUICK        3u                   /* a limit that is to be met */
#define SLOW         50u                  /* one that is not */
#define HONEST       "for i in 1 2 3 4 5; do sleep 0.1; echo fine; done; cat >/dev/null"
#define HONEST_SAYS  "fine\nfine\nfine\nfine\nfine\n"
#define ESCAPES      "\033[2J\033]0;owned\a\xff\xfe\xc2\x9b" "\r\n"

size_t __sanitizer_get_current_allocated_bytes(void);        /* its header does not come with gcc */

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto\n";         /* libssh2 loses keys of libcrypto with exchanges; its own memory is freed with the session */
}

static struct sshd sshd;
static int stage;                         /* for scripts that do one thing in several places */
static const char *transport = "libssh2";
static const char *as_known;              /* instead of the liar's own line in known_hosts */

/* What one liar does in the call that is planned, and what must come of it. */
struct attack {
	uint32_t connect, silence;        /* its limits in seconds; 0: SLOW */
	liar_fn *script;
	int stage;
	const char *transport;
	enum { FAILS, WORKS, ENDS } how;
	const char *says;                 /* a part of its sentence, or its output */
	struct liar liar;
};

static struct attack attacks[MOST_LIARS];
static size_t attack_count;

struct watch {
	size_t before, most;
	int64_t stop_at;
};

static void plan(liar_fn *script, struct attack a, const char *says, int how)
{
	if (attack_count == MOST_LIARS)
		abort();
	a.script = script;
	a.stage = stage;
	a.transport = transport;
	a.says = says;
	a.how = how;
	attacks[attack_count++] = a;
}

static void fails(liar_fn *script, struct attack a, const char *says) { plan(script, a, says, FAILS); }
static void works(liar_fn *script, struct attack a, const char *out) { plan(script, a, out, WORKS); }

/* Either way, as what is said has no meaning: no harm is all that is asked. */
static void ends(liar_fn *script, struct attack a) { plan(script, a, "", ENDS); }

static bool look(void *arg)
{
	struct watch *w = arg;
	size_t now = __sanitizer_get_current_allocated_bytes();

	if (now > w->before && now - w->before > w->most)
		w->most = now - w->before;
	return w->stop_at == 0 || ags_now_ms() < w->stop_at;
}

static bool start_liars(void)
{
	char file[160];
	bool ok = true;
	FILE *f;

	snprintf(file, sizeof(file), "%s/liars", sshd.folder);
	sh("cp %s %s", sshd.known_hosts, file);
	f = fopen(file, "a");
	for (size_t i = 0; f != NULL && i < attack_count; i++) {
		struct liar *liar = &attacks[i].liar;

		stage = attacks[i].stage;
		ok = ok && liar_start(liar, attacks[i].script);
		fprintf(f, "[127.0.0.1]:%u %s\n", liar->port, as_known != NULL ? as_known : strchr(liar->known_line, ' ') + 1);
	}
	return f != NULL && fclose(f) == 0 && ok;
}

static void stop_liars(void)
{
	for (size_t i = 0; i < attack_count; i++)
		liar_stop(&attacks[i].liar);
	attack_count = 0;
}

/* liar0, liar1 … and the honest web1. */
static struct ags_topology *all_servers(void)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_topology *t;
	char text[8192], names[1024] = "";
	size_t n = (size_t)snprintf(text, sizeof(text), "version: 1\ndefaults: { user: %s, identity: %s, known_hosts: %s/liars }\nservers:\n",
	                            sshd.user, sshd.identity, sshd.folder), m = 0;

	for (size_t i = 0; i < attack_count; i++) {
		const struct attack *a = &attacks[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "  liar%zu: { host: 127.0.0.1, port: %u, connect_timeout: %u, timeout: %u, transport: %s }\n", i, a->liar.port,
		                      a->connect > 0 ? a->connect : SLOW, a->silence > 0 ? a->silence : SLOW, a->transport);
		m += (size_t)snprintf(names + m, sizeof(names) - m, "liar%zu, ", i);
	}
	snprintf(text + n, sizeof(text) - n, "  web1: { host: 127.0.0.1, port: %u, connect_timeout: 60, transport: libssh2 }\nclusters: { live: { servers: [%s web1] } }\n", sshd.port, names);
	t = ags_topology_build(ags_yaml_parse(&arena, text, strlen(text), &problems), "", "/nonexistent", &problems, &err);
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "%s\n", problems.items[i].message);
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	return t;
}

/* One sentence, as people may see it. */
static void check_sentence(const char *text)
{
	char again[2048];

	ags_text_clean(again, sizeof(again), text, strlen(text));
	CHECK_STR(again, text);
	CHECK(text[0] != '\0' && strlen(text) < 512);
}

static void check_liar(size_t i, const struct ags_server_result *r)
{
	const struct attack *a = &attacks[i];
	const char *error = r->error != NULL ? r->error : "";
	int before = check_failures;

	CHECK(strncmp(r->server, "liar", 4) == 0 && (size_t)atoi(r->server + 4) == i);
	CHECK(r->out_len <= AGS_MAX_OUTPUT && r->errors_len <= AGS_MAX_OUTPUT);
	if (a->how == WORKS || r->outcome == AGS_OUTCOME_SYNCED) {
		CHECK(a->how != FAILS);
		CHECK_INT(r->outcome, AGS_OUTCOME_SYNCED);
		CHECK_STR(error, "");
		CHECK(a->how == ENDS || (r->out_len == strlen(a->says) && memcmp(r->out, a->says, r->out_len) == 0));
	} else {
		CHECK_INT(r->outcome, AGS_OUTCOME_FAILED);
		check_sentence(error);
		if (strstr(error, a->says) == NULL)
			CHECK_STR(error, a->says);
	}
	if (check_failures > before || getenv("SHOW") != NULL)
		fprintf(stderr, "# %s, stage %d: outcome %d, \"%s\"\n", r->server, a->stage, (int)r->outcome, error);
}

static void check_honest(const struct ags_server_result *r)
{
	CHECK_STR(r->server, "web1");
	CHECK_STR(r->error == NULL ? "" : r->error, "");
	CHECK_INT(r->outcome, AGS_OUTCOME_SYNCED);
	CHECK_STR(r->out, HONEST_SAYS);
}

/* One call to all that are planned and to the honest server. */
static void strike_with(struct ags_pool *pool, size_t input_len, int64_t stop_ms)
{
	static const char *words[] = { "sh", "-c", HONEST };
	const struct ags_strings argv = { words, 3 };
	const struct ags_environment env = { .pool = pool };
	char *input = calloc(1, input_len + 1);
	const struct ags_run_options options = { .input = input, .input_len = input_len };
	struct watch watch = { .before = __sanitizer_get_current_allocated_bytes(), .stop_at = stop_ms > 0 ? ags_now_ms() + stop_ms : 0 };
	const struct ags_host host = { .arg = &watch, .keep_going = look };
	struct ags_topology *t = all_servers();
	struct ags_report report = AGS_REPORT_INIT;
	struct ags_err err = AGS_ERR_INIT;
	int64_t began = ags_now_ms();

	CHECK(t != NULL && ags_run(&env, t, "live", &argv, &options, &host, &report, &err) == (stop_ms == 0));
	CHECK_INT(err.code, stop_ms > 0 ? AGS_CANCELLED : AGS_OK);
	CHECK(ags_now_ms() - began < 1000 * MOST_SECONDS);
	look(&watch);
	if (watch.most > MOST_MEMORY * attack_count || getenv("SHOW") != NULL)
		fprintf(stderr, "# %zu KB were in use, %d ms\n", watch.most >> 10, (int)(ags_now_ms() - began));
	for (size_t i = 0; getenv("SHOW") != NULL && i < report.count; i++)
		fprintf(stderr, "# %s took %.1f s\n", report.servers[i].server, report.servers[i].seconds);
	CHECK(watch.most <= MOST_MEMORY * attack_count);
	CHECK_INT(report.count, attack_count + 1);
	for (size_t i = 0; i < report.count && i < attack_count; i++)
		check_liar(i, &report.servers[i]);
	if (report.count == attack_count + 1)
		check_honest(&report.servers[attack_count]);
	ags_report_free(&report);
	ags_topology_free(t);
	free(input);
}

static struct ags_pool *new_pool(void)
{
	return ags_pool_new(&(struct ags_pool_limits){ .handshakes = 32, .idle_ms = 60000 });
}

static void carry_out(size_t input_len, int64_t stop_ms)
{
	struct ags_pool *pool = new_pool();

	CHECK(pool != NULL && start_liars());
	strike_with(pool, input_len, stop_ms);
	ags_pool_free(pool);
	stop_liars();
}

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* --- honest, so that the rest means something ---------------------------------------------------------------------- */

static void honest(struct peer *p)
{
	peer_exec(p);
	say_text(p, "hello\n");
	say_end(p);
	peer_wait(p);
}

static void rekeys(struct peer *p)
{
	peer_exec(p);
	for (int i = 0; i < 3; i++) {
		say_text(p, "hello\n");
		peer_propose(p);
		peer_exchange(p);
	}
	say_end(p);
	peer_wait(p);
}

static void test_a_liar_that_does_not_lie_is_served(void)
{
	works(honest, (struct attack){0}, "hello\n");
	works(rekeys, (struct attack){0}, "hello\nhello\nhello\n");
	carry_out(0, 0);
}

/* --- before the keys ----------------------------------------------------------------------------------------------- */

static void lines_for_ever(struct peer *p)
{
	for (;;)
		say_raw(p, "Authorised users only! Authorised users only!\r\n", 47);
}

static void line_for_ever(struct peer *p)
{
	for (;;)
		say_raw(p, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 64);
}

static void test_lines_without_a_banner_end(void)
{
	fails(lines_for_ever, (struct attack){0}, "sent 65536 bytes and no SSH banner");
	fails(line_for_ever, (struct attack){0}, "sent 65536 bytes and no SSH banner");
	carry_out(0, 0);
}

static void drips_a_banner(struct peer *p)
{
	say_raw(p, "SSH-2.0-", 8);
	for (;;) {
		say_raw(p, "x", 1);
		pause_ms(50);
	}
}

static void drips_lines(struct peer *p)
{
	for (;;) {
		say_raw(p, "x\n", 2);
		pause_ms(50);
	}
}

static void test_a_banner_that_drips_costs_the_time_limit(void)
{
	fails(drips_a_banner, (struct attack){ .connect = QUICK }, "within 3 s while waiting for its SSH banner");
	fails(drips_lines, (struct attack){ .connect = QUICK }, "within 3 s while waiting for its SSH banner");
	carry_out(0, 0);
}

static void garbage(struct peer *p)
{
	uint8_t bytes[2000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 11);
	say_raw(p, bytes, sizeof(bytes));
	peer_wait(p);
}

static void huge_banner(struct peer *p)
{
	char banner[20000];

	memset(banner, 'x', sizeof(banner));
	memcpy(banner, "SSH-2.0-", 8);
	memcpy(banner + sizeof(banner) - 2, "\r\n", 2);
	say_raw(p, banner, sizeof(banner));
	peer_wait(p);
}

static void test_garbage_is_no_banner(void)
{
	fails(garbage, (struct attack){0}, "does not answer as an SSH server does");
	fails(huge_banner, (struct attack){ .connect = QUICK }, "exchanging keys");
	carry_out(0, 0);
}

static void drips_keys(struct peer *p)
{
	struct ags_buf b = AGS_BUF_INIT;

	peer_greet(p);
	put_kexinit(p, &b);
	say_raw(p, "\0\0\3\350\4", 5);
	for (size_t i = 0;; i++) {
		say_raw(p, ags_buf_bytes(&b) + i % ags_buf_len(&b), 1);
		pause_ms(50);
	}
}

static void says_nothing_after_greeting(struct peer *p)
{
	peer_greet(p);
	peer_wait(p);
}

static void agrees_and_stops(struct peer *p)
{
	peer_greet(p);
	peer_propose(p);
	peer_wait(p);
}

static void test_a_key_exchange_that_never_ends_costs_the_time_limit(void)
{
	fails(drips_keys, (struct attack){ .connect = QUICK }, "within 3 s while exchanging keys");
	fails(says_nothing_after_greeting, (struct attack){ .connect = QUICK }, "within 3 s while exchanging keys");
	fails(agrees_and_stops, (struct attack){ .connect = QUICK }, "within 3 s while exchanging keys");
	carry_out(0, 0);
}

/* `stage` is the type. */
static void floods_before_keys(struct peer *p)
{
	struct ags_buf b = message((uint8_t)stage);

	peer_greet(p);
	if (stage == MSG_KEXINIT)
		put_kexinit(p, &b);
	else
		peer_propose(p);
	if (stage == MSG_DEBUG)
		ags_buf_u8(&b, 1);
	if (stage == MSG_DEBUG || stage == MSG_IGNORE)
		put_text(&b, "Look behind you! " ESCAPES);
	for (;;)
		say(p, &b);
}

static void test_a_flood_before_the_keys_ends(void)
{
	static const int types[] = { MSG_IGNORE, MSG_DEBUG, MSG_UNIMPLEMENTED, MSG_KEXINIT, MSG_NEWKEYS, MSG_AUTH_SUCCESS, MSG_DATA, 99, 192, 255 };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		stage = types[i];
		fails(floods_before_keys, (struct attack){ .connect = QUICK }, "");
	}
	carry_out(0, 0);
}

static void knows_no_algorithm(struct peer *p)
{
	p->kex = "liar-exchange@example.com";
	peer_greet(p);
	peer_propose(p);
	peer_wait(p);
}

static void offers_what_is_broken(struct peer *p)
{
	p->kex = stage == 0 ? "diffie-hellman-group1-sha1" : p->kex;
	p->cipher = stage == 1 ? "3des-cbc,arcfour,none" : p->cipher;
	p->mac = stage == 2 ? "hmac-md5,none" : p->mac;
	p->host_key_types = stage == 3 ? "ssh-dss" : p->host_key_types;
	peer_greet(p);
	peer_propose(p);
	peer_wait(p);
}

static void lists_of(struct peer *p)
{
	static char list[30000];

	memset(list, stage, sizeof(list) - 1);
	p->kex = list;
	peer_greet(p);
	peer_propose(p);
	peer_wait(p);
}

static void test_algorithms_that_are_not_sound_are_refused(void)
{
	fails(knows_no_algorithm, (struct attack){0}, "have no algorithms in common");
	for (stage = 0; stage < 4; stage++)
		fails(offers_what_is_broken, (struct attack){0}, "have no algorithms in common");
	stage = ',';
	fails(lists_of, (struct attack){ .connect = QUICK }, "");
	stage = 0x1b;
	fails(lists_of, (struct attack){ .connect = QUICK }, "");
	carry_out(0, 0);
}

static void signs_badly(struct peer *p)
{
	p->signs_badly = true;
	peer_keys(p);
	peer_wait(p);
}

static void shows_another_type(struct peer *p)
{
	p->key_type = "ssh-liar" ESCAPES;
	peer_keys(p);
	peer_wait(p);
}

static void replies_badly(struct peer *p)
{
	struct ags_buf b = message(MSG_ECDH_REPLY);

	peer_greet(p);
	peer_propose(p);
	hear(p, MSG_ECDH_INIT);
	if (stage > 0)
		put_host_key(p, &b);
	if (stage == 2)
		ags_buf_be32(&b, 0xffffffff);
	if (stage == 3)
		ags_buf_string(&b, LIAR_BANNER, 7);
	if (stage == 4)
		ags_buf_string(&b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
	if (stage >= 3)
		ags_buf_string(&b, LIAR_BANNER, 8);
	say(p, &b);
	peer_wait(p);
}

static void test_a_server_that_cannot_prove_its_key_is_refused(void)
{
	fails(signs_badly, (struct attack){0}, "key exchange failed");
	fails(shows_another_type, (struct attack){0}, "");
	for (stage = 0; stage < 5; stage++)
		fails(replies_badly, (struct attack){ .connect = QUICK }, "");
	carry_out(0, 0);
}

static void lets_in(struct peer *p)
{
	peer_service(p);
	peer_wait(p);
}

static void test_a_changed_host_key_is_refused(void)
{
	as_known = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
	fails(lets_in, (struct attack){0}, "has CHANGED");
	carry_out(0, 0);
	as_known = NULL;
}

/* --- packets ------------------------------------------------------------------------------------------------------- */

static void lies_about_length(struct peer *p)
{
	static const uint32_t lengths[] = { 0xffffffff, 0x7fffffff, 0x80000000, 1, 4, 35001, 262145 };

	if (stage >= 100)
		peer_exec(p);
	else
		peer_greet(p);
	say_wrong(p, "\2\0\0\0\0", 5, lengths[stage % 100], 0);
	peer_wait(p);
}

static void pads_too_much(struct peer *p)
{
	if (stage > 0)
		peer_exec(p);
	else
		peer_greet(p);
	say_wrong(p, "\2\0\0\0\0", 5, 0, 255);
	peer_wait(p);
}

static void test_lengths_that_lie_are_refused(void)
{
	for (stage = 0; stage < 7; stage++)
		fails(lies_about_length, (struct attack){ .connect = QUICK }, "");
	for (stage = 100; stage < 107; stage++)
		fails(lies_about_length, (struct attack){ .silence = QUICK }, "");
	for (stage = 0; stage < 2; stage++)
		fails(pads_too_much, (struct attack){ .connect = stage == 0 ? QUICK : 0, .silence = QUICK }, "");
	carry_out(0, 0);
}

static void says_the_longest(struct peer *p)
{
	static char text[34000];

	peer_exec(p);
	memset(text, 'x', sizeof(text));
	say_data(p, text, 32768);
	struct ags_buf b = message(MSG_IGNORE);
	ags_buf_string(&b, text, sizeof(text));
	say_once(p, &b);
	say_end(p);
	peer_wait(p);
}

static void test_the_longest_packet_is_taken(void)
{
	static char all[32769];

	memset(all, 'x', sizeof(all) - 1);
	works(says_the_longest, (struct attack){0}, all);
	carry_out(0, 0);
}

static void macs_badly(struct peer *p)
{
	peer_exec(p);
	say_text(p, "true\n");
	p->macs_badly = true;
	say_text(p, "false\n");
	peer_wait(p);
}

static void test_a_packet_that_was_changed_is_refused(void)
{
	fails(macs_badly, (struct attack){0}, "reading from a command");
	carry_out(0, 0);
}

static void leaves(struct peer *p)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int at = stage % 100;

	if (at == 1)
		peer_greet(p);
	if (at == 2)
		agrees_and_stops(p);
	if (at == 3)
		peer_keys(p);
	if (at == 4)
		peer_service(p);
	if (at == 5)
		peer_login(p);
	if (at == 6)
		peer_channel(p);
	if (at >= 7)
		peer_exec(p);
	if (at == 8)
		say_text(p, "hello\n");
	if (at >= 9)
		say_exit(p, 0);
	if (at >= 10)
		say_channel(p, MSG_EOF);
	if (stage >= 100)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (stage >= 100)
		close(p->fd);
	else
		shutdown(p->fd, SHUT_RDWR);
	_exit(0);
}

static void test_who_hangs_up_in_any_state_is_told(void)
{
	for (int way = 0; way < 200; way += 100)
		for (stage = way; stage < way + 11; stage++)
			if (stage % 100 != 2)
				fails(leaves, (struct attack){0}, "connection");
	carry_out(0, 0);
}

static void says_goodbye(struct peer *p)
{
	static const char why[] = "go away " ESCAPES "%s%n";

	if (stage == 0)
		peer_greet(p);
	if (stage == 1)
		peer_keys(p);
	if (stage == 2)
		peer_service(p);
	if (stage == 3)
		peer_login(p);
	if (stage >= 4)
		peer_exec(p);
	if (stage == 5) {
		static char text[30000];

		memset(text, '\a', sizeof(text));
		say_disconnect(p, 0xffffffff, text, sizeof(text));
	}
	say_disconnect(p, 11, why, sizeof(why) - 1);
	peer_wait(p);
}

static void cut_goodbye(struct peer *p)
{
	static const uint8_t whole[] = { MSG_DISCONNECT, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 'x', 0, 0, 0, 0 };

	peer_exec(p);
	say_wrong(p, whole, (size_t)stage, 0, 0);
	peer_wait(p);
}

static void test_last_words_are_cleaned(void)
{
	for (stage = 0; stage < 5; stage++)
		fails(says_goodbye, (struct attack){0}, "go away \\x1b[2J\\x1b]0;owned\\x07\\xff\\xfe\\xc2\\x9b\\r\\n%s%n");
	fails(says_goodbye, (struct attack){0}, "closed the connection");
	for (stage = 1; stage <= 14; stage += 3)
		fails(cut_goodbye, (struct attack){ .silence = QUICK }, "");
	carry_out(0, 0);
}

/* --- logging in ---------------------------------------------------------------------------------------------------- */

static void never_answers(struct peer *p)
{
	if (stage == 0)
		peer_keys(p);
	else
		peer_service(p);
	if (stage == 2) {
		while (!hear_key(p))
			say_key_is_fine(p);
	}
	peer_wait(p);
}

static void always_asks_again(struct peer *p)
{
	peer_service(p);
	for (;;) {
		hear_key(p);
		say_key_is_fine(p);
	}
}

static void never_enough(struct peer *p)
{
	peer_service(p);
	for (;;) {
		struct ags_buf b = message(MSG_AUTH_FAILURE);

		hear_key(p);
		put_text(&b, "publickey," ESCAPES);
		ags_buf_u8(&b, 1);
		say_once(p, &b);
	}
}

static void test_a_login_that_leads_nowhere_ends(void)
{
	for (stage = 0; stage < 3; stage++)               /* libssh2 takes the start of the login for the end of the keys */
		fails(never_answers, (struct attack){ .connect = QUICK }, stage == 0 ? "within 3 s while exchanging keys" : "within 3 s while logging in as");
	fails(always_asks_again, (struct attack){ .connect = QUICK }, "");
	fails(never_enough, (struct attack){0}, "does not let");
	carry_out(0, 0);
}

static struct ags_buf auth_banner(size_t more)
{
	struct ags_buf b = message(MSG_AUTH_BANNER), text = AGS_BUF_INIT;

	ags_buf_add(&text, ESCAPES, sizeof(ESCAPES) - 1);
	for (; more > 0; more--)
		ags_buf_u8(&text, '\b');
	ags_buf_string(&b, ags_buf_bytes(&text), ags_buf_len(&text));
	put_text(&b, "");
	ags_buf_free(&text);
	return b;
}

static void banners_for_ever(struct peer *p)
{
	struct ags_buf b = auth_banner((size_t)stage);

	peer_service(p);
	for (;;)
		say(p, &b);
}

static void banner_and_refusal(struct peer *p)
{
	struct ags_buf b = auth_banner(100), no = message(MSG_AUTH_FAILURE);

	peer_service(p);
	say_once(p, &b);
	hear_key(p);
	put_text(&no, "password");
	ags_buf_u8(&no, 0);
	say(p, &no);
	for (;;) {
		hear_key(p);
		say(p, &no);
	}
}

static void test_banners_at_login_are_not_kept(void)
{
	stage = 0;
	fails(banners_for_ever, (struct attack){ .connect = QUICK }, "");
	stage = 30000;
	fails(banners_for_ever, (struct attack){ .connect = QUICK }, "");
	fails(banner_and_refusal, (struct attack){0}, "does not let");
	carry_out(0, 0);
}

/* --- the start of a command ---------------------------------------------------------------------------------------- */

static void refuses_a_channel(struct peer *p)
{
	struct ags_buf b = message(MSG_OPEN_FAILURE);

	peer_login(p);
	hear_open(p);
	ags_buf_be32(&b, p->channel);
	ags_buf_be32(&b, 0xffffffff);
	put_text(&b, ESCAPES);
	put_text(&b, "");
	say_once(p, &b);
	peer_wait(p);
}

static void refuses_a_command(struct peer *p)
{
	peer_channel(p);
	hear(p, MSG_REQUEST);
	say_channel(p, MSG_CHANNEL_FAILURE);
	peer_wait(p);
}

static void test_a_refusal_is_told(void)
{
	fails(refuses_a_channel, (struct attack){0}, "refuses to open a channel");
	fails(refuses_a_command, (struct attack){0}, "refuses to run a command");
	carry_out(0, 0);
}

static void never_opens(struct peer *p)
{
	if (stage == 0)
		peer_login(p);
	if (stage == 1) {
		peer_login(p);
		hear_open(p);
		say_opened(p, p->channel + 7, 2u << 20, 32768);
	}
	if (stage == 2)
		peer_channel(p);
	if (stage == 3) {
		peer_channel(p);
		hear(p, MSG_REQUEST);
		p->channel += 7;
		say_channel(p, MSG_CHANNEL_SUCCESS);
	}
	peer_wait(p);
}

static void test_a_command_that_never_starts_costs_the_time_limit(void)
{
	for (stage = 0; stage < 4; stage++)
		fails(never_opens, (struct attack){ .connect = QUICK }, stage % 2 == 0 ? "within 3 s while starting a command" : "libssh2 error");
	carry_out(0, 0);
}

/* --- windows and data ---------------------------------------------------------------------------------------------- */

static void shuts_the_window(struct peer *p)
{
	static const uint32_t windows[] = { 0, 1u << 20, 1u << 20, 1u << 20 }, packets[] = { 32768, 0, 1, 0xffffffff };

	peer_login(p);
	hear_open(p);
	say_opened(p, p->channel, windows[stage], packets[stage]);
	hear(p, MSG_REQUEST);
	say_channel(p, MSG_CHANNEL_SUCCESS);
	peer_wait(p);
}

static void test_a_window_that_stays_shut_costs_the_time_limit(void)
{
	for (stage = 0; stage < 4; stage++)
		fails(shuts_the_window, (struct attack){ .silence = QUICK }, stage == 2 ? "takes 1 bytes in a packet, want at least 1024" : "no sign of life for 3 s");
	carry_out(4u << 20, 0);
}

static void opens_the_window_wide(struct peer *p)
{
	peer_exec(p);
	say_adjust(p, 0xffffffff);
	say_adjust(p, 0xffffffff);
	say_text(p, "hello\n");
	say_end(p);
	peer_wait(p);
}

static void adjusts_for_ever(struct peer *p)
{
	peer_exec(p);
	for (;;)
		say_adjust(p, 1);
}

static void test_windows_that_overflow_do_no_harm(void)
{
	works(opens_the_window_wide, (struct attack){0}, "hello\n");
	fails(adjusts_for_ever, (struct attack){ .silence = QUICK }, "no sign of life for 3 s");
	carry_out(0, 0);
	ends(opens_the_window_wide, (struct attack){ .silence = QUICK });
	carry_out(8u << 20, 0);
}

/* Without waiting for our adjustments, more than a window at once. */
static void says_too_much(struct peer *p)
{
	static uint8_t zeros[32768];

	peer_exec(p);
	for (int i = 0; i < 1000; i++)
		say_data(p, zeros, sizeof(zeros));
	say_end(p);
	peer_wait(p);
}

static void test_data_beyond_the_window_are_not_kept(void)
{
	ends(says_too_much, (struct attack){ .silence = QUICK });
	carry_out(0, 0);
}

static void says_nothing_for_ever(struct peer *p)
{
	peer_exec(p);
	for (;;) {
		if (stage == 0)
			say_data(p, "", 0);
		if (stage == 1)
			say_extended(p, 1, "", 0);
		if (stage == 2)
			say_extended(p, 7, "", 0);
		if (stage == 3)
			say_extended(p, 7, "xxxxxxxxxx", 10);
		if (stage == 4)
			say_extended(p, 0xffffffff, "xxxxxxxxxx", 10);
	}
}

static void test_data_that_are_none_end(void)
{
	for (stage = 0; stage < 5; stage++)
		fails(says_nothing_for_ever, (struct attack){ .silence = QUICK }, "");
	carry_out(0, 0);
}

static void lies_about_data(struct peer *p)
{
	struct ags_buf b = channel_message(p, MSG_DATA);

	peer_exec(p);
	ags_buf_free(&b);
	b = channel_message(p, MSG_DATA);
	ags_buf_be32(&b, stage == 0 ? 0xffffffff : 5000);
	ags_buf_add(&b, "short", 5);
	say_once(p, &b);
	say_end(p);
	peer_wait(p);
}

static void test_data_shorter_than_they_say_do_no_harm(void)
{
	for (stage = 0; stage < 2; stage++)
		ends(lies_about_data, (struct attack){ .silence = QUICK });
	carry_out(0, 0);
}

/* A command may print for ever; whoever called it may stop it, and what is kept has a limit. */
static void prints_for_ever(struct peer *p)
{
	static char text[32768];

	memset(text, 'x', sizeof(text));
	peer_exec(p);
	for (;;) {
		while (p->window < sizeof(text) * 2) {
			struct ags_cursor c = hear(p, MSG_WINDOW_ADJUST);
			uint32_t more = 0;

			ags_get_be32(&c, &more);
			ags_get_be32(&c, &more);
			p->window += more;
		}
		p->window -= sizeof(text);
		if (stage == 0)
			say_data(p, text, sizeof(text));
		else
			say_extended(p, 1, text, sizeof(text));
	}
}

static void test_output_without_end_is_cut(void)
{
	for (stage = 0; stage < 2; stage++)
		fails(prints_for_ever, (struct attack){0}, "the call was stopped while the command ran");
	carry_out(0, 10000);
}

/* --- the end of a command ------------------------------------------------------------------------------------------ */

static void speaks_after_the_end(struct peer *p)
{
	peer_exec(p);
	say_text(p, "hello\n");
	say_exit(p, 0);
	say_channel(p, MSG_EOF);
	if (stage == 1)
		say_channel(p, MSG_CLOSE);
	for (int i = 0; i < 100; i++) {
		say_text(p, "more\n");
		say_extended(p, 1, "more", 4);
		say_channel(p, MSG_EOF);
	}
	for (int i = 0; i < 3; i++)
		say_channel(p, MSG_CLOSE);
	peer_wait(p);
}

static void test_data_after_the_end_do_no_harm(void)
{
	for (stage = 0; stage < 2; stage++)
		ends(speaks_after_the_end, (struct attack){ .silence = QUICK });
	carry_out(0, 0);
}

static void never_closes(struct peer *p)
{
	peer_exec(p);
	say_text(p, "hello\n");
	if (stage > 0)
		say_exit(p, 0);
	if (stage > 1)
		say_channel(p, MSG_EOF);
	peer_wait(p);
}

static void test_a_command_without_an_end_costs_the_time_limit(void)
{
	for (stage = 0; stage < 3; stage++)
		fails(never_closes, (struct attack){ .silence = QUICK }, "no sign of life for 3 s");
	carry_out(0, 0);
}

static void exits_oddly(struct peer *p)
{
	static const uint32_t statuses[] = { 0xffffffff, 256, 0x80000000, 0x7fffffff };

	peer_exec(p);
	if (stage < 4)
		say_exit(p, statuses[stage]);
	if (stage == 4) {
		say_exit(p, 0);
		say_exit(p, 7);
	}
	if (stage == 5) {
		say_exit(p, 0);
		say_text(p, "hello\n");
	}
	say_channel(p, MSG_EOF);
	say_channel(p, MSG_CLOSE);
	peer_wait(p);
}

static void test_an_odd_exit_status_is_no_success(void)
{
	for (stage = 0; stage < 4; stage++)
		fails(exits_oddly, (struct attack){0}, "did not say how the command ended");
	fails(exits_oddly, (struct attack){0}, "exited with status 7");
	stage = 5;
	works(exits_oddly, (struct attack){0}, "hello\n");
	carry_out(0, 0);
}

static void dies_oddly(struct peer *p)
{
	static const char name[] = "KILL" ESCAPES "and a name that is longer than any signal has";
	struct ags_buf b;

	peer_exec(p);
	b = channel_message(p, MSG_REQUEST);
	put_text(&b, "exit-signal");
	ags_buf_u8(&b, 0);
	if (stage == 0)
		ags_buf_string(&b, name, sizeof(name) - 1);
	if (stage == 1)
		put_text(&b, "KILL");
	if (stage == 2)
		ags_buf_be32(&b, 0xffffffff);
	if (stage == 3)
		ags_buf_be32(&b, 4);
	if (stage < 2) {
		ags_buf_u8(&b, 0);
		put_text(&b, ESCAPES);
		put_text(&b, "");
	}
	say_once(p, &b);
	say_channel(p, MSG_EOF);
	say_channel(p, MSG_CLOSE);
	peer_wait(p);
}

static void test_a_signal_is_told_in_clean_words(void)
{
	stage = 0;
	fails(dies_oddly, (struct attack){0}, "was killed by signal KILL");
	stage = 1;
	fails(dies_oddly, (struct attack){0}, "was killed by signal KILL");
	for (stage = 2; stage < 5; stage++)
		ends(dies_oddly, (struct attack){ .silence = QUICK });
	carry_out(0, 0);
}

/* --- what nobody asked for ----------------------------------------------------------------------------------------- */

/* Asks for answers and reads none of them. */
static void asks_for_ever(struct peer *p)
{
	struct ags_buf b = message(MSG_GLOBAL_REQUEST);
	int small = 4096;

	setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	put_text(&b, stage % 2 == 0 ? "" : "hostkeys-00@openssh.com");
	ags_buf_u8(&b, stage < 2);
	peer_exec(p);
	for (;;)
		say(p, &b);
}

static void asks_the_channel_for_ever(struct peer *p)
{
	struct ags_buf b;

	peer_exec(p);
	b = channel_message(p, MSG_REQUEST);
	put_text(&b, "keepalive@openssh.com");
	ags_buf_u8(&b, 1);
	for (;;)
		say(p, &b);
}

static void test_requests_without_end_are_not_answered_for_ever(void)
{
	for (stage = 0; stage < 4; stage++)
		fails(asks_for_ever, (struct attack){ .silence = QUICK }, "");
	fails(asks_the_channel_for_ever, (struct attack){ .silence = QUICK }, "");
	carry_out(0, 0);
	/* By the bound on answers, or, on a slow machine, by the kernel before that: it has waited long enough for its bytes to be taken. */
	stage = 0;
	fails(asks_for_ever, (struct attack){ .silence = 5 * SLOW }, "127.0.0.1");
	carry_out(0, 0);
}

static void opens_for_ever(struct peer *p)
{
	static const char *const types[] = { "forwarded-tcpip", "x11", "auth-agent@openssh.com", "session", "direct-tcpip", ESCAPES };
	struct ags_buf b = message(MSG_OPEN);

	put_text(&b, types[stage % 10]);
	ags_buf_be32(&b, 5);
	ags_buf_be32(&b, 2u << 20);
	ags_buf_be32(&b, 32768);
	put_text(&b, "127.0.0.1");
	ags_buf_be32(&b, 22);
	put_text(&b, "127.0.0.1");
	ags_buf_be32(&b, 22);
	peer_exec(p);
	if (stage < 10)
		for (;;)
			say(p, &b);
	for (int i = 0; i < 20; i++)
		say(p, &b);
	say_text(p, "hello\n");
	say_end(p);
	peer_wait(p);
}

static void test_channels_of_the_server_are_not_opened(void)
{
	for (stage = 0; stage < 6; stage++)
		fails(opens_for_ever, (struct attack){ .silence = QUICK }, "");
	for (stage = 10; stage < 16; stage++)
		ends(opens_for_ever, (struct attack){ .silence = QUICK });
	carry_out(0, 0);
}

static void floods_a_command(struct peer *p)
{
	static uint8_t text[30000];

	peer_exec(p);
	text[0] = (uint8_t)(stage & 255);
	for (;;)
		say_wrong(p, text, stage < 256 ? 5 : sizeof(text), 0, 0);
}

static void test_messages_without_a_meaning_are_not_kept(void)
{
	static const int types[] = { MSG_IGNORE, MSG_DEBUG, MSG_SERVICE_ACCEPT, MSG_NEWKEYS, 30, MSG_AUTH_SUCCESS, MSG_AUTH_BANNER, MSG_PK_OK,
		MSG_REQUEST_SUCCESS, MSG_OPEN_CONFIRM, MSG_CHANNEL_SUCCESS, 128, 192, 255 };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		stage = types[i];
		fails(floods_a_command, (struct attack){ .silence = QUICK }, "");
		stage = types[i] + 256;
		fails(floods_a_command, (struct attack){ .silence = QUICK }, "");
		if (i % 5 == 4)
			carry_out(0, 0);
	}
	carry_out(0, 0);
}

static void test_what_nobody_asked_for_has_a_ceiling(void)
{
	stage = MSG_REQUEST_SUCCESS + 256;
	fails(floods_a_command, (struct attack){0}, "sends what nobody asked for, more than 32 MB of it");
	stage = 30000;
	fails(banners_for_ever, (struct attack){0}, "sends what nobody asked for, more than 32 MB of it");
	carry_out(0, 0);
}

/* Each type with nothing, one byte, and a few behind it. */
static void says_all_types(struct peer *p)
{
	uint8_t text[40];

	peer_exec(p);
	for (int type = 2; type < 256; type++) {
		if (type == MSG_KEXINIT || type == MSG_NEWKEYS)
			continue;
		memset(text, stage >= 100 ? 0xff : 0, sizeof(text));
		text[0] = (uint8_t)type;
		say_wrong(p, text, 1u + (size_t)(stage % 100), 0, 0);
	}
	say_end(p);
	peer_wait(p);
}

static void test_messages_that_are_cut_short_do_no_harm(void)
{
	static const int lengths[] = { 0, 1, 3, 4, 5, 8, 12, 17, 30, 100, 101, 104, 108, 112, 117, 130 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		stage = lengths[i];
		ends(says_all_types, (struct attack){ .silence = QUICK });
	}
	carry_out(0, 0);
}

static void never_rekeys(struct peer *p)
{
	peer_exec(p);
	say_text(p, "hello\n");
	if (stage == 0)
		put_kexinit(p, &p->server_kexinit);
	if (stage == 0)
		say(p, &p->server_kexinit);
	if (stage == 1)
		peer_propose(p);
	if (stage == 2) {
		p->kex = "liar";
		peer_propose(p);
	}
	peer_wait(p);
}

static void rekeys_with_another_key(struct peer *p)
{
	peer_exec(p);
	say_text(p, "hello\n");
	p->host_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	peer_propose(p);
	peer_exchange(p);
	say_text(p, "now I am another\n");
	say_end(p);
	peer_wait(p);
}

static void test_new_keys_that_never_come_cost_the_time_limit(void)
{
	for (stage = 0; stage < 3; stage++)
		fails(never_rekeys, (struct attack){ .silence = QUICK}, "");
	carry_out(4u << 20, 0);
}

static void test_another_host_key_in_the_middle(void)
{
	ends(rekeys_with_another_key, (struct attack){ .silence = QUICK });
	carry_out(0, 0);
}

/* --- a kept connection --------------------------------------------------------------------------------------------- */

static void turns_bad_when_idle(struct peer *p)
{
	struct ags_buf b = message((uint8_t)stage);

	peer_exec(p);
	say_text(p, "hello\n");
	say_end(p);
	hear(p, MSG_CLOSE);
	ags_buf_u8(&b, 1);
	put_text(&b, "x");
	for (;;)
		say(p, &b);
}

/* Over a fresh connection, if it comes to one. */
static void test_an_idle_connection_that_turns_bad_is_left(void)
{
	struct ags_pool *pool = new_pool();

	stage = MSG_IGNORE;
	ends(turns_bad_when_idle, (struct attack){ .connect = 4, .silence = QUICK });
	stage = MSG_REQUEST_SUCCESS;
	ends(turns_bad_when_idle, (struct attack){ .connect = 4, .silence = QUICK });
	CHECK(start_liars());
	strike_with(pool, 0, 0);
	pause_ms(300);
	strike_with(pool, 0, 0);
	ags_pool_free(pool);
	stop_liars();
}

/* --- through the program ssh --------------------------------------------------------------------------------------- */

static void test_what_the_program_ssh_says_of_a_liar_is_clean(void)
{
	const struct attack limits = { .connect = 2 * QUICK, .silence = 2 * QUICK };

	transport = "openssh";
	works(honest, (struct attack){0}, "hello\n");
	for (stage = 0; stage < 6; stage++)
		ends(says_goodbye, limits);
	ends(banner_and_refusal, limits);
	ends(lines_for_ever, limits);
	ends(drips_lines, limits);
	ends(knows_no_algorithm, limits);
	ends(signs_badly, limits);
	ends(refuses_a_channel, limits);
	ends(refuses_a_command, limits);
	ends(never_closes, limits);
	ends(dies_oddly, limits);
	carry_out(0, 0);
	transport = "libssh2";
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	libssh2_init(0);
	if (!sshd_new(&sshd, "")) {
		sshd_free(&sshd);
		return access("/usr/sbin/sshd", X_OK) == 0;
	}
	RUN(test_a_liar_that_does_not_lie_is_served);
	RUN(test_lines_without_a_banner_end);
	RUN(test_a_banner_that_drips_costs_the_time_limit);
	RUN(test_garbage_is_no_banner);
	RUN(test_a_key_exchange_that_never_ends_costs_the_time_limit);
	RUN(test_a_flood_before_the_keys_ends);
	RUN(test_algorithms_that_are_not_sound_are_refused);
	RUN(test_a_server_that_cannot_prove_its_key_is_refused);
	RUN(test_a_changed_host_key_is_refused);
	RUN(test_lengths_that_lie_are_refused);
	RUN(test_the_longest_packet_is_taken);
	RUN(test_a_packet_that_was_changed_is_refused);
	RUN(test_who_hangs_up_in_any_state_is_told);
	RUN(test_last_words_are_cleaned);
	RUN(test_a_login_that_leads_nowhere_ends);
	RUN(test_banners_at_login_are_not_kept);
	RUN(test_a_refusal_is_told);
	RUN(test_a_command_that_never_starts_costs_the_time_limit);
	RUN(test_a_window_that_stays_shut_costs_the_time_limit);
	RUN(test_windows_that_overflow_do_no_harm);
	RUN(test_data_beyond_the_window_are_not_kept);
	RUN(test_data_that_are_none_end);
	RUN(test_data_shorter_than_they_say_do_no_harm);
	RUN(test_output_without_end_is_cut);
	RUN(test_data_after_the_end_do_no_harm);
	RUN(test_a_command_without_an_end_costs_the_time_limit);
	RUN(test_an_odd_exit_status_is_no_success);
	RUN(test_a_signal_is_told_in_clean_words);
	RUN(test_requests_without_end_are_not_answered_for_ever);
	RUN(test_channels_of_the_server_are_not_opened);
	RUN(test_messages_without_a_meaning_are_not_kept);
	RUN(test_what_nobody_asked_for_has_a_ceiling);
	RUN(test_messages_that_are_cut_short_do_no_harm);
	RUN(test_new_keys_that_never_come_cost_the_time_limit);
	RUN(test_another_host_key_in_the_middle);
	RUN(test_an_idle_connection_that_turns_bad_is_left);
	RUN(test_what_the_program_ssh_says_of_a_liar_is_clean);
	sshd_free(&sshd);
	libssh2_exit();
	return check_result();
}
