#ifndef AGS_TESTS_SSHD_H
#define AGS_TESTS_SSHD_H

#include "ssh/channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A throw-away stock sshd on 127.0.0.1 with a folder of its own: keys, known_hosts, configuration. Everything is removed again.
 */
struct sshd {
	char folder[64];
	char known_hosts[128], identity[128], user[64];
	uint16_t port;
	pid_t pid;
};

static inline int sh(const char *format, ...)
{
	char command[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

static inline void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (f != NULL) {
		fputs(text, f);
		fclose(f);
	}
}

/* A listening socket on a free port of 127.0.0.1. */
static inline int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -1;
	*port = ntohs(at.sin_port);
	return fd;
}

static inline bool sshd_answers(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	struct sockaddr_in mine = { .sin_port = 0 };
	socklen_t len = sizeof(mine);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && getsockname(fd, (struct sockaddr *)&mine, &len) == 0;

	close(fd);
	return answers && mine.sin_port != at.sin_port;           /* where nobody listens one may meet oneself */
}

static inline bool sshd_start(struct sshd *d, const char *more)
{
	char config[2048], path[256];

	snprintf(config, sizeof(config),
	         "Port %u\nListenAddress 127.0.0.1\nHostKey %s/host\nPidFile none\nUsePAM no\nStrictModes no\n"
	         "AuthorizedKeysFile %s/authorized\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
	         "MaxStartups 200\nLogLevel ERROR\nPermitRootLogin yes\n%s\n", d->port, d->folder, d->folder, more);
	write_file(d->folder, "config", config);
	snprintf(path, sizeof(path), "%s/config", d->folder);
	d->pid = fork();
	if (d->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		if (getenv("SSHD_LOG") == NULL)
			dup2(null, 2);
		execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-e", "-f", path, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		if (sshd_answers(d->port))
			return true;
		usleep(10000);
	}
	return false;
}

static inline void sshd_stop(struct sshd *d)
{
	if (d->pid <= 0)
		return;
	kill(d->pid, SIGTERM);
	waitpid(d->pid, NULL, 0);
	d->pid = 0;
}

/* False, with a reason printed, when this machine cannot run one. */
static inline bool sshd_new(struct sshd *d, const char *more)
{
	struct passwd *who = getpwuid(getuid());
	int fd;

	memset(d, 0, sizeof(*d));
	if (access("/usr/sbin/sshd", X_OK) != 0 || who == NULL) {
		printf("# skipped: there is no /usr/sbin/sshd\n");
		return false;
	}
	if (getuid() == 0 && mkdir("/run/sshd", 0755) != 0 && errno != EEXIST)
		printf("# cannot make /run/sshd\n");
	snprintf(d->user, sizeof(d->user), "%s", who->pw_name);
	strcpy(d->folder, "/tmp/ags-sshd-XXXXXX");
	if (mkdtemp(d->folder) == NULL)
		return false;
	fd = listen_somewhere(&d->port);
	close(fd);
	snprintf(d->known_hosts, sizeof(d->known_hosts), "%s/known", d->folder);
	snprintf(d->identity, sizeof(d->identity), "%s/key", d->folder);
	sh("cd %s && ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key && "
	   "ssh-keygen -q -t ed25519 -N '' -f other && cp key.pub authorized && "
	   "awk '{print \"[127.0.0.1]:%u \" $1 \" \" $2}' host.pub > known", d->folder, d->port);
	return sshd_start(d, more);
}

static inline void sshd_free(struct sshd *d)
{
	sshd_stop(d);
	if (d->folder[0] != '\0')
		sh("rm -rf %s", d->folder);
}

static inline struct ags_endpoint sshd_endpoint(const struct sshd *d)
{
	return (struct ags_endpoint){ .server = "web1", .host = "127.0.0.1", .port = d->port, .user = d->user,
	                              .identity = d->identity, .known_hosts = d->known_hosts, .connect_timeout_ms = 10000 };
}

#endif
