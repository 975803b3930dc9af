#include "ssh/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREAD_STACK (512u << 10)       /* the resolver's plug-ins keep whole answers on the stack */

struct ags_lookup {
	atomic_int holders;               /* the owner and the thread */
	atomic_bool is_done;
	int event;
	int status, sys;                  /* of getaddrinfo() */
	struct addrinfo *found;
	char port[8];
	char host[];
};

static int resolve(struct ags_lookup *lookup, int flags);
static bool start_thread(struct ags_lookup *lookup);
static void *run(void *arg);
static void release(struct ags_lookup *lookup);

struct ags_lookup *ags_lookup_new(const char *host, uint16_t port, struct ags_err *err)
{
	size_t len = strlen(host) + 1;
	struct ags_lookup *lookup = calloc(1, sizeof(*lookup) + len);

	if (lookup == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	memcpy(lookup->host, host, len);
	snprintf(lookup->port, sizeof(lookup->port), "%u", port);
	lookup->event = -1;
	atomic_init(&lookup->holders, 1);
	if (resolve(lookup, AI_NUMERICHOST) != EAI_NONAME) {
		atomic_store(&lookup->is_done, true);
		return lookup;
	}
	lookup->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lookup->event < 0 || !start_thread(lookup)) {
		ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot start to look up a name");
		release(lookup);
		return NULL;
	}
	return lookup;
}

int ags_lookup_fd(const struct ags_lookup *lookup)
{
	return lookup->event;
}

enum ags_step ags_lookup_step(struct ags_lookup *lookup, struct addrinfo **found, struct ags_err *err)
{
	if (!atomic_load(&lookup->is_done))
		return AGS_AGAIN;
	if (lookup->status == EAI_SYSTEM)
		return ags_fail_step(err, AGS_CONNECT, "cannot look up %s: error %d", lookup->host, lookup->sys);
	if (lookup->status != 0)
		return ags_fail_step(err, AGS_CONNECT, "cannot look up %s: %s", lookup->host, gai_strerror(lookup->status));
	*found = lookup->found;
	lookup->found = NULL;
	return AGS_DONE;
}

void ags_lookup_free(struct ags_lookup *lookup)
{
	if (lookup != NULL)
		release(lookup);
}

static int resolve(struct ags_lookup *lookup, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };

	lookup->status = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
	lookup->sys = errno;
	return lookup->status;
}

/* Signals are the business of the thread that called us. */
static bool start_thread(struct ags_lookup *lookup)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&lookup->holders, 2);
	rc = pthread_create(&thread, &attr, run, lookup);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		return true;
	atomic_store(&lookup->holders, 1);
	errno = rc;
	return false;
}

static void *run(void *arg)
{
	struct ags_lookup *lookup = arg;
	uint64_t one = 1;

	resolve(lookup, AI_ADDRCONFIG);
	atomic_store(&lookup->is_done, true);
	if (write(lookup->event, &one, sizeof(one)) < 0) { /* cannot fail: the counter was 0 */ }
	release(lookup);
	return NULL;
}

static void release(struct ags_lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->holders, 1) != 1)
		return;
	if (lookup->found != NULL)
		freeaddrinfo(lookup->found);
	if (lookup->event >= 0)
		close(lookup->event);
	free(lookup);
}
