/* The sender machine against stock rsync --server, over pipes. */
#include "unit/check.h"
#include "unit/push.h"

#include <time.h>

static const enum ags_encoding with_zstd[] = { AGS_ENCODING_ZSTD }, with_zlib[] = { AGS_ENCODING_ZLIB }, with_lz4[] = { AGS_ENCODING_LZ4 };
static const char *const one[] = { "d1" }, *const three[] = { "d1", "d2", "d3" };

static void make_tree(void)
{
	push_sh("rm -rf src d1 d2 d3 && mkdir -p src/dir/sub src/empty src/foo.bar src/foo && cp /usr/bin/perl src/big && "
	        "seq 1 20000 > src/text && head -c 100000 /dev/urandom > src/random && : > src/none && ln -s text src/link && "
	        "ln -s /nowhere src/dir/dangling && echo x > 'src/dir/a b' && printf 'q' > src/dir/sub/\"'\" && chmod 750 src/dir && "
	        "printf 'n' > \"$(printf 'src/new\\nline')\" && printf 'u' > \"$(printf 'src/\\377\\376')\" && touch -d 2001-02-03 src/text && "
	        "mkfifo src/pipe && for i in $(seq 300); do echo $i > src/foo/f$i; done && "
	        /* rsync compares whole seconds */
	        "find src -mindepth 1 ! -name text -exec touch -h -d 2011-12-13 {} + && touch -d 2011-12-13 src");
}

static void push_all(struct push *p, const char *const *dests, size_t count)
{
	CHECK(push_begin(p, "src", dests, count));
	push_run(p);
	for (size_t i = 0; i < count; i++) {
		CHECK(push_ended_well(&p->peers[i]));
		CHECK(push_is_equal("src", dests[i]));
	}
}

static void test_a_first_copy_arrives_whole(void)
{
	struct push p = { .job = { .delete_extraneous = true } };

	make_tree();
	push_all(&p, three, 3);
	CHECK(ags_sender_counts(p.peers[0].sender)->sent > 300);
	push_free(&p);
}

static void test_nothing_is_sent_when_nothing_changed(void)
{
	struct push p = { .job = { .delete_extraneous = true } };

	push_all(&p, three, 3);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(ags_sender_counts(p.peers[i].sender)->sent, 0);
		CHECK_INT(ags_sender_counts(p.peers[i].sender)->changes, 0);
	}
	push_free(&p);
}

static void test_a_delta_is_computed_once_for_equal_receivers(void)
{
	struct push p = { .job = { .delete_extraneous = true } };
	struct ags_answers_stats stats;

	push_sh("printf inserted | dd of=src/big bs=1 seek=70000 conv=notrunc 2>/dev/null && echo more >> src/text && rm src/none && "
	        "echo gone > d2/extra && mkdir d3/dir2 && echo gone > d3/dir2/f");
	push_all(&p, three, 3);
	ags_answers_stats(p.answers, &stats);
	CHECK_INT(stats.computed, 2);
	CHECK_INT(stats.shared, 4);
	CHECK(ags_sender_counts(p.peers[0].sender)->matched > 1000000);
	CHECK_INT(ags_sender_counts(p.peers[1].sender)->deleted, 2);
	CHECK_INT(ags_sender_counts(p.peers[2].sender)->deleted, 3);
	push_free(&p);
}

static void test_different_old_files_get_different_deltas(void)
{
	struct push p = { .job = { .delete_extraneous = true } };

	push_sh("head -c 2000000 /dev/urandom > d1/big && cp src/text d2/big && rm d3/big && truncate -s 500000 d2/random");
	push_all(&p, three, 3);
	push_free(&p);
}

static void test_compressed(const enum ags_encoding *encoding)
{
	struct push p = { .job = { .delete_extraneous = true, .compress = true, .encodings = encoding, .encoding_count = 1 } };

	make_tree();
	push_all(&p, three, 3);
	CHECK(ags_sender_counts(p.peers[0].sender)->wire_bytes < 3000000);
	push_free(&p);
	p = (struct push){ .job = { .delete_extraneous = true, .compress = true, .encodings = encoding, .encoding_count = 1 } };
	push_sh("printf other | dd of=src/big bs=1 seek=170000 conv=notrunc 2>/dev/null; sed -i s/77/88/ src/text; "
	        "head -c 1000000 src/big > d1/big; (cat src/text; head -c 500000 src/big) > d2/text");
	push_all(&p, three, 3);
	CHECK(ags_sender_counts(p.peers[0].sender)->matched > 500000);
	push_free(&p);
}

