#include "ssh/pool.h"

#include <libssh2.h>

/* The library counts, as other extensions of the process may use it too. */
bool ags_ssh_init(void)
{
	return libssh2_init(0) == 0;
}

void ags_ssh_exit(void)
{
	libssh2_exit();
}

const char *ags_ssh_version(void)
{
	return libssh2_version(0);
}

const char *ags_ssh_compiled_version(void)
{
	return LIBSSH2_VERSION;
}
