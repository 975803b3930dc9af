/*
 * What stock receivers said in real sessions must lead to the end again, whatever has become of the sender.
 *
 * A recorded session is {options, largest piece; 0: byte by byte} and what the receiver said. They are also the seeds of
 * tests/fuzz/fuzz_receiver.c; those that the fuzzer found beside them, named by a digest, are no whole sessions. "test_recorded record"
 * makes them anew.
 */
#include "unit/receiver.h"
#include "unit/push.h"
#include "rsync/sender_private.h"

#include <dirent.h>

static struct rx_job tree;

static void replay(const char *name)
{
	struct rx_script s = {0};
	char path[512];
	uint8_t bytes[65536];
	size_t n;
	FILE *f;
	struct rx r;

	snprintf(path, sizeof(path), RX_SEEDS "/%s", name);
	f = fopen(path, "r");
	n = f != NULL ? fread(bytes, 1, sizeof(bytes), f) : 0;
	CHECK(n > 2 && n < sizeof(bytes));
	if (n <= 2)
		return;
	fclose(f);
	rx_job_options(&tree.job, bytes[0]);
	rx_raw(&s, bytes + 2, n - 2);
	rx_begin(&r, &tree);
	if (!rx_play(&r, &s, RX_EACH) || ags_sender_phase(r.sender) != AGS_SENDER_DONE) {
		fprintf(stderr, "%s: phase %d, \"%s\"\n", name, ags_sender_phase(r.sender), r.err.message);
		check_failures++;
	}
	CHECK_INT(rx_heard(&r, 0, NULL), 4);
	rx_end(&r);
	rx_script_free(&s);
}

static void test_recorded_sessions_lead_to_the_end(void)
{
	DIR *dir = opendir(RX_SEEDS);
	struct dirent *e;
	unsigned count = 0;

	CHECK(dir != NULL && rx_job_init(&tree, RX_TREE));
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && strspn(e->d_name, "0123456789abcdef") != 40) {
			replay(e->d_name);
			count++;
		}
	CHECK(count >= 8);
	closedir(dir);
	rx_job_fini(&tree);
}

static void record(const char *name, uint8_t options, const char *prepare, uint64_t damage_at)
{
	static const char *const dests[] = { "d" };
	struct push p = {0};
	struct ags_buf said = AGS_BUF_INIT;
	const uint8_t head[2] = { options, 0 };
	char path[512];
	FILE *f;

	CHECK(ags_buf_add(&said, head, 2));
	CHECK_INT(push_sh("rm -rf src d && mkdir src d && (cd src && " RX_TREE ") && %s", prepare), 0);
	rx_job_options(&p.job, options);
	p.peers[0].record = &said;
	p.peers[0].damage_at = damage_at;
	CHECK(push_begin(&p, "src", dests, 1));
	push_run(&p);
	CHECK(push_ended_well(&p.peers[0]));
	fprintf(stderr, "%s: %zu bytes, %llu files again\n", name, ags_buf_len(&said), (unsigned long long)p.peers[0].sender->redone);
	snprintf(path, sizeof(path), RX_SEEDS "/%s", name);
	f = fopen(path, "w");
	CHECK(f != NULL && fwrite(ags_buf_bytes(&said), 1, ags_buf_len(&said), f) == ags_buf_len(&said) && fclose(f) == 0);
	ags_buf_free(&said);
	push_free(&p);
}

static int record_all(void)
{
	const char *older = "cp -a src/. d && sed -i s/77/x/ d/a && rm d/dir/x && echo gone > d/gone && mkdir d/dir2 && chmod 600 d/b";

	snprintf(push_dir, sizeof(push_dir), "/tmp/ags-record-XXXXXX");
	if (mkdtemp(push_dir) == NULL)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	record("first-copy", 0, "true", 0);
	record("nothing-to-do", 0, "touch -d 2001-02-03 src && cp -a src/. d", 0);
	record("delta", 0, older, 0);
	record("keep", RX_KEEP, older, 0);
	record("dry-run", RX_DRY_RUN, older, 0);
	record("again", 0, "true", 3000);
	record("delta-again", 0, older, 1500);
	record("zstd", RX_ZSTD, "true", 0);
	record("zstd-delta", RX_ZSTD, older, 0);
	record("zlib", RX_ZLIB, "true", 0);
	record("zlib-delta", RX_ZLIB, older, 0);
	setenv("RSYNC_CHECKSUM_LIST", "md5", 1);
	record("md5-delta", 0, older, 0);
	push_sh("rm -rf %s", push_dir);
	return check_failures > 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "record") == 0)
		return record_all();
	RUN(test_recorded_sessions_lead_to_the_end);
	return check_result();
}