static void test_zstd_arrives_whole_and_as_delta(void)
{
	test_compressed(with_zstd);
}

static void test_zlib_arrives_whole_and_as_delta(void)
{
	test_compressed(with_zlib);
}

static void test_lz4_arrives_whole_and_as_delta(void)
{
	test_compressed(with_lz4);
}

/* Without the letters v and u a newer rsync negotiates nothing and lists files as 3.1 does. */
static void check_old(const char *program)
{
	for (int round = 0; round < 4; round++) {
		const struct ags_sender_job job = {
			.delete_extraneous = true, .is_old = true, .compress = round % 2, .encodings = with_zstd, .encoding_count = 1, .checksum = round == 3,
			.hard_links = round >= 2,
		};
		struct push p = { .job = job, .program = program };

		make_tree();
		push_sh("ln src/text src/foo/text; ln src/pipe src/foo/pipe; rm -rf d2 && cp -a src d2 && seq 1 19000 > d2/text && head -c 900000 src/big > d2/big; "
		        "mkdir d2/old && touch d2/old/x");
		push_all(&p, three, 3);
		if (round % 2)
			CHECK(ags_sender_counts(p.peers[0].sender)->wire_bytes < 3000000);
		CHECK(ags_sender_counts(p.peers[1].sender)->matched > 500000);
		push_free(&p);
		p = (struct push){ .job = job, .program = program };
		push_all(&p, three, 3);
		CHECK_INT(ags_sender_counts(p.peers[0].sender)->changes, 0);
		push_free(&p);
	}
}

static void test_the_older_dialect_is_spoken(void)
{
	check_old("rsync");
}

static void test_an_old_rsync_is_pushed_to(void)
{
	if (getenv("RSYNC_OLD") == NULL)
		printf("skip an_old_rsync_is_pushed_to - RSYNC_OLD names no rsync 3.1.3\n");
	else
		check_old(getenv("RSYNC_OLD"));
}

static void test_bytes_may_come_and_go_one_by_one(void)
{
	struct push p = { .job = { .delete_extraneous = true }, .feed_max = 1, .write_max = 1 };

	push_sh("rm -rf src d1 && mkdir -p src/d d1 && seq 1 2000 > src/a && seq 1 1990 > d1/a && echo x > d1/gone && echo y > src/d/y");
	push_all(&p, one, 1);
	push_free(&p);
}

static void test_pieces_of_any_size_make_the_same(void)
{
	for (size_t n = 2; n < 40; n += 5) {
		struct push p = { .job = { .delete_extraneous = true }, .feed_max = n, .write_max = n * 7 };

		push_sh("rm -rf src d1 && mkdir -p src/d d1 && seq 1 2000 > src/a && seq 1 1990 > d1/a && echo y > src/d/y");
		push_all(&p, one, 1);
		push_free(&p);
	}
}

static void test_nothing_switches_before_the_release(void)
{
	struct push p = { .job = { .delete_extraneous = true }, .hold = true };

	make_tree();
	push_sh("cp -a src d1; cp -a src d2; echo old > d1/text; echo old > d2/text; echo old > d1/extra; echo old > d2/extra");
	CHECK(push_begin(&p, "src", three, 2));
	push_run(&p);
	for (int i = 0; i < 2; i++)
		CHECK_INT(ags_sender_phase(p.peers[i].sender), AGS_SENDER_STAGED);
	CHECK_INT(push_sh("test \"$(cat d1/text d2/text d1/extra d2/extra | uniq -c | tr -d ' ')\" = 4old"), 0);
	p.hold = false;
	push_run(&p);
	for (int i = 0; i < 2; i++) {
		CHECK(push_ended_well(&p.peers[i]));
		CHECK(push_is_equal("src", three[i]));
	}
	push_free(&p);
}

