#ifndef AGS_SCALE_FETCH_H
#define AGS_SCALE_FETCH_H

#include "scale/sync.h"

/*
 * Brings what is new in directories of all servers of a group to this machine. Nothing here is ever deleted.
 *
 *   server ── channel ──► bridge ──► rsync, here ──► .aegir-fetch.NONCE/SERVER ──┐
 *   server ── channel ──► bridge ──► rsync, here ──► .aegir-fetch.NONCE/SERVER ──┴─► merge, by renames ──► the directory
 *
 * Stock rsync is the receiver: its remote shell is a fixed command that hands over what it was asked to run, and then copies bytes between
 * rsync and a socket of ours. It compares with the directory here, so that only what differs is sent.
 *
 * A directory that a killed call has left is removed by the next one beside it: it is locked for as long as its call lives.
 *
 * Of files with one name the newest wins, and is never put over one here that is newer. A time more than an hour ahead of ours wins over
 * nothing. Other content under that name, of a server or older than what is here, is kept as NAME.SERVER-CONFLICT and told as a warning.
 * Only regular files and directories are brought. Where some servers have a directory and others a file, what is here decides, else the
 * directory comes.
 */

/* Of the options filter, include, exclude, checksum, itemize, servers, parallel, connect_timeout and timeout are used. A server's
 * result has the files that were brought from it. A server that failed adds nothing. */
bool ags_fetch(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
               const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err);

#endif
