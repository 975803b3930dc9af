#ifndef AGS_RSYNC_SENDER_H
#define AGS_RSYNC_SENDER_H

#include "rsync/answers.h"

/*
 * One receiver's conversation, as a machine that is fed bytes and yields bytes.
 *
 *   receiver ── bytes ──► feed ──► requests ──► answers (shared) ──► output ── bytes ──► receiver
 *
 *   HANDSHAKE ─► LIST ─► TRANSFER ─► STAGED ═► COMMIT ─► DELETE ─► DONE
 *                                       ║ waits here until ags_sender_release()
 *
 * It speaks protocol 31 and 32 with stock rsync --server, 3.1.2 or newer, non-incremental, with --delay-updates
 * and --delete-after, so that nothing a receiver serves has changed before the release, apart from what rsync does not
 * delay: new directories, symlinks, devices, and changes of attributes only.
 *
 * STAGED is reached only when the receiver has written and verified every file. After a second round for files that failed
 * their check it is asked to echo a message, which it does after all that was sent before.
 */
enum ags_sender_phase {
	AGS_SENDER_HANDSHAKE,        /* version, flags, names of algorithms, seed */
	AGS_SENDER_LIST,             /* waits for the list to be ready, and sends it */
	AGS_SENDER_TRANSFER,
	AGS_SENDER_STAGED,
	AGS_SENDER_COMMIT,
	AGS_SENDER_DELETE,
	AGS_SENDER_DONE              /* the last goodbye has come; the receiver exits now */
};

/* As many as receivers may choose from: two of flags, or three of flags and digest where files have checksums, each with or without a name for
 * id 0, with or without the way to dest. A round that only looks goes without checksums. */
#define AGS_LIST_FORMATS (8 + 12)

/* What all receivers of one call share. */
struct ags_sender_job {
	const struct ags_filelist *list;
	struct ags_answers *answers;            /* NULL until the list is ready */
	const struct ags_buf *rules;            /* the encoded filter list */
	struct ags_piece *lists[AGS_LIST_FORMATS];      /* encoded, by ags_list_format; made when first needed, dropped by the job's owner */
	struct ags_list_format formats[AGS_LIST_FORMATS];
	int32_t  seed;                          /* random, not 0 */
	bool is_old;                            /* the command is for rsync 3.1.2 to 3.1.3, which cannot do with the newer one */
	uint32_t timeout;                       /* seconds, given to the receiver; 0: none */
	uint32_t skip;                          /* entries at the front of the list that are the way to dest: newer receivers do not get them */
	const uint32_t *source_ndx;             /* of each entry of the list in the list that the answers are for; NULL: the same */
	bool delete_extraneous, dry_run, itemize;
	bool at_once;                           /* files are not staged: each is renamed as it comes */
	bool has_max_delete;                    /* the receiver stops when it has deleted so many, and then fails */
	uint32_t max_delete;
	bool relative;                          /* the list has implied directories: made when missing, never changed */
	bool checksum, numeric_ids, keep_dirlinks, omit_dir_times, update, hard_links;
	bool compress;                          /* let the receiver choose from encodings */
	const enum ags_encoding *encodings;     /* in the order we like them */
	size_t encoding_count;
	const char *const *link_dest;           /* directories on the server to hard-link unchanged files from, asked in this order */
	size_t link_dest_count;                 /* at most AGS_MAX_LINK_DEST */
};

/* May all be NULL. */
struct ags_sender_events {
	void *arg;
	/* The receiver will change, or has changed, this entry; rsync's itemize flags. */
	void (*item)(void *arg, uint32_t ndx, uint16_t flags);
	/* It deletes this name; path as the receiver says it. Only with itemize or dry_run. */
	void (*deleted)(void *arg, const char *path, size_t len);
};

struct ags_sender_counts {
	uint64_t requested, requested_bytes;    /* files asked for, and their sizes in the list */
	uint64_t sent, sent_bytes;              /* of those, answered */
	uint64_t matched;                       /* bytes the receiver had already */
	uint64_t deleted;                       /* as the receiver counts */
	uint64_t changes;                       /* items that change something, and deletions */
	uint64_t wire_bytes;                    /* given out by ags_sender_output() */
};

struct ags_sender;

/* The command to run on the server, argv in arena. dest is a directory, absolute, with a slash at its end: where the list begins, skipped
 * entries left out of it. */
bool ags_sender_command(const struct ags_sender_job *job, const char *dest, struct ags_arena *arena,
                        const char *const **argv, size_t *argc);

/* Borrows the job and the events' arg. NULL on lack of memory. */
struct ags_sender *ags_sender_new(struct ags_sender_job *job, const struct ags_sender_events *events);
void ags_sender_free(struct ags_sender *s);

/* Takes all n bytes of the receiver's standard output. False when the receiver broke the protocol or said that it dies; after that
 * the output ends with what was begun, and an answer to a receiver that dies. */
bool ags_sender_feed(struct ags_sender *s, const uint8_t *bytes, size_t n, struct ags_err *err);
/* False while enough of its requests are waiting: do not read from it now. */
bool ags_sender_wants_input(const struct ags_sender *s);

/* AGS_DONE: *n > 0 bytes to write, the same until consumed. AGS_AGAIN: nothing now. */
enum ags_step ags_sender_output(struct ags_sender *s, const uint8_t **bytes, size_t *n, struct ags_err *err);
void ags_sender_consume(struct ags_sender *s, size_t n);
/* AGS_AGAIN was because slower receivers must catch up. */
bool ags_sender_is_starved(const struct ags_sender *s);

/* An empty frame, so that the receiver's clock starts again while the list is not ready. */
bool ags_sender_keep_alive(struct ags_sender *s);

enum ags_sender_phase ags_sender_phase(const struct ags_sender *s);
bool ags_sender_heard_nothing(const struct ags_sender *s);           /* not a byte has come */
bool ags_sender_was_asked(const struct ags_sender *s, uint32_t ndx);    /* for this file's content */
void ags_sender_release(struct ags_sender *s);                       /* let it commit */
void ags_sender_is_old(struct ags_sender *s);                        /* its command was the one for rsync 3.1: nothing of the list is skipped */
const struct ags_sender_counts *ags_sender_counts(const struct ags_sender *s);

/* The first error text the receiver sent, cleaned; "" when there was none. A receiver that reported one is not in step, whatever
 * its phase; deletions are withheld from it. */
const char *ags_sender_complaint(const struct ags_sender *s);

/* What an item's flags say of its entry: it is not there yet, only its time differs, its content is asked for. */
bool ags_item_is_new(uint16_t flags);
bool ags_item_is_time_only(uint16_t flags);
bool ags_item_is_sent(uint16_t flags);

/* rsync's --itemize-changes for an entry: 11 characters and NUL. */
void ags_itemize(const struct ags_entry *entry, uint16_t flags, char code[12]);

#endif