static void test_a_receiver_that_is_cut_while_held_serves_the_old(void)
{
	struct push p = { .job = { .delete_extraneous = true }, .hold = true };

	make_tree();
	push_sh("cp -a src d1; echo old > d1/text; echo old > d1/extra");
	CHECK(push_begin(&p, "src", one, 1));
	push_run(&p);
	push_end(&p.peers[0]);
	CHECK_INT(push_sh("test \"$(cat d1/text d1/extra | uniq -c | tr -d ' ')\" = 2old"), 0);
	push_free(&p);
	p = (struct push){ .job = { .delete_extraneous = true } };
	push_all(&p, one, 1);
	CHECK_INT(push_sh("test -z \"$(find d1 -name .~tmp~)\""), 0);
	push_free(&p);
}

static void test_a_dry_run_changes_nothing_and_tells_all(void)
{
	struct push p = { .job = { .delete_extraneous = true, .dry_run = true, .itemize = true } };

	make_tree();
	push_sh("cp -a src d1; echo old > d1/text; echo old > d1/extra; rm d1/link; chmod 700 d1/dir; cp -a d1 d2");
	CHECK(push_begin(&p, "src", one, 1));
	push_run(&p);
	CHECK(push_ended_well(&p.peers[0]));
	CHECK_INT(p.peers[0].items, 4);             /* text, link, dir, and the root's time */
	CHECK_INT(p.peers[0].deletions, 1);
	CHECK_INT(push_sh("diff -r --no-dereference d1 d2 2>/dev/null | grep -v fifo | wc -l | grep -qx 0"), 0);
	push_free(&p);
}

static void change_during(struct push *p)
{
	(void)p;
	push_sh("head -c 300000 /dev/urandom > src/random");
}

static void test_a_file_changed_after_the_list_arrives_as_it_is(void)
{
	struct push p = { .job = { .delete_extraneous = true } };
	size_t complaints;

	make_tree();
	CHECK(push_begin(&p, "src", three, 2));
	change_during(&p);
	push_run(&p);
	CHECK(push_ended_well(&p.peers[0]));
	CHECK_INT(push_sh("cmp src/random d1/random && cmp src/random d2/random"), 0);
	CHECK(ags_answers_complaints(p.answers, &complaints) != NULL && complaints == 1);
	push_free(&p);
}

static void test_a_vanished_file_is_passed_over(void)
{
	struct push p = { .job = { .delete_extraneous = true } };
	const struct ags_complaint *complaints;
	size_t count;

	make_tree();
	CHECK(push_begin(&p, "src", one, 1));
	push_sh("rm src/text");
	push_run(&p);
	CHECK(push_ended_well(&p.peers[0]));
	complaints = ags_answers_complaints(p.answers, &count);
	CHECK_INT(count, 1);
	CHECK_INT(complaints[0].sys, ENOENT);
	CHECK(ags_answers_unreadable(p.answers) == NULL);
	CHECK_INT(push_sh("test ! -e d1/text"), 0);
	push_free(&p);
}

static void test_checksum_finds_what_size_and_time_hide(void)
{
	struct push p = { .job = { .delete_extraneous = true } };

	make_tree();
	push_sh("cp -a src d1; printf X | dd of=d1/text bs=1 seek=5 conv=notrunc 2>/dev/null; touch -r src/text d1/text");
	CHECK(push_begin(&p, "src", one, 1));
	push_run(&p);
	CHECK_INT(ags_sender_counts(p.peers[0].sender)->sent, 0);
	push_free(&p);
	p = (struct push){ .job = { .delete_extraneous = true, .checksum = true } };
	push_all(&p, one, 1);
	CHECK_INT(ags_sender_counts(p.peers[0].sender)->sent, 1);
	push_free(&p);
}

/* Sends 5 MB of a file that changes under the first reading, so that its check fails and it is asked for again. */
/* The numbers of files by which the names fall into groups, and their content. */
#define LINK_GROUPS "(cd %s && find . ! -type d -printf '%%i %%P\\n' | sort -k2 | awk '{ if (!($1 in n)) n[$1] = ++k; print n[$1], $2 }')"

static void check_links(const char *dest)
{
	CHECK_INT(push_sh("test -z \"$(rsync -naicH --delete src/ %s/ | tee /dev/stderr)\"", dest), 0);
	CHECK_INT(push_sh("test \"$" LINK_GROUPS "\" = \"$" LINK_GROUPS "\"", "src", dest), 0);
}

