#define _GNU_SOURCE      /* memfd_create */

#include "fuzz/fuzz.h"

#include "ssh/blob.h"
#include "ssh/identity.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A private key file of any bytes. What is taken is the file's text, and a public key of the type that is told. */
static void check_taken(const struct ags_identity *id, const uint8_t *data, size_t size)
{
	char type[sizeof(id->type)];

	must(id->len == size && strlen(id->text) == size && memcmp(id->text, data, size) == 0);
	must((id->blob == NULL) == (id->blob_len == 0));
	if (id->blob != NULL)
		must(ags_blob_type(id->blob, id->blob_len, type, sizeof(type)) && strcmp(type, id->type) == 0);
	must(memchr(id->type, '\0', sizeof(id->type)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_identity id;

	if (fd < 0) {
		fd = memfd_create("key", MFD_CLOEXEC);
		must(fd >= 0 && fchmod(fd, 0600) == 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	if (ags_identity_load(&id, path, &err)) {
		must(err.code == AGS_OK);
		check_taken(&id, data, size);
	} else {
		must(err.code == AGS_AUTH && id.text == NULL && id.blob == NULL);
		must_be_clean(err.message);
	}
	ags_identity_fini(&id);
	return 0;
}