static void test_names_of_one_file_stay_so(void)
{
	struct push p = { .job = { .delete_extraneous = true, .hard_links = true } };

	push_sh("rm -rf src d1 d2 d3 && mkdir -p src/a src/b/c && seq 1 9999 > src/one && ln src/one src/b/c/one && ln src/one src/a/uno && "
	        "seq 2 99999 > src/a/two && ln src/a/two src/b/two && echo x > src/b/x && ln src/b/x src/b/y && ln -s nowhere src/l && ln src/l src/b/l && "
	        "ln src/b/x src/b/c/x && : > src/empty && ln src/empty src/a/empty && echo alone > src/alone && mkfifo src/pipe && ln src/pipe src/a/pipe && "
	        "find src -exec touch -h -d 2011-12-13 {} + && cp -a src d2 && mkdir d3 && cp --preserve=all -r src/. d3/ && "
	        /* d2: all names apart but for two that do not belong together; d3: one group is older, one has lost a name */
	        "rm -rf d2 && cp -r --preserve=timestamps,mode --no-preserve=links -d src d2 && ln -f d2/b/x d2/b/two && seq 1 9990 > d3/one && rm d3/b/two");
	CHECK(push_begin(&p, "src", three, 3));
	push_run(&p);
	for (int i = 0; i < 3; i++) {
		CHECK(push_ended_well(&p.peers[i]));
		check_links(three[i]);
	}
	/* of a group one name is asked for */
	CHECK_INT(ags_sender_counts(p.peers[0].sender)->sent, 5);
	push_free(&p);
	p = (struct push){ .job = { .delete_extraneous = true, .hard_links = true } };
	CHECK(push_begin(&p, "src", three, 3));
	push_run(&p);
	for (int i = 0; i < 3; i++) {
		CHECK(push_ended_well(&p.peers[i]));
		CHECK_INT(ags_sender_counts(p.peers[i].sender)->changes, 0);
	}
	push_free(&p);
}

static void test_names_of_one_changed_file_switch_at_the_release(void)
{
	struct push p = { .job = { .delete_extraneous = true, .hard_links = true }, .hold = true };

	push_sh("rm -rf src d1 && mkdir -p src/a && seq 1 9999 > src/one && ln src/one src/a/one && ln src/one src/two && cp -a src d1 && seq 3 9999 > src/one");
	CHECK(push_begin(&p, "src", one, 1));
	push_run(&p);
	CHECK_INT(push_sh("test $(head -qn1 d1/one d1/two d1/a/one | uniq -c | tr -d ' ') = 31"), 0);
	p.hold = false;
	push_run(&p);
	CHECK(push_ended_well(&p.peers[0]));
	check_links("d1");
	push_free(&p);
}

/* rsync lists names in the order of the list and is right whatever groups there are. */
static void test_random_groups_of_names_stay_so(void)
{
	unsigned seed = (unsigned)time(NULL);

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < 8 && check_failures == 0; round++) {
		struct push p = { .job = { .delete_extraneous = true, .hard_links = true, .checksum = round % 2 } };

		push_sh("rm -rf src d1 d2 d3 && mkdir -p src/d1/e src/d2 src/d3/e/f && cd src && for i in $(seq 12); do echo $i > f$i; done && mknod null c 1 3 2>/dev/null; "
		        "mknod tty c 5 0 2>/dev/null; mknod zero c 1 5 2>/dev/null; RANDOM=%ld; for i in $(seq 60); do "
		        "set -- f1 f2 f3 f4 f5 f6 f7 f8 null tty zero; shift $((i * 7 %% 11)); d=$(find . -type d | sort | sed -n $((i * 5 %% 7 + 1))p); "
		        "case $((%ld + i * i)) in *[0-6]) ln $1 $d/n$i 2>/dev/null;; *) cp -a $1 $d/n$i 2>/dev/null;; esac; done; find . -exec touch -h -d 2011-12-13 {} +; "
		        "cd .. && cp -a src d2 && rm -f d2/f[1-4] d2/d3/e/* 2>/dev/null; cp -r -d --no-preserve=links src d3", random() % 32768, random() % 1000);
		CHECK(push_begin(&p, "src", three, 3));
		push_run(&p);
		for (int i = 0; i < 3; i++) {
			CHECK(push_ended_well(&p.peers[i]));
			check_links(three[i]);
		}
		push_free(&p);
	}
}

static void test_devices_arrive(void)
{
	struct push p = { .job = { .delete_extraneous = true } };

	push_sh("rm -rf src d1 && mkdir -p src/d");
	if (push_sh("mknod src/null c 1 3 2>/dev/null") != 0) {
		printf("skip devices_arrive - devices cannot be made here\n");
		return;
	}
	push_sh("mknod src/zero c 1 5 && mknod src/loop b 7 300 && mknod src/d/big c 300 70000 && mkfifo src/d/pipe && "
	        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"src/d/socket\")' && touch -d 2011-12-13 src/* src/d/* src/d src");
	CHECK_INT(push_sh("test -S src/d/socket"), 0);
	push_all(&p, one, 1);
	CHECK_INT(push_sh("test \"$(cd src && stat -c '%%n %%F %%t %%T' * */*)\" = \"$(cd d1 && stat -c '%%n %%F %%t %%T' * */*)\""), 0);
	push_free(&p);
}

static void test_a_file_with_holes_arrives(void)
{
	struct push p = { .job = { .delete_extraneous = true, .compress = true, .encodings = with_zstd, .encoding_count = 1 } };

	push_sh("rm -rf src d1 d2 d3 && mkdir src && truncate -s 64M src/holes && for at in 0 5000000 40000000 67108860; do "
	        "printf data | dd of=src/holes bs=1 seek=$at conv=notrunc 2>/dev/null; done; touch -d 2011-12-13 src/holes; mkdir -p d3 && truncate -s 64M d3/holes; "
	        "test $(du -k src/holes | cut -f1) -lt 1000");
	push_all(&p, three, 3);
	CHECK(ags_sender_counts(p.peers[0].sender)->wire_bytes < 100000);
	CHECK(ags_sender_counts(p.peers[2].sender)->matched > 60000000);
	push_free(&p);
}

static void test_a_file_changed_while_sent_is_sent_again(void)
{
	struct push p = { .job = { .delete_extraneous = true }, .write_max = 4096 };
	bool changed = false;

	push_sh("rm -rf src d1 && mkdir src d1 && head -c 9000000 /dev/urandom > src/f && head -c 100 /dev/urandom > src/g");
	CHECK(push_begin(&p, "src", one, 1));
	while (!p.peers[0].is_over) {
		push_step(&p, &p.peers[0]);
		if (!changed && ags_sender_counts(p.peers[0].sender)->wire_bytes > 2000000) {
			changed = true;
			push_sh("head -c 8000000 /dev/urandom > src/f");
		}
	}
	CHECK(changed);
	CHECK(push_ended_well(&p.peers[0]));
	CHECK_INT(push_sh("cmp src/f d1/f"), 0);
	push_free(&p);
}

int main(void)
{
	snprintf(push_dir, sizeof(push_dir), "/tmp/ags-sender-XXXXXX");
	if (mkdtemp(push_dir) == NULL)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	RUN(test_a_first_copy_arrives_whole);
	RUN(test_nothing_is_sent_when_nothing_changed);
	RUN(test_a_delta_is_computed_once_for_equal_receivers);
	RUN(test_different_old_files_get_different_deltas);
	RUN(test_zstd_arrives_whole_and_as_delta);
	RUN(test_zlib_arrives_whole_and_as_delta);
	RUN(test_lz4_arrives_whole_and_as_delta);
	RUN(test_the_older_dialect_is_spoken);
	RUN(test_an_old_rsync_is_pushed_to);
	RUN(test_bytes_may_come_and_go_one_by_one);
	RUN(test_pieces_of_any_size_make_the_same);
	RUN(test_nothing_switches_before_the_release);
	RUN(test_a_receiver_that_is_cut_while_held_serves_the_old);
	RUN(test_a_dry_run_changes_nothing_and_tells_all);
	RUN(test_a_file_changed_after_the_list_arrives_as_it_is);
	RUN(test_a_vanished_file_is_passed_over);
	RUN(test_checksum_finds_what_size_and_time_hide);
	RUN(test_names_of_one_file_stay_so);
	RUN(test_names_of_one_changed_file_switch_at_the_release);
	RUN(test_random_groups_of_names_stay_so);
	RUN(test_devices_arrive);
	RUN(test_a_file_with_holes_arrives);
	RUN(test_a_file_changed_while_sent_is_sent_again);
	push_sh("rm -rf %s", push_dir);
	return check_result();
}
